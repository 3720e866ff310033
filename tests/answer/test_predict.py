"""One call answers the question, with everything that stands behind it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from lgr_core.answer import METHODS, predict, retrieve, with_trust
from lgr_core.answer.predict import BASELINES
from lgr_core.answer.trust import with_trust_together
from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.prediction.trust import TOTAL_ALONE
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from tests.support.calibration_runs import calibrate


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
        "fallback", "genes", "delta", "metrics", "provenance", "terms", "trust", "trust_note",
        "change", "plate_note",
    }  # fmt: skip
    assert set(data["neighbors"][0]) >= {"drug", "rank", "score", "rationale"}
    assert len(data["genes"]) == len(data["delta"]) == 6
    assert all(v is None or math.isfinite(v) for v in data["metrics"].values())


def test_retrieve_is_the_same_retrieval_without_a_prediction(toy):
    """Names only, no delta read."""
    found = retrieve(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=3)
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=3)
    assert found == answer.retrieval


WRONG = [{name: "magic"} for name in ("selector", "aggregate", "fallback", "method")]


@pytest.mark.parametrize("wrong", [*WRONG, {"k": 0}, {"k": 0, "method": "kriging"}])
def test_unknown_options_are_refused(toy, wrong):
    """One clear error for each."""
    with pytest.raises(UsageError):
        predict(toy, cell_line="A549", drug="Trametinib", **wrong)


QUESTION = {"cell_line": "A549", "drug": "Trametinib"}


def own(store):
    """The atlas's selectors, of which the language model's has answered nothing."""
    return lambda name: make_selector("mechanism" if name == "llm" else name, store)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_it_is_made_of(toy, method):
    """Weights times measured changes are the prediction; the old keys stand, all plain JSON."""
    answer = predict(toy, **QUESTION, method=method, selectors=own(toy), k=3)
    data = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    total = np.zeros(6)
    for term in data["terms"]:
        for c in term["conditions"]:
            rows = toy.rows(c["cell_line"], [c["drug"]], c["dose_um"])
            total += c["weight"] * toy.deltas(rows)[0]
    np.testing.assert_allclose(data["delta"], total, rtol=1e-3, atol=0.05)
    assert data["provenance"]["method"] == answer.prediction.method
    assert len(data["neighbors"]) == len(answer.prediction.weights) == data["k_used"] <= 3
    assert len(answer.table()) == 6


def test_the_heaviest_of_the_line_are_named_with_their_weights(toy):
    """Of a method that weighs all: as many as k, by size, each weight its score."""
    answer = predict(toy, **QUESTION, method="best_evidence", selectors=own(toy), k=3)
    weights = {c.drug: w for c, w in answer.terms[1].conditions}
    heaviest = sorted(weights.items(), key=lambda item: -abs(item[1]))[:3]
    assert [(n.drug, n.score) for n in answer.retrieval.neighbors] == heaviest
    assert [str(term.term) for term in answer.terms] == [
        *("drug_elsewhere", "neighbors_here", "neighbors_elsewhere")
    ]


def test_shrunken_is_half_neighbours_half_pool(toy):
    """Neighbours weigh 1/2k more than the rest; together 1."""
    asked = {**QUESTION, "selector": "chemistry", "k": 2}
    plain = predict(toy, **asked)
    found = predict(toy, **asked, aggregate="shrunken")
    half = (plain.prediction.delta + plain.pool_mean) / 2
    np.testing.assert_allclose(found.prediction.delta, half, rtol=1e-5)
    weights = [weight for _, weight in found.terms[0].conditions]
    assert sum(weights) == pytest.approx(1)
    assert len(weights) == len(found.pool.drugs)


def test_a_hybrid_says_whose_answer_it_is(toy):
    """Chemistry's where the other is unsure, the pool's where nobody is named; else no label."""
    asked = {"method": "hybrid", "selectors": own(toy)}
    nobody = predict(toy, **{**QUESTION, "drug": "Mystery compound"}, **asked)
    assert (nobody.prediction.method, nobody.prediction.fallback) == ("hybrid", "pool_mean")
    assert any(note.startswith("No neighbour was found") for note in nobody.notes)
    weak = predict(toy, **QUESTION, **asked, k=100)
    assert weak.prediction.fallback == "lgr_chemistry"
    assert weak.retrieval.neighbors
    (note,) = [note for note in weak.notes if "fallback" in note]
    assert note.startswith("Too few neighbours stand, or agree too little")
    both = predict(toy, **QUESTION, **asked, k=1)
    assert both.retrieval.selector in {"mechanism", "chemistry"}
    assert both.provenance["evidence"] == ["target_pool", "train"]


def test_a_hybrid_asks_each_selector_once(toy):
    """What confidence was judged by is what is averaged."""
    asked = []

    def counting(name):
        selector = make_selector("mechanism" if name == "llm" else name, toy)
        return Counting(selector, asked)

    predict(toy, **QUESTION, method="hybrid", selectors=counting, k=3)
    assert sorted(asked) == ["chemistry", "mechanism"]


class Counting:
    """A selector that notes when it is asked."""

    def __init__(self, selector, asked):
        self.name, self.evidence = selector.name, selector.evidence
        self._selector, self._asked = selector, asked

    def select(self, pool, k, view):
        """What the selector says."""
        self._asked.append(self.name)
        return self._selector.select(pool, k, view)


def test_no_neighbour_is_missed_where_everything_is_weighed(toy):
    """K says how many are named then, and where nothing weighs, that is said instead."""
    asked = {"cell_line": "A549", "drug": "Cobimetinib", "dose_um": 0.5, "selectors": own(toy)}
    weighed = predict(toy, **asked, method="kriging", k=10)
    assert weighed.retrieval.k_used == 2
    assert not any("neighbour" in note or "k = 10" in note for note in weighed.notes)
    (note,) = predict(toy, **asked, method="two_way").notes
    assert note == "Nothing close was measured: the answer is the fallback, global_mean."


def test_trust_comes_from_the_newest_run(toy, tmp_path):
    """Light, limits, reasons and an interval for each gene; in the JSON too."""
    calibrate(tmp_path / "run", toy)
    answer = predict(toy, **QUESTION, method="best_evidence", selectors=own(toy))
    found = with_trust(toy, answer, tmp_path)
    trust = found.trust
    assert (trust.expected, trust.low, trust.high) == pytest.approx((0.8, 0.7, 0.9))
    others = [drug for drug in toy.measured_drugs("A549", 5.0) if drug != "Trametinib"]
    spread = toy.deltas(toy.rows("A549", others, 5.0)).std(axis=0)
    np.testing.assert_allclose(trust.half_width, 1.5 * spread, rtol=1e-4)
    assert trust.reasons[0] == TOTAL_ALONE
    assert "2 other lines" in trust.reasons[1]
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))["trust"]
    assert (said["light"], said["expected_pearson"]) == ("grey", pytest.approx(0.8))
    by = {"run": "run", "regime": "open_world", "k": 10, "n": 40, "change": "total"}
    assert said["calibrated_by"] == by
    assert len(said["gene_half_width"]) == 6


@pytest.mark.parametrize("method", ["best_evidence", "kriging"])
def test_a_method_is_as_the_newest_run_tuned_it(toy, tmp_path, monkeypatch, method):
    """Its penalties and kernel; without such a run, the usual ones."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    usual = predict(toy, **QUESTION, method=method, selectors=own(toy))
    calibrate(tmp_path / "runs" / "run", toy)
    config = tmp_path / "runs" / "run" / "config.json"
    kernel = {"shares": {"mechanism": 1.0}, "penalty": 50.0}
    settings = {"penalties": {"lines": 5.0, "drugs": 7.0}, "pooled": 0.5, "drawn": 0.0}
    learned = {"kernel": kernel, "settings": {**settings, "sharpness": 0.0}}
    fitted = {"open_world-0": {"best_evidence": learned, "kriging": {"kernel": kernel}}}
    config.write_text(json.dumps(json.loads(config.read_text()) | {"fitted": fitted}))
    with_tuned_params = predict(toy, **QUESTION, method=method, selectors=own(toy))
    assert "1 mechanism, noise 50" in with_tuned_params.prediction.provenance["settings"]
    assert ("lines 5, drugs 7" in with_tuned_params.prediction.provenance["settings"]) == (
        method == "best_evidence"
    )
    assert not np.allclose(usual.prediction.delta, with_tuned_params.prediction.delta)


