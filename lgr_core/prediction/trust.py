"""The trust in a prediction: expected Pearson r and intervals from a calibration.

Trust is of the specific change in a new experiment. Of a calibration of the total change only the
expectation is of use: it was learned in wells that share their plates with what is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from lgr_core.domain import BoolArray, Change, Evidence, FloatArray
from lgr_core.prediction.trust_features import FEATURES, TrustFeatures
from lgr_core.retrieval.query_block import QueryBlock

LEVELS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.85, 0.875, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0)
"""Shares of genes at which the size of errors is kept."""

NOMINAL = 0.9
SURELY = 0.1
"""The lower limit of the expected specific r above which trust can be high."""

OF_REPEAT, WITHOUT_REPEAT = 0.5, 0.4
"""The share of a repeat's specific r that must be expected then, or r where none is known."""

TOTAL_ALONE = (
    "This is expected of the total change, in wells of the same plates: what of it is the drug's "
    "own is not known."
)

_SURE, _UNSURE = 0.5, 0.25
_APART = 0.05


class TrustLevel(StrEnum):
    """How far a prediction may be trusted."""

    GREEN = "green"
    YELLOW = "yellow"
    GREY = "grey"


def error_levels(delta: FloatArray, measured: FloatArray, unit: FloatArray) -> FloatArray:
    """The sizes, in units, that the errors of ``LEVELS`` of the genes stay below, (n, n_levels)."""
    errors = np.sort(np.abs(measured - delta) / unit, axis=1)  # sorted: a third of the time
    return np.quantile(errors, LEVELS, axis=1).T


