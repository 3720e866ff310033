"""Blocks read for many queries at once what a view of each would let it read, and no more."""

from itertools import product

import numpy as np
import pytest
from scipy.sparse import csr_array
from toy import DRUGS

from lgr_core.domain import Evidence
from lgr_core.errors import EmptyPoolError, LeakageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import pearson_delta
from lgr_core.retrieval.candidate_pool import QueryView, TrainingView
from lgr_core.retrieval.evidence_guard import MeanOver, VectorBasis
from lgr_core.retrieval.inner_folds import inner_blocks
from lgr_core.retrieval.query_block import EvidenceReader

DECLARED = (
    frozenset(),
    frozenset({Evidence.TRAIN}),
    frozenset({Evidence.TARGET_POOL}),
    frozenset({Evidence.TRAIN, Evidence.TARGET_POOL}),
    frozenset({Evidence.TARGET_POOL, Evidence.TRUTH}),
)


def readers(store):
    """The open world without folds, and every fold of every regime."""
    yield EvidenceReader(store), np.arange(len(store.conditions))
    for regime in Regime:
        for fold in make_folds(store, regime, 3):
            yield EvidenceReader(store, fold), np.flatnonzero(fold.test)


def readable(store, reader, query, evidence):
    """(n_conditions,) what a view of the query lets through, row by row."""
    view = QueryView(store, query, evidence, reader.fold)

    def passes(row):
        try:
            view.deltas(np.array([row]))
        except LeakageError:
            return False
        return True

    return np.array([passes(row) for row in range(len(store.conditions))])


def test_a_gate_allows_what_the_view_of_each_query_allows(toy):
    """In every regime and fold, for every declaration, query and row."""
    rows = np.arange(len(toy.conditions))
    for (reader, tested), evidence in product(readers(toy), DECLARED):
        for block in reader.blocks(tested):
            guard = block.guard(evidence)
            for i, query in enumerate(block.queries):
                allowed = guard.allows(np.full(len(rows), i), rows)
                np.testing.assert_array_equal(allowed, readable(toy, reader, query, evidence))


@pytest.mark.parametrize("over", MeanOver)
def test_means_are_over_the_rows_that_a_query_may_read(toy, over):
    """Against a mean of those rows one by one; NaN and a count of 0 where there is none."""
    conditions = toy.conditions
    for (reader, tested), evidence in product(readers(toy), DECLARED[1:4]):
        for block in reader.blocks(tested):
            means, counts = block.guard(evidence).mean(over)
            for i, query in enumerate(block.queries):
                rows = readable(toy, reader, query, evidence)
                rows &= (conditions["dose_um"] == query.dose_um).to_numpy()
                if over is MeanOver.LINE:
                    rows &= (conditions["cell_line"] == query.cell_line).to_numpy()
                if over is MeanOver.DRUG:
                    rows &= (conditions["drug"] == query.drug).to_numpy()
                assert counts[i] == rows.sum()
                expected = toy.deltas(np.flatnonzero(rows)).mean(axis=0) if rows.any() else np.nan
                np.testing.assert_allclose(means[i], expected, rtol=1e-5)


@pytest.mark.parametrize("over", MeanOver)
def test_agreement_and_spread_are_of_the_rows_that_a_query_may_read(toy, over):
    """Against those rows one by one; NaN where there is none, 1 of a single row."""
    evidence = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})
    for reader, tested in readers(toy):
        for block in reader.blocks(tested):
            found = block.guard(evidence).agreement(over)
            spread = block.guard(evidence).spread(over)
            for i, query in enumerate(block.queries):
                rows = readable(toy, reader, query, evidence)
                rows &= (toy.conditions["dose_um"] == query.dose_um).to_numpy()
                if over is MeanOver.LINE:
                    rows &= (toy.conditions["cell_line"] == query.cell_line).to_numpy()
                if over is MeanOver.DRUG:
                    rows &= (toy.conditions["drug"] == query.drug).to_numpy()
                if not rows.any():
                    assert np.isnan(found[i])
                    assert np.isnan(spread[i]).all()
                    continue
                deltas = toy.deltas(np.flatnonzero(rows)).astype(float)
                expected = np.square(deltas.mean(axis=0)).mean() / np.square(deltas).mean()
                assert found[i] == pytest.approx(expected, rel=1e-4)
                np.testing.assert_allclose(spread[i], deltas.std(axis=0), rtol=1e-3, atol=1e-2)


