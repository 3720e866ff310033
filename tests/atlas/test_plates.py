"""Plates of an atlas: from columns, from a table of samples; how many compounds share them."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.delta_table import PLATE_COLUMNS
from lgr_core.atlas.ingest import ingest, ingest_demo
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_preview import preview_ingest
from lgr_core.atlas.plate_population import describe_plates, other_parents, plate_summary
from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main
from lgr_core.domain import Condition, ValueKind
from lgr_core.errors import InputError
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.count_files import write_h5ad

COMPOUNDS = [f"Compound {i}" for i in range(12)]


@pytest.fixture
def build(tmp_path):
    """Ingest rows of (line, drug, further columns) with two genes, and open the atlas."""

    def run(rows, **options):
        frame = pd.DataFrame(rows)
        deltas = [[i + 1.0, -i - 1.0] for i in range(len(frame))]
        path = write_h5ad(tmp_path / "x.h5ad", deltas, frame)
        folder = tmp_path / "atlases" / "x"
        options = IngestOptions(value_kind=ValueKind.LOG2FC, **options)
        ingest(path, folder, options=options, overwrite=True)
        return open_atlas("x", folder.parent)

    return run


@pytest.fixture
def samples(tmp_path):
    """Write a table of samples; returns its path."""

    def write(rows):
        path = tmp_path / "samples.csv"
        pd.DataFrame(rows).to_csv(path, index=False)
        return path

    return write


def standing(store):
    """(line, drug) -> the plates it stands on."""
    places = store.plates.groupby("condition")["plate"].agg(tuple)
    keys = store.conditions[["cell_line", "drug"]].itertuples(index=False, name=None)
    return {key: places.get(row, ()) for row, key in enumerate(keys)}


def test_one_row_per_plate_keeps_the_change_on_each(build):
    """The condition is the average (1 + 2) / 2; the plates keep 1 and 2."""
    store = build({"cell_line": "A549", "drug": ["Talc", "Talc", "Zinc"], "plate": [1, 2, 2]})
    assert standing(store) == {("A549", "Talc"): ("1", "2"), ("A549", "Zinc"): ("2",)}
    np.testing.assert_array_equal(store.deltas(np.array([0])), [[1.5, -1.5]])
    np.testing.assert_array_equal(store.plate_deltas[:, 0], [1, 2, 3])
    assert store.info()["plates"] == 2


def test_a_row_that_is_an_average_stands_on_all_its_plates(build):
    """Names joined by a semicolon: no change on a single plate is known, nor its cells."""
    rows = {
        "cell_line": "A549",
        "drug": ["Talc", "Zinc"],
        "plates": ["p6; p14", "p6"],
        "n_cells": [40, 30],
    }
    store = build(rows)
    assert standing(store) == {("A549", "Talc"): ("p6", "p14"), ("A549", "Zinc"): ("p6",)}
    assert store.plate_deltas is None
    np.testing.assert_array_equal(store.plates["n_cells"], [np.nan, np.nan, 30])
    assert store.conditions["n_cells"].tolist() == [40, 30]


def test_plates_that_are_named_again_stand_once(build):
    """One row says both plates, another one of them."""
    rows = {"cell_line": "A549", "drug": "Talc", "plates": ["p1;p2", "p2"], "rep": [1, 2]}
    store = build(rows)
    assert standing(store) == {("A549", "Talc"): ("p1", "p2")}


def test_a_number_of_plates_is_no_plate(build):
    """A column called plates that holds numbers says how many there were."""
    store = build({"cell_line": "A549", "drug": ["Talc", "Zinc"], "plates": [2, 3]})
    assert store.plates.empty
    assert "plate" not in store.provenance["columns"]


def test_replicates_without_plates_are_kept_but_stand_on_none(build):
    """Their changes stay; plates that nobody named are not claimed."""
    store = build({"cell_line": "A549", "drug": ["Talc", "Talc", "Zinc"], "rep": [1, 2, 1]})
    assert store.plates["plate"].tolist() == ["", "", ""]
    assert store.plate_deltas.shape == (3, 2)
    assert store.named_plates.empty
    assert store.info()["plates"] == 0
    assert (other_parents(store) == -1).all()


def test_samples_say_the_plates_by_drug_dose_and_line(build, samples):
    """Names in other spellings match; a line of its own goes before all lines only where named."""
    table = samples(
        {
            "Drug": ["talc", "Talc", "Zinc (hydrochloride)"],
            "dose_nM": [5000, 5000, 5000],
            "plate": ["p1", "p2", "p3"],
            "cell_line": ["a549", "LoVo", ""],
        }
    )
    rows = {
        "cell_line": ["A549", "LoVo", "A549", "LoVo"],
        "drug": ["Talc", "Talc", "Zinc", "Zinc"],
        "dose_um": 5.0,
    }
    store = build(rows, samples=table)
    assert standing(store) == {
        ("A549", "Talc"): ("p1",),
        ("A549", "Zinc"): ("p3",),
        ("LoVo", "Talc"): ("p2",),
        ("LoVo", "Zinc"): ("p3",),
    }
    assert store.plate_deltas.shape == (4, 2)
    said = store.provenance["samples"]
    assert (said["rows"], said["rows_unmatched"], said["conditions_without_plate"]) == (3, 0, 0)


def test_a_drug_on_several_plates_stands_on_all(build, samples):
    """A row of the file is then an average over them."""
    table = samples({"drug": ["Talc", "Talc"], "dose_um": 5, "plate": ["p1", "p2"]})
    store = build({"cell_line": "A549", "drug": ["Talc"], "dose_um": 5.0}, samples=table)
    assert standing(store) == {("A549", "Talc"): ("p1", "p2")}
    assert store.plate_deltas is None


def test_what_matches_nothing_is_counted_and_warned_of(build, samples, caplog):
    """A drug the file has not, a dose it has not, and a condition without a plate."""
    rows = {"drug": ["Talc", "Iron", "Talc"], "dose_um": [5, 5, 0.5], "plate": ["p1", "p2", "p3"]}
    data = {"cell_line": "A549", "drug": ["Talc", "Zinc"], "dose_um": 5.0}
    store = build(data, samples=samples(rows))
    said = store.provenance["samples"]
    assert (said["rows_unmatched"], said["conditions_without_plate"]) == (2, 1)
    assert standing(store) == {("A549", "Talc"): ("p1",), ("A549", "Zinc"): ("",)}
    assert "2 of 3 rows of samples.csv" in caplog.text
    assert "Iron" in caplog.text


def test_wells_and_numbers_of_samples_stand_beside_the_plates(build, samples):
    """Of two wells on one plate the names are joined and the numbers averaged; text is not kept."""
    table = samples(
        {
            "drug": ["Talc", "Talc", "Zinc"],
            "dose_um": 5,
            "plate": ["p1", "p1", "p1"],
            "well": ["A01", "A02", "B01"],
            "mean_counts": [100, 300, 50],
            "operator": ["x", "y", "z"],
            "n_cells": [1, 2, 3],
        }
    )
    data = {"cell_line": "A549", "drug": ["Talc", "Zinc"], "dose_um": 5.0}
    store = build(data, samples=table)
    assert set(store.plates) == {*PLATE_COLUMNS, "well", "mean_counts"}
    assert store.plates["well"].tolist() == ["A01;A02", "B01"]
    assert store.plates["mean_counts"].tolist() == [200, 50]


def test_samples_add_columns_to_plates_that_the_file_names(build, samples):
    """The file's plates stay; a sample on another plate adds nothing."""
    rows = {"drug": ["Talc", "Talc"], "dose_um": 5, "plate": ["p1", "p9"], "order": [7, 8]}
    data = {"cell_line": "A549", "drug": ["Talc", "Talc"], "dose_um": 5.0, "plate": ["p1", "p2"]}
    store = build(data, samples=samples(rows))
    assert store.plates["plate"].tolist() == ["p1", "p2"]
    np.testing.assert_array_equal(store.plates["order"], [7, np.nan])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ({"drug": ["Talc"], "dose_um": [5]}, "plate"),
        ({"name": ["Talc"], "plate": ["p1"]}, "drug"),
        ({"drug": ["Talc"], "plate": ["p1"], "dose_um": ["high"]}, "high"),
        ({"drug": ["Talc"], "plate": ["p1"], "dose_um": [5], "dose_nM": [5]}, "dose_nm"),
    ],
)
def test_samples_that_cannot_be_read_are_refused(build, samples, rows, found):
    """The message names the column or the value."""
    data = {"cell_line": "A549", "drug": ["Talc"], "dose_um": 5.0}
    with pytest.raises(InputError, match=found):
        build(data, samples=samples(rows))


