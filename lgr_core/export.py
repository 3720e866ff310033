"""Answers as files: CSV, parquet or h5ad, by the file's ending."""

from __future__ import annotations

import io
import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from lgr_core.answer import Answer
from lgr_core.errors import UsageError


def answer_csv(answer: Answer) -> str:
    """One row a gene: predicted, measured (if known), then each neighbour's measured delta."""
    out = io.StringIO()
    answer.table().to_csv(out, index=False, float_format="%.6g")
    return out.getvalue()


def answer_adata(answer: Answer) -> ad.AnnData:
    """The same as AnnData: one observation a vector, ``obs['role']`` says which is which."""
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
        },
        index=[f"{role}|{drug}" for role, drug in zip(roles, drugs, strict=True)],
    )
    adata = ad.AnnData(X=table.to_numpy(np.float32).T, obs=obs, var=pd.DataFrame(index=table.index))
    adata.uns["provenance"] = json.dumps(dict(answer.provenance), default=str)
    return adata


def write_answer(answer: Answer, path: Path) -> None:
    """Write an answer to ``path``; its ending says how.

    Raises
    ------
    UsageError
        If the ending is none of .csv, .parquet, .h5ad.
    """
    if path.suffix == ".csv":
        path.write_text(answer_csv(answer), encoding="utf-8")
    elif path.suffix == ".parquet":
        answer.table().to_parquet(path, index=False)
    elif path.suffix == ".h5ad":
        answer_adata(answer).write_h5ad(path)
    else:
        found = f"the ending {path.suffix!r} is unknown"
        raise UsageError(f"output {path}", found, "Use .csv, .parquet or .h5ad.")
