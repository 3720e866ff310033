"""Write the values that cell-eval2 and scPertEval give for a few small conditions.

The packages are not dependencies of this project. In an environment that has them
(``pip install cell-eval2==0.20.0 scperteval==0.2.0``), run
``python tests/reference/evaluation_packages.py``. The values, with the versions that gave them and
the numbers they were computed from, go to ``evaluation_packages.json`` beside this file, with which
``tests/metrics/test_reference_values.py`` compares our metrics.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from cell_eval2.metrics.delta import mae_delta, mse_delta, pearson_delta
from cell_eval2.metrics.discrimination import discrimination_score
from cell_eval2.moments import unbiased_sq_dist
from scperteval.blocks.de import mejia_weights
from scperteval.calibrators import CALIBRATORS
from scperteval.protocols import metrics

FILE = Path(__file__).with_suffix(".json")
CONTROL = "control"
CONDITIONS, GENES = 8, 60
SCALES = {
    "pearson_delta": {"better": "higher", "perfect": 1.0},
    "mse_delta": {"better": "lower", "perfect": 0.0},
}


def inputs() -> dict[str, np.ndarray]:
    """Predictions, two measurements and the mean of all conditions, in steps of 2^-16.

    Conditions share a response, and measurements are noisy, so that ranks and wins differ.
    """
    rng = np.random.default_rng(7)
    shared = rng.standard_normal(GENES)
    own = 0.6 * rng.standard_normal((CONDITIONS, GENES))
    noise = 0.7 * rng.standard_normal((3, CONDITIONS, GENES))
    values = {
        "predicted": shared + 0.4 * own + noise[0],
        "measured": shared + own + noise[1],
        "replicate": shared + own + noise[2],
        "line_mean": np.tile(shared, (CONDITIONS, 1)),
    }
    return {name: np.round(2.0**16 * value) / 2.0**16 for name, value in values.items()}


def of_cell_eval2(x: np.ndarray, y: np.ndarray, again: np.ndarray) -> dict[str, list[float]]:
    """Metrics of deltas, given as profiles beside a control of zero."""
    names = np.array([CONTROL, *(f"condition {i}" for i in range(len(x)))])
    bulks = [(names, np.vstack([np.zeros(GENES), side])) for side in (x, y)]
    sides = {"pred_bulk": bulks[0], "real_bulk": bulks[1], "control": CONTROL}
    ranked = discrimination_score(**sides, distance="cosine", exclude_target_gene=False)
    noise = ((y - again) ** 2).sum(axis=1) / 4
    unbiased = unbiased_sq_dist(x, (y + again) / 2, np.zeros(len(x)), noise) / GENES
    found = {
        "pearson_delta": pearson_delta(**sides),
        "mae_delta": mae_delta(**sides),
        "mse_delta": mse_delta(**sides),
        "discrimination_score_cosine": ranked,
    }
    listed = {name: [scores[each] for each in names[1:]] for name, scores in found.items()}
    return {**listed, "mse_noise_corrected": unbiased.tolist()}


def of_scperteval(x: np.ndarray, y: np.ndarray, m: np.ndarray) -> dict[str, list]:
    """Metrics of one condition each, its statistic of differential expression being y - m."""
    found: dict[str, list] = {"effect_weights": [mejia_weights(row).tolist() for row in y - m]}
    for i in range(len(x)):
        result = SimpleNamespace(statistic=y[i] - m[i])
        context = SimpleNamespace(
            de=lambda *_, result=result: result,
            current_pert=None,
            cfg=SimpleNamespace(truth=None),
        )
        values = {
            "pearson_delta": metrics.pearson(y[i], x[i], context),
            "mse_delta": metrics.mse(y[i], x[i], context),
            "r2_det": metrics.r2(y[i], x[i], context),
            "wmse": metrics.weighted_mse(y[i], x[i], context),
            "r2_weighted": metrics.weighted_r2(y[i] - m[i], x[i] - m[i], context),
            "overlap_at_50": metrics.de_overlap(
                SimpleNamespace(statistic=y[i]), np.abs(x[i]), context
            ),
        }
        for name, value in values.items():
            found.setdefault(name, []).append(float(value))
    return found


def of_calibrators(positive: dict, negative: dict) -> dict[str, dict[str, list[float]]]:
    """Dynamic range fraction and bound discrimination score of each condition, by metric."""
    return {
        name: {
            metric: [
                CALIBRATORS[name].per_pert({"positive": p, "negative": n}, SimpleNamespace(**scale))
                for p, n in zip(positive[metric], negative[metric], strict=True)
            ]
            for metric, scale in SCALES.items()
        }
        for name in ("drf", "bds")
    }


def main() -> None:
    """Compute and write everything."""
    given = inputs()
    x, y, again, m = given.values()
    values = {
        "versions": {name: version(name) for name in ("cell-eval2", "scperteval", "numpy")},
        "inputs": {name: value.tolist() for name, value in given.items()},
        "cell_eval2": of_cell_eval2(x, y, again),
        "scperteval": of_scperteval(x, y, m),
        "calibrators": of_calibrators(of_scperteval(again, y, m), of_scperteval(m, y, m)),
    }
    FILE.write_text(json.dumps(values) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
