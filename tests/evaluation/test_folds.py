"""Folds part whole units; every condition is tested once; what is scored never changes evidence."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lgr_core.domain import Evidence
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation.folds import Axes, Fold, make_folds, nested, notes_of, queries
from lgr_core.evaluation.regimes import Regime

TOFACITINIBS = {"Tofacitinib", "Tofacitinib (citrate)"}


def world(conditions):
    """What folds need of an atlas: (line, drug, dose) rows; a drug's first letter is its parent."""
    frame = pd.DataFrame(conditions, columns=["cell_line", "drug", "dose_um"])
    parents = np.array([drug[0] for drug in frame["drug"]], dtype=object)
    return SimpleNamespace(conditions=frame, parent_of_row=parents)


def pairs(store, mask, *columns):
    """The distinct values of columns in the rows of a mask."""
    return set(store.conditions.loc[mask, list(columns)].itertuples(index=False, name=None))


conditions = st.sets(
    st.tuples(
        st.sampled_from(["l1", "l2", "l3", "l4"]),
        st.sampled_from(["a", "a salt", "b", "c", "c salt", "d", "e"]),
        st.sampled_from([0.5, 5.0]),
    ),
    min_size=4,
)


@settings(deadline=None)
@given(
    conditions, st.sampled_from(list(Regime)), st.integers(2, 7), st.integers(0, 3), st.booleans()
)
def test_every_condition_is_tested_once_and_no_unit_stands_on_two_sides(
    measured, regime, n_folds, seed, inner
):
    """For any measured grid, folds and nested folds: a partition of whole units."""
    store = world(sorted(measured))
    expected = np.ones(len(measured), dtype=bool)
    units = Axes.of(store).units(regime)
    assume(len(set(units)) > 1)
    folds = make_folds(store, regime, n_folds, seed)
    if inner:
        expected = folds[0].train
        assume(len(set(units[expected])) > 1)
        folds = nested(folds[0], n_folds, seed)
    np.testing.assert_array_equal(np.sum([fold.test for fold in folds], axis=0), expected)
    unit = {
        Regime.UNSEEN_DRUG: ("parent",),
        Regime.OPEN_WORLD: ("cell_line", "parent"),
    }.get(regime, ("cell_line",))
    store.conditions["parent"] = store.parent_of_row
    for fold in folds:
        assert not (fold.train & fold.test).any()
        np.testing.assert_array_equal(fold.train | fold.test, expected)
        sides = [pairs(store, m, *unit) for m in (fold.fitted, fold.validation, fold.test)]
        assert not any(a & b for a, b in itertools.combinations(sides, 2))


@pytest.mark.parametrize(("n_folds", "sizes"), [(2, [3, 3]), (4, [1, 1, 2, 2]), (6, [1] * 6)])
def test_folds_over_parents_hold_about_as_many_of_them(toy, n_folds, sizes):
    """Seven drugs are six parents; a parent's two forms are one."""
    folds = make_folds(toy, Regime.UNSEEN_DRUG, n_folds)
    held = [set(toy.parent_of_row[fold.test]) for fold in folds]
    assert sorted(len(parents) for parents in held) == sizes
    for fold in folds:
        drugs = {drug for (drug,) in pairs(toy, fold.test, "drug")}
        assert len(drugs & TOFACITINIBS) in {0, 2}


def test_an_unseen_drug_is_out_of_every_line_and_dose(toy):
    """Trametinib's four conditions (three lines, two doses in one) are tested in one fold."""
    trametinib = (toy.conditions["drug"] == "Trametinib").to_numpy()
    tested = [int((fold.test & trametinib).sum()) for fold in make_folds(toy, "unseen_drug")]
    assert sorted(tested) == [0, 0, 0, 0, 4]


def test_unseen_lines_are_whole_lines_and_both_regimes_have_the_same(toy):
    """Three lines make three folds, which the notes say; strict differs only in what it reads."""
    folds = make_folds(toy, Regime.UNSEEN_CELL_LINE, n_folds=5)
    assert [len(pairs(toy, fold.test, "cell_line")) for fold in folds] == [1, 1, 1]
    assert "3 folds, not 5" in folds[0].notes[0]
    strict = make_folds(toy, Regime.UNSEEN_CELL_LINE_STRICT, n_folds=5)
    for one, other in zip(folds, strict, strict=True):
        np.testing.assert_array_equal(one.test, other.test)


def test_the_open_world_refits_without_a_fifth_of_the_pairs(toy):
    """18 (line, parent) units in five folds; a query's views read all rows of train and test."""
    folds = make_folds(toy, Regime.OPEN_WORLD)
    toy_units = [len(set(Axes.of(toy).units(Regime.OPEN_WORLD)[fold.test])) for fold in folds]
    assert sorted(toy_units) == [3, 3, 4, 4, 4]
    assert all(fold.readable_rows[Evidence.TRAIN].all() for fold in folds)
    assert not folds[0].train.all()


