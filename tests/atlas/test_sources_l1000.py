"""LINCS L1000, level 5: a matrix of z-scores and tables, of two releases."""

import h5py
import numpy as np
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources import l1000
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError
from tests.support.published_files import L1000_ROWS, l1000_folder


@pytest.fixture(params=[False, True], ids=["GEO", "CMap 2020"])
def source(request, tmp_path):
    """A release in small."""
    return l1000_folder(tmp_path / "lincs", beta=request.param)


def build(source, **options):
    """Ingest and open."""
    folder = source.parent / "atlases" / "l1000"
    ingest(source, folder, options=IngestOptions(**options), overwrite=True)
    return open_atlas("l1000", folder.parent)


def test_a_release_becomes_an_atlas(source):
    """z-scores of compounds over measured genes; -666 is missing, wherever it stands."""
    store = build(source)
    assert store.value_kind is ValueKind.ZSCORE
    assert store.gene_names.tolist() == ["TP53", "MYC"]
    found = store.conditions[["cell_line", "drug", "dose_um", "n_replicates"]].fillna(
        {"n_replicates": -1}
    )
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("A549", "Zinc", 0.3, -1),
        ("A549", "Talc", 10.0, 2.0),
        ("MCF7", "Talc", 10.0, 3.0),
    ]
    assert store.deltas(np.arange(3)).tolist() == [[-1, 1], [1, 2], [3, -3]]
    assert store.provenance["signatures_left_out"] == {
        "ctl_vehicle": 1,
        "trt_sh": 1,
        "with a missing value": 1,
    }
    assert store.provenance["dropped"] == {"no drug": 1, "no readable dose": 1}
    assert store.provenance["inferred_genes_left_out"] == 1
    assert store.provenance["time"] == "24"
    assert store.annotations["Talc"]["smiles"] == "CCO"


def test_one_line_is_read_alone(source):
    """The others do not even enter the memory."""
    assert l1000.read_l1000(source / "level5.gctx", ("mcf-7",)).obs["cell_line"].tolist() == [
        "MCF7",
        "MCF7",
    ]
    assert set(build(source, lines=("mcf7",)).conditions["cell_line"]) == {"MCF7"}


def test_more_than_the_memory_holds_is_refused(source, monkeypatch):
    """With the flag that makes it less."""
    monkeypatch.setattr(l1000, "_MOST_BYTES", 8)
    with pytest.raises(InputError, match="Name some cell lines with --lines"):
        build(source)


def test_rows_in_blocks_are_the_same(source, monkeypatch):
    """However many are read at a time."""
    before = build(source).deltas(np.arange(3))
    monkeypatch.setattr(l1000, "_ROWS_AT_ONCE", 2)
    np.testing.assert_array_equal(build(source).deltas(np.arange(3)), before)


def test_what_is_missing_is_said(source):
    """A table, a packed matrix, a gene, a turned matrix."""
    with h5py.File(source / "level5.gctx", "a") as file:
        file["0/META/ROW/id"][0] = b"9999"
    with pytest.raises(InputError, match="1 of 3 genes are not in the table of genes"):
        build(source)
    with h5py.File(source / "level5.gctx", "a") as file:
        turned = file["0/DATA/0/matrix"][:].T
        del file["0/DATA/0/matrix"]
        file["0/DATA/0/matrix"] = turned
    with pytest.raises(InputError, match=rf"its matrix is \(3, {len(L1000_ROWS)}\)"):
        build(source)
    next(path for path in source.iterdir() if "gene" in path.name).unlink()
    with pytest.raises(InputError, match="table of genes .* there is none"):
        build(source)
    (source / "level5.gctx").rename(source / "level5.gctx.gz")
    with pytest.raises(InputError, match="Unpack it: gunzip"):
        build(source)
