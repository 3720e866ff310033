"""Folders appear whole or not at all, whoever dies, and two builders never mix."""

import os
import subprocess
import sys

import pytest

from lgr_core.atlas.publish import built_aside
from lgr_core.errors import InputError


def build(folder, text, **options):
    """Build a folder with one file in it."""
    with built_aside(folder, overwrite=options.get("overwrite", False)) as aside:
        (aside / "file").write_text(text)


def names(parent):
    """The folders there."""
    return sorted(path.name for path in parent.iterdir() if path.is_dir())


def test_a_build_that_fails_leaves_nothing(tmp_path):
    """The old folder stays, the half-built one goes."""
    build(tmp_path / "a", "old")

    def fail():
        with built_aside(tmp_path / "a", overwrite=True) as aside:
            (aside / "file").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a" / "file").read_text() == "old"


def test_the_second_of_two_builders_is_refused_not_believed(tmp_path):
    """Without overwrite the first to finish stands, also if the other began before."""

    def both():
        with built_aside(tmp_path / "a", overwrite=False) as slow:
            (slow / "file").write_text("slow")
            build(tmp_path / "a", "quick")

    with pytest.raises(InputError, match="exists already"):
        both()
    assert (tmp_path / "a" / "file").read_text() == "quick"
    assert names(tmp_path) == ["a"]


def _die_in(folder, code):
    """Run code in a process that is then dead; returns its id."""
    script = (
        "import os, sys; from pathlib import Path; from lgr_core.atlas import publish;"
        f"folder = Path(sys.argv[1]); {code}; print(os.getpid())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_what_a_killed_build_left_is_removed(tmp_path):
    """The next build clears the half-built folder of a dead process, and no living one's."""
    code = "folder.parent.mkdir(exist_ok=True); publish._beside(folder, '.building').mkdir()"
    _die_in(tmp_path / "a", code)
    mine = tmp_path / f".building-{os.getpid()}-12345678-b"
    mine.mkdir()
    strange = tmp_path / ".building-x"
    strange.mkdir()
    assert len(names(tmp_path)) == 3
    build(tmp_path / "c", "new")
    assert names(tmp_path) == sorted([mine.name, strange.name, "c"])


def test_a_swap_that_was_killed_half_way_is_undone(tmp_path):
    """The old folder was renamed away, the new one never came: the old one returns."""
    build(tmp_path / "a-b", "old")
    _die_in(tmp_path / "a-b", "folder.rename(publish._beside(folder, '.replaced'))")
    assert "a-b" not in names(tmp_path)
    build(tmp_path / "c", "new")
    assert names(tmp_path) == ["a-b", "c"]
    assert (tmp_path / "a-b" / "file").read_text() == "old"
