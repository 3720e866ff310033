"""The table, and many metrics at once."""

import numpy as np
import pytest
from scored import X, Y, context_of, random_pairs

from lgr_core.errors import NotFoundError, UsageError
from lgr_core.metrics import METRICS, Direction, score

OF_PAIRS = [name for name, metric in METRICS.items() if metric.needs == ("measured",)]
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
    without = {"pearson_vs_line_mean", "discrimination_score_cosine_unretrieved"}
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
    with pytest.raises(UsageError, match="exclude and lineup not given"):
        score(X, Y, metrics=["discrimination_score_cosine_unretrieved"])


def test_the_table_names_the_papers_six():
    """Ids are the keys; six carry the paper's flag."""
    assert [metric.id for metric in METRICS.values()] == list(METRICS)
    assert [name for name, metric in METRICS.items() if metric.paper] == PAPER


def test_the_table_cannot_be_changed():
    """One caller's edit would be everybody's."""
    with pytest.raises(TypeError, match="does not support item assignment"):
        METRICS["mine"] = METRICS["cosine"]


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
