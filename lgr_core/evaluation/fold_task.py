"""One fold of one regime: methods are fitted and scored; the unit by which a run is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, Change, FloatArray, IntArray, WellScope
from lgr_core.evaluation.block_scorer import BlockScorer, Scored
from lgr_core.evaluation.calibration_data import TrustTable
from lgr_core.evaluation.folds import Fold, FoldKey
from lgr_core.evaluation.likeness import LikenessTable
from lgr_core.evaluation.well_parts import WellPart, separable, without_inseparable
from lgr_core.files import atomic_write
from lgr_core.metrics import METRICS, metrics_of, score
from lgr_core.prediction.aggregate import RECIPROCAL_RANK
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.method import Method, Predictions
from lgr_core.retrieval.fold_evidence import SUMMED
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.recorded_selector import RecordedSelector

CURVE_K = (1, 2, 3, 5, 10, 12, 15, 20, 30, 50)
"""Numbers of neighbours at which the curve over k is drawn, beside the run's own."""

CURVE_METRICS = (*(name for name, metric in METRICS.items() if metric.paper), "slope", "r2_det")
CURVE_SPECIFIC = ("pearson_specific", "sign_specific_top50", "overlap_specific_at_50")
CURVE_WEIGHTS = ("mean", RECIPROCAL_RANK)
"""The metrics and the weights of neighbours for which it is drawn."""

MIN_NEIGHBOR_SHARE = 0.8
"""A curve has no point where fewer than this share of k neighbours stand on average."""

Methods = Mapping[str, Sequence[Method]]
"""Methods by id, each of one or more whose scores are averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldTask:
    """Some methods on a fold and those of its test rows that are scored.

    ``part`` are those rows; ``curve_rows`` are among them; ``alone`` names the method of a task of
    its own.
    """

    fold: Fold
    part: WellPart
    curve_rows: IntArray
    methods: tuple[str, ...]
    alone: str | None = None

    @property
    def rows(self) -> IntArray:
        """The test rows that are scored."""
        return self.part.rows

    @property
    def name(self) -> str:
        """The name of its result: a :class:`FoldKey` as text."""
        return str(FoldKey(self.fold.regime, self.fold.number, self.alone, self.part.number))


DAMAGE = (OSError, ValueError, KeyError, NotImplementedError)
"""What reading a damaged result raises, arrow's errors among it."""

_TABLES = ("scores", "seeds", "curve", "trust", "alike")


