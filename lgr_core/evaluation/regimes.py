"""The four regimes of a benchmark: what is held out, and who may read what.

The table is words for users; what makes it so are ``folds.Fold`` and ``RowGuard``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import pandas as pd

from lgr_core.domain import Evidence
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
    """A regime in words: what is held out as a whole, and what each kind of evidence opens.

    The query's own (line, parent) is closed in every regime.
    """

    description: str
    held_out: str
    train: str
    target_pool: str


_LINES_DESCRIPTION = "All conditions of the tested cell lines are held out of training"
_TRAINING_LINES = "every compound in the training cell lines"

RULES: Mapping[Regime, Rule] = MappingProxyType(
    {
        Regime.UNSEEN_DRUG: Rule(
            "The drug, in every form and at every dose, was never seen in any cell line.",
            "parent compounds",
            "training compounds in every cell line",
            "training compounds in the query's own cell line",
        ),
        Regime.UNSEEN_CELL_LINE: Rule(
            f"{_LINES_DESCRIPTION}; retrieval may still average drugs measured there.",
            "cell lines",
            _TRAINING_LINES,
            "drugs that training knows, in the query's own cell line; "
            "no salt or form of the query's drug",
        ),
        Regime.UNSEEN_CELL_LINE_STRICT: Rule(
            f"{_LINES_DESCRIPTION}, and nothing that was measured there is read at all.",
            "cell lines",
            _TRAINING_LINES,
            "none: neighbours are read as their means over the training cell lines",
        ),
        Regime.OPEN_WORLD: Rule(
            "Everything that was measured may be read, but the drug itself in this cell line.",
            "(cell line, parent compound) pairs",
            "everything; in the query's own cell line no salt or form of the query's drug "
            "(models learn from the training folds alone)",
            "every drug in the query's own cell line; no salt or form of the query's drug",
        ),
    }
)
"""Who may read what, in every regime."""

UNKNOWN = "unknown"
"""The evidence of predictions that were made elsewhere."""

_READS: Mapping[Evidence, str] = {
    Evidence.TRAIN: "measured changes in training",
    Evidence.TARGET_POOL: "measured changes of other drugs in the query's own cell line",
    Evidence.CONTROLS: "vehicle profiles, where the atlas has them",
    Evidence.REPLICATE: "other measurements of the query's own compound in its cell line",
    Evidence.TRUTH: "the measured truth",
}
_STRICT_READS = {
    **_READS,
    Evidence.TARGET_POOL: "nothing in the query's own cell line: this regime opens none of it",
}


def evidence_table() -> pd.DataFrame:
    """One row a regime: what each kind of evidence opens, in words, for docs and pages."""
    always = {
        "controls": "vehicle profiles of any line, where the atlas has them",
        "truth": "the query's own measured change",
    }
    rows = [
        {"regime": str(regime), "train": rule.train, "target_pool": rule.target_pool, **always}
        for regime, rule in RULES.items()
    ]
    return pd.DataFrame(rows).set_index("regime")


def reads_of(regime: Regime, evidence: Iterable[Evidence]) -> str:
    """What someone who declares that evidence reads in a regime, in words."""
    words = _STRICT_READS if regime is Regime.UNSEEN_CELL_LINE_STRICT else _READS
    return "; ".join(words[kind] for kind in words if kind in set(evidence)) or "nothing measured"
