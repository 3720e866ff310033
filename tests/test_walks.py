"""The walks of docs/architecture.md: every stop exists, stands once, and no walk turns back."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_architecture import ROOMS

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("\n## Walk: ")[1:]
WALKS = {
    section.splitlines()[0]: re.findall(
        r"^\d+\. `([\w/.]+)`, `([\w.]+)`: ", section.split("\n## ")[0], flags=re.MULTILINE
    )
    for section in SECTIONS
}
STOPS = [stop for walk in WALKS.values() for stop in walk]


def defined_in(path):
    """Qualified names of the classes, methods, functions and variables that a module defines."""

    def names(body, prefix=""):
        for node in body:
            match node:
                case ast.ClassDef(name=name, body=inner):
                    yield prefix + name
                    yield from names(inner, f"{prefix}{name}.")
                case ast.FunctionDef(name=name):
                    yield prefix + name
                case ast.AnnAssign(target=ast.Name(id=name)):
                    yield prefix + name

    return set(names(ast.parse((ROOT / path).read_text("utf-8")).body))


def height(path):
    """How high a module stands: pages above all rooms, a room above those that it may import."""
    parts = Path(path).parts
    return len(ROOMS) if parts[0] == "pages" else ROOMS.index(parts[1].removesuffix(".py"))


def test_both_walks_are_there():
    """Of a question and of a benchmark, each from its start to its end."""
    question, benchmark = WALKS.values()
    assert question[0][0].startswith("pages/")
    assert question[-1][0].startswith("pages/")
    assert ("lgr_core/atlas/store.py", "AtlasStore.deltas") in question
    assert benchmark[0][0] == "lgr_core/cli/benchmark.py"
    assert benchmark[-1] == ("lgr_core/evaluation/run_store.py", "assemble")


@pytest.mark.parametrize(("path", "name"), STOPS)
def test_each_stop_exists(path, name):
    """The module defines what the walk says it does."""
    assert name in defined_in(path)


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_no_stop_is_named_twice(walk):
    """Each module and each name stands once."""
    assert len({path for path, _ in walk}) == len(walk)


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_a_walk_goes_down_and_up_and_never_turns_back(walk):
    """Down through the layers to the lowest, then up: no layer is entered from the wrong side."""
    heights = [height(path) for path, _ in walk]
    turn = heights.index(min(heights))
    assert heights[:turn] == sorted(heights[:turn], reverse=True)
    assert heights[turn:] == sorted(heights[turn:])


def test_every_room_is_in_the_table_of_layers():
    """Each package and module at the top of the core, in the order of the imports."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = text.split("## Layers", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    listed = [name.rstrip("/") for cell in cells for name in re.findall(r"`([\w/]+)`", cell)]
    assert [name for name in listed if name in ROOMS] == [
        room for room in ROOMS if not room.startswith("__")
    ]
