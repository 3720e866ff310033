"""Tahoe's ready deltas: plates, doses from the treatment, names from ids."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources.doses import parse_literal
from lgr_core.atlas.sources.tahoe_deltas import MAIN_DOSES
from lgr_core.atlas.store import open_atlas
from lgr_core.atlas.tahoe_plates import CELLS, DELTAS
from lgr_core.cli import main
from lgr_core.domain import Condition, ValueKind
from lgr_core.errors import InputError, UsageError
from tests.support.loopback_hub import LoopbackHub
from tests.support.published_files import DRUGS, GENES, literal, rhaister_folder, rhaister_plate


@pytest.fixture
def source(tmp_path):
    """Plates 6 and 14, both of 5 uM."""
    return rhaister_folder(tmp_path / "tahoe", {6: 5.0, 14: 5.0})


def build(source, **options):
    """Ingest and open."""
    folder = source.parent / "atlases" / "tahoe"
    ingest(source, folder, options=IngestOptions(**options), overwrite=True)
    return open_atlas("tahoe", folder.parent)


def test_a_fetched_folder_becomes_an_atlas(source):
    """Nothing need be said: kind, columns, plates, names, doses, structures and normalisation."""
    store = build(source)
    assert store.value_kind is ValueKind.LOGNORM_DELTA
    assert sorted(set(store.conditions["cell_line"])) == ["A549", "HepG2/C3A", "LoVo"]
    assert set(store.conditions["drug"]) == {*DRUGS, "Adagrasib"}
    row = store.row(Condition("LoVo", "Trametinib (DMSO_TF solvate)", 5.0))
    plates = [rhaister_plate(plate, 5.0) for plate in (6, 14)]
    asked = literal("Trametinib (DMSO_TF solvate)", 5.0)
    rows = [p[(p.cell_line == "CVCL_0399") & (p.treatment == asked)][GENES] for p in plates]
    assert store.genes["gene"].tolist() == GENES
    np.testing.assert_allclose(
        store.deltas(np.array([row]))[0], np.mean(rows, axis=0)[0], rtol=1e-5
    )
    assert sorted(set(store.plates["plate"])) == ["plate14", "plate6"]
    assert store.provenance["form"] == "tahoe-de-rhaister"
    assert store.shared_wells == "yes"
    assert "scaled by the publisher" in store.provenance["normalisation"]
    assert store.provenance["rows_off_the_main_dose_of_their_plate"] == 6
    facts = store.annotations["Trametinib (DMSO_TF solvate)"]
    assert (facts["smiles"], facts["pubchem_cid"]) == ("CCN.CS(=O)C", "11707110")
    assert store.annotations["Sacubitril/Valsartan"]["moa"] != "unclear"
    liver = store.cell_lines.set_index("cell_line").loc["HepG2/C3A"]
    assert liver["cellosaurus"] == "CVCL_1098"


def test_one_plate_alone(source):
    """A file of the folder is read the same way."""
    store = build(source)
    one = open_atlas("one", _ingest(source / "cell_eval" / "plate_plate6.parquet"))
    assert set(one.conditions["drug"]) == set(store.conditions["drug"])
    assert set(one.plates["plate"]) == {"plate6"}


def _ingest(path):
    folder = path.parents[2] / "atlases" / "one"
    ingest(path, folder)
    return folder.parent


def test_lines_and_doses_can_be_asked_for(source):
    """By name or id; what is left out is counted."""
    store = build(source, lines=("lovo", "CVCL_0023"), doses=(5.0,))
    assert sorted(set(store.conditions["cell_line"])) == ["A549", "LoVo"]
    assert store.info()["doses_um"] == [5.0]
    dropped = store.provenance["dropped"]
    assert dropped == {"of another cell line": 10, "of another dose": 4}


def test_another_value_kind_is_refused(source):
    """These are what they are."""
    with pytest.raises(UsageError, match="whose values are lognorm_delta"):
        build(source, value_kind=ValueKind.LOG2FC)


def _change(source, change):
    path = source / "cell_eval" / "plate_plate14.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)


CHANGES = {
    "no column treatment": lambda t: t.rename(columns={"treatment": "target"}),
    "genes differ from those of plate_plate6.parquet, 1 of them: GENE3": lambda t: t.drop(
        columns="GENE3"
    ),
    "column 'GENE3' holds": lambda t: t.assign(GENE3="high"),
    "Nutlin at 0.5 uM, on a plate of 5 uM": lambda t: t.assign(treatment=literal("Nutlin", 0.5)),
    "is not written as": lambda t: t.assign(treatment="Nutlin 5 uM"),
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_changed_file_is_one_error_and_the_old_atlas_stays(source, said):
    """A column renamed, missing or of text, a dose that is not the plate's."""
    before = build(source).build_id
    _change(source, CHANGES[said])
    with pytest.raises(InputError, match=re.escape(said)):
        build(source)
    assert open_atlas("tahoe", source.parent / "atlases").build_id == before


def test_a_cut_file_is_one_error(source):
    """As a transfer without its end leaves it."""
    path = source / "cell_eval" / "plate_plate14.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cut off perhaps"):
        build(source)


def test_fetch_and_ingest_in_one_command(source, tmp_path, monkeypatch, capsys):
    """From the hub to an atlas; a second run fetches nothing, a changed file is found out."""
    files = {}
    for path in sorted(source.rglob("*.parquet")):
        name = path.relative_to(source).as_posix()
        files[(DELTAS if "cell_eval" in name else CELLS)[0], name] = path.read_bytes()
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    with LoopbackHub(files, dict([DELTAS, CELLS])) as hub:
        flags = ["--plates", "6,14", "--doses", "5", "--mirror", hub.url]
        assert main(["fetch", "tahoe", *flags, "--ingest", "real", "--json"]) == 0
        info = json.loads(capsys.readouterr().out)
        assert info["doses_um"] == [5.0]
        assert f"{DELTAS[0]}@{DELTAS[1]}" in info["provenance"]["repositories"]
        assert main(["fetch", "tahoe", *flags]) == 0
        assert len(hub.sent("cell_eval/plate_plate6.parquet")) == 1
    fetched = tmp_path / "home" / "downloads" / "tahoe"
    _change(fetched, lambda table: table.assign(GENE3=0.0))
    capsys.readouterr()
    assert main(["ingest", str(fetched), "--name", "real", "--overwrite"]) == 3
    assert "it is not what was fetched" in capsys.readouterr().err


@pytest.mark.real
def test_doses_of_plates_agree_with_the_publishers_samples(real_data):
    """Each plate holds the doses that are expected of it, and no other."""
    table = pd.read_csv(real_data / "tahoe_meta" / "sample_metadata.csv")
    for plate, rows in table[table["drug"] != "DMSO_TF"].groupby("plate"):
        doses = {parse_literal(text).dose_um for text in rows["drugname_drugconc"]}
        main_doses = set(MAIN_DOSES[int(plate.removeprefix("plate"))])
        assert main_doses <= doses <= main_doses | {0.05}
