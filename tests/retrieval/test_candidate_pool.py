"""Pools hold who may be retrieved; views refuse every forbidden read."""

from dataclasses import replace

import numpy as np
import pytest
from toy import DRUGS, LINES, build_toy, toy_table

from lgr_core.atlas.store import open_atlas
from lgr_core.domain import CandidatePool, Condition, Evidence, Proposal, Reason, Selection
from lgr_core.errors import EmptyPoolError, LeakageError, NotFoundError, UsageError
from lgr_core.evaluation.folds import make_folds, nested
from lgr_core.evaluation.regimes import Regime
from lgr_core.retrieval.candidate_pool import (
    QueryView,
    TrainingView,
    candidate_pool,
    held_out,
    offered_drugs,
)
from lgr_core.retrieval.resolve import resolve

TOFA = Condition("A549", "Tofacitinib", 5.0)


def row(store, line, drug, dose=5.0):
    """The row number of a condition, in an array."""
    return np.array([store.row(Condition(line, drug, dose))])


def test_the_pool_is_the_line_at_the_dose_without_query_and_twins(toy):
    """Twins are listed, not silently dropped."""
    pool = candidate_pool(toy, TOFA)
    assert pool.drugs == tuple(sorted(set(DRUGS) - {"Tofacitinib", "Tofacitinib (citrate)"}))
    assert pool.twins == ("Tofacitinib (citrate)",)


def test_the_pool_is_drawn_at_the_querys_dose(toy):
    """At 0.5 uM only one other drug stands in A549."""
    assert candidate_pool(toy, Condition("A549", "Trametinib", 0.5)).drugs == ("Vorinostat",)
    assert candidate_pool(toy, Condition("A549", "Tofacitinib", 0.5)).twins == ()


def test_a_pool_needs_a_measured_dose(toy):
    """An unmeasured dose is said, with the measured ones."""
    with pytest.raises(NotFoundError, match="measured there"):
        candidate_pool(toy, Condition("LoVo", "Trametinib", 0.5))


def test_the_held_out_unit_spans_doses_and_twins(toy):
    """Every row of the line and parent, and no other."""
    rows = np.flatnonzero(held_out(toy, TOFA))
    assert {toy.condition(r).drug for r in rows} == {"Tofacitinib", "Tofacitinib (citrate)"}
    rows = np.flatnonzero(held_out(toy, Condition("A549", "Trametinib", 5.0)))
    assert {toy.condition(r).dose_um for r in rows} == {0.5, 5.0}


EVERYTHING_BUT_TRUTH = [Evidence.TRAIN, Evidence.TARGET_POOL, Evidence.CONTROLS]


@pytest.mark.parametrize(
    ("drug", "dose"),
    [("Trametinib", 5.0), ("Trametinib", 0.5)],
    ids=["itself", "itself at another dose"],
)
def test_no_view_reads_the_querys_own_unit(toy, drug, dose):
    """With all evidence but the truth, the query's own rows stay closed, at any dose."""
    view = QueryView(toy, Condition("A549", "Trametinib", 5.0), EVERYTHING_BUT_TRUTH)
    with pytest.raises(LeakageError, match="Trametinib in A549"):
        view.deltas(row(toy, "A549", drug, dose))


def test_no_view_reads_the_querys_twin(toy):
    """The citrate would be the answer by another name."""
    with pytest.raises(LeakageError, match="citrate"):
        QueryView(toy, TOFA, EVERYTHING_BUT_TRUTH).deltas(row(toy, "A549", "Tofacitinib (citrate)"))


def test_one_forbidden_row_among_many_is_found(toy):
    """A whole-atlas read fails for the query's rows alone."""
    everything = np.arange(len(toy.conditions))
    with pytest.raises(LeakageError, match=r"2 row\(s\)"):
        QueryView(toy, TOFA, EVERYTHING_BUT_TRUTH).deltas(everything)
    allowed = everything[~held_out(toy, TOFA)]
    assert len(QueryView(toy, TOFA, [Evidence.TRAIN]).deltas(allowed)) == len(allowed)


