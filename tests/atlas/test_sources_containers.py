"""Containers of other programs: the advice, carried out, makes a file that is read."""

import gzip
import subprocess

import anndata
import h5py
import numpy as np
import pytest
import scanpy
from scipy import sparse

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_preview import preview_ingest
from lgr_core.atlas.sources import open_counts
from lgr_core.errors import InputError
from tests.support.count_files import write_h5ad

X = np.arange(12).reshape(4, 3)
OBS = {"cell_line": ["A"] * 4, "drug": ["DMSO", "Talc"] * 2}


@pytest.fixture
def path(tmp_path):
    """A small h5ad of counts."""
    return write_h5ad(tmp_path / "a.h5ad", X, OBS)


def advice(path):
    """What is said of a container, the same by an ingest and by a check before it."""
    with pytest.raises(InputError) as caught:
        ingest(path, path.parent / "atlases" / "x")
    with pytest.raises(InputError) as checked:
        preview_ingest(path, IngestOptions())
    assert str(caught.value) == str(checked.value)
    return caught.value.do


def execute(do, **names):
    """Run the Python of an advice."""
    exec(do[do.index(": ") + 2 :].rstrip("."), names)  # noqa: S102 - the advice is what is tested


def test_a_packed_h5ad_is_unpacked(path):
    """By the command that is named."""
    packed = path.with_name("b.h5ad.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    command = advice(packed).removeprefix("Unpack it: ").split()
    assert command[0] == "gunzip"
    subprocess.run(command, check=True)
    assert len(open_counts(packed.with_suffix("")).obs) == 4


def test_a_zarr_store_is_converted(path, tmp_path):
    """A folder that is no folder of files."""
    store = tmp_path / "b.zarr"
    anndata.read_h5ad(path).write_zarr(store)
    execute(advice(store), anndata=anndata, FILE=store, NEW=tmp_path / "new.h5ad")
    assert open_counts(tmp_path / "new.h5ad").obs["drug"].tolist() == OBS["drug"]


def test_a_10x_matrix_gets_lines_and_drugs(tmp_path):
    """It has cells and genes, and nothing else."""
    path = tmp_path / "b.h5"
    matrix = sparse.csr_matrix(X)
    with h5py.File(path, "w") as file:
        for name in ("data", "indices", "indptr"):
            file[f"matrix/{name}"] = getattr(matrix, name)
        file["matrix/shape"] = X.shape[::-1]
        file["matrix/barcodes"] = [b"AA", b"AC", b"AG", b"AT"]
        for name, values in {
            "id": [b"ENSG1", b"ENSG2", b"ENSG3"],
            "name": [b"G1", b"G2", b"G3"],
            "feature_type": [b"Gene Expression"] * 3,
            "genome": [b"GRCh38"] * 3,
        }.items():
            file[f"matrix/features/{name}"] = values
    do = advice(path)
    for column, values in OBS.items():
        do = do.replace(f"a.obs['{column}'] = ...", f"a.obs['{column}'] = {values}")
    execute(do, scanpy=scanpy, FILE=path, NEW=tmp_path / "new.h5ad")
    assert open_counts(tmp_path / "new.h5ad").genes["gene"].tolist() == ["G1", "G2", "G3"]


def test_an_h5ad_called_h5_is_renamed(path):
    """It is told by what it holds."""
    other = path.rename(path.with_suffix(".h5"))
    name = advice(other).removeprefix("Rename it: ")
    assert len(open_counts(other.rename(other.with_name(name))).obs) == 4


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a.h5mu", "mudata"),
        ("a.loom", "read_loom"),
        ("a.rds", "anndataR"),
        ("a.xlsx", "CSV"),
        ("a.txt", ".tsv"),
        ("a.tar.gz", "Unpack"),
        ("a.csv.bz2", "bunzip2"),
        ("matrix.mtx.gz", "read_10x_mtx"),
    ],
)
def test_other_formats_say_the_way(tmp_path, name, word):
    """Each by its name."""
    (tmp_path / name).write_bytes(b"x")
    assert word in advice(tmp_path / name)


def test_a_folder_of_a_10x_matrix_is_known(tmp_path):
    """By the file that it holds."""
    folder = tmp_path / "filtered_feature_bc_matrix"
    folder.mkdir()
    (folder / "matrix.mtx.gz").write_bytes(b"x")
    assert "read_10x_mtx" in advice(folder)
