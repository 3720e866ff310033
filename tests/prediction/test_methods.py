"""Methods of a benchmark: each against its formula on a small atlas, or against a library."""

from functools import reduce
from itertools import product
from operator import add

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Condition, ValueKind
from lgr_core.errors import LeakageError
from lgr_core.evaluation.folds import make_folds
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.chem_knn import ChemKNN
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.lgr_controls import Oracle, RandomK
from lgr_core.prediction.mean_baselines import (
    CellMean,
    DrugMean,
    GlobalMean,
    PlateMean,
    PoolMeans,
    Truth,
    Zero,
)
from lgr_core.prediction.method import Status
from lgr_core.prediction.pca_ridge import COMPONENTS, PENALTIES, PCARidge, _Latent, _Moments
from lgr_core.retrieval.candidate_pool import TrainingView, candidate_pool
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.resolve import resolve
from lgr_core.retrieval.selectors import OracleSelector, RandomSelector, make_selector
from tests.support.factor_atlas import build_world


def blocks_of(store, regime, number=0):
    """The blocks that a fold tests, and the fold."""
    fold = make_folds(store, regime, 3)[number]
    return list(EvidenceReader(store, fold).blocks(np.flatnonzero(fold.test))), fold


def by_hand(store, block, fold, selector, k):
    """Query by query: the mean of who stands of the selector's names, else of the whole pool."""
    found = []
    for query in block.queries:
        pool = candidate_pool(store, query, fold=fold)
        selection = selector.select(pool, k, store)
        stand = resolve(selection, pool, store.drug_catalog, k, selector=selector.name)
        rows = store.rows(query.cell_line, stand.drugs or pool.drugs, query.dose_um)
        found.append(store.deltas(rows).mean(axis=0))
    return np.array(found)


@pytest.mark.parametrize("regime", ["unseen_drug", "unseen_cell_line", "open_world"])
@pytest.mark.parametrize("name", ["mechanism", "chemistry", "random"])
def test_lgr_in_blocks_is_lgr_query_by_query(toy, regime, name):
    """The same neighbours, mean and fallback; draws need no judge."""
    blocks, fold = blocks_of(toy, regime)
    selector = make_selector(name, toy)
    made = {RandomK, LGR} if name == "random" else {LGR}
    for block, kind in product(blocks, made):
        found = kind(selector, toy.drug_catalog, 2).predict(block)
        ok = found.ok
        kept = block.some(np.flatnonzero(ok))
        expected = by_hand(toy, kept, fold, selector, 2)
        np.testing.assert_allclose(found.delta[ok], expected, rtol=1e-5)


def test_the_oracle_in_blocks_is_the_oracle_query_by_query(toy):
    """It ranks by the truth and averages what may be read."""
    blocks, fold = blocks_of(toy, "open_world")
    for block in blocks:
        found = Oracle(OracleSelector(), toy.drug_catalog, 2, in_line=True).predict(block)
        kept = block.some(np.flatnonzero(found.ok))
        expected = by_hand(toy, kept, fold, OracleSelector(), 2)
        np.testing.assert_allclose(found.delta[found.ok], expected, rtol=1e-5)


def test_in_the_strict_regime_neighbours_are_drug_means_over_training_lines(toy):
    """Nothing measured in the tested line is read, by anyone."""
    blocks, fold = blocks_of(toy, "unseen_cell_line_strict")
    for block in blocks:
        chosen = LGR(RandomSelector(1), toy.drug_catalog, 2, in_line=False)
        for i, retrieval in enumerate(chosen.retrieve(block, 2)):
            at_dose = (toy.conditions["dose_um"] == block.dose_um).to_numpy()
            means = [
                toy.deltas(
                    np.flatnonzero(fold.train & at_dose & (toy.conditions["drug"] == drug))
                ).mean(axis=0)
                for drug in retrieval.drugs
            ]
            np.testing.assert_allclose(
                chosen.predict(block).delta[i], np.mean(means, axis=0), rtol=1e-5
            )
        in_line = LGR(RandomSelector(1), toy.drug_catalog, 2, in_line=True)
        with pytest.raises(LeakageError):
            in_line.predict(block)


