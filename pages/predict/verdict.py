"""The one line that a reader remembers: how far this prediction holds, and why.

A pure function of what is known. Where the truth is known, the score leads and nothing expected is
set against it; where nothing was measured, the trust leads. At most one number is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lgr_core.prediction.trust import TrustLevel
from pages.shared.words import agree_words

ABOUT_A_REPEAT, HALF_A_REPEAT = 0.8, 0.5
"""The part of a repeat's correlation from which a prediction is as good as one, or half as good."""

WELL, PARTLY = 0.6, 0.3
"""Pearson r from which a prediction agrees well, or in part, where no repeat is known."""


class Standing(StrEnum):
    """How far a prediction holds: the colour of its verdict."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What is known of a prediction; None where it is not.

    ``trust`` is what was expected before the truth, ``score`` the Pearson r with the measured
    change that is shown, ``repeat`` the Pearson r that a repeat of the experiment reaches.
    ``not_separable`` says why the drug's own effect cannot be told from its plate's.
    """

    measured: bool = False
    trust: TrustLevel | None = None
    score: float | None = None
    repeat: float | None = None
    not_separable: str | None = None
    little_effect: bool = False
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class PredictionVerdict:
    """A standing, and the sentences that say it."""

    standing: Standing
    sentences: tuple[str, ...]

    @property
    def words(self) -> str:
        """The sentences as one line."""
        return " ".join(self.sentences)


_TRUSTED = {
    TrustLevel.GREEN: (Standing.GOOD, "A new experiment is expected to agree with it."),
    TrustLevel.YELLOW: (Standing.FAIR, "A new experiment is expected to agree with it in part."),
    TrustLevel.GREY: (Standing.UNKNOWN, "Whether a new experiment would agree is not known."),
    None: (Standing.UNKNOWN, "How often predictions like this one are right is not known."),
}


def verdict_of(facts: KnownFacts) -> PredictionVerdict:
    """The verdict on a prediction, from what is known of it alone."""
    standing, lead = _by_score(facts) if facts.measured else _by_trust(facts)
    sentences = [lead]
    if facts.little_effect:
        sentences.append("Little effect is expected of this drug: its genes are grey.")
    if facts.not_separable is not None:
        sentences.append(f"The total change is shown: {facts.not_separable}.")
    if facts.simulated:
        sentences.append("The data are simulated.")
    return PredictionVerdict(standing, tuple(sentences))


def _by_score(facts: KnownFacts) -> tuple[Standing, str]:
    score = facts.score
    if score is None or not math.isfinite(score):
        return Standing.UNKNOWN, "It was measured, but no agreement can be computed."
    if facts.repeat is not None and facts.repeat < PARTLY:
        words = "A repeat of the experiment hardly agrees with it, so it cannot judge a prediction."
        return Standing.UNKNOWN, f"It was measured. {words}"
    if facts.repeat is None or math.isnan(facts.repeat):
        standing = _standing(score, WELL, PARTLY)
        return standing, f"It agrees {agree_words(score)} with the measurement (r {score:.2f})."
    standing = _standing(score / facts.repeat, ABOUT_A_REPEAT, HALF_A_REPEAT)
    words = {
        Standing.GOOD: "about as well as a repeat of the experiment",
        Standing.FAIR: "in part; a repeat of the experiment would agree better",
        Standing.POOR: "far less than a repeat of the experiment",
    }[standing]
    return standing, f"It agrees with the measurement {words} (r {score:.2f})."


def _by_trust(facts: KnownFacts) -> tuple[Standing, str]:
    standing, words = _TRUSTED[facts.trust]
    return standing, f"Not measured here. {words}"


def _standing(value: float, good: float, fair: float) -> Standing:
    if value >= good:
        return Standing.GOOD
    return Standing.FAIR if value >= fair else Standing.POOR
