"""``lgr fetch``: what it takes, what it says, what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.store import open_atlas
from lgr_core.atlas.tahoe_plates import CELLS, DELTAS, PROFILES
from lgr_core.cli import main
from tests.support.loopback_hub import LoopbackHub
from tests.support.published_files import GENES, LINES, rhaister_folder, tahoe_tables


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty LGR_HOME."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def hub(tmp_path):
    """A hub that has the tables alone."""
    tables = tahoe_tables(tmp_path / "published" / "metadata")
    files = {
        (CELLS[0], f"metadata/{path.name}"): path.read_bytes() for path in tables.glob("*.parquet")
    }
    with LoopbackHub(files, dict([CELLS])) as hub:
        yield hub


def test_the_tables_alone(home, hub, capsys):
    """They lie in the home, or where it is said; standard output holds the result alone."""
    assert main(["fetch", "tahoe", "--metadata", "--mirror", hub.url]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "4 files in" in err
    assert len(list((home / "downloads" / "tahoe" / "metadata").glob("*.parquet"))) == 4
    flags = ["--metadata", "--mirror", hub.url, "--out", str(home / "own"), "--json"]
    assert main(["fetch", "tahoe", *flags]) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == str(home / "own")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--plates", "one"], "'one' is no list of numbers"),
        (["--plates", "15"], "there is no plate 15"),
        (["--doses", "10"], "there is no dose 10"),
        (["--metadata", "--doses", "5"], "it fetches tables alone"),
    ],
)
def test_wrong_use(home, flags, said, capsys):
    """Is said before anything is fetched."""
    assert main(["fetch", "tahoe", *flags, "--mirror", "http://127.0.0.1:9"]) == 2
    assert said in capsys.readouterr().err


def test_other_commands_start_without_the_hubs_client():
    """It takes a third of a second."""
    code = "import sys, lgr_core.cli; sys.exit('huggingface_hub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _untreated():
    """Published vehicle means: a row a line, plate and gene, two plates 0.5 apart."""
    rows = [
        (gene, number + place + 0.5 * (plate == "plate3"), plate, line, 7.0, 9)
        for number, line in enumerate(LINES)
        for place, gene in enumerate(GENES)
        for plate in ("plate1", "plate3")
    ]
    columns = ["feature", "ref_mean", "plate", "cell_line", "ref_lib_mean", "ref_n_cells"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("form", ["all", "hvg"])
def test_untreated_expression_comes_along(home, tmp_path, capsys, form):
    """Of a row a gene, or of a row a line and plate: averaged over plates, beside the atlas."""
    table = _untreated()
    if form == "hvg":
        table = table.pivot_table("ref_mean", ["cell_line", "plate"], "feature").reset_index()
    folder = rhaister_folder(tmp_path / "published", {1: 0.05})
    table.to_parquet(tmp_path / "profiles.parquet", index=False)
    files = {
        (CELLS[0], f"metadata/{path.name}"): path.read_bytes()
        for path in (folder / "metadata").glob("*.parquet")
    }
    plate = "cell_eval/plate_plate1.parquet"
    files[DELTAS[0], plate] = (folder / plate).read_bytes()
    files[DELTAS[0], PROFILES[form]] = (tmp_path / "profiles.parquet").read_bytes()
    flags = ["--plates", "1", "--control-profiles", form, "--ingest", "tahoe", "--json"]
    with LoopbackHub(files, dict([CELLS, DELTAS])) as hub:
        assert main(["fetch", "tahoe", *flags, "--mirror", hub.url]) == 0
    assert json.loads(capsys.readouterr().out)["control_profiles"]["lines"] == len(LINES)
    store = open_atlas("tahoe", home / "atlases")
    found = store.line_profiles
    first = store.cell_line_catalog.resolve(next(iter(LINES)))
    expected = np.arange(len(GENES)) + 0.25
    np.testing.assert_allclose(found.over(GENES)[found.cell_lines.index(first)], expected)


def test_two_tables_of_untreated_expression_are_one_too_many(home, tmp_path, capsys):
    """It is said before anything is fetched."""
    own = ["--profiles", str(tmp_path / "own.csv"), "--control-profiles", "hvg"]
    assert main(["fetch", "tahoe", *own, "--mirror", "http://127.0.0.1:9"]) == 2
    assert "--control-profiles" in capsys.readouterr().err
