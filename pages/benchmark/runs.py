"""The benchmark runs of this installation, and their conditions told apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lgr_core.atlas.annotate import read_table
from lgr_core.config import SHIPPED, Settings
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.evaluation.figures import slice_words
from lgr_core.evaluation.score_array import CLUSTERS, Clusters
from lgr_core.evaluation.summary import compare_slices, slice_by, tertiles

MOST_SLICES = 25
"""Slices drawn at once: those with most conditions."""

_THIRDS = ("effect", "n_cells")
_TAGS = "mechanism"
_OVER = {"cell_line": "parent", "organ": "parent", _TAGS: "cell_line"}
"""What is resampled within slices that hold few lines, or few compounds."""


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
    return Settings.from_environment().runs / name


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


def with_organs(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with the organ of each line, missing where the shipped table knows it not."""
    known = read_table(SHIPPED / "cell_lines.csv").set_index("cell_line")["organ"]
    return scores.assign(organ=scores["cell_line"].astype(object).map(known))


def gaps_by(scores: pd.DataFrame, by: str, method: str, rival: str) -> pd.DataFrame:
    """Paired gaps of two methods in each slice of one regime's scores on one metric.

    As :func:`~lgr_core.evaluation.paired_comparison.compare_slices`, slices in
    words: the greatest gap first,
    thirds in their order. Lines and organs have intervals over compounds, mechanisms over lines:
    of these very lines, of these very compounds.
    """
    rows, metric = _told_apart(scores, by, (method, rival)), scores["metric"].iloc[0]
    table = compare_slices(rows, method, rival, metric, by, clusters=_clusters(rows, by))
    table = table.assign(slice=[slice_words(label) for label in table["slice"]])
    if by in _THIRDS:
        return table
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def largest(gaps: pd.DataFrame) -> pd.DataFrame:
    """The slices with most conditions, in the order given."""
    return gaps[gaps["n_common"].rank(method="first", ascending=False) <= MOST_SLICES]


def sliced(
    scores: pd.DataFrame, by: str, methods: tuple[str, ...], slices: tuple[str, ...]
) -> pd.DataFrame:
    """Means of some methods in those slices of :func:`gaps_by`, in that order."""
    rows = _told_apart(scores, by, methods)
    table = slice_by(rows, by, clusters=_clusters(rows, by))
    table.index = [slice_words(label) for label in table["slice"]]
    return table.assign(slice=table.index).loc[list(slices)].reset_index(drop=True)


def _told_apart(scores: pd.DataFrame, by: str, methods: tuple[str, ...]) -> pd.DataFrame:
    """The scores of some methods, with what tells the conditions apart in its column."""
    rows = scores[scores["method"].isin(methods)]
    if by in _THIRDS:
        return rows.assign(**{by: tertiles(rows, by)})
    return rows.assign(**{by: _labels(rows[by])}) if by == _TAGS else rows


def _clusters(rows: pd.DataFrame, by: str) -> Clusters:
    return dict.fromkeys(rows["regime"].unique(), (_OVER[by],)) if by in _OVER else CLUSTERS


def _labels(tags: pd.Series) -> pd.Series:
    """Mechanism tags in words; one that the shipped table does not know stays as it is."""
    known = MechanismAnnotations.load().mechanisms
    words = {tag: known[tag].label for tag in tags.dropna().unique() if tag in known}
    return tags.astype(object).replace(words)
