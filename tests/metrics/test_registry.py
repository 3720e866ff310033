"""The table, and many metrics at once."""

import numpy as np
import pytest

from lgr_core.domain import Change
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.metrics import METRICS, SPECIFIC_METRICS, Direction, metrics_of, score
from tests.support.metric_cases import X, Y, context_of, random_pairs

OF_PAIRS = [name for name, metric in METRICS.items() if metric.needs == ("measured",)]
TOTAL = [
    "pearson_delta",
    "cosine",
    "mae_delta",
    "mse_delta",
    "sign_accuracy",
    "r2_fit",
    "slope",
    "r2_det",
    "sign_accuracy_nonzero",
    "sign_accuracy_top50",
    "pearson_vs_line_mean",
    "spearman_delta",
    "overlap_at_50",
    "overlap_at_100",
    "discrimination_score_cosine",
    "discrimination_score_cosine_unretrieved",
    "magnitude_ratio",
]
SPECIFIC = [
    "pearson_specific",
    "sign_specific_top50",
    "overlap_specific_at_50",
    "cosine_specific",
    "mse_specific",
    "magnitude_ratio_specific",
    "discrimination_score_cosine_specific",
]
PAPER = ["pearson_delta", "cosine", "mae_delta", "mse_delta", "sign_accuracy", "r2_fit"]


def test_score_is_every_metric_on_its_own():
    """What shares a pass comes out as what is computed alone."""
    x, y = random_pairs()
    context = {"measured": y, **context_of(x, y)}
    together = score(x, y, **context_of(x, y))
    assert list(together) == list(METRICS)
    for name, metric in METRICS.items():
        alone = metric.compute(x, **{key: context[key] for key in metric.needs})
        np.testing.assert_array_equal(together[name], alone, err_msg=name)


def test_score_computes_what_the_context_allows():
    """Without a line mean or a lineup, what needs them is left out, not filled in."""
    x, y = random_pairs(n=2)
    context = context_of(x, y)
    of_line_mean = {"pearson_vs_line_mean", "wmse", "r2_weighted"}
    without = {*of_line_mean, "discrimination_score_cosine_unretrieved"}
    assert list(score(x, y)) == OF_PAIRS
    assert set(score(x, y, references=context["references"])) == set(METRICS) - without


def test_score_keeps_the_order_asked():
    """The ids asked for, in that order, and no others."""
    assert list(score(X, Y, metrics=["slope", "cosine"])) == ["slope", "cosine"]
    assert score(X, Y, metrics=[]) == {}


def test_an_unknown_metric_is_refused_with_the_nearest():
    """A typo is answered with what it may have meant."""
    with pytest.raises(NotFoundError, match=r"Nearest: .*pearson_delta"):
        score(X, Y, metrics=["pearson_dleta"])


def test_a_metric_without_its_context_is_refused():
    """Asked for by name, it is not silently dropped."""
    with pytest.raises(UsageError, match="line_mean not given"):
        score(X, Y, metrics=["pearson_vs_line_mean"])
    with pytest.raises(UsageError, match="exclude and references not given"):
        score(X, Y, metrics=["discrimination_score_cosine_unretrieved"])


def test_the_table_names_the_papers_six():
    """Ids are the keys; six carry the paper's flag."""
    assert [metric.id for metric in METRICS.values()] == list(METRICS)
    assert [name for name, metric in METRICS.items() if metric.paper] == PAPER


def test_the_table_cannot_be_changed():
    """One caller's edit would be everybody's."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        METRICS["mine"] = METRICS["cosine"]


def test_each_change_has_its_own_table():
    """Total ids keep the order of the run folders; no id stands in both tables."""
    total, specific = metrics_of(Change.TOTAL), metrics_of(Change.SPECIFIC)
    assert list(total)[:17] == TOTAL
    assert list(specific) == SPECIFIC
    assert not set(total) & set(specific)
    for change in Change:
        assert {metric.change for metric in metrics_of(change).values()} == {change}


@pytest.mark.parametrize("name", SPECIFIC_METRICS)
def test_a_specific_metric_is_the_total_one_of_specific_changes(name):
    """Same formula, same direction, another id."""
    x, y = random_pairs()
    context = context_of(x, y)
    of = SPECIFIC_METRICS[name].formula_of
    found = score(x, y, **context, metrics=[name], change=Change.SPECIFIC)
    np.testing.assert_array_equal(found[name], score(x, y, **context, metrics=[of])[of])
    assert SPECIFIC_METRICS[name].direction is METRICS[of].direction
    assert not SPECIFIC_METRICS[name].paper


def test_specific_metrics_by_hand():
    """Four genes: r 4/10, cosine 10 / sqrt(14 * 24), MSE 18/4, two of three signs."""
    found = score(X, Y, change=Change.SPECIFIC)
    assert found["pearson_specific"] == pytest.approx([0.4])
    assert found["cosine_specific"] == pytest.approx([10 / np.sqrt(14 * 24)])
    assert found["mse_specific"] == pytest.approx([4.5])
    assert found["sign_specific_top50"] == pytest.approx([2 / 3])
    assert found["magnitude_ratio_specific"] == pytest.approx([np.sqrt(14 / 24)])


def test_a_metric_of_the_other_change_is_refused():
    """A total score under a specific change would be mislabelled."""
    with pytest.raises(UsageError, match="pearson_delta.*change='total'"):
        score(X, Y, metrics=["pearson_delta"], change=Change.SPECIFIC)
    with pytest.raises(UsageError, match="pearson_specific.*change='specific'"):
        score(X, Y, metrics=["pearson_specific"])


@pytest.mark.parametrize("name", METRICS)
def test_the_flag_says_who_depends_on_magnitude(name):
    """Doubling the prediction moves a metric if and only if the table says so."""
    x, y = random_pairs()
    context = context_of(x, y)
    once, twice = score(x, y, **context)[name], score(2 * x, y, **context)[name]
    unmoved = np.allclose(once, twice, rtol=1e-9)
    assert unmoved is not METRICS[name].scale_dependent


@pytest.mark.parametrize("name", METRICS)
def test_the_truth_scores_best_and_noise_worse(name):
    """A perfect prediction has the best value exactly; a noisy one lies on the worse side."""
    x, y = random_pairs()
    context = context_of(x, y)
    metric = METRICS[name]
    np.testing.assert_array_equal(score(y, y, **context)[name], metric.best)
    gap = score(3 * x[::-1], y, **context)[name] - metric.best
    match metric.direction:
        case Direction.HIGHER:
            assert (gap <= 0).all()
        case Direction.LOWER:
            assert (gap >= 0).all()
    assert abs(gap).mean() > 0.1
