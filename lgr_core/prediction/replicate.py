"""Replicates as a prediction: how well another measurement of the query foretells it."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.query_block import QueryBlock


class ReplicateKind(StrEnum):
    """Which other measurement of a query's parent compound in its line is a replicate."""

    PLATE = "plate"
    TWIN = "twin"
    DOSE = "dose"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _LABELS[self]


_LABELS = {
    ReplicateKind.PLATE: "the same form on another plate",
    ReplicateKind.TWIN: "another form of the compound, in another well",
    ReplicateKind.DOSE: "the drug at its neighbouring dose, in another well",
}


class Replicate(NothingToFit):
    """The mean of a query's replicates of one kind: a control that reads the truth's twin."""

    evidence = frozenset({Evidence.REPLICATE, Evidence.TARGET_POOL})

    def __init__(self, kind: ReplicateKind) -> None:
        self.kind = kind
        self.name = f"replicate_{kind}"

    def predict(self, block: QueryBlock) -> Predictions:
        """The replicates' mean; not applicable without one."""
        guard, labels = block.guard(self.evidence), block.labels
        here = (labels.line == block.line) & np.isin(labels.parent, block.parents)
        rows = np.flatnonzero(here)
        own = guard.allows(np.arange(len(block))[:, None], rows[None, :])
        own &= labels.parent[rows] == block.parents[:, None]
        chosen = own & self._of_kind(block, rows)
        weights = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
        delta = guard.combine_rows(weights, rows)
        delta[~chosen.any(axis=1)] = np.nan
        return answered(delta, without=f"no replicate: {self.kind.label}")

    def _of_kind(self, block: QueryBlock, rows: IntArray) -> BoolArray:
        """(n, n_rows) rows of each query's parent that are replicates of the kind."""
        labels = block.labels
        same_drug = labels.drug[rows] == labels.drug_numbers(block.drugs)[:, None]
        at_dose = labels.at_dose(block.dose_um)[rows]
        match self.kind:
            case ReplicateKind.PLATE:
                return rows == block.rows[:, None]
            case ReplicateKind.TWIN:
                return ~same_drug & at_dose
            case ReplicateKind.DOSE:
                return _nearest(same_drug & ~at_dose, labels.doses[rows], block.dose_um)


def _nearest(candidates: BoolArray, doses: FloatArray, dose_um: float | None) -> BoolArray:
    """The candidates, (n, n_rows), at the dose nearest to one on a log scale; ties all."""
    if dose_um is None:
        return np.zeros_like(candidates)
    far = np.where(candidates & ~np.isnan(doses), np.abs(np.log(doses) - np.log(dose_um)), np.inf)
    nearest = far.min(axis=1, keepdims=True, initial=np.inf)
    return np.isfinite(far) & (far <= nearest)
