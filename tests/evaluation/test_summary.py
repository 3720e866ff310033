"""Means, intervals and paired differences: values by hand, coverage of planted truths, accounts."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation import bootstrap
from lgr_core.evaluation.bootstrap import Resamples, estimate
from lgr_core.evaluation.paired_comparison import distinguishable
from lgr_core.evaluation.summary import (
    compare,
    compare_all,
    compare_slices,
    slice_by,
    summarise,
    tertiles,
)

NAN = float("nan")
FAST = {"n_boot": 100}


def _scores(methods, *, lines=6, regime="unseen_cell_line", metric="pearson_delta", k_used=10):
    """A table from each method's values, one a query: query i is drug i // lines in line i % lines.

    A value of None is a row that is not there.
    """
    rows = []
    for method, values in methods.items():
        ks = k_used[method] if isinstance(k_used, dict) else [k_used] * len(values)
        for i, (value, k) in enumerate(zip(values, ks, strict=True)):
            line, drug = f"c{i % lines}", f"d{i // lines}"
            names = (regime, method, line, f"parent of {drug}", drug)
            rows.append((*names, 5.0, metric, value, "ok", k, None))
    columns = "regime method cell_line parent drug dose_um metric value status k_used fallback"
    table = pd.DataFrame(rows, columns=columns.split())
    gone = [value is None for values in methods.values() for value in values]
    return table[~np.array(gone, dtype=bool)].astype({"value": float})


def _random(names, *, parents=8, lines=8, seed=0, **options):
    """Random values for these methods in every parent and line, a tenth of them undefined."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((len(names), parents * lines))
    values[rng.random(values.shape) < 0.1] = NAN
    return _scores(dict(zip(names, values, strict=True)), lines=lines, **options)


