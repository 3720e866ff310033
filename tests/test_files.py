"""Locks end with their holder; files appear complete or not at all."""

import subprocess
import sys

import pytest

from lgr_core.files import (
    atomic_write,
    atomic_write_text,
    lock,
    locked,
    remove_unfinished,
    try_lock,
)

HOLDER = """
import sys
from pathlib import Path
from lgr_core.files import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_lock_excludes_a_second_handle_of_the_same_process(tmp_path):
    """It belongs to the open file; closing it frees the lock, and the lock file stays."""
    path = tmp_path / ".lock"
    with locked(path), path.open("r+") as second:
        assert not try_lock(second)
    with path.open("r+") as third:
        assert try_lock(third)


def test_a_lock_dies_with_its_process(tmp_path):
    """Killed, not closed: the file is left behind, and it is free."""
    path = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "locked\n"
        with path.open("r+") as other:
            assert not try_lock(other)
            process.kill()
            process.wait()
            lock(other)


def test_a_lock_is_taken_through_a_handle_that_only_reads(tmp_path):
    """Who may not write an atlas can still hold off its replacement."""
    path = tmp_path / ".lock"
    path.touch()
    with path.open("rb") as reader, path.open("r+") as writer:
        assert try_lock(reader)
        assert not try_lock(writer)


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path):
    """And nothing beside it."""
    path = tmp_path / "x.json"
    atomic_write_text(path, "old \u00b5")

    def fail():
        with atomic_write(path) as aside:
            aside.write_text("half")
            assert path.read_text(encoding="utf-8") == "old \u00b5"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text(encoding="utf-8") == "old \u00b5"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder_that_is_not_empty(tmp_path):
    """Nothing of the old one stays; a write that fails leaves the old one complete."""
    path = tmp_path / "fold"
    for name in ("a", "b"):
        with atomic_write(path) as aside:
            aside.mkdir()
            (aside / name).touch()
    assert [file.name for file in path.iterdir()] == ["b"]

    def fail():
        with atomic_write(path) as aside:
            aside.mkdir()
            (aside / "c").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [file.name for file in path.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    """Files and folders alike; what was finished stays."""
    atomic_write_text(tmp_path / "done", "x")
    code = (
        "import os, sys; from pathlib import Path; from lgr_core.files import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as aside:\n    aside.mkdir()\n    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "new"], check=False)
    assert done.returncode == 9
    assert len(list(tmp_path.iterdir())) == 2
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["done"]
