"""Tables of h5ad in the encodings of every anndata."""

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.sources import open_counts, read_deltas
from lgr_core.atlas.sources.h5ad_tables import column_names, read_table
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad
from tests.support.encodings_h5ad import as_nullable_strings, write_compound

X = np.arange(12).reshape(4, 3)
GENES = ["G0", "G1", "G2"]
OBS = {
    "cell_line": ["A549", "A549", "K562", "K562"],
    "drug": ["DMSO", "Talc", "DMSO", "Zinc"],
    "dose_uM": [0.0, 10.0, 0.0, 1.0],
}


@pytest.fixture
def nullable(tmp_path):
    """Counts with texts and indexes as anndata 0.13 writes them."""
    return as_nullable_strings(write_h5ad(tmp_path / "n.h5ad", X, OBS))


@pytest.fixture
def compound(tmp_path):
    """Counts with ``obs`` and ``var`` as anndata 0.6 writes them."""
    return write_compound(tmp_path / "c.h5ad", X, OBS, GENES)


@pytest.mark.parametrize("encoding", ["nullable", "compound"])
def test_counts_are_read_in_any_encoding(encoding, request):
    """Names, doses and counts are those of the same file in the usual encoding."""
    source = open_counts(request.getfixturevalue(encoding))
    assert source.obs["drug"].tolist() == OBS["drug"]
    assert source.obs["cell_line"].tolist() == OBS["cell_line"]
    np.testing.assert_array_equal(source.obs["dose_um"], [np.nan, 10, np.nan, 1])
    assert source.genes["gene"].tolist() == GENES
    blocks = [block.toarray() for shard in source.shards(100) for block in shard.blocks()]
    np.testing.assert_array_equal(np.vstack(blocks), X)


@pytest.mark.parametrize("encoding", ["nullable", "compound"])
def test_the_preview_names_what_the_ingest_reads(encoding, request):
    """Names, never codes, with the most frequent first."""
    found = inspect_file(request.getfixturevalue(encoding))
    assert (found.rows, found.genes, found.counts) == (4, 3, True)
    assert found.levels["drug"] == ("DMSO", "Talc", "Zinc")
    assert found.guesses["dose"] == "dose_uM"


def test_deltas_are_read_in_any_encoding(tmp_path):
    """Changes in a nullable and in a compound h5ad."""
    deltas = [[0.5, -1.0, 2.0], [1.0, -2.0, 0.0]]
    obs = {name: values[1::2] for name, values in OBS.items()}
    paths = [
        as_nullable_strings(write_h5ad(tmp_path / "n.h5ad", deltas, obs)),
        write_compound(tmp_path / "c.h5ad", deltas, obs, GENES),
    ]
    for path in paths:
        table = read_deltas(path, value_kind=ValueKind.LOG2FC)
        assert table.conditions["drug"].tolist() == ["Talc", "Zinc"]
        np.testing.assert_array_equal(table.deltas, np.float32(deltas))


def test_codes_without_their_names_are_no_names(tmp_path):
    """A drug is never called 0; the column is named, by its usual name or by the caller."""
    path = write_compound(tmp_path / "c.h5ad", X, OBS, GENES, names=False)
    with pytest.raises(InputError, match="'cell_line' holds codes"):
        open_counts(path)
    with h5py.File(path) as file:
        with pytest.raises(InputError, match="'batch' holds codes"):
            read_table(_renamed(file, tmp_path), named=["batch"])
        assert read_table(_renamed(file, tmp_path))["batch"].tolist() == [0, 0, 1, 1]


def _renamed(file, tmp_path):
    """The table alone, its column of lines called ``batch``."""
    rows = file["obs"][:][["index", "cell_line"]]
    rows.dtype.names = ("index", "batch")
    other = h5py.File(tmp_path / "r.h5ad", "w")
    other["obs"] = rows
    return other


def test_raw_counts_of_anndata_0_6(tmp_path):
    """They stand in ``raw.X``, with their own table of genes."""
    path = write_compound(tmp_path / "c.h5ad", X, OBS, GENES, raw=True)
    assert open_counts(path).provenance["matrix"] == "raw.X"


def test_missing_values_of_nullable_columns_are_missing(tmp_path):
    """A text, a flag and a number that are masked; the others keep their types."""
    obs = {
        "drug": ["DMSO", "nan", "DMSO", "Talc"],
        "flag": pd.array([True, None, True, False], dtype="boolean"),
        "n_cells": pd.array([5, None, 5, 7], dtype="Int64"),
        "whole": pd.array([1, 2, 3, 4], dtype="Int64"),
        "sure": pd.array([True, False, True, False], dtype="boolean"),
    }
    path = as_nullable_strings(write_h5ad(tmp_path / "n.h5ad", X, obs))
    with h5py.File(path) as file:
        assert column_names(file) == list(obs)
        table = read_table(file)
    assert table.index.tolist() == ["row0", "row1", "row2", "row3"]
    assert table["drug"].isna().tolist() == [False, True, False, False]
    assert table["flag"].tolist() == [True, None, True, False]
    np.testing.assert_array_equal(table["n_cells"], [5, np.nan, 5, 7])
    assert (table["whole"].dtype, table["sure"].dtype) == (np.int64, bool)


def test_a_table_without_column_order_is_read(tmp_path):
    """Other writers leave out the order and the name of the index."""
    path = write_h5ad(tmp_path / "n.h5ad", X, OBS)
    with h5py.File(path, "r+") as file:
        for name in ("column-order", "_index"):
            del file["obs"].attrs[name]
    assert open_counts(path).obs["drug"].tolist() == OBS["drug"]


def test_categories_that_no_row_has_are_no_names(tmp_path):
    """A vehicle that only the list of categories has does not count as one."""
    drug = pd.Categorical(OBS["drug"], categories=["DMSO", "DMSO_TF", "Gold", "Talc", "Zinc"])
    path = write_h5ad(tmp_path / "n.h5ad", X, {**OBS, "drug": drug})
    assert open_counts(path).labels == ("DMSO",)
    assert sorted(inspect_file(path).levels["drug"]) == ["DMSO", "Talc", "Zinc"]


def test_an_h5ad_of_a_row_a_gene_is_recognised(tmp_path):
    """The line of the message, carried out, makes a file that is read."""
    obs = pd.DataFrame(OBS, index=[f"row{i}" for i in range(4)])
    path = tmp_path / "t.h5ad"
    anndata.AnnData(X.T.astype(np.float32), obs=pd.DataFrame(index=GENES), var=obs).write_h5ad(path)
    with pytest.raises(InputError, match="it seems transposed") as caught:
        open_counts(path)
    with pytest.raises(InputError, match="it seems transposed"):
        read_deltas(path, value_kind=ValueKind.LOG2FC)
    names = {"anndata": anndata, "FILE": path, "NEW": tmp_path / "new.h5ad"}
    exec(caught.value.do.removeprefix("Write it once: ").rstrip("."), names)  # noqa: S102 - the advice is what is tested
    assert open_counts(names["NEW"]).genes["gene"].tolist() == GENES


@pytest.mark.parametrize("table", ["obs", "var"])
def test_hdf5_that_is_no_h5ad_is_not_damaged(tmp_path, table):
    """What it lacks, and what it has."""
    path = write_h5ad(tmp_path / "n.h5ad", X, OBS)
    with h5py.File(path, "r+") as file:
        del file[table]
    with pytest.raises(InputError, match=f"no {table}; found: X, layers") as caught:
        open_counts(path)
    assert "damaged" not in str(caught.value)
