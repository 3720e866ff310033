"""What is known without the truth, against hand-worked values; the truth does not matter to it."""

import json

import numpy as np
import pytest

from lgr_core.domain import Evidence
from lgr_core.errors import LeakageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.trust import (
    LEVELS,
    Calibration,
    TrustLevel,
    coverage,
    error_levels,
    level_of,
    level_reason,
    reasons,
)
from lgr_core.prediction.trust_features import FEATURES, TrustFeatures
from lgr_core.retrieval.query_block import EvidenceReader

READS = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})


def calibration(**changes):
    """Expected r rises from 0.2 to 0.6 with the first feature, and the width falls."""
    n = len(FEATURES)
    usual = {
        "seen": ((0.0,) * n, (1.0,) * n),
        "center": (0.5,) + (0.0,) * (n - 1),
        "slopes": (1.0,) + (0.0,) * (n - 1),
        "index": (-0.5, 0.5),
        "expected": (0.2, 0.6),
        "low": (-0.1, -0.3),
        "high": (0.1, 0.3),
        "width_slopes": (-1.0,) + (0.0,) * (n - 1),
        "width": 2.0,
    }
    return Calibration(**(usual | changes))


def test_features_of_one_query_by_hand(toy):
    """Agreement and counts of its line's pool and of its drug elsewhere; likeness; size."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib"])
    around = TrustFeatures.of(block, READS)
    others = [drug for drug in toy.measured_drugs("A549", 5.0) if drug != "Trametinib"]
    pool = toy.deltas(toy.rows("A549", others, 5.0)).astype(float)
    elsewhere = [toy.rows(line, ["Trametinib"], 5.0)[0] for line in ("HepG2/C3A", "LoVo")]
    own = toy.deltas(np.array(elsewhere)).astype(float)
    delta = 2 * pool.mean(axis=0) - 7
    found = dict(zip(FEATURES, around.features(delta[None])[0], strict=True))
    for name, rows in (("pool_agreement", pool), ("drug_agreement", own)):
        expected = np.square(rows.mean(axis=0)).mean() / np.square(rows).mean()
        assert found[name] == pytest.approx(expected, rel=1e-4)
    assert found["lines"] == pytest.approx(np.log(3))
    assert found["pool"] == pytest.approx(np.log(7))
    assert found["likeness"] == pytest.approx(1, abs=1e-5)
    size = np.sqrt(np.square(delta / pool.std(axis=0)).mean())
    assert found["size"] == pytest.approx(np.log(size), rel=1e-3)


def test_features_of_neighbours_by_hand(toy):
    """Their agreement, what random picks would come to, and the cells behind them."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib"])
    names = toy.measured_drugs("A549", 5.0)
    used = np.isin(names, ("Cobimetinib", "Vorinostat"))[None, :]
    around = TrustFeatures.of(block, READS)
    found = dict(zip(FEATURES, around.features(around.mean, used)[0], strict=True))
    rows = toy.deltas(toy.rows("A549", ("Cobimetinib", "Vorinostat"), 5.0)).astype(float)
    agreement = np.square(rows.mean(axis=0)).mean() / np.square(rows).mean()
    assert found["neighbors_agreement"] == pytest.approx(agreement, rel=1e-4)
    others = [drug for drug in names if drug != "Trametinib"]
    pool = toy.deltas(toy.rows("A549", others, 5.0)).astype(float)
    gram = pool @ pool.T
    apart = gram[~np.eye(len(pool), dtype=bool)].mean() / np.diag(gram).mean()
    assert agreement - found["neighbors_standing"] == pytest.approx((1 + apart) / 2, rel=1e-4)
    assert found["cells"] == pytest.approx(np.log(51))
    nobody = around.features(around.mean)[0]
    assert nobody[list(FEATURES).index("neighbors_agreement")] == 0
    with pytest.raises(LeakageError, match="Trametinib"):
        around.features(around.mean, np.isin(names, ("Trametinib",))[None, :])


def test_nothing_around_a_query_hangs_on_its_truth(toy):
    """Declaring the truth changes nothing, in any regime."""
    for regime in Regime:
        fold = make_folds(toy, regime, 3)[0]
        for block in EvidenceReader(toy, fold).blocks(np.flatnonzero(fold.test)):
            plain = TrustFeatures.of(block, READS)
            told = TrustFeatures.of(block, READS | {Evidence.TRUTH})
            for name in ("known", "mean", "unit"):
                np.testing.assert_array_equal(getattr(plain, name), getattr(told, name))
            assert (plain.unit > 0).all()