def _only(table, **where):
    """The one row of a table that answers to these."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


# --- the bootstrap itself, worked by hand --------------------------------------------------------


def test_one_way_weighs_a_query_as_often_as_its_cluster_was_drawn():
    """Clusters {1, 2} and {6}: drawn twice and never they sum to 6, once each to 9."""
    resamples = Resamples((np.array([0, 0, 1]),), (np.array([[2.0, 0.0], [1.0, 1.0]]),))
    assert resamples.sums(np.array([[1.0], [2.0], [6.0]])).tolist() == [[6.0], [9.0]]


def test_two_ways_weigh_a_query_by_the_product():
    """Rows drawn (2, 0) and columns (0, 2) leave one cell of four, four times.

    Rows drawn once each and columns (2, 0) leave the first column, twice.
    """
    codes = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    draws = np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0], [2.0, 0.0]])
    sums = Resamples(codes, draws).sums(np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert sums.tolist() == [[4 * 2.0], [2 * (1.0 + 3.0)]]


@pytest.mark.parametrize("chunk", [1, 5_000, 1 << 21])
def test_sums_are_those_of_a_plain_loop(monkeypatch, chunk):
    """The matrix products, in chunks of any size, give what weighing query by query gives."""
    monkeypatch.setattr(bootstrap, "CHUNK_VALUES", chunk)
    rng = np.random.default_rng(0)
    ways = rng.integers(7, size=90), rng.integers(4, size=90)
    values = rng.standard_normal((90, 11))
    resamples = Resamples.draw(ways, n_boot=100)
    plain = [
        sum(values[i] * resamples.draws[0][b, p] * resamples.draws[1][b, c]
            for i, (p, c) in enumerate(zip(*ways, strict=True)))
        for b in range(100)
    ]  # fmt: skip
    np.testing.assert_allclose(resamples.sums(values), plain, atol=1e-12)


def test_each_resample_draws_as_many_clusters_as_there_are():
    """Multiplicities are whole, sum to the number of clusters, and average one each."""
    (draws,) = Resamples.draw([np.arange(10)], n_boot=2_000).draws
    assert (draws == draws.round()).all()
    assert (draws.sum(axis=1) == 10).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(10), abs=0.1)
    assert draws.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.15)


def test_the_two_ways_are_drawn_independently():
    """Two ways of as many clusters share no draws: their multiplicities do not correlate."""
    first, second = Resamples.draw([np.arange(10)] * 2, n_boot=2_000).draws
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03


def test_the_interval_is_the_percentile_one():
    """Resampled means 1, 3 and 5 have their 2.5 % point at 1.1 and their 97.5 % point at 4.9."""
    draws = np.array([[5.0, 0, 0, 0, 0], [1.0, 1, 1, 1, 1], [0.0, 0, 0, 0, 5]])
    found = estimate(np.arange(1.0, 6.0)[:, None], Resamples((np.arange(5),), (draws,)))
    assert (found.mean[0], found.low[0], found.high[0]) == pytest.approx((3.0, 1.1, 4.9))


def test_resamples_without_a_defined_value_are_left_out():
    """A resample of nothing but the sixth cluster says nothing of a column undefined there."""
    draws = np.array([[6.0, 0, 0, 0, 0, 0], [0.0, 0, 0, 0, 0, 6], [0.0, 0, 0, 0, 6, 0]])
    values = np.array([1.0, 2, 3, 4, 5, NAN])[:, None]
    found = estimate(values, Resamples((np.arange(6),), (draws,)))
    assert (found.low[0], found.high[0]) == pytest.approx((1.1, 4.9))


def test_noise_of_the_queries_counts_three_times_two_ways():
    """Without effects of line or parent the pigeonhole variance is three times the true one (Owen).

    The true variance of the mean of 900 unit normals is 1/900; the half-width is 1.96 sd.
    """
    noise = np.random.default_rng(0).standard_normal((900, 60))
    parent, line = np.divmod(np.arange(900), 30)
    found = estimate(noise, Resamples.draw([parent, line], n_boot=1_000))
    sd = (found.high - found.low) / (2 * 1.96)
    assert np.mean(sd**2) * 900 == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("options", [{"n_boot": 99}, {"seed": -1}])
def test_senseless_bootstraps_are_refused(options):
    """Too few resamples for a 2.5 % tail, or a negative seed."""
    with pytest.raises(UsageError, match="100 or more, and a seed from 0"):
        summarise(_scores({"a": [1.0] * 6}), **options)


def test_three_ways_are_refused():
    """One or two ways of clustering are what is implemented."""
    ways = {"unseen_cell_line": ("cell_line", "parent", "drug")}
    with pytest.raises(UsageError, match="3 ways of clustering"):
        summarise(_scores({"a": [1.0] * 6}), clusters=ways, **FAST)


# --- coverage of planted truths ------------------------------------------------------------------


def _worlds(regime, *, parents, lines, parent_sd, n_worlds=400):
    """Worlds of true mean 0 as methods: effects of line (sd 1) and parent, and noise of sd 1."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal((n_worlds, parents, lines))
    values += rng.standard_normal((n_worlds, 1, lines))
    values += parent_sd * rng.standard_normal((n_worlds, parents, 1))
    world, parent, line = (index.ravel() for index in np.indices(values.shape))
    columns = {"method": world, "parent": parent, "drug": parent, "cell_line": line}
    return pd.DataFrame(columns).assign(
        regime=regime,
        dose_um=5.0,
        metric="pearson_delta",
        value=values.ravel(),
        query=parent * lines + line,
    )


def _coverage(scores, *ways):
    """The share of worlds whose interval holds the truth when these columns are resampled."""
    found = summarise(scores, n_boot=500, clusters=dict.fromkeys(scores["regime"].unique(), ways))
    return ((found["low"] < 0) & (found["high"] > 0)).mean()


