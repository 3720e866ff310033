"""Which view of measured changes is searched: the specific change where there is one."""

from __future__ import annotations

from typing import NamedTuple

from lgr_core.answer.default_change import why_not_separable
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition
from lgr_core.retrieval.plate_centring import MIN_OTHERS
from lgr_core.retrieval.specific_change import View
from pages.shared import change_state, state

VIEWS = {
    View.SPECIFIC: "Specific to the drug",
    View.RELATIVE_TO_POOL: "Relative to the pool",
    View.TOTAL: "Total",
}
"""The views in the order in which they are offered."""

LINES = {
    View.SPECIFIC: "The specific change is compared: less the mean of the plate's other drugs.",
    View.RELATIVE_TO_POOL: (
        "Changes less the mean of the line's other drugs are compared. What a plate adds is still "
        "in them."
    ),
    View.TOTAL: (
        "Total changes are compared, as they were measured. What the drugs of a plate or line "
        "share is in them."
    ),
}
"""What is compared, in a sentence."""

HELP = (
    "Drugs that share a plate share a part of their change. Specific: less the mean of at least "
    f"{MIN_OTHERS} other drugs on its plate. Relative to the pool: less the mean of all other "
    "drugs of the line, so that the plate's part stays. Total: as it was measured."
)


class SearchedView(NamedTuple):
    """The view that is searched, those that can be, and why the specific one cannot."""

    view: View
    offered: tuple[View, ...]
    why: str | None = None

    @property
    def default(self) -> View:
        """The view of a link that names none."""
        return self.offered[0]


def searched_view(
    store: AtlasStore, wished: str | None, query: Condition | None, cell_line: str | None
) -> SearchedView:
    """The view that a link wishes for where it can be searched, else the first that can.

    ``query`` is the condition whose change is searched for, None for a gene list; ``cell_line``
    the line that is searched, None for all.
    """
    why = _why_not(store, query, cell_line)
    offered = tuple(VIEWS) if why is None else (View.RELATIVE_TO_POOL, View.TOTAL)
    view = View(wished) if wished in set(View) else offered[0]
    return SearchedView(view if view in offered else offered[0], offered, why)


def _why_not(store: AtlasStore, query: Condition | None, cell_line: str | None) -> str | None:
    """Why no specific change is searched for; None where one is."""
    if query is not None:
        why = why_not_separable(store, query, state.reader(store).labels)
        if why is not None:
            return why
    separable = change_state.separable(store)
    if cell_line is not None:
        separable = separable[(store.conditions["cell_line"] == cell_line).to_numpy()]
    if separable.any():
        return None
    if state.reader(store).labels.plate_index.is_empty:
        return "the plates of this atlas are not known"
    where = "this atlas" if cell_line is None else cell_line
    return f"no condition of {where} has {MIN_OTHERS} other compounds on its plate"