def test_the_target_pool_alone_stays_in_its_line(toy):
    """Other lines are training data, which this method did not declare."""
    view = QueryView(toy, TOFA, [Evidence.TARGET_POOL])
    assert view.deltas(row(toy, "A549", "Vorinostat")).shape == (1, 6)
    with pytest.raises(LeakageError, match="LoVo"):
        view.deltas(row(toy, "LoVo", "Vorinostat"))


def test_nothing_declared_reads_nothing(toy):
    """No evidence, no delta."""
    with pytest.raises(LeakageError, match="nothing"):
        QueryView(toy, TOFA, []).deltas(row(toy, "A549", "Vorinostat"))


def test_the_truth_is_the_querys_own_row_only(toy):
    """TRUTH opens the query, not its twin."""
    view = QueryView(toy, TOFA, [Evidence.TRUTH])
    assert view.deltas(row(toy, "A549", "Tofacitinib")).shape == (1, 6)
    with pytest.raises(LeakageError, match="citrate"):
        view.deltas(row(toy, "A549", "Tofacitinib (citrate)"))


def test_vehicle_profiles_need_controls(toy):
    """Declared they are read, for any line; undeclared they are not; unknown they are None."""
    view = QueryView(toy, TOFA, [Evidence.CONTROLS])
    np.testing.assert_array_equal(view.control_profile("A549"), [1, 2, 3, 4, 5, 6, 0, 7])
    np.testing.assert_array_equal(view.control_profile("LoVo"), 16 + toy.control_profiles[0])
    assert view.control_profile("no such line") is None
    with pytest.raises(LeakageError, match="vehicle profiles"):
        QueryView(toy, TOFA, [Evidence.TRAIN]).control_profile(LINES[1])


# -- folds ------------------------------------------------------------------------------------

TRAMETINIB = Condition("A549", "Trametinib", 5.0)
LINE_REGIMES = [Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT]


def fold_with(store, regime, query=TRAMETINIB, n_folds=3):
    """The fold of a regime that tests the query."""
    place = store.row(query)
    return next(fold for fold in make_folds(store, regime, n_folds) if fold.test[place])


def opened(view, n):
    """Which of n rows a view gives out, each tried alone; (n,)."""

    def try_one(i):
        try:
            return len(view.deltas(np.array([i]))) == 1
        except LeakageError:
            return False

    return np.array([try_one(i) for i in range(n)])


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("query", [TRAMETINIB, TOFA], ids=str)
def test_in_every_regime_a_view_opens_what_the_table_says(toy, regime, query):
    """Each row is tried; TRAIN and TARGET_POOL are spelt out here from names alone."""
    fold = fold_with(toy, regime, query)
    line = toy.conditions["cell_line"].to_numpy()
    tested_parents, tested_lines = set(toy.parent_of_row[fold.test]), set(line[fold.test])
    own = held_out(toy, query)
    train = {
        Regime.UNSEEN_DRUG: np.array([p not in tested_parents for p in toy.parent_of_row]),
        Regime.OPEN_WORLD: ~own,
    }.get(regime, np.array([name not in tested_lines for name in line]))
    pool = {
        Regime.UNSEEN_DRUG: train & (line == "A549"),
        Regime.UNSEEN_CELL_LINE_STRICT: np.zeros(len(line), dtype=bool),
    }.get(regime, ~own & (line == "A549"))
    for evidence, expected in ((Evidence.TRAIN, train), (Evidence.TARGET_POOL, pool)):
        view = QueryView(toy, query, [evidence], fold)
        np.testing.assert_array_equal(opened(view, len(line)), expected)


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize(
    ("query", "drug", "dose"),
    [
        (TRAMETINIB, "Trametinib", 5.0),
        (TRAMETINIB, "Trametinib", 0.5),
        (TOFA, "Tofacitinib (citrate)", 5.0),
    ],
    ids=["itself", "itself at another dose", "its twin"],
)
def test_in_no_regime_a_view_reads_the_querys_own_unit(toy, regime, query, drug, dose):
    """All evidence but the truth, and the unit stays closed."""
    view = QueryView(toy, query, EVERYTHING_BUT_TRUTH, fold_with(toy, regime, query))
    with pytest.raises(LeakageError, match=rf"\({regime}\).*in A549"):
        view.deltas(row(toy, "A549", drug, dose))


