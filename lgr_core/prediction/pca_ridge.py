"""The paper's linear baseline: principal components of the deltas, ridge from fingerprints."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse.linalg import eigsh

from lgr_core.domain import Evidence, FloatArray, IntArray
from lgr_core.prediction.batch import Predictions, answered
from lgr_core.retrieval.blocks import Block, Labels
from lgr_core.retrieval.pool import TrainingView

COMPONENTS = (5, 10, 20, 50)
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1_000.0)
"""What K and lambda are chosen from, by mean Pearson r on the fold's validation rows."""

DEFAULT = (20, 10.0)
"""K and lambda where a fold has no validation rows."""

SMALL = 500
"""Genes up to which all components are computed, which costs little and always converges."""


class PCARidge:
    """Equations 7 to 9, at each dose by itself; the same vector in every line.

    As scikit-learn's PCA and Ridge have it, deltas and fingerprints are centred, and the means
    added back. Ridge is solved in its dual over training drugs, each weighing as its rows do: the
    same minimiser, from a matrix of drugs instead of one of bits. Drugs without a structure are
    left out of the fit and not predicted.
    """

    name = "pca_ridge"
    evidence = frozenset({Evidence.TRAIN})

    def __init__(self, labels: Labels) -> None:
        self.chosen: tuple[int, float] = DEFAULT
        self._labels = labels
        self._bits = labels.fingerprints.astype(np.float64)
        self._known = self._bits.any(axis=1)
        self._models: dict[float | None, FloatArray] = {}

    def fit(self, view: TrainingView) -> None:
        """Choose K and lambda on the validation rows, then fit on all training rows."""
        rows = view.training_rows
        rows = rows[self._known[self._labels.drug[rows]]]
        held = np.isin(rows, view.validation_rows)
        if held.any() and not held.all():
            self.chosen = self._tune(view, rows[~held], rows[held])
        n_components, penalty = self.chosen
        self._models = {
            dose: self._latent(view, part, n_components).predict(penalty, self._bits)
            for dose, part in self._by_dose(rows)
        }

    def predict(self, block: Block) -> Predictions:
        """The drug's vector at the block's dose."""
        places = self._labels.drug_numbers(block.drugs)
        delta = np.full((len(block), self._labels.n_genes), np.nan, dtype=np.float32)
        model = self._models.get(block.dose_um)
        known = (places >= 0) & self._known[places]
        if model is not None:
            delta[known] = model[places[known]]
        return answered(delta, without="no structure, or no training condition at this dose")

    def _tune(
        self, view: TrainingView, fitted: IntArray, validation: IntArray
    ) -> tuple[int, float]:
        grid = list(product(COMPONENTS, PENALTIES))
        totals = np.zeros(len(grid))
        held = dict(self._by_dose(validation))
        for dose, part in self._by_dose(fitted):
            if dose not in held:
                continue
            latent = self._latent(view, part, max(COMPONENTS))
            drugs = self._labels.drug[held[dose]]
            truth = _standard(view.deltas(held[dose]))
            for i, (n_components, penalty) in enumerate(grid):
                predicted = _standard(latent.predict(penalty, self._bits, n_components))
                totals[i] += np.einsum("ij,ij->", predicted[drugs], truth)
        return grid[int(np.argmax(totals))]

    def _by_dose(self, rows: IntArray) -> list[tuple[float | None, IntArray]]:
        doses = self._labels.doses[rows]
        parts = [(float(dose), rows[doses == dose]) for dose in np.unique(doses[~np.isnan(doses)])]
        pooled = rows[np.isnan(doses)]
        return [*parts, (None, pooled)] if len(pooled) else parts

    def _latent(self, view: TrainingView, rows: IntArray, n_components: int) -> _Latent:
        return _Latent.of(view.deltas(rows), self._labels.drug[rows], self._bits, n_components)


@dataclass(frozen=True, slots=True)
class _Latent:
    """Training deltas in latent space: drugs' mean coordinates, and the way back.

    ``basis`` is P, (genes, K), best component first; ``mean`` (genes,); ``coordinates``
    (n_drugs, K) are the drugs' mean z, ``counts`` (n_drugs,) how many rows each has; ``features``
    (n_drugs, bits) are centred with ``offset`` (bits,).
    """

    basis: FloatArray
    mean: FloatArray
    coordinates: FloatArray
    counts: IntArray
    features: FloatArray
    offset: FloatArray

    @classmethod
    def of(cls, deltas: FloatArray, drug: IntArray, bits: FloatArray, n_components: int) -> _Latent:
        mean = deltas.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = deltas - mean
        basis = _principal(centred, n_components)
        drugs, place, counts = np.unique(drug, return_inverse=True, return_counts=True)
        sums = np.zeros((len(drugs), basis.shape[1]))
        np.add.at(sums, place, centred @ basis)
        offset = counts @ bits[drugs] / counts.sum()
        return cls(basis, mean, sums / counts[:, None], counts, bits[drugs] - offset, offset)

    def predict(
        self, penalty: float, bits: FloatArray, n_components: int | None = None
    ) -> FloatArray:
        """Deltas of drugs by their fingerprints, (n, genes) float32."""
        z = self.coordinates[:, :n_components]
        kernel = self.features @ self.features.T
        dual = np.linalg.solve(kernel + np.diag(penalty / self.counts), z)
        predicted = (bits - self.offset) @ (self.features.T @ dual)
        return (predicted @ self.basis[:, :n_components].T + self.mean).astype(np.float32)


def _principal(centred: FloatArray, n_components: int) -> FloatArray:
    """(genes, K) eigenvectors of the covariance, largest first; K at most the rank allows."""
    n, genes = centred.shape
    k = max(1, min(n_components, n - 1, genes - 1))
    covariance = (centred.T @ centred).astype(np.float64)
    if genes <= SMALL:
        return np.linalg.eigh(covariance)[1][:, : -k - 1 : -1]
    start = np.random.default_rng(0).standard_normal(genes)  # else no two runs are alike
    return eigsh(covariance, k=k, v0=start)[1][:, ::-1]


def _standard(values: FloatArray) -> FloatArray:
    """Rows centred and of length 1; constant rows are 0 and correlate with nothing."""
    rows = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
