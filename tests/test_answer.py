"""One call answers the question, with everything that stands behind it."""

import json
import math

import numpy as np
import pytest

from lgr_core.answer import predict, retrieve
from lgr_core.errors import UsageError


def test_an_answer_holds_what_it_is_made_of(toy):
    """Predicted, measured, the neighbours' values and metrics fit together."""
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=3)
    np.testing.assert_allclose(answer.prediction.delta, answer.neighbor_deltas.mean(axis=0))
    truth = toy.deltas(toy.rows("A549", ["Trametinib"], 5.0))[0]
    np.testing.assert_array_equal(answer.measured, truth)
    expected = np.corrcoef(answer.prediction.delta, truth)[0, 1]
    assert answer.metrics["pearson_delta"] == pytest.approx(expected)
    assert answer.provenance["evidence"] == ["target_pool"]
    assert answer.provenance["atlas"] == "toy"


def test_metrics_are_over_the_panel_also_when_all_genes_are_predicted(toy):
    """Two more genes change the vector, not the score."""
    question = {"cell_line": "A549", "drug": "Trametinib", "selector": "chemistry", "k": 2}
    panel, every = predict(toy, **question), predict(toy, **question, all_genes=True)
    assert (len(panel.genes), len(every.genes)) == (6, 8)
    assert panel.metrics == pytest.approx(every.metrics, nan_ok=True)


def test_an_unmeasured_condition_has_a_prediction_but_no_metrics(toy):
    """Cobimetinib was not measured at 0.5 uM; two others were."""
    answer = predict(toy, cell_line="A549", drug="Cobimetinib", dose_um=0.5, selector="random")
    assert answer.measured is None
    assert answer.metrics is None
    assert "k = 10, but the pool holds 2 drugs: all may be used." in answer.notes


def test_notes_name_twins_fallbacks_and_shortfalls(toy):
    """Nothing is left out silently."""
    answer = predict(toy, cell_line="LoVo", drug="Tofacitinib", selector="mechanism")
    assert "Left out as forms of the same compound: Tofacitinib (citrate)." in answer.notes
    lost = predict(toy, cell_line="LoVo", drug="Mystery compound", selector="mechanism")
    assert lost.prediction.fallback == "pool_mean"
    assert any("the answer is the fallback, pool_mean" in note for note in lost.notes)


def test_top_genes_are_the_strongest_both_ways(toy):
    """Up first, strongest first; then down, the strongest last."""
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=2)
    table = answer.top_genes(2)
    assert table["predicted"].is_monotonic_decreasing
    assert set(table["gene"]) <= set(answer.genes)
    assert list(table.columns[:3]) == ["gene", "predicted", "measured"]


def test_an_answer_is_plain_json(toy):
    """The keys that scripts rely on; NaN is null."""
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector="mechanism")
    data = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert set(data) == {
        "query", "selector", "k", "k_used", "pool_size", "neighbors", "rejected",
        "fallback", "genes", "delta", "metrics", "provenance",
    }  # fmt: skip
    assert set(data["neighbors"][0]) >= {"drug", "rank", "score", "rationale"}
    assert len(data["genes"]) == len(data["delta"]) == 6
    assert all(v is None or math.isfinite(v) for v in data["metrics"].values())


def test_retrieve_is_the_same_retrieval_without_a_prediction(toy):
    """Names only, no delta read."""
    found = retrieve(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=3)
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=3)
    assert found == answer.retrieval


@pytest.mark.parametrize(
    "wrong", [{"selector": "magic"}, {"k": 0}, {"aggregate": "magic"}, {"fallback": "magic"}]
)
def test_unknown_options_are_refused(toy, wrong):
    """One clear error for each."""
    with pytest.raises(UsageError):
        predict(toy, cell_line="A549", drug="Trametinib", **wrong)
