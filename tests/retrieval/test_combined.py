"""Combinations of drugs: whoever shares a drug with a query is closed to it, in its line."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer import predict
from lgr_core.answer.predict import METHODS
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.quality import describe, quality_report
from lgr_core.atlas.store import open_atlas
from lgr_core.atlas.unseen_drug import UnseenDrug, with_unseen_drug
from lgr_core.domain import Condition, Evidence, ValueKind
from lgr_core.errors import LeakageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.chem_knn import ChemKNN
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.evidence_guard import MeanOver
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.guarded_reads import held_out, may_read, reader_of

SINGLE = ("Dasatinib", "Erlotinib", "Paclitaxel", "Trametinib", "Vorinostat")
COMBINED = ("Dasatinib+Trametinib", "Erlotinib & Trametinib", "Paclitaxel_Vorinostat")
COMBINED += ("Lapatinib+Dasatinib", "Trametinib+Trametinib")
LINES = ("A549", "MCF7", "LoVo")
OPEN = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})


def shares(drug, other):
    """Whether two names have a drug in common."""

    def drugs(name):
        return set(name.replace(" & ", "+").replace("_", "+").split("+"))

    return bool(drugs(drug) & drugs(other))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Five drugs and five combinations in three lines at one dose, by ingest."""
    return build(tmp_path_factory.mktemp("combined"))


def build(folder, closed_to=None):
    """The atlas; in A549 with other values in all rows that are closed to a drug."""
    rows = list(itertools.product(LINES, SINGLE + COMBINED))
    frame = pd.DataFrame(rows, columns=["cell_line", "drug"]).assign(dose_um=1.0)
    values = np.random.default_rng(0).normal(size=(len(rows), 6))
    if closed_to is not None:
        closed = [line == "A549" and shares(closed_to, other) for line, other in rows]
        values[closed] = np.random.default_rng(1).normal(10, 5, size=(sum(closed), 6))
    frame[[f"G{i}" for i in range(6)]] = values
    frame.to_csv(folder / "x.csv", index=False)
    ingest(folder / "x.csv", folder / "mixed", options=IngestOptions(value_kind=ValueKind.LOG2FC))
    return open_atlas("mixed", folder)


@pytest.mark.parametrize("drug", SINGLE + COMBINED)
def test_no_pool_holds_a_drug_of_the_query(store, drug):
    """All others are in it; those left out are listed."""
    pool = candidate_pool(store, Condition("A549", drug, 1.0))
    related = {other for other in SINGLE + COMBINED if shares(drug, other)}
    assert set(pool.drugs) == {*SINGLE, *COMBINED} - related
    assert set(pool.twins) == related - {drug}


@pytest.mark.parametrize("drug", SINGLE + COMBINED)
def test_no_row_that_shares_a_drug_is_read_in_the_line(store, drug):
    """Each by itself is refused to the query; all are open to it in other lines."""
    query = Condition("A549", drug, 1.0)
    view = reader_of(store, query, OPEN)
    for line, other in itertools.product(LINES, SINGLE + COMBINED):
        row = np.array([store.row(Condition(line, other, 1.0))])
        if line == "A549" and shares(drug, other):
            with pytest.raises(LeakageError):
                view.deltas(row)
        else:
            assert view.deltas(row).shape == (1, 6)


@pytest.mark.parametrize("drug", SINGLE + COMBINED)
def test_the_rule_in_words_is_that_of_names(store, drug):
    """What the brute-force tests hold the guards to closes combinations, and those alone."""
    query = Condition("A549", drug, 1.0)
    table = store.conditions
    pairs = zip(table["cell_line"], table["drug"], strict=True)
    closed = [line == "A549" and shares(drug, other) for line, other in pairs]
    assert held_out(store, query).tolist() == closed
    assert may_read(store, query, OPEN).tolist() == [not each for each in closed]


