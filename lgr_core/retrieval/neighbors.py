"""The realised neighbours of a block's queries: a selector proposes, ``resolve`` believes."""

from __future__ import annotations

from collections.abc import Sequence

from lgr_core.domain import CandidatePool, Retrieval, Selection, Selector
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import EmptyPoolError, LeakageError, LgrError
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.resolve import resolve

Found = Retrieval | LgrError
"""The neighbours of a query, or why there are none to be had."""

RANKED, ASKED_IN = "ranked by ", ", asked in "
"""How :func:`detail_of` names the model that ranked, and the line that it was asked in."""


def select(selector: Selector, block: QueryBlock, k: int) -> list[Selection | LgrError]:
    """What a selector proposes for each query, or why it proposes nothing.

    It is handed what the query may read by the evidence that it declares.

    Raises
    ------
    LeakageError
        If it reads more: that is a fault of the selector, not an answer that it could not give.
    """
    return [_selection(selector, block, i, k) for i in range(len(block))]


def resolve_block(
    selections: Sequence[Selection | LgrError],
    block: QueryBlock,
    catalog: DrugCatalog,
    k: int,
    *,
    selector: str,
    one_per_parent: bool = False,
) -> list[Found]:
    """The first ``k`` proposals of each query that stand; see :func:`resolve`."""
    return [
        one
        if isinstance(one, LgrError)
        else resolve(
            one, block.pool_of(i), catalog, k, selector=selector, one_per_parent=one_per_parent
        )
        for i, one in enumerate(selections)
    ]


def no_neighbor_error(retrieval: Retrieval) -> EmptyPoolError:
    """The error where no neighbour stands and nothing else may answer."""
    named = f"selector {retrieval.selector} named none of the {retrieval.pool_size} candidates"
    return EmptyPoolError(f"neighbours of {retrieval.query}", named, "Try another selector.")


def detail_of(found: Found | CandidatePool) -> str | None:
    """Why there is no answer, or who ranked, and in which line it was asked if not the query's."""
    if isinstance(found, LgrError):
        return str(found)
    said = {} if isinstance(found, CandidatePool) else found.provenance
    who = said.get("model", said.get("source"))
    if who is None:
        return None
    line = said.get("asked_in_line", found.query.cell_line)
    return f"{RANKED}{who}" + ("" if line == found.query.cell_line else f"{ASKED_IN}{line}")


def _selection(selector: Selector, block: QueryBlock, i: int, k: int) -> Selection | LgrError:
    pool = block.pools[i]
    if isinstance(pool, EmptyPoolError):
        return pool
    try:
        return selector.select(pool, k, block.view(i, selector.evidence))
    except LeakageError:
        raise
    except LgrError as err:
        return err
