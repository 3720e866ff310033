"""The way in: chunks of rows, one row, none, and what is refused."""

import numpy as np
import pytest
from scored import X, Y, context_of, random_pairs

from lgr_core import metrics
from lgr_core.errors import InputError
from lgr_core.metrics import METRICS, score

NAN = float("nan")

OF_PAIRS = [name for name, metric in METRICS.items() if metric.needs == ("measured",)]


@pytest.mark.parametrize("rows", [1, 3, 40, 64])
def test_chunks_leave_no_trace(monkeypatch, rows):
    """40 rows in chunks of 1, 3, exactly 40 and more: the same bits as in one go."""
    x, y = random_pairs()
    context = context_of(x, y)
    whole = score(x, y, **context)
    monkeypatch.setattr(metrics.row_kernels, "CHUNK_VALUES", rows * x.shape[1] + 1)
    for name, scores in score(x, y, **context).items():
        np.testing.assert_array_equal(scores, whole[name], err_msg=name)


def test_more_genes_than_a_chunk_holds(monkeypatch):
    """A row is never split, however long it is."""
    monkeypatch.setattr(metrics.row_kernels, "CHUNK_VALUES", 2)
    assert metrics.pearson_delta([X, Y], [Y, X]) == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize("name", METRICS)
def test_one_vector_is_one_row(name):
    """A (genes,) pair scores as a (1, genes) pair does, and comes back as (1,)."""
    x, y = random_pairs(n=1)
    context = {"measured": y[0], **context_of(x, y)}
    needed = {key: context[key] for key in METRICS[name].needs}
    scores = METRICS[name].compute(x[0], **needed)
    assert scores.shape == (1,)
    np.testing.assert_array_equal(scores, score(x, y, **context_of(x, y))[name])


def test_no_rows_give_no_scores():
    """An empty set of queries is scored, to nothing."""
    x = np.empty((0, 120))
    for name, scores in score(x, x, line_mean=np.ones(120)).items():
        assert scores.shape == (0,), name


def test_inputs_are_left_alone():
    """Kernels overwrite their own copies only, also where no cast makes one."""
    x, y = random_pairs(dtype=np.float64)
    before = x.copy(), y.copy()
    score(x, y, **context_of(x, y))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("name", OF_PAIRS)
@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (np.ones((2, 3)), np.ones((3, 3)), r"predicted is \(2, 3\), measured \(3, 3\)"),
        (np.ones((1, 3)), np.ones(3), "same queries and genes"),
        (np.ones((1, 2, 3)), np.ones((1, 2, 3)), r"predicted is float64 \(1, 2, 3\)"),
        (np.ones((2, 0)), np.ones((2, 0)), "real numbers"),
        (np.array(["a"]), np.array(["a"]), "real numbers"),
        (np.array([1j, 2]), np.array([1, 2]), "real numbers"),
        (np.float64(1), np.float64(1), "real numbers"),
        (np.array([1, NAN]), np.array([1, 2.0]), "predicted holds a value that is not finite"),
        (np.array([1, 2.0]), np.array([1, np.inf]), "measured holds a value that is not finite"),
    ],
)
def test_wrong_input_is_refused(name, x, y, match):
    """Shapes that differ, no genes, text, complex numbers and missing values name themselves."""
    with pytest.raises(InputError, match=match):
        METRICS[name].compute(x, y)


def test_a_missing_value_past_the_first_chunk_is_seen(monkeypatch):
    """Every chunk is checked, not only the first."""
    monkeypatch.setattr(metrics.row_kernels, "CHUNK_VALUES", 300)
    x, y = random_pairs()
    x[-1, -1] = NAN
    with pytest.raises(InputError, match="predicted holds a value that is not finite"):
        metrics.pearson_delta(x, y)


def test_a_wrong_line_mean_is_refused():
    """One mean for all rows or one a row; finite."""
    x, y = random_pairs()
    with pytest.raises(InputError, match=r"line_mean is \(39, 150\)"):
        metrics.pearson_vs_line_mean(x, y, y[1:])
    with pytest.raises(InputError, match="line_mean holds a value that is not finite"):
        metrics.pearson_vs_line_mean(x, y, np.full(150, NAN))
