"""A line beside the others: products and sums as by hand, gaps filled, and nothing closed read."""

from itertools import islice

import numpy as np
import pytest
from worlds import build_world

from lgr_core.domain import Evidence
from lgr_core.errors import LeakageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.retrieval import cross_line as module
from lgr_core.retrieval.candidate_pool import QueryView
from lgr_core.retrieval.query_block import EvidenceReader

BOTH = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})


@pytest.fixture(params=[0.0, 0.4])
def world(request, tmp_path):
    """Eight lines by fourteen drugs, whole or with gaps."""
    return build_world(tmp_path / "world", missing=request.param)


def crossings(store, most=6):
    """In every regime with a pool: blocks, the places of queries known elsewhere, the crossing."""
    for regime in (None, Regime.UNSEEN_CELL_LINE, Regime.OPEN_WORLD):
        fold = None if regime is None else make_folds(store, regime, 3)[0]
        reader = EvidenceReader(store, fold)
        tested = np.arange(len(store.conditions)) if fold is None else np.flatnonzero(fold.test)
        for block in islice(reader.blocks(tested), most):
            guard = block.guard(BOTH)
            grid = np.delete(guard.grid(), guard.line, axis=0)
            known = (grid[:, block.labels.drug_numbers(block.drugs)] >= 0).any(axis=0)
            if known.any():
                part = block.some(np.flatnonzero(known))
                yield reader, part, part.guard(BOTH).cross_line_products()


def open_to(store, reader, query):
    """What a view of the query lets through: ``(line, drug) -> delta``, row by row."""
    view, found = QueryView(store, query, BOTH, reader.fold), {}
    for row, (line, drug) in enumerate(store.conditions[["cell_line", "drug"]].to_numpy()):
        try:
            found[line, drug] = view.deltas(np.array([row]))[0].astype(float)
        except LeakageError:
            continue
    return found


def by_hand(store, reader, query):
    """For one query: the other lines by drugs, (n_lines, n_drugs, genes), and the line's pool."""
    seen = open_to(store, reader, query)
    lines = sorted({line for line, _ in seen} - {query.cell_line})
    drugs = sorted({drug for line, drug in seen if line != query.cell_line})
    mean = {line: np.mean([x for key, x in seen.items() if key[0] == line], 0) for line in lines}
    departs = {
        drug: np.mean([seen[i, drug] - mean[i] for i in lines if (i, drug) in seen], 0)
        for drug in drugs
    }
    table = np.array(
        [[seen.get((i, drug), mean[i] + departs[drug]) for drug in drugs] for i in lines]
    )
    pool = {drug: seen[query.cell_line, drug] for drug in drugs if (query.cell_line, drug) in seen}
    return table, drugs, pool


def test_products_are_of_what_each_query_may_read(world):
    """Of lines over its readable pool; of drugs by mixtures of lines; a gap is filled."""
    n_genes, rng = world.n_panel, np.random.default_rng(0)
    seen = 0
    for reader, block, crossing in crossings(world):
        grams, crosses = crossing.lines()
        for query, gram, cross in zip(block.queries, grams, crosses, strict=True):
            table, drugs, pool = by_hand(world, reader, query)
            x = table[:, [drugs.index(drug) for drug in pool]].reshape(len(table), -1)
            here = np.array(list(pool.values())).ravel()
            np.testing.assert_allclose(gram, x @ x.T / n_genes, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(cross, x @ here / n_genes, rtol=1e-4, atol=1e-5)
            seen += 1
        mix = rng.standard_normal((3, len(table)))
        mixed = np.einsum("ml,ldg->dmg", mix, table).reshape(len(drugs), -1)
        expected = mixed @ mixed.T / mixed.shape[1]
        np.testing.assert_allclose(crossing.drugs(mix), expected, rtol=1e-3, atol=1e-4)
    assert seen


def test_sums_are_what_the_weights_say_and_nothing_closed_counts(world):
    """The formula, query by query, and once more from the weights of the named conditions."""
    rng = np.random.default_rng(0)
    closed = 0
    for reader, block, crossing in crossings(world):
        n, n_pool = crossing.kept.shape
        w = rng.standard_normal((n, crossing.lines()[1].shape[1]))
        v = rng.standard_normal((n, n_pool))
        found, terms = crossing.combine(w, v), crossing.weights(w, v)
        deltas = world.deltas(crossing.rows).astype(float)
        np.testing.assert_allclose(sum(terms) @ deltas, found, rtol=1e-3, atol=1e-3)
        for i, query in enumerate(block.queries):
            table, drugs, pool = by_hand(world, reader, query)
            each = v[i, crossing.kept[i]]
            closed += n_pool - len(pool)
            own = table[:, drugs.index(query.drug)]
            others = table[:, [drugs.index(drug) for drug in pool]]
            here = np.array(list(pool.values()))
            expected = w[i] @ own + each @ (here - np.tensordot(w[i], others, 1))
            np.testing.assert_allclose(found[i], expected, rtol=1e-3, atol=1e-3)
            rows = crossing.rows[sum(terms)[i] != 0]
            assert world.row(query) not in rows
    assert closed


def test_with_many_values_of_each_drug_some_genes_tell_how_alike_they_are(world, monkeypatch):
    """Evenly over the panel, as many as make the number over all lines."""
    block = EvidenceReader(world).block("L0", 1.0, ["D00"])
    n_lines = len(set(world.conditions["cell_line"])) - 1
    monkeypatch.setattr(module, "_VALUES", (n_lines + 1) * world.n_panel // 3)
    table, drugs, _ = by_hand(world, EvidenceReader(world), block.queries[0])
    some = table[:, :, ::3].swapaxes(0, 1).reshape(len(drugs), -1)
    found = block.guard(BOTH).cross_line_products().drugs(np.eye(n_lines))
    np.testing.assert_allclose(found, some @ some.T / some.shape[1], rtol=1e-4, atol=1e-5)


def test_blocks_share_what_is_the_same_for_them(world, monkeypatch):
    """All other lines are read once; where a line is closed anyway, so are products."""
    fold = make_folds(world, Regime.UNSEEN_CELL_LINE, 3)[0]
    reader, read = EvidenceReader(world, fold), []
    deltas = world.deltas
    monkeypatch.setattr(world, "deltas", lambda rows: read.append(len(rows)) or deltas(rows))
    one, other = sorted(set(world.conditions["cell_line"].to_numpy()[fold.test]))[:2]
    numbers = [list(reader.labels.lines).index(name) for name in (one, other)]
    shared = frozenset({Evidence.TRAIN})
    first, second = (reader.other_lines_of(shared, 1.0, number) for number in numbers)
    assert first is second
    assert len(read) == 1
    mix = np.eye(len(first.rows))
    assert first.likeness(mix) is first.likeness(mix.copy())
    assert first.likeness(mix) is not first.likeness(2 * mix)
    trained = int(np.flatnonzero(reader.labels.lines == first_line(world, fold.train))[0])
    without = reader.other_lines_of(shared, 1.0, trained)
    assert len(without.rows) == len(first.rows) - 1
    assert len(read) == 1


def first_line(store, rows):
    """The first line with one of the rows."""
    return store.conditions["cell_line"].to_numpy()[rows][0]


def test_a_drug_that_is_open_in_no_other_line_is_refused(world):
    """There is nothing to cross."""
    block = EvidenceReader(world).block("L0", 1.0, ["D00"])
    with pytest.raises(LeakageError, match="other lines"):
        block.guard({Evidence.TARGET_POOL}).cross_line_products()
