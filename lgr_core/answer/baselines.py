"""A prediction compared with baselines and with random draws from the pool.

Whatever is compared here answers one query in the open world, each method through a guard of its
declared evidence. The truth is read by the scorer alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from lgr_core import metrics
from lgr_core.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import (
    EMPTY,
    CandidatePool,
    Change,
    Evidence,
    FloatArray,
    IntArray,
    Selector,
)
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.prediction.method import Method, Status
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.query_block import EvidenceReader

DRAWS = 1_000
"""Blind picks that make the random band."""

METHODS = (
    "best_evidence",
    "lgr_llm",
    "lgr_mechanism",
    "lgr_chemistry",
    "chem_knn",
    "pool_mean",
    "cell_mean",
    "drug_mean",
    "global_mean",
    "plate_mean",
    "oracle_k",
)
"""What a prediction is compared with, by the ids of the benchmark."""

STRIPS = (
    "pearson_delta",
    "cosine",
    "pearson_vs_line_mean",
    "sign_accuracy_top50",
    "overlap_at_50",
    "mae_delta",
)
"""The metrics of the total change that every method and every draw is scored on."""

SPECIFIC_STRIPS = (
    "pearson_specific",
    "cosine_specific",
    "sign_specific_top50",
    "overlap_specific_at_50",
)
"""Those of the specific change."""

_STRIPS_OF = {Change.TOTAL: STRIPS, Change.SPECIFIC: SPECIFIC_STRIPS}
_TOP = 50


def strips_of(change: Change) -> tuple[str, ...]:
    """The metrics that every method and every draw is scored on; the first is the correlation."""
    return _STRIPS_OF[change]


@dataclass(frozen=True, slots=True)
class NullComparison:
    """How far a prediction can be trusted, in numbers.

    ``agreement`` is the mean Pearson correlation over all pairs of neighbours, NaN below two.
    ``agreement_beats`` is the share of blind draws whose drugs agree less, and ``beats`` the share
    that score lower against the truth in Pearson correlation; None without a truth.
    """

    agreement: float
    agreement_beats: float
    beats: float | None
    n_draws: int


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """Another method's answer to the same query.

    ``delta`` is (n_panel,), None where it has none: ``why`` says so. ``scores`` are on the metrics
    of :func:`strips_of`.
    """

    method: str
    delta: FloatArray | None
    scores: Mapping[str, float]
    why: str | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """A measured change, (n_panel,), every rival's answer by method id, and the blind draws.

    ``random`` holds the scores of the draws on the same metrics, (n_draws,) each.
    """

    measured: FloatArray
    baselines: Mapping[str, BaselineResult]
    random: Mapping[str, FloatArray]


def pool_deltas(reader: EvidenceReader, pool: CandidatePool) -> FloatArray:
    """Measured deltas of every candidate of a pool, (n_pool, n_panel), as TARGET_POOL opens it.

    The reader that has just answered the pool's query does not read the line again.
    """
    query = pool.query
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    guard = block.guard({Evidence.TARGET_POOL})
    place = guard.places(VectorBasis.LINE)
    return guard.vectors(0, np.array([place[drug] for drug in pool.drugs]), VectorBasis.LINE)


def separable_deltas(reader: EvidenceReader, pool: CandidatePool) -> FloatArray:
    """Those of the candidates that have such a change, (n, n_panel)."""
    deltas = pool_deltas(reader, pool)
    return deltas[np.isfinite(deltas).all(axis=1)]


def draw(n_pool: int, k: int, *, n_draws: int = DRAWS, seed: int = 0) -> IntArray:
    """Blind picks of k places out of n_pool without replacement, (n_draws, k); all if k is more."""
    order = np.random.default_rng(seed).random((n_draws, n_pool), dtype=np.float32)
    return order.argpartition(min(k, n_pool) - 1, axis=1)[:, : min(k, n_pool)]


def draw_means(deltas: FloatArray, picks: IntArray) -> FloatArray:
    """The mean delta of each draw, (n_draws, genes), from the pool's deltas (n_pool, genes)."""
    n, k = picks.shape
    ones = np.full(n * k, 1 / k, dtype=np.float32)
    weights = csr_array((ones, picks.ravel(), np.arange(0, n * k + 1, k)), shape=(n, len(deltas)))
    return weights @ deltas


