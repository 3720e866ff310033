"""Commands on reasons: rationales audit, retrieval, review; and annotate."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from lgr_core.atlas.curated_annotation import CuratedAnnotation, annotate_atlas
from lgr_core.atlas.curated_files import ROLES, read_curated
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.audit.rates import audit_rates
from lgr_core.audit.rationale_audit import AuditedReason, RationaleAudit, reasons_of
from lgr_core.audit.reviews import agreement, read_reviews
from lgr_core.audit.verdicts import Verdict
from lgr_core.cli.common import (
    DEMO,
    Commands,
    actions_of,
    add_column_flag,
    column_roles,
    command,
    positive_int,
    print_json,
)
from lgr_core.cli.llm_flags import add_llm_flags, recorded_answers
from lgr_core.cli.query_flags import names
from lgr_core.config import Settings
from lgr_core.errors import InputError, NotFoundError
from lgr_core.evaluation.retrieval_lists import AnswerScorer
from lgr_core.evaluation.retrieval_score import RANKERS, RetrievalScorer, summarise_retrieval
from lgr_core.retrieval.neighbor_files import neighbor_files, read_neighbors
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    actions = actions_of(commands, "rationales")
    audit = command(actions, "audit", _audit, "check the claims of recorded reasons")
    audit.add_argument("--atlas", default=DEMO, metavar="NAME")
    what = "recorded answers; default: those of the installation"
    audit.add_argument("--neighbors", type=Path, nargs="+", default=[], metavar="FILE", help=what)
    what = "every claim with verdict, rank and measured value, as CSV"
    audit.add_argument("--out", type=Path, metavar="FILE", help=what)
    audit.add_argument("--contradicted", action="store_true", help="--out holds these alone")
    audit.add_argument("--rates", type=Path, metavar="FILE", help="the printed table, as CSV")
    audit.add_argument("--permutations", type=positive_int, default=20, metavar="N")
    audit.add_argument("--seed", type=int, default=0)
    what = "recall of drugs of the same curated mechanism or target"
    score = command(actions, "retrieval", _retrieval, what)
    score.add_argument("--atlas", default=DEMO, metavar="NAME")
    score.add_argument("--lines", type=names, metavar="C,C", help="cell lines; default: all")
    score.add_argument("--k", type=positive_int, default=10)
    score.add_argument("--out", type=Path, metavar="FILE", help="every query, as CSV")
    what = "a table of curated drugs: scores the answers of --neighbors among the drugs they ask "
    score.add_argument("--curated", type=Path, metavar="FILE", help=what + "for, without an atlas")
    _add_columns(score)
    add_llm_flags(score)
    review = command(actions, "review", _review, "how far readers agree, and with the audit")
    review.add_argument("files", type=Path, nargs="+", metavar="FILE")
    _add_annotate(commands)


def _add_annotate(commands: Commands) -> None:
    parser = command(commands, "annotate", _annotate)
    parser.add_argument("atlas", metavar="ATLAS")
    source = parser.add_mutually_exclusive_group(required=True)
    what = "of the Drug Repurposing Hub: its drugs, and beside them its samples with structures"
    source.add_argument("--hub", type=Path, nargs="+", metavar="FILE", help=what)
    what = "of ChEMBL: an export of its drug mechanisms"
    source.add_argument("--chembl", type=Path, metavar="FILE", help=what)
    source.add_argument("--csv", type=Path, metavar="FILE", help="any table of drugs")
    _add_columns(parser)


def _add_columns(parser: argparse.ArgumentParser) -> None:
    add_column_flag(parser, f"columns by another name; roles: {', '.join(ROLES)}")


def _audit(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    reasons = list(_reasons(options, settings, store))
    if not reasons:
        do = "Give --neighbors FILE with answers for drugs and lines of this atlas."
        raise NotFoundError(f"reasons for atlas {store.name!r}", "no recorded answer has one", do)
    audit = RationaleAudit.of(store)
    extracted = audit.extract(reasons)
    claims = audit.table(extracted)
    rates = audit_rates(
        audit, extracted, claims, n_permutations=options.permutations, seed=options.seed
    )
    if options.out is not None:
        contradicted = claims["verdict"] == Verdict.CONTRADICTED
        _write(claims[contradicted] if options.contradicted else claims, options.out)
    if options.rates is not None:
        _write(rates, options.rates)
    if options.json:
        print_json({"atlas": store.name, "rates": _records(rates)})
    else:
        print("\n".join(_rate_lines(rates)))


def _reasons(
    options: argparse.Namespace, settings: Settings, store: AtlasStore
) -> Iterator[AuditedReason]:
    for path in options.neighbors or neighbor_files(*settings.neighbor_folders):
        yield from reasons_of(store, read_neighbors(path), path.name)


def _rate_lines(rates: pd.DataFrame) -> Iterator[str]:
    """The rates as sentences, each with its denominator and what chance gives."""
    yield f"{int(rates['n_reasons'].iloc[0]):,} reasons"
    for row in rates.itertuples():
        yield (
            f"{row.kind}: {row.n_claims:,} claims in {row.with_claim:,} reasons "
            f"({row.share_with_claim:.1%})"
        )
        yield (
            f"  {row.supported:,} supported, {row.contradicted:,} contradicted, "
            f"{row.related:,} related, {row.no_clear_change:,} no clear change, "
            f"{row.not_measured:,} not measured, {row.not_checkable:,} not checkable"
        )
        if row.decided:
            yield (
                f"  supported of {row.decided:,} decided: {row.rate:.1%} "
                f"[{row.low:.1%}, {row.high:.1%}] over {row.n_drugs:,} drugs; "
                f"permuted {row.permuted_rate:.1%}"
            )


def _retrieval(options: argparse.Namespace, settings: Settings) -> None:
    of_atlas = options.curated is None
    queries = _atlas_queries(options, settings) if of_atlas else _answer_queries(options)
    if queries.empty:
        do = "Annotate more drugs: a query needs another drug of its mechanism or target."
        raise NotFoundError("queries with a relevant drug", "there is none", do)
    summary = summarise_retrieval(queries)
    if options.out is not None:
        _write(queries, options.out)
    if options.json:
        about = {"atlas": options.atlas} if of_atlas else {"curated": options.curated.name}
        print_json({**about, "k": options.k, "retrieval": _records(summary)})
    else:
        print(summary.round(3).to_string(index=False, na_rep="-"))


def _atlas_queries(options: argparse.Namespace, settings: Settings) -> pd.DataFrame:
    """Every selector's lists, scored against the curated annotation of an atlas."""
    store = open_atlas(options.atlas, settings.atlases)
    curated = CuratedAnnotation.of(store)
    if not len(curated):
        do = f"Add some: lgr annotate {store.name} --hub FILE (or --chembl, --csv)."
        raise NotFoundError(f"curated annotation of {store.name!r}", "there is none", do)
    lines = options.lines
    if lines is not None:
        lines = [store.cell_line_catalog.resolve(line) for line in lines]
    make = partial(make_selector, store=store, recorded=recorded_answers(options, settings))
    return RetrievalScorer(EvidenceReader(store), curated, options.k).score(
        [make(name) for name in RANKERS], lines
    )


