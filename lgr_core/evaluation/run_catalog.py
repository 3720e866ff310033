"""Benchmark runs by name: those of this installation, and the real results that ship."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgr_core.config import SHIPPED_RUNS, Settings
from lgr_core.domain import Change, WellScope
from lgr_core.errors import unknown
from lgr_core.evaluation.config import CONFIG
from lgr_core.evaluation.run_store import Run, load_run

REFERENCE = "tahoe"
"""The shipped run that is read where no other is named: the total change, any wells."""

_CHANGES = {Change.TOTAL: "total change", Change.SPECIFIC: "specific change"}
_WELLS = {
    WellScope.ANY: "any wells",
    WellScope.OTHER_WELLS: "other wells",
    WellScope.OTHER_PLATES: "other plates",
}


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run by its folder's name; what its config says is empty where that cannot be read."""

    name: str
    path: Path
    shipped: bool = False
    atlas: str = ""
    build_id: str = ""
    finished_at: str = ""
    title: str = ""
    simulated: bool = False
    change: Change = Change.TOTAL
    evidence: WellScope = WellScope.ANY

    @property
    def question(self) -> str:
        """Which change is predicted, and whose wells may be read for it."""
        return f"{_CHANGES[self.change]}, {_WELLS[self.evidence]}"

    @property
    def label(self) -> str:
        """The run in a list."""
        if self.shipped:
            return f"{self.title or self.atlas} · {self.question}"
        special = (self.change, self.evidence) != (Change.TOTAL, WellScope.ANY)
        parts = (
            self.name,
            self.atlas,
            self.finished_at[:10],
            self.question if special else "",
            "simulated" if self.simulated else "",
        )
        return " · ".join(filter(None, parts))


def run_folders(settings: Settings, first: str | None = None) -> list[RunFolder]:
    """All runs: the shipped ones, then those of real data, then simulated ones.

    Of each, those of the atlas ``first`` come before the others, the newest first. A run of the
    installation's own takes the place of a shipped one of its name.
    """
    own = [_read(path.parent, shipped=False) for path in settings.runs.glob(f"*/{CONFIG}")]
    taken = {run.name for run in own}
    shipped = [_read(path.parent, shipped=True) for path in SHIPPED_RUNS.glob(f"*/{CONFIG}")]
    runs = [*own, *(run for run in shipped if run.name not in taken)]
    runs.sort(key=lambda run: (run.finished_at, run.name), reverse=True)
    runs.sort(key=lambda run: _place(run, first))
    return runs


def variants(run: RunFolder, runs: Iterable[RunFolder]) -> list[RunFolder]:
    """The runs of the same data that ask for another change or evidence, with this one.

    One each, as they come in ``runs``; total change and any wells first. Own runs are of the same
    data if they are of one build; shipped runs, whose atlas may have been built more than once, if
    they have one title.
    """
    found = {(run.change, run.evidence): run}
    for other in runs:
        if _data(other) == _data(run):
            found.setdefault((other.change, other.evidence), other)
    return sorted(found.values(), key=_variant)


def find_run(name: str, settings: Settings) -> Path:
    """The folder of the run of that name, an own one before a shipped one.

    Raises
    ------
    NotFoundError
        If there is none; the nearest names are offered.
    """
    for folder in (settings.runs, SHIPPED_RUNS):
        if name and Path(name).name == name and (folder / name / CONFIG).exists():
            return folder / name
    raise unknown("run", name, [run.name for run in run_folders(settings)], "this installation")


def open_run(name: str, settings: Settings) -> Run:
    """The run of that name, of this installation or shipped; no atlas is read.

    Raises
    ------
    NotFoundError
        If there is none.
    InputError
        If it is not finished, or cannot be read.
    """
    return load_run(find_run(name, settings))


def _place(run: RunFolder, first: str | None) -> tuple[object, ...]:
    order = _variant(run) if run.shipped else (0, 0)
    return (not run.shipped, run.simulated and run.atlas != first, run.atlas != first, *order)


def _data(run: RunFolder) -> tuple[bool, str, str]:
    return run.shipped, run.atlas, run.title if run.shipped else run.build_id


def _variant(run: RunFolder) -> tuple[int, int]:
    return list(Change).index(run.change), list(WellScope).index(run.evidence)


def _read(folder: Path, *, shipped: bool) -> RunFolder:
    try:
        config: Mapping[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return RunFolder(
            folder.name,
            folder,
            shipped,
            str(config["atlas"]),
            str(config.get("build_id") or ""),
            str(config.get("finished_at") or ""),
            str(config.get("title") or ""),
            bool(config.get("simulated")),
            Change(config.get("change", Change.TOTAL)),
            WellScope(config.get("evidence", WellScope.ANY)),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return RunFolder(folder.name, folder, shipped)
