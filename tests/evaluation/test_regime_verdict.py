"""The sentences of a regime: each number by hand, each state once."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from lgr_core.domain import Change, WellScope
from lgr_core.evaluation.regime_verdict import regime_verdict
from lgr_core.evaluation.regimes import Regime

REGIME = Regime.UNSEEN_DRUG
NAN = math.nan


def run(means, pairs=(), change="total"):
    """A run of one regime with these means (method: mean) and paired gaps (a, b, gap, limits)."""
    metric = "pearson_delta" if change == "total" else "pearson_specific"
    summary = pd.DataFrame(
        [
            (str(REGIME), name, metric, mean, mean - 0.1, mean + 0.1, 30, 10)
            for name, mean in means.items()
        ],
        columns=["regime", "method", "metric", "mean", "low", "high", "n_queries", "n_undefined"],
    )
    columns = ["regime", "metric", "a", "b", "difference", "low", "high", "win_rate", "n_common"]
    rows = [(str(REGIME), metric, *pair, 0.5, 20) for pair in pairs]
    table = pd.DataFrame(rows, columns=columns)
    config = {"change": change, "regimes": [str(REGIME)]}
    return SimpleNamespace(config=config, summary=summary, pairs=table)


MEANS = {"kriging": 0.6, "lgr_llm": 0.5, "pool_mean": 0.55, "oracle_k": 0.9, "truth": 1.0}
GAP = ("random_k", 0.09, 0.06, 0.13)
SPECIFIC = (Change.SPECIFIC, WellScope.OTHER_WELLS)


def sentences(found, others=None):
    """What is said of a run."""
    return regime_verdict(found, REGIME, others=others or {}).sentences


def test_the_winner_is_no_control():
    """Neither oracle nor truth nor a mean that reads what the winner may not."""
    first = sentences(run(MEANS, [("kriging", "lgr_llm", 0.1, 0.05, 0.15)]))[0]
    assert first == ("Kriging predicts best: Pearson r 0.600 (0.500 to 0.700), higher is better.")


@pytest.mark.parametrize("pair", [("kriging", "lgr_llm", 0.1, -0.05, 0.25), None])
def test_a_winner_that_is_not_told_apart_says_so(pair):
    """By the paired interval, or where there is none."""
    first = sentences(run(MEANS, [] if pair is None else [pair]))[0]
    assert "not told apart from LGR" in first


def test_a_pair_that_is_stored_the_other_way_round_counts():
    """Its sign is turned."""
    first = sentences(run(MEANS, [("lgr_llm", "kriging", -0.1, -0.15, -0.05)]))[0]
    assert "told apart" not in first


def test_the_plate_goes_before_the_pool_and_a_repeat_names_its_kind():
    """With the conditions that have one."""
    more = MEANS | {"plate_mean": 0.52, "replicate_twin": 0.4, "replicate_dose": 0.3}
    second = sentences(run(more))[1]
    assert "plate's other drugs alone scores 0.520" in second
    assert "a repeat scores 0.400 (another form" in second
    assert "20 conditions" in second
    assert "not known" in sentences(run(MEANS))[1]


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (
            [("lgr_llm", "random_k", 0.09, 0.06, 0.13)],
            "0.0900 higher than random ones (0.0600 to 0.130)",
        ),
        (
            [("random_k", "lgr_llm", 0.09, 0.06, 0.13)],
            "0.0900 lower than random ones (0.0600 to 0.130)",
        ),
        ([("lgr_llm", "random_k", 0.01, -0.02, 0.04)], "cannot be told apart from random"),
        (
            [("lgr_llm", "random_k", 0.01, NAN, NAN)],
            "differ from random ones by +0.0100 (no",
        ),
        ([], "not separable in this atlas"),
    ],
)
def test_what_retrieval_adds_is_that_of_the_specific_change(pairs, words):
    """Its difference to random neighbours, in each state."""
    specific = run({"lgr_llm": 0.1}, pairs, change="specific")
    assert words in sentences(run(MEANS), {SPECIFIC: specific})[2]


def test_without_a_run_of_the_specific_change_the_plate_is_the_rival():
    """Of the same run; without that pair nothing is claimed."""
    third = sentences(run(MEANS, [("lgr_llm", "pool_mean", -0.05, -0.08, -0.02)]))[2]
    assert third == (
        "The language model's neighbours score 0.0500 lower than the line's mean "
        "(0.0200 to 0.0800)."
    )
    assert sentences(run(MEANS))[2].startswith("No run here says")


def test_a_specific_run_without_the_regime_does_not_hide_another():
    """Any wells answer where other wells were not asked of this regime."""
    silent = run({}, change="specific")
    silent.config["regimes"] = ["open_world"]
    specific = run({"lgr_llm": 0.1}, [("lgr_llm", "random_k", 0.09, 0.06, 0.13)], "specific")
    others = {SPECIFIC: silent, (Change.SPECIFIC, WellScope.ANY): specific}
    assert "higher than random ones" in sentences(run(MEANS), others)[2]


def test_the_winner_on_other_wells_stands_beside_it():
    """The same method where the drug's own wells are closed."""
    wells = run({"kriging": 0.31})
    first = sentences(run(MEANS), {(Change.TOTAL, WellScope.OTHER_WELLS): wells})[0]
    assert first.endswith("0.310 when the drug's own wells may not be read.")


def test_a_regime_without_scores_has_no_verdict():
    """Controls alone are no answer."""
    assert regime_verdict(run({"pool_mean": 0.5}), REGIME, others={}) is None
