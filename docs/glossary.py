"""Write docs/glossary.md anew: the terms of data/glossary.md, public names and modules.

Names and modules are described by the first lines of their docstrings.

Run: ``python docs/glossary.py``
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import lgr_core
from lgr_core.glossary import SOURCE

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "glossary.md"
CORE = DOCS.parent / "lgr_core"
NAMES, MODULES = "## Public names", "## Packages and modules"


def main() -> None:
    """Replace the page: the terms are edited in data/glossary.md, which the app reads, too."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The whole page."""
    return f"{SOURCE.read_text('utf-8')}\n{tables()}"


def terms_text(page: str) -> str:
    """The terms of the page: all that stands above the tables."""
    return page.split(NAMES, 1)[0]


def tables() -> str:
    """Both tables as Markdown, each with its heading."""
    names = _table("name", "what it is", public_names())
    modules = _table("module", "what it does", modules_of(CORE))
    return (
        f"{NAMES}\n\nThis table and the next are written by `make glossary`, from docstrings.\n\n"
        f"{names}\n{MODULES}\n\n{modules}"
    )


def public_names() -> Iterator[tuple[str, str]]:
    """Each name of ``lgr_core.__all__`` with the first line of its docstring."""
    for name in sorted(lgr_core.__all__, key=str.lower):
        yield f"lgr_core.{name}", _first_line(inspect.getdoc(getattr(lgr_core, name)))


def modules_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Each package and module with the first line of its docstring; nothing is imported."""
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.with_suffix("").parts):
        place = path.relative_to(folder)
        shown = f"{place.parent.as_posix()}/" if path.name == "__init__.py" else place.as_posix()
        if shown != "./":
            yield shown, _first_line(ast.get_docstring(ast.parse(path.read_text("utf-8"))))


def _first_line(docstring: str | None) -> str:
    if not docstring:
        return ""
    line = docstring.splitlines()[0].replace("|", r"\|")
    return re.sub(r"(?::\w+:)?(`+)~?([^`]+)\1", r"`\2`", line)


def _table(head: str, words: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head} | {words} |", "|---|---|", *(f"| `{key}` | {text} |" for key, text in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
