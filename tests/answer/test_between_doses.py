"""A dose between measured ones, from an atlas whose drugs follow planted curves."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer.between_doses import is_between, predict_between
from lgr_core.answer.dose_curves import DoseReader, gene_curves, programme_curves
from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main
from lgr_core.domain import ValueKind
from lgr_core.drugs.mechanism_tables import MechanismSignature
from lgr_core.errors import NotFoundError
from lgr_core.prediction.hill import hill_curve

DOSES = (0.1, 0.3, 1.0, 3.0, 10.0)
GENES = 12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One line and eight drugs of five doses, each a Hill curve of EC50 0.8 and slope 1."""
    rng = np.random.default_rng(0)
    tops = 4 * rng.standard_normal((8, GENES))
    curve = hill_curve(np.array(DOSES), 1.0, 0.8, 1.0)
    keys = [("L0", f"D{b}", dose) for b in range(8) for dose in DOSES]
    deltas = np.array([top * at for top in tops for at in curve], dtype=np.float32)
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(GENES)], "ensembl_id": ""})
    table = DeltaTable(
        conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False),
        deltas,
        genes.assign(in_panel=True, variability=1.0),
        ValueKind.LOG2FC,
    )
    folder = tmp_path_factory.mktemp("home") / "atlases" / "doses"
    build_atlas(
        table,
        folder,
        drugs=annotate_drugs(sorted({drug for _, drug, _ in keys}), []),
        cell_lines=annotate_lines(["L0"], []),
        fingerprints=np.zeros((8, 256), dtype=np.uint8),
    )
    return open_atlas("doses", folder.parent)


def test_a_dose_between_is_a_weighted_sum_of_measured_ones(store):
    """It follows the planted curve more closely than the mean of the doses does."""
    answer = predict_between(store, cell_line="L0", drug="D1", dose_um=5.0, selector="random", k=3)
    reader = DoseReader(store, "L0")
    series = reader.series("D1")
    weights = np.array(list(answer.weights.values()))
    np.testing.assert_allclose(answer.delta, weights @ series.changes)
    assert weights.sum() == pytest.approx(1)
    top = series.changes[0] / hill_curve(np.array([0.1]), 1.0, 0.8, 1.0)
    truth = top * hill_curve(np.array([5.0]), 1.0, 0.8, 1.0)
    of_mean = np.abs(series.changes.mean(axis=0) - truth).mean()
    assert np.abs(answer.delta - truth).mean() < of_mean / 2
    assert answer.learned.n_held_out == 21
    table = answer.table()
    assert (table["high"] >= table["predicted"]).all()
    assert "D1" not in answer.neighbor_doses
    expected = [
        curve @ reader.series(name).changes for name in answer.neighbor_doses for curve in [weights]
    ]
    np.testing.assert_allclose(answer.neighbors, np.mean(expected, axis=0))
    json.dumps(answer.to_dict())


def test_only_doses_between_measured_ones_are_predicted(store):
    """A measured one is asked for as ever; beyond the range there is no answer."""
    assert is_between(store, "L0", "D1", 5.0)
    assert not is_between(store, "L0", "D1", 3.0)
    assert not is_between(store, "L0", "D1", 20.0)
    with pytest.raises(NotFoundError, match="between"):
        predict_between(store, cell_line="L0", drug="D1", dose_um=20.0)


def test_curves_of_genes_tell_the_planted_ec50(store):
    """Of the three that change most, and of one that is named."""
    reader = DoseReader(store, "L0")
    found = gene_curves(reader, "D1", n=3)
    series = reader.series("D1")
    strongest = np.argsort(-np.abs(np.median(series.changes, axis=0)))[:3]
    assert found.names == tuple(f"G{i}" for i in strongest)
    assert [fit.ec50_um for fit in found.fits] == pytest.approx([0.8] * 3, rel=0.01)
    one = gene_curves(reader, "D1", ["G4"])
    np.testing.assert_allclose(one.changes, [series.changes[:, 4]])
    assert one.table()["hill_slope"].tolist() == pytest.approx([1.0], rel=0.01)
    with pytest.raises(NotFoundError):
        gene_curves(reader, "D1", ["NOGENE"])


def test_a_programme_is_what_rises_less_what_falls(store):
    """Of five genes; one of four has no curve."""
    reader = DoseReader(store, "L0")
    signatures = {
        "five": MechanismSignature(("G0", "G1", "G2", "absent"), ("G3", "G4")),
        "four": MechanismSignature(("G0", "G1", "G2", "G3"), ()),
    }
    found = programme_curves(reader, "D1", signatures)
    changes = reader.series("D1").changes
    assert found.names == ("five",)
    expected = changes[:, :3].mean(axis=1) - changes[:, 3:5].mean(axis=1)
    np.testing.assert_allclose(found.changes[0], expected)


def test_the_commands_answer_and_refuse(store, monkeypatch, capsys, tmp_path):
    """A dose between is predicted, one beyond is not found; curves come as JSON and CSV."""
    monkeypatch.setenv("LGR_HOME", str(store.folder.parent.parent))
    asked = ["predict", "--atlas", "doses", "--cell-line", "L0", "--drug", "D1", "--dose"]
    out = tmp_path / "out.csv"
    assert main([*asked, "5", "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["method"], found["dose_um"], len(found["weights"])) == ("dose_curve", 5, 5)
    assert list(pd.read_csv(out))[:4] == ["gene", "predicted", "low", "high"]
    assert main([*asked, "5"]) == 0
    assert main([*asked, "20"]) == 4
    assert main([*asked, "5", "--out", "out.h5ad"]) == 2
    capsys.readouterr()
    curves = ["doses", "--atlas", "doses", "--cell-line", "L0", "--drug", "D1", "--n", "2"]
    assert main([*curves, "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["genes"]["curves"][0]["ec50_um"] == pytest.approx(0.8, rel=0.01)
    assert len(pd.read_csv(out)) == 2
    assert main(curves) == 0
    assert "EC50 0.8" in capsys.readouterr().out
