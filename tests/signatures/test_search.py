"""Scores are correlations, ranks and FDRs are what they say, and both tests keep their promise."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError
from lgr_core.signatures.genes import Signature, gene_set, whole_change
from lgr_core.signatures.search import (
    SMALLEST,
    Library,
    find_drugs,
    tail_of_genes,
    tail_of_others,
)


@pytest.fixture(scope="module")
def library(lab):
    """All of the lab."""
    return Library.read(lab)


@pytest.fixture(scope="module")
def trametinib(lab):
    """The measured change of Trametinib in A549 at 5 uM."""
    row = lab.row(Condition("A549", "Trametinib", 5.0))
    return whole_change(lab.deltas(np.array([row]))[0], drug="Trametinib")


def correlations(store, weights):
    """Pearson's r of the weights with every condition, one by one."""
    rows = store.deltas(np.arange(len(store.conditions))).astype(np.float64)
    return np.array([np.corrcoef(weights, row)[0, 1] for row in rows])


def test_a_score_is_pearson_over_the_panel(lab, library):
    """Of every condition, as NumPy has it."""
    weights = np.random.default_rng(1).normal(size=lab.n_panel)
    found = find_drugs(lab, Signature(weights), library).conditions
    keys = ["cell_line", "drug", "dose_um"]
    expected = lab.conditions[keys].assign(expected=correlations(lab, weights))
    both = found.merge(expected, on=keys, validate="one_to_one")
    assert len(both) == len(lab.conditions)
    np.testing.assert_allclose(both["score"], both["expected"], atol=2e-6)
    assert found["score"].is_monotonic_decreasing


def test_a_list_compares_the_means_of_its_sides(lab, library):
    """Sorted by mean of up less mean of down over each change's spread: the same order."""
    up, down = lab.gene_names[3:9], lab.gene_names[20:40]
    found = find_drugs(lab, gene_set(lab, up, down), library).conditions
    rows = [lab.row(lab_condition(row)) for row in found.itertuples()]
    changes = lab.deltas(np.array(rows))
    place = {gene: i for i, gene in enumerate(lab.gene_names)}
    sides = [changes[:, [place[gene] for gene in side]].mean(axis=1) for side in (up, down)]
    contrast = (sides[0] - sides[1]) / changes.std(axis=1)
    assert np.corrcoef(contrast, found["score"])[0, 1] > 0.999999


def lab_condition(row):
    """The condition of a row of a table."""
    return Condition(row.cell_line, row.drug, row.dose_um)


def test_drugs_are_means_over_lines_dose_by_dose(lab, library, trametinib):
    """One row a drug and dose; no dose is merged into another."""
    found = find_drugs(lab, trametinib, library)
    by_hand = found.conditions.groupby(["drug", "dose_um"], observed=True)["score"].agg(
        ["mean", "min", "max"]
    )
    assert len(found.drugs) == len(by_hand) == 35
    for row in found.drugs.itertuples():
        mean, low, high = by_hand.loc[(row.drug, row.dose_um)]
        assert (row.score, row.lowest, row.highest) == pytest.approx((mean, low, high), abs=2e-6)
    lines = found.drugs.set_index(["drug", "dose_um"])["n_lines"]
    assert lines["Trametinib", 5.0] == 3
    assert lines["Trametinib", 0.5] == 1
    assert lines["Vorinostat", 5.0] == 1


def test_what_shares_the_programme_mimics_it(lab, library, trametinib):
    """MEK inhibitors come first, the drug itself on top and flagged."""
    best = find_drugs(lab, trametinib, library).drugs.query("dose_um == 5").head(4)
    assert best["drug"].iloc[0] == "Trametinib"
    assert best["relation"].tolist() == ["self", "", "", ""]
    assert (best["p_genes"] < 1e-6).all()


