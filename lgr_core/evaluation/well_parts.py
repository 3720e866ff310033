"""Parts of a fold whose queries may not read the same wells, each fitted and scored apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Change, FloatArray, IntArray, WellScope
from lgr_core.evaluation.folds import Fold
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.method import Predictions, Status
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.plate_index import UNKNOWN, closed_rows
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock

GROUPS = 5
"""Groups of parents that a fold of unseen lines is parted in: a model is fitted for each."""

LEAST_PARENTS = 50
LEAST_RANKED = 0.5
"""Other parents, and the share of the ranked neighbours, that must remain on other plates."""


@dataclass(frozen=True, slots=True)
class WellPart:
    """Some of a fold's queries; ``plate`` is where their truth was measured, if apart."""

    number: int | None
    rows: IntArray
    plate: str | None = None


def parts_of(
    store: AtlasStore,
    labels: ConditionIndex,
    fold: Fold,
    rows: IntArray,
    wells: WellScope,
    seed: int,
) -> Iterator[WellPart]:
    """The parts of a fold's scored rows.

    One, where what is fitted on never holds a well of what is tested. On other wells, an unseen
    line's queries are parted by parent, because training lines stand in the same wells. On other
    plates, they are parted by the plate of the truth where deltas are kept by plate, else by the
    set of plates that they stand on.
    """
    if wells is WellScope.OTHER_PLATES:
        yield from _by_plate(store, labels, rows)
        return
    by_line = fold.regime in {Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT}
    if wells is WellScope.ANY or not by_line:
        yield WellPart(None, rows)
        return
    parents = labels.parent[rows]
    order = np.random.default_rng(seed).permutation(len(labels.parents))
    for group in range(GROUPS):
        chosen = rows[order[parents] % GROUPS == group]
        if len(chosen):
            yield WellPart(group, chosen)


def _by_plate(store: AtlasStore, labels: ConditionIndex, rows: IntArray) -> Iterator[WellPart]:
    index = labels.plate_index
    if store.plate_deltas is None:
        sets = index.set_of[rows]
        for number in np.unique(sets[sets != UNKNOWN]):
            yield WellPart(int(number), rows[sets == number])
        return
    for number, plate in enumerate(index.names):
        there = np.intersect1d(rows, index.condition[index.plate == number])
        if len(there):
            yield WellPart(number, there, str(plate))


def reader_of(
    store: AtlasStore, fold: Fold, part: WellPart, change: Change, wells: WellScope
) -> EvidenceReader:
    """What the queries of a part may read, and what they are compared with."""
    if part.plate is not None:
        on_plate = (store.plates["plate"] == part.plate).to_numpy()
        read, truth = store.with_plates(~on_plate), store.with_plates(on_plate)
        return EvidenceReader(read, fold, change=change, wells=wells, truth_store=truth)
    labels = ConditionIndex(store)
    closed = closed_rows(labels.plate_index, labels.drug, labels.doses, part.rows, wells)
    return EvidenceReader(store, fold, change=change, wells=wells, closed=closed, labels=labels)


def separable(block: QueryBlock) -> tuple[BoolArray, list[str]]:
    """(n,) whether enough other parents remain on other plates for each query, and how many do."""
    labels = block.labels
    enough, words = [], []
    for pool in block.pools:
        drugs = () if isinstance(pool, Exception) else pool.drugs
        n = len(np.unique(labels.parent_numbers(drugs))) if drugs else 0
        every = len(block.measured[0]) - 1
        enough.append(n >= LEAST_PARENTS)
        words.append(f"not separable in this atlas ({n} of {every} candidates remain)")
    return np.array(enough, dtype=bool), words


def without_inseparable(
    predictions: Predictions, enough: BoolArray, ranked: FloatArray | None, words: Sequence[str]
) -> Predictions:
    """Predictions less those that stand on too little.

    ``ranked``, (n,), is the share of a selector's ranked neighbours that remain, None of methods
    that rank nobody.
    """
    few = ~enough if ranked is None else ~enough | (ranked < LEAST_RANKED)
    few &= predictions.ok  # who has no answer says so
    if not few.any():
        return predictions
    delta = np.array(predictions.delta)
    delta[few] = np.nan
    status = [
        Status.NOT_SEPARABLE if no else s for no, s in zip(few, predictions.status, strict=True)
    ]
    detail = [w if no else d for no, w, d in zip(few, words, predictions.detail, strict=True)]
    return replace(predictions, delta=delta, status=status, detail=detail)
