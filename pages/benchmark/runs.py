"""The conditions of a benchmark run told apart: by drug, line, mechanism, effect."""

from __future__ import annotations

import pandas as pd

from lgr_core.atlas.annotate import read_table
from lgr_core.config import SHIPPED
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.evaluation.figures import slice_words
from lgr_core.evaluation.score_array import CLUSTERS, Clusters
from lgr_core.evaluation.summary import compare_slices, slice_by, tertiles

MOST_SLICES = 25
"""Slices drawn at once: those with most conditions."""

_THIRDS = ("effect", "n_cells")
_TAGS = "mechanism"
_OVER = {"drug": "cell_line", "cell_line": "parent", "organ": "parent", _TAGS: "cell_line"}
"""What is resampled within slices that hold few lines, or few compounds."""


def with_organs(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with the organ of each line, missing where the shipped table knows it not."""
    known = read_table(SHIPPED / "cell_lines.csv").set_index("cell_line")["organ"]
    return scores.assign(organ=scores["cell_line"].astype(object).map(known))


def gaps_by(scores: pd.DataFrame, by: str, method: str, rival: str) -> pd.DataFrame:
    """Paired gaps of two methods in each slice of one regime's scores on one metric.

    As :func:`~lgr_core.evaluation.paired_comparison.compare_slices`, slices in words: the greatest
    gap first, thirds in their order. Lines and organs have intervals over compounds, drugs and
    mechanisms over lines: of these very lines, of these very drugs.
    """
    rows, metric = _told_apart(scores, by, (method, rival)), scores["metric"].iloc[0]
    table = compare_slices(rows, method, rival, metric, by, clusters=_clusters(rows, by))
    table = table.assign(slice=[slice_words(label) for label in table["slice"]])
    if by in _THIRDS:
        return table
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def drawn_slices(gaps: pd.DataFrame, by: str) -> pd.DataFrame:
    """The slices to draw, in the order given: those with most conditions.

    Drugs have about as many each: of them those whose gap is farthest from zero.
    """
    size = gaps["difference"].abs() if by == "drug" else gaps["n_common"]
    return gaps[size.rank(method="first", ascending=False) <= MOST_SLICES]


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
