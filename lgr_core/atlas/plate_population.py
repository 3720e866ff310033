"""Plate population: the other compounds that share a condition's plates in its cell line.

What is peculiar to a plate can be told from an effect of a drug only where many other compounds
stand on the plate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import IntArray

MIN_OTHERS = 10
"""Other parent compounds on a condition's plates from which on its plate can be taken out."""


def other_parents(store: AtlasStore) -> IntArray:
    """(n_conditions,) the other parents, at any dose, on a condition's plates in its cell line.

    A parent counts once, however many plates it shares with the condition; -1 where no plate is
    known.
    """
    return _others(_stands(store), len(store.conditions))


def plate_summary(store: AtlasStore) -> dict[str, Any]:
    """How many plates and conditions on them there are, and whether plates can be taken out.

    ``other_parents`` are the ``min``, ``median`` and ``max`` of other parents over plates and
    lines, None where no plate is known; ``separable`` is the share of all conditions with at least
    ``MIN_OTHERS`` other parents on their plates.
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
    """Other parents of each of ``n`` conditions; conditions on the same plates are counted once."""
    found = np.full(n, -1, dtype=np.int64)
    if stands.empty:
        return found
    ordered = stands.sort_values(["condition", "plate"], kind="stable")
    sets = ordered.groupby("condition").agg(line=("line", "first"), plates=("plate", tuple))
    there = stands.groupby(["line", "plate"])["parent"].agg(frozenset).to_dict()
    for (line, plates), conditions in sets.groupby(["line", "plates"]).groups.items():
        parents = frozenset().union(*(there[line, plate] for plate in plates))
        found[np.asarray(conditions)] = len(parents) - 1
    return found
