"""Metrics: values worked by hand, agreement with scipy and scikit-learn, and what is undefined."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as sk

from lgr_core import metrics
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.metrics import METRICS, Direction, Lineup, score

NAN = float("nan")

# Means 1.5 and 1; about them sums xx = 5, yy = 20, xy = 4; about zero 14, 24 and 10.
X = [3.0, 2.0, 1.0, 0.0]
Y = [2.0, 0.0, 4.0, -2.0]

OF_PAIRS = [name for name, metric in METRICS.items() if metric.needs == ("measured",)]
PAPER = ["pearson_delta", "cosine", "mae_delta", "mse_delta", "sign_accuracy", "r2_fit"]
MOMENTS = [*PAPER, "slope", "r2_det", "magnitude_ratio"]


def _pairs(n=40, genes=150, dtype=np.float32, seed=0):
    """Correlated pairs; a quarter of each is exactly zero, and no row is constant."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, genes)) * (rng.random((n, genes)) > 0.25)
    x = (0.6 * y + 0.1 + rng.standard_normal((n, genes))) * (rng.random((n, genes)) > 0.25)
    return x.astype(dtype), y.astype(dtype)


def _context(x, y, seed=1):
    """A line mean, a lineup that holds y among 20 others, and some of these excluded."""
    rng = np.random.default_rng(seed)
    deltas = np.vstack([rng.standard_normal((20, x.shape[1])), y])
    exclude = rng.random((len(x), len(deltas))) < 0.3
    truth = np.arange(20, 20 + len(x))
    exclude[np.arange(len(x)), truth] = False
    lineup = Lineup(deltas=deltas, truth=truth)
    return {"line_mean": y.mean(axis=0) + 0.1, "lineup": lineup, "exclude": exclude}


# --- values worked by hand -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pearson_delta", 4 / 10),
        ("cosine", 10 / np.sqrt(14 * 24)),
        ("mae_delta", (1 + 2 + 3 + 2) / 4),
        ("mse_delta", (1 + 4 + 9 + 4) / 4),
        ("sign_accuracy", 2 / 4),
        ("sign_accuracy_nonzero", 2 / 3),
        ("r2_fit", 0.16),
        ("slope", 4 / 5),
        ("r2_det", 1 - 18 / 20),
        ("magnitude_ratio", np.sqrt(14 / 24)),
    ],
)
def test_by_hand(name, value):
    """Four genes, every sum small enough to check on paper."""
    assert METRICS[name].compute(X, Y) == pytest.approx([value], abs=1e-12)


def test_two_silent_genes_agree_for_the_paper_only():
    """Two zeros are the same sign to the paper; the stricter share asks for genes that changed."""
    x, y = [0, 0, 0, 1, -1], [0, 0, 1, 0, -2]
    assert metrics.sign_accuracy(x, y) == pytest.approx([3 / 5])
    assert metrics.sign_accuracy_nonzero(x, y) == pytest.approx([1 / 2])


def test_slope_is_of_measured_on_predicted():
    """A prediction at half the magnitude has slope 2, not a half."""
    assert metrics.slope([1, 2, 3], [2, 4, 6]) == pytest.approx([2.0])
    assert metrics.magnitude_ratio([1, 2, 3], [2, 4, 6]) == pytest.approx([0.5])


def test_r2_det_is_negative_where_the_mean_fits_better():
    """SST is taken about the measured mean: 1 - 8/2."""
    assert metrics.r2_det([3, 2, 1], [1, 2, 3]) == pytest.approx([-3.0])


def test_spearman_gives_ties_their_mean_rank():
    """Ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4): 4.5 / sqrt(4.5 * 5)."""
    rho = metrics.spearman_delta([0, 1, 1, 100], [-5, 2, 1, 3])
    assert rho == pytest.approx([4.5 / np.sqrt(4.5 * 5)])


def test_pearson_vs_line_mean_takes_the_mean_off_both():
    """From x - m = (1, 2, 1, 0) and y - m = (0, 0, 4, -2), about their means 2 / sqrt(2 * 19)."""
    r = metrics.pearson_vs_line_mean(X, Y, [2, 0, 0, 0])
    assert r == pytest.approx([2 / np.sqrt(38)])


