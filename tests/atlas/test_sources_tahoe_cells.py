"""Tahoe's cells: shards of token lists, and plate files; vehicle to the letter, marker left out."""

import re
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources import open_folder, parquet_lists
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Condition, ValueKind
from lgr_core.errors import InputError, NotCountsError, UsageError
from tests.support.count_files import write_h5ad
from tests.support.published_files import DRUGS, GENES, expression_shard, tahoe_obs, tahoe_tables

SOLVATE = DRUGS[2]
CELLS = [
    ("smp_1", "Infigratinib", "CVCL_0023", "plate1", {0: 3, 5: 1}),
    ("smp_2", "DMSO_TF", "CVCL_0023", "plate1", {0: 1, 4: 1}),
    ("smp_3", SOLVATE, "CVCL_0023", "plate1", {1: 8}),
    ("smp_2", "DMSO_TF", "CVCL_0023", "plate1", {}),
    ("smp_4", "DMSO_TF", "CVCL_0399", "plate3", {2: 2, 11: 2}),
]
MORE = [("smp_5", "Infigratinib", "CVCL_0399", "plate3", {11: 4})]
COUNTS = np.zeros((6, len(GENES)))
for row, cell in enumerate(CELLS + MORE):
    for gene, n in cell[-1].items():
        COUNTS[row, gene] = n


@pytest.fixture
def source(tmp_path):
    """Two shards in data/, tables in metadata/."""
    expression_shard(tmp_path / "hf" / "data" / "train-00000-of-03388.parquet", CELLS)
    expression_shard(tmp_path / "hf" / "data" / "train-00001-of-03388.parquet", MORE, ids=int)
    tahoe_tables(tmp_path / "hf" / "metadata")
    return tmp_path / "hf"


def opened(path, **options):
    """The source of counts that a path is recognised as."""
    return detect_format(path).open(path, ReadOptions(**options))


def dense(source, max_nonzeros=1_000):
    """All its counts, checked to come in order and without a gap; and how many shards."""
    shards = source.shards(max_nonzeros)
    assert [shard.start for shard in shards[1:]] == [shard.stop for shard in shards[:-1]]
    assert (shards[0].start, shards[-1].stop) == (0, len(source.obs))
    blocks = [[*shard.blocks()] for shard in shards]
    for shard, parts in zip(shards, blocks, strict=True):
        assert sum(part.shape[0] for part in parts) == shard.stop - shard.start
    return np.concatenate([part.toarray() for part in chain(*blocks)]), len(shards)


@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize(("most", "n"), [(99, (1, 1)), (8, (2, 2)), (1, (6, 4))])
def test_shards_are_cut_and_read(source, monkeypatch, most, n, at_once):
    """Tokens become genes, ids as floats or whole, the marker is no gene, an empty cell stays."""
    monkeypatch.setattr(parquet_lists, "_CELLS_AT_ONCE", at_once)
    found = opened(source)
    counts, n_found = dense(found, most)
    np.testing.assert_array_equal(counts, COUNTS)
    assert n_found == n[at_once - 1]
    assert found.nonzeros() == COUNTS.astype(bool).sum() + len(COUNTS)
    assert found.genes["gene"].tolist() == GENES
    assert found.obs["cell_line"].tolist() == ["A549"] * 4 + ["LoVo"] * 2
    assert found.unit == "cell"


def test_the_vehicle_is_matched_to_the_letter(source):
    """A solvate of DMSO is a treatment; doses come from the table of samples."""
    obs = opened(source).obs
    assert obs["is_control"].tolist() == [False, True, False, True, True, False]
    assert obs["dose_um"].tolist()[0::5] == [0.05, 5.0]
    assert obs.loc[2, "drug"] == SOLVATE


def test_a_list_without_a_marker_loses_nothing(source):
    """Only a first value below zero is a marker."""
    shard = source / "data" / "train-00000-of-03388.parquet"
    expression_shard(shard, CELLS, marker=False)
    np.testing.assert_array_equal(dense(opened(source))[0], COUNTS)


def test_a_negative_count_is_no_marker(source):
    """Elsewhere than at the start it is refused."""
    shard = source / "data" / "train-00001-of-03388.parquet"
    expression_shard(shard, [(*MORE[0][:-1], {11: 4, 2: -2})])
    with pytest.raises(NotCountsError, match="-2.0 in train-00001"):
        dense(opened(source))


@pytest.mark.parametrize("token", [-5.0, 3.5, 2.0, 99.0, float("nan")])
def test_a_token_of_no_gene_is_refused(source, token):
    """Below, between, beyond and not a number: no other gene gets its count."""
    shard = source / "data" / "train-00001-of-03388.parquet"
    expression_shard(shard, [(*MORE[0][:-1], {token - 3: 4})])
    with pytest.raises(InputError, match="token .* is no gene's"):
        dense(opened(source))


def test_shards_become_an_atlas(source, tmp_path):
    """Each plate against its own vehicle; the publisher's tables annotate."""
    folder = tmp_path / "atlases" / "cells"
    ingest(source, folder, options=IngestOptions(lines=("A549",)))
    store = open_atlas("cells", folder.parent)
    row = store.row(Condition("A549", SOLVATE, 0.05))
    delta = dict(
        zip(store.gene_names, store.deltas(np.array([row]), all_genes=True)[0], strict=True)
    )
    assert delta["GENE1"] == pytest.approx(np.log1p(10_000))
    assert delta["GENE0"] == pytest.approx(-np.log1p(5_000))
    assert store.annotations[SOLVATE]["smiles"] == "CCN.CS(=O)C"
    assert store.provenance["form"] == "Tahoe-100M expression shards"
    assert store.shared_wells == "yes"
    assert store.provenance["dropped"] == {"of another cell line": 2}


