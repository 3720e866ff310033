"""A drug in a line of which nothing was measured: its mean, moved by slopes on what lines are.

The prediction for drug d in line c is a weighted sum of measured conditions in other lines::

    mean_l x[d, l]  +  s(c)  +  e_d(c)

s is what drugs have in common in a line, e_d what is left of each drug, both linear in what is
known of the lines, and both shrunken by empirical Bayes, each by itself. What is known is, in this
order: untreated expression that covers half of the genes or more (one slope for each gene on its
own expression), untreated expression of fewer genes (ridge in its dual form on all of it, by whose
penalty the leading components count most), or driver genes and organ (a kernel).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.atlas.control_profiles import ControlProfiles
from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.prediction.line_features import (
    LineFacts,
    LineKernel,
    facts_kernel,
    profile_kernel,
    standardised,
)
from lgr_core.prediction.mean_baselines import DrugMean, GlobalMean
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.cross_line import OtherLines
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

FEWEST_LINES = 8
"""Lines with features from which on slopes are learned."""

COVERED = 0.5
"""Share of the genes with untreated expression from which on each gene has its own slope."""


class LineBasis(StrEnum):
    """What the slopes stand on."""

    GENES = "genes"
    COMPONENTS = "components"
    FACTS = "facts"
    NOTHING = "nothing"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _BASES[self]


_BASES = {
    LineBasis.GENES: "slopes on each gene's own untreated expression",
    LineBasis.COMPONENTS: "ridge on the components of untreated expression",
    LineBasis.FACTS: "ridge on driver genes and organ: no untreated expression of the line",
    LineBasis.NOTHING: (
        f"the drug's mean: fewer than {FEWEST_LINES} measured lines have what is known of this one"
    ),
}


@dataclass(frozen=True, eq=False)
class NewLine:
    """A line that is in no atlas: its untreated expression, beside an atlas's profiles, and facts.

    ``profile``, (n_genes,), is over the genes of the atlas's control profiles, NaN where unknown.
    """

    name: str
    profile: FloatArray | None = None
    facts: LineFacts = field(default_factory=LineFacts)


@dataclass(frozen=True, eq=False)
class GeneFeatures:
    """Standardised expression over the block's genes, of lines (n_lines, genes) and of the query's.

    ``z`` is NaN in lines without a profile; a gene without untreated expression is 0.
    """

    z: FloatArray
    z_own: FloatArray

    @classmethod
    def of(
        cls, own: FloatArray, others: FloatArray, place: IntArray, has: BoolArray
    ) -> GeneFeatures:
        """Of profiles over their own genes, whose places are those of the block's genes."""
        z, z_own = standardised(own, others)
        known, place = place >= 0, np.maximum(place, 0)
        of_lines = np.full((len(has), len(place)), np.nan)
        of_lines[has] = np.where(known, z[:, place], 0)
        return cls(of_lines, np.where(known, z_own[place], 0))


@dataclass(frozen=True, eq=False)
class KernelFeatures:
    """A kernel over the lines that ``has``, (n_lines,), flags."""

    basis: LineBasis
    has: BoolArray
    kernel: LineKernel


@dataclass(frozen=True, eq=False)
class LineShift:
    """What is added to the drugs' means, ``delta`` (n, genes), and what it stands on.

    ``lines`` maps each line to its weight in the sum beyond its part in the mean, averaged over
    genes where each has its own. ``signal`` are the shares of the two slopes that are no noise.
    """

    basis: LineBasis
    delta: FloatArray
    lines: Mapping[str, float]
    signal: tuple[float, float] = (0.0, 0.0)


