"""The paper's linear baseline: ridge from fingerprints to principal components of the deltas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import add

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import eigsh

from lgr_core.domain import Evidence, FloatArray, IntArray
from lgr_core.prediction.method import Predictions, answered
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.query_block import QueryBlock

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

    def __init__(self, labels: ConditionIndex) -> None:
        self.chosen: tuple[int, float] = DEFAULT
        self._labels = labels
        self._bits = labels.fingerprints.astype(np.float64)
        self._known = np.any(self._bits, axis=1)
        self._models: dict[float | None, FloatArray] = {}

    def fit(self, view: TrainingView) -> None:
        """Choose K and lambda on the validation rows, then fit on all training rows."""
        rows = view.training_rows
        rows = rows[self._known[self._labels.drug[rows]]]
        held = np.isin(rows, view.validation_rows)
        fitted, validation = self._moments(view, rows[~held]), self._moments(view, rows[held])
        if fitted and validation:
            self.chosen = self._tune(view, fitted, rows[held])
        n_components, penalty = self.chosen
        self._models = {}
        for dose in {**fitted, **validation}:
            moments = reduce(add, (part[dose] for part in (fitted, validation) if dose in part))
            latent = _Latent.of(moments, self._bits, n_components)
            self._models[dose] = latent.deltas(latent.regress(penalty, self._bits))

    def predict(self, block: QueryBlock) -> Predictions:
        """The drug's vector at the block's dose."""
        places = self._labels.drug_numbers(block.drugs)
        delta = np.full((len(block), self._labels.n_genes), np.nan, dtype=np.float32)
        model = self._models.get(block.dose_um)
        known = (places >= 0) & self._known[places]
        if model is not None:
            delta[known] = model[places[known]]
        return answered(delta, without="no structure, or no training condition at this dose")

    def _tune(
        self, view: TrainingView, fitted: Mapping[float | None, _Moments], validation: IntArray
    ) -> tuple[int, float]:
        grid = list(product(COMPONENTS, PENALTIES))
        totals = np.zeros(len(grid))
        for dose, rows in self._by_dose(validation):
            if dose not in fitted:
                continue
            latent = _Latent.of(fitted[dose], self._bits, max(COMPONENTS))
            drugs, place = np.unique(self._labels.drug[rows], return_inverse=True)
            truth = _by_group(place, len(drugs)) @ _standard(view.deltas(rows))
            z = {penalty: latent.regress(penalty, self._bits[drugs]) for penalty in PENALTIES}
            for i, (n_components, penalty) in enumerate(grid):
                predicted = _standard(latent.deltas(z[penalty][:, :n_components]))
                totals[i] += np.einsum("ij,ij->", predicted, truth)
        return grid[int(np.argmax(totals))]

    def _by_dose(self, rows: IntArray) -> list[tuple[float | None, IntArray]]:
        doses = self._labels.doses[rows]
        parts: list[tuple[float | None, IntArray]] = [
            (float(dose), rows[doses == dose]) for dose in np.unique(doses[~np.isnan(doses)])
        ]
        pooled = rows[np.isnan(doses)]
        return [*parts, (None, pooled)] if len(pooled) else parts

    def _moments(self, view: TrainingView, rows: IntArray) -> dict[float | None, _Moments]:
        drug, n = self._labels.drug, len(self._bits)
        return {
            dose: reduce(
                add,
                (
                    _Moments.of(view.deltas(some), drug[some], n)
                    for some in np.split(part, range(_STEP, len(part), _STEP))
                ),
            )
            for dose, part in self._by_dose(rows)
        }


_STEP = 4_096
"""Rows read at a time: 32 MB of float32 at 2,000 genes."""


@dataclass(frozen=True, slots=True)
class _Moments:
    """What a fit needs of training deltas; those of two sets of rows add up to those of both.

    ``counts``, (n_drugs,), says how many rows each drug has, ``totals``, (n_drugs, genes), are
    their sums, and ``products``, (genes, genes), the sums of products over all rows.
    """

    counts: IntArray
    totals: FloatArray
    products: FloatArray

    @classmethod
    def of(cls, deltas: FloatArray, drug: IntArray, n_drugs: int) -> _Moments:
        totals = _by_group(drug, n_drugs) @ deltas
        return cls(np.bincount(drug, minlength=n_drugs), totals, deltas.T @ deltas)

    def __add__(self, other: _Moments) -> _Moments:
        return _Moments(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))


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
    def of(cls, moments: _Moments, bits: FloatArray, n_components: int) -> _Latent:
        drugs = np.flatnonzero(moments.counts)
        counts = moments.counts[drugs]
        n = counts.sum()
        mean = moments.totals.sum(axis=0, dtype=np.float64) / n
        basis = _principal(moments.products - n * np.outer(mean, mean), min(n_components, n - 1))
        coordinates = (moments.totals[drugs] / counts[:, None] - mean) @ basis
        offset = counts @ bits[drugs] / n
        return cls(basis, mean, coordinates, counts, bits[drugs] - offset, offset)

    def regress(self, penalty: float, bits: FloatArray) -> FloatArray:
        """Coordinates of drugs by their fingerprints, (n, K)."""
        kernel = self.features @ self.features.T
        dual = np.linalg.solve(kernel + np.diag(penalty / self.counts), self.coordinates)
        return (bits - self.offset) @ (self.features.T @ dual)

    def deltas(self, z: FloatArray) -> FloatArray:
        """The way back from the first coordinates of drugs, (n, genes) float32."""
        return (z @ self.basis[:, : z.shape[1]].T + self.mean).astype(np.float32)


def _principal(covariance: FloatArray, n_components: int) -> FloatArray:
    """(genes, K) eigenvectors of the covariance, largest first; K less than there are genes."""
    genes = len(covariance)
    k = max(1, min(n_components, genes - 1))
    if genes <= SMALL:
        return np.linalg.eigh(covariance)[1][:, : -k - 1 : -1]
    start = np.random.default_rng(0).standard_normal(genes)  # else no two runs are alike
    return eigsh(covariance, k=k, v0=start)[1][:, ::-1]


def _by_group(group: IntArray, n: int) -> csr_array:
    """(n, n_rows) what sums rows by group."""
    ones = np.ones(len(group), dtype=np.float32)
    return csr_array((ones, (group, np.arange(len(group)))), shape=(n, len(group)))


def _standard(values: FloatArray) -> FloatArray:
    """Rows centred and of length 1; constant rows are 0 and correlate with nothing."""
    rows = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
