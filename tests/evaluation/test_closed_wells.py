"""Rows that are closed to a query move no prediction: fitted or asked, whatever the method."""

from functools import cache

import numpy as np
import pytest

from lgr_core.domain import Change, Evidence, WellScope
from lgr_core.errors import LeakageError
from lgr_core.evaluation.config import BenchmarkConfig
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.evaluation.well_parts import parts_of, reader_of
from lgr_core.prediction.method import Status
from lgr_core.retrieval.condition_index import ConditionIndex
from tests.support.plated_atlas import ByName, plated_atlas, with_noise

METHODS = [
    name
    for name, entry in REGISTRY.items()
    if not entry.slow and name not in {"truth", "oracle_k"} and not name.startswith("replicate")
]


@pytest.fixture(scope="module")
def plated(tmp_path_factory):
    """Five lines, 26 drugs, two plates; deltas are averages."""
    return plated_atlas(tmp_path_factory.mktemp("plated") / "plated", lines=5)


@pytest.fixture(scope="module")
def by_plate(tmp_path_factory):
    """Deltas kept on both of two plates."""
    folder = tmp_path_factory.mktemp("by_plate") / "by_plate"
    return plated_atlas(folder, lines=4, drugs=24, by_plate=True)


def predictions(store, regime, change, wells, *, fold_number=0):
    """Method -> (queries' rows, deltas, statuses), of the first part of a fold."""
    plan = BenchmarkConfig((regime,), ("zero",), folds=3, change=change, evidence=wells)
    fold = plan.folds_of(store, regime)[fold_number]
    rows = np.flatnonzero(fold.test)
    part = next(iter(parts_of(store, ConditionIndex(store), fold, rows, wells, 0)))
    reader = reader_of(store, fold, part, change, wells)
    setting = MethodContext(reader.labels, cache(ByName), regime, k=4, random_seeds=1)
    found = {}
    for name in METHODS:
        method = REGISTRY[name].make(setting)[0]
        method.fit(reader.training_view(method.evidence))
        deltas, statuses, asked = [], [], []
        for block in reader.blocks(part.rows):
            with reader.restricted_to(method.evidence):
                answer = method.predict(block)
            deltas.append(answer.delta)
            statuses += answer.status
            asked += block.rows.tolist()
        found[name] = np.array(asked), np.concatenate(deltas), statuses
    return found, part


def closed_to(store, row, wells, plate):
    """(n_conditions,) rows closed to a query: its unit, and by the scope its wells or plates."""
    labels, index = ConditionIndex(store), ConditionIndex(store).plate_index
    own = (labels.line == labels.line[row]) & (labels.parent == labels.parent[row])
    if wells is WellScope.ANY or plate is not None:
        return own
    mates = index.on_same_plate(int(index.set_of[row]))
    if wells is WellScope.OTHER_WELLS:
        mates &= (labels.drug == labels.drug[row]) & (labels.doses == labels.doses[row])
    return own | mates


@pytest.mark.parametrize("wells", list(WellScope))
@pytest.mark.parametrize("change", list(Change))
@pytest.mark.parametrize("regime", list(Regime))
def test_closed_rows_move_nothing(plated, regime, change, wells):
    """With other numbers in every row that is closed to a query, its predictions stay."""
    before, part = predictions(plated, regime, change, wells)
    row = int(part.rows[len(part.rows) // 2])
    closed = closed_to(plated, row, wells, part.plate)
    after, _ = predictions(with_noise(plated, closed), regime, change, wells)
    for name, (rows, deltas, statuses) in before.items():
        place = rows.tolist().index(row)
        assert statuses[place] == after[name][2][place], name
        np.testing.assert_allclose(
            after[name][1][place], deltas[place], rtol=1e-4, atol=1e-4, err_msg=name
        )


@pytest.mark.parametrize("change", list(Change))
def test_the_truths_plate_moves_nothing(by_plate, change):
    """Where deltas are kept by plate, nothing on the truth's plate is read, in any line."""
    wells = WellScope.OTHER_PLATES
    before, part = predictions(by_plate, Regime.OPEN_WORLD, change, wells)
    assert part.plate == "P0"
    other = with_noise(by_plate, np.zeros(len(by_plate.conditions), dtype=bool))
    kept = np.array(by_plate.plate_deltas)
    on_plate = (by_plate.plates["plate"] == "P0").to_numpy()
    kept[on_plate] = np.random.default_rng(2).standard_normal((on_plate.sum(), kept.shape[1]))
    other.plate_deltas = kept
    after, _ = predictions(other, Regime.OPEN_WORLD, change, wells)
    for name, (_, deltas, _) in before.items():
        np.testing.assert_array_equal(after[name][1], deltas, err_msg=name)


def test_a_closed_row_is_refused(plated):
    """Who asks for a closed row by its number is refused: when fitting, and when predicting."""
    wells = WellScope.OTHER_WELLS
    plan = BenchmarkConfig((Regime.UNSEEN_CELL_LINE,), ("zero",), folds=3, evidence=wells)
    fold = plan.folds_of(plated, Regime.UNSEEN_CELL_LINE)[0]
    labels, rows = ConditionIndex(plated), np.flatnonzero(fold.test)
    part = next(iter(parts_of(plated, labels, fold, rows, wells, 0)))
    reader = reader_of(plated, fold, part, Change.TOTAL, wells)
    own_well = (labels.drug == labels.drug[part.rows[0]]) & fold.train
    closed = np.flatnonzero(own_well)
    with pytest.raises(LeakageError):
        reader.training_view([Evidence.TRAIN]).deltas(closed)
    block = next(iter(reader.blocks(part.rows)))
    with pytest.raises(LeakageError):
        block.view(0, [Evidence.TRAIN]).deltas(closed)
    guard, weights = block.guard({Evidence.TRAIN}), np.ones((len(block), len(closed)))
    with pytest.raises(LeakageError):
        guard.combine_rows(weights, closed)


def test_other_wells_change_nothing_for_an_unseen_drug(plated):
    """No row of an unseen drug is read anyway."""
    found = [
        predictions(plated, Regime.UNSEEN_DRUG, Change.TOTAL, wells)[0]
        for wells in (WellScope.ANY, WellScope.OTHER_WELLS)
    ]
    for name in METHODS:
        np.testing.assert_array_equal(found[0][name][1], found[1][name][1], err_msg=name)


def test_total_changes_are_told_from_specific_ones(plated):
    """The mean of the pool is zero among specific changes, by construction, and no other."""
    found, _ = predictions(plated, Regime.OPEN_WORLD, Change.SPECIFIC, WellScope.ANY)
    for name in ("pool_mean", "cell_mean", "global_mean", "plate_mean"):
        assert not found[name][1].any()
        assert set(found[name][2]) == {Status.OK}
    assert found["drug_mean"][1].any()


def test_folds_of_the_open_world_hold_out_wells(plated):
    """On other wells no drug is trained on that is tested, in any line; on any wells, it is."""
    labels = ConditionIndex(plated)
    for wells, shared in ((WellScope.ANY, True), (WellScope.OTHER_WELLS, False)):
        plan = BenchmarkConfig((Regime.OPEN_WORLD,), ("zero",), evidence=wells)
        for fold in plan.folds_of(plated, Regime.OPEN_WORLD):
            assert np.isin(labels.drug[fold.test], labels.drug[fold.train]).any() == shared
    assert make_folds(plated, Regime.OPEN_WORLD)
