"""An atlas on disk is one build, always: for readers beside a rebuild, and on disks that fill."""

import errno
import resource
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from toy import build_toy, toy_table

from lgr_core.atlas import reader as index
from lgr_core.atlas import store
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.store import open_atlas
from lgr_core.errors import InputError

TESTS = Path(__file__).resolve().parents[1]


def build_number(folder, number):
    """An atlas in which everything that can says its number; replaces the one before."""
    table = toy_table()
    drugs = table.conditions[["drug"]].drop_duplicates().assign(parent=lambda frame: frame["drug"])
    return build_atlas(
        replace(
            table,
            deltas=np.full_like(table.deltas, number),
            plate_deltas=np.full_like(table.deltas, number),
            control_profiles=np.full_like(table.control_profiles, number),
            plates=table.plates.assign(n_cells=number),
            controls=table.controls.assign(n_cells=number),
            provenance={"number": number},
        ),
        folder,
        drugs=drugs,
        cell_lines=table.conditions[["cell_line"]].drop_duplicates(),
        fingerprints=np.full((len(drugs), 1), number, dtype=np.uint8),
        overwrite=True,
    )


def numbers(atlas):
    """The builds that an open atlas speaks of; one, if it is whole."""
    found = [
        *(atlas.deltas(np.arange(5)), atlas.plate_deltas, atlas.control_profiles),
        *(atlas.plates["n_cells"], atlas.controls["n_cells"], atlas.provenance["number"]),
        np.packbits(atlas.fingerprints, axis=1),
    ]
    return set(np.concatenate([np.ravel(part) for part in found]).tolist())


def test_an_open_store_keeps_its_build_whole(tmp_path):
    """What is first looked at after a rebuild is still of the build that was opened."""
    build_number(tmp_path / "a", 1)
    atlas = open_atlas("a", tmp_path)
    build_number(tmp_path / "a", 2)
    assert numbers(atlas) == {1}
    assert numbers(open_atlas("a", tmp_path)) == {2}


@pytest.mark.parametrize("name", ["read_matrix", "_read_index"])
def test_a_swap_while_an_atlas_is_opened_is_noticed(tmp_path, monkeypatch, name):
    """Between index and matrices, or between two of them: the new build is read, whole."""
    build_number(tmp_path / "a", 1)
    read, swaps = getattr(index, name), [2]

    def read_then_swap(*arguments):
        found = read(*arguments)
        if swaps:
            build_number(tmp_path / "a", swaps.pop())
        return found

    monkeypatch.setattr(index, name, read_then_swap)
    assert numbers(open_atlas("a", tmp_path)) == {2}


def test_an_atlas_looked_for_between_two_renames_is_found(tmp_path, monkeypatch):
    """For a moment the name is nobody's; whoever looks then looks again."""
    build_number(tmp_path / "a", 1)
    names, misses = store.atlas_names, [[]]
    monkeypatch.setattr(store, "atlas_names", lambda p: misses.pop() if misses else names(p))
    assert numbers(open_atlas("a", tmp_path)) == {1}


def test_two_threads_that_open_it_around_a_swap_get_their_own_build(tmp_path, monkeypatch):
    """While one reads the index the atlas is rebuilt, and another opens it: it gets the new one."""
    build_number(tmp_path / "a", 1)
    check, found = index._check_schema, []
    other = threading.Thread(target=lambda: found.append(numbers(open_atlas("a", tmp_path))))

    def rebuild_then_check(*arguments):
        if other.ident is None:
            build_number(tmp_path / "a", 2)
            other.start()
            other.join(timeout=1)
        check(*arguments)

    monkeypatch.setattr(index, "_check_schema", rebuild_then_check)
    assert numbers(open_atlas("a", tmp_path)) == {2}
    other.join()
    assert found == [{2}]


def test_a_reader_beside_a_builder_never_sees_two_builds(tmp_path):
    """Another process replaces an atlas over and over; every opening finds one, of one build."""
    build_number(tmp_path / "a", 0)
    loop = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path;"
        "from test_build import build_number; print('ready', flush=True);"
        "[build_number(Path(sys.argv[1]), number) for number in range(10)]"
    )
    command = [sys.executable, "-c", loop, tmp_path / "a", TESTS, TESTS / "atlas"]
    seen = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as builder:
        builder.stdout.readline()
        while builder.poll() is None:
            seen.append(numbers(open_atlas("a", tmp_path)))
    assert builder.returncode == 0
    assert [found for found in seen if len(found) != 1] == []
    assert len(set(map(min, seen))) > 2


