"""The pages keep house: thin, one home for caches, no HTML but through the one door."""

import ast
from pathlib import Path

import pytest
from streamlit import config

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "pages").rglob("*.py"))
THIN = [ROOT / "app.py", *sorted((ROOT / "pages" / "views").glob("*.py"))]


@pytest.mark.parametrize("path", THIN, ids=lambda path: path.name)
def test_a_page_is_thin(path):
    """Title, pickers, one core call, empty branch, charts: at most 60 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_caches_live_in_state(path):
    """``st.cache_*`` is found in state.py, and in the files named after it, only."""
    caches = path.name == "state.py" or path.name.endswith("_state.py")
    assert ("st.cache" in path.read_text(encoding="utf-8")) == caches


def test_no_visitor_waits_for_garbage():
    """The setting has the name that Streamlit knows, and our file is read."""
    assert config.get_option("runner.postScriptGC") is False


def test_no_text_of_the_program_is_shown(visit):
    """What stands below a constant explains it to readers of the source, not to visitors."""
    notes = {
        node.value.value
        for path in THIN
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    assert "Addresses that became a part of another page." in notes
    assert config.get_option("runner.magicEnabled") is False
    assert not notes & {block.value for block in visit().markdown}


OURS = {"methods_sections.py": {"markdown"}}
"""Who shows the project's own documents as they are written."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_rendered_as_markdown_or_script(path):
    """Names and reasons come from files and models: they go through pieces.py, which escapes."""
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "st"
    }
    read_as_markdown = {"caption", "error", "header", "info", "markdown", "metric", "subheader"}
    calls -= OURS.get(path.name, set())
    assert not calls & (read_as_markdown | {"success", "table", "title", "warning", "write"})
    assert "unsafe_allow" not in path.read_text(encoding="utf-8")
