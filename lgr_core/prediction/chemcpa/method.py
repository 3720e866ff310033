"""chemCPA (re-implementation) as a method of a benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lgr_core.domain import Evidence, FloatArray
from lgr_core.prediction.chemcpa.model import ChemCPA
from lgr_core.prediction.chemcpa.options import LABEL, ChemCPAOptions
from lgr_core.prediction.method import Predictions, answered
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.query_block import QueryBlock


class ChemCPAMethod:
    """Trains one model per fold, on what the atlas has.

    Where it holds vehicle profiles of every line, on log-normalised profiles, put together again
    as the line's mean vehicle and the delta; else on the deltas as they are. ``chosen`` says which,
    and the epoch whose weights are used.

    Parameters
    ----------
    labels
        Of the atlas.
    options
        Of the model; the published ones unless given.
    checkpoint
        A file from which an interrupted training goes on.
    """

    name = "chemcpa"

    def __init__(
        self,
        labels: ConditionIndex,
        options: ChemCPAOptions | None = None,
        checkpoint: Path | None = None,
    ) -> None:
        profiled = labels.has_vehicle_profiles
        self.evidence = frozenset({Evidence.TRAIN, *([Evidence.CONTROLS] if profiled else [])})
        self.chosen: dict[str, object] | None = None
        self._labels, self._options, self._checkpoint = labels, options, checkpoint
        self._model: ChemCPA | None = None
        self._without = f"{LABEL} reads neither a drug without a structure nor an unseen line"

    def fit(self, view: TrainingView) -> None:
        """Train on the fitted rows, stop by the validation rows."""
        labels, rows = self._labels, view.training_rows
        shape = len(labels.lines), labels.n_genes
        model = ChemCPA(labels.fingerprints, *shape, self._options)
        profiles, controls = view.deltas(rows), self._vehicle(view)
        if controls is not None:
            profiles = profiles + controls[labels.line[rows]]
        history = model.fit(
            profiles,
            line=labels.line[rows],
            drug=labels.drug[rows],
            dose_um=labels.doses[rows],
            validation=np.isin(rows, view.validation_rows),
            controls=controls,
            checkpoint=self._checkpoint,
        )
        self._model = model
        self.chosen = {"trained_on": history.mode, "epochs": len(history.epochs)}
        self.chosen["best_epoch"] = history.best

    def predict(self, block: QueryBlock) -> Predictions:
        """The drugs' deltas in the block's line; not applicable where the model is not defined."""
        labels = self._labels
        line = labels.lines.tolist().index(block.cell_line)
        drugs = labels.drug_numbers(block.drugs)
        delta = np.full((len(block), labels.n_genes), np.nan, dtype=np.float32)
        known = drugs >= 0
        if self._model is not None and known.any():
            n = int(known.sum())
            dose = np.nan if block.dose_um is None else block.dose_um
            delta[known] = self._model.predict(np.full(n, line), drugs[known], np.full(n, dose))
        return answered(delta, without=self._without)

    def _vehicle(self, view: TrainingView) -> FloatArray | None:
        """(n_lines, n_genes) mean vehicle profiles; None where a line has none."""
        if Evidence.CONTROLS not in self.evidence:
            return None
        found = (view.control_profile(line) for line in self._labels.lines)
        profiles = [profile for profile in found if profile is not None]
        if len(profiles) < len(self._labels.lines):
            return None
        return np.stack(profiles)[:, : self._labels.n_genes]
