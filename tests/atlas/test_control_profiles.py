"""Untreated expression of lines: tables in every form, units, coverage, and errors."""

import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.build import with_profiles
from lgr_core.atlas.control_profiles import ProfileUnits, as_logarithms, units_of
from lgr_core.atlas.sources.profile_tables import read_profiles
from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main
from lgr_core.errors import InputError, NotFoundError
from tests.support.toy_atlas import build_toy

GENES = ["DUSP6", "egr1", "FOS", "NOVEL"]
LINES = ["A-549", "LoVo", "Caco-2"]
VALUES = np.array([[1.5, -2.0, 3.0, 0.25], [4.0, 5.0, 6.5, 0.5], [7.0, 8.0, 9.0, 0.75]])


@pytest.fixture
def toy(tmp_path):
    """The toy atlas, opened."""
    build_toy(tmp_path / "atlases" / "toy")
    return open_atlas("toy", tmp_path / "atlases")


def frame(values=VALUES, genes=GENES, lines=LINES):
    """A table of a row a line."""
    return pd.DataFrame(values, index=pd.Index(lines, name="line"), columns=genes)


def read(toy, path, **options):
    """The file's profiles for the toy atlas."""
    return read_profiles(path, toy.genes, toy.cell_line_catalog, **options)


def written(table, path):
    """The table as a file of the path's form."""
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".h5ad":
        adata = ad.AnnData(X=table.to_numpy(np.float32))
        adata.obs_names, adata.var_names = table.index.astype(str), table.columns.astype(str)
        adata.write_h5ad(path)
    else:
        table.to_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.parquet", "p.h5ad"])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_form_reads_alike(toy, tmp_path, name, transposed):
    """A row a line or a row a gene; names in the atlas's spelling; other lines left out."""
    table = frame().T if transposed else frame()
    found = read(toy, written(table, tmp_path / name))
    assert found.cell_lines == ("A549", "LoVo")
    assert list(found.genes) == ["DUSP6", "EGR1", "FOS", "NOVEL"]
    np.testing.assert_allclose(found.expression, VALUES[:2])
    assert found.units == "log"
    assert found.notes["rows_of_other_lines_left_out"] == 1
    assert found.notes["genes_of_the_atlas"] == 3


def test_a_row_a_line_plate_and_gene_is_averaged_over_plates(toy, tmp_path):
    """Vehicle means of two plates: their mean."""
    rows = [
        (line, plate, gene, 10.0 * i + plate)
        for line in ("A549", "LoVo")
        for plate in (1, 2)
        for i, gene in enumerate(["DUSP6", "FOS"])
    ]
    table = pd.DataFrame(rows, columns=["cell_line", "plate", "gene", "expression"])
    table["plate"] = "plate" + table["plate"].astype(str)
    table.to_parquet(tmp_path / "long.parquet")
    found = read(toy, tmp_path / "long.parquet", units=ProfileUnits.LOG)
    np.testing.assert_allclose(found.over(["FOS", "DUSP6"]), [[11.5, 1.5]] * 2)


def test_ensembl_ids_are_read_as_symbols(toy, tmp_path):
    """Without their version; the atlas's own names come out."""
    genes = toy.genes.assign(ensembl_id=[f"ENSG{i:011}" for i in range(len(toy.genes))])
    table = frame(genes=[f"{name}.7" for name in genes["ensembl_id"][:4]])
    found = read_profiles(
        written(table, tmp_path / "e.csv"), genes, toy.cell_line_catalog, units=None
    )
    assert list(found.genes) == list(genes["gene"][:4])


