"""Kriging in the pool: best linear prediction from a kernel over drugs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

import numpy as np

from lgr_core.domain import Evidence, FloatArray, IntArray, Term
from lgr_core.prediction.drug_kernels import CHEMISTRY, LLM, MECHANISM, DrugKernels
from lgr_core.prediction.linear_methods import (
    LinearMethod,
    MeanWeights,
    RouteWeights,
    RowWeights,
    Weights,
    best_of,
)
from lgr_core.prediction.ridge_weights import shared_weights
from lgr_core.retrieval.candidate_pool import Split, TrainingView
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.query_block import QueryBlock

MIXTURES: Sequence[Mapping[str, float]] = (
    {LLM: 0.7, MECHANISM: 0.3},
    {LLM: 1.0},
    {LLM: 0.5, MECHANISM: 0.25, CHEMISTRY: 0.25},
    {MECHANISM: 0.5, CHEMISTRY: 0.5},
    {MECHANISM: 1.0},
    {CHEMISTRY: 1.0},
)
PENALTIES = (100.0, 20.0, 6.0, 3.0, 1.5)
"""What the kernel and the noise are chosen from, in folds inside a fold's training rows.

The first is nearly the pool mean.
"""

COMMON = 1e6
"""Variance of what all drugs share, unknown beforehand: so large that weights sum to 1."""


@dataclass(frozen=True)
class Kernel:
    """A mixture of kernels over drugs, and the noise beside it, in units of its diagonal."""

    shares: Mapping[str, float] = field(default_factory=lambda: MIXTURES[0])
    penalty: float = PENALTIES[-1]

    def __str__(self) -> str:
        parts = " + ".join(f"{share:g} {name}" for name, share in self.shares.items())
        return f"{parts}, noise {self.penalty:g}"


class Kriging(LinearMethod):
    """The line's measured drugs, weighted by how alike they should act; far from all, their mean.

    The query's own parent is out, wherever it was measured. Where nothing of the line may be read,
    the training-line means of drugs stand for them. With ``same_wells``, kernel and noise are
    chosen on the change that is predicted, in the wells of the query; else for a new experiment.
    """

    name = "kriging"

    def __init__(
        self,
        kernels: DrugKernels,
        kernel: Kernel | None = None,
        *,
        in_line: bool = True,
        same_wells: bool = False,
    ) -> None:
        self.evidence = frozenset({Evidence.TRAIN, *([Evidence.TARGET_POOL] if in_line else [])})
        self.kernels = kernels
        self.kernel = Kernel() if kernel is None else kernel
        self.same_wells = same_wells
        self._fitted: Split | None = None

    @property
    def chosen(self) -> str:
        """The kernel in words."""
        return str(self.kernel)

    @property
    def params(self) -> Mapping[str, Any]:
        """The kernel."""
        return {"kernel": asdict(self.kernel)}

    def with_params(self, learned: Mapping[str, Any]) -> Kriging:
        """The same with a kernel that was learned."""
        return self._by(Kernel(**learned["kernel"]))

    @property
    def likeness(self) -> FloatArray:
        """(n_drugs, n_drugs) how alike drugs should act."""
        return self.kernels.mixed(self.kernel.shares)

    def fit(self, view: TrainingView) -> None:
        """Choose kernel and noise in folds inside the training rows; once, whoever asks."""
        if view.fold is self._fitted:
            return
        self._fitted = view.fold
        says = {name: self.kernels.says(name) for name in (LLM, MECHANISM, CHEMISTRY)}
        mixtures = [shares for shares in MIXTURES if all(says[name] for name in shares)]
        candidates = [Kernel(*pair) for pair in product(mixtures, PENALTIES)]
        if candidates:
            tuned_on = view if self.same_wells else view.of_new_experiment()
            found = best_of(tuned_on, candidates, self._asking)
            self.kernel = self.kernel if found is None else found

    def weights_for(self, block: QueryBlock, guard: EvidenceGuard) -> Sequence[RouteWeights]:
        """One share: every query is answered in the same way."""
        return [RouteWeights(np.arange(len(block)), self.name, self.weights(block, guard))]

    def weights(self, block: QueryBlock, guard: EvidenceGuard) -> Weights:
        """The weights of every query by this kernel."""
        places = self.kernels.numbers(block.drugs)
        return kriging_weights(block, guard, self.likeness, places, self.kernel.penalty)

    def specialised_for(self, drug: str) -> Kriging:
        """The same with the first mixture whose every kernel likens the drug to another."""
        known = {name for name in (LLM, MECHANISM, CHEMISTRY) if self.kernels.knows(name, drug)}
        if known.issuperset(self.kernel.shares):
            return self
        mixtures = [shares for shares in MIXTURES if known.issuperset(shares)]
        kernel = Kernel(mixtures[0], self.kernel.penalty) if mixtures else self.kernel
        return self._by(kernel)

    def _by(self, kernel: Kernel) -> Kriging:
        """The same with another kernel."""
        in_line = Evidence.TARGET_POOL in self.evidence
        return Kriging(self.kernels, kernel, in_line=in_line, same_wells=self.same_wells)

    def _asking(self, block: QueryBlock) -> Callable[[Kernel], FloatArray]:
        guard = block.guard(self.evidence)

        def predict(kernel: Kernel) -> FloatArray:
            (share,) = self._by(kernel).weights_for(block, guard)
            return share.combine(guard)[0]

        return predict


def kriging_weights(
    block: QueryBlock, guard: EvidenceGuard, likeness: FloatArray, places: IntArray, penalty: float
) -> Weights:
    """Weights by ``likeness``, (n_drugs, n_drugs); 0 where a query has nothing to stand on.

    They sum to 1, as those of ordinary kriging: what all drugs share is not drawn to zero.
    ``places``, (n,), are the queries' drugs in the kernel, -1 where it does not hold them.
    """
    labels, grid = block.labels, guard.grid()
    here = grid[guard.line] >= 0
    in_line = bool(guard.allows(np.arange(len(block))[:, None], grid[guard.line, here]).any())
    sources = np.flatnonzero(here if in_line else (grid >= 0).any(axis=0))
    kept = ~labels.related(block.parents[:, None], labels.parent_of_drug[sources])
    cross = np.where((places >= 0)[:, None], likeness[np.ix_(places, sources)], 0.0)
    # With a constant of huge variance in all covariances, weights that do not sum to 1 cost more
    # than they can gain: ordinary kriging, by the solver of simple kriging, without a multiplier.
    gram = COMMON + likeness[np.ix_(sources, sources)]
    each = shared_weights(gram, COMMON + cross, kept, penalty / (COMMON + 1))
    if in_line:
        return RowWeights(grid[guard.line, sources], {Term.NEIGHBORS_HERE: each})
    over = np.zeros((len(each), len(labels.drugs)))
    over[:, sources] = each
    return MeanWeights(grid, over)