@pytest.mark.parametrize("method", ["lgr", "best_evidence"])
def test_trust_in_many_is_the_trust_in_each(toy, tmp_path, method):
    """In their order, each with its own reasons and intervals; kinds are told apart."""
    calibrate(tmp_path / "run", toy, methods=("best_evidence", "lgr_mechanism"))
    reader, drugs = EvidenceReader(toy), ("Vorinostat", "Trametinib", "Tofacitinib")
    answers = [
        predict(toy, cell_line="A549", drug=drug, dose_um=5.0, method=method, selectors=own(toy))
        for drug in drugs
    ]
    answers.insert(1, predict(toy, **QUESTION, selector="chemistry"))
    together = with_trust_together(reader, answers, tmp_path)
    assert "no benchmark run" in together[1].trust_note
    for found, answer in zip(together, answers, strict=True):
        alone = with_trust(toy, answer, tmp_path, reader=reader)
        assert (found.trust is None) == (alone.trust is None)
        if alone.trust is not None:
            assert found.trust.reasons == alone.trust.reasons
            np.testing.assert_allclose(found.trust.half_width, alone.trust.half_width, rtol=1e-5)


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"selector": "oracle"}, "oracle_k is a control"),
        ({"selector": "chemistry", "aggregate": "median"}, "not for median"),
        ({"selector": "chemistry"}, "no benchmark run of this build of toy"),
        ({"selector": "mechanism", "k": 3}, "calibrated with k = 10, and k = 3 was asked for"),
    ],
)
def test_without_trust_a_note_says_why(toy, tmp_path, asked, note):
    """A control, another way to combine, no run, another k."""
    calibrate(tmp_path / "run", toy, methods=("lgr_mechanism",))
    found = with_trust(toy, predict(toy, **QUESTION, **asked), tmp_path)
    assert note in found.trust_note
    assert (found.trust is None) == ("k" not in asked)