def test_pearson_vs_line_mean_takes_one_mean_or_one_a_row():
    """A mean given for all rows is the same as its copies."""
    x, y = _pairs()
    m = y.mean(axis=0)
    shared = metrics.pearson_vs_line_mean(x, y, m)
    np.testing.assert_array_equal(shared, metrics.pearson_vs_line_mean(x, y, np.tile(m, (40, 1))))
    assert metrics.pearson_vs_line_mean(x[:1], y[:1], m) == pytest.approx(
        [stats.pearsonr(x[0] - m, y[0] - m).statistic], abs=1e-6
    )


def test_overlap_counts_genes_in_both_tops():
    """Tops 0-49 and 20-69 share 30 of 50; tops 0-99 and 20-119 share 80 of 100."""
    gene = np.arange(120)
    x = (120 - gene) * (-1.0) ** gene
    y = 120.0 - (gene - 20) % 120
    assert metrics.overlap_at_50(x, y) == pytest.approx([30 / 50])
    assert metrics.overlap_at_100(x, y) == pytest.approx([80 / 100])


def test_genes_tied_for_the_last_places_share_them():
    """Ten genes stand out in x, 90 share 40 places: 10 + 40 * 40/90 of y's top are met."""
    x, y = np.zeros(100), 100.0 - np.arange(100)
    x[:10] = 5
    assert metrics.overlap_at_50(x, y) == pytest.approx([(10 + 40 * 40 / 90) / 50])


def test_a_sparse_truth_overlaps_itself_in_full():
    """Shared places are met by equal shares, so that a perfect prediction stays perfect."""
    y = np.zeros(100)
    y[:10] = 5
    assert metrics.overlap_at_50(y, y) == pytest.approx([1.0])


def test_overlap_does_not_hang_on_the_order_of_genes():
    """A sparse prediction scores the same however the columns stand."""
    x, y = _pairs(genes=120)
    x[:, 30:] = 0
    order = np.random.default_rng(2).permutation(120)
    shuffled = metrics.overlap_at_50(x[:, order], y[:, order])
    np.testing.assert_allclose(metrics.overlap_at_50(x, y), shuffled, rtol=1e-12)


def test_sign_accuracy_top50_looks_at_the_largest_measured():
    """Ten of the top 50 signs are wrong; ten more outside are of no account."""
    y = (60.0 - np.arange(60)) * (-1.0) ** np.arange(60)
    x = y / 100
    x[:10] *= -1
    x[50:] *= -1
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([40 / 50])


def test_sign_accuracy_top50_shares_tied_places():
    """20 tied genes share 10 places; five of them right add 2.5 to the 40 above."""
    y = np.where(np.arange(60) < 40, 100.0, 1.0)
    x = np.where(np.arange(60) < 45, 1.0, -1.0)
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([42.5 / 50])


def test_sign_accuracy_top50_leaves_silent_genes_out():
    """Where four genes changed, silence predicted for the other 56 earns nothing: two of four."""
    x, y = np.zeros(60), np.zeros(60)
    y[:4] = [1, -2, 3, -4]
    x[:2] = [1, -1]
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([2 / 4])


# --- discrimination ------------------------------------------------------------------------------