def _answer_queries(options: argparse.Namespace) -> pd.DataFrame:
    """Recorded answers, scored against a curated file without an atlas."""
    answers = [one for path in options.neighbors for one in read_neighbors(path)]
    if not answers:
        do = "Give --neighbors FILE with recorded answers."
        raise InputError("--curated", "there are no answers to score", do)
    curated = read_curated([options.curated], "csv", _columns(options))
    return AnswerScorer.of(answers, curated, options.k, file=options.curated.name).score()


def _columns(options: argparse.Namespace) -> dict[str, str]:
    columns = column_roles(options.column)
    if strange := sorted(set(columns) - set(ROLES)):
        found = f"role {strange[0]!r} is unknown"
        raise InputError("--column", found, f"Roles are {', '.join(ROLES)}.")
    return columns


def _review(options: argparse.Namespace, settings: Settings) -> None:  # noqa: ARG001
    table = agreement(read_reviews(options.files))
    if options.json:
        print_json({"agreement": _records(table)})
    else:
        print(table.round(3).to_string(index=False, na_rep="-"))


def _annotate(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    given = {"hub": options.hub, "chembl": options.chembl, "csv": options.csv}
    source, paths = next((name, value) for name, value in given.items() if value is not None)
    files = paths if isinstance(paths, list) else [paths]
    curated = read_curated(files, source, _columns(options))
    report = annotate_atlas(store, curated, source=source, file=files[0].name)
    if options.json:
        about = {"atlas": store.name, "source": source, "file": files[0].name}
        print_json({**about, **report.to_dict()})
    else:
        print(
            f"{report.matched:,} of {report.drugs:,} drugs matched; {report.added:,} entries "
            f"added, {report.kept:,} kept as they were"
        )


def _write(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g")


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON has them; NaN becomes None."""
    found: list[dict[str, object]] = json.loads(table.to_json(orient="records"))
    return found