def test_the_reverse_of_a_change_is_the_mimic_of_its_opposite(lab, library, trametinib):
    """The same drugs, ranks and p over random genes, scores turned round.

    Other changes are no mirror: to mimic one and to reverse one are two things.
    """
    unlike = {"score", "lowest", "highest", "p_others", "fdr_others"}
    opposite = Signature(-trametinib.weights, drug="Trametinib")
    mimic = find_drugs(lab, opposite, library)
    reverse = find_drugs(lab, trametinib, library, reverse=True)
    for ours, theirs in ((reverse.drugs, mimic.drugs), (reverse.conditions, mimic.conditions)):
        columns = [name for name in ours if name not in unlike]
        pd.testing.assert_frame_equal(ours[columns], theirs[columns], rtol=1e-3)
        np.testing.assert_allclose(ours["score"], -theirs["score"], atol=1e-6)
    assert reverse.conditions["score"].is_monotonic_increasing


def test_a_rank_is_a_place_in_line_and_dose(lab, library, trametinib):
    """The best of A549 at 5 uM is 1 of 17; each block is ranked for itself."""
    found = find_drugs(lab, trametinib, library).conditions
    for _, block in found.groupby(["cell_line", "dose_um"], observed=True):
        assert block["rank"].tolist() == list(range(1, len(block) + 1))
        assert (block["of"] == len(block)).all()


def test_twins_of_the_drug_are_flagged(toy):
    """The citrate of Tofacitinib is no find; nor is its change asked of itself."""
    signature = Signature(np.array([1.0, -2, 3, 1, 0, 2]), drug="Tofacitinib")
    drugs = find_drugs(toy, signature, Library.read(toy)).drugs
    flags = dict(zip(drugs["drug"], drugs["relation"], strict=True))
    assert flags["Tofacitinib"] == "self"
    assert flags["Tofacitinib (citrate)"] == "twin"
    assert flags["Trametinib"] == ""


def test_fdr_is_of_benjamini_and_hochberg(lab, library, trametinib):
    """The least, over larger p, of p m / rank, by hand."""
    drugs = find_drugs(lab, trametinib, library).drugs
    for name in ("genes", "others"):
        p = drugs[f"p_{name}"].to_numpy()
        order = np.argsort(p)
        ranked = p[order] * len(p) / np.arange(1, len(p) + 1)
        by_hand = np.empty(len(p))
        by_hand[order] = np.minimum.accumulate(ranked[::-1])[::-1].clip(max=1)
        np.testing.assert_allclose(drugs[f"fdr_{name}"], by_hand)


# -- random genes ----------------------------------------------------------------------------------


def test_p_over_random_genes_agrees_with_permuting_them(lab, library):
    """4,000 permutations of the gene labels, the same in every line, for every drug's mean."""
    signature = gene_set(lab, lab.gene_names[:15], lab.gene_names[15:40])
    drugs = find_drugs(lab, signature, library).drugs.set_index(["drug", "dose_um"])
    rng = np.random.default_rng(3)
    unit = (signature.weights - signature.weights.mean()) / signature.weights.std()
    permuted = np.stack([rng.permutation(unit) for _ in range(4_000)], axis=1)
    null = library.means @ permuted / np.sqrt(len(unit))
    for row, scores in zip(library.drugs.itertuples(), null, strict=True):
        found = drugs.loc[(row.drug, row.dose_um)]
        sampled = (scores >= found["score"]).mean()
        assert found["p_genes"] == pytest.approx(sampled, abs=0.035)
        assert scores.var() == pytest.approx(
            np.linalg.norm(library.means[row.Index]) ** 2 / (len(unit) - 1), rel=0.12
        )


def test_random_lists_find_nothing(lab, library):
    """Of 200 lists drawn blindly, 5 % reach p = 0.05, drug by drug."""
    rng = np.random.default_rng(4)
    reached = []
    for _ in range(200):
        genes = rng.choice(lab.gene_names[: lab.n_panel], 30, replace=False)
        drugs = find_drugs(lab, gene_set(lab, genes[:15], genes[15:]), library).drugs
        reached.append((drugs["p_genes"] <= 0.05).mean())
    assert 0.03 < np.mean(reached) < 0.07


