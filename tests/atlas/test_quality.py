"""What is weak in an atlas is counted right, and said."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.quality import describe, noise_ceiling, plate_agreement, quality_report
from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main
from lgr_core.domain import ValueKind
from tests.support.count_files import write_h5ad
from tests.support.toy_atlas import build_toy


def test_agreement_is_the_mean_of_all_pairs():
    """Of two and of three rows; one row alone, and a constant one, agree with nobody."""
    rng = np.random.default_rng(3)
    deltas = rng.normal(size=(7, 40)).astype(np.float32)
    deltas[5] = 2.0
    codes = np.array([4, 1, 4, 1, 1, 4, 9])
    r, k = plate_agreement(deltas, codes)
    pairs = np.corrcoef(deltas[[1, 3, 4]])[np.triu_indices(3, 1)].mean()
    np.testing.assert_allclose(r, [pairs, np.corrcoef(deltas[[0, 2]])[0, 1]])
    assert k.tolist() == [3, 2]


PLATES = [
    # line, drug, dose, plate, genes
    ("A549", "Talc", 1.0, "p1", 1, 0, -1, 0),
    ("A549", "Talc", 1.0, "p2", 1, -1, 0, 0),
    ("A549", "Zinc", 1.0, "p1", 1, 0, -1, 0),
    ("A549", "Zinc", 1.0, "p2", 1, 0, -1, 0),
    ("A549", "Iron", 5.0, "p3", 1, 0, -1, 0),
    ("LoVo", "Talc", 1.0, "p1", 1, 0, -1, 0),
    ("LoVo", "Talc", 1.0, "p2", -1, 0, 1, 0),
    ("HT-29", "Talc", 1.0, "p1", 1, 0, -1, 0),
]


@pytest.fixture
def store(tmp_path):
    """Ready changes on plates."""
    columns = ["cell_line", "drug", "dose_um", "plate", "G1", "G2", "G3", "G4"]
    pd.DataFrame(PLATES, columns=columns).to_csv(tmp_path / "x.csv", index=False)
    options = IngestOptions(value_kind=ValueKind.LOG2FC)
    ingest(tmp_path / "x.csv", tmp_path / "atlases" / "x", options=options)
    return open_atlas("x", tmp_path / "atlases")


def test_the_ceiling_is_worked_by_hand(store):
    """Mean r = (1/2 + 1) / 2 on two plates: reliability 6/7; below zero there is none."""
    table = noise_ceiling(store).set_index("cell_line")
    assert table.index.tolist() == ["A549", "LoVo"]
    assert table.loc["A549", "n_conditions"] == 2
    assert table.loc["A549", "replicate_r"] == pytest.approx(0.75)
    assert table.loc["A549", "reliability"] == pytest.approx(6 / 7)
    assert table.loc["A549", "ceiling"] == pytest.approx((6 / 7) ** 0.5)
    assert table.loc["LoVo", "replicate_r"] == pytest.approx(-1)
    assert np.isnan(table.loc["LoVo", "ceiling"])


def test_ready_changes_say_what_is_not_known(store):
    """Cells and vehicles are the publisher's; JSON holds null, never 0 or NaN."""
    report = quality_report(store)
    assert report["conditions"]["cells_unknown"] == 5
    assert report["vehicles"]["compared_by"] == "publisher"
    assert report["replicates"]["lines"][1]["ceiling"] is None
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    said = describe(report)
    assert "vehicles: the publisher compared with them; which is not known here" in said
    assert "conditions under 10 cells: 0 of 0 with known cells" in said
    ceiling = "0.93 (r 0.75 between plates, reliability 0.86 of 2.0 plates by Spearman-Brown"
    assert f"noise ceiling in A549: {ceiling}; 2 conditions)" in said


def test_dose_and_plate(store, tmp_path):
    """Confounded where no drug has two doses on one plate; of one dose there is nothing to say."""
    doses = quality_report(store)["doses"]
    assert (doses["confounded"], doses["pairs_at_several_doses"]) == (False, 0)
    rows = pd.read_csv(tmp_path / "x.csv")
    higher = rows.assign(dose_um=rows["dose_um"] * 10, plate="q" + rows["plate"])
    for plates, expected in ((higher, True), (higher.assign(plate=rows["plate"]), False)):
        pd.concat([rows, plates]).to_csv(tmp_path / "y.csv", index=False)
        options = IngestOptions(value_kind=ValueKind.LOG2FC)
        ingest(tmp_path / "y.csv", tmp_path / "y", options=options, overwrite=True)
        doses = quality_report(open_atlas("y", tmp_path))["doses"]
        assert doses["confounded"] is expected
        assert doses["pairs_at_several_doses"] == 5
        assert doses["with_two_doses_on_one_plate"] == (0 if expected else 5)
        share = doses["share_at_the_main_dose_of_their_plate"]
        assert share == (1.0 if expected else 0.5)
    one = rows.assign(dose_um=1.0)
    one.to_csv(tmp_path / "z.csv", index=False)
    ingest(tmp_path / "z.csv", tmp_path / "z", options=options)
    assert quality_report(open_atlas("z", tmp_path))["doses"]["confounded"] is None


CELLS = [
    ("A549", "Talc", 1.0, "p1", "full"),
    ("A549", "DMSO", 0.0, "p1", "full"),
    ("A549", "Talc", 1.0, "p2", "full"),
    ("A549", "Talc", 1.0, "p2", "minimal"),
    ("A549", "Zinc", -1.0, "p1", "full"),
    ("LoVo", "Talc", 1.0, "p2", "full"),
    ("LoVo", "DMSO", 0.0, "p2", "full"),
]


def test_counts_say_what_was_lost(tmp_path):
    """Rows by reason, conditions of few cells, plates without a vehicle for a line."""
    columns = ["cell_line", "drug", "dose_um", "plate", "pass_filter"]
    obs = pd.DataFrame(CELLS, columns=columns)
    path = write_h5ad(tmp_path / "x.h5ad", [[i + 1, 2] for i in range(len(CELLS))], obs)
    ingest(path, tmp_path / "atlases" / "x", options=IngestOptions(min_cells=2))
    report = quality_report(open_atlas("x", tmp_path / "atlases"))
    assert report["rows"] == {
        "unit": "cells",
        "kept": 5,
        "left_out": {"pass_filter is not full": 1, "dose not positive": 1},
    }
    assert report["conditions"]["under_minimum"] == 1
    assert report["vehicles"]["plates_without"] == {"p2": ["A549"]}
    assert report["vehicles"]["under_minimum"] == 2
    said = describe(report)
    assert "cells kept: 5" in said
    assert "left out: 1 (dose not positive)" in said
    assert (
        "plates without a vehicle of their own: p2 (1 lines); 2 of 2 vehicles of few cells" in said
    )


def test_drugs_without_a_structure_and_twins(toy):
    """Forms of one compound are listed together."""
    drugs = quality_report(toy)["drugs"]
    assert drugs["without_structure"] == ["Mystery compound"]
    assert drugs["twins"] == [["Tofacitinib", "Tofacitinib (citrate)"]]
    assert drugs["alike"] == []


def test_the_command_says_it(tmp_path, monkeypatch, capsys):
    """As sentences and as JSON; without a name it is wrong use."""
    build_toy(tmp_path / "atlases" / "toy")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    assert main(["info", "toy", "--report"]) == 0
    assert "  drugs without a structure: 1\n" in capsys.readouterr().out
    assert main(["info", "toy", "--report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["drugs"]["total"] == 7
    assert main(["info", "--report"]) == 2
