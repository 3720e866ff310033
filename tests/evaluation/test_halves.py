"""Two halves of the cells of one well: fetched, built, and compared by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.tahoe_plates import CELLS, DELTAS
from lgr_core.cli import main
from tests.support.loopback_hub import LoopbackHub
from tests.support.published_files import tahoe_tables

GENES = ["GENE1", "GENE2", "GENE3", "GENE4"]
CHANGES = {
    ("A", "Trametinib"): [1.0, 2.0, 3.0, 4.0],
    ("B", "Trametinib"): [2.0, 4.0, 6.0, 8.0],  # r = 1
    ("A", "Vorinostat"): [1.0, -1.0, 1.0, -1.0],
    ("B", "Vorinostat"): [1.0, 1.0, -1.0, -1.0],  # r = 0
}


def long_file(path, half, extra=()):
    """One half of plate 6: a row a gene and condition, genes in another order in B."""
    rows = [
        ("CVCL_0023", drug, 5.0, gene, value)
        for (whose, drug), values in CHANGES.items()
        if whose == half
        for gene, value in [*zip(GENES, values, strict=True), *extra][:: 1 if half == "A" else -1]
    ]
    columns = ["cell_line", "drug", "dose", "gene_name", "log2FoldChange"]
    pd.DataFrame(rows, columns=columns).to_parquet(path)
    return path.read_bytes()


@pytest.fixture
def hub(tmp_path):
    """A hub with both halves of plate 6; A has a gene more."""
    files = {
        (DELTAS[0], f"a_vs_b/{half}/cell_eval/group_{half}_celleval_plate6.parquet"): long_file(
            tmp_path / "one.parquet", half, [("GENE5", 1.0)] if half == "A" else []
        )
        for half in "AB"
    }
    tables = tahoe_tables(tmp_path / "tables")
    files |= {(CELLS[0], f"metadata/{p.name}"): p.read_bytes() for p in tables.iterdir()}
    with LoopbackHub(files, {DELTAS[0]: DELTAS[1], CELLS[0]: CELLS[1]}) as hub:
        yield hub


def test_halves_are_fetched_built_and_compared(hub, tmp_path, monkeypatch, capsys):
    """Correlations of 1 and 0 over the four genes that both have: 0.5 in the mean."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    asked = ["--halves", "--plates", "6", "--mirror", hub.url, "--ingest", "tahoe"]
    assert main(["fetch", "tahoe", *asked]) == 0
    out = tmp_path / "halves.csv"
    assert main(["halves", "tahoe_half_a", "tahoe_half_b", "--out", str(out)]) == 0
    assert "0.500 (2 conditions)" in capsys.readouterr().out
    table = pd.read_csv(out).set_index("drug")
    np.testing.assert_allclose(table["total"][["Trametinib", "Vorinostat"]], [1, 0], atol=1e-6)
    assert table["specific"].isna().all()


def test_a_plate_without_halves_is_named(hub, tmp_path, monkeypatch, capsys):
    """What the hub lists is said."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    assert main(["fetch", "tahoe", "--halves", "--plates", "3", "--mirror", hub.url]) == 4
    assert "listed are 6" in capsys.readouterr().err


def test_an_atlas_agrees_with_itself(toy_home, monkeypatch, capsys):
    """Of the specific change, too, where its plates are named."""
    monkeypatch.setenv("LGR_HOME", str(toy_home))
    assert main(["halves", "toy", "toy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == pytest.approx(1)
