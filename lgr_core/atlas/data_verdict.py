"""What the data of an atlas allow, in one sentence: plates, kind of value, repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any

from lgr_core.atlas.plate_population import MIN_OTHERS
from lgr_core.domain import ValueKind

MOST = 0.5
"""Share of conditions from which on a drug's own effect can be studied in an atlas."""

NEARLY_ALL = 0.9


class DataStanding(StrEnum):
    """How far the data of an atlas carry."""

    GOOD = "good"
    PARTLY = "partly"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class DataVerdict:
    """A standing, and the sentence that says what the data allow."""

    standing: DataStanding
    words: str


def data_verdict(report: Mapping[str, Any], kind: ValueKind, *, simulated: bool) -> DataVerdict:
    """The verdict on a quality report.

    Good: most conditions can be told from their plate, and repeats say how well they come back.
    Partly: the first without the second. Little: a drug's own effect cannot be told from its plate
    in most conditions.
    """
    share = report["plates"]["separable"]
    allowed = _allowed(share, known=report["plates"]["other_parents"] is not None)
    amounts = "" if kind.has_effect_size else "; they hold the order and sign of genes, no amounts"
    repeats = _repeats(report["replicates"])
    kind_of = "These simulated data" if simulated else "These data"
    words = f"{kind_of} {allowed}{amounts}; {repeats}."
    if share < MOST:
        return DataVerdict(DataStanding.LITTLE, words)
    repeated = bool(report["replicates"]["lines"])
    return DataVerdict(DataStanding.GOOD if repeated else DataStanding.PARTLY, words)


def _allowed(share: float, *, known: bool) -> str:
    """What the plates allow."""
    if not known:
        return (
            "allow total changes to be predicted and scored, but not a drug's own effect: their "
            "plates are not known"
        )
    if not share:
        return (
            "allow total changes to be predicted and scored, but not a drug's own effect: no plate "
            f"has {MIN_OTHERS} other compounds"
        )
    where = "nearly all" if share >= NEARLY_ALL else f"{share:.0%} of".replace("%", " %")
    limited = "" if share >= MOST else " only"
    return f"allow a drug's own effect to be predicted and scored in{limited} {where} conditions"


def _repeats(replicates: Mapping[str, Any]) -> str:
    """How well a measurement repeats, as far as that is known."""
    if not replicates["lines"]:
        return "how well a measurement repeats is not known"
    r = median(line["replicate_r"] for line in replicates["lines"])
    return f"a repeat on another plate agrees with r {r:.2f} (median line)"
