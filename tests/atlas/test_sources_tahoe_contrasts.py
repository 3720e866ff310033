"""Tahoe's published differential expression: from a row a gene to a row a contrast."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources import tahoe_contrasts
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.sources.tahoe_contrasts import read_contrasts
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Condition, ValueKind
from lgr_core.errors import InputError
from tests.support.published_files import contrast_shard, tahoe_tables

A549 = [
    ("Trametinib ", 0.05, "plate1", {"TP53": (5, 1.5), "MYC": (5, -2.0), "NA": (0, np.nan)}),
    ("Trametinib", 0.05, "plate4", {"TP53": (5, 0.5), "MYC": (5, -1.0), "NA": (2, 0.25)}),
    ("Talc", 5.0, "plate3", {"TP53": (5, 0.0), "MYC": (5, 0.5), "NA": (2, 0.5), "ODD": (1, 9)}),
]
LOVO = [("Talc", 5.0, "plate3", {"NA": (2, 3.0), "TP53": (5, 1.0), "MYC": (5, 2.0)})]


@pytest.fixture
def source(tmp_path):
    """A shard a line, where the publisher keeps them."""
    folder = tmp_path / "hf" / "metadata" / "pseudobulk_differential_expression"
    contrast_shard(folder / "train-00000-of-01026.parquet", "CVCL_0023", A549)
    contrast_shard(folder / "train-00001-of-01026.parquet", "CVCL_0399", LOVO)
    tahoe_tables(tmp_path / "hf" / "metadata")
    return tmp_path / "hf"


def build(source, **options):
    """Ingest and open."""
    folder = source.parent / "atlases" / "de"
    ingest(source, folder, options=IngestOptions(**options), overwrite=True)
    return open_atlas("de", folder.parent)


def test_shards_become_an_atlas(source):
    """Plates averaged, float32 doses read as they were meant, a silent gene is 0, NA is a gene."""
    store = build(source)
    assert store.value_kind is ValueKind.LOG2FC
    assert "DESeq2" in store.provenance["normalisation"]
    assert store.shared_wells == "yes"
    assert store.info()["doses_um"] == [0.05, 5.0]
    assert sorted(store.gene_names) == ["MYC", "NA", "TP53"]
    assert store.provenance["genes_not_in_every_contrast"] == 1
    row = store.row(Condition("A549", "Trametinib", 0.05))
    delta = dict(zip(store.gene_names, store.deltas(np.array([row]))[0].tolist(), strict=True))
    assert delta == {"TP53": 1.0, "MYC": -1.5, "NA": 0.125}
    assert store.conditions.loc[row, "n_cells"] == 80
    row = store.row(Condition("LoVo", "Talc", 5.0))
    delta = dict(zip(store.gene_names, store.deltas(np.array([row]))[0].tolist(), strict=True))
    assert delta == {"TP53": 1.0, "MYC": 2.0, "NA": 3.0}


def test_one_line_reads_its_shards_alone(source):
    """By any spelling; rows of other lines are not even met."""
    form = detect_format(source)
    found = form.read(("lovo",))
    assert found.obs["Cell_Name_Vevo"].tolist() == ["LoVo"]
    assert set(build(source, lines=("CVCL_0399",)).conditions["cell_line"]) == {"LoVo"}
    with pytest.raises(InputError, match="no shard holds HT-29"):
        form.read(("HT-29",))


def test_a_missing_change_is_refused(source):
    """Where there were counts: it cannot be 0."""
    path = source / "metadata" / "pseudobulk_differential_expression"
    rows = [("Talc", 5.0, "plate3", {"NA": (2, np.nan), "TP53": (5, 1.0), "MYC": (5, 2.0)})]
    contrast_shard(path / "train-00001-of-01026.parquet", "CVCL_0399", rows)
    with pytest.raises(InputError, match="nan in row"):
        build(source)


def test_more_than_the_memory_holds_is_refused(source, monkeypatch):
    """With the flag that makes it less."""
    monkeypatch.setattr(tahoe_contrasts, "_MOST_BYTES", 50)
    with pytest.raises(InputError, match="Name some cell lines with --lines"):
        build(source)


def test_a_changed_or_cut_shard_is_one_error(source):
    """A column renamed, then the end missing."""
    path = source / "metadata" / "pseudobulk_differential_expression"
    shard = path / "train-00001-of-01026.parquet"
    pd.read_parquet(shard).rename(columns={"plate": "Plate"}).to_parquet(shard)
    with pytest.raises(InputError, match="it has no column plate"):
        build(source)
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"train-00001.*cannot be read as parquet"):
        build(source)


def test_a_gene_twice_in_a_contrast_is_left_out(tmp_path):
    """Nobody knows which of the two is meant; without any gene left there is nothing to read."""
    path = contrast_shard(tmp_path / "a.parquet", "CVCL_0399", LOVO)
    table = pd.read_parquet(path)
    pd.concat([table, table.iloc[:1]]).to_parquet(path)
    assert read_contrasts([path]).genes["gene"].tolist() == ["TP53", "MYC"]
    pd.concat([table, table]).to_parquet(path)
    with pytest.raises(InputError, match="none of 3 genes is listed once"):
        read_contrasts([path])
