"""What is known without the truth, against hand-worked values; the truth does not matter to it."""

import json

import numpy as np
import pytest

from lgr_core.domain import Evidence
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.trust import (
    FEATURES,
    LEVELS,
    Calibration,
    Light,
    Surroundings,
    coverage,
    error_levels,
    light_of,
    reasons,
)
from lgr_core.retrieval.blocks import FoldReader

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
    block = FoldReader(toy).block("A549", 5.0, ["Trametinib"])
    around = Surroundings.of(block, READS)
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


def test_nothing_around_a_query_hangs_on_its_truth(toy):
    """Declaring the truth changes nothing, in any regime."""
    for regime in Regime:
        fold = make_folds(toy, regime, 3)[0]
        for block in FoldReader(toy, fold).blocks(np.flatnonzero(fold.test)):
            plain = Surroundings.of(block, READS)
            told = Surroundings.of(block, READS | {Evidence.TRUTH})
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
    """Written and read again it is the same."""
    made = calibration()
    assert Calibration.from_dict(json.loads(json.dumps(made.to_dict()))) == made


@pytest.mark.parametrize(
    ("expected", "light"),
    [
        (0.9, Light.GREEN),
        (0.7, Light.GREEN),
        (0.5, Light.YELLOW),
        (0.1, Light.RED),
        (np.nan, "red"),
    ],
)
def test_lights(expected, light):
    """From 0.7 green, from 0.4 yellow."""
    assert light_of(expected) == light


def test_reasons_speak_of_what_was_found():
    """Counts, agreement, and a prediction that is the line's mean."""
    known = dict.fromkeys(FEATURES, 0.0)
    both = known | {"lines": np.log(4), "drug_agreement": 0.6, "pool": np.log(11)}
    said = reasons(np.array(list((both | {"likeness": 0.99}).values())))
    assert "3 other lines; its effects there are much alike" in said[0]
    assert "10 other drugs" in said[1]
    assert "differ widely" in said[1]
    assert "not specific" in said[2]
    nothing = reasons(np.zeros(len(FEATURES)))
    assert "not measured in any other line" in nothing[0]
    assert "No other drug" in nothing[1]
    assert len(nothing) == 2
