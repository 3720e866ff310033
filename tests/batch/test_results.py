"""Many predictions: the same as one by one, kept where they stop, failing one by one."""

import threading

import numpy as np
import pytest

from lgr_core.answer import predict, with_trust
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.atlas.store import open_atlas
from lgr_core.batch.engine import by_neighbors, by_weights
from lgr_core.batch.query_list import crossed, listed, read_query_rows
from lgr_core.batch.results import QUERIES, VALUES, BatchRun, most_queries
from lgr_core.domain import Evidence
from lgr_core.errors import NotFoundError
from lgr_core.prediction.attribution import make_method
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.sums import MeanOver
from tests.support.calibration_runs import calibrate
from tests.support.lab_atlas import UNMEASURED, build_lab

TEXT = f"Trametinib, A549\nGefitinib, LoVo\n{UNMEASURED}, A549"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The lab's atlas."""
    folder = tmp_path_factory.mktemp("home") / "atlases"
    build_lab(folder / "lab", tmp_path_factory.mktemp("scratch"))
    return open_atlas("lab", folder)


@pytest.fixture
def many(store):
    """Three queries, the last without a measurement."""
    return BatchRun(store, read_query_rows(store, listed(TEXT)).pools, 3)


@pytest.fixture
def neighbors(store, tmp_path):
    """Asks for three neighbours of whoever is chosen; nothing is calibrated."""
    return lambda choose: by_neighbors(EvidenceReader(store), choose, 3, tmp_path)


def best_evidence(store, runs):
    """Asks by best evidence, and the method that answers."""
    reader = EvidenceReader(store)
    method = make_method(
        "best_evidence", reader, selectors=lambda _: make_selector("mechanism", store)
    )
    return by_weights(reader, method, 3, runs), method


def test_each_is_the_prediction_of_one_query(store, many, neighbors):
    """Delta, neighbours, metrics and the strongest genes."""
    selector = make_selector("mechanism", store)
    many.predict(neighbors(lambda _: selector))
    for place, outcome in enumerate(many.outcomes):
        query = outcome.query
        one = predict(
            store,
            cell_line=query.cell_line,
            drug=query.drug,
            dose_um=query.dose_um,
            selector=selector,
            k=3,
        )
        np.testing.assert_array_equal(many.deltas[place], one.prediction.delta)
        assert outcome.retrieval.drugs == one.retrieval.drugs
        assert outcome.metrics == one.metrics
        up, down = strongest_genes(one, 5, sure=True)
        assert outcome.up == tuple(one.genes[up])
        assert outcome.down == tuple(one.genes[down[::-1]])
    assert many.table()["measured"].tolist() == [True, True, False]
    assert np.isnan(many.table()["pearson_delta"].iloc[2])
    assert "stands_on" not in many.table()


def test_best_evidence_answers_many_as_it_answers_one(store, tmp_path):
    """The same numbers, metrics and trust; of each term the heaviest, and of how many."""
    calibrate(tmp_path / "run", store)
    ask, method = best_evidence(store, tmp_path)
    many = BatchRun(store, read_query_rows(store, listed(TEXT)).pools, 3, "best_evidence")
    many.predict(ask)
    reader = EvidenceReader(store)
    for outcome in many.outcomes:
        query = outcome.query
        asked = {"cell_line": query.cell_line, "drug": query.drug, "dose_um": query.dose_um}
        one = with_trust(
            store, predict(store, **asked, method=method, k=3, reader=reader), tmp_path
        )
        np.testing.assert_allclose(
            many.deltas[outcome.place], one.prediction.delta, rtol=1e-4, atol=1e-6
        )
        assert outcome.metrics == (
            one.metrics and pytest.approx(one.metrics, rel=1e-4, nan_ok=True)
        )
        assert outcome.expected == pytest.approx(
            (one.trust.expected, one.trust.low, one.trust.high)
        )
        assert [term.n for term in outcome.terms] == [term.n for term in one.terms]
        first = [term.conditions[0][0] for term in outcome.terms]
        assert first == [term.conditions[0][0] for term in one.terms]
        assert [len(t.conditions) for t in outcome.terms] == [min(3, t.n) for t in outcome.terms]
    table = many.table()
    assert table["trust"].tolist() == ["grey"] * 3
    assert table["n_conditions"].tolist() == [sum(t.n for t in o.terms) for o in many.outcomes]
    assert "the drug in other lines" in table["stands_on"].iloc[0]
    assert "k_used" not in table


