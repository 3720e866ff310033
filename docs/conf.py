"""The documentation site: Sphinx, with Markdown pages and tutorials that are run as they are built.

Run: ``make docs``
"""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

from cli_reference import write_reference  # noqa: E402 - beside this file

write_reference(DOCS / "reference" / "cli.md")

project = "LGR Explorer"
author = "The LGR Explorer developers"
release = metadata.version("lgr-explorer")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["*.py", "images", "reference/*.py"]
root_doc = "index"
html_theme = "furo"
html_title = f"LGR Explorer {release}"
html_static_path: list[str] = []
smartquotes = False  # they would turn the hyphens of flags into dashes

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4

nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = False
