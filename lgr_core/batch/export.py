"""Batch predictions as one zip file: tables, supporting conditions, and a pair for cell-eval."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd

from lgr_core.answer.answer import condition_dict, term_dict
from lgr_core.answer.export import CONTROL, csv_cells, perturbations, table_csv
from lgr_core.batch.query_list import RefusedRow
from lgr_core.batch.results import BatchRow, BatchRun
from lgr_core.domain import Change, FloatArray
from lgr_core.retrieval.neighbor_files import neighbor_line

LAYOUTS: Mapping[str, str] = {
    "wide": "one row a query, one column a gene",
    "tidy": "one row a query and gene",
}
"""How the table of predictions is laid out."""

PAIR = ("cell_eval/predicted.h5ad", "cell_eval/measured.h5ad")

_NAMED = ("cell_line", "drug", "dose_um")


def write_zip(
    many: BatchRun,
    refused: Sequence[RefusedRow] = (),
    *,
    layout: str = "wide",
    about: Mapping[str, str] | None = None,
) -> bytes:
    """All that was predicted, and all that was not, with its reason, as a zip file.

    It holds README.txt (where it comes from; ``about`` adds lines to it), summary.csv (one row a
    query), predictions.csv (laid out as ``layout``, a name in ``LAYOUTS``), neighbors.jsonl (the
    form of neighbour files) or, of a method that weighs everything, weights.jsonl, refused.csv,
    and, if any query was measured, the two files that cell-eval compares. Tables are written piece
    by piece, never held whole.
    """
    outcomes = many.outcomes
    predicted = [outcome for outcome in outcomes if outcome.error is None]
    measured = [outcome for outcome in predicted if outcome.metrics is not None]
    stands_on, lines = _stands_on(many, predicted)
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=4) as file:
        file.writestr("README.txt", _readme(many, outcomes, refused, layout, about or {}))
        file.writestr("summary.csv", table_csv(many.table()))
        file.writestr("refused.csv", table_csv(_refused_table(outcomes, refused)))
        _write(file, "predictions.csv", _LAYOUTS[layout](many, predicted))
        _write(file, stands_on, lines)
        if measured:
            _write_pair(file, many, measured)
    return out.getvalue()


def _write(file: ZipFile, name: str, parts: Iterator[str]) -> None:
    with file.open(name, "w") as entry:
        for part in parts:
            entry.write(part.encode())


# -- tables ----------------------------------------------------------------------------------------


def _sides(many: BatchRun, outcome: BatchRow) -> Iterator[tuple[str, FloatArray]]:
    """The predicted change of a query, and the measured one if there is one."""
    yield "predicted", many.deltas[outcome.place]
    if outcome.metrics is not None:
        yield "measured", _measured(many, [outcome])[0]


def _measured(many: BatchRun, outcomes: Sequence[BatchRow]) -> FloatArray:
    """(n, n_panel) measured changes of the kind that was predicted."""
    rows = [many.store.row(outcome.query) for outcome in outcomes]
    return many.changes(np.array(rows, dtype=np.intp))


def _wide(many: BatchRun, outcomes: Sequence[BatchRow]) -> Iterator[str]:
    """One row a query, and one more where it was measured."""
    yield csv_cells([*_NAMED, "change", *_genes(many)]) + "\n"
    for outcome in outcomes:
        for side, values in _sides(many, outcome):
            named = csv_cells([*_named(outcome).values(), side])
            yield f"{named},{','.join(_numbers(values))}\n"


def _tidy(many: BatchRun, outcomes: Sequence[BatchRow]) -> Iterator[str]:
    """One row a query and gene."""
    genes = [csv_cells([gene]) for gene in _genes(many)]
    yield csv_cells([*_NAMED, "gene", "predicted", "measured"]) + "\n"
    for outcome in outcomes:
        named, sides = csv_cells(_named(outcome).values()), dict(_sides(many, outcome))
        unknown = [""] * len(genes)
        columns = [_numbers(sides[x]) if x in sides else unknown for x in ("predicted", "measured")]
        yield "".join(f"{named},{g},{x},{y}\n" for g, x, y in zip(genes, *columns, strict=True))


def _numbers(values: FloatArray) -> list[str]:
    return [f"{value:.6g}" for value in values.tolist()]


_LAYOUTS: Mapping[str, Callable[[BatchRun, Sequence[BatchRow]], Iterator[str]]] = {
    "wide": _wide,
    "tidy": _tidy,
}


def _stands_on(many: BatchRun, outcomes: Sequence[BatchRow]) -> tuple[str, Iterator[str]]:
    """The file that says what each prediction stands on: its name and its lines."""
    if many.is_linear:
        return "weights.jsonl", map(_weights_line, outcomes)
    found = (outcome.retrieval for outcome in outcomes if outcome.retrieval is not None)
    atlas = many.store.name
    return "neighbors.jsonl", (neighbor_line(one, atlas=atlas) + "\n" for one in found)


def _weights_line(outcome: BatchRow) -> str:
    record = {
        **condition_dict(outcome.query),
        "method": outcome.method,
        "fallback": outcome.fallback,
        **({} if outcome.retrieval is None else outcome.retrieval.provenance),
        "terms": [term_dict(term) for term in outcome.terms],
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _refused_table(outcomes: Sequence[BatchRow], refused: Sequence[RefusedRow]) -> pd.DataFrame:
    failed = [RefusedRow(str(o.query), o.error) for o in outcomes if o.error is not None]
    rows = [
        (row.text, row.error.asked, row.error.found, row.error.do) for row in (*refused, *failed)
    ]
    return pd.DataFrame(rows, columns=["line", "asked", "found", "what to do"])


def _named(outcome: BatchRow) -> dict[str, object]:
    query = outcome.query
    dose = np.nan if query.dose_um is None else query.dose_um
    return {"cell_line": query.cell_line, "drug": query.drug, "dose_um": dose}


def _genes(many: BatchRun) -> list[str]:
    return many.store.gene_names[: many.store.n_panel].tolist()


# -- cell-eval -------------------------------------------------------------------------------------


def _write_pair(file: ZipFile, many: BatchRun, outcomes: Sequence[BatchRow]) -> None:
    """The measured queries twice: as predicted, and as measured."""
    obs = pd.DataFrame([_named(outcome) for outcome in outcomes])
    places = [outcome.place for outcome in outcomes]
    sides = many.deltas[places], _measured(many, outcomes)
    baseline = float(np.ceil(max(0.0, *(-side.min() for side in sides))))
    with tempfile.TemporaryDirectory() as folder:
        for name, deltas in zip(PAIR, sides, strict=True):
            path = Path(folder) / Path(name).name
            adata = perturbations(deltas, obs, _genes(many), baseline=baseline)
            adata.uns["change"] = str(many.change)
            adata.write_h5ad(path, compression="gzip")
            file.write(path, name)


# -- where it comes from ---------------------------------------------------------------------------


def _readme(
    many: BatchRun,
    outcomes: Sequence[BatchRow],
    refused: Sequence[RefusedRow],
    layout: str,
    about: Mapping[str, str],
) -> str:
    store = many.store
    measured = sum(outcome.metrics is not None for outcome in outcomes)
    failed = sum(outcome.error is not None for outcome in outcomes)
    kind = "SIMULATED data: not a measurement" if store.simulated else "measured data"
    facts = {
        "atlas": f"{store.name} ({kind})",
        "build id": store.build_id,
        "values": store.value_kind.label,
        "change": _CHANGES[many.change],
        "genes": f"{store.n_panel:,} (the panel)",
        "method": many.method,
        "named of each term" if many.is_linear else "neighbours asked for": f"{many.k}",
        **about,
        "queries": f"{len(many.pools):,}",
        "predicted": f"{many.predicted:,}, of which measured too: {measured:,}",
        "not predicted": f"{failed:,} failed, {len(many.pools) - len(outcomes):,} not reached",
        "lines refused": f"{len(refused):,}",
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "made with": f"lgr-explorer {version('lgr-explorer')}",
    }
    width = max(map(len, facts))
    lines = [f"{name + ':':<{width + 2}}{value}" for name, value in facts.items()]
    made, stands_on = _BY_WEIGHTS if many.is_linear else _BY_NEIGHBORS
    return _README.format(
        made=made,
        facts="\n".join(lines),
        stands_on=stands_on,
        layout=LAYOUTS[layout],
        control=CONTROL,
    )


_CHANGES = {
    Change.TOTAL: "total, against the vehicle",
    Change.SPECIFIC: "specific: less the mean of the other compounds of the plate",
}

_BY_NEIGHBORS = (
    """\
