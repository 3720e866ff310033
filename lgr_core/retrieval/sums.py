"""Sums over measured deltas, from which averages are taken."""

from __future__ import annotations

from dataclasses import dataclass

from lgr_core.domain import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the rows that the evidence opens: (groups, genes) float64, and how many rows.

    ``squares``, (groups, genes), are the sums of their squares.
    """

    totals: FloatArray
    counts: IntArray
    squares: FloatArray

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))