@pytest.mark.parametrize("line", ["LoVo", "HepG2/C3A"])
def test_an_unseen_drug_is_closed_in_other_lines(toy, line):
    """There lies the drug mean that the regime is about to do without."""
    fold = fold_with(toy, Regime.UNSEEN_DRUG)
    with pytest.raises(LeakageError, match="Trametinib in"):
        QueryView(toy, TRAMETINIB, EVERYTHING_BUT_TRUTH, fold).deltas(row(toy, line, "Trametinib"))


def test_other_tested_parents_are_closed_in_the_querys_own_line(toy):
    """Two of six parents are tested together: neither is the other's neighbour."""
    fold = fold_with(toy, Regime.UNSEEN_DRUG)
    in_line = (toy.conditions["cell_line"] == "A549").to_numpy()
    other = np.flatnonzero(fold.test & in_line & ~held_out(toy, TRAMETINIB))
    assert len(other)
    with pytest.raises(LeakageError, match="in A549"):
        QueryView(toy, TRAMETINIB, EVERYTHING_BUT_TRUTH, fold).deltas(other)


def test_train_holds_nothing_of_an_unseen_line(toy):
    """The paper's baselines may not read what retrieval averages there: it takes TARGET_POOL."""
    fold = fold_with(toy, Regime.UNSEEN_CELL_LINE)
    there = row(toy, "A549", "Vorinostat")
    with pytest.raises(LeakageError, match="Vorinostat in A549"):
        QueryView(toy, TRAMETINIB, [Evidence.TRAIN, Evidence.CONTROLS], fold).deltas(there)
    assert len(QueryView(toy, TRAMETINIB, [Evidence.TARGET_POOL], fold).deltas(there)) == 1


@pytest.mark.parametrize("regime", LINE_REGIMES)
def test_other_tested_lines_are_closed_too(toy, regime):
    """With two folds, one tests two lines: neither opens the other."""
    fold = next(
        fold
        for fold in make_folds(toy, regime, 2)
        if len(set(toy.conditions["cell_line"][fold.test])) == 2
    )
    tested = toy.conditions[fold.test]
    first, last = tested.index[0], tested.index[-1]
    view = QueryView(toy, toy.condition(first), EVERYTHING_BUT_TRUTH, fold)
    with pytest.raises(LeakageError, match=str(toy.condition(last).cell_line)):
        view.deltas(np.array([last]))


def test_strict_reads_no_delta_of_the_held_out_line(toy):
    """Every row of the line is tried with all evidence but the truth."""
    fold = fold_with(toy, Regime.UNSEEN_CELL_LINE_STRICT)
    view = QueryView(toy, TRAMETINIB, EVERYTHING_BUT_TRUTH, fold)
    in_line = (toy.conditions["cell_line"] == "A549").to_numpy()
    np.testing.assert_array_equal(opened(view, len(in_line)), ~in_line)


@pytest.mark.parametrize("regime", Regime)
def test_in_every_regime_vehicle_profiles_need_controls(toy, regime):
    """Undeclared they stay closed, to queries and to fits; the truth stays one row."""
    fold = fold_with(toy, regime)
    readers = [
        QueryView(toy, TRAMETINIB, [Evidence.TRAIN, Evidence.TARGET_POOL, Evidence.TRUTH], fold),
        TrainingView(toy, fold, validation=True),
    ]
    for view in readers:
        with pytest.raises(LeakageError, match="vehicle profiles"):
            view.control_profile("A549")
    declared = TrainingView(toy, fold, validation=True, evidence=[Evidence.CONTROLS])
    assert declared.control_profile("A549").shape == (8,)
    truth = QueryView(toy, TRAMETINIB, [Evidence.TRUTH], fold)
    assert np.flatnonzero(opened(truth, len(fold.test))).tolist() == [toy.row(TRAMETINIB)]


