"""Which published form a path holds, if any."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.sources.forms import Form
from lgr_core.atlas.sources.rhaister import recognise_rhaister

_FORMS = (recognise_rhaister,)


def recognise(path: Path) -> Form | None:
    """The published form that ``path`` (a file or a folder) is in; None: it is like any other."""
    return next((form for look in _FORMS if (form := look(path)) is not None), None)