def test_a_seed_is_a_partition(toy):
    """The same seed the same folds, another seed others."""
    first, again, other = (
        [fold.test.tolist() for fold in make_folds(toy, "open_world", seed=seed)]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_the_order_of_rows_does_not_matter():
    """Folds hang on names, so an atlas built anew from shuffled rows has the same."""
    rows = [(line, drug, 5.0) for line in ("l1", "l2") for drug in "abcdef"]
    store, mirrored = world(rows), world(rows[::-1])
    for one, other in zip(
        make_folds(store, "unseen_drug", 3), make_folds(mirrored, "unseen_drug", 3), strict=True
    ):
        np.testing.assert_array_equal(one.test, other.test[::-1])


def test_validation_is_the_next_folds_test_where_enough_is_left(toy):
    """With two folds nothing would be left to fit on, so there is none."""
    folds = make_folds(toy, "unseen_drug", 5)
    for fold, following in zip(folds, [*folds[1:], folds[0]], strict=True):
        np.testing.assert_array_equal(fold.validation, following.test)
    two = make_folds(toy, "unseen_drug", 2)
    assert not any(fold.validation.any() for fold in two)


def test_tuning_tests_every_training_row_once():
    """In folds inside the fold; of one training unit there are none."""
    store = world([(line, drug, 5.0) for line in ("l1", "l2", "l3") for drug in "abcd"])
    fold = make_folds(store, "unseen_cell_line", 3)[0]
    tested = np.sum([inner.test for inner in fold.inner_folds()], axis=0)
    np.testing.assert_array_equal(tested, fold.train)
    alone = make_folds(world([("l1", "a", 5.0), ("l2", "a", 5.0)]), "unseen_cell_line", 2)[0]
    assert alone.inner_folds() == []


def test_nested_folds_stay_inside_the_training_rows(toy):
    """No inner fold trains or tests on an outer test row, nor reaches it by any evidence."""
    for regime in Regime:
        outer = make_folds(toy, regime, 3)[0]
        for fold in nested(outer, 2):
            inside = fold.train | fold.test | fold.readable_rows[Evidence.TRAIN]
            assert not ((inside | fold.readable_rows[Evidence.TARGET_POOL]) & outer.test).any()
            assert fold.regime is regime


@pytest.mark.parametrize("regime", [Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT])
def test_one_line_cannot_be_held_out(regime):
    """Two sides need two lines; the message says how many there are."""
    store = world([("l1", "a", 5.0), ("l1", "b", 5.0)])
    with pytest.raises(UsageError, match="1 cell lines to part"):
        make_folds(store, regime)
    with pytest.raises(UsageError, match="1 asked for, 2 parent compounds"):
        make_folds(store, "unseen_drug", 1)


def test_the_pool_of_an_unseen_line_is_drugs_known_from_training():
    """Only b is measured in l1 alone: no training line knows it."""
    store = world([("l1", "a", 5.0), ("l1", "b", 5.0), ("l2", "a", 5.0), ("l2", "c", 5.0)])
    folds = make_folds(store, Regime.UNSEEN_CELL_LINE)
    tests_l1 = next(fold for fold in folds if fold.test[0])
    np.testing.assert_array_equal(
        tests_l1.readable_rows[Evidence.TARGET_POOL], [True, False, True, True]
    )


def test_a_fold_refuses_units_on_two_sides(toy):
    """Another dose, a twin or another line of a tested drug in training is caught at birth."""
    fold = make_folds(toy, "unseen_drug")[0]
    moved = np.flatnonzero(fold.test)[0]
    train, test = fold.train.copy(), fold.test.copy()
    train[moved], test[moved] = True, False
    with pytest.raises(InputError, match="share parent compounds"):
        replace(fold, train=train, test=test)
    fit_too = fold.validation.copy()
    fit_too[np.flatnonzero(fit_too)[0]] = False
    with pytest.raises(InputError, match="fitted rows share"):
        replace(fold, validation=fit_too)


def test_a_fold_refuses_masks_that_do_not_fit(toy):
    """Other lengths, validation outside training, nothing to fit on or to test."""
    fold = make_folds(toy, "unseen_drug")[0]
    none = np.zeros_like(fold.test)
    with pytest.raises(UsageError, match="other lengths"):
        replace(fold, test=fold.test[1:])
    with pytest.raises(UsageError, match="outside training"):
        replace(fold, validation=fold.test)
    with pytest.raises(UsageError, match="0 to test"):
        replace(fold, test=none)
    with pytest.raises(UsageError, match="0 rows to fit on"):
        replace(fold, train=none, validation=none)


def test_masks_are_sealed(toy):
    """Nobody opens a row by writing to a fold, nor to the array that it was made of."""
    mine = np.array([True, True, False, False])
    store = world([("l1", "a", 5.0), ("l1", "b", 5.0), ("l2", "a", 5.0), ("l2", "b", 5.0)])
    fold = Fold("unseen_cell_line", 0, Axes.of(store), mine, np.zeros(4, bool), ~mine)
    mine[2] = True
    assert not fold.train[2]
    with pytest.raises(ValueError, match="read-only"):
        fold.readable_rows[Evidence.TARGET_POOL][0] = True
    assert fold.regime is Regime.UNSEEN_CELL_LINE


# -- which tests are scored -------------------------------------------------------------------


def test_without_restrictions_every_condition_is_scored_once(toy):
    """The queries of all folds are all rows."""
    rows = queries(toy, make_folds(toy, "open_world"))
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(toy.conditions)))