def test_a_model_asked_several_times_tells_how_steady_it_is(toy, tmp_path):
    """The mean share of its answers in which a neighbour stood is a reason."""
    calibrate(tmp_path / "run", toy, methods=("lgr_mechanism",))
    answer = predict(toy, **QUESTION)
    said = {"samples": 4, "agreement": dict.fromkeys(answer.retrieval.drugs, 0.75)}
    steady = replace(answer.prediction, retrieval=replace(answer.retrieval, provenance=said))
    found = with_trust(toy, replace(answer, prediction=steady), tmp_path)
    assert "Asked 4 times" in found.trust.reasons[-1]
    assert "75% of its answers" in found.trust.reasons[-1]


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_answer_by_name(toy, name):
    """As the benchmark has them, over the panel and over all genes; they name no neighbour."""
    asked = {"cell_line": "LoVo", "drug": "Vorinostat", "method": name}
    answer = predict(toy, **asked)
    reader = EvidenceReader(toy)
    setting = MethodContext(reader.labels, lambda _: None, Regime.OPEN_WORLD, 10)
    block = reader.block("LoVo", 5.0, ["Vorinostat"])
    expected = REGISTRY[name].make(setting)[0].predict(block).delta[0]
    np.testing.assert_array_equal(answer.predicted, expected)
    assert answer.retrieval.drugs == ()
    assert answer.prediction.method == name
    wide = predict(toy, **asked, all_genes=True)
    np.testing.assert_array_equal(wide.predicted[: toy.n_panel], answer.predicted)


def test_the_mean_of_a_drug_is_that_of_its_other_lines(toy):
    """Worked by hand: Vorinostat is drug 5, LoVo line 2, so lines 0 and 1 remain."""
    answer = predict(toy, cell_line="LoVo", drug="Vorinostat", method="drug_mean")
    expected = 0.5 + 50 + 100 * np.arange(1, 7) - 300
    np.testing.assert_allclose(answer.predicted, expected, rtol=1e-6)
    assert answer.query == Condition("LoVo", "Vorinostat", 5.0)


def test_a_baseline_that_does_not_apply_says_why(toy):
    """A drug without a structure has no chemistry."""
    with pytest.raises(NotFoundError, match="no structure"):
        predict(toy, cell_line="LoVo", drug="Mystery compound", method="chem_knn")


def test_an_answer_is_shown_in_a_line_and_as_a_table(toy):
    """Escaped, since names come from data."""
    answer = predict(toy, cell_line="LoVo", drug="Vorinostat", selector=["Trametinib"])
    shown = repr(answer)
    assert shown.startswith("<answer to Vorinostat in LoVo at 5 uM: lgr_named, total change")
    assert "1 neighbours (Trametinib)" in shown
    hostile = replace(answer, prediction=replace(answer.prediction, method="<script>"))
    assert "&lt;script&gt;" in hostile._repr_html_()
    assert "<script>" not in hostile._repr_html_()


def test_an_answer_is_anndata(toy):
    """One row predicted, one measured, one a neighbour."""
    adata = predict(toy, cell_line="LoVo", drug="Vorinostat", selector=["Trametinib"]).to_anndata()
    assert adata.obs["role"].tolist() == ["predicted", "measured", "neighbor"]
    assert adata.var_names.tolist() == toy.gene_names[: toy.n_panel].tolist()
