"""The documentation names what the program has."""

import re
from pathlib import Path

from lgr_core.answer import LGR_METHOD, METHODS
from lgr_core.evaluation.registry import REGISTRY

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_tables_of_methods_are_the_registrys():
    """Each method of the benchmark and of ``lgr predict`` has one row, and no other has one.

    ``lgr`` stands for the rows of its selectors, ``lgr_llm`` and so on.
    """
    text = (DOCS / "science.md").read_text("utf-8")
    section = text.split("**Methods.**", 1)[1].split("\n## ", 1)[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    documented = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted({*REGISTRY, *METHODS} - {LGR_METHOD})
