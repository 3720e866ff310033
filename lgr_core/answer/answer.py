"""The record of an answer: prediction, neighbours, scores and provenance; as table and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lgr_core.display import facts_table
from lgr_core.domain import (
    CandidatePool,
    Change,
    Condition,
    FloatArray,
    Prediction,
    Retrieval,
    TermSupport,
)
from lgr_core.errors import UsageError
from lgr_core.evaluation.calibration_store import CalibrationSource
from lgr_core.llm.parsing.reason_fields import as_fields
from lgr_core.prediction.trust import Trust

if TYPE_CHECKING:
    import anndata as ad

_OURS = frozenset({"gene", "predicted", "measured"})
_SHOWN = 5
"""Genes up and down that a notebook shows of an answer."""


_CORRELATION = {Change.TOTAL: "pearson_delta", Change.SPECIFIC: "pearson_specific"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction with all that stands behind it.

    ``genes`` (n_genes,) name the columns of ``prediction.delta`` (n_genes,), of ``measured``
    (n_genes,) where the truth is known, of ``neighbor_deltas`` (k_used, n_genes), best neighbour
    first, and of ``pool_mean`` (n_genes,), the line's mean over the whole pool. ``metrics`` compare
    predicted with measured over the metric panel. ``notes`` say in words what was decided.

    ``terms`` hold the signed weight of every measured condition behind the prediction. Where the
    method ``is_linear`` of them, not neighbours alone, the neighbours are the heaviest of this
    line. ``change`` says which change all of these are of; where the specific change of the query
    itself is not defined, ``plate_note`` says why. ``specific`` (n_panel,) is what evidence from
    other wells than the query's own predicts of its specific change, None where that is not
    defined: trust is in this. ``trust`` says how good the prediction is expected to be and
    ``calibrated`` by whom; where it is None, ``trust_note`` may say why.
    """

    prediction: Prediction
    pool: CandidatePool
    genes: np.ndarray
    n_panel: int
    measured: FloatArray | None
    neighbor_deltas: FloatArray
    pool_mean: FloatArray
    metrics: Mapping[str, float] | None
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    is_linear: bool = False
    trust: Trust | None = None
    calibrated: CalibrationSource | None = None
    trust_note: str | None = None
    change: Change = Change.TOTAL
    plate_note: str | None = None
    specific: FloatArray | None = None

    @property
    def query(self) -> Condition:
        """The cell line, drug and dose that were asked for, as they were read."""
        return self.prediction.query

    @property
    def predicted(self) -> FloatArray:
        """The predicted change, (n_genes,), beside ``genes`` and ``measured``."""
        return self.prediction.delta

    @property
    def retrieval(self) -> Retrieval:
        """The realised neighbours and what was rejected."""
        if self.prediction.retrieval is None:
            raise UsageError("retrieval", "this method retrieves nobody", "Ask an LGR method.")
        return self.prediction.retrieval

    @property
    def separable_neighbors(self) -> FloatArray:
        """``neighbor_deltas`` without those that have no specific change, (n, n_genes)."""
        return self.neighbor_deltas[np.isfinite(self.neighbor_deltas).all(axis=1)]

    @property
    def correlation(self) -> float | None:
        """Pearson r with the measured change; None where there is none to compare with."""
        if self.metrics is None:
            return None
        return self.metrics[_CORRELATION[self.change]]

    @property
    def terms(self) -> tuple[TermSupport, ...]:
        """The measured conditions whose weighted sum the prediction is, by what they do in it."""
        return self.prediction.terms

    def table(self) -> pd.DataFrame:
        """One row a gene: predicted, measured (if known), and each neighbour's measured delta.

        A neighbour's column is its name; one that is called like a column of ours is marked.
        """
        columns = {"gene": self.genes, "predicted": self.prediction.delta}
        if self.measured is not None:
            columns["measured"] = self.measured
        for drug, delta in zip(self.retrieval.drugs, self.neighbor_deltas, strict=True):
            columns[f"{drug} (neighbor)" if drug in _OURS else drug] = delta
        return pd.DataFrame(columns)

    def top_genes(self, n: int = 10) -> pd.DataFrame:
        """The n genes predicted to go up most and the n to go down most, strongest first."""
        table = self.table().sort_values("predicted", ascending=False, kind="stable")
        up = table[table["predicted"] > 0].head(n)
        down = table[table["predicted"] < 0].tail(n)
        return pd.concat([up, down])

    def to_anndata(self) -> ad.AnnData:
        """The answer as AnnData, genes as variables; ``obs["role"]`` says what each row is.

        One row is ``predicted``, one ``measured`` where the truth is known, and one a
        ``neighbor``'s measured change each.
        """
        from lgr_core.answer.export import answer_adata  # noqa: PLC0415 - it imports this module

        return answer_adata(self)

    def __repr__(self) -> str:
        return f"<answer to {self.query}: {', '.join(self._facts().values())}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: how it was made, how good it is, and the strongest genes."""
        top = self.top_genes(_SHOWN)
        genes = ", ".join(f"{row.gene} {row.predicted:+.2f}" for row in top.itertuples())
        return facts_table(str(self.query), {**self._facts(), "strongest genes": genes})

    def _facts(self) -> dict[str, str]:
        """How the answer was made and how good it is, in words."""
        prediction, retrieval = self.prediction, self.prediction.retrieval
        facts = {"method": f"{prediction.method}, {self.change} change"}
        if prediction.fallback is not None:
            facts["fallback"] = f"fallback {prediction.fallback}"
        if retrieval is not None and retrieval.neighbors:
            facts["neighbours"] = f"{retrieval.k_used} neighbours ({', '.join(retrieval.drugs)})"
        score = None if self.metrics is None else next(iter(self.metrics.items()))
        facts["measured"] = "not measured" if score is None else f"{score[0]} {score[1]:.3f}"
        return facts

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON has it: NaN becomes None."""
        return {
            **retrieval_dict(self.retrieval),
            "fallback": self.prediction.fallback,
            "change": str(self.change),
            "plate_note": self.plate_note,
            "genes": self.genes.tolist(),
            "delta": [_number(value) for value in self.prediction.delta.tolist()],
            "metrics": None
            if self.metrics is None
            else {key: _number(value) for key, value in self.metrics.items()},
            "terms": [term_dict(term) for term in self.terms],
            "trust": None if self.trust is None else _trust_dict(self.trust, self.calibrated),
            "trust_note": self.trust_note,
            "provenance": dict(self.provenance),
        }


def retrieval_dict(retrieval: Retrieval) -> dict[str, Any]:
    """A retrieval as JSON has it."""
    return {
        "query": condition_dict(retrieval.query),
        "selector": retrieval.selector,
        "k": retrieval.k,
        "k_used": retrieval.k_used,
        "pool_size": retrieval.pool_size,
        "neighbors": [
            {
                "drug": n.drug,
                "rank": n.rank,
                "score": None if n.score is None else _number(float(n.score)),
                "rationale": n.rationale,
                "same_parent_as": n.same_parent_as,
                "structured": None if n.structured is None else as_fields(n.structured),
            }
            for n in retrieval.neighbors
        ],
        "rejected": [
            {"text": r.text, "reason": str(r.reason), "suggestion": r.suggestion}
            for r in retrieval.rejected
        ],
    }


def term_dict(term: TermSupport) -> dict[str, Any]:
    """A term as JSON has it: its conditions with their signed weights, heaviest first."""
    return {
        "term": str(term.term),
        "label": term.term.label,
        "share": term.share,
        "n": term.n,
        "conditions": [
            {**condition_dict(one), "weight": weight} for one, weight in term.conditions
        ],
    }


def _trust_dict(trust: Trust, by: CalibrationSource | None) -> dict[str, Any]:
    """Trust as JSON has it; ``gene_half_width`` is of the metric panel, in the deltas' unit."""
    about = None
    if by is not None:
        about = {"run": by.run, "regime": str(by.regime), "k": by.k, "n": by.calibration.n}
        about["change"] = str(by.change)
    return {
        "change": str(trust.change),
        "expected_pearson": _number(trust.expected),
        "low": _number(trust.low),
        "high": _number(trust.high),
        "light": str(trust.light),
        "reasons": list(trust.reasons),
        "gene_half_width": None
        if trust.half_width is None
        else [_number(value) for value in trust.half_width.tolist()],
        "calibrated_by": about,
    }


def condition_dict(condition: Condition) -> dict[str, Any]:
    """A condition as JSON has it."""
    return {name: getattr(condition, name) for name in ("cell_line", "drug", "dose_um")}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
