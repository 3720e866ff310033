"""Queries of one line and dose, answered together: what they share is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lgr_core.answer import Answer
from lgr_core.answer.desk import Desk
from lgr_core.answer.trust import with_trust_together
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, Selector
from lgr_core.errors import LgrError
from lgr_core.prediction.attribution import attribute_block
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.prediction.predictors import LGR
from lgr_core.retrieval.query_block import EvidenceReader

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
    catalog = reader.store.drug_catalog

    def one(pool: CandidatePool) -> Answer | LgrError:
        try:
            lgr = LGR(choose(pool), catalog, k=k, one_per_parent=one_per_parent)
            return _desk(reader.store, pool, k).lgr(lgr)
        except LgrError as err:
            return err

    return lambda pools: _trusted(reader, map(one, pools), runs)


def by_weights(reader: EvidenceReader, method: LinearMethod, k: int, runs: Path) -> Ask:
    """All queries by a method that weighs everything; of each term the ``k`` heaviest are named.

    ``reader`` and ``runs`` are as for :func:`by_neighbors`.
    """
    return lambda pools: _trusted(reader, _weighed(reader, pools, method, k), runs)


def _weighed(
    reader: EvidenceReader, pools: Sequence[CandidatePool], method: LinearMethod, k: int
) -> Iterable[Answer]:
    query = pools[0].query
    block = reader.block(query.cell_line, query.dose_um, [pool.query.drug for pool in pools])
    for pool, found in zip(pools, attribute_block(block, method, most=k), strict=True):
        yield _desk(reader.store, pool, k).explained(found, method.evidence)


def _desk(store: AtlasStore, pool: CandidatePool, k: int) -> Desk:
    return Desk(store, pool, (), k, all_genes=False, reader=None)


def _trusted(
    reader: EvidenceReader, given: Iterable[Answer | LgrError], runs: Path
) -> list[Answer | LgrError]:
    """The answers with their trust, the errors as they are."""
    results = list(given)
    places = [place for place, one in enumerate(results) if isinstance(one, Answer)]
    answers = with_trust_together(reader, [results[place] for place in places], runs)
    for place, answer in zip(places, answers, strict=True):
        results[place] = answer
    return results
