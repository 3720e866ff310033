"""A scorer of blocks says what the metrics say one by one."""

import numpy as np
import pytest

from lgr_core.domain import Change
from lgr_core.errors import InputError, UsageError
from lgr_core.metrics import (
    METRICS,
    SPECIFIC_METRICS,
    ReferenceSet,
    Scorer,
    discrimination_score_cosine,
    score,
)


def world(n: int = 150, genes: int = 2_100, seed: int = 0):
    """Predicted, measured, line mean, lineup and what to take out; ties, zeros, odd rows."""
    rng = np.random.default_rng(seed)
    references = rng.standard_normal((n + 9, genes)).astype(np.float32)
    references[:, ::3] = np.round(references[:, ::3])  # ties and zeros
    references[4] = 0
    truth = rng.permutation(n + 9)[:n]
    measured = references[truth]
    predicted = (measured + rng.standard_normal(measured.shape)).astype(np.float32)
    predicted[3] = 0
    predicted[5, :1_000] = 0
    line_mean = np.broadcast_to(references.mean(axis=0), measured.shape).copy()
    predicted[7] = line_mean[7]
    exclude = rng.random((n, n + 9)) < 0.1
    exclude[np.arange(n), truth] = False
    return predicted, measured, line_mean, ReferenceSet(references, truth), exclude


def test_scorer_equals_the_metrics_one_by_one():
    """Every metric, with ties, zero rows and the line mean itself."""
    predicted, measured, line_mean, references, exclude = world()
    expected = score(
        predicted, measured, line_mean=line_mean, references=references, exclude=exclude
    )
    found = Scorer(measured, line_mean=line_mean, references=references).score(
        predicted, exclude=exclude
    )
    assert list(found) == list(METRICS)
    for name in METRICS:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("genes", [40, 60, 120, 150])
def test_small_panels_are_scored_as_the_metrics_do(genes):
    """Where the tops of both signs meet, or hold every gene."""
    predicted, measured, line_mean, references, exclude = world(30, genes)
    expected = score(
        predicted, measured, line_mean=line_mean, references=references, exclude=exclude
    )
    found = Scorer(measured, line_mean=line_mean, references=references).score(
        predicted, exclude=exclude
    )
    for name in METRICS:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("genes", [40, 60, 2_100])
def test_the_specific_change_has_its_own_metrics(genes):
    """Of specific changes, without a line mean; ties, zero rows and small panels too."""
    predicted, measured, _, references, _ = world(40, genes)
    scorer = Scorer(measured, references=references, change=Change.SPECIFIC)
    found = scorer.score(predicted)
    expected = score(predicted, measured, references=references, change=Change.SPECIFIC)
    assert list(found) == list(SPECIFIC_METRICS)
    for name in SPECIFIC_METRICS:
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-12, err_msg=name)


def test_the_total_change_needs_a_line_mean():
    """Nothing is put in its place."""
    _, measured, _, references, _ = world(20, 60)
    with pytest.raises(UsageError, match="line_mean"):
        Scorer(measured, references=references)


def test_conditions_almost_alike_are_told_apart_as_in_float64():
    """Cosines that differ by less than single precision holds still rank, and ties count half."""
    rng = np.random.default_rng(0)
    true = rng.standard_normal((1, 500))
    near = true + 1e-4 * rng.standard_normal((40, 500))
    deltas = np.vstack([true, near, near[:5], rng.standard_normal((20, 500))])
    references = ReferenceSet(deltas, np.array([0, 3, 41]))
    predicted = deltas[references.truth] + 1e-3 * rng.standard_normal((3, 500))
    measured, line_mean = deltas[references.truth], np.zeros((3, 500))
    found = Scorer(measured, line_mean=line_mean, references=references).score(predicted)
    expected = discrimination_score_cosine(predicted, references)
    np.testing.assert_array_equal(found["discrimination_score_cosine"], expected)
    assert ((expected > 0.5) & (expected < 1)).any()


def test_nothing_retrieved_takes_nothing_out():
    """Both discrimination scores are one then."""
    predicted, measured, line_mean, references, _ = world(20, 60)
    found = Scorer(measured, line_mean=line_mean, references=references).score(predicted)
    whole, rest = (found[f"discrimination_score_cosine{name}"] for name in ("", "_unretrieved"))
    np.testing.assert_array_equal(whole, rest)


def test_other_shapes_are_refused():
    """The message names the array."""
    predicted, measured, line_mean, references, _ = world(20, 60)
    with pytest.raises(InputError, match="line_mean"):
        Scorer(measured, line_mean=line_mean[:3], references=references)
    with pytest.raises(InputError, match="predicted"):
        Scorer(measured, line_mean=line_mean, references=references).score(predicted[:, :9])


def test_what_is_not_finite_is_refused():
    """As the metrics refuse it."""
    predicted, measured, line_mean, references, _ = world(20, 60)
    predicted[0, 0] = np.nan
    with pytest.raises(InputError, match="not finite"):
        Scorer(measured, line_mean=line_mean, references=references).score(predicted)