def test_counts_are_not_taken_for_changes(source, tmp_path):
    """Whatever is said of them."""
    options = IngestOptions(value_kind=ValueKind.LOG2FC)
    with pytest.raises(UsageError, match="whose values are raw counts"):
        ingest(source, tmp_path / "atlases" / "cells", options=options)


def _samples(source, **changes):
    path = source / "metadata" / "sample_metadata.parquet"
    pd.read_parquet(path).assign(**changes).to_parquet(path)


def test_what_does_not_fit_together_is_one_error(source):
    """Tables missing or of another release, a shard cut off, a column renamed."""
    _samples(source, drug="Talc")
    with pytest.raises(InputError, match="sample smp_1 is Infigratinib in a shard, Talc"):
        opened(source)
    genes = pd.read_parquet(source / "metadata" / "gene_metadata.parquet")
    tahoe_tables(source / "metadata")
    genes.iloc[:-1].to_parquet(source / "metadata" / "gene_metadata.parquet")
    with pytest.raises(InputError, match="token 14 is no gene's"):
        dense(opened(source))
    shard = source / "data" / "train-00001-of-03388.parquet"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-50])
    with pytest.raises(InputError, match=r"train-00001.*cannot be read.*cut off"):
        opened(source)
    shard.write_bytes(whole)
    pd.read_parquet(shard).rename(columns={"sample": "sample_id"}).to_parquet(shard)
    with pytest.raises(InputError, match="it has no column sample"):
        opened(source)
    (source / "metadata").rename(source / "elsewhere")
    with pytest.raises(InputError, match="lgr fetch tahoe --metadata"):
        opened(source)


OBS = [
    ("Infigratinib ", 0.05, "CVCL_0023", "full", "plate1"),
    ("DMSO_TF", 0.0, "CVCL_0023", "full", "plate1"),
    ("DMSO_TF", 0.0, "CVCL_0023", "minimal", "plate1"),
]


@pytest.fixture
def plates(tmp_path):
    """Two plate files as they are published."""
    var = pd.DataFrame({"gene_name": ["G1", "G2"]}, index=["0", "1"])
    for plate, last in (("plate1", 4), ("plate3", 8)):
        obs = tahoe_obs([(*row[:-1], plate) for row in OBS])
        name = f"{plate}_filt_Vevo_Tahoe100M_WServicesFrom_ParseGigalab.h5ad"
        write_h5ad(tmp_path / name, [[last, 0], [1, 1], [9, 9]], obs, var)
    return tmp_path


def test_plate_files_are_read_as_one(plates):
    """pass_filter, the literal's trailing space, names before ids; plates are kept apart."""
    source = open_folder(plates)
    assert source.obs["drug"].tolist() == ["Infigratinib", "DMSO_TF"] * 2
    assert source.obs["plate"].tolist() == ["plate1"] * 2 + ["plate3"] * 2
    assert source.obs["cell_line"].tolist() == ["A549"] * 4
    assert source.obs["dose_um"].tolist()[0::2] == [0.05, 0.05]
    np.testing.assert_array_equal(dense(source)[0], [[4, 0], [1, 1], [8, 0], [1, 1]])
    assert source.genes["gene"].tolist() == ["G1", "G2"]
    assert source.provenance["dropped"] == {"pass_filter is not full": 2}
    assert source.provenance["files"] == 2


def test_plate_files_are_known_to_share_their_wells(plates):
    """As a folder and alone, and whatever plate a file is of."""
    for number, path in enumerate([plates, next(plates.glob("*.h5ad"))]):
        ingest(path, plates / "atlases" / f"x{number}")
        store = open_atlas(f"x{number}", plates / "atlases")
        assert store.provenance["form"] == "Tahoe-100M plate files"
        assert store.shared_wells == "yes"


def test_a_file_that_names_no_plate_is_one(plates):
    """Named by its stem."""
    var = pd.DataFrame({"gene_name": ["G1", "G2"]}, index=["0", "1"])
    for path in plates.glob("*.h5ad"):
        write_h5ad(path, [[4, 0], [1, 1], [9, 9]], tahoe_obs(OBS).drop(columns="plate"), var)
    named = set(open_folder(plates).obs["plate"])
    assert named == {path.stem for path in plates.glob("*.h5ad")}


def test_files_that_differ_are_refused(plates):
    """In genes, and a folder without any."""
    var = pd.DataFrame({"gene_name": ["G1", "G3"]}, index=["0", "1"])
    write_h5ad(plates / "plate9.h5ad", [[4, 0], [1, 1], [9, 9]], tahoe_obs(OBS), var)
    with pytest.raises(InputError, match=re.escape("plate9.h5ad: its genes differ")):
        open_folder(plates)
    (plates / "none").mkdir()
    with pytest.raises(InputError, match="no h5ad of raw counts.*--value-kind"):
        open_folder(plates / "none")


@pytest.mark.real
def test_the_publishers_own_metadata(real_data):
    """A drug besides the vehicle holds DMSO in its name; 62,710 genes have the tokens from 3."""
    samples = pd.read_csv(real_data / "tahoe_meta" / "sample_metadata.csv")
    genes = pd.read_csv(real_data / "tahoe_meta" / "gene_metadata.csv.gz", keep_default_na=False)
    assert sorted(genes["token_id"]) == list(range(3, 62_713))
    assert (samples["drug"] == "DMSO_TF").sum() < samples["drug"].str.contains("DMSO").sum()
