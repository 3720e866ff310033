"""Where a formula is cell-eval2's or scPertEval's, ours gives the value that theirs gave."""

import json
from pathlib import Path

import numpy as np
import pytest

from lgr_core import metrics
from lgr_core.metrics import METRICS, ReferenceSet, score

FILE = Path(__file__).parents[1] / "reference" / "evaluation_packages.json"
STORED = json.loads(FILE.read_text(encoding="utf-8"))
X, Y, AGAIN, M = (np.array(values) for values in STORED["inputs"].values())


def _ours(predicted):
    lineup = ReferenceSet(Y, np.arange(len(Y)))
    found = score(predicted, Y, line_mean=M, references=lineup)
    return {**found, "mse_noise_corrected": metrics.mse_noise_corrected(predicted, Y, AGAIN)}


def test_versions_are_recorded():
    """Whose values these are."""
    assert STORED["versions"]["cell-eval2"] == "0.20.0"
    assert STORED["versions"]["scperteval"] == "0.2.0"


@pytest.mark.parametrize("name", STORED["cell_eval2"])
def test_agrees_with_cell_eval2(name):
    """Condition by condition."""
    np.testing.assert_allclose(_ours(X)[name], STORED["cell_eval2"][name], rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(STORED["scperteval"]) - {"effect_weights"}))
def test_agrees_with_scperteval(name):
    """Condition by condition; its statistic was y - m."""
    np.testing.assert_allclose(_ours(X)[name], STORED["scperteval"][name], rtol=1e-12)


def test_weights_agree_with_scperteval():
    """Gene by gene."""
    expected = STORED["scperteval"]["effect_weights"]
    np.testing.assert_allclose(metrics.effect_weights(Y, M), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", STORED["calibrators"]["drf"])
@pytest.mark.parametrize(
    ("name", "ours"),
    [("drf", metrics.dynamic_range_fraction), ("bds", metrics.bound_discrimination_score)],
)
def test_the_range_of_a_metric_agrees_with_scperteval(name, ours, metric):
    """A replicate against the mean of all conditions."""
    found = ours(_ours(AGAIN)[metric], _ours(M)[metric], METRICS[metric])
    np.testing.assert_allclose(found, STORED["calibrators"][name][metric], rtol=1e-12)