@dataclass(slots=True)
class FoldResult:
    """Tables of a task: scores, sums per seed, the k curve, trust, likeness; what was fitted."""

    scores: pd.DataFrame
    seeds: pd.DataFrame
    curve: pd.DataFrame
    trust: pd.DataFrame
    alike: pd.DataFrame
    fitted: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write it aside and rename it into place."""
        with atomic_write(folder) as aside:
            aside.mkdir(parents=True)
            for name in _TABLES:
                place = aside / f"{name}.parquet"
                getattr(self, name).to_parquet(place, write_page_checksum=True)
            (aside / "fitted.json").write_text(json.dumps(self.fitted), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> FoldResult:
        """Read what :meth:`save` wrote; raises one of ``DAMAGE`` if the disk has other bytes."""
        tables = {
            name: pd.read_parquet(folder / f"{name}.parquet", page_checksum_verification=True)
            for name in _TABLES
        }
        fitted = json.loads((folder / "fitted.json").read_text(encoding="utf-8"))
        return cls(**tables, fitted=fitted)


def compute(
    reader: EvidenceReader,
    task: FoldTask,
    methods: Methods,
    queries: pd.DataFrame,
    *,
    k: int,
    step: Callable[[int], None],
) -> FoldResult:
    """Fit every method on the fold and score it on the task's rows.

    ``queries`` describe the rows, in ascending order; the curve is drawn at ``k`` too. ``step`` is
    called with the number of queries done.
    """
    for method in chain.from_iterable(methods.values()):
        method.fit(reader.training_view(method.evidence))
    scorer, curve = BlockScorer(reader), _Curve(reader, task, k)
    tables = _Tables(methods, reader.change)
    calibrated = reader.truth_store is reader.store  # one truth a condition
    score_of = next(iter(metrics_of(reader.change)))
    trust = TrustTable(methods if calibrated else {})
    alike = LikenessTable()
    for block in reader.blocks(task.rows):
        measured = scorer.of(block)
        first = {}
        apart = separable(block) if reader.wells is WellScope.OTHER_PLATES else None
        for name, variants in methods.items():
            found = [_predict(reader, method, block) for method in variants]
            if apart is not None:
                found = [
                    _separated(one, m, block, apart) for one, m in zip(found, variants, strict=True)
                ]
            scored = measured.score(found)
            tables.add(name, scored)
            alike.add(name, found[0], measured.deltas)
            if calibrated:
                first[name] = found[0], scored.of(score_of, reader.change)
        trust.add(block, first, measured.deltas)
        curve.add(block, measured.deltas, methods)
        step(len(block))
    regime = str(task.fold.regime)
    scores = tables.scores(queries.assign(fold=task.fold.number), regime)
    trusted = trust.table(queries, regime)
    return FoldResult(
        scores,
        tables.seeds(regime),
        curve.table(regime),
        trusted,
        alike.table(regime),
        _fitted(methods),
    )


@runtime_checkable
class _Reusable(Protocol):
    """A method whose tuned parameters another of its kind can take over."""

    params: Mapping[str, Any]


class _Tables:
    """Scores of all methods, gathered block by block."""

    def __init__(self, methods: Methods, change: Change) -> None:
        self._scored: dict[str, list[Scored]] = {name: [] for name in methods}
        self._metrics = list(metrics_of(change))

    def add(self, method: str, scored: Scored) -> None:
        self._scored[method].append(scored)

    def scores(self, queries: pd.DataFrame, regime: str) -> pd.DataFrame:
        """Tidy: one row a method, query and metric; ``queries`` has one row a query."""
        metrics = pd.Categorical(self._metrics, categories=self._metrics)
        tables = [self._method(name, queries, metrics) for name in self._scored]
        table = pd.concat(tables, ignore_index=True)
        n_each = len(queries) * len(self._metrics)
        names = pd.Categorical(list(self._scored), categories=list(self._scored))
        table.insert(0, "method", names.repeat(n_each))
        table.insert(0, "regime", pd.Categorical([regime]).repeat(len(table)))
        for column in ("status", "detail", "fallback"):
            table[column] = table[column].astype("category")
        return table

    def _method(self, name: str, queries: pd.DataFrame, metrics: pd.Categorical) -> pd.DataFrame:
        scored, n = self._scored[name], len(metrics)
        columns = {column: queries[column].repeat(n).array for column in queries}
        columns["metric"] = metrics.take(np.tile(np.arange(n), len(queries)))
        columns["value"] = np.concatenate([s.scores for s in scored]).ravel()
        for column in ("status", "detail", "fallback"):
            texts = [None if x is None else str(x) for s in scored for x in getattr(s, column)]
            columns[column] = np.array(texts, dtype=object).repeat(n)
        columns["k_used"] = np.concatenate([s.k_used for s in scored]).repeat(n)
        return pd.DataFrame(columns)

    def seeds(self, regime: str) -> pd.DataFrame:
        """Sums of scores of methods with several variants: one row a method, seed and metric."""
        tables = [
            pd.DataFrame(
                {
                    "regime": regime,
                    "method": name,
                    "seed": np.repeat(np.arange(values.shape[0]), values.shape[2]),
                    "metric": np.tile(self._metrics, values.shape[0]),
                    "total": np.nansum(values, axis=1).ravel(),
                    "n": (~np.isnan(values)).sum(axis=1).ravel(),
                }
            )
            for name, values in self._many()
        ]
        columns = ["regime", "method", "seed", "metric", "total", "n"]
        return pd.concat(tables) if tables else pd.DataFrame(columns=columns)

    def _many(self) -> Iterator[tuple[str, FloatArray]]:
        for name, scored in self._scored.items():
            if len(scored[0].per_seed) > 1:
                yield name, np.concatenate([s.per_seed for s in scored], axis=1)


class _Curve:
    """Sums of scores at several k, of the methods that retrieve."""

    def __init__(self, reader: EvidenceReader, task: FoldTask, k: int) -> None:
        self._reader, self._rows = reader, task.curve_rows
        self._ks = sorted({*CURVE_K, k})
        self._change = reader.change
        specific = self._change is Change.SPECIFIC
        self._metrics = CURVE_SPECIFIC if specific else CURVE_METRICS
        self._sums: list[pd.DataFrame] = []

    def add(self, block: QueryBlock, measured: FloatArray, methods: Methods) -> None:
        """Score the curve's queries of a block at every k, for the first variant of each method."""
        chosen = np.isin(block.rows, self._rows)
        if not chosen.any():
            return
        block = block.some(np.flatnonzero(chosen))
        for name, (method, *_) in methods.items():
            if isinstance(method, LGR):
                with self._reader.restricted_to(method.evidence):
                    self._add(name, method, block, measured[chosen])

    def _add(self, name: str, method: LGR, block: QueryBlock, measured: FloatArray) -> None:
        # A model is asked as in the run: for another k it would be another question.
        ask = method.k if isinstance(method.selector, LLMSelector) else None
        found = method.retrieve(block, self._ks[-1], ask=ask)
        defined = ~np.isnan(measured[:, 0])
        for how, k in product(CURVE_WEIGHTS, self._ks):
            predicted = method.at(block, found, k, how=how)
            ok = predicted.ok & defined
            if not ok.any():
                continue
            scores = score(
                predicted.delta[ok], measured[ok], metrics=self._metrics, change=self._change
            )
            each = {
                "method": name,
                "weights": how,
                "k": k,
                "metric": list(scores),
                "total": [np.nansum(values) for values in scores.values()],
                "n": [int((~np.isnan(values)).sum()) for values in scores.values()],
                "k_used": predicted.k_used[ok].sum(),
                "n_queries": int(ok.sum()),
            }
            self._sums.append(pd.DataFrame(each))

    def table(self, regime: str) -> pd.DataFrame:
        """One row a method, kind of weights, k and metric."""
        keys = ["method", "weights", "k", "metric"]
        if not self._sums:
            columns = ["regime", *keys, "total", "n", "k_used", "n_queries"]
            return pd.DataFrame(columns=columns)
        table = pd.concat(self._sums).groupby(keys, as_index=False, sort=False).sum()
        table.insert(0, "regime", regime)
        return table


def _predict(reader: EvidenceReader, method: Method, block: QueryBlock) -> Predictions:
    """A method's predictions, restricted to the evidence that it declares."""
    with reader.restricted_to(method.evidence):
        return method.predict(block)


def _separated(
    predictions: Predictions,
    method: Method,
    block: QueryBlock,
    apart: tuple[BoolArray, list[str]],
) -> Predictions:
    """Predictions less those that too little stands behind on other plates."""
    if not method.evidence & SUMMED:
        return predictions
    ranked = None
    if isinstance(method, LGR) and isinstance(method.selector, LLMSelector | RecordedSelector):
        ranked = method.share_in_pool(block)
    return without_inseparable(predictions, apart[0], ranked, apart[1])


def _fitted(methods: Methods) -> dict[str, Any]:
    """What methods chose on training rows, by method; complete where it can be used again."""
    fitted = {
        name: first.params if isinstance(first, _Reusable) else getattr(first, "chosen", None)
        for name, (first, *_) in methods.items()
    }
    return {name: params for name, params in fitted.items() if params is not None}