def coverage(levels: FloatArray, width: FloatArray) -> FloatArray:
    """The share of genes whose error is no larger than ``width``, (n,); both in units.

    ``levels`` is (n, n_levels), from :func:`error_levels`.
    """
    first = np.clip((levels <= width[:, None]).sum(axis=1) - 1, 0, len(LEVELS) - 2)
    below, above = np.take_along_axis(levels, first[:, None] + [0, 1], axis=1).T
    share = (width >= below).astype(float)  # where both levels are one
    np.divide(width - below, above - below, out=share, where=above > below)
    at = np.array(LEVELS)
    return at[first] + np.clip(share, 0, 1) * np.diff(at)[first]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What features say of the score, learned on held-out conditions.

    A linear index of the features is mapped to the expected Pearson r by a rising curve
    (``index``, ``expected``), with the limits of ``spread`` (n, 2) about it at ``index``; a second
    index gives the half-width of a 90 % interval of a gene, in units of its spread. Features
    outside of ``seen`` (from, to), which were learned from, count as its nearer end. ``n`` counts
    the conditions that it was learned on. ``repeat`` is the score that a repeat of the experiment
    reaches, None where too few are known.
    """

    seen: tuple[tuple[float, ...], tuple[float, ...]]
    center: tuple[float, ...]
    slopes: tuple[float, ...]
    index: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    width_slopes: tuple[float, ...]
    width: float
    n: int = 0
    repeat: float | None = None

    @property
    def counts_lines(self) -> bool:
        """Whether any condition that it was learned on read the drug in another line."""
        return self.seen[1][list(FEATURES).index("lines")] > 0

    def expects(self, known: FloatArray) -> FloatArray:
        """Expected Pearson r and its 90 % limits, (n, 3), for features (n, n_features)."""
        at = self._centred(known) @ np.array(self.slopes)
        expected = np.interp(at, self.index, self.expected)
        limits = [expected + np.interp(at, self.index, side) for side in (self.low, self.high)]
        return np.clip(np.column_stack([expected, *limits]), -1, 1)

    def widths(self, known: FloatArray) -> FloatArray:
        """The half-width of a gene's 90 % interval in units of its spread, (n,)."""
        return np.exp(self._centred(known) @ np.array(self.width_slopes)) * self.width

    def to_dict(self) -> dict[str, Any]:
        """The calibration as JSON has it."""
        return {"features": list(FEATURES), **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        ValueError
            If it was learned from other features.
        """
        fields = dict(data)
        if fields.pop("features", None) != list(FEATURES):
            raise ValueError("it was learned from other features")
        return cls(**{name: _plain(value) for name, value in fields.items()})

    def _centred(self, known: FloatArray) -> FloatArray:
        return np.clip(known, *map(np.array, self.seen)) - np.array(self.center)


@dataclass(frozen=True, slots=True)
class Trust:
    """How good a prediction is expected to be, and why.

    ``low`` and ``high`` are 90 % limits of the Pearson r of ``change``; ``half_width``, (genes,),
    is half of a 90 % interval of each gene about the prediction, None where it is not known.
    """

    expected: float
    low: float
    high: float
    half_width: FloatArray | None
    light: TrustLevel
    reasons: tuple[str, ...]
    change: Change = Change.SPECIFIC


def trust_of(
    block: QueryBlock,
    evidence: frozenset[Evidence],
    delta: FloatArray,
    calibration: Calibration,
    used: BoolArray | None = None,
) -> list[Trust]:
    """The trust in each of n predictions, ``delta`` (n, genes), of a block.

    ``used`` flags the measured drugs of the line that each averages, (n, n_names).
    """
    around = TrustFeatures.of(block, evidence)
    known = around.features(delta, used)
    widths = calibration.widths(known)[:, None] * around.unit
    found = []
    for (expected, low, high), width, own in zip(
        calibration.expects(known).tolist(), widths, known, strict=True
    ):
        level, why = TrustLevel.GREY, TOTAL_ALONE
        if block.change is Change.SPECIFIC:
            level = level_of(expected, low, calibration.repeat)
            why = level_reason(level, expected, calibration.repeat)
        about = reasons(own, lines_count=calibration.counts_lines)
        found.append(Trust(expected, low, high, width, level, (why, *about), block.change))
    return found


def level_of(expected: float, low: float, repeat: float | None) -> TrustLevel:
    """The level of an expected specific r with its lower limit, where a repeat reaches ``repeat``.

    Green: the limit is above 0.1, and at least half of what a repeat reaches is expected, 0.4 where
    no repeat is known. Yellow: the limit is above 0. Grey: no more than chance may stand behind it.
    """
    if low > SURELY and expected >= _least(repeat):
        return TrustLevel.GREEN
    return TrustLevel.YELLOW if low > 0 else TrustLevel.GREY


def _least(repeat: float | None) -> float:
    return WITHOUT_REPEAT if repeat is None else OF_REPEAT * repeat


def level_reason(level: TrustLevel, expected: float, repeat: float | None) -> str:
    """Why a level is what it is, in a sentence."""
    known = "no repeat of an experiment is known here" if repeat is None else ""
    known = known or f"a repeat of the experiment reaches {repeat:.2f}"
    if level is TrustLevel.GREEN:
        return f"An effect of the drug's own is expected in a new experiment; {known}."
    if level is TrustLevel.GREY:
        return (
            "Whether this says anything of the drug's own effect is not known: an r of 0 lies "
            "within the interval."
        )
    least = _least(repeat)
    if expected < least:
        return f"Some of the drug's own effect is expected, less than {least:.2f}; {known}."
    return "Some of the drug's own effect is expected, but it may be little."


def reasons(known: FloatArray, *, lines_count: bool = True) -> tuple[str, ...]:
    """What speaks for and against a prediction with these features (n_features,), in words.

    Where ``lines_count`` is false, the calibration knows nothing of the drug in other lines.
    """
    at = dict(zip(FEATURES, known, strict=True))
    lines, pool = (round(float(np.expm1(at[name]))) for name in ("lines", "pool"))
    sentences = [
        f"The drug in {lines} other lines does not count: those wells are, or may be, one "
        "experiment, and how far it carries to another is not known."
        if lines and not lines_count
        else f"The drug was measured in {lines} other lines; its effects there "
        f"{_degree(at, 'drug')}."
        if lines
        else "No measurement of the drug in another line is read.",
        f"{pool} other drugs were measured in this line; their effects {_degree(at, 'pool')}."
        if pool
        else "No other drug measured in this line may be read.",
    ]
    if at["neighbors_agreement"] > 0:
        sentences.append(
            f"The effects of the neighbours that are averaged {_degree(at, 'neighbors')}, "
            f"{_beside(at['neighbors_standing'])} those of as many random picks."
        )
    if at["cells"] > 0:
        n = round(float(np.expm1(at["cells"])))
        sentences.append(f"Behind a measured change that is read stand {n:,} cells on average.")
    if at["likeness"] > 1 - _UNSURE / 10:
        sentences.append(
            "The prediction is hardly more than the line's mean: not specific to the drug."
        )
    return tuple(sentences)


def _beside(standing: float) -> str:
    if abs(standing) < _APART:
        return "about as much as"
    return "more than" if standing > 0 else "less than"


def _degree(at: Mapping[str, float], of: str) -> str:
    agreement = at[f"{of}_agreement"]
    if agreement >= _SURE:
        return "are much alike"
    return "are somewhat alike" if agreement >= _UNSURE else "differ widely"


def _plain(value: Any) -> Any:  # noqa: ANN401 - numbers, or lists of them
    return tuple(map(_plain, value)) if isinstance(value, list) else value
