"""Scores on the scale of a repeat, and how alike predictions are, against hand-worked values."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.domain import Change
from lgr_core.evaluation.likeness import LikenessTable, collapse_table
from lgr_core.evaluation.ranges import anchored, ranges
from lgr_core.prediction.method import answered


def scores(n, **methods):
    """One metric's scores of n queries, each of a parent of its own, by method."""
    names = [f"d{i}" for i in range(n)]
    query = pd.DataFrame({"cell_line": "A549", "drug": names, "parent": names, "dose_um": np.nan})
    about = {"regime": "unseen_drug", "metric": "pearson_delta"}
    return pd.concat(query.assign(method=m, value=v, **about) for m, v in methods.items())


def test_methods_stand_between_baseline_and_repeat():
    """Of a baseline at 0.2 and a repeat at 0.6, 0.3 is a quarter; the best value is 1."""
    table = scores(20, pool_mean=0.2, replicate_plate=0.6, lgr_llm=0.3)
    (row,) = ranges(table, Change.TOTAL).to_dict("records")
    assert (row["replicate"], row["n_queries"], row["n_parents"]) == ("plate", 20, 20)
    assert row["dynamic_range_fraction"] == pytest.approx(0.5, abs=1e-5)
    assert row["bound_discrimination"] == 1
    found = anchored(table, Change.TOTAL).set_index("method")["anchored"]
    assert found["lgr_llm"] == pytest.approx(0.25)
    assert (found["pool_mean"], found["replicate_plate"]) == pytest.approx((0, 1))


def test_only_queries_with_a_repeat_count():
    """The method's mean is over those; with fewer than twenty parents there is no scale."""
    repeats = np.where(np.arange(40) < 20, 0.6, np.nan)
    table = scores(40, pool_mean=0.2, replicate_twin=repeats, lgr_llm=np.where(repeats > 0, 0.4, 9))
    found = anchored(table, Change.TOTAL).set_index("method")
    assert found.loc["lgr_llm", ["anchored", "n_queries"]].tolist() == pytest.approx([0.5, 20])
    few = scores(19, pool_mean=0.2, replicate_twin=0.6, lgr_llm=0.4)
    assert anchored(few, Change.TOTAL)["anchored"].isna().all()


def test_no_change_is_the_baseline_of_specific_changes():
    """Zero by definition where no change has no score."""
    table = scores(20, zero=np.nan, replicate_plate=0.4, lgr_llm=0.1)
    table["metric"] = "pearson_specific"
    found = anchored(table, Change.SPECIFIC).set_index("method")["anchored"]
    assert found["lgr_llm"] == pytest.approx(0.25)


def test_without_repeats_there_is_no_scale():
    """Tables with their columns, and no row."""
    table = scores(3, pool_mean=0.2, lgr_llm=0.4)
    assert ranges(table, Change.TOTAL).empty
    assert "anchored" in anchored(table, Change.TOTAL)


def test_collapse_of_a_run_is_over_all_pairs_of_a_line():
    """Truths that are uncorrelated in one block and alike in another; predictions all the same."""
    alike = LikenessTable()
    same = np.tile([1.0, 0.0, -1.0], (3, 1))
    truths = np.array([[1.0, 0.0, -1.0], [-1.0, 2.0, -1.0], [np.nan] * 3])  # r = 0
    alike.add("pool_mean", answered(same), truths)
    alike.add("pool_mean", answered(same[:2]), same[:2])  # r = 1
    alike.add("zero", answered(np.zeros((3, 3))), truths)
    (row,) = collapse_table([alike.table("unseen_drug")]).to_dict("records")
    assert (row["method"], row["n_pairs"]) == ("pool_mean", 4)
    assert (row["predicted"], row["measured"], row["collapse"]) == pytest.approx((1, 0.5, 2))
