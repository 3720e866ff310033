"""Imported neighbour files: taken in whole or not at all, listed, forgotten."""

import json

import pytest

from lgr_core.errors import InputError, NotFoundError
from lgr_core.llm import locked_jsonl
from lgr_core.llm.locked_jsonl import append_line, remove_lines
from lgr_core.retrieval.imports import forget, imported, take_file


def text(*drugs):
    """Neighbour records of these drugs in A549."""
    record = {"target_cell_type": "A549", "neighbors": [{"molecule": "x"}]}
    return "".join(json.dumps(record | {"target_molecule": drug}) + "\n" for drug in drugs)


@pytest.fixture
def file(tmp_path):
    """A neighbour file of three drugs."""
    path = tmp_path / "mine.jsonl"
    path.write_text(text("a", "b", "c"))
    return path


@pytest.fixture
def folder(tmp_path):
    """Where an installation keeps its neighbour files."""
    return tmp_path / "neighbors"


def drugs(folder):
    """The drugs whose answers are imported."""
    return [record.drug for _, record in imported(folder)]


@pytest.mark.parametrize("garbage", ["", "\n\n", "garbage", "garbage\n", '{"a": 1}', "[1]\n"])
def test_a_file_without_a_record_is_refused(tmp_path, folder, garbage):
    """Nothing is taken."""
    path = tmp_path / "n.jsonl"
    path.write_text(garbage)
    with pytest.raises(InputError, match="no neighbour record|no line is a neighbour record"):
        take_file(path, folder)
    assert not folder.exists()


def test_a_file_is_taken_once(file, folder):
    """Its name is taken then; --overwrite replaces it."""
    assert take_file(file, folder) == (folder / "mine.jsonl", 3)
    with pytest.raises(InputError, match="exists already"):
        take_file(file, folder)
    file.write_text(text("d"))
    assert take_file(file, folder, overwrite=True)[1] == 1
    assert drugs(folder) == ["d"]


def test_answers_are_forgotten_one_by_one_or_by_file(file, folder):
    """The others stay as they were."""
    take_file(file, folder)
    keys = {record.drug: record.key for _, record in imported(folder)}
    assert forget(folder, [keys["b"][:12]]) == 1
    assert (folder / "mine.jsonl").read_text() == text("a", "c")
    assert forget(folder, [keys["a"], keys["c"]]) == 2
    assert list(folder.iterdir()) == [], "an empty file is no file"
    take_file(file, folder)
    assert forget(folder, ["mine.jsonl"]) == 3
    assert list(folder.iterdir()) == []


def test_a_cut_last_line_does_not_spoil_what_is_kept(file, folder):
    """It is cut off, as at the next write."""
    file.write_text(text("a", "b") + text("c")[:30])
    take_file(file, folder)
    (key,) = (record.key for _, record in imported(folder) if record.drug == "a")
    assert forget(folder, [key]) == 1
    assert (folder / "mine.jsonl").read_text() == text("b")


def test_a_file_that_cannot_be_read_can_be_forgotten(folder):
    """By its name."""
    folder.mkdir()
    (folder / "bad.jsonl").write_text("garbage\n")
    assert forget(folder, ["bad.jsonl"]) == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", "zz", "other.jsonl", "../mine.jsonl"])
def test_an_unknown_name_forgets_nothing(file, folder, name):
    """Also where another name is known."""
    take_file(file, folder)
    with pytest.raises(NotFoundError, match="lgr cache ls"):
        forget(folder, ["mine.jsonl", name])
    assert drugs(folder) == ["a", "b", "c"]
    assert file.exists()


def test_a_line_appended_while_others_are_removed_is_not_lost(file, monkeypatch):
    """Who waited for the lock of a file that was swapped out writes to the new one."""
    lock, calls = locked_jsonl.lock, []

    def swapped_meanwhile(opened):
        calls.append(opened)
        if len(calls) == 1:
            aside = file.with_name("aside")
            aside.write_text(text("a"))
            aside.replace(file)
        lock(opened)

    monkeypatch.setattr(locked_jsonl, "lock", swapped_meanwhile)
    append_line(file, text("d").strip())
    assert file.read_text() == text("a", "d")
    assert remove_lines(file, lambda line: '"a"' in line) == 1
    assert file.read_text() == text("d")
