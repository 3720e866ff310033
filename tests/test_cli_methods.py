"""Methods beyond the paper's on the command line: their terms, their trust, the same JSON."""

import json

import numpy as np
import pytest

from lgr_core.answer import METHODS
from lgr_core.cli import main
from lgr_core.prediction.aggregate import AGGREGATES
from tests.support.calibration_runs import calibrate

QUESTION = ("predict", "--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib")
BEST = ("--method", "best_evidence")
OLD_KEYS = {
    *("query", "selector", "k", "k_used", "pool_size", "neighbors", "rejected", "fallback"),
    *("genes", "delta", "metrics", "provenance"),
}
"""What scripts relied on before there were methods."""


@pytest.fixture
def home(toy_home, tmp_path, monkeypatch):
    """An LGR_HOME of its own that shares the toy atlas."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(home))
    return home


@pytest.fixture
def shell(home, capsys):
    """Run ``lgr``; gives its code, standard output and standard error."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_the_same_json(shell, toy, method):
    """The old keys, terms whose weighted sum is the prediction, no trust and why."""
    code, out, _ = shell(*QUESTION, "--method", method, "--json")
    data = json.loads(out)
    assert code == 0
    ours = {"terms", "trust", "trust_note", "expected_not_chosen", "model_expects"}
    ours |= {"change", "plate_note"}
    assert set(data) == OLD_KEYS | ours
    total = np.zeros(6)
    for term in data["terms"]:
        for one in term["conditions"]:
            rows = toy.rows(one["cell_line"], [one["drug"]], one["dose_um"])
            total += one["weight"] * toy.deltas(rows)[0]
    np.testing.assert_allclose(data["delta"], total, rtol=1e-3, atol=0.05)
    assert data["trust"] is None
    assert "no benchmark run of this build of toy" in data["trust_note"]


@pytest.mark.parametrize("how", AGGREGATES)
def test_every_aggregate_can_be_asked_for(shell, how):
    """Of method lgr; its weights are told."""
    code, out, _ = shell(*QUESTION, "--selector", "chemistry", "--aggregate", how, "--json")
    made = json.loads(out)["provenance"]
    assert (code, made["aggregate"]) == (0, how)
    assert len(made["weights"]) == 5


def test_lines_say_what_it_stands_on_and_how_far_to_trust_it(shell, home, toy):
    """Terms with their shares; the light with n once a run has calibrated the method."""
    _, out, _ = shell(*QUESTION, *BEST)
    assert "stands on the drug in other lines" in out
    assert "of the weight, the drug itself in other cell lines: Trametinib in" in out
    assert "trust: Not known: no benchmark run" in out
    calibrate(home / "runs" / "mine", toy)
    _, out, _ = shell(*QUESTION, *BEST)
    assert (
        "trust: grey, expected Pearson r 0.80 (90 % interval 0.70 to 0.90), calibrated on 40 "
        "held-out conditions of run mine"
    ) in out
    trust = json.loads(shell(*QUESTION, *BEST, "--json")[1])["trust"]
    assert trust["light"] == "grey"
    assert len(trust["gene_half_width"]) == 6


def test_all_genes_and_files_are_given_of_every_method(shell, tmp_path):
    """Beyond the panel too; the trust is of the panel."""
    path = tmp_path / "best.csv"
    code, out, _ = shell(*QUESTION, *BEST, "--all-genes", "--json", "--out", path)
    assert (code, len(json.loads(out)["delta"])) == (0, 8)
    assert path.read_text().startswith("gene,predicted,measured,")


def test_an_unknown_method_is_refused(shell):
    """With what can be asked, as every flag."""
    with pytest.raises(SystemExit, match="2"):
        shell(*QUESTION, "--method", "magic")