def test_two_way_intervals_cover_planted_line_and_parent_effects():
    """95 % intervals hold the truth in about 95 % of 400 worlds; one way alone, or none, does not.

    The mean has variance 1/25 + 1/25 + 1/625 = 0.082; lines alone would give it half of that, and
    queries taken singly 3/625, a quarter of its standard deviation.
    """
    scores = _worlds("unseen_drug", parents=25, lines=25, parent_sd=1.0)
    assert 0.91 <= _coverage(scores, "parent", "cell_line") <= 0.98
    assert _coverage(scores, "cell_line") < 0.88
    assert _coverage(scores, "query") < 0.55


def test_line_intervals_cover_planted_line_effects():
    """Where lines alone are new, resampling lines covers and resampling queries does not."""
    scores = _worlds("unseen_cell_line", parents=10, lines=50, parent_sd=0.0)
    assert 0.91 <= _coverage(scores, "cell_line") <= 0.98
    assert _coverage(scores, "query") < 0.70


def test_each_regime_has_its_own_ways():
    """Unseen drugs and the open world are resampled two ways, unseen lines by line."""
    parts = [
        _random(["a"], regime=regime)
        for regime in ("unseen_drug", "open_world", "unseen_cell_line", "unseen_cell_line_strict")
    ]
    found = summarise(pd.concat(parts), **FAST).set_index("regime")["clusters"].to_dict()
    assert found == {
        "open_world": "8 parent x 8 cell_line",
        "unseen_cell_line": "8 cell_line",
        "unseen_cell_line_strict": "8 cell_line",
        "unseen_drug": "8 parent x 8 cell_line",
    }


# --- each method's own mean ----------------------------------------------------------------------


def test_undefined_scores_are_counted_and_never_zero():
    """Of eight queries one is NaN and one has no row: the mean is that of the six others."""
    methods = {"a": [1.0, 2, 3, 4, 5, 9, NAN, None], "b": [0.0] * 8}
    row = _only(summarise(_scores(methods, lines=8), **FAST), method="a")
    assert row["mean"] == 4.0
    assert (row["n_queries"], row["n_undefined"], row["coverage"]) == (8, 2, 0.75)
    assert (row["n_clusters"], row["note"]) == (6, "")
    assert 1.0 <= row["low"] < 4.0 < row["high"] <= 9.0


def test_a_method_that_does_not_apply_is_a_row_without_a_number():
    """All NaN: nothing defined, coverage 0, no mean, no interval, and said."""
    methods = {"chemcpa": [NAN] * 6, "b": [0.5] * 6}
    row = _only(summarise(_scores(methods), **FAST), method="chemcpa")
    assert (row["n_undefined"], row["coverage"], row["n_clusters"]) == (6, 0.0, 0)
    assert row[["mean", "low", "high"]].isna().all()
    assert row["note"] == "no query with a value"


def test_regimes_methods_and_metrics_are_kept_apart():
    """Eight constants in two regimes of two methods and two metrics come back in their places."""
    places = [
        (regime, metric)
        for regime in ("unseen_cell_line", "unseen_cell_line_strict")
        for metric in ("cosine", "mae_delta")
    ]
    parts = [
        _scores({"a": [n] * 6, "b": [n + 10.0] * 6}, regime=regime, metric=metric)
        for n, (regime, metric) in enumerate(places)
    ]
    found = summarise(pd.concat(parts), **FAST)
    assert found["method"].tolist() == ["a", "a", "b", "b"] * 2
    assert list(zip(found["regime"], found["metric"], strict=True))[2:6] == places
    for column in ("mean", "low", "high"):
        assert found[column].tolist() == [0, 1, 10, 11, 2, 3, 12, 13]
    assert found["n_queries"].tolist() == [6] * 8


def test_doses_are_queries_of_their_own_and_pooled_is_one():
    """The same line and drug at 5 uM, at 10 uM and pooled (missing) are three queries."""
    doses = {5.0: 1.0, 10.0: 2.0, NAN: 6.0}
    parts = [_scores({"a": [value] * 6}).assign(dose_um=dose) for dose, value in doses.items()]
    row = _only(summarise(pd.concat(parts), **FAST))
    assert (row["n_queries"], row["mean"]) == (18, 3.0)