def test_counts_get_plates_from_samples_too(tmp_path, samples):
    """Cells of one plate are compared with its vehicle; the plan says as many plates."""
    obs = {
        "cell_line": "A549",
        "drug": ["Talc", "Zinc", "DMSO", "DMSO"],
        "dose_um": [5.0, 5.0, 0.0, 0.0],
    }
    path = write_h5ad(tmp_path / "c.h5ad", [[5, 0, 5], [0, 5, 5], [5, 5, 0], [4, 4, 4]], obs)
    table = samples({"drug": ["Talc", "Zinc", "DMSO"], "dose_um": [5, 5, 0], "plate": "p1"})
    options = IngestOptions(samples=table)
    ingest(path, tmp_path / "atlases" / "c", options=options)
    store = open_atlas("c", tmp_path / "atlases")
    assert standing(store) == {("A549", "Talc"): ("p1",), ("A549", "Zinc"): ("p1",)}
    assert store.plates["control"].tolist() == ["plate", "plate"]
    assert preview_ingest(path, options).plates == 1


def test_counts_on_several_plates_keep_no_change_per_plate(tmp_path, samples):
    """Which of a drug's cells stood where is not known."""
    obs = {"cell_line": "A549", "drug": ["Talc", "DMSO"]}
    path = write_h5ad(tmp_path / "c.h5ad", [[5, 0, 5], [5, 5, 0]], obs)
    table = samples({"drug": ["Talc", "Talc", "DMSO"], "plate": ["p1", "p2", "p1"]})
    ingest(path, tmp_path / "atlases" / "c", options=IngestOptions(samples=table))
    store = open_atlas("c", tmp_path / "atlases")
    assert standing(store) == {("A549", "Talc"): ("p1", "p2")}
    assert store.plate_deltas is None
    assert store.plates["control"].tolist() == ["cell_line", "cell_line"]