@pytest.mark.parametrize("regime", Regime)
def test_a_fit_reads_training_rows_only(toy, regime):
    """Test rows never; validation rows only in the last fit, after tuning."""
    fold = fold_with(toy, regime)
    tuning, last = (TrainingView(toy, fold, validation=flag) for flag in (False, True))
    np.testing.assert_array_equal(opened(tuning, len(fold.test)), fold.train & ~fold.validation)
    np.testing.assert_array_equal(opened(last, len(fold.test)), fold.train)
    np.testing.assert_array_equal(last.training_rows, np.flatnonzero(fold.train))
    with pytest.raises(LeakageError, match="fitting"):
        tuning.deltas(np.flatnonzero(fold.validation))
    with pytest.raises(LeakageError, match="fitting"):
        last.deltas(np.flatnonzero(fold.test))
    blind = TrainingView(toy, fold, validation=True, evidence=[Evidence.TARGET_POOL])
    assert not len(blind.training_rows)


@pytest.mark.parametrize("regime", Regime)
def test_tuning_never_sees_the_outer_test(toy, regime):
    """A query of a nested fold opens nothing that the outer fold tests."""
    outer = fold_with(toy, regime)
    for fold in [*nested(outer, 2), *outer.inner_folds()]:
        query = toy.condition(int(np.flatnonzero(fold.test)[0]))
        seen = opened(QueryView(toy, query, EVERYTHING_BUT_TRUTH, fold), len(fold.test))
        assert seen.any()
        assert not (seen & outer.test).any()


def test_rows_are_numbers_flags_or_counted_from_the_end(toy):
    """No way of naming a row gets round the check."""
    view = QueryView(toy, TRAMETINIB, EVERYTHING_BUT_TRUTH, fold_with(toy, Regime.OPEN_WORLD))
    closed = toy.row(TRAMETINIB)
    flags = np.arange(len(toy.conditions)) == closed
    for rows in (flags, np.array([closed - len(flags)]), slice(closed, closed + 1), [closed]):
        with pytest.raises(LeakageError, match="Trametinib in A549"):
            view.deltas(rows)
    np.testing.assert_array_equal(view.deltas(np.roll(flags, 2)), toy.deltas(np.roll(flags, 2)))


@pytest.mark.parametrize("regime", Regime)
def test_a_fold_answers_only_for_what_it_tests(toy, regime):
    """A query in training has its drug, line or unit wide open: that is refused."""
    fold = fold_with(toy, regime)
    trained = toy.condition(int(np.flatnonzero(fold.train)[0]))
    with pytest.raises(UsageError, match="not among the"):
        QueryView(toy, trained, [Evidence.TRAIN], fold)
    with pytest.raises(UsageError, match="not among the"):
        candidate_pool(toy, trained, fold=fold)


def test_a_fold_of_another_atlas_is_refused(toy):
    """Masks of another length say nothing about these rows."""
    fold = fold_with(toy, Regime.OPEN_WORLD)

    class Short:
        regime, in_line, test = fold.regime, True, fold.test[1:]

    for build in (
        lambda: QueryView(toy, TRAMETINIB, [], Short()),
        lambda: candidate_pool(toy, TRAMETINIB, fold=Short()),
        lambda: TrainingView(toy, Short(), validation=True),
    ):
        with pytest.raises(UsageError, match="Make folds of this atlas"):
            build()


def test_the_pool_of_an_unseen_drug_is_training_drugs_of_the_line(toy):
    """The other tested parent is withheld, and with the pool makes up the line."""
    fold = fold_with(toy, Regime.UNSEEN_DRUG)
    tested = set(toy.conditions["drug"][fold.test])
    pool = candidate_pool(toy, TRAMETINIB, fold=fold)
    assert pool.drugs == tuple(sorted(set(DRUGS) - tested))
    assert pool.withheld == tuple(sorted(tested - {"Trametinib"}))
    assert pool.withheld


