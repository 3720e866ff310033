"""``lgr fetch``: what it takes, what it says, what it refuses."""

import json
import subprocess
import sys

import pytest
from loopback_hub import LoopbackHub
from published import tahoe_tables

from lgr_core.atlas.tahoe_plates import CELLS
from lgr_core.cli import main


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
