"""Inner cross-validation folds for tuning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock


def inner_blocks(
    view: TrainingView, *, max_blocks: int, max_queries: int, max_genes: int
) -> Iterable[tuple[QueryBlock, FloatArray]]:
    """A fold's training rows asked for as its tests will be, with what was measured, (n, genes).

    What tuning scores on, in folds inside this one: the blocks read training rows alone, and of
    these what the regime opens. Of many blocks of a fold, of many queries in one, and of many
    genes, some at even distances.
    """
    store = view._store  # noqa: SLF001 - it passes gates only
    every = max(1, store.n_panel // max_genes)
    for fold in view.fold.inner_folds():
        reader = EvidenceReader(
            store,
            fold,
            change=view.change,
            wells=view.wells,
            closed=view.closed,
            hidden=view.closed,
            every=every,
        )
        rows = np.intersect1d(np.flatnonzero(fold.test), view.training_rows)
        with reader.restricted_to(view.evidence):
            for block in _some(list(reader.blocks(rows)), max_blocks):
                asked = block.some(np.array(_some(range(len(block)), max_queries)))
                yield asked, view.deltas(asked.rows)[:, reader.genes]


def _some(of: Sequence[Any], n: int) -> list[Any]:
    """At most n of them, at even distances."""
    return [of[i] for i in np.unique(np.linspace(0, len(of) - 1, min(n, len(of))).astype(int))]
