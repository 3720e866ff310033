"""The verdict on a prediction: every state of what may be known of it."""

import re
from itertools import product

import pytest

from lgr_core.prediction.trust import TrustLevel
from pages.predict.verdict import KnownFacts, Standing, verdict_of

NAN = float("nan")
LEVELS = (None, *TrustLevel)
SCORES = (None, NAN, -0.2, 0.0, 0.29, 0.3, 0.59, 0.6, 1.0)
REPEATS = (None, NAN, -0.1, 0.0, 0.5, 0.9)
REASONS = (None, "cannot be separated from its plate (5 other parents, 10 needed)")

EVERY_STATE = [
    KnownFacts(measured, trust, score, repeat, reason, little, simulated)
    for measured, trust, score, repeat, reason, little, simulated in product(
        (False, True), LEVELS, SCORES, REPEATS, REASONS, (False, True), (False, True)
    )
]


def numbers(words):
    """The correlations that a line states."""
    return re.findall(r"-?\d\.\d\d", words)


def test_no_state_sets_two_numbers_against_each_other():
    """At most one correlation is said, whatever is known."""
    for facts in EVERY_STATE:
        assert len(numbers(verdict_of(facts).words)) <= 1, facts


def test_what_is_measured_is_judged_by_its_score_alone():
    """Trust changes nothing; without a truth, score and repeat change nothing."""
    for facts in EVERY_STATE:
        others = LEVELS if facts.measured else (facts.trust,)
        scores = (facts.score,) if facts.measured else SCORES
        for trust, score in product(others, scores):
            again = KnownFacts(
                facts.measured,
                trust,
                score,
                facts.repeat,
                facts.not_separable,
                facts.little_effect,
                facts.simulated,
            )
            assert verdict_of(again) == verdict_of(facts)


def test_each_remark_is_made_if_and_only_if_it_holds():
    """Little effect, no separation with its reason, simulated data."""
    for facts in EVERY_STATE:
        words = verdict_of(facts).words
        assert ("Little effect" in words) == facts.little_effect
        assert ("simulated" in words) == facts.simulated
        assert (REASONS[1] in words) == (facts.not_separable is not None)
        assert ("Not measured" in words) != facts.measured


@pytest.mark.parametrize(
    ("score", "repeat", "standing"),
    [
        (None, None, Standing.UNKNOWN),
        (NAN, 0.9, Standing.UNKNOWN),
        (0.6, None, Standing.GOOD),
        (0.59, None, Standing.FAIR),
        (0.3, NAN, Standing.FAIR),
        (0.29, None, Standing.POOR),
        (-0.2, None, Standing.POOR),
        (0.4, 0.5, Standing.GOOD),
        (0.75, 0.9, Standing.GOOD),
        (0.6, 0.9, Standing.FAIR),
        (0.25, 0.5, Standing.FAIR),
        (0.3, 0.9, Standing.POOR),
        (0.3, 0.29, Standing.UNKNOWN),
        (0.9, 0.0, Standing.UNKNOWN),
        (0.9, -0.1, Standing.UNKNOWN),
    ],
)
def test_a_score_is_judged_by_a_repeat_where_one_is_known(score, repeat, standing):
    """0.8 of it is good, 0.5 fair, and one below 0.3 judges nothing; without one 0.6 and 0.3."""
    found = verdict_of(KnownFacts(measured=True, score=score, repeat=repeat))
    assert found.standing is standing


@pytest.mark.parametrize(
    ("trust", "standing"),
    [
        (None, Standing.UNKNOWN),
        (TrustLevel.GREEN, Standing.GOOD),
        (TrustLevel.YELLOW, Standing.FAIR),
        (TrustLevel.GREY, Standing.UNKNOWN),
    ],
)
def test_without_a_truth_the_trust_leads(trust, standing):
    """And no number is said."""
    found = verdict_of(KnownFacts(trust=trust))
    assert found.standing is standing
    assert numbers(found.words) == []