def _at(*degrees):
    angle = np.radians(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def test_discrimination_by_hand():
    """From 40 degrees the order of four conditions is 30, 60, 0, 90: ranks 0 to 3 of 4."""
    lineup = Lineup(deltas=_at(30, 60, 0, 90), truth=np.arange(4))
    scores = metrics.discrimination_score_cosine(_at(40, 40, 40, 40), lineup)
    assert scores == pytest.approx([1, 0.75, 0.5, 0.25])


def test_discrimination_without_the_retrieved():
    """With 30 degrees taken out, 60 is first of three and 90 last of three."""
    lineup = Lineup(deltas=_at(30, 60, 0, 90), truth=np.array([1, 3]))
    exclude = np.array([[True, False, False, False]] * 2)
    scores = metrics.discrimination_score_cosine(_at(40, 40), lineup, exclude=exclude)
    assert scores == pytest.approx([1, 1 / 3])


def test_discrimination_ignores_length():
    """Cosine distance sees direction only, of the prediction and of the conditions."""
    lineup = Lineup(deltas=_at(30, 60, 0, 90) * [[1], [9], [50], [0.1]], truth=np.array([1]))
    assert metrics.discrimination_score_cosine(_at(40) * 1e-13, lineup) == pytest.approx([0.75])


def test_discrimination_counts_a_tie_half():
    """A condition in the true one's direction cannot be told from it: rank 1/2 of 3."""
    lineup = Lineup(deltas=np.array([[1.0, 0], [2, 0], [0, 1]]), truth=np.array([0]))
    scores = metrics.discrimination_score_cosine([3.0, 0.1], lineup)
    assert scores == pytest.approx([1 - 0.5 / 3])


def test_discrimination_puts_a_silent_condition_at_a_right_angle():
    """A zero delta has cosine 0, as scikit-learn has it: nearer than an opposite truth."""
    lineup = Lineup(deltas=np.array([[-1.0, 0], [0, 0]]), truth=np.array([0]))
    assert metrics.discrimination_score_cosine([1.0, 0], lineup) == pytest.approx([0.5])


def test_discrimination_is_cell_evals_where_nothing_ties():
    """The published formula: 1 - (place of the true condition in argsort of distances) / n."""
    x, y = _pairs()
    x = x[::-1]  # another query's prediction: the places spread
    context = _context(x, y)
    deltas, truth = context["lineup"].deltas, context["lineup"].truth
    distances = sk.pairwise_distances(x.astype(np.float64), deltas, metric="cosine")
    places = [np.flatnonzero(np.argsort(d) == t)[0] for d, t in zip(distances, truth, strict=True)]
    scores = metrics.discrimination_score_cosine(x, context["lineup"])
    assert scores == pytest.approx(1 - np.array(places) / len(deltas))
    assert len(set(places)) > 10


@pytest.mark.parametrize(
    ("x", "deltas", "exclude"),
    [
        ([0.0, 0], [[1.0, 0], [0, 1]], None),
        ([1.0, 0], [[0.0, 0], [0, 1]], None),
        ([1.0, 0], [[1.0, 0]], None),
        ([1.0, 0], [[1.0, 0], [0, 1]], [[False, True]]),
    ],
    ids=["zero prediction", "zero truth", "alone", "all others excluded"],
)
def test_discrimination_is_undefined_where_order_means_nothing(x, deltas, exclude):
    """No direction, or nobody to be told from, is NaN."""
    lineup = Lineup(deltas=np.array(deltas), truth=np.array([0]))
    mask = None if exclude is None else np.array(exclude)
    assert np.isnan(metrics.discrimination_score_cosine(x, lineup, exclude=mask)).all()


@pytest.mark.parametrize(
    ("exclude", "match"),
    [
        ([[True, False]], "true condition is excluded"),
        ([[False, False, False]], "asks for bool"),
        ([[0, 1]], "asks for bool"),
    ],
)
def test_a_wrong_mask_is_refused(exclude, match):
    """The mask is boolean, one flag a condition, and never hides the truth."""
    lineup = Lineup(deltas=np.eye(2), truth=np.array([0]))
    with pytest.raises(InputError, match=match):
        metrics.discrimination_score_cosine([1.0, 0], lineup, exclude=np.array(exclude))


@pytest.mark.parametrize(
    ("deltas", "truth", "match"),
    [
        (np.eye(2), np.array([2]), "outside its 2 conditions"),
        (np.eye(2), np.array([-1]), "outside its 2 conditions"),
        (np.eye(2), np.array([0.0]), "row numbers"),
        (np.eye(2), np.array([[0]]), "row numbers"),
        (np.ones(2), np.array([0]), "row numbers"),
        (np.array([[1, NAN]]), np.array([0]), "not finite"),
        (np.array([[b"a"]]), np.array([0]), "real numbers"),
    ],
)
def test_a_lineup_is_validated_at_birth(deltas, truth, match):
    """Row numbers that point nowhere and deltas that are none never become a lineup."""
    with pytest.raises(InputError, match=match):
        Lineup(deltas=deltas, truth=truth)


def test_a_prediction_must_fit_its_lineup():
    """As many genes as the conditions, and a true row for each query."""
    lineup = Lineup(deltas=np.eye(2), truth=np.array([0]))
    with pytest.raises(InputError, match="same genes"):
        metrics.discrimination_score_cosine([1.0, 0, 0], lineup)
    with pytest.raises(InputError, match="2 predictions, 1 true rows"):
        metrics.discrimination_score_cosine(np.eye(2), lineup)


# --- agreement with scipy and scikit-learn -------------------------------------------------------

REFERENCES = {
    "pearson_delta": lambda x, y: stats.pearsonr(x, y).statistic,
    "cosine": lambda x, y: sk.pairwise.cosine_similarity(x[None], y[None])[0, 0],
    "mae_delta": lambda x, y: sk.mean_absolute_error(y, x),
    "mse_delta": lambda x, y: sk.mean_squared_error(y, x),
    "sign_accuracy": lambda x, y: np.mean(np.sign(x) == np.sign(y)),
    "sign_accuracy_nonzero": lambda x, y: sk.accuracy_score(np.sign(y[y != 0]), np.sign(x[y != 0])),
    "r2_fit": lambda x, y: stats.linregress(x, y).rvalue ** 2,
    "slope": lambda x, y: stats.linregress(x, y).slope,
    "r2_det": lambda x, y: sk.r2_score(y, x),
    "spearman_delta": lambda x, y: stats.spearmanr(x, y).statistic,
    "magnitude_ratio": lambda x, y: np.linalg.norm(x) / np.linalg.norm(y),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REFERENCES)
def test_agrees_with_scipy_and_scikit_learn(name, dtype):
    """Row by row, on what the library says of the same numbers in float64."""
    x, y = _pairs(dtype=dtype)
    wide = zip(x.astype(np.float64), y.astype(np.float64), strict=True)
    expected = [REFERENCES[name](a, b) for a, b in wide]
    np.testing.assert_allclose(METRICS[name].compute(x, y), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["pearson_delta", "r2_fit", "slope", "r2_det", "spearman_delta"])
def test_a_large_common_offset_costs_no_digits(name):
    """Values 1e6 away from zero correlate as they do near it: sums are taken about the mean."""
    x, y = _pairs(dtype=np.float64)
    near = METRICS[name].compute(x, y)
    np.testing.assert_allclose(METRICS[name].compute(x + 1e6, y + 1e6), near, rtol=0, atol=1e-6)


def test_sums_are_float64_whatever_comes_in():
    """2^24 + 1 is lost in float32: its mean over two genes would come out too small."""
    x = np.array([[2.0**24, 1.0]], dtype=np.float32)
    mae = metrics.mae_delta(x, np.zeros_like(x))
    assert mae.dtype == np.float64
    assert mae[0] == (2**24 + 1) / 2


# --- what is undefined ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e-7])
@pytest.mark.parametrize("name", ["pearson_delta", "r2_fit", "slope", "spearman_delta"])
def test_a_constant_vector_correlates_with_nothing(name, value):
    """NaN on either side and on both, never 0, also where the mean of a constant is rounded."""
    constant, varied = np.full(2001, value), np.arange(2001.0)
    rows = [constant, varied, constant], [varied, constant, constant]
    assert np.isnan(METRICS[name].compute(*map(np.array, rows))).all()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("cosine", [0, 0, 0], [1, 2, 3]),
        ("cosine", [1, 2, 3], [0, 0, 0]),
        ("r2_det", [1, 2, 3], [4, 4, 4]),
        ("magnitude_ratio", [1, 2, 3], [0, 0, 0]),
        ("sign_accuracy_nonzero", [1, 2, 3], [0, 0, 0]),
        ("sign_accuracy_top50", [1, 2, 3], [0, 0, 0]),
    ],
)
def test_a_division_by_zero_is_nan(name, x, y):
    """What the formula cannot say is not said, and nothing is warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(METRICS[name].compute(x, y)).all()


@pytest.mark.parametrize("name", ["overlap_at_50", "overlap_at_100"])
def test_overlap_needs_a_top(name):
    """All genes tied, in x or in y, or a panel no larger than the top: nothing to overlap."""
    flat, steep = np.where(np.arange(120) % 2, 1.0, -1.0), np.arange(120.0)
    k = int(name.rsplit("_", 1)[1])
    compute = METRICS[name].compute
    assert np.isnan(compute([flat, steep], [steep, flat])).all()
    assert np.isnan(compute(steep[:k], steep[:k]))
    assert compute(steep[: k + 1], steep[: k + 1]) == [1.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mae_delta", 2.0),
        ("mse_delta", 6.0),
        ("sign_accuracy", 0.25),
        ("sign_accuracy_nonzero", 0.0),
        ("r2_det", 1 - 24 / 20),
        ("magnitude_ratio", 0.0),
    ],
)
def test_a_prediction_of_no_effect_is_scored_where_it_can_be(name, value):
    """Zero is a prediction: errors, signs and lengths are defined for it."""
    assert METRICS[name].compute([0, 0, 0, 0], Y) == pytest.approx([value])


def test_the_line_mean_itself_has_no_drug_effect():
    """Up to 1e-5 of its norm away a prediction is the mean, rounded; beyond, it is scored."""
    _, y = _pairs()
    m = y.mean(axis=0, dtype=np.float64)
    step = np.random.default_rng(3).standard_normal(m.shape)
    step *= np.linalg.norm(m) / np.linalg.norm(step)
    near = metrics.pearson_vs_line_mean(m + 0.9e-5 * step, y[0], m)
    far = metrics.pearson_vs_line_mean(m + 1.1e-5 * step, y[0], m)
    rounded = metrics.pearson_vs_line_mean(m.astype(np.float32), y[0], m)
    assert np.isnan([*near, *rounded]).all()
    assert far == pytest.approx([stats.pearsonr(step, y[0] - m).statistic], abs=1e-6)


def test_a_measurement_equal_to_the_line_mean_is_undefined_too():
    """Correlating with rounding noise would be finite, and mean nothing."""
    x, y = _pairs()
    m = y[0].astype(np.float64) * (1 + 1e-7)
    assert np.isnan(metrics.pearson_vs_line_mean(x[0], y[0], m))


def test_a_line_mean_of_zero_changes_nothing():
    """With m = 0 the metric is Pearson's r."""
    x, y = _pairs()
    r = metrics.pearson_vs_line_mean(x, y, np.zeros(x.shape[1]))
    np.testing.assert_allclose(r, metrics.pearson_delta(x, y), rtol=1e-12)


