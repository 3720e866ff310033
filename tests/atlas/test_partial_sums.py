"""Partial sums on disk: whole or not there, and the same to the bit however they came about."""

import errno
from dataclasses import replace

import numpy as np
import pytest
from h5ads import Counts, observed

from lgr_core.atlas import partial_sums as partials
from lgr_core.atlas.partial_sums import Partials, execute, is_done, read_partial
from lgr_core.atlas.pseudobulk import find_groups
from lgr_core.atlas.shards import plan_tasks, shard_nonzeros
from lgr_core.errors import InputError

RNG = np.random.default_rng(3)
X = RNG.poisson(0.7, (40, 9)).astype(float)
X[:, 4] = 0
OBS = observed([("A", RNG.choice(["DMSO", "T", "U"]), 1.0, "") for _ in X])


@pytest.fixture
def tasks(tmp_path):
    """Ten tasks of four cells each, in raw counts, whose sums are exact."""
    codes = find_groups(OBS)[1]
    return plan_tasks(Counts(X, OBS), codes, tmp_path, target_sum=1e4, order="pseudobulk")


def opened(tasks):
    """All partial sums."""
    return Partials([task.path for task in tasks], 3, X.shape[1])


def test_the_sums_are_those_of_all_cells(tasks):
    """Whichever groups are asked for, in slices and alone."""
    assert [execute(task) for task in tasks] == [4] * 10
    codes, found = find_groups(OBS)[1], opened(tasks)
    expected = np.array([X[codes == group].sum(axis=0) for group in range(3)])
    for groups in ([0, 1, 2], [1], [0, 2], []):
        np.testing.assert_array_equal(found.sums(np.array(groups, dtype=int)), expected[groups])
    slices = [sums for _, sums in found.in_slices(2)]
    np.testing.assert_array_equal(np.concatenate(slices), expected)
    np.testing.assert_array_equal(found.n_cells, np.bincount(codes[X.any(axis=1)]))


def test_the_order_of_the_work_changes_no_bit(tasks, tmp_path):
    """Neither of sums nor of moments: they are added up in the order of the shards."""
    tasks = [replace(task, order="cells") for task in tasks]
    for task in reversed(tasks):
        execute(task)
    first = opened(tasks)
    contents = [task.path.read_bytes() for task in tasks]
    for task in tasks:
        task.path.unlink()
        execute(task)
    assert [task.path.read_bytes() for task in tasks] == contents
    second = opened(tasks)
    for name in ("linear_sum", "linear_sumsq", "log_sumsq"):
        assert first.moment(name).tobytes() == second.moment(name).tobytes()
    every = np.arange(3)
    assert first.sums(every).tobytes() == second.sums(every).tobytes()


@pytest.mark.parametrize("damage", ["cut", "a bit", "empty", "tail"])
def test_a_damaged_file_is_made_again(tasks, damage):
    """Its checksum gives it away; who adds up damaged files is told."""
    execute(tasks[0])
    path, whole = tasks[0].path, tasks[0].path.read_bytes()
    broken = bytearray(whole)
    broken[20] ^= 1
    kinds = {"cut": whole[:-9], "a bit": bytes(broken), "empty": b"", "tail": whole + b"0"}
    path.write_bytes(kinds[damage])
    assert not is_done(path)
    with pytest.raises(InputError, match=r"000000\.sums: the file is missing or damaged"):
        opened(tasks[:1])
    execute(tasks[0])
    assert path.read_bytes() == whole


def test_what_is_there_is_not_read_again(tasks, monkeypatch):
    """A task that is done does nothing."""
    execute(tasks[0])
    monkeypatch.setattr(partials, "sum_shard", None)
    assert execute(tasks[0]) == 4


def test_a_full_disk_is_one_clear_error(tasks, monkeypatch, tmp_path):
    """Nothing half-written is left, under any name."""

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(partials._Writer, "close", full)
    with pytest.raises(InputError, match=r"No space left on device.*goes on where it was"):
        execute(tasks[0])
    assert list(tmp_path.iterdir()) == []


def test_many_genes_have_wide_columns(tmp_path):
    """Beyond 65,535 genes a column needs more than two bytes."""
    wide = np.zeros((2, 70_000))
    wide[0, 69_999], wide[1, 5] = 3, 2
    obs = observed([("A", "DMSO", 0, ""), ("A", "T", 1, "")])
    codes = find_groups(obs)[1]
    tasks = plan_tasks(Counts(wide, obs), codes, tmp_path, target_sum=1e4, order="pseudobulk")
    for task in tasks:
        execute(task)
    found = Partials([task.path for task in tasks], 2, 70_000).sums(codes)
    np.testing.assert_array_equal(found, wide)


def test_a_file_that_is_not_there_is_none(tmp_path):
    """No error: it is yet to be made."""
    assert read_partial(tmp_path / "none.sums") is None


def test_the_size_of_a_shard_hangs_on_the_source_alone():
    """Four for a small source, some seconds' work for most, a 256th of a large one."""
    assert shard_nonzeros(1_000) == 2_000_000
    assert shard_nonzeros(40_000_000) == 10_000_000
    assert shard_nonzeros(800_000_000) == 64_000_000
    assert shard_nonzeros(64_000_000_000) == 250_000_000
    assert shard_nonzeros(10**12) == 512_000_000
