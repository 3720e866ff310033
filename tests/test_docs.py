"""The documentation names what the program has."""

import re
import tomllib
from pathlib import Path

import pytest

from lgr_core.answer import LGR_METHOD, METHODS
from lgr_core.evaluation.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GENERATED = DOCS / "reference" / "cli.md"
"""Written by the build of the site."""


def test_the_tables_of_methods_are_the_registrys():
    """Each method of the benchmark and of ``lgr predict`` has one row, and no other has one.

    ``lgr`` stands for the rows of its selectors, ``lgr_llm`` and so on.
    """
    text = (DOCS / "science.md").read_text("utf-8")
    section = text.split("**Methods.**", 1)[1].split("\n## ", 1)[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    documented = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted({*REGISTRY, *METHODS} - {LGR_METHOD})


def changelog_versions():
    """The versions of the changelog with their dates, newest first."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", text, flags=re.MULTILINE)


def test_the_version_is_the_same_everywhere():
    """In the package's metadata, in the citation file, and as the changelog's newest."""
    version, date = changelog_versions()[0]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert project["version"] == version
    assert re.findall(r"^version: (.+)$", citation, flags=re.MULTILINE) == [version]
    assert re.findall(r"^date-released: (.+)$", citation, flags=re.MULTILINE) == [date]


def test_versions_of_the_changelog_fall():
    """The newest comes first, none twice, and dates do not rise downwards."""
    versions = [tuple(map(int, version.split("."))) for version, _ in changelog_versions()]
    dates = [date for _, date in changelog_versions()]
    assert versions == sorted(set(versions), reverse=True)
    assert dates == sorted(dates, reverse=True)


def test_sections_of_the_changelog_are_those_of_its_format():
    """Only the kinds of change that Keep a Changelog knows, and each holds something."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    sections = text.split("\n### ")[1:]
    kinds = {section.splitlines()[0] for section in sections}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert all("\n- " in section for section in sections)


def workflow_commands():
    """The make targets that a workflow runs."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    return re.findall(r"run: make (\S+)", text)


@pytest.mark.parametrize("target", ["lint", "test", "test-browser", "docs"])
def test_the_workflow_runs_what_the_gate_runs(target):
    """Both call the same make targets, so neither checks what the other does not."""
    gate = (ROOT / ".ci" / "run").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^make {target}$", gate, flags=re.MULTILINE)
    assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    assert target in workflow_commands()


def test_a_release_starts_with_its_tag_and_publishes_nothing():
    """The workflow builds and tests; the maintainer publishes."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert 'tags: ["v[0-9]+.[0-9]+.[0-9]+"]' in text
    assert "python -m build" in text
    assert re.findall(r"bin/(lgr \w+)", text) == ["lgr demo", "lgr predict", "lgr doctor"]
    assert "id-token" not in text
    assert "secrets." not in text


SITE = [path for path in DOCS.rglob("*.md") if path != DOCS / "reference" / "cli.md"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *SITE]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_a_page_names_exist(page):
    """By their path, from the checkout or inside the core; walks have a test of their own."""
    text = re.sub(r"\n## Walk:.*?(?=\n## )", "", page.read_text("utf-8"), flags=re.DOTALL)
    paths = set(re.findall(r"`([\w/]+/\w+\.py)\b", text)) - {"pages/views/panel.py"}
    places = {path: (ROOT / path, ROOT / "lgr_core" / path) for path in paths}
    assert [path for path in paths if not any(place.exists() for place in places[path])] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    """Each relative link is a file of the checkout."""
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
    lost = [link for link in links if not (page.parent / link).exists()]
    assert [link for link in lost if (page.parent / link).resolve() != GENERATED] == []