def test_pool_means_are_the_pool_mean(toy):
    """Of every candidate, query by query."""
    blocks, _ = blocks_of(toy, "unseen_drug")
    for block in blocks:
        found = PoolMeans().predict(block)
        for query, pool, delta in zip(block.queries, block.pools, found.delta, strict=True):
            rows = toy.rows(query.cell_line, pool.drugs, query.dose_um)
            np.testing.assert_allclose(delta, toy.deltas(rows).mean(axis=0), rtol=1e-5)


def test_cell_mean_falls_back_to_the_global_mean_in_an_unseen_line(toy):
    """As the paper says, and marked."""
    blocks, _ = blocks_of(toy, "unseen_cell_line")
    for block in blocks:
        found = CellMean().predict(block)
        assert set(found.fallback) == {"global_mean"}
        np.testing.assert_array_equal(found.delta, GlobalMean().predict(block).delta)
    blocks, _ = blocks_of(toy, "unseen_drug")
    assert set(CellMean().predict(blocks[0]).fallback) == {None}


def test_drug_mean_falls_back_to_the_global_mean_for_an_unseen_drug(toy):
    """Ours: the paper is silent; marked."""
    blocks, _ = blocks_of(toy, "unseen_drug")
    assert set(DrugMean().predict(blocks[0]).fallback) == {"global_mean"}


def test_drug_mean_is_over_the_training_lines(toy):
    """At the query's dose."""
    blocks, fold = blocks_of(toy, "unseen_cell_line")
    for block in blocks:
        found = DrugMean().predict(block)
        for query, delta, fallback in zip(block.queries, found.delta, found.fallback, strict=True):
            rows = fold.train & (toy.conditions["drug"] == query.drug).to_numpy()
            rows &= (toy.conditions["dose_um"] == query.dose_um).to_numpy()
            if fallback is None:
                expected = toy.deltas(np.flatnonzero(rows)).mean(axis=0)
                np.testing.assert_allclose(delta, expected, rtol=1e-5)
            else:
                assert not rows.any()


def test_plate_mean_averages_the_other_drugs_of_the_querys_plates(toy_home, toy):
    """All of the toy atlas's conditions stand on one plate: there it is the pool mean."""
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Trametinib", "Vorinostat"])
    found = PlateMean().predict(block)
    np.testing.assert_allclose(found.delta, PoolMeans().predict(block).delta, rtol=1e-5)
    assert found.used.sum(axis=1).tolist() == found.k_used.tolist() == [6, 6]


