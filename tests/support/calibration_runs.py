"""A benchmark run's folder that holds nothing but a calibration of known numbers."""

import json

from lgr_core.prediction.trust_features import FEATURES


def calibrate(run, store, *, methods=("best_evidence",), regime="open_world", k=10, **about):
    """A run that expects 0.8 whatever is known, within 0.7 and 0.9, genes within 1.5 spreads."""
    n = len(FEATURES)
    flat = {"seen": [[-99.0] * n, [99.0] * n], "center": [0.0] * n, "slopes": [0.0] * n}
    flat |= {"index": [0.0], "expected": [0.8], "low": [-0.1], "high": [0.1]}
    flat |= {"width_slopes": [0.0] * n, "width": 1.5, "n": 40, "features": list(FEATURES)}
    run.mkdir(parents=True, exist_ok=True)
    config = {"atlas": store.name, "build_id": store.build_id, "k": k, "finished_at": "2026"}
    config |= about
    (run / "config.json").write_text(json.dumps(config))
    found = {regime: dict.fromkeys(methods, flat)}
    (run / "calibration.json").write_text(json.dumps(found))
