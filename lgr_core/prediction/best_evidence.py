"""What can be read decides: the drug in other lines, the line's other drugs, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product

import numpy as np

from lgr_core.domain import Evidence, FloatArray, IntArray
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.two_way import Penalties, TwoWays
from lgr_core.prediction.weighted import (
    Mixed,
    RowWeights,
    Share,
    Term,
    Weighted,
    Weights,
    best_of,
)
from lgr_core.retrieval.blocks import Block
from lgr_core.retrieval.gate import Gate, Over
from lgr_core.retrieval.pool import TrainingView

RIDGES = (10.0, 1.0, 0.1)
PENALTIES = tuple(Penalties(*values) for values in product(RIDGES, RIDGES))
POOLED = (1.0, 0.75, 0.5, 0.25, 0.0)
SHARPNESS = (0.0, 0.5, 1.0, 2.0)
DRAWN = (100.0, 4.0, 2.0, 1.0, 0.0)
"""What is chosen from, in folds inside a fold's training rows; the most careful first."""


class Route(StrEnum):
    """Which evidence was found for a query."""

    TWO_WAY = "two_way"
    KRIGING = "kriging"
    ELSEWHERE = "elsewhere"
    NOTHING = "nothing"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _ROUTES[self]


_ROUTES = {
    Route.TWO_WAY: "the drug in other lines, corrected by how this line's other drugs depart",
    Route.KRIGING: "this line's other drugs, by how alike they should act",
    Route.ELSEWHERE: "the drug in other lines alone: nothing measured in this line may be read",
    Route.NOTHING: "nothing close was measured: the mean of all",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is learned inside the training rows, or the defaults.

    ``pooled`` is the share of kriging in the pool beside the two-way regression. Where nothing
    here may be read, ``sharpness`` is how strongly lines with a like vehicle profile count more,
    and ``drawn`` how many lines the mean of the other drugs is worth.
    """

    penalties: Penalties = field(default_factory=Penalties)
    pooled: float = 0.0
    sharpness: float = 0.0
    drawn: float = 0.0


class BestEvidence(Weighted):
    """One method for every question, by routes that say what they stand on.

    Drug measured in other lines, and others in this one: :class:`TwoWays`. Drug measured
    elsewhere only: its mean there, lines with a like vehicle profile counting more. Drug never
    measured: kriging in the pool. Neither: the global mean, labelled.
    """

    name = "best_evidence"

    def __init__(
        self, kriging: Kriging, *, in_line: bool = True, settings: Settings | None = None
    ) -> None:
        pool = {Evidence.TARGET_POOL} if in_line else set()
        self.evidence = frozenset({Evidence.TRAIN, Evidence.CONTROLS, *pool})
        self.settings = Settings() if settings is None else settings
        self._kriging, self._in_line = kriging, in_line

    @property
    def chosen(self) -> str:
        """What was learned, in words."""
        found = self.settings
        elsewhere = f"vehicle profile {found.sharpness:g}, drawn {found.drawn:g}"
        return f"{found.penalties}, pooled {found.pooled:g}; {elsewhere}; {self._kriging.chosen}"

    def suited(self, drug: str) -> BestEvidence:
        """The same, its kernel one that knows the drug, where there is one."""
        kriging = self._kriging.suited(drug)
        return type(self)(kriging, in_line=self._in_line, settings=self.settings)

    def fit(self, view: TrainingView) -> None:
        """Choose kriging's kernel, then the settings of the other routes where they are taken."""
        self._kriging.fit(view)
        for route, name, values in (
            (Route.TWO_WAY, "penalties", PENALTIES),
            (Route.TWO_WAY, "pooled", POOLED),
            (Route.ELSEWHERE, "sharpness", SHARPNESS),
            (Route.ELSEWHERE, "drawn", DRAWN),
        ):
            tried = [replace(self.settings, **{name: value}) for value in values]
            self.settings = self._best(view, route, tried)

    def weigh(self, block: Block, gate: Gate) -> Sequence[Share]:
        """The weights of every query, by route and by the lines that measured its drug."""
        return [self._share(block, *part) for part in _parts(block, gate)]

    def _share(self, block: Block, places: IntArray, route: Route, lines: IntArray) -> Share:
        part = block.some(places)
        weights = self._weights(part, part.gate(self.evidence), route, lines)
        return Share(places, str(route), weights)

    def _weights(self, part: Block, gate: Gate, route: Route, lines: IntArray) -> Weights:
        match route:
            case Route.TWO_WAY:
                return self._crossed(part, gate, TwoWays(part, gate, lines))
            case Route.KRIGING:
                return self._kriging.weights(part, gate)
            case Route.ELSEWHERE:
                return elsewhere_weights(part, gate, lines, self.settings)
            case Route.NOTHING:
                return RowWeights.none(len(part))

    def _crossed(self, part: Block, gate: Gate, ways: TwoWays) -> Weights:
        weights, pooled = ways.weights(self.settings.penalties), self.settings.pooled
        return Mixed(weights, self._kriging.weights(part, gate), pooled) if pooled else weights

    def _best(self, view: TrainingView, route: Route, settings: Sequence[Settings]) -> Settings:
        """The best settings of a route; those that stand where no training row takes it."""

        def asking(block: Block) -> Callable[[Settings], FloatArray] | None:
            parts = _parts(block, block.gate(self.evidence))
            asked = [(places, lines) for places, found, lines in parts if found is route]
            predictors = [self._asking(block.some(places), route, lines) for places, lines in asked]

            def predict(tried: Settings) -> FloatArray:
                delta = np.full((len(block), block.labels.n_genes), np.nan, dtype=np.float32)
                for (places, _), predictor in zip(asked, predictors, strict=True):
                    delta[places] = predictor(tried)
                return delta

            return predict if asked else None

        found = best_of(view, settings, asking)
        return self.settings if found is None else found

    def _asking(
        self, part: Block, route: Route, lines: IntArray
    ) -> Callable[[Settings], FloatArray]:
        """What predicts one part by any settings; what they share is computed once."""
        gate = part.gate(self.evidence)
        ways = TwoWays(part, gate, lines) if route is Route.TWO_WAY else None

        def predict(tried: Settings) -> FloatArray:
            method = BestEvidence(self._kriging, in_line=self._in_line, settings=tried)
            if ways is not None:
                return method._crossed(part, gate, ways).combine(gate)
            return method._weights(part, gate, route, lines).combine(gate)

        return predict


class TwoWay(BestEvidence):
    """The first route alone; where a drug was not measured both ways, the labelled global mean."""

    name = "two_way"

    def _weights(self, part: Block, gate: Gate, route: Route, lines: IntArray) -> Weights:
        if route is not Route.TWO_WAY:
            return RowWeights.none(len(part))
        return super()._weights(part, gate, route, lines)


def elsewhere_weights(block: Block, gate: Gate, lines: IntArray, settings: Settings) -> Weights:
    """The drugs' own rows in ``lines``, (n_lines,), drawn to the mean of other drugs there.

    A line weighs as ``exp(sharpness z)``, z its profile's Pearson with the block's line,
    standardised over the lines; alike where a profile is not known. The mean weighs as ``drawn``
    further lines would.
    """
    places = block.labels.drug_numbers(block.drugs)
    weights = np.exp(settings.sharpness * _vehicle_likeness(block, gate, lines))
    rows = gate.grid()[np.ix_(lines, places)]
    each = np.zeros((len(places), len(lines), len(places)))
    own = np.arange(len(places))
    each[own, :, own] = weights / weights.sum()
    drug = RowWeights(rows.ravel(), {Term.DRUG_ELSEWHERE: each.reshape(len(places), -1)})
    if not settings.drawn:
        return drug
    others = _others_elsewhere(gate.grid()[lines], places)
    return Mixed(drug, others, settings.drawn / (settings.drawn + len(lines)))


def _others_elsewhere(table: IntArray, places: IntArray) -> Weights:
    """The mean of the rows of ``table`` (n_lines, n_drugs), -1 for none, of other drugs than one's.

    ``places``, (n,), are the queries' drugs; where no other was measured, the mean of all.
    """
    lines, drugs = np.nonzero(table >= 0)
    others = drugs[None, :] != places[:, None]
    others[~others.any(axis=1)] = True
    each = others / others.sum(axis=1, keepdims=True)
    return RowWeights(table[lines, drugs], {Term.NEIGHBORS_ELSEWHERE: each})


def _vehicle_likeness(block: Block, gate: Gate, lines: IntArray) -> FloatArray:
    """(n_lines,) standardised; zeros where profiles are not known, or all are as alike."""
    view = block.view(0, gate.evidence)
    names = [block.cell_line, *block.labels.lines[lines]]
    profiles = [view.control_profile(name) for name in names]
    if any(profile is None for profile in profiles):
        return np.zeros(len(lines))
    own, others = profiles[0], np.array(profiles[1:])
    alike = pearson_delta(np.broadcast_to(own, others.shape), others)
    spread = alike.std()
    return (alike - alike.mean()) / spread if spread > 0 else np.zeros(len(lines))


def _parts(block: Block, gate: Gate) -> Iterator[tuple[IntArray, Route, IntArray]]:
    """Queries, (n,), of one route and the same lines, (n_lines,), that measured their drugs."""
    grid, places = gate.grid(), block.labels.drug_numbers(block.drugs)
    elsewhere = (grid >= 0)[:, places] & (places >= 0)
    elsewhere[gate.line] = False
    here = grid[gate.line][grid[gate.line] >= 0]
    pool = gate.allows(np.arange(len(block))[:, None], here[None, :]).any(axis=1)
    anyone = gate.mean(Over.EVERYWHERE)[1] > 0
    keys = np.vstack([elsewhere, pool, anyone])
    patterns, which = np.unique(keys, axis=1, return_inverse=True)
    for i, pattern in enumerate(patterns.T):
        lines = np.flatnonzero(pattern[:-2])
        route = _route(known=len(lines) > 0, pool=pattern[-2], anyone=pattern[-1])
        yield np.flatnonzero(which.ravel() == i), route, lines


def _route(*, known: bool, pool: bool, anyone: bool) -> Route:
    if known:
        return Route.TWO_WAY if pool else Route.ELSEWHERE
    return Route.KRIGING if pool or anyone else Route.NOTHING
