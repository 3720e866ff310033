"""Many predictions: the same as one by one, kept where they stop, failing one by one."""

import threading

import numpy as np
import pytest
from lab import UNMEASURED, build_lab

from lgr_core.answer import predict
from lgr_core.atlas.store import open_atlas
from lgr_core.errors import NotFoundError
from lgr_core.many.outcomes import QUERIES, VALUES, Many, most_queries
from lgr_core.many.wishes import listed, read_wishes
from lgr_core.retrieval.selectors import make_selector

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
    return Many(store, read_wishes(store, listed(TEXT)).pools, 3)


def test_each_is_the_prediction_of_one_query(store, many):
    """Delta, neighbours, metrics and the strongest genes."""
    selector = make_selector("mechanism", store)
    many.predict(lambda _: selector)
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
        genes = one.top_genes(5)["gene"].tolist()
        assert list(outcome.up) == genes[:5]
        assert list(outcome.down) == genes[:-6:-1]
    assert many.table()["measured"].tolist() == [True, True, False]
    assert np.isnan(many.table()["pearson_delta"].iloc[2])


def test_a_stop_keeps_what_is_done_and_it_goes_on_there(store, many):
    """No query is predicted twice."""
    asked, cancel = [], threading.Event()
    selector = make_selector("chemistry", store)

    def choose(pool):
        asked.append(pool.query)
        if len(asked) == 2:
            cancel.set()
        return selector

    many.predict(choose, cancel=cancel)
    assert (len(many.outcomes), many.predicted) == (2, 2)
    assert np.isnan(many.deltas[2]).all()
    many.predict(choose)
    assert asked == [pool.query for pool in many.pools]
    assert many.predicted == 3


def test_a_query_that_fails_says_why_and_stops_no_other(store, many):
    """Its row holds the error."""
    selector = make_selector("mechanism", store)

    def choose(pool):
        if pool.query.drug == "Gefitinib":
            raise NotFoundError("Gefitinib", "nobody has answered", "Ask.")
        return selector

    many.predict(choose)
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