def test_a_disk_without_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    """The old atlas stays, nothing is left behind."""
    build_number(tmp_path / "a", 1)
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"takes .* MB, 0\.0 MB are free"):
        build_number(tmp_path / "a", 2)
    assert_only(tmp_path, 1)


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        duckdb.IOException("IO Error: Could not write: \nNo space left on device"),
    ],
)
def test_a_disk_that_fills_is_one_clear_error(tmp_path, monkeypatch, fault):
    """Whoever meets it first, DuckDB or we: the atlas is named, the old one stays as it was."""
    build_number(tmp_path / "a", 1)

    def full(*_):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr("lgr_core.atlas.build._write_index", full)
        with pytest.raises(InputError, match=r"atlas 'a'.*\(.*No space left on device\)\. Make"):
            build_number(tmp_path / "a", 2)
    assert_only(tmp_path, 1)


def test_a_write_that_the_system_refuses_kills_nobody(tmp_path):
    """A matrix beyond what may be written is an error, not the end of the process."""
    build_number(tmp_path / "a", 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(InputError, match="atlas 'a': it cannot be written"):
            build_number(tmp_path / "a", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_only(tmp_path, 1)


def assert_only(folder, number):
    """One atlas is there, of that build, and nothing half-built."""
    assert numbers(open_atlas("a", folder)) == {number}
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["a"]


MATRICES = ["deltas.npy", "plate_deltas.npy", "controls.npy", "fingerprints.npy"]


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("damage", ["cut", "longer", "missing", "another shape", "another type"])
def test_a_file_that_is_not_what_the_index_says_is_refused(tmp_path, name, damage):
    """At opening, by name, whichever file it is."""
    path = build_toy(tmp_path / "toy") / name
    content, matrix = path.read_bytes(), np.load(path)
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "longer":
        path.write_bytes(content + b"0")
    elif damage == "another shape":
        np.save(path, matrix.reshape(-1, 2))
    elif damage == "another type":
        np.save(path, matrix.view(f"i{matrix.itemsize}"))
    with pytest.raises(InputError, match=rf"^toy/{name}: .* --overwrite\.$"):
        open_atlas("toy", tmp_path)


@pytest.mark.parametrize("name", ["panel.npy", *MATRICES])
def test_a_small_panel_is_stored_by_itself_too(tmp_path, name):
    """What is read is the same; its file is checked like all others, and replaced with them."""
    table = toy_table()
    wide = replace(table, genes=table.genes.assign(in_panel=[False] * 5 + [True, False, True]))
    drugs = table.conditions[["drug"]].drop_duplicates().assign(parent=lambda frame: frame["drug"])
    annotated = {"drugs": drugs, "cell_lines": table.conditions[["cell_line"]].drop_duplicates()}
    bits = np.zeros((len(drugs), 1), dtype=np.uint8)
    for _ in range(2):
        build_atlas(wide, tmp_path / "a", **annotated, fingerprints=bits, overwrite=True)
    atlas, rows = open_atlas("a", tmp_path), np.array([3, 0])
    assert (tmp_path / "a" / "panel.npy").is_file()
    assert not (build_toy(tmp_path / "toy") / "panel.npy").exists()
    assert (atlas.n_panel, atlas.deltas(rows).shape) == (2, (2, 2))
    every = atlas.deltas(rows, all_genes=True)
    np.testing.assert_array_equal(atlas.deltas(rows), every[:, :2])
    for place in (0, 1, 2, 7):
        found = atlas.gene(atlas.gene_names[place])
        np.testing.assert_array_equal(found[rows], every[:, place])
    path = tmp_path / "a" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=rf"^a/{name}: .* --overwrite\.$"):
        open_atlas("a", tmp_path)


def test_a_cut_index_is_refused(tmp_path):
    """It says that it is the index, and how to get another."""
    path = build_toy(tmp_path / "toy") / "index.duckdb"
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(InputError, match=r"^index of atlas 'toy': .* --overwrite\.$"):
        open_atlas("toy", tmp_path)