def test_the_share_of_genes_within_a_width_is_read_from_error_sizes():
    """Of errors 0, 1 .. 100: at width 50, half of the genes; beyond the largest, all."""
    measured = np.arange(101.0)[None]
    levels = error_levels(np.zeros((1, 101)), measured, np.ones((1, 101)))
    np.testing.assert_allclose(levels[0], 100 * np.array(LEVELS))
    for width, share in ((50.0, 0.5), (90.0, 0.9), (1000.0, 1.0), (0.0, 0.0)):
        np.testing.assert_allclose(coverage(levels, np.array([width])), share)
    halved = error_levels(np.zeros((1, 101)), measured, np.full((1, 101), 2.0))
    np.testing.assert_allclose(halved, levels / 2)


def test_equal_error_sizes_are_all_within_a_width_or_none():
    """Levels that fall together are a step; beyond either end nothing is added."""
    levels = np.ones((3, len(LEVELS)))
    np.testing.assert_array_equal(coverage(levels, np.array([0.5, 1.0, 2.0])), [0, 1, 1])
    steps = np.array([[0.0] * 5 + [2.0] * (len(LEVELS) - 5)])
    half = (LEVELS[4] + LEVELS[5]) / 2
    np.testing.assert_allclose(coverage(steps, np.array([1.0])), [half])


def test_a_calibration_reads_its_curve_and_no_further():
    """Between knots straight; features beyond those seen count as the nearest seen."""
    known = np.zeros((3, len(FEATURES)))
    known[:, 0] = (0.5, 1.0, 9.0)
    expects = calibration().expects(known)
    np.testing.assert_allclose(expects[0], [0.4, 0.2, 0.6])
    np.testing.assert_allclose(expects[1], [0.6, 0.3, 0.9])
    np.testing.assert_array_equal(expects[2], expects[1])
    widths = calibration().widths(known)
    np.testing.assert_allclose(widths, 2 * np.exp([0, -0.5, -0.5]))


def test_a_calibration_survives_json():
    """Written and read again it is the same; one of other features is refused."""
    made = calibration(n=40)
    data = json.loads(json.dumps(made.to_dict()))
    assert Calibration.from_dict(data) == made
    with pytest.raises(ValueError, match="other features"):
        Calibration.from_dict({**data, "features": data["features"][:-1]})


@pytest.mark.parametrize(
    ("expected", "low", "repeat", "light"),
    [
        (0.5, 0.2, None, TrustLevel.GREEN),
        (0.5, 0.1, None, TrustLevel.YELLOW),
        (0.39, 0.2, None, TrustLevel.YELLOW),
        (0.12, 0.11, 0.2, TrustLevel.GREEN),
        (0.12, 0.11, 0.3, TrustLevel.YELLOW),
        (0.9, 0.0, None, TrustLevel.GREY),
        (np.nan, np.nan, 0.2, TrustLevel.GREY),
    ],
)
def test_levels(expected, low, repeat, light):
    """The limit above 0.1 and half of a repeat, or 0.4; the limit above 0; else not known."""
    assert level_of(expected, low, repeat) == light
    assert level_reason(light, expected, repeat).endswith((".", "interval."))


def test_reasons_speak_of_what_was_found():
    """Counts, agreement, and a prediction that is the line's mean."""
    known = dict.fromkeys(FEATURES, 0.0)
    both = known | {"lines": np.log(4), "drug_agreement": 0.6, "pool": np.log(11)}
    said = reasons(np.array(list((both | {"likeness": 0.99}).values())))
    assert "3 other lines; its effects there are much alike" in said[0]
    assert "10 other drugs" in said[1]
    assert "differ widely" in said[1]
    assert "not specific" in said[2]
    more = {"neighbors_agreement": 0.3, "neighbors_standing": 0.2, "cells": np.log(51)}
    said = reasons(np.array(list((both | more).values())))
    assert said[2] == (
        "The effects of the neighbours that are averaged are somewhat alike, more than those of as "
        "many random picks."
    )
    assert "50 cells" in said[3]
    nothing = reasons(np.zeros(len(FEATURES)))
    assert "No measurement of the drug in another line" in nothing[0]
    assert "No other drug" in nothing[1]
    assert len(nothing) == 2