def test_the_tail_of_genes_is_students():
    """Of 12 genes r = 0.5 is t = 1.826 with 10 degrees; r = 0 is p = 1/2; r = 1 is clipped."""
    np.testing.assert_allclose(
        tail_of_genes(np.array([0.0, 0.5, -0.5]), 12), [0.5, 0.04893, 0.95107], atol=2e-5
    )
    assert tail_of_genes(np.array([1.0]), 12)[0] == SMALLEST


# -- other changes ---------------------------------------------------------------------------------


def test_the_tail_of_others_counts_those_that_may_be_asked():
    """Scores 3 and 1 of two drugs against four others: 1 + reached over 1 + asked."""
    means = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    others = np.array([[4.0, 0.0], [3.0, 2.0], [2.0, 1.0], [9.0, 9.0]], dtype=np.float32)
    asked = np.array([[True, True, True, False], [True, True, True, True]])
    p = tail_of_others(np.array([3.0, 1.0]), means, others, asked)
    assert p.tolist() == [3 / 4, 4 / 5]


def test_a_shared_change_is_no_find(lab, library):
    """A change that all drugs share passes the test of genes, but not that of other changes."""
    changes = lab.deltas(np.arange(len(lab.conditions)))
    common = Signature(changes.mean(axis=0).astype(np.float64))
    drugs = find_drugs(lab, common, library).drugs
    passed = drugs["p_genes"] <= 0.05
    assert passed.sum() >= 10
    assert (drugs.loc[passed, "p_others"] > 0.05).mean() > 0.5


def test_the_drugs_own_compound_is_not_asked(lab, library, trametinib):
    """Neither its conditions nor the signature's own count: 69 less 4 of each of the two."""
    drugs = find_drugs(lab, trametinib, library).drugs.set_index(["drug", "dose_um"])
    own = len(lab.conditions) - 4
    assert drugs.loc[("Trametinib", 5.0), "p_others"] == pytest.approx(1 / (1 + own))
    fewer = 1 + own - 4
    assert (drugs.loc[("Cobimetinib", 5.0), "p_others"] * fewer) % 1 == pytest.approx(0, abs=1e-9)


# -- where -----------------------------------------------------------------------------------------


def test_one_line_or_dose_alone_is_searched(lab, trametinib):
    """Nothing of the others is read."""
    found = find_drugs(lab, trametinib, Library.read(lab, cell_line="A549", doses=[0.5]))
    assert set(found.conditions["cell_line"]) == {"A549"}
    assert set(found.conditions["dose_um"]) == {0.5}
    assert len(found.conditions) == 17


def test_pooled_doses_are_a_dose_of_their_own(lab, trametinib, monkeypatch):
    """NaN is searched as pooled, and is no other dose."""
    pooled = lab.conditions.assign(dose_um=lab.conditions["dose_um"].replace(0.5, np.nan))
    monkeypatch.setattr(lab, "conditions", pooled)
    found = find_drugs(lab, trametinib, Library.read(lab, doses=[None]))
    assert found.conditions["dose_um"].isna().all()
    assert len(found.drugs) == 17
    assert len(find_drugs(lab, trametinib, Library.read(lab)).drugs) == 35


def test_nothing_measured_there_is_said(lab):
    """LoVo has no 0.5 uM."""
    with pytest.raises(NotFoundError, match="a search in LoVo: nothing is measured there"):
        Library.read(lab, cell_line="LoVo", doses=[0.5])


def test_a_condition_without_change_has_no_score(lab, trametinib, monkeypatch):
    """Its zeros are counted, not ranked; a drug with no other is left out."""
    silent = lab.row(Condition("LoVo", "Vorinostat", 5.0))
    changes = lab.deltas(np.arange(len(lab.conditions)), all_genes=True).copy()
    changes[silent] = 0
    monkeypatch.setattr(lab, "deltas", lambda rows, **_: changes[rows][:, : lab.n_panel])
    found = find_drugs(lab, trametinib, Library.read(lab))
    assert found.n_undefined == 1
    assert len(found.conditions) == len(lab.conditions) - 1
    assert "Vorinostat" not in set(found.drugs["drug"])
    assert np.isfinite(found.drugs[["score", "p_genes", "p_others"]]).all().all()
