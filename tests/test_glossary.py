"""The glossary names what there is: every public name, every module, and no word that is gone."""

import ast
import re
from pathlib import Path

import pytest

import lgr_core
from docs.glossary import CORE, PAGE, modules_of, page, public_names, terms_text
from lgr_core.glossary import SOURCE, glossary

ROOT = Path(__file__).resolve().parents[1]
TEXT = PAGE.read_text("utf-8")
TERMS = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", terms_text(TEXT), flags=re.MULTILINE)


def defined_names():
    """Every class, function and annotated or assigned module name of the core."""
    for path in CORE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield node.name
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (target.id for target in targets if isinstance(target, ast.Name))
                yield from (target.attr for target in targets if isinstance(target, ast.Attribute))


def test_the_page_is_that_of_the_terms_and_the_code():
    """Otherwise run ``make glossary``: it copies the terms and reads the docstrings."""
    assert page() == TEXT


def test_the_app_reads_every_term_without_names_of_code():
    """What a tooltip says is the definition; a short form is a name of its own."""
    found = {entry.term: entry for entry in glossary()}
    assert list(found) == [term for term, _ in TERMS]
    assert SOURCE.read_text("utf-8").startswith("# Glossary")
    assert not any("`" in entry.words for entry in found.values())
    assert found["atlas"].section == "Data"
    assert found["candidate pool"].short == "pool"
    assert found["candidate pool"].words == "the drugs that may be retrieved for a query."


def test_every_public_name_is_described():
    """Each name of ``lgr_core.__all__`` has a row with a first docstring line of its own."""
    rows = dict(public_names())
    assert set(rows) == {f"lgr_core.{name}" for name in lgr_core.__all__}
    assert [name for name, words in rows.items() if not words] == []


def test_every_module_and_package_is_described():
    """Each file of the core but its root has a row, and each says what it does."""
    rows = dict(modules_of(CORE))
    files = [path for path in CORE.rglob("*.py") if path != CORE / "__init__.py"]
    assert len(rows) == len(files)
    assert [name for name, words in rows.items() if not words] == []


def test_terms_are_sorted_unique_and_one_line_each():
    """Within its section each term stands in its alphabetical place, and in one section only."""
    for section in terms_text(TEXT).split("\n### ")[1:]:
        lines = section.splitlines()[1:]
        terms = [line.split("**")[1] for line in lines if line.startswith("- **")]
        assert terms == sorted(terms, key=str.lower), section.splitlines()[0]
        assert len(terms) == len([line for line in lines if line])
    assert len({term for term, _ in TERMS}) == len(TERMS)


def test_names_of_code_in_the_terms_exist():
    """What a term gives in backticks is a name or a module of the core."""
    known = set(defined_names())
    quoted = {name for _, words in TERMS for name in re.findall(r"`(.+?)`", words)}
    assert quoted
    assert [name for name in quoted if name not in known and not (CORE / name).exists()] == []


@pytest.mark.parametrize("term", [term for term, _ in TERMS])
def test_each_term_is_in_use(term):
    """A term of the glossary is a word of the code or of the pages."""
    words = re.compile(rf"\b{re.escape(term)}".replace(r"\ ", r"[\s_-]*"), re.IGNORECASE)
    files = [*CORE.rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    assert any(words.search(path.read_text("utf-8")) for path in files)
