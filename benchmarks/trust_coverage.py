"""How often the 90 % interval of the expected r holds the observed one, learned on few lines.

Of the conditions that a calibration or a benchmark run was learned on, some cell lines are drawn,
trust is calibrated on these and tested on the others, many times::

    python benchmarks/trust_coverage.py RUN_DIR --lines 3 4 8 12 --draws 50
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.evaluation.calibration import SCORE, fit, usable
from lgr_core.prediction.trust_features import FEATURES


def main() -> None:
    """Print the coverage for each method and number of lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument("--lines", type=int, nargs="+", default=[3, 4, 8, 12])
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    parts = sorted((options.run / "parts").glob("*/trust.parquet"))
    table = usable(pd.concat([pd.read_parquet(part) for part in parts]))
    print("regime method lines coverage (5th to 95th percentile of draws)")
    for (regime, method), group in table.groupby(["regime", "method"], sort=False):
        for n_lines in options.lines:
            held = drawn_coverage(group, n_lines, options.draws, options.seed)
            low, high = np.quantile(held, [0.05, 0.95])
            mean = held.mean()
            print(f"{regime} {method} {n_lines} {mean:.3f} ({low:.3f} to {high:.3f})")


def drawn_coverage(table: pd.DataFrame, n_lines: int, draws: int, seed: int) -> np.ndarray:
    """(draws,) the share of other lines' conditions whose score lies in its interval."""
    rng = np.random.default_rng(seed)
    lines = table["cell_line"].astype(str)
    names = np.sort(lines.unique())
    found = []
    for _ in range(draws):
        chosen = lines.isin(rng.choice(names, n_lines, replace=False))
        calibration = fit(table[chosen])
        rest = table[~chosen]
        _, low, high = calibration.expects(rest[list(FEATURES)].to_numpy(float)).T
        score = rest[SCORE].to_numpy()
        found.append(((score >= low) & (score <= high)).mean())
    return np.array(found)


if __name__ == "__main__":
    main()