def verdict(
    store: AtlasStore,
    answer: Answer,
    *,
    reader: EvidenceReader | None = None,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> NullComparison:
    """Hold an answer against ``n_draws`` blind picks, as many drugs each, from the same pool.

    ``reader`` is one of this store's in the open world, kept between calls.
    """
    panel = slice(None, answer.n_panel)
    neighbors = answer.separable_neighbors[:, panel]
    if not len(neighbors):
        return NullComparison(math.nan, math.nan, None, 0)
    reader = EvidenceReader(store, change=answer.change) if reader is None else reader
    deltas = separable_deltas(reader, answer.pool)
    picks = draw(len(deltas), len(neighbors), n_draws=n_draws, seed=seed)
    ours = agreement(neighbors, np.arange(len(neighbors))[None])[0]
    blind = agreement(deltas, picks)
    beats = None
    if answer.measured is not None:
        truth = answer.measured[panel]
        scores = _pearson(draw_means(deltas, picks), truth)
        beats = share_below(scores, float(_pearson(answer.prediction.delta[None, panel], truth)[0]))
    return NullComparison(float(ours), share_below(blind, float(ours)), beats, n_draws)


def compare(
    store: AtlasStore,
    answer: Answer,
    selectors: Callable[[str], Selector],
    *,
    methods: Sequence[str] = METHODS,
    ready: Mapping[str, Method] = EMPTY,
    reader: EvidenceReader | None = None,
    n_draws: int = DRAWS,
    seed: int = 0,
) -> BaselineComparison | None:
    """Every method's answer to the same question, scored beside blind draws; None without a truth.

    ``selectors`` gives the selector of a name. What is costly may be kept between calls: methods
    that are ``ready``, by id, and a ``reader`` of this store, which sums over every condition.
    """
    if answer.measured is None:
        return None
    query, k = answer.pool.query, answer.retrieval.k
    reader = EvidenceReader(store, change=answer.change) if reader is None else reader
    setting = MethodContext(reader.labels, selectors, Regime.OPEN_WORLD, k)
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    truth = answer.measured[: answer.n_panel]
    mean = answer.pool_mean[: answer.n_panel]
    baselines = {}
    for name in methods:
        method = ready.get(name) or REGISTRY[name].make(setting)[0]
        found = method.predict(block)
        delta = found.delta[0] if found.status[0] is Status.OK else None
        scores = {}
        if delta is not None:
            scores = _single(score_rows(delta[None], truth, mean, change=answer.change))
        baselines[name] = BaselineResult(name, delta, scores, found.detail[0], found.fallback[0])
    deltas = separable_deltas(reader, answer.pool)
    k_used = len(answer.separable_neighbors) or k
    draws = draw_means(deltas, draw(len(deltas), k_used, n_draws=n_draws, seed=seed))
    random = score_rows(draws, truth, mean, change=answer.change)
    return BaselineComparison(truth, baselines, random)


def score_rows(
    predicted: FloatArray,
    measured: FloatArray,
    line_mean: FloatArray,
    *,
    change: Change = Change.TOTAL,
) -> dict[str, FloatArray]:
    """Scores of many predictions (n, genes) of one measured change (genes,), (n,) each.

    The metrics are those of :func:`strips_of`. The signs of the top genes hang on these genes
    alone, so only their columns are read.
    """
    truth = np.broadcast_to(measured, predicted.shape)
    if change is Change.SPECIFIC:
        return dict(metrics.score(predicted, truth, metrics=SPECIFIC_STRIPS, change=change))
    rest = [name for name in STRIPS if name != "sign_accuracy_top50"]
    scores = metrics.score(predicted, truth, line_mean=line_mean, metrics=rest)
    sizes = np.abs(measured)
    top = np.flatnonzero(sizes >= np.sort(sizes)[-min(_TOP, len(sizes))])
    scores["sign_accuracy_top50"] = metrics.sign_accuracy_top50(predicted[:, top], truth[:, top])
    return {name: scores[name] for name in STRIPS}


def correlations(deltas: FloatArray) -> FloatArray:
    """Pearson correlation of every pair of rows, (n, n); NaN where one is constant."""
    rows = _unit_rows(deltas)
    return rows @ rows.T


def agreement(deltas: FloatArray, picks: IntArray) -> FloatArray:
    """The mean Pearson correlation over all pairs of each draw's k rows of the deltas, (n_draws,).

    NaN below 2 or where a row is constant. Centred and of length 1, rows of mean m agree by
    (k |m|^2 - 1) / (k - 1): no pair need be looked at.
    """
    k = picks.shape[1]
    if k < 2:  # noqa: PLR2004 - a pair
        return np.full(len(picks), np.nan)
    means = draw_means(_unit_rows(deltas), picks)
    return (k * np.vecdot(means, means) - 1) / (k - 1)


def share_below(scores: FloatArray, score: float) -> float:
    """The share of defined scores below one, ties counting half; NaN where it is undefined."""
    known = scores[np.isfinite(scores)]
    if not len(known) or not math.isfinite(score):
        return math.nan
    return float(((known < score) + 0.5 * (known == score)).mean())


@dataclass(frozen=True, slots=True)
class TopGeneAgreement:
    """The genes that changed most in truth, split by what the prediction says of them.

    ``right`` are among the prediction's own strongest with the right sign, ``wrong`` with the
    contrary sign, ``missed`` are not among them. All are places of genes, strongest first.
    """

    right: IntArray
    wrong: IntArray
    missed: IntArray


def top_agreement(predicted: FloatArray, measured: FloatArray, n: int = _TOP) -> TopGeneAgreement:
    """What became of the n genes of largest measured change; both (genes,); ties by place."""
    true, ours = (np.argsort(-np.abs(x), kind="stable")[:n] for x in (measured, predicted))
    true = true[measured[true] != 0]
    found = np.isin(true, ours)
    same = np.sign(predicted[true]) == np.sign(measured[true])
    return TopGeneAgreement(true[found & same], true[found & ~same], true[~found])


def _unit_rows(deltas: FloatArray) -> FloatArray:
    rows = deltas - deltas.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.full_like(rows, np.nan), where=norms > 0)


def _pearson(predicted: FloatArray, measured: FloatArray) -> FloatArray:
    return metrics.pearson_delta(predicted, np.broadcast_to(measured, predicted.shape))


def _single(scores: Mapping[str, FloatArray]) -> dict[str, float]:
    return {name: float(values[0]) for name, values in scores.items()}