@pytest.mark.parametrize(
    ("regime", "parents", "lines", "few"),
    [
        ("unseen_cell_line", 9, 4, "4 cell_line"),
        ("unseen_drug", 9, 4, "4 cell_line"),
        ("unseen_drug", 4, 9, "4 parent"),
        ("unseen_drug", 3, 4, "3 parent and 4 cell_line"),
    ],
)
def test_fewer_than_five_clusters_in_either_way_give_no_interval(regime, parents, lines, few):
    """The mean stands, the limits are NaN and the note names the way that is short."""
    row = _only(summarise(_random(["a"], parents=parents, lines=lines, regime=regime), **FAST))
    assert np.isfinite(row["mean"])
    assert np.isnan([row["low"], row["high"]]).all()
    assert row["note"] == f"no interval: {few}, fewer than 5"
    assert row["n_clusters"] == min(parents if regime == "unseen_drug" else lines, lines)


@pytest.mark.parametrize(("regime", "parents"), [("unseen_cell_line", 1), ("unseen_drug", 5)])
def test_five_clusters_give_one(regime, parents):
    """Five lines suffice, and only the ways that the regime resamples are asked for five."""
    row = _only(summarise(_random(["a"], parents=parents, lines=5, regime=regime), **FAST))
    assert row["low"] < row["mean"] < row["high"]
    assert row["note"] == ""


def test_clusters_count_where_the_method_has_a_value():
    """Six lines, but defined in four: no interval for this method, one for its neighbour."""
    found = summarise(_scores({"a": [1.0, 2, 3, 4, NAN, NAN], "b": [1.0] * 6}), **FAST)
    assert _only(found, method="a")["note"] == "no interval: 4 cell_line, fewer than 5"
    assert _only(found, method="b")["note"] == ""


def test_no_scores_are_an_empty_table():
    """Nothing to summarise is no error, and the columns are there all the same."""
    empty = _scores({"a": [1.0]}).iloc[:0]
    assert len(summarise(empty)) == len(compare_all(empty)) == len(slice_by(empty, "drug")) == 0
    assert "coverage" in summarise(empty)
    assert "win_rate" in compare_all(empty)


# --- reproducible --------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [summarise, compare_all])
def test_the_seed_alone_decides(run):
    """The same seed gives the same table to the last bit, another seed other limits."""
    scores = _random(["a", "b"], regime="unseen_drug")
    assert_frame_equal(run(scores, seed=3, **FAST), run(scores, seed=3, **FAST), check_exact=True)
    assert (run(scores, seed=3, **FAST)["low"] != run(scores, seed=4, **FAST)["low"]).all()


@pytest.mark.parametrize("run", [summarise, compare_all])
def test_the_order_of_rows_and_categories_is_of_no_account(run):
    """Shuffled rows, and categories listed backwards, give the same table to the last bit."""
    scores = _random(["a", "b", "c"], regime="open_world")
    shuffled = scores.sample(frac=1, random_state=1)
    for column in ("regime", "method", "cell_line", "parent", "drug", "metric"):
        backwards = sorted(scores[column].unique(), reverse=True)
        shuffled[column] = pd.Categorical(shuffled[column], ["unused", *backwards], ordered=True)
    assert_frame_equal(run(shuffled, **FAST), run(scores, **FAST), check_exact=True)


def test_other_methods_change_nothing():
    """A method's row is the same whoever else was scored on the same queries."""
    scores = _random(["a", "b", "c"], regime="unseen_drug")
    alone = summarise(scores[scores["method"] != "c"], **FAST)
    together = summarise(scores, **FAST)
    assert_frame_equal(alone, together[together["method"] != "c"], check_exact=True)


