"""How well drugs are predicted in lines like one's own: every line of the atlas held out in turn.

Each line of which as much is known is predicted from the others alone, as a line without
measurements is. Where expression was compared, lines farther from their nearest other are
predicted differently: that slope places the expectation of a new line at its own distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lgr_core.domain import BoolArray, Change, Evidence, FloatArray
from lgr_core.metrics import pearson_of_defined
from lgr_core.prediction.profile_distance import ProfileDistance, nearest_distances
from lgr_core.prediction.profile_ridge import FEWEST_LINES, LineBasis, ProfileRidge
from lgr_core.prediction.trust import SURELY, WITHOUT_REPEAT, TrustLevel
from lgr_core.retrieval.query_block import EvidenceReader

_NOMINAL = 0.9


@dataclass(frozen=True, eq=False)
class HeldOutLines:
    """Pearson r of drugs in lines held out, ``r`` (n_lines, n_drugs), NaN where not measured.

    ``distances``, (n_lines,), are those of the lines from their nearest other, NaN without a
    profile.
    """

    lines: tuple[str, ...]
    drugs: tuple[str, ...]
    r: FloatArray
    distances: FloatArray


@dataclass(frozen=True, slots=True)
class NewLineTrust:
    """The expected Pearson r of a drug in a new line with its 90 % limits, and how far to trust it.

    NaN where fewer than eight lines tell. ``reasons`` say why in sentences.
    """

    expected: float
    low: float
    high: float
    n_lines: int
    light: TrustLevel
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON types; NaN becomes None."""
        numbers = {"expected_pearson": self.expected, "low": self.low, "high": self.high}
        return {
            **{name: None if np.isnan(value) else value for name, value in numbers.items()},
            "lines": self.n_lines,
            "light": str(self.light),
            "reasons": list(self.reasons),
        }


def hold_lines_out(reader: EvidenceReader, dose_um: float | None, basis: LineBasis) -> HeldOutLines:
    """Predict every drug at a dose in each line of which as much is known as ``basis`` says."""
    store, method = reader.store, ProfileRidge()
    numbers = {drug: i for i, drug in enumerate(store.drug_catalog.names)}
    nearest = {}
    if store.line_profiles is not None:
        theirs = store.line_profiles
        far = nearest_distances(theirs.expression)
        nearest = dict(zip(theirs.cell_lines, far.tolist(), strict=True))
    lines, rows = [], []
    for line in sorted(store.conditions["cell_line"].unique()):
        if dose_um not in store.doses(line):
            continue
        block = reader.block(line, dose_um, store.measured_drugs(line, dose_um))
        found = method.predict(block)
        asked = np.array([detail == basis.label for detail in found.detail])
        if not asked.any():
            continue
        truth = block.guard({Evidence.TRUTH}).truth()
        row = np.full(len(numbers), np.nan)
        places = [numbers[drug] for drug in block.drugs]
        row[places] = np.where(asked, pearson_of_defined(found.delta, truth), np.nan)
        lines.append(line)
        rows.append(row)
    r = np.array(rows).reshape(len(lines), len(numbers))
    distances = np.array([nearest.get(line, np.nan) for line in lines])
    return HeldOutLines(tuple(lines), tuple(numbers), r, distances)


def trust_in_line(
    held_out: HeldOutLines,
    drug: str,
    distance: ProfileDistance | None,
    *,
    change: Change,
    shared_wells: str,
) -> NewLineTrust:
    """What lines held out let expect of this drug in a new line at its distance.

    The expectation is the drug's mean r over the lines, moved by the slope of r on distance, all
    drugs less their means together. The limits are those of a single further line.
    """
    scores = held_out.r[:, held_out.drugs.index(drug)]
    known = np.isfinite(scores)
    n = int(known.sum())
    if distance is not None and distance.too_far:
        words = "The line is farther from every line than any of these from its nearest other."
        return _unknown(n, words)
    if n < FEWEST_LINES:
        return _unknown(n, f"The drug was predicted in {n} lines held out; {FEWEST_LINES} tell.")
    expected, half = _prediction_interval(held_out, scores[known], known, distance)
    low, high = max(expected - half, -1.0), min(expected + half, 1.0)
    light, reasons = _light(expected, low, change, shared_wells)
    mean = float(scores[known].mean())
    first = f"In {n} lines held out the drug was predicted with a mean r of {mean:.2f}."
    return NewLineTrust(expected, low, high, n, light, (first, *reasons))


def _unknown(n: int, words: str) -> NewLineTrust:
    return NewLineTrust(np.nan, np.nan, np.nan, n, TrustLevel.GREY, (words,))


def _prediction_interval(
    held_out: HeldOutLines,
    scores: FloatArray,
    known: BoolArray,
    distance: ProfileDistance | None,
) -> tuple[float, float]:
    """The expected score of a further line, and the half-width of its interval."""
    from scipy.stats import t  # noqa: PLC0415 - slow to load

    n, expected, free = len(scores), float(scores.mean()), len(scores) - 1
    left = scores - expected
    far = held_out.distances[known]
    if distance is not None and np.isfinite(far).all() and far.std() > 0:
        of_line = _means(held_out.r - _means(held_out.r, axis=0), axis=1)
        every = held_out.distances - held_out.distances.mean()
        slope = float((every @ of_line) / (every @ every))
        expected += slope * (float(distance.distances[0]) - float(far.mean()))
        left = left - slope * (far - far.mean())
        free -= 1
    spread = float(np.sqrt(np.square(left).sum() / free * (1 + 1 / n)))
    return float(np.clip(expected, -1, 1)), float(t.ppf((1 + _NOMINAL) / 2, free)) * spread


def _means(values: FloatArray, axis: int) -> FloatArray:
    """Means over what is no NaN; 0 where everything is."""
    counts = np.isfinite(values).sum(axis=axis)
    return np.nansum(values, axis=axis) / np.maximum(counts, 1)


def _light(
    expected: float, low: float, change: Change, shared_wells: str
) -> tuple[TrustLevel, tuple[str, ...]]:
    if change is Change.TOTAL:
        words = "This is the total change: what of it plates and lines share is in it."
        return TrustLevel.GREY, (words,)
    if shared_wells != "no":
        words = (
            "The lines of this atlas share wells, or may: they agree more than a new experiment "
            "would, so how far to trust it there is not known."
        )
        return TrustLevel.GREY, (words,)
    if low > SURELY and expected >= WITHOUT_REPEAT:
        return TrustLevel.GREEN, ()
    if low > 0:
        return TrustLevel.YELLOW, ("The limits hold weak agreement too.",)
    return TrustLevel.GREY, ("The limits hold no agreement at all.",)
