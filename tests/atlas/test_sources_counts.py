"""Raw counts, opened but not read whole."""

import h5py
import numpy as np
import pandas as pd
import pytest
from h5ads import write_h5ad

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources import open_counts
from lgr_core.errors import InputError, NotCountsError, UsageError

X = np.arange(12).reshape(4, 3)
OBS = {
    "cell_line": pd.Categorical(["A549", "A549", "K562", "K562"]),
    "drug": pd.Categorical(["DMSO", "Talc", "DMSO", "Talc"]),
    "dose": [0.0, 10.0, 0.0, 10.0],
    "dose_unit": "nM",
    "barcode": ["AA", "AC", "AG", "AT"],
}


def write(tmp_path, X=X, **obs):
    """A small file of counts."""
    return write_h5ad(tmp_path / "counts.h5ad", X, {**OBS, **obs})


def read_all(source, nonzeros=6):
    """All blocks of a source's shards, dense, and where the shards start."""
    shards = source.shards(nonzeros)
    blocks = [block.toarray() for shard in shards for block in shard.blocks()]
    return np.vstack(blocks), [shard.start for shard in shards]


def test_metadata_in_our_words(tmp_path):
    """Lines, drugs, doses in uM and controls; the choices are recorded."""
    source = open_counts(write(tmp_path))
    assert source.obs["drug"].tolist() == ["DMSO", "Talc", "DMSO", "Talc"]
    np.testing.assert_array_equal(source.obs["dose_um"], [np.nan, 0.01, np.nan, 0.01])
    assert source.obs["is_control"].tolist() == [True, False, True, False]
    assert source.genes["gene"].tolist() == ["G0", "G1", "G2"]
    assert source.labels == ("DMSO",)
    assert source.unit == "cell"
    assert source.provenance["matrix"] == "X"
    assert source.provenance["columns"]["drug"] == "drug (guessed)"


def test_blocks_are_the_file(tmp_path):
    """All rows in order, in blocks of the size asked for."""
    counts, starts = read_all(open_counts(write(tmp_path)))
    np.testing.assert_array_equal(counts, X)
    assert starts == [0, 2]


def test_rows_left_out_are_left_out_of_the_blocks(tmp_path):
    """Cells that did not pass the file's filter are counted and never read as cells."""
    path = write(tmp_path, pass_filter=["full", "minimal", "full", "full"])
    source = open_counts(path)
    assert source.provenance["dropped"] == {"pass_filter is not full": 1}
    for nonzeros in (1, 3, 6, 9, 12):
        counts, starts = read_all(source, nonzeros)
        np.testing.assert_array_equal(counts, X[[0, 2, 3]])
        assert starts == sorted(set(starts))


def test_values_that_are_no_counts_are_met_in_any_block(tmp_path):
    """The file's head may look like counts: each block is checked."""
    X = np.ones((600, 2))
    X[500, 1] = 0.5
    obs = {name: np.resize(np.asarray(values, dtype=object), 600) for name, values in OBS.items()}
    obs["dose"] = obs["dose"].astype(float)
    source = open_counts(write_h5ad(tmp_path / "x.h5ad", X, obs))
    with pytest.raises(NotCountsError, match=r"0\.5 in X, row 500, column 1"):
        read_all(source)


def test_columns_that_play_no_role_stay_unread(tmp_path):
    """An unreadable column of no role does no harm; it is named when a role is unplayed."""
    path = write(tmp_path)
    with h5py.File(path, "a") as f:
        f["obs/barcode"].attrs["encoding-type"] = "nonsense"
    open_counts(path)
    with h5py.File(path, "a") as f:
        order = [name for name in f["obs"].attrs["column-order"] if name != "drug"]
        f["obs"].attrs["column-order"] = order
    with pytest.raises(InputError, match=r"column for drug.*columns found:.*barcode"):
        open_counts(path)


@pytest.mark.parametrize(
    ("obs", "unit"),
    [
        ({"well": ["A1", "A2", "B1", "B2"]}, "well"),
        ({"well": ["A1", "A1", "A2", "A2"], "plate": ["p", "q", "p", "q"]}, "well"),
        ({"well": ["A1", "A1", "A2", "A2"]}, "cell"),
    ],
)
def test_rows_with_a_well_of_their_own_are_wells(tmp_path, obs, unit):
    """A well that stands twice on a plate holds cells."""
    assert open_counts(write(tmp_path, **obs)).unit == unit


