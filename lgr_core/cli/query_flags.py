"""Flags that choose many measured queries: lines, drugs and doses."""

from __future__ import annotations

import argparse

from lgr_core.atlas.store import AtlasStore
from lgr_core.cli.common import DEMO, positive_int
from lgr_core.domain import CandidatePool, Condition
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import EmptyPoolError, NotFoundError
from lgr_core.retrieval.candidate_pool import candidate_pool


def add_many_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose the queries."""
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--lines", type=names, metavar="C,C", help="cell lines; default: all")
    flag("--drugs", type=names, metavar="D;D", help="drugs, by ';'; default: all")
    flag("--dose", type=float, metavar="UM", help="default: each line's highest")
    flag("--max-queries", type=positive_int, metavar="N")
    flag("--k", type=positive_int, default=10)


def pools_of(options: argparse.Namespace, store: AtlasStore) -> list[CandidatePool]:
    """The pool of every measured condition that the flags choose; empty pools are left out.

    Raises
    ------
    NotFoundError
        If nothing is left.
    """
    lines = _chosen(options.lines, store.cell_line_catalog)
    drugs = None if options.drugs is None else set(_chosen(options.drugs, store.drug_catalog))
    pools = []
    for line in lines:
        dose = store.doses(line)[0] if options.dose is None else options.dose
        if dose not in store.doses(line):
            continue
        for drug in store.measured_drugs(line, dose):
            if drugs is not None and drug not in drugs:
                continue
            try:
                pools.append(candidate_pool(store, Condition(line, drug, dose)))
            except EmptyPoolError:
                continue
    if not pools:
        found = f"atlas {store.name!r} has none such"
        raise NotFoundError("queries", found, "Choose other lines, drugs or doses.")
    return pools[: options.max_queries]


def _chosen(names: list[str] | None, catalog: CellLineCatalog | DrugCatalog) -> list[str]:
    if names is None:
        return list(catalog.names)
    return [catalog.resolve(name) for name in names]


def names(text: str) -> list[str]:
    """The type of a flag that lists names, by comma, or by semicolon where one stands."""
    sign = ";" if ";" in text else ","
    found = [name.strip() for name in text.split(sign) if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError("no name is given")
    return found
