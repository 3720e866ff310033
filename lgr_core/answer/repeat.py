"""How well a repeat of the experiment agrees with a measured change."""

from __future__ import annotations

import numpy as np

from lgr_core import metrics
from lgr_core.answer.answer import Answer
from lgr_core.prediction.method import Status
from lgr_core.prediction.replicate import Replicate, ReplicateKind
from lgr_core.retrieval.query_block import EvidenceReader

KINDS = (ReplicateKind.PLATE, ReplicateKind.TWIN)
"""The repeats of a condition, the closest first; its neighbouring dose is another condition."""


def repeat_correlation(answer: Answer, reader: EvidenceReader) -> float | None:
    """Pearson r of a repeat with the answer's measured change; None where none was measured.

    ``reader`` is one of the answer's store in the open world, for the answer's change.
    """
    if answer.measured is None:
        return None
    query, truth = answer.pool.query, answer.measured[None, : answer.n_panel]
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    for kind in KINDS:
        found = Replicate(kind).predict(block)
        if found.status[0] is Status.OK and np.isfinite(found.delta).all():
            return float(metrics.pearson_delta(found.delta, truth)[0])
    return None
