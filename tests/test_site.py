"""The documentation site shows all there is, and its commands can be given."""

import re
import shlex
import sys
from pathlib import Path

import pytest

import lgr_core
from lgr_core.cli import parser
from lgr_core.cli.commands import SUMMARIES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.py"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(path for path in DOCS.rglob("*.md") if path.name != "cli.md"),
]


@pytest.fixture(scope="module")
def every_command():
    """The parser of the command line."""
    return parser()


def shell_commands(page):
    """Each ``lgr`` command of a page's shell blocks, as arguments."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == "lgr":
                yield words[1:]


def cell_commands(tutorial):
    """Each ``lgr`` command of a tutorial's cells, as arguments, up to a pipe."""
    for line in tutorial.read_text("utf-8").splitlines():
        if line.startswith("# !lgr "):
            yield shlex.split(line.removeprefix("# !lgr ").split("|")[0])


GIVEN = [(page, words) for page in PAGES for words in shell_commands(page)]
GIVEN += [(page, words) for page in TUTORIALS for words in cell_commands(page)]


@pytest.mark.parametrize(
    ("page", "words"), GIVEN, ids=[f"{page.stem}:{' '.join(words)}" for page, words in GIVEN]
)
def test_a_command_of_a_page_can_be_given(every_command, page, words):
    """Its flags and their values are those that the program takes."""
    options = every_command.parse_args([word for word in words if word != "..."])
    assert callable(options.run), page


def test_the_pages_give_commands():
    """The patterns above find them."""
    assert {page.name for page, _ in GIVEN} >= {"README.md", "start.md", "your_data.py"}
    assert len(GIVEN) > 40


def test_the_reference_has_every_command_and_flag(monkeypatch, every_command):
    """It is written from the parsers."""
    monkeypatch.syspath_prepend(str(DOCS))
    reference_lines = __import__("cli_reference").reference_lines
    sys.modules.pop("cli_reference")
    text = "\n".join(reference_lines())
    for name in SUMMARIES:
        assert re.search(rf"^#+ `lgr {name}`$", text, flags=re.MULTILINE), name
    section = text.split("## `lgr predict`", 1)[1].split("\n## ", 1)[0]
    assert "`--change {total,specific}`" in section
    assert "Default: `10`." in section
    assert re.search(r"^### `lgr cache forget`$", text, flags=re.MULTILINE)


def test_the_reference_has_every_public_name():
    """Once."""
    text = (DOCS / "reference" / "api.md").read_text("utf-8")
    shown = re.findall(r"^\.\. auto\w+:: (\w+)$", text, flags=re.MULTILINE)
    assert sorted(shown) == sorted(lgr_core.__all__)


def test_every_page_stands_in_a_table_of_contents():
    """No page of the site is reached by its address alone."""
    listed = {"index.md"}
    for page in DOCS.rglob("index.md"):
        for block in re.findall(
            r"^```\{toctree\}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        ):
            names = [line for line in block.split() if not line.startswith(":")]
            for name in names:
                path = (page.parent / name).resolve().relative_to(DOCS)
                listed |= {f"{path}.md", f"{path}.py"}
    pages = {path.relative_to(DOCS).as_posix() for path in [*DOCS.rglob("*.md"), *TUTORIALS]}
    assert sorted(pages - listed) == []


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_is_a_notebook_that_parses(tutorial):
    """In the percent format, with a title first."""
    text = tutorial.read_text("utf-8")
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    assert cells[0].startswith(" [markdown]\n# # ")
    code = "\n".join(cell for cell in cells if not cell.startswith(" [markdown]"))
    compile(code, tutorial.name, "exec")
