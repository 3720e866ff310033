"""Which rule chooses the neighbours of a new drug: one that can read what is given of it."""

from __future__ import annotations

from lgr_core.atlas.store import AtlasStore
from pages.shared import state
from pages.shared.guide import BY_STRUCTURE, STAND_IN


def rule_for(store: AtlasStore, drug: str, rule: str) -> str:
    """The rule that is asked for, unless it reads a structure or a mechanism that is not known.

    Then it is the other of the two, if that is known.
    """
    known = {
        BY_STRUCTURE: bool(store.annotations[drug].get("smiles")),
        STAND_IN: bool(state.mechanisms(store)[drug]),
    }
    if known.get(rule, True):
        return rule
    return next((other for other, is_known in known.items() if is_known), rule)