def test_rows_of_many_counts_are_wells(tmp_path):
    """A median of 50,000 counts is no single cell; the caller may say otherwise."""
    path = write(tmp_path, X=np.full((4, 3), 20_000))
    assert open_counts(path).unit == "well"
    source = open_counts(path, ReadOptions(unit="cell"))
    assert source.unit == "cell"
    assert source.provenance["unit_is"] == "given"
    with pytest.raises(UsageError, match="'cells' is unknown"):
        open_counts(path, ReadOptions(unit="cells"))


def test_a_file_without_a_vehicle_is_refused(tmp_path):
    """The drugs that it has are named, and the flag."""
    path = write(tmp_path, drug=["PBS", "Talc", "PBS", "Talc"])
    with pytest.raises(InputError, match=r"no row is a known vehicle.*PBS.*--control LABEL"):
        open_counts(path)
    assert open_counts(path, ReadOptions(controls=["PBS"])).labels == ("PBS",)


def test_a_table_is_no_file_of_counts(tmp_path):
    """Parquet and CSV hold ready deltas: the message says how to read them."""
    path = tmp_path / "x.csv"
    path.write_text("cell_line,drug,G1\nA549,Talc,0.5\n")
    with pytest.raises(InputError, match="--value-kind"):
        open_counts(path)


def test_a_broken_file_is_refused(tmp_path):
    """HDF5's own error is translated."""
    path = tmp_path / "x.h5ad"
    path.write_text("no HDF5")
    with pytest.raises(InputError, match="cannot be read as h5ad"):
        open_counts(path)
    with pytest.raises(InputError, match="does not exist"):
        open_counts(tmp_path / "y.h5ad")


def test_counts_of_raw_have_their_own_genes(tmp_path):
    """raw/X may hold more genes than X; its names go with it."""
    raw = {"X": X.astype(np.float32), "var": pd.DataFrame(index=["R0", "R1", "R2"])}
    path = write_h5ad(tmp_path / "x.h5ad", np.full((4, 2), 0.5), OBS, raw=raw)
    assert open_counts(path).genes["gene"].tolist() == ["R0", "R1", "R2"]


@pytest.mark.real
def test_macpie_wells(real_data):
    """95 wells of 3 lines, 23 drugs; DMSO goes before Media."""
    source = open_counts(real_data / "macpie_ovarian_raw" / "counts.h5ad")
    assert (len(source.obs), len(source.genes), source.unit) == (95, 26_236, "well")
    assert source.labels == ("DMSO", "Media")
    treated = source.obs[~source.obs["is_control"]]
    assert treated["drug"].nunique() == 23
    assert treated["cell_line"].nunique() == 3
    assert source.genes["gene"].is_unique
    assert source.obs["is_control"].sum() == 22


def test_times_are_never_pooled(tmp_path):
    """Cells of two times are refused; one time can be read, vehicles included."""
    path = write(tmp_path, time=[24, 24, 72, 72])
    with pytest.raises(InputError, match="rows of 2 times.*24, 72"):
        open_counts(path)
    source = open_counts(path, ReadOptions(time="72"))
    assert source.kept.tolist() == [2, 3]
    assert source.provenance["time"] == "72"


def test_columns_that_play_no_role_are_looked_at(tmp_path):
    """Few categories that tell cells of one condition apart are recorded; a dose is asked about."""
    obs = {"cell_line": ["A"] * 4, "drug": ["DMSO", "Talc", "Talc", "Talc"]}
    genotype = pd.Categorical(["wt", "wt", "ko", "ko"])
    source = open_counts(write(tmp_path, **obs, genotype=genotype))
    assert source.provenance["averaged_over"] == {"genotype": 2}
    path = write(tmp_path, **obs, dose_level=[0, 1, 2, 3])
    with pytest.raises(InputError, match="'dose_level': it looks like a dose"):
        open_counts(path)


@pytest.mark.parametrize(
    ("obs", "says"),
    [
        ({"dose": [0.0, -1.0, 0.0, -1.0]}, "every row is one.*dose not positive: 2"),
        ({"drug": ["Talc"] * 4, "dose": 1.0}, "no row is a known vehicle; drugs"),
    ],
)
def test_one_sided_files_say_what_is_missing(tmp_path, obs, says):
    """Without treatments it is not the vehicle's label that is wrong."""
    with pytest.raises(InputError, match=says):
        open_counts(write(tmp_path, **obs))


def test_a_file_without_genes_is_refused(tmp_path):
    """It is not taken for one without vehicles."""
    with pytest.raises(InputError, match="it has no genes"):
        open_counts(write(tmp_path, X=np.empty((4, 0))))


def test_a_folder_is_no_file_of_counts(tmp_path):
    """Folders are read as ready deltas alone."""
    with pytest.raises(InputError, match="from h5ad only"):
        open_counts(tmp_path)