def test_weights_on_what_may_not_be_read_are_refused(toy):
    """The query itself, its twin, another line without TRAIN: each is a leak, not a number."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Tofacitinib"])
    guard = block.guard({Evidence.TARGET_POOL})
    names = guard.names(VectorBasis.LINE)
    for drug in ("Tofacitinib", "Tofacitinib (citrate)"):
        weights = csr_array([[float(name == drug) for name in names]])
        with pytest.raises(LeakageError, match="Tofacitinib"):
            guard.combine(weights, VectorBasis.LINE)
    anyone = csr_array([[float(name == "Vorinostat") for name in names]])
    with pytest.raises(LeakageError):
        block.guard(()).combine(anyone, VectorBasis.LINE)
    own_everywhere = csr_array([[float(name == "Tofacitinib") for name in sorted(DRUGS)]])
    with pytest.raises(LeakageError):  # its mean over all lines holds the query itself
        block.guard({Evidence.TRAIN}).combine(own_everywhere, VectorBasis.DRUG_MEANS)


def test_weights_on_a_mean_of_nothing_are_refused(toy):
    """A drug that no training row holds has no mean."""
    fold = next(f for f in make_folds(toy, "unseen_drug", 3) if f.test.any())
    reader = EvidenceReader(toy, fold)
    block = next(iter(reader.blocks(np.flatnonzero(fold.test))))
    guard = block.guard({Evidence.TRAIN})
    own = csr_array(
        [[float(name == block.drugs[0]) for name in guard.names(VectorBasis.DRUG_MEANS)]]
    )
    own = csr_array(np.repeat(own.toarray(), len(block), axis=0))
    with pytest.raises(LeakageError, match="no row opens"):
        guard.combine(own, VectorBasis.DRUG_MEANS)
    assert not guard.opened(VectorBasis.DRUG_MEANS)[sorted(DRUGS).index(block.drugs[0])]


def test_weighted_sums_are_those_of_the_named_rows(toy):
    """Half and half of two drugs of the line."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib", "Vorinostat"])
    guard = block.guard({Evidence.TARGET_POOL})
    half = [
        0.5 * (name in {"Cobimetinib", "Tofacitinib"}) for name in guard.names(VectorBasis.LINE)
    ]
    found = guard.combine(csr_array([half, half]), VectorBasis.LINE)
    expected = toy.deltas(toy.rows("A549", ["Cobimetinib", "Tofacitinib"], 5.0)).mean(axis=0)
    np.testing.assert_allclose(found, [expected, expected], rtol=1e-6)


def test_concord_is_of_the_vectors_that_are_summed(toy):
    """Of two by hand; of nobody NaN; what may not be read is refused."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib", "Vorinostat"])
    guard = block.guard({Evidence.TARGET_POOL})
    names = guard.names(VectorBasis.LINE)
    half = [0.5 * (name in {"Cobimetinib", "Tofacitinib"}) for name in names]
    found = guard.weighted_agreement(csr_array([half, [0.0] * len(names)]), VectorBasis.LINE)
    deltas = toy.deltas(toy.rows("A549", ["Cobimetinib", "Tofacitinib"], 5.0)).astype(float)
    expected = np.square(deltas.mean(axis=0)).sum() / np.square(deltas).sum(axis=1).mean()
    assert found[0] == pytest.approx(expected)
    assert np.isnan(found[1])
    with pytest.raises(LeakageError):
        guard.weighted_agreement(csr_array(np.ones((2, len(names)))), VectorBasis.LINE)


def test_the_truth_is_read_by_who_declares_it(toy):
    """And by nobody else."""
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Trametinib"])
    truth = block.guard({Evidence.TRUTH}).truth()
    np.testing.assert_array_equal(truth, toy.deltas(toy.rows("LoVo", ["Trametinib"], 5.0)))
    with pytest.raises(LeakageError):
        block.guard({Evidence.TRAIN, Evidence.TARGET_POOL}).truth()


def test_a_block_opens_no_more_than_was_declared(toy):
    """Whatever a method asks for, in queries picked out of it too; once it is done, all again."""
    reader = EvidenceReader(toy)
    block = reader.block("LoVo", 5.0, ["Trametinib"])
    with reader.restricted_to(frozenset({Evidence.TRAIN})):
        block.guard({Evidence.TRAIN})
        for part in (block, block.some(np.array([0]))):
            with pytest.raises(LeakageError, match="truth: a method that declares train asks"):
                part.guard({Evidence.TRUTH})
            with pytest.raises(LeakageError, match="target_pool"):
                part.view(0, {Evidence.TARGET_POOL})
    block.guard({Evidence.TRUTH}).truth()


def test_correlations_with_the_truth_leave_the_querys_unit_out(toy):
    """Pearson with every other drug of the line; NaN for itself and its twin."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Tofacitinib"])
    guard = block.guard({Evidence.TRUTH, Evidence.TARGET_POOL})
    names = guard.names(VectorBasis.LINE)
    r = guard.correlation(VectorBasis.LINE)[0]
    truth = toy.deltas(block.rows)
    for name, value in zip(names, r, strict=True):
        if name.startswith("Tofacitinib"):
            assert np.isnan(value)
        else:
            other = toy.deltas(toy.rows("A549", [name], 5.0))
            assert value == pytest.approx(pearson_delta(truth, other)[0])