# --- paired differences --------------------------------------------------------------------------


def test_the_difference_is_that_of_the_common_set():
    """Both defined on three of eight: (5 - 2 + 6 - 1 + 4 - 4) / 3, two wins and a tie of three."""
    methods = {"a": [5.0, 6, 4, 9, 9, NAN, NAN, NAN], "b": [2.0, 1, 4, NAN, NAN, 0, 0, None]}
    row = _only(compare(_scores(methods, lines=8), "a", "b", "pearson_delta", **FAST))
    assert row["difference"] == pytest.approx(8 / 3)
    assert (row["n_common"], row["n_clusters"]) == (3, 3)
    assert row["win_rate"] == pytest.approx(2.5 / 3)
    assert row["note"] == "no interval: 3 cell_line, fewer than 5"


def test_no_third_method_shrinks_a_common_set():
    """Zero has no Pearson anywhere: its own pairs are empty, all others stay whole."""
    found = compare_all(
        _scores({"a": [1.0] * 6, "b": [0.5] * 6, "zero": [NAN] * 6}, lines=6), **FAST
    )
    assert list(zip(found["a"], found["b"], found["n_common"], strict=True)) == [
        ("a", "b", 6),
        ("a", "zero", 0),
        ("b", "zero", 0),
    ]
    empty = _only(found, a="a", b="zero")
    assert empty[["difference", "low", "high", "win_rate"]].isna().all()
    assert empty["note"] == "no query with a value"


def test_a_metric_has_its_own_common_set():
    """Undefined on one metric, a query still counts on another."""
    scores = pd.concat(
        [
            _scores({"a": [1.0] * 6, "b": [NAN] + [0.0] * 5}, metric="cosine"),
            _scores({"a": [1.0] * 6, "b": [0.0] * 6}, metric="spearman_delta"),
        ]
    )
    assert compare_all(scores, **FAST)["n_common"].tolist() == [5, 6]


def test_pairing_takes_out_what_both_share():
    """Two methods 0.25 apart everywhere differ by 0.25 for certain, however wide their own."""
    values = np.random.default_rng(0).integers(-8, 8, size=48)
    scores = _scores({"a": values + 0.25, "b": values}, lines=8)
    row = _only(compare(scores, "a", "b", "pearson_delta", **FAST))
    assert (row["difference"], row["low"], row["high"], row["win_rate"]) == (0.25, 0.25, 0.25, 1.0)
    own = summarise(scores, **FAST)
    assert ((own["high"] - own["low"]) > 1).all()


def test_differences_rest_on_the_resamples_of_the_means():
    """Against a method that scores 0 everywhere, the interval is that of the mean itself."""
    scores = _random(["a"], regime="unseen_drug")
    scores = pd.concat([scores, scores.assign(method="nought", value=0.0)])
    own = _only(summarise(scores, **FAST), method="a")
    row = _only(compare(scores, "a", "nought", "pearson_delta", **FAST))
    for column in ("low", "high"):
        assert row[column] == pytest.approx(own[column], abs=1e-12)


def test_compare_is_a_row_of_compare_all():
    """Asked for alone or with all others, a pair has the same row; turned round, its negative."""
    scores = _random(["a", "b", "c"], regime="unseen_drug")
    one = _only(compare(scores, "a", "c", "pearson_delta", **FAST))
    pd.testing.assert_series_equal(
        one, _only(compare_all(scores, **FAST), a="a", b="c"), check_names=False
    )
    turned = _only(compare(scores, "c", "a", "pearson_delta", **FAST))
    assert turned["difference"] == -one["difference"]
    assert (turned["low"], turned["high"]) == pytest.approx((-one["high"], -one["low"]))
    assert turned["win_rate"] == 1 - one["win_rate"]


