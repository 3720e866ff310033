"""Answers as files: CSV, parquet, h5ad or rnk, by the file's ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lgr_core.answer import Answer
from lgr_core.domain import Change, FloatArray
from lgr_core.errors import UsageError

if TYPE_CHECKING:
    import anndata as ad

ENDINGS = (".csv", ".parquet", ".h5ad", ".rnk")

CONTROL = "control"
"""What :func:`perturbations` calls the untreated state."""

_FORMULA = ("=", "+", "-", "@", "\t", "\n")


def answer_csv(answer: Answer) -> str:
    """One row a gene: predicted, measured (if known), then each neighbour's measured delta."""
    return table_csv(labelled_table(answer))


def labelled_table(answer: Answer) -> pd.DataFrame:
    """The table of an answer; the columns of a specific change are ``predicted_specific`` etc.

    All columns but ``gene`` are changes of one kind: of a total change the names stay plain.
    """
    table = answer.table()
    if answer.change is Change.TOTAL:
        return table
    return table.rename(columns=lambda name: name if name == "gene" else f"{name}_{answer.change}")


def answer_rnk(answer: Answer) -> str:
    """Genes and predicted change, the highest first: a ranked list as GSEA reads it.

    A comment in the first line says so if it is a specific change.
    """
    table = answer.table()[["gene", "predicted"]].sort_values(
        "predicted", ascending=False, kind="stable"
    )
    head = "" if answer.change is Change.TOTAL else f"# predicted {answer.change} change\n"
    return head + table.to_csv(sep="\t", header=False, index=False, float_format="%.6g")


def table_csv(table: pd.DataFrame) -> str:
    """A table as CSV that a spreadsheet reads as text and numbers, and never runs.

    A text, heading included, that begins as a formula does (``=``, ``+``, ``-``, ``@``, tab or a
    new line) gets an apostrophe before it. A carriage return, which would end the row, is a new
    line.
    """
    texts = table.select_dtypes(["object", "string", "category"]).columns
    safe = table.assign(**{name: table[name].astype(object).map(_defused) for name in texts})
    out = io.StringIO()
    safe.rename(columns=_defused).to_csv(out, index=False, float_format="%.6g")
    return out.getvalue()


def csv_cells(values: Iterable[object]) -> str:
    """Values as the cells of one CSV row, without its end, written as :func:`table_csv` does."""
    out = io.StringIO()
    cells = ("" if value != value else _defused(value) for value in values)  # noqa: PLR0124 - NaN
    csv.writer(out, lineterminator="").writerow(
        f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells
    )
    return out.getvalue()


def _defused(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULA) else text


def answer_adata(answer: Answer) -> ad.AnnData:
    """The same as AnnData: one observation a vector, ``obs['role']`` says which is which."""
    import anndata as ad  # noqa: PLC0415 - it takes longer to load than a prediction takes

    table = answer.table().set_index("gene")
    query = answer.prediction.query
    roles = [name if name in {"predicted", "measured"} else "neighbor" for name in table.columns]
    drugs = [
        name if role == "neighbor" else query.drug
        for name, role in zip(table.columns, roles, strict=True)
    ]
    obs = pd.DataFrame(
        {
            "role": roles,
            "cell_line": query.cell_line,
            "drug": drugs,
            "dose_um": np.nan if query.dose_um is None else query.dose_um,
            "change": str(answer.change),
        },
        index=[f"{role}|{drug}" for role, drug in zip(roles, drugs, strict=True)],
    )
    adata = ad.AnnData(X=table.to_numpy(np.float32).T, obs=obs, var=pd.DataFrame(index=table.index))
    adata.uns["provenance"] = json.dumps(dict(answer.provenance), default=str)
    return adata


def perturbations(
    deltas: FloatArray, obs: pd.DataFrame, genes: Sequence[str], *, baseline: float
) -> ad.AnnData:
    """Changes (n, n_genes) as cell-eval reads them, one side of its pair.

    ``obs`` has the columns ``cell_line``, ``drug`` and ``dose_um``; ``obs['target']`` names drug
    and dose. cell-eval takes changes itself, against a control, and refuses values below 0: so each
    line gets an observation whose target is ``control`` and whose every value is ``baseline``, and
    that is added to the changes.
    """
    import anndata as ad  # noqa: PLC0415 - it takes longer to load than a prediction takes

    lines = obs["cell_line"].drop_duplicates()
    control = pd.DataFrame({"cell_line": lines, "drug": CONTROL, "dose_um": np.nan})
    rows = pd.concat([obs[list(control)], control], ignore_index=True)
    rows["target"] = [_target(*row) for row in zip(rows["drug"], rows["dose_um"], strict=True)]
    names = rows["cell_line"].astype(str) + "|" + rows["target"]
    values = np.vstack([deltas, np.zeros((len(control), deltas.shape[1]))]) + baseline
    return ad.AnnData(
        X=values.astype(np.float32),
        obs=rows.set_index(pd.Index(names)),
        var=pd.DataFrame(index=pd.Index(genes, name="gene")),
        uns={"baseline": baseline},
    )


def _target(drug: str, dose_um: float) -> str:
    return drug if np.isnan(dose_um) else f"{drug} at {dose_um:g} uM"


def write_answer(answer: Answer, path: Path) -> None:
    """Write an answer to ``path``; its ending says how. Folders that are not there are made.

    Raises
    ------
    UsageError
        If the ending is none of .csv, .parquet, .h5ad, .rnk.
    """
    if path.suffix not in ENDINGS:
        found = f"the ending {path.suffix!r} is unknown"
        raise UsageError(f"output {path}", found, "Use .csv, .parquet, .h5ad or .rnk.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        path.write_text(answer_csv(answer), encoding="utf-8")
    elif path.suffix == ".rnk":
        path.write_text(answer_rnk(answer), encoding="utf-8")
    elif path.suffix == ".parquet":
        labelled_table(answer).to_parquet(path, index=False)
    else:
        answer_adata(answer).write_h5ad(path)
