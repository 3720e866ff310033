"""Folders appear whole or not at all, whoever dies, and two builders never mix."""

import os
import subprocess
import sys

import pytest

from lgr_core.atlas import atomic_folder as publish
from lgr_core.atlas.atomic_folder import INDEX, atomic_folder, check_space, read_whole
from lgr_core.errors import InputError, NotFoundError


def build(folder, text, **options):
    """Build a folder with an index alone in it."""
    with atomic_folder(folder, overwrite=options.get("overwrite", False)) as aside:
        (aside / INDEX).write_text(text)


def names(parent):
    """The folders there."""
    return sorted(path.name for path in parent.iterdir() if path.is_dir())


def test_a_build_that_fails_leaves_nothing(tmp_path):
    """The old folder stays, the half-built one goes."""
    build(tmp_path / "a", "old")

    def fail():
        with atomic_folder(tmp_path / "a", overwrite=True) as aside:
            (aside / INDEX).write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a" / INDEX).read_text() == "old"


def test_the_second_of_two_builders_is_refused_not_believed(tmp_path):
    """Without overwrite the first to finish stands, also if the other began before."""

    def both():
        with atomic_folder(tmp_path / "a", overwrite=False) as slow:
            (slow / INDEX).write_text("slow")
            build(tmp_path / "a", "quick")

    with pytest.raises(InputError, match="exists already"):
        both()
    assert (tmp_path / "a" / INDEX).read_text() == "quick"
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
    """The next build clears what the dead left, wherever they ran, and no strange folder."""
    code = "folder.parent.mkdir(exist_ok=True); publish._beside(folder, '.building').mkdir()"
    _die_in(tmp_path / "a", code)
    elsewhere = tmp_path / f".building-{os.getpid()}-12345678-b"
    elsewhere.mkdir()
    (elsewhere / publish._ALIVE).touch()
    strange = tmp_path / ".building-x"
    strange.mkdir()
    assert len(names(tmp_path)) == 3
    build(tmp_path / "c", "new")
    assert names(tmp_path) == [strange.name, "c"]


def test_a_living_build_is_left_alone_whatever_its_number_says(tmp_path):
    """Its lock says that it lives: in another container its process number is nobody's here."""
    number = _die_in(tmp_path / "a", "pass")
    foreign = tmp_path / f".building-{number}-12345678-b"
    foreign.mkdir()
    with publish._locked(foreign / publish._ALIVE):
        build(tmp_path / "c", "new")
        assert names(tmp_path) == [foreign.name, "c"]
    build(tmp_path / "d", "new")
    assert names(tmp_path) == ["c", "d"]


def test_two_builders_at_once_both_finish(tmp_path):
    """Neither clears the other's folder, and no lock of theirs stays behind."""
    with atomic_folder(tmp_path / "slow", overwrite=False) as slow:
        build(tmp_path / "quick", "quick")
        (slow / INDEX).write_text("slow")
    assert names(tmp_path) == ["quick", "slow"]
    assert [path.name for path in (tmp_path / "slow").iterdir()] == [INDEX]


@pytest.mark.parametrize("overwrite", [False, True])
def test_only_an_atlas_is_replaced(tmp_path, overwrite):
    """A folder of other things, a file and a link to nowhere stay, whatever is asked."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    for name in ("photos", "file", "link"):
        with pytest.raises(InputError, match="no atlas"):
            build(tmp_path / name, "new", overwrite=overwrite)
    assert sorted(set(tmp_path.rglob("*")) - {tmp_path / ".lock"}) == before


def test_what_somebody_put_beside_an_atlas_is_never_removed(tmp_path):
    """Notes, a folder, a matrix of one's own: named, and the old atlas stays with them."""
    build(tmp_path / "a", "old")
    (tmp_path / "a" / "deltas.npy").touch()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    (tmp_path / "a" / "my.npy").touch()
    (tmp_path / "a" / "figures").mkdir()
    with pytest.raises(
        InputError, match=r"'a': its folder also holds figures, my\.npy, notes\.txt"
    ):
        build(tmp_path / "a", "new", overwrite=True)
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "a" / INDEX).read_text() == "old"
    for name in ("notes.txt", "my.npy"):
        (tmp_path / "a" / name).unlink()
    (tmp_path / "a" / "figures").rmdir()
    build(tmp_path / "a", "new", overwrite=True)
    assert (tmp_path / "a" / INDEX).read_text() == "new"


def test_what_came_while_an_atlas_was_built_stays_too(tmp_path):
    """It is looked for again before the swap."""
    build(tmp_path / "a", "old")

    def build_meanwhile():
        with atomic_folder(tmp_path / "a", overwrite=True) as aside:
            (aside / INDEX).write_text("new")
            (tmp_path / "a" / "notes.txt").touch()

    with pytest.raises(InputError, match=r"notes\.txt"):
        build_meanwhile()
    assert (tmp_path / "a" / "notes.txt").exists()


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    """The new folder takes the link's place."""
    build(tmp_path / "a", "old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    build(tmp_path / "link", "new", overwrite=True)
    assert not (tmp_path / "link").is_symlink()
    assert [(tmp_path / name / INDEX).read_text() for name in ("a", "link")] == ["old", "new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "a", "link"]


def test_a_disk_too_small_is_refused_before_anything_is_written(tmp_path):
    """The message says how much is missing and what to do."""
    check_space(tmp_path, 1)
    with pytest.raises(InputError, match=r"takes 1,000,000,000,000\.0 MB.*LGR_HOME"):
        check_space(tmp_path, 10**18)


def test_a_reader_gets_one_build_though_it_is_swapped_meanwhile(tmp_path):
    """A swap between two files is noticed: both are read again."""
    folder = tmp_path / "a"
    build(folder, "1")
    swaps = [lambda: build(folder, "2", overwrite=True)]

    def read():
        first = (folder / INDEX).read_text()
        while swaps:
            swaps.pop()()
        return first, (folder / INDEX).read_text()

    assert read_whole(folder, read) == ("2", "2")
    assert read_whole(folder, read) == ("2", "2")


def test_a_reader_who_meets_the_moment_between_renames_waits(tmp_path):
    """What is not there for a moment is looked for again, and what never was is not found."""
    build(tmp_path / "a", "1")
    missing = [InputError("a", "not there", "Wait.")]

    def read():
        if missing:
            raise missing.pop()
        return (tmp_path / "a" / INDEX).read_text()

    def never():
        raise NotFoundError("b", "not there", "Build it.")

    assert read_whole(tmp_path / "a", read) == "1"
    with pytest.raises(NotFoundError, match="Build it"):
        read_whole(tmp_path / "b", never)


def test_a_reader_whom_no_lock_helps_is_told_of_the_swap(tmp_path):
    """Whoever swaps by hand asks for no lock: two builds are refused rather than mixed."""
    (tmp_path / "a").mkdir()

    def swap_by_hand():
        (tmp_path / "a").rename(tmp_path / "old")
        (tmp_path / "a").mkdir()
        (tmp_path / "old").rmdir()

    with pytest.raises(InputError, match="replaced while it was read"):
        read_whole(tmp_path / "a", swap_by_hand)


def test_a_swap_that_was_killed_half_way_is_undone(tmp_path):
    """The old folder was renamed away, the new one never came: the old one returns."""
    build(tmp_path / "a-b", "old")
    _die_in(tmp_path / "a-b", "folder.rename(publish._beside(folder, '.replaced'))")
    assert "a-b" not in names(tmp_path)
    build(tmp_path / "c", "new")
    assert names(tmp_path) == ["a-b", "c"]
    assert (tmp_path / "a-b" / INDEX).read_text() == "old"
