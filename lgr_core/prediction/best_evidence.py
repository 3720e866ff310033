"""Best evidence: two-way regression, kriging or other lines, by what the query may read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from lgr_core.domain import Evidence, FloatArray, IntArray, Term
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.linear_methods import (
    LinearMethod,
    MeanWeights,
    Mixture,
    RouteWeights,
    RowWeights,
    Weights,
    best_of,
)
from lgr_core.prediction.two_way_ridge import Penalties, TwoWayRidge
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

RIDGES = (10.0, 1.0, 0.1)
POOLED = (1.0, 0.75, 0.5, 0.25, 0.0)
CROSSED = [
    {"pooled": pooled, "penalties": Penalties(lines, drugs)}
    for pooled, lines, drugs in product(POOLED, RIDGES, RIDGES)
]
SHARPNESS = (0.0, 0.5, 1.0, 2.0)
DRAWN = (100.0, 4.0, 2.0, 1.0, 0.0)
OTHER_LINES = [{"sharpness": s, "drawn": drawn} for s, drawn in product(SHARPNESS, DRAWN)]
"""What is chosen from, in folds inside a fold's training rows; the most careful first."""


class Route(StrEnum):
    """Which evidence was found for a query."""

    TWO_WAY = "two_way"
    KRIGING = "kriging"
    OTHER_LINES = "elsewhere"
    NOTHING = "nothing"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _ROUTES[self]


_ROUTES = {
    Route.TWO_WAY: "the drug in other lines, corrected by how this line's other drugs depart",
    Route.KRIGING: "this line's other drugs, by how alike they should act",
    Route.OTHER_LINES: "the drug in other lines alone: nothing measured in this line may be read",
    Route.NOTHING: "nothing close was measured: the mean of all",
}


@dataclass(frozen=True, slots=True)
class BestEvidenceSettings:
    """What is learned inside the training rows, or the defaults.

    ``pooled`` is the share of kriging in the pool beside the two-way regression. Where nothing
    here may be read, ``sharpness`` is how strongly lines with a like vehicle profile count more,
    and ``drawn`` how many lines the mean of the other drugs is worth.
    """

    penalties: Penalties = field(default_factory=Penalties)
    pooled: float = 0.0
    sharpness: float = 0.0
    drawn: float = 0.0


_Answer = Callable[[BestEvidenceSettings], FloatArray]
"""Gives the deltas of queries, (n, genes), by any settings."""


class BestEvidence(LinearMethod):
    """One method for every question, by routes that say what they stand on.

    Drug measured in other lines, and others in this one: :class:`TwoWayRidge`. Drug measured
    elsewhere only: its mean there, lines with a like vehicle profile counting more. Drug never
    measured: kriging in the pool. Neither: the global mean, labelled. Its settings are chosen for
    an experiment that was not done: on the specific change, with the query's own wells closed.
    """

    name = "best_evidence"

    def __init__(self, kriging: Kriging, *, settings: BestEvidenceSettings | None = None) -> None:
        self.evidence = kriging.evidence | {Evidence.CONTROLS}
        self.settings = BestEvidenceSettings() if settings is None else settings
        self._kriging = kriging

    @property
    def chosen(self) -> str:
        """What was learned, in words."""
        found = self.settings
        others = f"vehicle profile {found.sharpness:g}, drawn {found.drawn:g}"
        return f"{found.penalties}, pooled {found.pooled:g}; {others}; {self._kriging.chosen}"

    @property
    def params(self) -> Mapping[str, Any]:
        """The settings and kriging's kernel."""
        return {**self._kriging.params, "settings": asdict(self.settings)}

    def with_params(self, learned: Mapping[str, Any]) -> BestEvidence:
        """The same with settings and a kernel that were learned."""
        found = dict(learned["settings"])
        settings = BestEvidenceSettings(Penalties(**found.pop("penalties")), **found)
        return type(self)(self._kriging.with_params(learned), settings=settings)

    def specialised_for(self, drug: str) -> BestEvidence:
        """The same, its kernel one that knows the drug, where there is one."""
        kriging = self._kriging.specialised_for(drug)
        return type(self)(kriging, settings=self.settings)

    def fit(self, view: TrainingView) -> None:
        """Choose kriging's kernel, then the settings of the other routes where they are taken."""
        self._kriging.fit(view)
        view = view if self._kriging.same_wells else view.of_new_experiment()
        for route, asking, values in (
            (Route.TWO_WAY, self._crossed, CROSSED),
            (Route.OTHER_LINES, self._other_lines, OTHER_LINES),
        ):
            tried = [replace(self.settings, **settings) for settings in values]
            found = best_of(view, tried, partial(self._asking, route, asking))
            self.settings = self.settings if found is None else found

    def weights_for(self, block: QueryBlock, guard: EvidenceGuard) -> Sequence[RouteWeights]:
        """The weights of every query, route by route."""
        shares = []
        for route, places in routes_of(block, guard):
            part = block.some(places)
            weights = self._weights(part, part.guard(self.evidence), route)
            shares.append(RouteWeights(places, str(route), weights))
        return shares

    def _weights(self, part: QueryBlock, guard: EvidenceGuard, route: Route) -> Weights:
        match route:
            case Route.TWO_WAY:
                crossed = TwoWayRidge(guard).weights(self.settings.penalties)
                if not self.settings.pooled:
                    return crossed
                return Mixture(crossed, self._kriging.weights(part, guard), self.settings.pooled)
            case Route.KRIGING:
                return self._kriging.weights(part, guard)
            case Route.OTHER_LINES:
                return other_line_weights(part, guard, self.settings)
            case Route.NOTHING:
                return RowWeights.none(len(part))

    def _asking(
        self,
        route: Route,
        asking: Callable[[QueryBlock, EvidenceGuard], _Answer],
        block: QueryBlock,
    ) -> _Answer | None:
        """What answers a block's queries of one route by any settings; None without them."""
        found = routes_of(block, block.guard(self.evidence))
        parts = [(places, block.some(places)) for taken, places in found if taken is route]
        if not parts:
            return None
        answers = [(places, asking(part, part.guard(self.evidence))) for places, part in parts]

        def predict(tried: BestEvidenceSettings) -> FloatArray:
            delta = np.full((len(block), block.labels.n_genes), np.nan, dtype=np.float32)
            for places, answer in answers:
                delta[places] = answer(tried)
            return delta

        return predict

    def _crossed(self, part: QueryBlock, guard: EvidenceGuard) -> _Answer:
        ways, known = TwoWayRidge(guard), {}
        pool = self._kriging.weights(part, guard).combine(guard)

        def answer(tried: BestEvidenceSettings) -> FloatArray:
            by = tried.penalties
            if by not in known:
                known[by] = ways.weights(by).combine(guard)
            return (1 - tried.pooled) * known[by] + tried.pooled * pool

        return answer

    def _other_lines(self, part: QueryBlock, guard: EvidenceGuard) -> _Answer:
        return lambda tried: other_line_weights(part, guard, tried).combine(guard)


