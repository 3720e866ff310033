"""How many claims annotation and data support, with intervals and beside chance.

A rate is the share of supported claims among those decided. Its interval resamples the drugs that
the claims are about; chance is the same rate with every drug's data and annotation exchanged for
another's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.audit.claims import ClaimKind
from lgr_core.audit.rationale_audit import ExtractedReason, RationaleAudit
from lgr_core.audit.verdicts import Verdict
from lgr_core.domain import FloatArray
from lgr_core.evaluation.bootstrap import Resamples, estimate

N_PERMUTATIONS = 20

ANY = "any"
"""The row of claims of every kind together."""

RATES = (
    *("kind", "n_reasons", "with_claim", "share_with_claim", "n_claims"),
    *(str(verdict) for verdict in Verdict),
    *("decided", "rate", "low", "high", "n_drugs"),
    *("permuted_supported", "permuted_contradicted", "permuted_rate"),
)
"""Columns of the table of rates; the permuted counts are means over permutations."""


def audit_rates(
    audit: RationaleAudit,
    extracted: Sequence[ExtractedReason],
    claims: pd.DataFrame,
    *,
    n_permutations: int = N_PERMUTATIONS,
    n_boot: int = 2_000,
    seed: int = 0,
) -> pd.DataFrame:
    """One row for any claim and one a kind, as ``RATES``; ``claims`` is the table of the audit."""
    shuffled = [audit.permuted(extracted, seed + i) for i in range(n_permutations)]
    rows = []
    for name, kinds in {ANY: list(ClaimKind), **{str(kind): [kind] for kind in ClaimKind}}.items():
        own = claims[claims["kind"].isin(kinds)]
        others = [table[table["kind"].isin(kinds)] for table in shuffled]
        rows.append(_row(name, own, len(extracted), others, n_boot=n_boot, seed=seed))
    return pd.DataFrame(rows, columns=list(RATES))


def _row(
    kind: str,
    claims: pd.DataFrame,
    n_reasons: int,
    permuted: Sequence[pd.DataFrame],
    *,
    n_boot: int,
    seed: int,
) -> dict[str, Any]:
    keys = ["file", "cell_line", "query", "neighbor", "rank"]
    with_claim = len(claims[keys].drop_duplicates())
    counts = {str(v): int((claims["verdict"] == v).sum()) for v in Verdict}
    chance = {v: _mean(permuted, _counter(v)) for v in (Verdict.SUPPORTED, Verdict.CONTRADICTED)}
    decided = claims["verdict"].isin([Verdict.SUPPORTED, Verdict.CONTRADICTED])
    return {
        "kind": kind,
        "n_reasons": n_reasons,
        "with_claim": with_claim,
        "share_with_claim": with_claim / n_reasons if n_reasons else np.nan,
        "n_claims": len(claims),
        **counts,
        "decided": int(decided.sum()),
        **_interval(claims[decided], n_boot, seed),
        "permuted_supported": chance[Verdict.SUPPORTED],
        "permuted_contradicted": chance[Verdict.CONTRADICTED],
        "permuted_rate": _share(*chance.values()),
    }


def _interval(decided: pd.DataFrame, n_boot: int, seed: int) -> dict[str, Any]:
    """The rate with its 95 % interval over the drugs that claims are about."""
    if decided.empty:
        return {"rate": np.nan, "low": np.nan, "high": np.nan, "n_drugs": 0}
    right: FloatArray = (decided["verdict"] == Verdict.SUPPORTED).to_numpy(float)[:, None]
    drugs = decided["subject"].to_numpy(str)
    found = estimate(right, Resamples.draw([drugs], n_boot=n_boot, seed=seed))
    return {
        "rate": float(found.mean[0]),
        "low": float(found.low[0]),
        "high": float(found.high[0]),
        "n_drugs": len(set(drugs)),
    }


def _counter(verdict: Verdict) -> Callable[[pd.DataFrame], int]:
    return lambda table: int((table["verdict"] == verdict).sum())


def _mean(tables: Sequence[pd.DataFrame], count: Callable[[pd.DataFrame], int]) -> float:
    return float(np.mean([count(table) for table in tables])) if tables else np.nan


def _share(supported: float, contradicted: float) -> float:
    total = supported + contradicted
    return supported / total if total else np.nan