def test_units_are_guessed_and_made_logarithms():
    """Whole numbers are counts; 25 of 100 counts are log1p(2500)."""
    counts = np.array([[25.0, 75.0], [0.0, 10.0]])
    assert units_of(counts) is ProfileUnits.COUNTS
    assert units_of(counts + 0.5) is ProfileUnits.TPM
    assert units_of(counts / 10 + 0.01) is ProfileUnits.LOG
    assert units_of(counts - 0.5) is ProfileUnits.LOG
    np.testing.assert_allclose(
        as_logarithms(counts, ProfileUnits.COUNTS),
        np.log1p([[2500, 7500], [0, 10_000]]),
        rtol=1e-6,
    )
    np.testing.assert_allclose(as_logarithms(counts, ProfileUnits.TPM), np.log1p(counts), rtol=1e-6)
    with pytest.raises(InputError, match="below zero|hold -1"):
        as_logarithms(counts - 1, ProfileUnits.TPM)
    with pytest.raises(InputError, match="no count"):
        as_logarithms(np.zeros((1, 2)), ProfileUnits.COUNTS)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (frame(genes=["X1", "X2", "X3", "X4"]), "genes"),
        (frame(lines=["HeLa", "K-562", "Caco-2"]), "none of its 3 rows"),
        (frame(VALUES * np.nan), "column|value|genes"),
        (frame(VALUES * np.inf), "infinite"),
    ],
)
def test_what_cannot_be_placed_is_refused(toy, tmp_path, table, said):
    """Unknown genes, unknown lines, no values: one error that says which."""
    with pytest.raises(InputError, match=said):
        read(toy, written(table, tmp_path / "bad.csv"))


def test_profiles_go_into_a_new_build(toy):
    """All else stays; an open store keeps its own build; a table goes before the vehicle's."""
    before = toy.line_profiles
    assert before.source == "vehicle cells of the atlas"
    profiles = read_of(toy, VALUES)
    with_profiles(toy.folder, profiles)
    again = open_atlas("toy", toy.folder.parent)
    assert toy.line_profiles is before
    assert again.build_id != toy.build_id
    assert again.line_profiles.cell_lines == ("A549", "LoVo")
    np.testing.assert_allclose(again.line_profiles.of("LoVo"), VALUES[1])
    assert again.line_profiles.of("HepG2/C3A") is None
    rows = np.arange(len(toy.conditions))
    np.testing.assert_array_equal(again.deltas(rows), toy.deltas(rows))
    np.testing.assert_array_equal(again.vehicle_profiles.expression, before.expression)
    with_profiles(toy.folder, profiles.permuted(0))
    dealt = open_atlas("toy", toy.folder.parent).line_profiles
    np.testing.assert_allclose(dealt.of("A549"), VALUES[1])
    assert dealt.notes["permuted"] == 0


def read_of(toy, values):
    """Profiles by way of a file."""
    return read(toy, written(frame(values), toy.folder.parent / "p.csv"))


def test_the_command_reports_coverage(toy, tmp_path, monkeypatch, capsys):
    """Which lines and genes were matched; an unknown atlas and a bad file are one error each."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    path = str(written(frame(np.abs(VALUES) * 100 + 0.5), tmp_path / "tpm.csv"))
    assert main(["profiles", "toy", path, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["lines"] == 2
    assert report["lines_without_profile"] == ["HepG2/C3A"]
    assert (report["genes_of_the_panel"], report["panel"]) == (2, 6)
    assert (report["units"], report["units_guessed"]) == ("tpm", True)
    assert main(["info", "toy", "--json"]) == 0
    info = json.loads(capsys.readouterr().out)["control_profiles"]
    assert (info["lines"], info["genes_of_the_panel"], info["units"]) == (2, 2, "tpm")
    assert main(["profiles", "toi", path]) == NotFoundError.exit_code
    assert main(["profiles", "toy", str(tmp_path / "none.csv")]) == InputError.exit_code


def test_ingest_takes_profiles(tmp_path, monkeypatch, capsys):
    """With the deltas, in one command."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    table = pd.DataFrame(
        {"cell_line": "A549", "drug": ["Talc", "Zinc"], "dose_um": 1.0, "FOS": [1.0, -1.0]}
    ).assign(DUSP6=[0.5, -0.5])
    table.to_csv(tmp_path / "x.csv", index=False)
    path = str(written(frame(), tmp_path / "p.csv"))
    kind = ["--name", "mine", "--value-kind", "log2fc", "--json"]
    assert main(["ingest", str(tmp_path / "x.csv"), *kind, "--profiles", path]) == 0
    assert json.loads(capsys.readouterr().out)["control_profiles"]["lines"] == 1