class Imputation(BestEvidence):
    """The same, tuned on the change that is predicted, in the query's own wells.

    It fills a gap among measurements of the same wells. Of a new experiment its scores say little.
    """

    name = "impute"


class TwoWay(BestEvidence):
    """The first route alone; where a drug was not measured both ways, the labelled global mean."""

    name = "two_way"

    def _weights(self, part: QueryBlock, guard: EvidenceGuard, route: Route) -> Weights:
        if route is not Route.TWO_WAY:
            return RowWeights.none(len(part))
        return super()._weights(part, guard, route)


def other_line_weights(
    block: QueryBlock, guard: EvidenceGuard, settings: BestEvidenceSettings
) -> Weights:
    """The drugs' own rows in other lines, drawn to the mean of other drugs there.

    A line weighs as ``exp(sharpness z)``, z its profile's Pearson with the block's line,
    standardised over the lines; alike where a profile is not known. The mean weighs as ``drawn``
    further lines would.
    """
    places = block.labels.drug_numbers(block.drugs)
    grid = guard.grid()
    known = np.any(grid[:, places] >= 0, axis=1)
    known[guard.line] = False
    lines = np.flatnonzero(known)
    own = grid[np.ix_(lines, places)]
    measured = (own >= 0) & ~guard.closed_lines()[:, lines].T
    weights = np.exp(settings.sharpness * _vehicle_likeness(block, guard, lines))
    shares = weights[:, None] * measured / (weights @ measured)
    n, rows = len(places), np.where(measured, own, 0)
    each = np.zeros((n, *rows.shape))
    each[np.arange(n), :, np.arange(n)] = shares.T
    drug = RowWeights(rows.ravel(), {Term.DRUG_OTHER_LINES: each.reshape(n, -1)})
    if not settings.drawn:
        return drug
    others = _others(block, grid)
    n_lines = measured.sum(axis=0)[:, None]
    drawn = np.where(others.has_weight()[:, None], settings.drawn, 0)
    return Mixture(drug, others, drawn / (drawn + n_lines))


def _others(block: QueryBlock, grid: IntArray) -> Weights:
    """The mean of all rows of other compounds; ``grid``, (n_lines, n_drugs), holds the rows."""
    n_rows = (grid >= 0).sum(axis=0)
    each = n_rows * ~block.labels.related(block.parents[:, None], block.labels.parent_of_drug)
    return MeanWeights(grid, each / np.maximum(each.sum(axis=1, keepdims=True), 1))


def _vehicle_likeness(block: QueryBlock, guard: EvidenceGuard, lines: IntArray) -> FloatArray:
    """(n_lines,) standardised; zeros where profiles are not known, or all are as alike."""
    view = block.view(0, guard.evidence)
    names = [block.cell_line, *block.labels.lines[lines]]
    known = (view.control_profile(name) for name in names)
    profiles = [profile for profile in known if profile is not None]
    if len(profiles) < len(names):
        return np.zeros(len(lines))
    own, others = profiles[0], np.array(profiles[1:])
    alike = pearson_delta(np.broadcast_to(own, others.shape), others)
    spread = alike.std()
    return (alike - alike.mean()) / spread if spread > 0 else np.zeros(len(lines))


def routes_of(block: QueryBlock, guard: EvidenceGuard) -> Iterator[tuple[Route, IntArray]]:
    """Each route that queries take, and which of the block's they are, (n_taking,).

    A route comes more than once where queries may read their drug in different other lines.
    """
    grid, places = guard.grid(), block.labels.drug_numbers(block.drugs)
    here = grid[guard.line]
    closed = guard.closed_lines()
    in_other_lines = (grid[:, places] >= 0).T & ~closed
    in_other_lines[:, guard.line] = False
    known = in_other_lines.any(axis=1) & (places >= 0)
    readable = guard.allows(np.arange(len(block))[:, None], here[here >= 0])
    pool = readable.any(axis=1)
    anyone = pool if pool.all() else guard.mean(MeanOver.EVERYWHERE)[1] > 0
    alone = np.where(anyone, Route.KRIGING, Route.NOTHING)
    routes = np.where(known, np.where(pool, Route.TWO_WAY, Route.OTHER_LINES), alone)
    closed[~known] = False
    _, alike = np.unique(closed, axis=0, return_inverse=True)
    for route, group in dict.fromkeys(zip(routes.tolist(), alike.tolist(), strict=True)):
        yield Route(route), np.flatnonzero((routes == route) & (alike == group))