@pytest.mark.parametrize(
    ("metric", "a", "b", "win_rate"),
    [
        ("pearson_delta", 0.9, 0.5, 1.0),
        ("mae_delta", 0.9, 0.5, 0.0),
        ("slope", 0.7, 1.2, 0.0),
        ("slope", 0.75, 1.25, 0.5),
        ("magnitude_ratio", 1.1, 0.5, 1.0),
        ("pearson_delta", 0.5, 0.5 + 1e-9, 0.5),
        ("mse_delta", 1e-9, 2e-9, 1.0),
    ],
)
def test_a_win_is_nearer_to_the_best_of_the_metric(metric, a, b, win_rate):
    """Higher, lower or nearest to 1, as the table of metrics says; rounding is a tie."""
    scores = _scores({"a": [a] * 6, "b": [b] * 6}, metric=metric)
    assert _only(compare(scores, "a", "b", metric, **FAST))["win_rate"] == win_rate


def test_matched_k_keeps_queries_where_both_averaged_as_many():
    """Of six queries two have the same k; k unknown or 0 (a fall-back) matches nothing."""
    scores = _scores(
        {"a": [1.0, 2, 3, 4, 5, 6], "b": [0.0] * 6},
        k_used={"a": [10, 10, 7, NAN, 0, 3], "b": [10, 8, 7, NAN, 0, NAN]},
    )
    row = _only(compare(scores, "a", "b", "pearson_delta", matched_k=True, **FAST))
    assert (row["n_common"], row["difference"]) == (2, 2.0)
    whole = _only(compare(scores, "a", "b", "pearson_delta", **FAST))
    assert (whole["n_common"], whole["difference"]) == (6, 3.5)


def test_a_pair_stands_where_both_methods_are():
    """A method scored in one regime only is compared there and nowhere else."""
    both = _scores({"a": [1.0] * 6, "b": [0.0] * 6})
    alone = _scores({"a": [1.0] * 6}, regime="unseen_cell_line_strict")
    found = compare_all(pd.concat([both, alone]), **FAST)
    assert found["regime"].tolist() == ["unseen_cell_line"]


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (("a", "c", "cosine"), NotFoundError, "method 'c'"),
        (("a", "b", "slope"), NotFoundError, "metric 'slope'.*table of scores"),
        (("a", "a", "cosine"), UsageError, "a with itself"),
    ],
)
def test_comparisons_that_make_no_sense_are_refused(names, error, message):
    """Unknown methods, metrics that were not scored, a method against itself."""
    scores = _scores({"a": [1.0] * 6, "b": [0.0] * 6}, metric="cosine")
    with pytest.raises(error, match=message):
        compare(scores, *names, **FAST)


def test_a_metric_must_be_in_the_table_to_be_won():
    """Nobody knows whether more of an unknown metric is better; its mean is still a mean."""
    scores = _scores({"a": [1.0] * 6, "b": [0.0] * 6}, metric="trust")
    assert summarise(scores, **FAST)["mean"].tolist() == [1.0, 0.0]
    with pytest.raises(NotFoundError, match="metric 'trust'.*table of metrics"):
        compare_all(scores, **FAST)


# --- slices --------------------------------------------------------------------------------------


def test_a_slice_is_the_summary_of_its_queries():
    """A mechanism's rows equal the summary of its queries alone; those without one come last."""
    scores = _random(["a", "b"], parents=24, regime="unseen_drug")
    names = {"d1": "MEK", "d2": None, "d3": "MEK"}
    scores["mechanism"] = scores["drug"].map(lambda drug: names.get(drug, "HDAC"))
    found = slice_by(scores, "mechanism", **FAST)
    assert found["slice"].drop_duplicates().tolist() == ["HDAC", "MEK", None]
    assert set(found["by"]) == {"mechanism"}
    part = found[found["slice"] == "HDAC"].drop(columns=["by", "slice"])
    alone = summarise(scores[scores["mechanism"] == "HDAC"], **FAST)
    assert_frame_equal(part.reset_index(drop=True), alone, check_exact=True)
    assert found[found["slice"].isna()]["n_queries"].tolist() == [8, 8]


