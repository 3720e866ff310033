"""The benchmark runs of this installation, and their conditions told apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lgr_core.config import Settings
from lgr_core.drugs.mechanisms import MechanismBook
from lgr_core.evaluation.statistics import slice_by, tertiles

MOST_SLICES = 25
"""Slices drawn at once: those with most conditions."""

_THIRDS = ("effect", "n_cells")
_OVER_COMPOUNDS = "cell_line"
_TAGS = "mechanism"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run by its folder's name; atlas and time are empty where its config cannot be read."""

    name: str
    atlas: str = ""
    finished_at: str = ""

    @property
    def label(self) -> str:
        """The run in a list."""
        return " · ".join(filter(None, (self.name, self.atlas, self.finished_at[:10])))


def run_folder(name: str) -> Path:
    """Where the run of that name is."""
    return Settings.from_environment().home / "runs" / name


def run_folders(first: str | None) -> list[RunFolder]:
    """All runs, newest first, those of the atlas ``first`` before the others."""
    found = [_read(config) for config in run_folder("").glob("*/config.json")]
    newest = sorted(found, key=lambda run: (run.finished_at, run.name), reverse=True)
    return sorted(newest, key=lambda run: run.atlas != first)


def _read(config: Path) -> RunFolder:
    name = config.parent.name
    try:
        about = json.loads(config.read_text(encoding="utf-8"))
        return RunFolder(name, str(about["atlas"]), str(about.get("finished_at") or ""))
    except (OSError, ValueError, KeyError, TypeError):
        return RunFolder(name)


def sliced(scores: pd.DataFrame, by: str, methods: tuple[str, ...]) -> pd.DataFrame:
    """Means of some methods in each slice of one regime's scores on one metric, best known first.

    Lines have intervals over compounds, since a line is a single cluster of lines.
    """
    rows = scores[scores["method"].isin(methods)]
    if by in _THIRDS:
        rows = rows.assign(**{by: tertiles(rows, by)})
    if by == _TAGS:
        rows = rows.assign(**{by: _labels(rows[by])})
    if by == _OVER_COMPOUNDS:
        only = dict.fromkeys(rows["regime"].unique(), ("parent",))
        table = slice_by(rows, by, clusters=only)
    else:
        table = slice_by(rows, by)
    return table if by in _THIRDS else _largest(table)


def _labels(tags: pd.Series) -> pd.Series:
    """Mechanism tags in words; one that the shipped table does not know stays as it is."""
    known = MechanismBook.load().mechanisms
    words = {tag: known[tag].label for tag in tags.dropna().unique() if tag in known}
    return tags.astype(object).replace(words)


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    """The slices with most conditions, in order of size."""
    order = table.sort_values("n_queries", ascending=False, kind="stable")
    kept = order["slice"].drop_duplicates().head(MOST_SLICES)
    return order[order["slice"].isin(kept)]
