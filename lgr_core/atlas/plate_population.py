"""Plate population: the other compounds that share a condition's plates in its cell line.

What is peculiar to a plate can be told from an effect of a drug only where many other compounds
stand on the plate.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import IntArray, SharedWells

SHARED_WELLS: Mapping[SharedWells, str] = MappingProxyType(
    {
        "yes": "shared wells: yes. The cell lines of a well are one pooled sample, so a held-out "
        "line has been measured in the same wells as the others: scores in it include what is "
        "peculiar to the wells.",
        "no": "shared wells: no. Each cell line has wells of its own, so a held-out line is a new "
        "experiment.",
        "unknown": "shared wells: unknown. If the cell lines of a well are one pooled sample, "
        "scores in a held-out line include what is peculiar to the wells.",
    }
)
"""What it means whether lines share wells, in one sentence for each answer."""

MIN_OTHERS = 10
"""Other parent compounds on a plate of a condition from which on its plate can be taken out."""


def other_parents(store: AtlasStore) -> IntArray:
    """(n_conditions,) the other parents, at any dose, on a condition's plate in its cell line.

    Of several plates, on the one that has the most: with enough there, the plate's mean can be
    taken away and the condition has a specific change. -1 where no plate is known.
    """
    return _others(_stands(store), len(store.conditions))


def plate_summary(store: AtlasStore) -> dict[str, Any]:
    """How many plates and conditions on them there are, and whether plates can be taken out.

    ``other_parents`` are the ``min``, ``median`` and ``max`` of other parents over plates and
    lines, None where no plate is known; ``separable`` is the share of all conditions with at least
    ``MIN_OTHERS`` other parents on one of their plates: those that have a specific change.
    """
    stands = _stands(store)
    others = _others(stands, len(store.conditions))
    sizes = (
        stands.drop_duplicates(["line", "plate", "parent"]).groupby(["line", "plate"]).size() - 1
    )
    spread = None
    if len(sizes):
        spread = {
            "min": int(sizes.min()),
            "median": float(sizes.median()),
            "max": int(sizes.max()),
        }
    return {
        "plates": int(stands["plate"].nunique()),
        "conditions": len(others),
        "conditions_with_plate": int((others >= 0).sum()),
        "other_parents": spread,
        "separable": float((others >= MIN_OTHERS).mean()),
        "per_plate_changes": store.plate_deltas is not None,
        "shared_wells": store.shared_wells,
    }


def _stands(store: AtlasStore) -> pd.DataFrame:
    """One row a condition and named plate: ``condition``, ``plate``, ``line`` and ``parent``."""
    rows = store.named_plates["condition"].to_numpy(dtype=np.intp)
    return pd.DataFrame(
        {
            "condition": rows,
            "plate": store.named_plates["plate"].to_numpy(),
            "line": store.conditions["cell_line"].to_numpy()[rows],
            "parent": store.parent_of_row[rows],
        }
    )


def _others(stands: pd.DataFrame, n: int) -> IntArray:
    """Other parents of each of ``n`` conditions, on that of its plates which has the most."""
    found = np.full(n, -1, dtype=np.int64)
    if stands.empty:
        return found
    parents = stands.groupby(["line", "plate"])["parent"].transform("nunique")
    most = parents.groupby(stands["condition"]).max()
    found[most.index.to_numpy(dtype=np.intp)] = most.to_numpy() - 1
    return found


def describe_plates(summary: Mapping[str, Any]) -> list[str]:
    """The summary as sentences, the last of which says what shared wells mean."""
    known, total = summary["conditions_with_plate"], summary["conditions"]
    if not known:
        return [
            "plates: not known, so effects of plate and drug cannot be told apart",
            SHARED_WELLS[summary["shared_wells"]],
        ]
    others = summary["other_parents"]
    kept = "kept for each plate" if summary["per_plate_changes"] else "known as averages alone"
    standing = f"{known:,} of {total:,} conditions have one; changes are {kept}"
    spread = f"{others['min']:,} to {others['max']:,}, median {others['median']:g}"
    enough = f"{summary['separable']:.0%}; in the others plate and drug cannot be told apart"
    return [
        f"plates: {summary['plates']:,}; {standing}",
        f"other compounds on a plate in a line: {spread}",
        f"conditions with {MIN_OTHERS} or more other compounds on a plate: {enough}",
        SHARED_WELLS[summary["shared_wells"]],
    ]
