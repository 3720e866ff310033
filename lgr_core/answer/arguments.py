"""Checks the arguments of :func:`predict` and :func:`retrieve` before anything is read."""

from __future__ import annotations

from enum import StrEnum
from numbers import Integral, Real
from typing import Any, TypeVar

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, Change, Selector
from lgr_core.errors import UsageError
from lgr_core.retrieval.manual_selector import NamedSelector
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.selectors import SELECTORS, make_selector

Choice = TypeVar("Choice", bound=StrEnum)

USUAL_K = 10
"""Neighbours, where neither a number nor a list of drugs is given."""


def check_question(store: object, cell_line: object, drug: object, dose_um: object) -> None:
    """Raise ``UsageError`` unless the question is an atlas, two names and a dose or None."""
    if not isinstance(store, AtlasStore):
        raise wrong_argument("store", store, "Open an atlas with lgr.open_atlas(name).")
    for role, name in (("cell_line", cell_line), ("drug", drug)):
        check_type(role, name, (str,), "Give its name.")
    if dose_um is not None and (isinstance(dose_um, bool) or not isinstance(dose_um, Real)):
        do = "Give a number of micromolar, or None for the highest."
        raise wrong_argument("dose_um", dose_um, do)


def check_flags(**flags: object) -> None:
    """Raise ``UsageError`` unless each argument is True or False."""
    for role, value in flags.items():
        if not isinstance(value, bool):
            raise wrong_argument(role, value, "Give True or False.")


def check_type(role: str, value: object, kinds: tuple[type, ...], do: str) -> None:
    """Raise ``UsageError`` unless an argument is of one of these types."""
    if not isinstance(value, kinds):
        raise wrong_argument(role, value, do)


def wrong_argument(role: str, value: object, do: str) -> UsageError:
    """The error for an argument of a wrong type or value."""
    short = value is None or isinstance(value, str | int | float)
    shown = repr(value) if short else f"of type {type(value).__name__}"
    return UsageError(f"argument {role}", f"{shown} cannot be used", do)


def choice_of(role: str, value: object, kind: type[Choice]) -> Choice:
    """The member of an enumeration that has this name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if value not in tuple(kind):
        raise wrong_argument(role, value, f"Choose one of: {', '.join(kind)}.")
    return kind(str(value))


def change_of(value: object) -> Change:
    """The change of that name; raises ``UsageError`` if there is none."""
    return choice_of("change", value, Change)


def check_callable(role: str, value: object, do: str) -> None:
    """Raise ``UsageError`` unless an argument can be called, or is None."""
    if value is not None and not callable(value):
        raise wrong_argument(role, value, do)


def number_of_neighbors(k: object, selector: object) -> int:
    """``k`` as it is given; unset, all drugs of a list, else the usual number.

    Raises
    ------
    UsageError
        If it is not a whole number.
    """
    if k is None:
        return len(selector) if isinstance(selector, list | tuple) else USUAL_K
    return _whole("k", k)


def selector_of(
    store: AtlasStore, selector: object, pool: CandidatePool, k: int, seed: object
) -> Selector:
    """The selector that is named, listed or given.

    Raises
    ------
    UsageError
        If it is none of these.
    NotFoundError
        If a drug of the list is not in the atlas, or no recorded answer fits the question.
    AmbiguousError
        If a name of the list reads as two drugs.
    """
    if isinstance(selector, str):
        selector = make_selector(selector, store, seed=_whole("seed", seed))
    elif isinstance(selector, list | tuple):
        selector = _listed(store, selector, pool)
    if isinstance(selector, type) or not isinstance(selector, Selector):
        do = f"Give a name ({', '.join(SELECTORS)}), a list of drugs, or a selector object."
        raise wrong_argument("selector", selector, do)
    if isinstance(selector, RecordedSelector):
        selector.require(pool, k)
    return selector


def _listed(
    store: AtlasStore, drugs: list[Any] | tuple[Any, ...], pool: CandidatePool
) -> NamedSelector:
    """The drugs of a list, each read as one drug; which of them may stand ``resolve`` judges."""
    selector = NamedSelector(drugs)
    if not selector.proposals:
        raise UsageError("selector []", "it names no drug", "Name at least one.")
    here = {*pool.drugs, pool.query.drug, *pool.twins}
    for proposal in selector.proposals:
        if store.drug_catalog.find(proposal.text, among=here).drug is None:
            store.drug_catalog.resolve(proposal.text)
    return selector


def _whole(role: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise wrong_argument(role, value, "Give a whole number.")
    return int(value)
