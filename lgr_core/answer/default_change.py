"""Which change of a question or of a list is shown first: the specific one, where defined."""

from __future__ import annotations

from lgr_core.atlas.plate_population import plate_summary
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, Condition
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.plate_centring import MIN_OTHERS
from lgr_core.retrieval.specific_change import specific_changes


def why_not_separable(
    store: AtlasStore, query: Condition, labels: ConditionIndex | None = None
) -> str | None:
    """Why the measured change of a query has no specific part; None where it has, or may have.

    What was not measured has no plate of its own: its specific change is predicted from those of
    its neighbours. ``labels`` is the index of the store's conditions, kept between calls.
    """
    labels = ConditionIndex(store) if labels is None else labels
    if labels.plate_index.is_empty:
        return "the plates of this atlas are not known"
    if query.drug not in store.measured_drugs(query.cell_line, query.dose_um):
        return None
    (row,) = store.rows(query.cell_line, [query.drug], query.dose_um)
    plates = specific_changes(store, labels).line(int(labels.line[row]))
    n_others = int(plates.n_others[plates.rows == row][0])
    if n_others >= MIN_OTHERS:
        return None
    return (
        "it cannot be separated from its plate "
        f"({n_others} other compounds there, {MIN_OTHERS} needed)"
    )


def offered_changes(store: AtlasStore) -> tuple[Change, ...]:
    """The changes that a list of queries can be asked for in an atlas, the usual one first.

    The specific change is offered where plates are known, and is usual where at least half of the
    conditions have one.
    """
    summary = plate_summary(store)
    if not summary["conditions_with_plate"]:
        return (Change.TOTAL,)
    both = (Change.SPECIFIC, Change.TOTAL)
    return both if summary["separable"] >= _MOST else both[::-1]


_MOST = 0.5


def default_change(
    store: AtlasStore, query: Condition, labels: ConditionIndex | None = None
) -> tuple[Change, str | None]:
    """The specific change where it is defined, else the total change and the reason."""
    why = why_not_separable(store, query, labels)
    return (Change.SPECIFIC if why is None else Change.TOTAL), why
