"""Trust in a drug's own effect: what it is expected of, and when it is not known."""

import json

import numpy as np
import pytest

from lgr_core.answer import predict, with_trust
from lgr_core.cli import main
from lgr_core.domain import Change
from lgr_core.prediction.trust import TrustLevel
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.calibration_runs import calibrate
from tests.support.plated_atlas import ByName, plated_atlas

QUESTION = {"cell_line": "L1", "drug": "D03", "selector": "chemistry", "k": 4}
OWN = {"change": "specific", "evidence": "other_wells"}


@pytest.fixture(scope="module")
def plated(tmp_path_factory):
    """24 drugs in four lines on two plates."""
    return plated_atlas(tmp_path_factory.mktemp("plated") / "plated", lines=4, drugs=24)


@pytest.mark.parametrize("change", list(Change))
def test_trust_is_of_the_specific_change_whatever_is_shown(plated, tmp_path, change):
    """From the calibration of new experiments; widths of genes are of the change that is shown."""
    calibrate(tmp_path / "calibrations" / "own", plated, methods=("lgr_chemistry",), k=4, **OWN)
    answer = predict(plated, **QUESTION, change=change)
    reader = EvidenceReader(plated, change=change)
    found = with_trust(plated, answer, tmp_path / "runs", reader=reader)
    trust = found.trust
    assert (trust.change, trust.light) == (Change.SPECIFIC, TrustLevel.GREEN)
    assert (trust.expected, trust.low, trust.high) == pytest.approx((0.8, 0.7, 0.9))
    assert (trust.half_width is None) == (change is Change.TOTAL)
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))["trust"]
    assert said["calibrated_by"]["change"] == "specific"


def test_the_specific_change_is_predicted_beside_the_total(plated):
    """Of retrieval it is what the same weights make of the neighbours' specific changes."""
    total, own = (predict(plated, **QUESTION, change=change) for change in Change)
    np.testing.assert_allclose(total.specific, own.prediction.delta, atol=1e-5)
    np.testing.assert_allclose(own.specific, own.prediction.delta, atol=1e-5)


def test_the_drug_in_other_lines_is_no_other_experiment(plated):
    """Where lines may share wells, best evidence is trusted for what other drugs say alone."""
    asked = {"cell_line": "L1", "drug": "D03", "selectors": ByName}
    best = predict(plated, **asked, method="best_evidence", change=Change.SPECIFIC)
    alone = predict(plated, **asked, method="kriging", change=Change.SPECIFIC)
    assert not np.allclose(best.prediction.delta, alone.prediction.delta)
    np.testing.assert_allclose(best.specific, alone.prediction.delta, atol=1e-5)


def test_what_cannot_be_separated_is_not_known(tmp_path):
    """With seven other compounds on its plate a drug has no effect of its own to be expected."""
    store = plated_atlas(tmp_path / "small", lines=2, drugs=8, plates=1)
    calibrate(tmp_path / "calibrations" / "own", store, methods=("lgr_chemistry",), k=4, **OWN)
    found = with_trust(store, predict(store, **QUESTION), tmp_path / "runs")
    assert found.trust is None
    assert "7 other parents, 10 needed" in found.trust_note


def test_calibrate_is_one_command(tmp_path, monkeypatch, capsys):
    """It counts compounds by level; from then on answers say what is expected of them."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    store = plated_atlas(tmp_path / "atlases" / "plated", lines=4, drugs=36)
    assert main(["calibrate", "plated", "--workers", "1", "--json"]) == 0
    levels = json.loads(capsys.readouterr().out)["levels"]
    chemistry = [row for row in levels if row["method"] == "lgr_chemistry"]
    assert {row["regime"] for row in chemistry} == {"unseen_drug", "open_world"}
    for row in chemistry:
        assert row["green"] + row["yellow"] + row["grey"] == row["n_parents"] > 20
    found = with_trust(store, predict(store, **QUESTION), tmp_path / "runs")
    assert found.trust.change is Change.SPECIFIC
    assert found.calibrated.run.startswith("plated-")


def test_small_plates_leave_nothing_to_calibrate(tmp_path, monkeypatch, capsys):
    """One error with the number of other compounds that is needed, and where they are counted."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    plated_atlas(tmp_path / "atlases" / "small", lines=2, drugs=8, plates=1)
    assert main(["calibrate", "small", "--workers", "1"]) == 4
    err = capsys.readouterr().err
    assert "10 other parent compounds" in err
    assert "lgr info small --report" in err