# --- rows, chunks and input ----------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 40, 64])
def test_chunks_leave_no_trace(monkeypatch, rows):
    """40 rows in chunks of 1, 3, exactly 40 and more: the same bits as in one go."""
    x, y = _pairs()
    context = _context(x, y)
    whole = score(x, y, **context)
    monkeypatch.setattr(metrics, "CHUNK_VALUES", rows * x.shape[1] + 1)
    for name, scores in score(x, y, **context).items():
        np.testing.assert_array_equal(scores, whole[name], err_msg=name)


def test_more_genes_than_a_chunk_holds(monkeypatch):
    """A row is never split, however long it is."""
    monkeypatch.setattr(metrics, "CHUNK_VALUES", 2)
    assert metrics.pearson_delta([X, Y], [Y, X]) == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize("name", METRICS)
def test_one_vector_is_one_row(name):
    """A (genes,) pair scores as a (1, genes) pair does, and comes back as (1,)."""
    x, y = _pairs(n=1)
    context = {"measured": y[0], **_context(x, y)}
    needed = {key: context[key] for key in METRICS[name].needs}
    scores = METRICS[name].compute(x[0], **needed)
    assert scores.shape == (1,)
    np.testing.assert_array_equal(scores, score(x, y, **_context(x, y))[name])


