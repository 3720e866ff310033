"""Twins: one compound weighed in twice. What of a score is the compound's, and what its well's.

Of a pair of forms of one parent in a line, the prediction of one is compared with the measured
change of that form, in its own well, and with that of the other form, in the other well. So is the
measured change itself, and the mean of the other drugs of its plate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, FloatArray, IntArray
from lgr_core.metrics import pearson_of_defined
from lgr_core.prediction.attribution import make_method
from lgr_core.prediction.mean_baselines import PlateMean
from lgr_core.prediction.method import Method
from lgr_core.retrieval.condition_index import ConditionIndex, require_plates
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.signatures.expected import ExpectedSignatures

Progress = Callable[[str, int, int], None]

SOURCES = ("two_way", "measured", "plate_mean")
"""What the wells are predicted from: two-way regression, the form's own well, its plate."""


def twin_table(store: AtlasStore, progress: Progress | None = None) -> pd.DataFrame:
    """One row a parent: mean Pearson r over lines and both directions, by source and well.

    Columns ``SOURCE_own`` and ``SOURCE_other``, and with ``_specific`` those of specific changes,
    NaN where undefined; ``drugs`` (joined by ;), ``n_lines``, ``same_plates`` (whether the forms
    ever share a plate) and ``expected_strength``, the most that a language model expects of any of
    the forms (0 to 3; NaN where nothing is recorded).

    Raises
    ------
    UsageError
        If the atlas does not name plates.
    """
    labels = ConditionIndex(store)
    require_plates(labels, store)
    pairs = _pairs(labels)
    if not len(pairs):
        return pd.DataFrame(columns=["parent", "drugs", "n_lines", "same_plates"])
    rows = np.unique(pairs)
    scores: dict[str, FloatArray | IntArray] = {"row": pairs[:, 0], "other": pairs[:, 1]}
    for change in Change:
        suffix = "" if change is Change.TOTAL else "_specific"
        reader = EvidenceReader(store, change=change, labels=labels)
        truths = reader.truths(rows)
        place = np.searchsorted(rows, pairs)
        for source in SOURCES:
            measured = source == "measured"
            found = truths if measured else _predicted(reader, source, rows, progress)
            scores[f"{source}_own{suffix}"] = pearson_of_defined(
                found[place[:, 0]], truths[place[:, 0]]
            )
            scores[f"{source}_other{suffix}"] = pearson_of_defined(
                found[place[:, 0]], truths[place[:, 1]]
            )
    return _by_parent(store, labels, pd.DataFrame(scores))


def _pairs(labels: ConditionIndex) -> IntArray:
    """(n, 2) ordered pairs of rows: two forms of one parent in one line at one dose."""
    table = pd.DataFrame({"line": labels.line, "parent": labels.parent, "dose": labels.doses})
    groups = table.groupby(["line", "parent", "dose"], dropna=False).indices.values()
    found = [pair for rows in groups if len(rows) > 1 for pair in permutations(rows.tolist(), 2)]
    return np.array(found, dtype=np.intp).reshape(-1, 2)


def _predicted(
    reader: EvidenceReader, source: str, rows: IntArray, progress: Progress | None
) -> FloatArray:
    """Predicted changes of rows, (n_rows, n_genes), in the open world."""
    method: Method = PlateMean() if source == "plate_mean" else make_method(source, reader)
    parts = []
    for block in reader.blocks(rows):
        parts.append((block.rows, method.predict(block).delta))
        if progress is not None:
            done = sum(len(part) for part, _ in parts)
            progress(f"{source}, {reader.change} change", done, len(rows))
    order = np.argsort(np.concatenate([part for part, _ in parts]))
    return np.concatenate([delta for _, delta in parts])[order]


def _by_parent(store: AtlasStore, labels: ConditionIndex, scores: pd.DataFrame) -> pd.DataFrame:
    row = scores["row"].to_numpy()
    sets = labels.plate_index.set_of
    shared = labels.plate_index.overlapping(sets[row])
    scores = scores.assign(
        parent=labels.parents[labels.parent[row]],
        line=labels.line[row],
        shares_plate=shared[np.arange(len(row)), sets[scores["other"].to_numpy()]],
    )
    expected = ExpectedSignatures.load(store.drug_catalog)
    values = [name for name in scores if name.startswith(SOURCES)]
    return pd.DataFrame(_records(scores, labels, expected, values))


def _records(
    scores: pd.DataFrame, labels: ConditionIndex, expected: ExpectedSignatures, values: list[str]
) -> Iterator[dict[str, object]]:
    for parent, group in scores.groupby("parent", sort=True):
        drugs = sorted({labels.drugs[labels.drug[row]] for row in group["row"]})
        strengths = [one.strength for one in map(expected.of, drugs) if one is not None]
        known = [strength for strength in strengths if strength is not None]
        yield {
            "parent": parent,
            "drugs": "; ".join(drugs),
            "n_lines": group["line"].nunique(),
            "same_plates": bool(group["shares_plate"].any()),
            "expected_strength": max(known, default=np.nan),
            **group[values].mean().to_dict(),
        }