def test_neighbours_too_are_told_how_far_to_trust(store, many, tmp_path):
    """What was predicted together is as what was predicted alone; a failure has none."""
    calibrate(tmp_path / "run", store, methods=("lgr_mechanism",), k=3)
    selector = make_selector("mechanism", store)
    many.predict(by_neighbors(EvidenceReader(store), fails_for("Gefitinib", selector), 3, tmp_path))
    first, failed, last = many.outcomes
    one = predict(store, cell_line="A549", drug="Trametinib", dose_um=5.0, k=3)
    trust = with_trust(store, one, tmp_path).trust
    assert first.expected == pytest.approx((trust.expected, trust.low, trust.high))
    assert (failed.expected, failed.light) == (None, None)
    assert last.expected is not None
    assert first.trust_note.endswith("Run lgr calibrate lab.")


def test_without_a_calibration_a_note_says_so(many, neighbors, store):
    """Once a query, with what to do."""
    selector = make_selector("chemistry", store)
    many.predict(neighbors(lambda _: selector))
    assert {outcome.expected for outcome in many.outcomes} == {None}
    assert "no benchmark run" in many.outcomes[0].trust_note


def test_queries_of_a_line_are_asked_together(store):
    """In one call a line and dose, whatever the order of the list, at most so many at once."""
    lines = [*crossed("Trametinib\nGefitinib", "LoVo\nA549"), *listed("Afatinib, LoVo")]
    asked = []
    many = BatchRun(store, read_query_rows(store, lines).pools, 3)

    def ask(pools):
        asked.append([(pool.query.cell_line, pool.query.drug) for pool in pools])
        return [NotFoundError("it", "nobody answers", "Ask.")] * len(pools)

    many.predict(ask)
    assert asked == [
        [("LoVo", "Trametinib"), ("LoVo", "Gefitinib"), ("LoVo", "Afatinib")],
        [("A549", "Trametinib"), ("A549", "Gefitinib")],
    ]
    assert [o.query.cell_line for o in many.outcomes] == ["LoVo", "LoVo", "A549", "A549", "LoVo"]


def test_what_no_line_changes_is_summed_once(store):
    """In the open world, the training rows hold every line's pool."""
    reader, evidence = EvidenceReader(store), frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})
    first, second = (reader.sums(evidence, line, 5.0, MeanOver.EVERYWHERE) for line in (0, 1))
    assert first is second


def test_a_stop_keeps_what_is_done_and_it_goes_on_there(store, many, neighbors):
    """No query is predicted twice."""
    asked, cancel = [], threading.Event()
    selector = make_selector("chemistry", store)

    def choose(pool):
        asked.append(pool.query)
        cancel.set()
        return selector

    many.predict(neighbors(choose), cancel=cancel)
    assert [outcome.place for outcome in many.outcomes] == [0, 2]
    assert np.isnan(many.deltas[1]).all()
    many.predict(neighbors(choose))
    assert asked == [many.pools[place].query for place in (0, 2, 1)]
    assert many.predicted == 3
    assert [outcome.place for outcome in many.outcomes] == [0, 1, 2]


def fails_for(drug, selector):
    """Chooses the selector, but for one drug nobody."""

    def choose(pool):
        if pool.query.drug == drug:
            raise NotFoundError(drug, "nobody has answered", "Ask.")
        return selector

    return choose


def test_a_query_that_fails_says_why_and_stops_no_other(store, many, neighbors):
    """Its row holds the error."""
    many.predict(neighbors(fails_for("Gefitinib", make_selector("mechanism", store))))
    assert [outcome.error is None for outcome in many.outcomes] == [True, False, True]
    assert many.table()["note"].iloc[1] == "Gefitinib: nobody has answered. Ask."
    assert np.isnan(many.deltas[1]).all()
    assert many.predicted == 2


def test_the_limit_keeps_the_values_bounded(store):
    """A wide panel allows fewer queries."""
    assert most_queries(store) == QUERIES
    store.n_panel, panel = VALUES // 10, store.n_panel
    assert most_queries(store) == 10
    store.n_panel = panel


def test_an_error_of_one_query_is_its_own(store, many, neighbors):
    """Though it ends the answers of all that are asked together."""
    asks = neighbors(lambda _: make_selector("mechanism", store))

    def ask(pools):
        if any(pool.query.drug == UNMEASURED for pool in pools):
            raise NotFoundError(UNMEASURED, "nothing stands", "Ask for another.")
        return asks(pools)

    many.predict(ask)
    failed = {outcome.query.drug for outcome in many.outcomes if outcome.error is not None}
    assert failed == {UNMEASURED}
    assert many.predicted == 2