def test_no_rows_give_no_scores():
    """An empty set of queries is scored, to nothing."""
    x = np.empty((0, 120))
    for name, scores in score(x, x, line_mean=np.ones(120)).items():
        assert scores.shape == (0,), name


def test_inputs_are_left_alone():
    """Kernels overwrite their own copies only, also where no cast makes one."""
    x, y = _pairs(dtype=np.float64)
    before = x.copy(), y.copy()
    score(x, y, **_context(x, y))
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
    monkeypatch.setattr(metrics, "CHUNK_VALUES", 300)
    x, y = _pairs()
    x[-1, -1] = NAN
    with pytest.raises(InputError, match="predicted holds a value that is not finite"):
        metrics.pearson_delta(x, y)


def test_a_wrong_line_mean_is_refused():
    """One mean for all rows or one a row; finite."""
    x, y = _pairs()
    with pytest.raises(InputError, match=r"line_mean is \(39, 150\)"):
        metrics.pearson_vs_line_mean(x, y, y[1:])
    with pytest.raises(InputError, match="line_mean holds a value that is not finite"):
        metrics.pearson_vs_line_mean(x, y, np.full(150, NAN))


# --- score and the table -------------------------------------------------------------------------


def test_score_is_every_metric_on_its_own():
    """What shares a pass comes out as what is computed alone."""
    x, y = _pairs()
    context = {"measured": y, **_context(x, y)}
    together = score(x, y, **_context(x, y))
    assert list(together) == list(METRICS)
    for name, metric in METRICS.items():
        alone = metric.compute(x, **{key: context[key] for key in metric.needs})
        np.testing.assert_array_equal(together[name], alone, err_msg=name)