def test_other_parents_are_those_of_the_plate_that_has_the_most(build):
    """Twelve others on p1, of both plates too; a salt of the same parent is no other."""
    rows = [("A549", drug, "p1") for drug in COMPOUNDS]
    rows += [("A549", "Talc", "p2"), ("A549", "Talc (hydrochloride)", "p2")]
    rows += [("A549", "Zinc", "p1;p2"), ("LoVo", "Zinc", "p1")]
    store = build(pd.DataFrame(rows, columns=["cell_line", "drug", "plate"]))
    others = other_parents(store)
    at = {
        (line, drug): others[store.row(Condition(line, drug))]
        for line, drug in [
            ("A549", "Compound 0"),
            ("A549", "Talc"),
            ("A549", "Zinc"),
            ("LoVo", "Zinc"),
        ]
    }
    assert list(at.values()) == [12, 1, 12, 0]
    specific = specific_changes(store)
    np.testing.assert_array_equal(np.maximum(others, 0), specific.n_others)
    assert specific.defined.mean() == plate_summary(store)["separable"]
    summary = plate_summary(store)
    assert (summary["plates"], summary["conditions_with_plate"]) == (2, len(rows))
    assert summary["other_parents"] == {"min": 0, "median": 1, "max": 12}
    assert summary["separable"] == pytest.approx(13 / 16)
    assert summary["per_plate_changes"] is False


@pytest.mark.parametrize(("asked", "said"), [(None, "unknown"), ("yes", "yes"), ("no", "no")])
def test_shared_wells_are_what_is_said(build, asked, said):
    """Unknown where nobody says; in the atlas, its description and its report."""
    store = build({"cell_line": "A549", "drug": ["Talc"]}, shared_wells=asked)
    assert store.shared_wells == said
    assert store.info()["shared_wells"] == said
    assert f"shared wells: {said}." in " ".join(describe_plates(plate_summary(store)))


def test_the_demo_says_that_its_wells_are_shared(tmp_path, monkeypatch):
    """Its plate and well effects are those of all lines; a few counts stand in for them here."""
    obs = {"cell_line": "A549", "drug": ["Talc", "DMSO"], "plate": "p1"}
    counts = write_h5ad(tmp_path / "c.h5ad", [[5, 0, 5], [5, 5, 0]], obs)
    monkeypatch.setattr("lgr_core.atlas.ingest.write_demo", lambda _, **__: counts)
    ingest_demo(tmp_path / "demo")
    assert open_atlas("demo", tmp_path).shared_wells == "yes"


def test_the_commands_take_and_show_plates(tmp_path, samples, monkeypatch, capsys):
    """--samples, --shared-wells and --exact-doses; info and its report."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    data = {"cell_line": "A549", "drug": ["Talc", "Zinc"], "dose_um": [9.8, 10.0]}
    path = write_h5ad(tmp_path / "x.h5ad", [[1, -1], [2, -2]], data)
    table = samples({"drug": ["Talc", "Zinc"], "dose_um": 10, "plate": "p1"})
    command = ["ingest", str(path), "--name", "x", "--value-kind", "log2fc"]
    command += ["--samples", str(table), "--shared-wells", "no", "--json"]
    assert main(command) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["plates"], info["shared_wells"], info["doses_um"]) == (1, "no", [9.8])
    assert main(["info", "x", "--report", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["plates"]
    assert (report["plates"], report["conditions_with_plate"]) == (1, 2)
    assert main([*command, "--exact-doses", "--overwrite"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["doses_um"] == [9.8, 10.0]
    assert info["provenance"]["samples"]["conditions_without_plate"] == 1


def test_files_of_a_folder_share_dose_groups_and_samples(tmp_path, samples):
    """9.8 uM in one file and 10 uM in the other are one dose; Zinc has no plate in the table."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, drug, dose in (("a", "Talc", 9.8), ("b", "Zinc", 10.0)):
        obs = {"cell_line": "A549", "drug": [drug, "DMSO"], "dose_um": [dose, 0.0]}
        write_h5ad(folder / f"{name}.h5ad", [[5, 0, 5], [5, 5, 0]], obs)
    table = samples({"drug": ["Talc", "DMSO"], "dose_um": [9.8, 0], "plate": "p1"})
    options = IngestOptions(samples=table)
    ingest(folder, tmp_path / "atlases" / "c", options=options)
    store = open_atlas("c", tmp_path / "atlases")
    assert store.conditions["dose_um"].tolist() == [9.8, 9.8]
    assert standing(store) == {("A549", "Talc"): ("p1",), ("A549", "Zinc"): ("",)}
    assert store.provenance["doses_grouped"] == {"measured": 2, "groups": 1}
    assert store.provenance["samples"]["conditions_without_plate"] == 1