@pytest.mark.parametrize("regime", [Regime.UNSEEN_CELL_LINE, Regime.OPEN_WORLD])
def test_other_pools_are_the_whole_line(toy, regime):
    """As without a fold, where every drug is also measured in training."""
    pool = candidate_pool(toy, TOFA, fold=fold_with(toy, regime, TOFA))
    assert pool == candidate_pool(toy, TOFA)
    assert pool.withheld == ()


def test_the_strict_pool_is_what_training_lines_measured_at_the_dose(toy):
    """At 5 uM all; at 0.5 uM only A549 has drugs, and it is held out."""
    fold = fold_with(toy, Regime.UNSEEN_CELL_LINE_STRICT, TOFA)
    pool = candidate_pool(toy, TOFA, fold=fold)
    assert (pool.drugs, pool.twins) == (candidate_pool(toy, TOFA).drugs, ("Tofacitinib (citrate)",))
    with pytest.raises(EmptyPoolError, match="withheld by the split: 1"):
        candidate_pool(toy, Condition("A549", "Trametinib", 0.5), fold=fold)


@pytest.fixture
def pooled(tmp_path, monkeypatch):
    """The toy atlas pooled over doses, as in the paper."""
    table = toy_table()
    high = (table.conditions["dose_um"] == 5).to_numpy()
    monkeypatch.setattr(
        "toy.toy_table",
        lambda: replace(
            table,
            conditions=table.conditions[high].assign(dose_um=np.nan).reset_index(drop=True),
            deltas=table.deltas[high],
            plates=table.plates.iloc[:0],
            plate_deltas=None,
        ),
    )
    build_toy(tmp_path / "pooled")
    return open_atlas("pooled", tmp_path)


@pytest.mark.parametrize("regime", Regime)
def test_folds_of_pooled_doses_have_pools_too(pooled, regime):
    """Without doses every query is of the one block that its line has."""
    query = Condition("A549", "Tofacitinib")
    pool = candidate_pool(pooled, query, fold=fold_with(pooled, regime, query))
    assert set(pool.drugs) | set(pool.withheld) == set(candidate_pool(pooled, query).drugs)
    assert pool.drugs


def test_a_withheld_drug_is_not_in_the_split(toy):
    """A selector that names one is told so; a stranger stays out of the pool."""
    pool = candidate_pool(toy, TRAMETINIB, fold=fold_with(toy, Regime.UNSEEN_DRUG))
    told = (Proposal(pool.withheld[0].lower()), Proposal("Aspirin"), Proposal(pool.drugs[0]))
    found = resolve(Selection(told), pool, toy.drug_catalog, 10, selector="test")
    assert [r.reason for r in found.rejected] == [Reason.NOT_IN_SPLIT, Reason.OUT_OF_POOL]
    assert found.drugs == pool.drugs[:1]


def test_a_pool_never_holds_what_it_withholds():
    """One drug cannot be both."""
    with pytest.raises(UsageError, match="withheld"):
        CandidatePool(TOFA, ("A", "B"), withheld=("B",))


def test_what_is_offered_can_be_looked_up_once_for_a_line(toy):
    """In every regime and fold: the same pool, looked up for the query or for its line."""
    for regime in Regime:
        for fold in make_folds(toy, regime, 3):
            for row in np.flatnonzero(fold.test):
                query = toy.condition(int(row))
                offered = offered_drugs(toy, query.cell_line, query.dose_um, fold)
                assert list(offered) == sorted(set(offered))
                try:
                    alone = candidate_pool(toy, query, fold=fold)
                except EmptyPoolError:
                    assert not set(offered) - {query.drug, *toy.drug_catalog.twins(query.drug)}
                    continue
                assert candidate_pool(toy, query, fold=fold, offered=offered) == alone
