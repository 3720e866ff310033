"""Doses between measured ones: every inner dose of a drug left out, by each rule.

Run: ``python benchmarks/doses.py ATLAS [ATLAS ...]``, atlases of this installation. For each drug
of a line with three doses or more, each inner dose is predicted from the drug's others: by the
curve, whose strength and interval are learned on the line's other drugs alone, by their mean, the
nearest, and the straight line over log dose. Means over doses; intervals by resampling drugs.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from lgr_core.answer.dose_curves import DoseReader
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import Settings
from lgr_core.metrics import mse_delta, pearson_delta
from lgr_core.prediction.dose_weights import (
    Rule,
    curve_rule,
    interpolation_weights,
    learn_curve,
    mean_weights,
    nearest_weights,
)

CURVE, MEAN = "curve", "mean of other doses"

RIVALS: dict[str, Rule] = {
    MEAN: mean_weights,
    "nearest dose": nearest_weights,
    "interpolation": interpolation_weights,
}

_BOOT = 2_000


def main() -> None:
    """Print the table of each atlas."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("atlases", nargs="+", metavar="ATLAS")
    for name in parser.parse_args().atlases:
        store = open_atlas(name, Settings.from_environment().atlases)
        scores = leave_doses_out(store)
        print(f"{name}: {len(scores)} inner doses of {scores['drug'].nunique()} drugs")
        print(summary(scores).to_string(index=False))


def leave_doses_out(store: AtlasStore) -> pd.DataFrame:
    """One row an inner dose: r and MSE by each rule, and how the curve was learned."""
    rows = []
    for line in sorted(store.conditions["cell_line"].unique()):
        reader = DoseReader(store, line)
        for drug in sorted(store.conditions["drug"].unique()):
            series = reader.series(drug)
            if series is None or len(series.doses_um) < 3:
                continue
            learned = learn_curve(reader.others(drug))
            known = {"drug": drug, "cell_line": line, "strength": learned.strength}
            found = pd.DataFrame([known] * (len(series.doses_um) - 2))
            for name, rule in {CURVE: curve_rule(learned.strength), **RIVALS}.items():
                predicted, measured = series.held_out(rule)
                found[f"{name} r"] = pearson_delta(predicted, measured)
                found[f"{name} mse"] = mse_delta(predicted, measured)
                if name == CURVE and learned.half_width is not None:
                    held = np.abs(measured - predicted) <= learned.half_width
                    found["coverage"] = held.mean(axis=1)
            rows.append(found)
    return pd.concat(rows, ignore_index=True)


def summary(scores: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """One row a rule: mean r and MSE, and the difference in r to the mean of the other doses."""
    rng = np.random.default_rng(seed)
    drugs = scores["drug"].to_numpy()
    names = np.unique(drugs)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), _BOOT)
    weights = counts[:, np.searchsorted(names, drugs)]
    rows = []
    for name in (CURVE, *RIVALS):
        gain = (scores[f"{name} r"] - scores[f"{MEAN} r"]).to_numpy()
        low, high = np.quantile(weights @ gain / weights.sum(axis=1), (0.025, 0.975))
        row = {"rule": name, "r": scores[f"{name} r"].mean(), "MSE": scores[f"{name} mse"].mean()}
        held = scores["coverage"].mean() if name == CURVE and "coverage" in scores else np.nan
        rows.append({**row, "r less mean": gain.mean(), "low": low, "high": high, "held": held})
    return pd.DataFrame(rows).round(4)


if __name__ == "__main__":
    main()