Predicted changes of gene expression: for each query the mean of the measured changes of its
neighbours, drugs measured in the same cell line. The measured change of the query itself is read
for scoring alone.""",
    """\
neighbors.jsonl   One line a query: its neighbours with scores and reasons, what was refused and
                  why, and how the selector was asked.""",
)

_BY_WEIGHTS = (
    """\
Predicted changes of gene expression: for each query a weighted sum of the measured changes that
tell something of it, of the drug in other cell lines and of other drugs here and elsewhere. The
measured change of the query itself is read for scoring alone.""",
    """\
weights.jsonl     One line a query: the evidence that was found (route, why), the settings, and for
                  each term of the sum its share of all absolute weights, of how many conditions (n)
                  it is made, and the heaviest of them with their signed weights.""",
)

_README = """\
{made}

{facts}

summary.csv       One row a query: what the prediction stands on, the fallback if nothing stands,
                  Pearson r and sign accuracy where the query was measured, the Pearson r that was
                  to be expected (90 % limits, and a light) where a benchmark run on this very atlas
                  has calibrated the method, the genes that are predicted to change most.
predictions.csv   Predicted and, where known, measured change: {layout}.
{stands_on}
refused.csv       Lines that name no query of the atlas, and queries that failed, each with the
                  reason.
cell_eval/        Queries that were measured, predicted and measured, for cell-eval, which takes
                  changes itself: each line has an observation with target "{control}", and all
                  values are the changes plus a constant (uns["baseline"]), since it reads none
                  below 0. Not there where no query was measured.

    cell-eval run -ap cell_eval/predicted.h5ad -ar cell_eval/measured.h5ad \\
      --pert-col target --control-pert {control} --celltype-col cell_line --profile anndata \\
      --allow-discrete
"""
