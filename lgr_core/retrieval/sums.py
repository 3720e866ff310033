"""Sums over measured deltas, from which averages are taken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lgr_core.domain import FloatArray, IntArray


class MeanOver(StrEnum):
    """What a mean is taken over, at the block's dose."""

    LINE = "line"
    DRUG = "drug"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of deltas, or of their squares, over the rows that the evidence opens, and their number.

    ``totals`` is (groups, genes) float64, ``counts`` (groups,).
    """

    totals: FloatArray
    counts: IntArray

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.totals + other.totals, self.counts + other.counts)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.totals - other.totals, self.counts - other.counts)
