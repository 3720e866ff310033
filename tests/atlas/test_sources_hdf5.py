"""Why an HDF5 file cannot be read: a lock, rights, a filter, another format, or damage."""

import errno
import gzip
import subprocess
import sys

import h5py
import numpy as np
import pytest

from lgr_core.atlas.sources import hdf5, open_counts
from lgr_core.atlas.sources.hdf5 import open_hdf5, reading, unreadable
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad

OBS = {"cell_line": ["A", "A"], "drug": ["T", "DMSO"]}
HOLD = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"


@pytest.fixture
def path(tmp_path):
    """A small h5ad of counts."""
    return write_h5ad(tmp_path / "a.h5ad", [[1, 2], [3, 4]], OBS)


def test_a_locked_file_is_not_damaged(path):
    """Another program has it open for writing; afterwards it is read."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(InputError, match="another program has it open") as caught:
            open_counts(path)
        holder.communicate("\n")
    assert "damaged" not in str(caught.value)
    assert "HDF5_USE_FILE_LOCKING=FALSE" in caught.value.do
    assert len(open_counts(path).obs) == 2


def test_a_missing_filter_is_named(path, monkeypatch):
    """The package that brings it, and the other way out."""
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", data=np.ones((2, 2)), chunks=(2, 2), compression="lzf")
    monkeypatch.setattr(hdf5.h5py.h5z, "filter_avail", lambda code: code != h5py.h5z.FILTER_LZF)
    error = unreadable(path, OSError("Can't synchronously read data (can't open directory)"))
    assert f"lzf ({h5py.h5z.FILTER_LZF})" in error.found
    assert "pip install hdf5plugin" in error.do
    assert "damaged" not in str(error)


@pytest.mark.parametrize(
    ("err", "word"),
    [
        (OSError(errno.ENOLCK, "unable to lock file"), "locked"),
        (OSError(errno.EOPNOTSUPP, "unable to lock file"), "locked"),
        (PermissionError(errno.EACCES, "Permission denied"), "may not read"),
        (MemoryError(), "memory"),
        (OSError("truncated file"), "cut off or damaged"),
    ],
)
def test_each_cause_is_named(path, err, word):
    """By what the system says."""
    assert word in str(unreadable(path, err))


@pytest.mark.parametrize(
    ("held", "word"),
    [
        (gzip.compress(b"x"), "gunzip"),
        (b"PK\x03\x04 and more", "zip archive"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"no HDF5", "cannot be read as h5ad"),
    ],
    ids=["gzip", "zip", "html", "lfs", "text"],
)
def test_another_format_under_its_name(tmp_path, held, word):
    """What a download left in its place."""
    path = tmp_path / "x.h5ad"
    path.write_bytes(held)
    with pytest.raises(InputError, match=word), open_hdf5(path):
        pass


def test_a_sound_file_of_another_layout_is_not_called_damaged(tmp_path):
    """A group where a table should be; half of the same file is damaged."""
    path = tmp_path / "other.h5ad"
    with h5py.File(path, "w") as file:
        file["things/one"] = np.arange(20_000)
    with pytest.raises(InputError) as raised, reading(path), h5py.File(path) as file:
        file["obs"]
    assert "not laid out as h5ad" in raised.value.found
    assert "with anndata" in raised.value.do
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(InputError) as raised, open_hdf5(path):
        pass
    assert "cut off or damaged" in raised.value.do