def test_a_slice_has_its_own_coverage():
    """Two of four twins' queries are undefined, none of the eight others."""
    scores = _scores({"a": [NAN, NAN, 1, 1] + [3.0] * 8}, lines=4)
    scores["twin"] = scores["drug"] == "d0"
    found = slice_by(scores, "twin", **FAST).set_index("slice")
    assert found["coverage"].to_dict() == {False: 1.0, True: 0.5}
    assert found["mean"].to_dict() == {False: 3.0, True: 1.0}


@pytest.mark.filterwarnings("error")
def test_any_kind_of_label_may_slice():
    """Flags, numbers and names keep their kind and order, also beside queries without a label."""
    scores = _scores({"a": [1.0] * 3}, lines=3)
    for labels in ([True, None, False], [10, 9, None], ["b", "a", None]):
        found = slice_by(scores.assign(label=pd.Series(labels, dtype=object)), "label", **FAST)
        known = [label for label in labels if label is not None]
        assert found["slice"].tolist() == [*sorted(known), None]


def test_a_line_has_an_interval_over_its_drugs_only_when_asked():
    """One line is one cluster: no interval, unless parents alone are resampled."""
    scores = _random(["a"], regime="unseen_drug")
    bare = slice_by(scores, "cell_line", **FAST)
    assert bare["low"].isna().all()
    assert set(bare["note"]) == {"no interval: 1 cell_line, fewer than 5"}
    within = slice_by(scores, "cell_line", clusters={"unseen_drug": ("parent",)}, **FAST)
    assert (within["low"] < within["mean"]).all()


def test_tertiles_are_of_queries():
    """Strengths 1 to 6 fall in twos; a second method on the strongest three moves no limit."""
    scores = _scores({"a": [0.0] * 6, "b": [None] * 3 + [0.0] * 3})
    scores["strength"] = scores["cell_line"].str[1:].astype(float) + 1
    thirds = tertiles(scores, "strength")
    assert (
        thirds.tolist() == ["low"] * 2 + ["middle"] * 2 + ["high"] * 2 + ["middle"] + ["high"] * 2
    )
    assert thirds.index.equals(scores.index)
    found = slice_by(scores.assign(third=thirds), "third", **FAST)
    assert found["slice"].drop_duplicates().tolist() == ["low", "middle", "high"]


def test_tertiles_leave_the_unknown_out_and_ties_below():
    """A missing strength has no third; 1, 1, 1, 2 has its limits at 1 and 1."""
    scores = _scores({"a": [0.0] * 5}).assign(cells=[1, 1, 1, 2, NAN])
    thirds = tertiles(scores, "cells")
    assert thirds.dropna().tolist() == ["low", "low", "low", "high"]
    assert thirds.isna().tolist() == [False] * 4 + [True]


def test_a_slice_must_be_of_the_query():
    """A column that differs between the methods of one query cannot slice queries."""
    scores = _scores({"a": [1.0] * 6, "b": [0.0] * 6})
    with pytest.raises(InputError, match="rows of a query differ in method"):
        slice_by(scores, "method", **FAST)


def test_a_gap_by_slice_is_the_comparison_of_its_queries():
    """A mechanism's row equals the comparison on its queries alone; those without one come last."""
    scores = _random(["a", "b", "c"], parents=24, regime="unseen_drug")
    names = {"d1": "MEK", "d2": None, "d3": "MEK"}
    scores["mechanism"] = scores["drug"].map(lambda drug: names.get(drug, "HDAC"))
    found = compare_slices(scores, "b", "a", "pearson_delta", "mechanism", **FAST)
    assert found["slice"].fillna("none").tolist() == ["HDAC", "MEK", "none"]
    assert set(found["by"]) == {"mechanism"}
    alone = compare(scores[scores["mechanism"] == "HDAC"], "b", "a", "pearson_delta", **FAST)
    part = found[found["slice"] == "HDAC"].drop(columns=["by", "slice"])
    assert_frame_equal(part, alone, check_exact=True)
    assert found["note"].tolist()[1:] == [
        "no interval: 2 parent, fewer than 5",
        "no interval: 1 parent, fewer than 5",
    ]


