"""What is installed, which atlases there are, when the model ends, what is missing."""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from packaging.requirements import Requirement

from lgr_core.atlas.store import atlas_names, open_atlas
from lgr_core.config import SHIPPED, Settings
from lgr_core.errors import LgrError
from lgr_core.llm.endpoint import Service
from lgr_core.retrieval.setup import open_client

_SHIPPED_FILES = ("drugs.csv", "cell_lines.csv", "mechanisms.csv", "programs.gmt", "aliases.csv")


def diagnose(settings: Settings) -> dict[str, Any]:
    """A report by section; ``missing`` and ``untested`` are empty where all is well."""
    needed = _needed()
    packages = {name: _version(name) for name in needed}
    atlases = {name: atlas_line(name, settings) for name in atlas_names(settings.atlases)}
    missing = [
        f"package {name}: pip install '{needed[name]}'" for name in packages if not packages[name]
    ]
    untested = [
        f"package {name} {found}: pip install '{needed[name]}'"
        for name, found in packages.items()
        if found and not Requirement(needed[name]).specifier.contains(found, prereleases=True)
    ]
    missing += [f"shipped file {f}" for f in _SHIPPED_FILES if not (SHIPPED / f).is_file()]
    if not atlases:
        missing.append("an atlas: lgr demo, or lgr ingest PATH --name NAME")
    home = settings.home
    disk = next(folder for folder in (home, *home.parents) if folder.exists())
    return {
        "installation": {
            "lgr": version("lgr-explorer"),
            "python": platform.python_version(),
            "LGR_HOME": str(home),
            "home_is": settings.home_is,
            "free_gb": round(shutil.disk_usage(disk).free / 1e9, 1),
        },
        "packages": {name: found or "missing" for name, found in packages.items()},
        "atlases": atlases,
        "language model": _language_model(settings),
        "missing": missing,
        "untested": untested,
    }


def _needed() -> dict[str, str]:
    """Package -> requirement, as the installed metadata state them; without the extras."""
    stated = [line for line in requires("lgr-explorer") or () if "extra ==" not in line]
    return {Requirement(line).name: line for line in stated}


def _language_model(settings: Settings) -> dict[str, str]:
    """The model that is asked, and when its service says that it ends."""
    rows = {"model (LGR_LLM_MODEL)": settings.llm_model, "service": "unknown"}
    try:
        rows["service"] = Service.at(settings.llm_base_url).name
        if settings.api_key is None and settings.llm_base_url is None:
            return {**rows, "announced end": "not asked: there is no key (OPENAI_API_KEY)"}
        client = open_client(settings, seconds=_ASK_SECONDS, max_retries=0)
        end = client.model_end(settings.llm_model)
    except LgrError as err:
        return {**rows, "announced end": f"not known: {err}"}
    said = "none" if end is None else f"{end}; choose another in time (LGR_LLM_MODEL)"
    return {**rows, "announced end": said}


_ASK_SECONDS = 10.0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def atlas_line(name: str, settings: Settings) -> str:
    """An atlas in one line: measured or simulated, its size and kind, or why it cannot be used."""
    try:
        store = open_atlas(name, settings.atlases)
    except LgrError as err:
        return f"unusable: {err}"
    return store.summary
