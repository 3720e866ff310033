"""Settings from the environment. Nothing else in the package reads ``os.environ``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).resolve().parents[1] / "data"
"""What ships with the checkout: drug annotations, gene programmes, recorded answers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this installation keeps what it builds (``LGR_HOME``)."""

    home: Path = SHIPPED

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings; an unset or empty variable keeps its default."""
        home = environ.get("LGR_HOME", "").strip()
        return cls(home=Path(home).expanduser().resolve() if home else SHIPPED)

    @property
    def atlases(self) -> Path:
        """The folder that holds one folder an atlas."""
        return self.home / "atlases"