def test_lines_and_drugs_are_read_by_their_closest_name(toy):
    """One drug in one line, at both its doses, and not its evidence's size."""
    folds = make_folds(toy, "unseen_drug")
    before = [fold.train.sum() for fold in folds]
    rows = np.concatenate(queries(toy, folds, lines=["a-549"], drugs=["trametinib"]))
    assert {str(toy.condition(r)) for r in rows} == {
        "Trametinib in A549 at 0.5 uM",
        "Trametinib in A549 at 5 uM",
    }
    assert [fold.train.sum() for fold in folds] == before
    with pytest.raises(NotFoundError, match="A54"):
        queries(toy, folds, lines=["A54"])


def test_no_more_than_max_queries_over_all_folds(toy):
    """Drawn by seed; a longer draw holds the shorter one."""
    folds = make_folds(toy, "open_world")
    few, many = (np.concatenate(queries(toy, folds, max_queries=n)) for n in (4, 10))
    assert (len(few), len(many)) == (4, 10)
    assert set(few) < set(many)
    assert set(few) != set(np.concatenate(queries(toy, folds, max_queries=4, seed=1)))
    assert len(np.concatenate(queries(toy, folds, max_queries=1_000))) == len(toy.conditions)
    of_line = np.concatenate(queries(toy, folds, lines=["LoVo"], max_queries=4))
    assert len(of_line) == 4
    assert set(toy.conditions["cell_line"][of_line]) == {"LoVo"}


def test_thin_lines_are_cut():
    """l2 has two drugs, one of them at two doses."""
    rows = [("l1", drug, 5.0) for drug in "abc"]
    store = world([*rows, ("l2", "a", 5.0), ("l2", "a", 0.5), ("l2", "b", 5.0)])
    folds = make_folds(store, "unseen_drug", 3)
    kept = np.sort(np.concatenate(queries(store, folds, min_drugs=3)))
    np.testing.assert_array_equal(kept, [0, 1, 2])
    assert len(np.concatenate(queries(store, folds, min_drugs=2))) == 6


@pytest.mark.filterwarnings("error")
def test_lines_too_thin_for_what_is_asked_are_said_with_the_most_there_is():
    """Of the lines that are scored; categories, as an opened atlas has them, warn of nothing."""
    rows = [("l1", drug, 5.0) for drug in "abc"] + [("l2", drug, 5.0) for drug in "ab"]
    store = world(rows)
    store.conditions = store.conditions.astype({"cell_line": "category", "drug": "category"})
    folds = make_folds(store, "unseen_drug", 3)
    assert len(np.concatenate(queries(store, folds, min_drugs=3))) == 3
    with pytest.raises(NotFoundError, match=r"4 drugs or more: no tested.* more than 3\."):
        queries(store, folds, min_drugs=4)
    store.cell_line_catalog = SimpleNamespace(resolve=str)
    with pytest.raises(NotFoundError, match=r"more than 2\."):
        queries(store, folds, lines=["l2"], min_drugs=3)


# -- what is told of them ---------------------------------------------------------------------


def test_what_was_decided_is_told_by_regime(toy):
    """Once a regime, as JSON has it: here that there are fewer folds than asked for."""
    folds = [*make_folds(toy, "unseen_cell_line", 5), *make_folds(toy, "open_world", 2)]
    told = notes_of(folds)
    assert told == json.loads(json.dumps(told))
    assert told["unseen_cell_line"] == {
        "notes": ["3 folds, not 5: there are no more to part."],
        "provenance": {"folds": 3, "seed": 0, "n_units": 3},
    }
    assert told["open_world"]["notes"] == []
