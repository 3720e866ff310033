"""The verdict on an atlas's data: what its plates, values and repeats allow."""

import pytest

from lgr_core.atlas.data_verdict import DataStanding, data_verdict
from lgr_core.atlas.quality import quality_report
from lgr_core.domain import ValueKind


def report(separable=1.0, *, known=True, r=()):
    """A quality report as far as the verdict reads it."""
    others = {"min": 1, "median": 10.0, "max": 20} if known else None
    return {
        "plates": {"separable": separable, "other_parents": others},
        "replicates": {"lines": [{"replicate_r": value} for value in r]},
    }


@pytest.mark.parametrize(
    ("given", "standing", "words"),
    [
        (report(r=(0.2, 0.6, 0.4)), "good", "in nearly all conditions; a repeat on another plate"),
        (report(0.7), "partly", "in 70 % of conditions; how well a measurement repeats is not"),
        (report(0.3, r=(0.5,)), "little", "in only 30 % of conditions"),
        (report(0.0), "little", "no plate has 10 other compounds"),
        (report(0.0, known=False), "little", "their plates are not known"),
    ],
)
def test_plates_and_repeats_decide(given, standing, words):
    """In one sentence; the repeat's r is that of the median line."""
    found = data_verdict(given, ValueKind.LOG2FC, simulated=False)
    assert found.standing == DataStanding(standing)
    assert words in found.words
    assert found.words.count(". ") == 0
    if standing == "good":
        assert "r 0.40" in found.words


def test_values_without_amounts_and_simulated_data_are_said():
    """Rank scores order genes; a simulation is never called measured."""
    found = data_verdict(report(), ValueKind.RANK_SCORE, simulated=True)
    assert found.words.startswith("These simulated data allow")
    assert "no amounts" in found.words
    assert "amounts" not in data_verdict(report(), ValueKind.LOG2FC, simulated=False).words


def test_a_report_of_an_atlas_is_judged(toy):
    """As it comes from the atlas."""
    found = data_verdict(quality_report(toy), toy.value_kind, simulated=toy.simulated)
    assert found.standing in DataStanding
    assert found.words.endswith(".")
