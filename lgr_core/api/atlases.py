"""Atlases by name, from the home of this installation."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.store import open_atlas as open_in_folder
from lgr_core.config import Settings


def open_atlas(name: str, home: Path | str | None = None) -> AtlasStore:
    """Open a built atlas by name, from ``home`` or else from ``LGR_HOME``.

    Raises
    ------
    NotFoundError
        If there is no such atlas; the nearest names are offered.
    """
    settings = Settings.from_environment() if home is None else Settings(home=Path(home))
    return open_in_folder(name, settings.atlases)
