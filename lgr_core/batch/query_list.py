"""Queries as people list them: one a line, a table, or a list of drugs times a list of lines."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from lgr_core.atlas.sources.doses import parse_dose, split_unit
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool
from lgr_core.drugs.normalise import normalise_name
from lgr_core.errors import InputError, LgrError, NotFoundError
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.parse_query import read_query

FORM = "drug, cell line, dose"
"""The order of values on a line; the dose may be left out."""

POOLED = "pooled"
"""How a list spells the dose of an atlas whose doses were pooled."""

_DRUG = {"drug", "compound", "molecule", "treatment", "perturbation", "target_molecule"}
_LINE = {"cell_line", "cellline", "line", "cell", "cell_type", "target_cell_type"}
_DOSE = {"dose", "concentration", "conc"}
_NO_DOSE = {"", "-", "na", "n/a", "nan", "none"}
_SIGNS = re.compile(r"[^a-z]+")
_MICRO = str.maketrans("\u00b5\u03bc", "uu")


class QueryRow(NamedTuple):
    """What one line asks for, in its own words; no dose is the highest measured."""

    drug: str
    cell_line: str
    dose: str = ""
    unit: str = "uM"

    def __str__(self) -> str:
        return ", ".join(part for part in (self.drug, self.cell_line, self.dose) if part)


class RefusedRow(NamedTuple):
    """A line that names no query of the atlas, as it was written, and why."""

    text: str
    error: LgrError


@dataclass(frozen=True, slots=True)
class QueryList:
    """What a list means in an atlas: nothing of it is lost.

    ``pools`` has one entry a query, in the list's order; ``repeated`` counts lines that ask for a
    query that stands above. ``notes`` say how names and doses were read, each once.
    """

    pools: tuple[CandidatePool, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    repeated: int = 0
    notes: tuple[str, ...] = ()


def listed(text: str) -> list[QueryRow | RefusedRow]:
    """The wishes of a text with one query a line: ``drug, cell line[, dose]``.

    Values stand between commas, semicolons or tabs; one that holds such a sign stands in quotes.
    A first line that names its columns (``drug``, ``cell_line``, ``dose_um``) sets their order, and
    columns of other names are left aside. A line without two or three values is refused.
    """
    rows = [line for line in text.splitlines() if line.strip()]
    if not rows:
        return []
    sign = next((sign for sign in "\t;" if sign in rows[0]), ",")
    columns = _columns(_values(rows[0], sign))
    body = rows if columns is None else rows[1:]
    return [_query_row(row, _values(row, sign), columns) for row in body]


def crossed(drugs: str, lines: str, dose: str = "") -> list[QueryRow]:
    """Every drug of a list in every cell line of another; names one a line, each once."""
    names = [
        tuple(dict.fromkeys(name.strip() for name in text.splitlines() if name.strip()))
        for text in (drugs, lines)
    ]
    return [QueryRow(drug, line, dose) for line, drug in product(names[1], names[0])]


def read_query_rows(store: AtlasStore, rows: Iterable[QueryRow | RefusedRow]) -> QueryList:
    """Read names and doses as the atlas has them; a query is taken once.

    Refused are an unknown name, with the nearest ones, an ambiguous one, with its readings, a dose
    that the line lacks, and a query that nothing else was measured for.
    """
    pools: dict[object, CandidatePool] = {}
    refused: list[RefusedRow] = []
    notes: dict[str, None] = {}
    repeated = 0
    for row in rows:
        if isinstance(row, RefusedRow):
            refused.append(row)
            continue
        try:
            query, said = read_query(store, row.cell_line, row.drug, _dose(store, row))
            if query in pools:
                repeated += 1
            else:
                pools[query] = candidate_pool(store, query)
        except LgrError as err:
            refused.append(RefusedRow(str(row), err))
        else:
            notes |= dict.fromkeys(said)
    return QueryList(tuple(pools.values()), tuple(refused), repeated, tuple(notes))


def _values(row: str, sign: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([row], delimiter=sign, strict=False))]
    except (csv.Error, StopIteration):
        return []


def _columns(names: Sequence[str]) -> dict[str, tuple[int, str]] | None:
    """Where drug, cell line and dose stand, and the dose's unit; None if this is no heading."""
    found = dict(_roles(names))
    return found if {"drug", "cell_line"} <= found.keys() else None


def _roles(names: Sequence[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    for place, name in reversed(list(enumerate(names))):  # of two, the first is taken
        plain = _SIGNS.sub("_", normalise_name(name.translate(_MICRO))).strip("_")
        if plain in _DRUG:
            yield "drug", (place, "")
        elif plain in _LINE:
            yield "cell_line", (place, "")
        elif split_unit(plain)[0] in _DOSE:
            yield "dose", (place, split_unit(plain)[1] or "uM")


def _query_row(
    row: str, values: Sequence[str], columns: dict[str, tuple[int, str]] | None
) -> QueryRow | RefusedRow:
    unit = "uM"
    if columns is not None:
        unit = columns.get("dose", (0, unit))[1]
        picked = [columns[role][0] for role in ("drug", "cell_line", "dose") if role in columns]
        values = [values[place] if place < len(values) else "" for place in picked]
    if not 2 <= len(values) <= 3 or not all(values[:2]):  # noqa: PLR2004 - with or without a dose
        found = f"{len([value for value in values if value])} values where {FORM} is expected"
        do = "Put a name that holds the separating sign in quotes."
        return RefusedRow(row.strip(), InputError(f"line {row.strip()!r}", found, do))
    drug, cell_line, dose = (*values, "")[:3]
    return QueryRow(drug, cell_line, dose, unit)


def _dose(store: AtlasStore, row: QueryRow) -> float | None:
    written = row.dose.strip()
    if normalise_name(written) in _NO_DOSE:
        return None
    if normalise_name(written) == POOLED:
        line = store.cell_line_catalog.resolve(row.cell_line)
        if store.doses(line) != (None,):
            found = "doses were measured one by one there"
            raise NotFoundError(f"pooled doses in {line}", found, "Give a dose, or none.")
        return None
    dose = parse_dose(written, row.unit)
    if math.isnan(dose):
        raise InputError(f"dose {written!r}", "it is no amount", "Write it like 5, 0.5 or 500 nM.")
    return dose
