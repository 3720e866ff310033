"""Small files that unpack to more than any memory holds are refused before they are read."""

import h5py
import numpy as np
import pytest

from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_preview import preview_ingest
from lgr_core.atlas.sources import untrusted_hdf5
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad

HUGE = 10**12


@pytest.fixture
def plain(tmp_path):
    """A small h5ad as anybody has it."""
    obs = {"cell_line": ["A", "A"], "drug": ["T", "DMSO"]}
    return write_h5ad(tmp_path / "a.h5ad", [[1.5, -2.0], [0.5, 1.0]], obs)


def swell(path, name, shape):
    """Put a data set in the place of ``name`` that says it is of that shape and stores nothing."""
    with h5py.File(path, "r+") as file:
        attrs = dict(file[name].attrs)
        del file[name]
        chunks = tuple(min(size, 1_000) for size in shape)
        file.create_dataset(name, shape, "f4", chunks=chunks).attrs.update(attrs)
    assert path.stat().st_size < 100_000


@pytest.mark.parametrize("name", ["obs/_index", "var/_index", "obs/drug"])
def test_a_table_that_swells_is_refused(plain, name):
    """Of rows or of genes."""
    swell(plain, name, (HUGE,))
    with pytest.raises(InputError, match="fills more than 2,000 MB"):
        inspect_file(plain)


def test_a_matrix_that_swells_is_refused(plain):
    """By genes, by rows, and by the values of one row of a sparse one."""
    swell(plain, "X", (2, HUGE))
    with pytest.raises(InputError, match="X has 2 rows of up to 1,000,000,000,000 values"):
        inspect_file(plain)
    with h5py.File(plain, "r+") as file:
        del file["X"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "shape": np.array([2, 2])})
        group["indptr"] = [0, 1, HUGE]
        for name in ("data", "indices"):
            group.create_dataset(name, (HUGE,), "i4", chunks=(1_000,))
    with pytest.raises(InputError, match="rows of up to 999,999,999,999 values"):
        inspect_file(plain)


def test_too_many_rows_are_refused(plain, monkeypatch):
    """Whatever they hold."""
    monkeypatch.setattr(untrusted_hdf5, "MOST_ROWS", 1)
    with pytest.raises(InputError, match="X has 2 rows"):
        inspect_file(plain)


def test_changes_are_read_whole_with_all_that_is_beside_them(plain):
    """What no page asks for is read all the same."""
    with h5py.File(plain, "r+") as file:
        file.create_dataset("obsm/swollen", (2, HUGE), "f4", chunks=(1, 1_000))
    assert inspect_file(plain).rows == 2
    with pytest.raises(InputError, match="fills more than 6,000 MB"):
        preview_ingest(plain, IngestOptions(value_kind=ValueKind.LOG2FC))


def test_tables_that_hold_each_other_come_to_an_end(plain, monkeypatch):
    """Each round counts."""
    monkeypatch.setattr(untrusted_hdf5, "MOST_BYTES", 1_000_000)
    assert inspect_file(plain).rows == 2
    with h5py.File(plain, "r+") as file:
        file["obs/again"] = file["obs"]
    with pytest.raises(InputError, match="fills more than 1 MB"):
        inspect_file(plain)


def test_groups_that_hold_each_other_are_looked_at_once(plain):
    """30 groups of 60 links to each other say that they hold more than any number; at once."""
    with h5py.File(plain, "r+") as file:
        groups = [file.create_group(f"obs/c{i}") for i in range(30)]
        for group in groups:
            for i, other in enumerate(groups):
                group[f"a{i}"] = group[f"b{i}"] = other
    opened = []
    real = h5py.Group.__getitem__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(h5py.Group, "__getitem__", lambda *at: opened.append(at[1]) or real(*at))
        with pytest.raises(InputError, match="fills more than 2,000 MB"):
            untrusted_hdf5.check_unpacked_size(plain)
    assert len(opened) < 1_000


def test_a_part_that_is_linked_to_counts_as_often(plain):
    """Forty groups, each with two links to the next, hold 2 ** 40 times the last."""
    with h5py.File(plain, "r+") as file:
        last = file.create_group("obs/c0")
        for i in range(1, 40):
            group = file.create_group(f"obs/c{i}")
            group["a"] = group["b"] = last
            last = group
    with pytest.raises(InputError, match="fills more than 2,000 MB"):
        inspect_file(plain)


def test_groups_nested_too_deep_are_refused(plain):
    """No table has a hundred levels."""
    with h5py.File(plain, "r+") as file:
        file.create_group("obs/" + "/".join("a" * 100))
    with pytest.raises(InputError, match="fills more than 2,000 MB"):
        inspect_file(plain)