def test_blocks_hold_one_line_and_dose_each(toy):
    """Together they hold the rows asked for, once, in the order of the atlas."""
    rows = np.array([20, 3, 0, 12, 7])
    blocks = list(EvidenceReader(toy).blocks(rows))
    assert np.concatenate([block.rows for block in blocks]).tolist() == sorted(rows)
    for block in blocks:
        assert {(q.cell_line, q.dose_um) for q in block.queries} == {
            (block.cell_line, block.dose_um)
        }


def test_an_empty_pool_is_said(toy):
    """Its place holds the error, not a pool."""
    fold = next(f for f in make_folds(toy, "open_world", 3) if f.test.any())
    reader = EvidenceReader(toy, fold)
    found = [p for b in reader.blocks(np.flatnonzero(fold.test)) for p in b.pools]
    assert all(isinstance(pool, EmptyPoolError) or pool.drugs for pool in found)


def test_weights_on_rows_are_checked_query_by_query(toy):
    """One query may read what another may not; a weight of 0 reads nothing."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Tofacitinib", "Vorinostat"])
    guard = block.guard({Evidence.TARGET_POOL})
    rows = toy.rows("A549", ["Cobimetinib", "Tofacitinib (citrate)"], 5.0)
    found = guard.combine_rows(np.array([[2.0, 0.0], [0.5, -0.5]]), rows)
    deltas = toy.deltas(rows)
    np.testing.assert_allclose(found, [2 * deltas[0], (deltas[0] - deltas[1]) / 2], rtol=1e-6)
    with pytest.raises(LeakageError, match="citrate"):
        guard.combine_rows(np.array([[1.0, 1e-9], [1.0, 0.0]]), rows)
    with pytest.raises(LeakageError, match="LoVo"):
        guard.combine_rows(np.ones((2, 1)), toy.rows("LoVo", ["Cobimetinib"], 5.0))


def test_a_grid_holds_the_opened_rows_of_the_dose(toy):
    """Every opened condition once, in its place."""
    for reader, tested in readers(toy):
        for block in reader.blocks(tested):
            grid = block.guard({Evidence.TRAIN, Evidence.TARGET_POOL}).grid()
            for line, drug in zip(*np.nonzero(grid >= 0), strict=True):
                condition = toy.condition(int(grid[line, drug]))
                assert condition.cell_line == block.labels.lines[line]
                assert condition.drug == block.labels.drugs[drug]
                assert condition.dose_um == block.dose_um


def test_rehearsals_read_training_rows_alone(toy):
    """Training rows, asked as the folds inside this one test them; the test stays closed."""
    both = {Evidence.TRAIN, Evidence.TARGET_POOL}
    for regime in Regime:
        for fold in make_folds(toy, regime, 3):
            view = TrainingView(toy, fold, validation=True, evidence=both)
            asked = list(inner_blocks(view, max_blocks=99, max_queries=99, max_genes=99_999))
            rows = np.concatenate([block.rows for block, _ in asked])
            inside = np.concatenate([np.flatnonzero(part.test) for part in fold.inner_folds()])
            np.testing.assert_array_equal(np.sort(rows), np.sort(inside))
            assert fold.train[rows].all()
            for block, measured in asked:
                np.testing.assert_array_equal(measured, toy.deltas(block.rows))
                grid = block.guard(both).grid()
                assert not fold.test[grid[grid >= 0]].any()
    one_block = list(inner_blocks(view, max_blocks=1, max_queries=1, max_genes=99_999))
    assert [len(block) for block, _ in one_block] == [1] * len(fold.inner_folds())
