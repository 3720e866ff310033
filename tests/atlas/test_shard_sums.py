"""Sums over a shard are the sums over its cells, however the work is cut up."""

from types import SimpleNamespace

import numpy as np
import pytest
from h5ads import CountsShard, log_normalised
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lgr_core.atlas import shard_sums as streaming
from lgr_core.atlas.shard_sums import Moments, sum_shard
from lgr_core.errors import InputError

X = np.array([[0, 3, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0], [1, 1, 1, 1], [0, 0, 9, 0]], dtype=float)


def summed(X, groups, n_groups, *, target_sum=10_000, order="cells", block_rows=3):
    """All that a shard leaves, its sums dense and over all parts; ``n_parts`` counts them."""
    X = np.asarray(X)
    moments, dense = Moments(X.shape[1], n_groups), np.zeros((n_groups, X.shape[1]))
    options = {"target_sum": target_sum, "order": order}
    parts = list(sum_shard(CountsShard(X, 0, block_rows), np.asarray(groups), moments, **options))
    for part in parts:
        for group, size, genes, sums in zip(*part, strict=True):
            assert (size, sums.all()) == (len(genes), True)
            dense[group, genes] += sums
    return SimpleNamespace(
        group_sums=dense, n_parts=len(parts), **{n: getattr(moments, n) for n in moments.__slots__}
    )


def by_group(values, groups, n_groups):
    """Dense group sums (n_groups, n_genes)."""
    return np.array([values[groups == g].sum(axis=0) for g in range(n_groups)])


def assert_sums(sums, X, groups, n_groups, order="cells"):
    """Everything one pass leaves, against plain dense sums in float64."""
    filled = X.sum(axis=1) > 0
    X, groups = X[filled], groups[filled]
    linear = np.expm1(log_normalised(X)) if len(X) else X
    logs = np.log1p(linear)
    summed = logs if order == "cells" else X
    np.testing.assert_array_equal(sums.n_cells, np.bincount(groups, minlength=n_groups))
    for found, expected in (
        (sums.group_sums, by_group(summed, groups, n_groups)),
        (sums.linear_sum, linear.sum(axis=0)),
        (sums.linear_sumsq, (linear**2).sum(axis=0)),
        (sums.log_sumsq, (logs**2).sum(axis=0)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_one_pass(order):
    """Five cells in three groups, one of them empty; a cell without counts is no cell."""
    groups = np.array([2, 2, 0, 2, 0])
    sums = summed(X, groups, 3, order=order)
    assert sums.n_cells.tolist() == [2, 0, 2]
    assert_sums(sums, X, groups, 3, order)


def test_a_worked_cell():
    """Counts 1 and 3 of 4 scaled to 8 are 2 and 6: ln 3 and ln 7."""
    sums = summed([[1, 3]], [0], 1, target_sum=8)
    np.testing.assert_allclose(sums.group_sums, [[np.log(3), np.log(7)]], rtol=1e-7)
    np.testing.assert_allclose(sums.linear_sum, [2, 6], rtol=1e-6)
    np.testing.assert_allclose(sums.linear_sumsq, [4, 36], rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    X=hnp.arrays(
        np.int64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(0, 4)
    ),
    sizes=st.tuples(*[st.integers(1, 12)] * 4),
    data=st.data(),
)
def test_however_the_work_is_cut_up(X, sizes, data):
    """Block, batch, run and what is held change no bit of the groups' sums within a part."""
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    block_rows, batch, run, most = sizes
    whole = summed(X, groups, 4, block_rows=len(X))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_BATCH_NONZEROS", batch)
        patch.setattr(streaming, "RUN_NONZEROS", run)
        cut = summed(X, groups, 4, block_rows=block_rows)
        np.testing.assert_array_equal(cut.group_sums, whole.group_sums)
        patch.setattr(streaming, "HELD_SUMS", most)
        assert_sums(summed(X, groups, 4, block_rows=block_rows), X.astype(float), groups, 4)


def test_sums_are_put_down_before_they_fill_the_memory(monkeypatch):
    """Runs of one cell, room for two sums: several parts, whose sums are those of one."""
    monkeypatch.setattr(streaming, "RUN_NONZEROS", 4)
    monkeypatch.setattr(streaming, "HELD_SUMS", 2)
    groups = np.array([0, 1, 0, 1, 0])
    sums = summed(X, groups, 2, block_rows=1)
    assert sums.n_parts > 1
    assert_sums(sums, X, groups, 2)


@pytest.mark.parametrize("n", [4, 6])
def test_rows_that_came_or_went_since_are_found_out(n):
    """A file that was changed between two looks is no source."""
    with pytest.raises(InputError, match=r"rows are read where . were found.*has changed"):
        summed(X, np.zeros(n, dtype=int), 1)
