"""What a benchmark holds out, and who may read what meanwhile: four regimes.

The table is words for users; what makes it so are ``folds.Fold`` and ``pool.View``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import pandas as pd

from lgr_core.errors import UsageError


class Regime(StrEnum):
    """What is unseen when a method is tested."""

    UNSEEN_DRUG = "unseen_drug"
    UNSEEN_CELL_LINE = "unseen_cell_line"
    UNSEEN_CELL_LINE_STRICT = "unseen_cell_line_strict"
    OPEN_WORLD = "open_world"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise UsageError(f"regime {value!r}", "unknown", f"Choose one of: {', '.join(cls)}.")

    @property
    def description(self) -> str:
        """One sentence for users."""
        return RULES[self].description

    @property
    def held_out(self) -> str:
        """What is held out as a whole, in the plural."""
        return RULES[self].held_out


@dataclass(frozen=True, slots=True)
class Rule:
    """A regime in words: what is parted as a whole, and what TRAIN and TARGET_POOL open.

    c is the query's cell line; the query's own (line, parent) is closed in every regime.
    """

    description: str
    held_out: str
    train: str
    target_pool: str


_LINES_DESCRIPTION = "All conditions of the tested cell lines are held out of training"

RULES: Mapping[Regime, Rule] = MappingProxyType(
    {
        Regime.UNSEEN_DRUG: Rule(
            "The drug, in every form and at every dose, was never seen in any cell line.",
            "parent compounds",
            "training parents, all lines",
            "training drugs measured in c",
        ),
        Regime.UNSEEN_CELL_LINE: Rule(
            f"{_LINES_DESCRIPTION}; retrieval may still average drugs measured there.",
            "cell lines",
            "training lines",
            "training drugs measured in c, less the query's parent",
        ),
        Regime.UNSEEN_CELL_LINE_STRICT: Rule(
            f"{_LINES_DESCRIPTION}, and nothing that was measured there is read at all.",
            "cell lines",
            "training lines",
            "none: neighbours come from TRAIN, as training-line drug means",
        ),
        Regime.OPEN_WORLD: Rule(
            "Everything that was measured may be read, but the drug itself in this cell line.",
            "(cell line, parent compound) pairs",
            "everything but the query's unit; models are fitted on the training folds",
            "everything measured in c, less the query's parent",
        ),
    }
)
"""Who may read what, in every regime."""


def evidence_table() -> pd.DataFrame:
    """One row a regime: what each kind of evidence opens, in words, for docs and pages."""
    always = {"controls": "vehicle profiles of any line", "truth": "the query's own measured delta"}
    rows = [
        {"regime": str(regime), "train": rule.train, "target_pool": rule.target_pool, **always}
        for regime, rule in RULES.items()
    ]
    return pd.DataFrame(rows).set_index("regime")