def test_plate_mean_reads_the_plates_of_ready_changes(tmp_path):
    """Talc stands with Zinc and with Iron: (2 + 4) / 2; Gold is alone, Neon's plate is unknown."""
    rows = [
        ("Talc", "p1;p2", 1.0), ("Zinc", "p1", 2.0), ("Iron", "p2", 4.0), ("Gold", "p3", 8.0),
        ("Neon", "", 16.0), ("Argon", "", 32.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["drug", "plates", "TP53"]).assign(cell_line="A549")
    frame["MYC"] = -frame["TP53"]
    frame.to_csv(tmp_path / "x.csv", index=False)
    options = IngestOptions(value_kind=ValueKind.LOG2FC)
    ingest(tmp_path / "x.csv", tmp_path / "atlases" / "x", options=options)
    store = open_atlas("x", tmp_path / "atlases")
    block = EvidenceReader(store).block("A549", None, ["Talc", "Zinc", "Gold", "Neon"])
    found = PlateMean().predict(block)
    np.testing.assert_allclose(found.delta[:, 0], [3, 1, np.nan, np.nan])
    assert list(found.status[:2]) == [Status.OK, Status.OK]
    assert Status.OK not in list(found.status[2:])


def test_zero_and_truth(toy):
    """What they say."""
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Trametinib"])
    assert not Zero().predict(block).delta.any()
    np.testing.assert_array_equal(Truth().predict(block).delta, toy.deltas(block.rows))


def test_chem_knn_averages_the_drug_means_of_the_nearest_structures(toy):
    """Trametinib's nearest in training is cobimetinib; a drug without a structure has none."""
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Trametinib", "Mystery compound"])
    found = ChemKNN(1).predict(block)
    rows = [toy.row(Condition(line, "Cobimetinib", 5.0)) for line in ("A549", "HepG2/C3A", "LoVo")]
    np.testing.assert_allclose(found.delta[0], toy.deltas(np.array(rows)).mean(axis=0), rtol=1e-5)
    assert list(found.status) == [Status.OK, Status.NOT_APPLICABLE]
    assert "no structure" in found.detail[1]


def test_chem_knn_leaves_the_querys_twins_out(toy):
    """Tofacitinib's own citrate is its nearest structure, and not its neighbour."""
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Tofacitinib"])
    nearest = ChemKNN(1).predict(block).delta[0]
    rows = [toy.row(Condition(x, "Tofacitinib (citrate)", 5.0)) for x in ("A549", "LoVo")]
    twin = toy.deltas(np.array(rows)).mean(axis=0)
    assert not np.allclose(nearest, twin)


@pytest.mark.parametrize(("n_components", "penalty"), [(3, 0.5), (8, 20.0)])
def test_pca_ridge_is_that_of_scikit_learn(n_components, penalty):
    """Rows of many drugs, some more often measured than others; read in two parts."""
    rng = np.random.default_rng(0)
    drug = np.sort(rng.integers(0, 30, 200))
    bits = (rng.random((32, 64)) < 0.3).astype(float)
    deltas = (bits[drug] @ rng.standard_normal((64, 40)) + rng.standard_normal((200, 40))).astype(
        np.float32
    )
    pca = PCA(n_components, svd_solver="full").fit(deltas)
    ridge = Ridge(penalty).fit(bits[drug], pca.transform(deltas))
    expected = pca.inverse_transform(ridge.predict(bits))
    parts = (_Moments.of(deltas[some], drug[some], 32) for some in (slice(150), slice(150, None)))
    latent = _Latent.of(reduce(add, parts), bits, n_components)
    found = latent.deltas(latent.regress(penalty, bits))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("noise", [0.1, 3.0])
def test_pca_ridge_chooses_what_correlates_best_on_validation_rows(tmp_path, noise):
    """Of all pairs, by mean Pearson r over these rows, fitted on the others alone."""
    store = build_world(tmp_path / "world", lines=12, drugs=40, noise=noise)
    store.fingerprints = (np.random.default_rng(0).random((40, 64)) < 0.3).astype(np.uint8)
    fold = make_folds(store, "unseen_cell_line", 3)[0]
    method = PCARidge(EvidenceReader(store, fold).labels)
    method.fit(TrainingView(store, fold, validation=True))
    drug, bits, held = method._labels.drug, method._bits, fold.validation
    rows = fold.train & ~held
    moments = _Moments.of(store.deltas(rows), drug[rows], len(bits))

    def r(pair):
        latent = _Latent.of(moments, bits, pair[0])
        found = latent.deltas(latent.regress(pair[1], bits[drug[held]]))
        return pearson_delta(found, store.deltas(held)).mean()

    assert method.chosen == max(product(COMPONENTS, PENALTIES), key=r)


def test_pca_ridge_fits_on_training_rows_and_skips_what_has_no_structure(toy):
    """A prediction for the tested drugs; none for the drug without a structure."""
    fold = make_folds(toy, "unseen_drug", 3)[0]
    reader = EvidenceReader(toy, fold)
    method = PCARidge(reader.labels)
    method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
    for block in reader.blocks(np.flatnonzero(fold.test)):
        for drug, status in zip(block.drugs, method.predict(block).status, strict=True):
            assert (
                status == (Status.NOT_APPLICABLE if drug == "Mystery compound" else Status.OK)
                or block.dose_um == 0.5
            )