def test_score_computes_what_the_context_allows():
    """Without a line mean or a lineup, what needs them is left out, not filled in."""
    x, y = _pairs(n=2)
    context = _context(x, y)
    without = {"pearson_vs_line_mean", "discrimination_score_cosine_unretrieved"}
    assert list(score(x, y)) == OF_PAIRS
    assert set(score(x, y, lineup=context["lineup"])) == set(METRICS) - without


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
    x, y = _pairs()
    context = _context(x, y)
    once, twice = score(x, y, **context)[name], score(2 * x, y, **context)[name]
    unmoved = np.allclose(once, twice, rtol=1e-9)
    assert unmoved is not METRICS[name].scale_dependent


@pytest.mark.parametrize("name", METRICS)
def test_the_truth_scores_best_and_noise_worse(name):
    """A perfect prediction has the best value exactly; a noisy one lies on the worse side."""
    x, y = _pairs()
    context = _context(x, y)
    metric = METRICS[name]
    np.testing.assert_array_equal(score(y, y, **context)[name], metric.best)
    gap = score(3 * x[::-1], y, **context)[name] - metric.best
    match metric.direction:
        case Direction.HIGHER:
            assert (gap <= 0).all()
        case Direction.LOWER:
            assert (gap >= 0).all()
    assert abs(gap).mean() > 0.1


# --- properties ----------------------------------------------------------------------------------

EIGHTHS = st.integers(-800, 800).map(lambda i: i / 8)
ROWS = arrays(np.float64, (3, 12), elements=EIGHTHS)


@settings(deadline=None)
@given(x=ROWS, y=ROWS, a=st.floats(1e-3, 1e3), b=st.floats(1e-3, 1e3))
def test_shape_alone_decides_pearson_and_cosine(x, y, a, b):
    """Any positive scale of either side leaves them as they are, and NaN where they were NaN."""
    for metric in (metrics.pearson_delta, metrics.cosine, metrics.spearman_delta):
        np.testing.assert_allclose(metric(a * x, b * y), metric(x, y), atol=1e-9)


def test_rounding_takes_no_correlation_past_one():
    """Of 500 scaled copies some would come out above 1 by the last bit."""
    _, y = _pairs(n=500, dtype=np.float64)
    for metric in (metrics.pearson_delta, metrics.cosine, metrics.r2_fit):
        assert metric(0.1 * y, y).max() == 1.0


@settings(deadline=None)
@given(x=ROWS, y=ROWS)
def test_scores_stay_within_their_bounds(x, y):
    """Correlations in [-1, 1], shares in [0, 1], R2 at most 1, whatever the rounding."""
    scores = score(x, y)
    for name in ("pearson_delta", "cosine", "spearman_delta"):
        assert not (np.abs(scores[name]) > 1).any()
    for name in ("sign_accuracy", "sign_accuracy_nonzero", "sign_accuracy_top50", "r2_fit"):
        assert not ((scores[name] < 0) | (scores[name] > 1)).any()
    assert not (scores["r2_det"] > 1).any()


@settings(deadline=None)
@given(y=ROWS)
def test_a_perfect_prediction_is_best_or_undefined(y):
    """No rounding takes the truth off a metric's best value."""
    scores = score(y, y)
    for name in MOMENTS:
        defined = scores[name][~np.isnan(scores[name])]
        np.testing.assert_allclose(defined, METRICS[name].best, atol=1e-12)
    assert not np.isnan(scores["mse_delta"]).any()