def test_slices_that_only_one_method_answers_are_left_out():
    """No common query, no gap: neither an undefined score nor a row that is not there counts."""
    scores = _scores({"a": [1.0, 1, 1, 1], "b": [0.0, 0, NAN, None]}, lines=4)
    scores["third"] = scores["cell_line"].map({"c0": "x", "c1": "x", "c2": "y", "c3": "z"})
    found = compare_slices(scores, "a", "b", "pearson_delta", "third", **FAST)
    assert found[["slice", "difference", "n_common"]].to_numpy().tolist() == [["x", 1.0, 2]]
    none = compare_slices(scores[scores["third"] != "x"], "a", "b", "pearson_delta", "third")
    assert none.empty
    assert list(none) == list(found)


def test_differences_are_told_apart_by_their_intervals():
    """Above zero, below it, about it, touching it, and without an interval."""
    table = pd.DataFrame({"low": [0.1, -0.3, -0.1, 0.0, NAN], "high": [0.3, -0.1, 0.2, 0.1, NAN]})
    assert distinguishable(table).tolist() == [1, -1, 0, 0, 0]


# --- tables that are refused ---------------------------------------------------------------------


def _spoilt(column, value):
    scores = _scores({"a": [1.0] * 6, "b": [0.5] * 6})
    scores[column] = scores[column].astype(object)
    scores.loc[scores.index[2], column] = value
    return scores


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("value", float("inf"), "value is infinite"),
        ("value", "high", "value is object"),
        ("cell_line", None, "a row has no cell_line"),
        ("regime", None, "a row has no regime"),
        ("cell_line", "c3", "1 rows of unseen_cell_line repeat"),
    ],
)
def test_what_cannot_be_a_score_is_refused(column, value, message):
    """Infinite or no numbers, missing names, a repeated row: each is named."""
    with pytest.raises(InputError, match=message):
        summarise(_spoilt(column, value), **FAST)


def test_a_query_has_one_parent():
    """Rows of one query that name two parents contradict each other."""
    scores = _spoilt("parent", "another").assign(regime="unseen_drug")
    with pytest.raises(InputError, match="rows of a query differ in parent"):
        summarise(scores, **FAST)


def test_a_query_of_a_method_has_one_k():
    """Two metrics of one prediction cannot rest on 10 and on 9 neighbours."""
    scores = _scores({"a": [1.0] * 6, "b": [0.5] * 6}, metric="cosine")
    again = scores.assign(metric="mae_delta", k_used=9)
    with pytest.raises(InputError, match="rows of a query differ in k_used"):
        compare_all(pd.concat([scores, again]), matched_k=True, **FAST)


def test_lacking_columns_are_named():
    """A table without what a query is cannot be read."""
    scores = _scores({"a": [1.0] * 6}).drop(columns=["drug", "dose_um"])
    with pytest.raises(InputError, match="no column drug, dose_um"):
        summarise(scores)


def test_a_regime_must_have_its_clusters():
    """An unknown regime has no known clusters, and none are made up."""
    with pytest.raises(NotFoundError, match="regime 'held_out'"):
        summarise(_scores({"a": [1.0] * 6}, regime="held_out"))


def test_a_line_may_be_called_na():
    """NA is a name, and a value beside it is a value."""
    scores = _scores({"a": [1.0, 2, 3, 4, 5, 6]}).replace({"cell_line": {"c0": "NA"}})
    assert _only(summarise(scores, **FAST))["n_clusters"] == 6
