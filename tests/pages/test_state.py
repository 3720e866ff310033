"""Caches are shared by all and follow what is built; the demo is built once."""

import threading

import pytest

from lgr_core.errors import InputError
from pages.shared import demo_build, state


@pytest.fixture
def slow_demo(monkeypatch):
    """A build that waits for leave, and counts how often it is begun."""
    leave, begun = threading.Event(), []

    def ingest_demo(folder, *, progress):
        begun.append(folder)
        progress("simulate", 3, 4)
        leave.wait(10)
        return folder

    monkeypatch.setattr(demo_build, "ingest_demo", ingest_demo)
    return leave, begun


def test_all_visitors_wait_for_one_build(slow_demo, tmp_path):
    """Whoever comes while it runs gets the same build, and its progress."""
    leave, begun = slow_demo
    build = demo_build.DemoBuild(tmp_path / "demo")
    works = {build.start() for _ in range(5)}
    while not begun:
        threading.Event().wait(0.01)
    assert len(works) == 1
    assert (build.stage, build.share()) == ("simulate", 0.75)
    leave.set()
    assert works.pop().result(10) == tmp_path / "demo"
    assert build.start().done()
    assert len(begun) == 1


def test_a_demo_built_by_another_process_meanwhile_is_taken(monkeypatch, tmp_path):
    """That it exists already is no failure."""

    def ingest_demo(folder, *, progress):
        folder.mkdir()
        raise InputError("atlas 'demo'", "it exists already", "Add --overwrite.")

    monkeypatch.setattr(demo_build, "ingest_demo", ingest_demo)
    folder = tmp_path / "demo"
    assert demo_build.DemoBuild(folder).start().result(10) == folder


def test_an_atlas_is_opened_once_a_build(lab_home, monkeypatch):
    """Two visitors share a store; another home has its own."""
    monkeypatch.setenv("LGR_HOME", str(lab_home))
    assert state.store("lab") is state.store("lab")
    chosen = state.selector("mechanism", state.store("lab"))
    assert chosen is state.selector("mechanism", state.store("lab"))
    assert chosen is not state.selector("mechanism", state.store("toy"))


def test_mechanisms_are_words(lab_home, monkeypatch):
    """Labels of the tags; nothing where nothing is known."""
    monkeypatch.setenv("LGR_HOME", str(lab_home))
    words = state.mechanisms(state.store("lab"))
    assert words["Trametinib"] == "MEK inhibitor"
    assert words["Compound 1"] == ""
