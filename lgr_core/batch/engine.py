"""Queries of one line and dose, answered together: what they share is computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lgr_core.answer import Answer
from lgr_core.answer.assemble import answers
from lgr_core.answer.trust import with_trust_together
from lgr_core.domain import CandidatePool, Selector
from lgr_core.errors import LgrError
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock

Ask = Callable[[Sequence[CandidatePool]], Sequence[Answer | LgrError]]
"""Answers queries of one line and dose in their order, or says why there is no answer."""

Choose = Callable[[CandidatePool], Selector]
"""Gives the selector of a query; raises an ``LgrError`` where nobody may choose."""


def by_neighbors(
    reader: EvidenceReader, choose: Choose, k: int, runs: Path, *, one_per_parent: bool = False
) -> Ask:
    """Each query by the mean of the neighbours of whoever is chosen for it.

    ``reader`` is of an atlas in the open world; ``runs``, the folder of benchmark runs, tells how
    far each answer may be trusted. With ``one_per_parent``, of neighbours that are forms of one
    compound the better-ranked one counts.
    """

    def ask(pools: Sequence[CandidatePool]) -> list[Answer | LgrError]:
        block = _block(reader, pools)
        return _trusted(reader, [one(block, i, pool) for i, pool in enumerate(pools)], runs)

    def one(block: QueryBlock, i: int, pool: CandidatePool) -> Answer | LgrError:
        try:
            selector = choose(pool)
        except LgrError as err:
            return err
        catalog = reader.store.drug_catalog
        lgr = LGR(selector, catalog, k, one_per_parent=one_per_parent)
        return answers(reader, block.some(np.array([i])), lgr, k)[0]

    return ask


def by_weights(reader: EvidenceReader, method: LinearMethod, k: int, runs: Path) -> Ask:
    """All queries by a method that weighs everything; of each term the ``k`` heaviest are named.

    ``reader`` and ``runs`` are as for :func:`by_neighbors`.
    """
    return lambda pools: _trusted(
        reader, answers(reader, _block(reader, pools), method, k, most=k), runs
    )


def _block(reader: EvidenceReader, pools: Sequence[CandidatePool]) -> QueryBlock:
    """The pools' queries, all of one line and dose."""
    query = pools[0].query
    return reader.block(query.cell_line, query.dose_um, [pool.query.drug for pool in pools])


def _trusted(
    reader: EvidenceReader, given: Sequence[Answer | LgrError], runs: Path
) -> list[Answer | LgrError]:
    """The answers with their trust, the errors as they are."""
    results = list(given)
    answered = {place: one for place, one in enumerate(results) if isinstance(one, Answer)}
    answers = with_trust_together(reader, list(answered.values()), runs)
    for place, answer in zip(answered, answers, strict=True):
        results[place] = answer
    return results
