"""chemCPA (re-implementation): a compositional autoencoder that reads a drug's structure.

After Hetzel et al. 2022, written anew in torch for pseudobulk; the LGR paper's fixed Morgan
fingerprints stand for the published drug embeddings. Arrays in, arrays out. torch is optional and
imported when a model is made.

Two ways to train it. With ``controls`` ("profiles"), profiles are log-normalised expression, and a
delta is the predicted profile of the line's vehicle cells under the drug less their measured
profile, as the published evaluation compares them. Without ("deltas"), profiles are deltas already
and vehicle is the zero vector. Ours in both: vehicle gets no drug embedding (published: one of its
own), and a pooled dose counts as the highest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray
from lgr_core.errors import InputError, UsageError
from lgr_core.metrics.vector_metrics import pearson_delta
from lgr_core.prediction.chemcpa.data import VEHICLE, Conditions, TrainingSet, digest
from lgr_core.prediction.chemcpa.options import (
    LABEL,
    ChemCPAOptions,
    Epoch,
    History,
    best_epoch,
    unavailable,
)

if TYPE_CHECKING:
    from lgr_core.prediction.chemcpa.network import ConditionRows

FORMAT = 1
"""Version of the files that ``save`` and checkpoints write."""


class ChemCPA:
    """The model: ``fit`` it, then ``predict`` deltas.

    Parameters
    ----------
    fingerprints
        (n_drugs, n_bits), 0 or 1: of every drug that is trained on or predicted. All zero: the
        structure is not known.
    n_lines, n_genes
        How many cell lines and genes there are.
    options
        Sizes and rates; ``ChemCPAOptions()`` unless given.

    Raises
    ------
    UsageError
        If torch is not installed.
    """

    def __init__(
        self,
        fingerprints: np.ndarray,
        n_lines: int,
        n_genes: int,
        options: ChemCPAOptions | None = None,
    ) -> None:
        self.options = ChemCPAOptions() if options is None else options
        self.fingerprints = np.asarray(fingerprints, dtype=np.float32)
        self.n_lines, self.n_genes = n_lines, n_genes
        self._edge = _torch_edge()
        self._reset()

    def _reset(self) -> None:
        shape = (self.n_lines, self.n_genes)
        self.history: History | None = None
        self._training = self._edge.Training(self.fingerprints, *shape, self.options)
        self._controls = np.zeros(shape, dtype=np.float32)
        self._trained_lines = np.zeros(self.n_lines, dtype=bool)
        self._dose_max = 1.0

    # -- training ------------------------------------------------------------------------------

    def fit(
        self,
        profiles: FloatArray,
        *,
        line: ArrayLike,
        drug: ArrayLike,
        dose_um: ArrayLike,
        validation: ArrayLike,
        controls: FloatArray | None = None,
        checkpoint: Path | None = None,
        progress: Callable[[Epoch], None] | None = None,
    ) -> History:
        """Train anew, or go on from the checkpoint; the best weights on validation are kept.

        The end is the same, bit for bit, whether training was interrupted or not (on a CPU, one
        thread of which is used). A model whose training was interrupted has its best weights until
        then; without validation rows those are the last. Rows of drugs without a structure are left
        out and counted in the history's provenance.

        Parameters
        ----------
        profiles
            (n, n_genes): log-normalised expression, or deltas if there are no ``controls``.
        line, drug, dose_um
            (n,) numbers of the line and of the drug (-1: vehicle), and the dose in micromolar
            (NaN or None: pooled).
        validation
            (n,) flags of the rows that are not trained on but scored to know when to stop.
        controls
            (n_lines, n_genes) one vehicle profile a line; they are trained on as well.
        checkpoint
            A file that is written at every check and, if it is there, gone on from.
        progress
            Called after every epoch, when its checkpoint is written.

        Raises
        ------
        UsageError
            If arrays do not fit each other, the model or the decoder.
        InputError
            If a value is not finite, too little is left to train on, the checkpoint is damaged or
            of other data or options, or training diverges.
        """
        data = TrainingSet(
            np.asarray(profiles, dtype=np.float32),
            Conditions.of(line, drug, dose_um),
            np.asarray(validation, dtype=bool),
            None if controls is None else np.asarray(controls, dtype=np.float32),
        )
        data.check(self._shape, relu=self.options.decoder == "relu")
        self._reset()
        rows, provenance = self._prepare(data)
        key = data.key(self.key)
        epochs = []
        if checkpoint is not None and checkpoint.exists():
            epochs = self._restore(self._read(checkpoint, key))
        try:
            while not self.options.ended(epochs):
                epochs.append(self._epoch(rows, data, len(epochs) + 1))
                best = best_epoch(epochs)
                if best == len(epochs):
                    self._training.keep_best()
                self.history = History(data.mode, key, tuple(epochs), best, provenance)
                if checkpoint is not None and self.options.is_check(len(epochs)):
                    self.save(checkpoint)
                if progress is not None:
                    progress(epochs[-1])
        finally:
            self._training.restore_best()
        return self._learned

    def _prepare(self, data: TrainingSet) -> tuple[ConditionRows, Mapping[str, Any]]:
        """The rows that are trained on, vehicle included, and what was decided about them."""
        fitted = data.fitted(self.known_structure)
        used = data.treated_lines(fitted)
        doses = data.conditions.dose_um[fitted & data.treated]
        self._controls = data.vehicle(self.n_lines)
        self._trained_lines[used] = True
        self._dose_max = float(np.nanmax(doses)) if np.isfinite(doses).any() else 1.0
        rows = self._rows(
            data.conditions.take(fitted).with_vehicle(used),
            np.concatenate([data.profiles[fitted], self._controls[used]]),
        )
        return rows, {
            "label": LABEL,
            "options": asdict(self.options),
            "torch": self._edge.VERSION,
            "rows": int(fitted.sum()),
            "vehicle_rows_added": len(used),
            "rows_without_structure": int((~data.known(self.known_structure)).sum()),
            "dose_max_um": self._dose_max,
        }

    def _epoch(self, rows: ConditionRows, data: TrainingSet, number: int) -> Epoch:
        rebuilt, drug, line = losses = self._training.epoch(rows)
        if not np.isfinite(losses).all():
            found = f"its losses are {losses} in epoch {number}"
            raise InputError(f"training of {LABEL}", found, "Lower lr, or scale the profiles.")
        score = self._score(data) if self.options.is_check(number) else None
        return Epoch(number, rebuilt, drug, line, score)

    def _score(self, data: TrainingSet) -> float | None:
        """Mean Pearson r over the validation conditions; None where it is not defined for any."""
        where = data.conditions
        rows = data.validation & self._defined(where)
        if not rows.any():
            return None
        some = where.take(rows)
        measured = data.profiles[rows] - self._controls[some.line]
        scores = pearson_delta(self._deltas(some), measured)
        return float(np.nanmean(scores)) if np.isfinite(scores).any() else None

    # -- prediction ----------------------------------------------------------------------------

    @property
    def known_structure(self) -> BoolArray:
        """(n_drugs,) the drugs whose fingerprint is not all zero."""
        return np.any(self.fingerprints, axis=1)

    def predict(self, line: ArrayLike, drug: ArrayLike, dose_um: ArrayLike) -> FloatArray:
        """Predicted deltas (m, n_genes) float32, NaN where the model is not defined.

        That is: for drugs without a structure and for lines without a training row. A drug that
        was not trained on is read from its fingerprint.

        Raises
        ------
        UsageError
            If the model is not fitted, a number is out of range, or a row is of vehicle.
        """
        if self.history is None:
            raise UsageError(LABEL, "it is not fitted", "Call fit or load first.")
        where = Conditions.of(line, drug, dose_um)
        where.check(self.n_lines, len(self.fingerprints))
        if (where.drug == VEHICLE).any():
            raise UsageError(f"{LABEL}: drug", "vehicle is to be predicted", "Name a drug.")
        defined = self._defined(where)
        deltas = np.full((len(where.line), self.n_genes), np.nan, dtype=np.float32)
        deltas[defined] = self._deltas(where.take(defined))
        return deltas

    def _defined(self, where: Conditions) -> BoolArray:
        return self.known_structure[where.drug] & self._trained_lines[where.line]

    def _deltas(self, where: Conditions) -> FloatArray:
        nothing = np.empty((len(where.line), 0), dtype=np.float32)
        return self._training.predict(self._controls, self._rows(where, nothing))

    def _rows(self, where: Conditions, profiles: FloatArray) -> ConditionRows:
        """As the network takes them: doses relative to the highest, vehicle as the last drug."""
        treated = where.drug != VEHICLE
        dose = np.where(np.isnan(where.dose_um), 1.0, where.dose_um / self._dose_max) * treated
        drug = np.where(treated, where.drug, len(self.fingerprints))
        return self._edge.make_rows(profiles, where.line, drug, dose)

    # -- files ---------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """SHA-256 of fingerprints, sizes and options (but for the device)."""
        options = {**asdict(self.options), "device": None}
        return digest(self.fingerprints, text=f"{FORMAT} {self.n_lines} {self.n_genes} {options}")

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.n_lines, len(self.fingerprints), self.n_genes

    def save(self, path: Path) -> None:
        """Write the model to a file; whole or not at all.

        Raises
        ------
        UsageError
            If the model is not fitted.
        """
        history = self._learned
        state = {
            "model": self.key,
            "data": history.data,
            "mode": history.mode,
            "epochs": [list(astuple(epoch)) for epoch in history.epochs],
            "provenance": dict(history.provenance),
            "dose_max": self._dose_max,
            "controls": self._controls,
            "trained_lines": self._trained_lines,
            "training": self._training.state(),
        }
        self._edge.write(path, state)

    def load(self, path: Path, *, data: str | None = None) -> History:
        """Read a model that ``save`` or a checkpoint wrote, with the best weights so far.

        Parameters
        ----------
        path
            The file.
        data
            ``History.data`` of the only training data that is welcome; any unless given.

        Raises
        ------
        InputError
            If the file is missing, damaged, or of other data, fingerprints, sizes or options.
        """
        self._restore(self._read(path, data))
        self._training.restore_best()
        return self._learned

    @property
    def _learned(self) -> History:
        """The history of a model that is fitted or loaded."""
        if self.history is None:
            raise UsageError(LABEL, "it is not fitted", "Call fit or load first.")
        return self.history

    def _read(self, path: Path, data: str | None) -> Mapping[str, Any]:
        state = self._edge.read(path)
        for what, ours in (("model", self.key), ("data", data)):
            if ours is not None and state.get(what) != ours:
                others = {"model": "fingerprints, sizes or options", "data": "data"}[what]
                do = "Remove it, or name another file."
                raise InputError(f"{LABEL}: {path}", f"it was made from other {others}", do)
        return state

    def _restore(self, state: Mapping[str, Any]) -> list[Epoch]:
        epochs = [Epoch(*epoch) for epoch in state["epochs"]]
        self._training.restore(state["training"])
        self._controls, self._trained_lines = state["controls"], state["trained_lines"]
        self._dose_max = state["dose_max"]
        self.history = History(
            state["mode"], state["data"], tuple(epochs), best_epoch(epochs), state["provenance"]
        )
        return epochs


def _torch_edge() -> ModuleType:
    """The part of chemCPA that needs torch."""
    if (error := unavailable()) is not None:
        raise error
    return import_module("lgr_core.prediction.chemcpa.training")
