"""Specific changes of a line's pool against the plain read of the same rows, in one run.

Run: ``python benchmarks/specific_change.py ATLAS [ATLAS ...]``, atlases of this installation. The
lines are read in turn, each pool at its commonest dose both ways, by one reader, as the app and the
benchmark do: which row stands on which plate is known from the first round, the changes of the line
before are not kept. The first round is shown by itself. Medians over lines and rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import Settings
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.specific_change import SpecificChanges

GOAL = 3.0
"""At most so many times the plain read."""

ROUNDS = 5


def main() -> int:
    """Print both medians and their ratio for each atlas; 1 if a ratio is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("atlases", nargs="+", metavar="ATLAS")
    names = parser.parse_args().atlases
    ratios = [_measure(open_atlas(name, Settings.from_environment().atlases)) for name in names]
    return int(max(ratios) > GOAL)


def _measure(store: AtlasStore) -> float:
    labels = ConditionIndex(store)
    reader = SpecificChanges(store, labels, store.present)
    pools = [_pool(labels, line) for line in range(len(labels.lines))]
    for rows in pools:
        store.deltas(rows)  # from the disk
    first = statistics.median([_ms(lambda rows=rows: reader.of(rows)) for rows in pools])
    plain, specific = [], []
    for rows in pools * ROUNDS:
        plain.append(_ms(lambda rows=rows: store.deltas(rows)))
        specific.append(_ms(lambda rows=rows: reader.of(rows)))
    once, centred = statistics.median(plain), statistics.median(specific)
    print(
        f"{store.name}: {len(pools)} lines, {len(pools[0])} rows of {store.n_panel:,} genes; "
        f"plain {once:.2f} ms, specific {centred:.2f} ms (first {first:.2f} ms), "
        f"ratio {centred / once:.1f} (goal {GOAL:g})"
    )
    return centred / once


def _pool(labels: ConditionIndex, line: int) -> np.ndarray:
    here = np.flatnonzero(labels.line == line)
    doses, counts = np.unique(labels.doses[here], return_counts=True)
    dose = doses[counts.argmax()]
    return here[(labels.doses[here] == dose) | (np.isnan(dose) & np.isnan(labels.doses[here]))]


def _ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
