"""The specific change by hand: what is taken off, once a parent, nearest in dose, from ten on."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from lgr_core.atlas.plate_population import MIN_OTHERS
from lgr_core.domain import Change, Condition, WellScope
from lgr_core.errors import NotSeparableError, UsageError
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.plate_centring import LinePlates
from lgr_core.retrieval.plate_index import PlateIndex
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas


class Labels:
    """An index of one line, of which the tests say all: (plate, parent, dose) of each row."""

    def __init__(self, rows, n_cells=None):
        table = pd.DataFrame(
            [(i, plate) for i, (plates, _, _) in enumerate(rows) for plate in plates.split(";")],
            columns=["condition", "plate"],
        )
        self.plate_index = PlateIndex(table.assign(n_cells=n_cells or np.nan), len(rows))
        self.line = np.zeros(len(rows), dtype=int)
        self.parent = np.array([parent for _, parent, _ in rows])
        self.doses = np.array([dose for _, _, dose in rows], dtype=float)


def changes(rows, deltas):
    """Specific changes of one-gene deltas."""
    labels = Labels(rows)
    plates = LinePlates(labels, 0, np.ones(len(rows), dtype=bool))
    of_unit = np.array(deltas, dtype=np.float32)[labels.plate_index.condition[plates.units]]
    return plates.changes(of_unit[:, None])[:, 0]


def test_the_mean_of_the_others_is_taken_off():
    """Eleven parents with deltas 0 to 10: the mean of the others of 10 is 4.5."""
    found = changes([("P", i, 1.0) for i in range(11)], range(11))
    assert found == pytest.approx([i - (55 - i) / 10 for i in range(11)])
    assert found[10] == pytest.approx(5.5)


def test_below_ten_others_there_is_no_specific_change():
    """Ten parents have nine others each."""
    assert np.isnan(changes([("P", i, 1.0) for i in range(10)], range(10))).all()
    assert MIN_OTHERS == 10


def test_a_parent_counts_once_and_its_own_forms_never():
    """Two forms of parent 0 at 0 and 4: their mean is 2 for others, nothing for themselves."""
    rows = [("P", 0, 1.0), ("P", 0, 1.0), *(("P", i, 1.0) for i in range(1, 12))]
    found = changes(rows, [0, 4, *([1] * 11)])
    assert found[:2] == pytest.approx([0 - 1, 4 - 1])
    assert found[2] == pytest.approx(1 - (2 + 10) / 11)


def test_the_dose_nearest_on_a_log_scale_stands_for_a_parent():
    """Parent 0 at 0.1 and 5 uM: to a neighbour at 1 uM, 5 is nearer; to one at 0.3, 0.1 is."""
    rows = [("P", 0, 0.1), ("P", 0, 5.0), *(("P", i, 1.0) for i in range(1, 11)), ("P", 11, 0.3)]
    found = changes(rows, [7, 3, *([0] * 10), 0])
    assert found[2] == pytest.approx(-3 / 11)
    assert found[12] == pytest.approx(-7 / 11)


def test_plates_are_averaged_and_small_ones_do_not_count():
    """A condition on two plates: the mean of both; of one of three drugs, only the other."""
    both = [("A;B", i, 1.0) for i in range(11)]
    assert changes(both, range(11))[10] == pytest.approx(5.5)
    small = [("A;C", 0, 1.0), *(("A", i, 1.0) for i in range(1, 11)), ("C", 11, 1.0)]
    found = changes(small, [1, *([0] * 10), 50])
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(found[11])


@pytest.mark.parametrize("by_plate", [False, True])
def test_guarded_sums_are_those_of_plain_arithmetic(tmp_path, by_plate):
    """Each query's neighbours less the mean of plate mates that are neither they nor the query."""
    parents = [f"C{max(b, 1):02}" for b in range(26)]  # D00 and D01 are forms of one compound
    store = plated_atlas(tmp_path / "toy", by_plate=by_plate, parents=parents)
    reader = EvidenceReader(store, change=Change.SPECIFIC)
    block = reader.block("L1", 1.0, ["D03", "D04"])
    guard = block.guard({"target_pool"})
    weights = np.zeros((2, 26))
    weights[0, [0, 5, 8]], weights[1, [3, 7]] = [0.5, 0.3, 0.2], [0.6, 0.4]
    found = guard.combine(csr_array(weights), VectorBasis.LINE)
    for i, query in enumerate([3, 4]):
        by_hand = sum(
            weight * _by_hand(store, "L1", place, {parents[query]}, parents)
            for place, weight in enumerate(weights[i])
            if weight
        )
        assert found[i] == pytest.approx(by_hand, abs=1e-5)


def _by_hand(store, line, place, closed, parents):
    """One condition's specific change, from the tables alone."""
    places = store.conditions.index[store.conditions["cell_line"] == line]
    deltas = store.unit_deltas(np.arange(len(store.plates)))
    units = store.plates.reset_index(drop=True)
    own = units[units["condition"] == places[place]]
    each = []
    for unit, plate in zip(own.index, own["plate"], strict=True):
        mates = units[(units["plate"] == plate) & units["condition"].isin(places)]
        of = {}
        for mate, row in zip(mates.index, mates["condition"], strict=True):
            of.setdefault(parents[row - places[0]], []).append(deltas[mate])
        others = [np.mean(v, axis=0) for p, v in of.items() if p not in {parents[place], *closed}]
        each.append(deltas[unit] - np.mean(others, axis=0))
    return np.mean(each, axis=0)


def test_random_neighbours_foretell_nothing(tmp_path):
    """The mean score of uniform neighbours is zero, where raw deltas share the plate: 0.5."""
    rng = np.random.default_rng(3)
    store = plated_atlas(tmp_path / "toy", lines=6, drugs=40, plates=1)
    scores = {}
    for change in Change:
        reader = EvidenceReader(store, change=change)
        block = reader.block("L0", 1.0, [f"D{b:02}" for b in range(40)])
        guard = block.guard({"target_pool"})
        truth = reader.truths(block.rows)
        each = []
        for _ in range(40):
            weights = np.zeros((40, 40))
            for i in range(40):
                drawn = rng.choice(np.delete(np.arange(40), i), 5, replace=False)
                weights[i, drawn] = 0.2
            predicted = guard.combine(csr_array(weights), VectorBasis.LINE)
            each += [np.corrcoef(x, y)[0, 1] for x, y in zip(predicted, truth, strict=True)]
        scores[change] = np.mean(each)
    assert abs(scores[Change.SPECIFIC]) < 0.02
    assert scores[Change.TOTAL] > 0.5


def test_what_cannot_be_separated_says_so(tmp_path):
    """Six drugs on a plate: five others; the error counts them and names what is left."""
    store = plated_atlas(tmp_path / "toy", drugs=6, plates=1)
    found = specific_changes(store)
    assert not found.defined.any()
    with pytest.raises(NotSeparableError, match="5 other parents"):
        found.require(Condition("L0", "D00", 1.0), 0)


@pytest.mark.parametrize("asked", [{"change": Change.SPECIFIC}, {"wells": WellScope.OTHER_WELLS}])
def test_without_plates_nothing_is_claimed(tmp_path, asked):
    """An atlas that does not name plates has no specific change, and no other wells."""
    store = build_world(tmp_path / "world")
    assert ConditionIndex(store).plate_index.is_empty
    with pytest.raises(UsageError, match="--samples"):
        EvidenceReader(store, **asked)
