"""A build hook: in the wheel, ``app.py`` lies in ``lgr_core/_app`` beside its pages.

The folders are mapped in pyproject.toml (``sources``), which maps no single file; its
``force-include`` does, but would copy the file on ``pip install -e .`` too.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppScript(BuildHookInterface):
    """Adds the app's entry script to a wheel that is no editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds; ``version`` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["app.py"] = "lgr_core/_app/app.py"