class ProfileRidge(NothingToFit):
    """The drug's mean over other lines, moved by slopes on what is known of the line.

    Where fewer than eight of the lines have what is known of the query's, the answer is the drug's
    mean, labelled; of a drug that no other line holds it is the global mean, labelled.
    ``new_line`` is the line of the queries, where the atlas has none of that name.
    """

    name = "profile_ridge"
    evidence = frozenset({Evidence.TRAIN, Evidence.CONTROLS})

    def __init__(self, new_line: NewLine | None = None) -> None:
        self._new_line = new_line

    def predict(self, block: QueryBlock) -> Predictions:
        """The drugs' means with what the line's features add."""
        guard = block.guard(self.evidence)
        delta, counts = guard.mean(MeanOver.DRUG)
        fallback: list[str | None] = [None] * len(block)
        detail: list[str | None] = [None] * len(block)
        for places in with_like_lines(block, guard, counts > 0):
            part = block.some(places)
            shift = self.shift(part, part.guard(self.evidence))
            delta[places] += shift.delta
            for place in places:
                detail[place] = shift.basis.label
                if shift.basis is LineBasis.NOTHING:
                    fallback[place] = DrugMean.name
        without = counts == 0
        if without.any():
            delta[without] = guard.mean(MeanOver.EVERYWHERE)[0][without]
            for place in np.flatnonzero(without):
                fallback[place] = GlobalMean.name
        found = answered(delta, without="nothing measured may be read", fallback=fallback)
        said = [
            why if why is not None else how for why, how in zip(found.detail, detail, strict=True)
        ]
        return Predictions(found.delta, found.status, found.k_used, found.fallback, said)

    def shift(self, part: QueryBlock, guard: EvidenceGuard) -> LineShift:
        """What is added to the drugs' means of queries that may read the same other lines."""
        others = guard.other_lines()
        names = part.labels.lines[others.line_numbers]
        own = np.searchsorted(others.drugs, part.labels.drug_numbers(part.drugs))
        features = self.features(part, names)
        match features:
            case GeneFeatures():
                return _by_gene(others, names, features, own)
            case KernelFeatures():
                return _by_kernel(guard, others, names, features, own)
            case None:
                none = np.zeros((len(part), part.labels.n_genes), dtype=np.float32)
                return LineShift(LineBasis.NOTHING, none, {})

    def features(
        self, part: QueryBlock, names: NDArray[np.object_]
    ) -> GeneFeatures | KernelFeatures | None:
        """What slopes stand on in lines of these names; None where too few have any."""
        profiles = part.view(0, self.evidence).control_profiles()
        own = self._profile(profiles, part.cell_line)
        if profiles is not None and own is not None:
            has = np.isin(names, profiles.cell_lines)
            if has.sum() >= FEWEST_LINES:
                rows = [profiles.cell_lines.index(name) for name in names[has]]
                others = profiles.expression[rows].astype(np.float64)
                place = pd.Index(profiles.genes).get_indexer(part.gene_names)
                if (place >= 0).mean() >= COVERED:
                    return GeneFeatures.of(own, others, place, has)
                return KernelFeatures(LineBasis.COMPONENTS, has, profile_kernel(own, others))
        facts = self._facts(part, part.cell_line)
        of_lines = [self._facts(part, name) for name in names]
        has = np.array([one.known for one in of_lines], dtype=bool)
        if not facts.known or has.sum() < FEWEST_LINES:
            return None
        kernel = facts_kernel(facts, [one for one in of_lines if one.known])
        return KernelFeatures(LineBasis.FACTS, has, kernel)

    def _profile(self, profiles: ControlProfiles | None, name: str) -> FloatArray | None:
        if self._new_line is not None:
            return self._new_line.profile
        return None if profiles is None else profiles.of(name)

    def _facts(self, part: QueryBlock, name: str) -> LineFacts:
        if self._new_line is not None and name == self._new_line.name:
            return self._new_line.facts
        about = part.labels.line_annotations.get(name, {})
        return LineFacts.parse(about.get("organ", ""), about.get("driver_genes", ""))


def with_like_lines(
    block: QueryBlock, guard: EvidenceGuard, known: BoolArray
) -> Iterator[IntArray]:
    """Which queries, (n_alike,), may read the same other lines, and their drug in one of them."""
    closed = guard.closed_lines()
    grid, drugs = guard.grid(), block.labels.drug_numbers(block.drugs)
    in_other_lines = (grid[:, drugs] >= 0).T & ~closed
    if guard.line >= 0:
        in_other_lines[:, guard.line] = False
    known = known & in_other_lines.any(axis=1) & (drugs >= 0)
    _, alike = np.unique(closed, axis=0, return_inverse=True)
    for group in np.unique(alike[known]):
        yield np.flatnonzero(known & (alike == group))


def _by_gene(
    others: OtherLines, names: NDArray[np.object_], features: GeneFeatures, own: IntArray
) -> LineShift:
    """Slopes of each gene on its own untreated expression: those shared, and those of a drug."""
    slopes = others.slopes(features.z)
    of_shared, of_own = slopes.shrunken()
    of_own = of_own[own]
    moved = of_shared * slopes.shared + of_own * slopes.own[own]
    delta = moved * (features.z_own - slopes.centre[own])
    lines = (slopes.lever * features.z_own * of_own.mean(axis=0)).mean(axis=1)
    weights = dict(zip(names.tolist(), lines.tolist(), strict=True))
    signal = float(of_shared.mean()), float(of_own.mean())
    return LineShift(LineBasis.GENES, delta.astype(np.float32), weights, signal)


def _by_kernel(
    guard: EvidenceGuard,
    others: OtherLines,
    names: NDArray[np.object_],
    features: KernelFeatures,
    own: IntArray,
) -> LineShift:
    """Ridge in its dual form: one weight a line for what drugs share, one for what is left."""
    kernel, has = features.kernel, np.ix_(features.has, features.has)
    of_shared, of_own = (kernel.scale_of(_centred(p[has])) for p in others.departures)
    shared, left = np.zeros((2, len(names)))
    shared[features.has], left[features.has] = kernel.weights(of_shared), kernel.weights(of_own)
    drug = np.zeros((len(own), len(others.drugs)), dtype=np.float32)
    drug[np.arange(len(own)), own] = 1
    every = np.full_like(drug, 1 / len(others.drugs))
    weights = others.spread(np.tile(left, (len(own), 1)), drug)
    weights = weights + others.spread(np.tile(shared - left, (len(own), 1)), every)
    delta = guard.combine_rows(weights[:, others.measured], others.rows[others.measured])
    of_lines = left + (shared - left) / len(others.drugs)
    lines = dict(zip(names.tolist(), of_lines.tolist(), strict=True))
    signal = of_shared / (1 + of_shared), of_own / (1 + of_own)
    return LineShift(features.basis, delta, lines, signal)


def _centred(products: FloatArray) -> FloatArray:
    """Products of departures from the mean over these lines alone."""
    rows = products - products.mean(axis=0)
    return rows - rows.mean(axis=1, keepdims=True)
