"""Identifiers speak the field's language: no retired word, no class name for two things."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[1] / "lgr_core"
FILES = sorted(CORE.rglob("*.py"))

RETIRED = frozenset(
    re.findall(
        r"\w+",
        """
        blot concord contender contenders contest crew crews crossing crossings desk desks elsewhere
        foresee foreseen foresees foresight gate gates guest guests harmless judge judged judges kin
        lineup lineups look looks mended newcomer newcomers parted rehearsal rehearse rehearsed
        suited survey surveyed surveys taught told wish wished wishes
        """,
    )
)
"""Words that the glossary replaced; see docs/glossary.md for those in their place."""

LANGUAGE_MODEL = frozenset(
    re.findall(
        r"\w+",
        """
        answers batch batch_answers batch_service budget by_hand cache claims concurrency dialects
        fill imports jsonl labels llm llm_selector neighbor_files prices prompt question recorded
        replies reply reply_json reply_lines reply_schema service setup tags templates
        """,
    )
)
"""Modules of ``retrieval`` that speak with language models or read what they answered."""


def identifiers(tree):
    """Every identifier that a module defines or uses, but not what it imports."""
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
            yield from (alias.asname for alias in node.names if alias.asname)
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Attribute(attr=name):
                yield name
            case ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.Name(id=name) if name not in imported:
                yield name


def words_of(identifier):
    """The lower-case words of an identifier, split at underscores and capitals."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)]


def in_scope(path):
    """Whether a file is held to the glossary: all but the language models."""
    place = path.relative_to(CORE)
    room = place.parts[0] if len(place.parts) == 1 else "/".join(place.parts[:-1])
    if room.startswith("llm"):
        return False
    return room != "retrieval" or place.stem not in LANGUAGE_MODEL


def test_identifiers_are_split_into_words():
    """At underscores and capitals; a run of capitals is one word."""
    assert words_of("_drugElsewhere") == ["drug", "elsewhere"]
    assert words_of("LLMOptions") == ["llm", "options"]
    assert words_of("DRUG_ELSEWHERE") == ["drug", "elsewhere"]
    assert words_of("lookup") == ["lookup"]


def test_definitions_uses_and_f_strings_are_read():
    """But a name that comes from another module is judged there."""
    source = "from m import look\ndef f(desk, *, crew=1): return f'{desk.gate}{look(wish=0)}'"
    found = set(identifiers(ast.parse(source)))
    assert {"f", "desk", "crew", "gate", "wish"} <= found
    assert "look" not in found


@pytest.mark.parametrize("path", [*filter(in_scope, FILES)], ids=lambda path: path.stem)
def test_no_retired_word_in_an_identifier(path):
    """Nor in the name of a module."""
    names = {*identifiers(ast.parse(path.read_text("utf-8"))), path.stem}
    assert sorted(name for name in names if RETIRED.intersection(words_of(name))) == []


def test_no_class_name_is_defined_twice():
    """One name, one class, in the whole core; names with a leading underscore are their file's."""
    homes = defaultdict(set)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(path.relative_to(CORE).as_posix())
    assert {name: sorted(where) for name, where in homes.items() if len(where) > 1} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fold_is_one_of_a_cross_validation(path):
    """The form of a name is normalised: no function that reads names is called ``fold``."""
    place = path.relative_to(CORE).as_posix()
    if place.startswith(("evaluation/", "prediction/", "retrieval/", "answer/")):
        return
    names = [
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert [name for name in names if "fold" in words_of(name)] == []
