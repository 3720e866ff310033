"""A file is looked at: columns, guesses, doubts, what its numbers are."""

import h5py
import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.sources import inspection
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad


@pytest.fixture
def table(tmp_path):
    """A writer of tables."""

    def write(columns, name="x.csv"):
        path, frame = tmp_path / name, pd.DataFrame(columns)
        frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
        return path

    return write


def test_a_table_shows_its_columns_and_what_they_may_be(table):
    """Guesses by name, a unit from a header, levels most frequent first, genes at the end."""
    found = inspect_file(
        table(
            {
                "cell_line": ["A", "A", "B"],
                "compound": ["[('Talc ', 5.0, 'uM')]", "DMSO", "DMSO"],
                "dose_nM": [5.0, 5.0, 5.0],
                "G1": [0.5, -1.0, 2.0],
            }
        )
    )
    assert (found.rows, found.genes) == (3, 1)
    expected = {"cell_line": "cell_line", "drug": "compound", "dose": "dose_nM", "dose_unit": "nM"}
    assert dict(found.guesses) == expected
    assert found.columns == ("cell_line", "compound", "dose_nM", "G1")
    assert found.levels["cell_line"] == ("A", "B")
    assert found.levels["compound"] == ("DMSO", "Talc")
    assert len(found.sample) == 3
    assert (found.counts, found.h5ad, found.settled, found.doubts) == (False, False, False, ())


def test_two_columns_for_one_role_are_a_doubt_and_no_error(table):
    """The visitor chooses."""
    found = inspect_file(table({"drug": ["T", "U"], "drug_name": ["V", "W"], "G1": [1.0, -1.0]}))
    assert "drug" not in found.guesses
    assert "'drug' and 'drug_name' are equally plausible" in found.doubts[0]


def test_whole_numbers_look_like_counts(table, tmp_path):
    """In a table, and in a layer of an h5ad beside an X of something else."""
    assert inspect_file(table({"drug": ["T"], "G1": [3], "G2": [0]})).counts
    assert not inspect_file(table({"drug": ["T"], "G1": [3.5]})).counts
    assert not inspect_file(table({"drug": ["T"], "G1": [0]})).counts
    X, obs = np.array([[0.5, -1.0]]), {"drug": ["T"], "cell_line": ["A"]}
    layered = write_h5ad(tmp_path / "a.h5ad", X, obs, layers={"counts": np.array([[3.0, 0.0]])})
    found = inspect_file(layered)
    assert (found.counts, found.h5ad, found.layers) == (True, True, ("counts",))
    assert not inspect_file(write_h5ad(tmp_path / "b.h5ad", X, obs)).counts


def test_published_forms_are_named(tmp_path):
    """One whose columns are known but may be changed; one whose reader knows all."""
    obs = {"sm_name": ["T"], "cell_type": ["A"], "control": [True]}
    path = write_h5ad(tmp_path / "o.h5ad", None, obs, layers={"logFC": np.array([[0.5, -1.0]])})
    found = inspect_file(path)
    assert found.form == "OP3 differential expression"
    assert found.value_kind is ValueKind.LOG2FC
    assert "is_control" not in found.guesses
    assert not found.settled
    shards = tmp_path / "s.parquet"
    pd.DataFrame({"genes": [[1, 3]], "expressions": [[-2.0, 5.0]]}).to_parquet(shards)
    found = inspect_file(shards)
    assert (found.settled, found.counts, found.rows) == (True, True, 1)


@pytest.mark.parametrize(
    ("name", "held", "words"),
    [
        ("a.csv", bytes(range(128, 256)) * 4, "not UTF-8"),
        ("a.parquet", b"PAR1 and no more", "cannot be read as parquet"),
        ("a.csv", b"", "no"),
        ("a.tsv", b"a,b\n1,2\n", "commas separate the names"),
    ],
)
def test_what_is_no_such_file_is_one_error(tmp_path, name, held, words):
    """Whatever a library says of it."""
    path = tmp_path / name
    path.write_bytes(held)
    with pytest.raises(InputError, match=words):
        inspect_file(path)


def test_an_h5ad_cut_off_or_of_another_kind_is_one_error(tmp_path):
    """Half of a file; HDF5 without observations."""
    whole = write_h5ad(tmp_path / "a.h5ad", np.ones((400, 90)), {"drug": ["T"] * 400})
    held = whole.read_bytes()
    whole.write_bytes(held[: len(held) // 2])
    with pytest.raises(InputError, match="cannot be read as h5ad"):
        inspect_file(whole)
    with h5py.File(tmp_path / "b.h5ad", "w") as file:
        file["x"] = [1]
    with pytest.raises(InputError, match="cannot be read as h5ad"):
        inspect_file(tmp_path / "b.h5ad")


def test_a_parquet_that_unpacks_to_too_much_is_not_unpacked(table, monkeypatch):
    """Rows times columns are in its foot."""
    path = table({"drug": ["T"] * 50, "G1": [1.5] * 50}, "big.parquet")
    monkeypatch.setattr(inspection, "MOST_VALUES", 60)
    with pytest.raises(InputError, match="50 x 2 values; the limit is 60"):
        inspect_file(path)


def test_a_parquet_whose_texts_unpack_to_too_much_is_not_unpacked(table, monkeypatch):
    """It stores a text once, however often it is repeated."""
    columns = {"drug": ["T" * 30, "T" * 30, None], "cell_line": ["A", "B", "C"], "G1": [1.5] * 3}
    path = table(columns, "long.parquet")
    assert inspect_file(path).rows == 3
    monkeypatch.setattr(inspection, "MOST_LETTERS", 62)
    with pytest.raises(InputError, match="its texts have 63 letters; the limit is 62"):
        inspect_file(path)
    kinds = {name: pd.Categorical(values) for name, values in columns.items()}
    with pytest.raises(InputError, match="63 letters"):
        inspect_file(table(kinds, "kinds.parquet"))


def test_rows_of_a_published_form_have_a_limit_too(tmp_path, monkeypatch):
    """Its columns are known, its size is not."""
    path = tmp_path / "s.parquet"
    op3 = {"sm_name": ["T"] * 3, "cell_type": ["A"] * 3, "dose_uM": [1.0] * 3}
    pd.DataFrame({"genes": [[1]] * 3, "expressions": [[-2.0]] * 3, **op3}).to_parquet(path)
    assert inspect_file(path).settled
    monkeypatch.setattr(inspection, "MOST_VALUES", 2)
    with pytest.raises(InputError, match="3 x 1 values; the limit is 2"):
        inspect_file(path)


def test_long_lists_of_values_are_left_out(table, monkeypatch):
    """A column of barcodes offers nothing to choose from."""
    monkeypatch.setattr(inspection, "_MOST_LEVELS", 2)
    found = inspect_file(
        table({"drug": list("abc"), "cell_line": list("aab"), "G1": [1.0, 2.0, -1.0]})
    )
    assert set(found.levels) == {"cell_line"}