def test_means_of_many_queries_leave_out_what_shares_a_drug(store):
    """The gate of a block opens what each query alone could read; worked out by names."""
    drugs = SINGLE + COMBINED
    guard = EvidenceReader(store).block("A549", 1.0, drugs).guard(OPEN)
    means, counts = guard.mean(MeanOver.LINE)
    rows = store.rows("A549", drugs, 1.0)
    measured = store.deltas(rows)
    for i, drug in enumerate(drugs):
        others = [j for j, other in enumerate(drugs) if not shares(drug, other)]
        assert counts[i] == len(others)
        np.testing.assert_allclose(means[i], measured[others].mean(axis=0), rtol=1e-5)
        allowed = guard.allows(np.full(len(drugs), i), rows)
        assert allowed.tolist() == [not shares(drug, other) for other in drugs]


def test_a_new_drug_is_closed_to_its_combinations(store):
    """Lapatinib was measured only with dasatinib: that row is none of its pool, nor is it read."""
    wider = with_unseen_drug(store, UnseenDrug("Lapatinib", "", ""))
    query = Condition("A549", "Lapatinib", 1.0)
    assert set(candidate_pool(wider, query).twins) == {"Lapatinib+Dasatinib"}
    guard = EvidenceReader(wider).block("A549", 1.0, ["Lapatinib"]).guard(OPEN)
    own = wider.rows("A549", ["Lapatinib+Dasatinib"], 1.0)
    assert guard.allows(np.array([0]), own).tolist() == [False]


@pytest.mark.parametrize("drug", ["Trametinib", "Dasatinib+Trametinib", "Paclitaxel_Vorinostat"])
def test_no_prediction_depends_on_what_shares_a_drug(store, tmp_path, drug):
    """Where all rows of the line that share a drug are other numbers, each method says the same."""
    other = build(tmp_path, closed_to=drug)
    query = Condition("A549", drug, 1.0)
    differ = (store.deltas(np.arange(30)) != other.deltas(np.arange(30))).any(axis=1)
    assert differ.tolist() == held_out(store, query).tolist()
    for method in METHODS:
        before, after = (
            predict(atlas, cell_line="A549", drug=drug, method=method, selector="chemistry", k=3)
            for atlas in (store, other)
        )
        np.testing.assert_array_equal(before.prediction.delta, after.prediction.delta, method)
    knn = ChemKNN(2)
    before, after = (
        knn.predict(EvidenceReader(atlas).block("A549", 1.0, [drug])).delta
        for atlas in (store, other)
    )
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("regime", [Regime.UNSEEN_DRUG, Regime.OPEN_WORLD])
def test_no_fold_trains_on_what_shares_a_drug_with_its_tests(store, regime):
    """Nor fits on what shares one with validation; every row is tested once."""
    folds = make_folds(store, regime, n_folds=5)
    assert np.sum([fold.test for fold in folds], axis=0).tolist() == [1] * len(store.conditions)
    table = store.conditions
    for fold in folds:
        for held, read in ((fold.test, fold.train), (fold.validation, fold.fitted)):
            for a, b in itertools.product(np.flatnonzero(held), np.flatnonzero(read)):
                same_line = table["cell_line"][a] == table["cell_line"][b]
                if regime is Regime.UNSEEN_DRUG or same_line:
                    assert not shares(table["drug"][a], table["drug"][b])
    assert any("share a drug" in note for note in folds[0].notes)


def test_combinations_are_counted_in_the_report(store):
    """Four of two drugs; one drug twice is a form of that drug, and no structure is borrowed."""
    report = quality_report(store)
    assert report["drugs"]["combinations"] == sorted(COMBINED[:4])
    assert report["drugs"]["twins"] == [["Trametinib", "Trametinib+Trametinib"]]
    assert any(line.endswith("pools of its drugs: 4") for line in describe(report))
    smiles = store.drugs.set_index("drug")["smiles"]
    assert smiles[list(COMBINED[:4])].tolist() == [""] * 4
    assert smiles["Trametinib"] != ""


def test_an_answer_says_what_was_left_out_and_why(store):
    """Forms of the drug, and combinations with it, each in words of its own."""
    answer = predict(store, cell_line="A549", drug="Trametinib", selector="random", k=2)
    assert "Left out as forms of the same compound: Trametinib+Trametinib." in answer.notes
    combined = "Dasatinib+Trametinib, Erlotinib & Trametinib"
    assert f"Left out, since they share a drug in a combination: {combined}." in answer.notes
