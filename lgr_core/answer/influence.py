"""Each neighbour of an answer: its similarity, its influence and its rank by the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core import metrics
from lgr_core.answer import Answer
from lgr_core.answer.baselines import correlations, pool_deltas
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray, IntArray
from lgr_core.drugs.similarity import similarity
from lgr_core.retrieval.query_block import EvidenceReader


@dataclass(frozen=True, slots=True)
class NeighborInfluence:
    """The n neighbours of an answer, best first.

    ``alike`` (n, n) are Pearson correlations of their measured changes. ``shift`` (n,) is how far
    the prediction moves when one is left out, ``norm(x - x_without) / norm(x)``; NaN where it is
    the only one. ``structure`` (n,) is the fingerprint cosine with the query, NaN where a structure
    is not known.
    """

    alike: FloatArray
    shift: FloatArray
    structure: FloatArray


@dataclass(frozen=True, slots=True)
class NeighborRanks:
    """What the measured change says of the neighbours, best first; it was read by nobody before.

    ``r`` (n,) is each neighbour's Pearson correlation with the truth and ``rank`` (n,) its place
    by that among all ``n_candidates`` (1 is best). ``gain`` (n,) is what it adds to the Pearson
    correlation of the prediction: below zero, the others alone do better.
    """

    r: FloatArray
    rank: IntArray
    gain: FloatArray
    n_candidates: int


def inspect_neighbors(store: AtlasStore, answer: Answer) -> NeighborInfluence:
    """Look at an answer's neighbours without a glance at the truth."""
    deltas = _deltas(answer)
    without = _left_out(deltas)
    ours = _prediction(answer)
    norm = np.linalg.norm(ours)
    shift = np.linalg.norm(ours - without, axis=1) / (norm if norm > 0 else np.nan)
    return NeighborInfluence(correlations(deltas), shift, _structure(store, answer))


def rank_neighbors(
    store: AtlasStore, answer: Answer, *, reader: EvidenceReader | None = None
) -> NeighborRanks | None:
    """Hold the neighbours against the truth; None where there is none.

    ``reader`` is one of this store's in the open world, kept between calls.
    """
    if answer.measured is None:
        return None
    truth = answer.measured[: answer.n_panel]
    reader = EvidenceReader(store) if reader is None else reader
    r = metrics.pearson_of_defined(pool_deltas(reader, answer.pool), truth)
    ordered = np.argsort(np.argsort(-np.nan_to_num(r, nan=-2.0), kind="stable"), kind="stable")
    place = {drug: i for i, drug in enumerate(answer.pool.drugs)}
    ours = np.array([place[drug] for drug in answer.retrieval.drugs], dtype=np.intp)
    with_all = metrics.pearson_of_defined(_prediction(answer)[None], truth)
    gain = with_all - metrics.pearson_of_defined(_left_out(_deltas(answer)), truth)
    return NeighborRanks(r[ours], ordered[ours] + 1, gain, len(r))


def _deltas(answer: Answer) -> FloatArray:
    return answer.neighbor_deltas[:, : answer.n_panel].astype(np.float64)


def _prediction(answer: Answer) -> FloatArray:
    return answer.prediction.delta[: answer.n_panel].astype(np.float64)


def _left_out(deltas: FloatArray) -> FloatArray:
    """The uniform mean without each row, (n, genes); NaN where no other is left.

    A row that has no specific change is in no mean: what is left without it is NaN, too.
    """
    n = np.isfinite(deltas).all(axis=1).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.nansum(deltas, axis=0) - deltas) / np.float64(n - 1)


def _structure(store: AtlasStore, answer: Answer) -> FloatArray:
    place = {drug: i for i, drug in enumerate(store.drugs["drug"])}
    rows = [place[drug] for drug in answer.retrieval.drugs]
    return similarity(store.fingerprints[place[answer.pool.query.drug]], store.fingerprints[rows])
