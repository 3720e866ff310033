"""Scores are correlations, ranks and FDRs are what they say, and both tests keep their promise."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.domain import Condition
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.specific_change import View, changes_of, specific_changes
from lgr_core.signatures.gene_lists import Signature, gene_set, whole_change
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.search import DrugHits, find_drugs
from tests.support.lab_atlas import MECHANISMS
from tests.support.plated_atlas import plated_atlas

BOOK = MechanismAnnotations.load()


@pytest.fixture(scope="module")
def library(lab):
    """All of the lab."""
    return SignatureLibrary.read(lab, BOOK)


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
    """The same ranks and p over random genes, scores turned round.

    Other changes are no mirror: to mimic one and to reverse one are two things.
    """
    unlike = {"score", "lowest", "highest", "percentile", "p_others", "fdr_others", "fdr"}
    opposite = Signature(-trametinib.weights, drug="Trametinib")
    mimic = find_drugs(lab, opposite, library)
    reverse = find_drugs(lab, trametinib, library, reverse=True)
    by_name = [
        found.drugs.sort_values(["drug", "dose_um"], ignore_index=True)
        for found in (reverse, mimic)
    ]
    for ours, theirs in (by_name, (reverse.conditions, mimic.conditions)):
        columns = [name for name in ours if name not in unlike]
        pd.testing.assert_frame_equal(ours[columns], theirs[columns], rtol=1e-3)
        np.testing.assert_allclose(ours["score"], -theirs["score"], atol=1e-6)
    np.testing.assert_array_equal(by_name[0]["percentile"], -by_name[1]["percentile"])
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
    drugs = find_drugs(toy, signature, SignatureLibrary.read(toy, BOOK)).drugs
    flags = dict(zip(drugs["drug"], drugs["relation"], strict=True))
    assert flags["Tofacitinib"] == "self"
    assert flags["Tofacitinib (citrate)"] == "twin"
    assert flags["Trametinib"] == ""


@pytest.mark.parametrize("reverse", [False, True])
def test_the_surest_come_first(lab, library, trametinib, reverse):
    """By FDR, ties by score; the drug itself on top, or at the end of those that oppose it."""
    drugs = find_drugs(lab, trametinib, library, reverse=reverse).drugs
    own = drugs["relation"] == "self"
    assert own[:: -1 if reverse else 1].tolist() == [True] * 2 + [False] * 33
    rest = drugs[~own]
    assert rest["fdr"].is_monotonic_increasing
    score = rest["score"] if reverse else -rest["score"]
    assert all(part.is_monotonic_increasing for _, part in score.groupby(rest["fdr"]))


def test_fdr_is_of_benjamini_and_hochberg(lab, library, trametinib):
    """The least, over larger p, of p m / rank, by hand; the drug itself is no find and has none."""
    drugs = find_drugs(lab, trametinib, library).drugs
    fdrs = ["fdr_genes", "fdr_others", "fdr"]
    own = drugs["relation"] == "self"
    assert drugs.loc[own, fdrs].isna().all(axis=None)
    drugs = drugs[~own]
    np.testing.assert_array_equal(drugs["fdr"], drugs[["fdr_genes", "fdr_others"]].max(axis=1))
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


# -- other changes ---------------------------------------------------------------------------------


def test_p_over_other_changes_is_a_share_of_pairs(lab, library, trametinib):
    """Of every other condition's change with every drug that does not act alike.

    Inhibitors of MEK and of EGFR do: they are of one programme.
    """
    acts = {drug: kind for kind, drugs in MECHANISMS.items() for drug in drugs if kind != "unclear"}
    acts = {drug: kind.replace("EGFR", "MEK") for drug, kind in acts.items()}
    units = _units(lab.deltas(library.rows).astype(np.float64))
    drugs = library.drugs["drug"].tolist()
    pairs = [
        mean @ unit
        for drug, mean in zip(drugs, library.means, strict=True)
        for other, unit in zip(library.table["drug"], units, strict=True)
        if acts.get(drug, drug) != acts.get(other, other) and "Trametinib" not in (drug, other)
    ]
    found = find_drugs(lab, trametinib, library).drugs.query("relation == ''")
    reached = [1 + np.sum(np.array(pairs) >= score - 1e-6) for score in found["score"]]
    np.testing.assert_allclose(found["p_others"], np.array(reached) / (1 + len(pairs)))


def _units(changes):
    """Each centred and of norm 1."""
    centred = changes - changes.mean(axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


@pytest.mark.parametrize("reverse", [False, True])
def test_changes_that_share_only_their_vehicle_find_nothing(lab, monkeypatch, reverse):
    """Asked with each of 69 such changes, about one in twenty finds anything at an FDR of 0.05."""
    rng = np.random.default_rng(5)
    changes = rng.normal(size=(len(lab.conditions), 120)) + rng.normal(size=120)
    changes = changes.astype(np.float32)
    monkeypatch.setattr(lab, "deltas", lambda rows, **_: changes[rows])
    library = SignatureLibrary.read(lab, BOOK)
    found = [
        find_drugs(lab, whole_change(change, drug=drug), library, reverse=reverse).drugs
        for change, drug in zip(changes, lab.conditions["drug"], strict=True)
    ]
    assert np.mean([(drugs["fdr"] <= 0.05).any() for drugs in found]) < 0.08
    if not reverse:
        assert np.mean([(drugs["fdr_genes"] <= 0.05).any() for drugs in found]) > 0.9


# -- where -----------------------------------------------------------------------------------------


def test_one_line_or_dose_alone_is_searched(lab, trametinib):
    """Nothing of the others is read."""
    found = find_drugs(
        lab, trametinib, SignatureLibrary.read(lab, BOOK, cell_line="A549", doses=[0.5])
    )
    assert set(found.conditions["cell_line"]) == {"A549"}
    assert set(found.conditions["dose_um"]) == {0.5}
    assert len(found.conditions) == 17


def test_pooled_doses_are_a_dose_of_their_own(lab, trametinib, monkeypatch):
    """NaN is searched as pooled, and is no other dose."""
    pooled = lab.conditions.assign(dose_um=lab.conditions["dose_um"].replace(0.5, np.nan))
    monkeypatch.setattr(lab, "conditions", pooled)
    found = find_drugs(lab, trametinib, SignatureLibrary.read(lab, BOOK, doses=[None]))
    assert found.conditions["dose_um"].isna().all()
    assert len(found.drugs) == 17
    assert len(find_drugs(lab, trametinib, SignatureLibrary.read(lab, BOOK)).drugs) == 35


def test_nothing_measured_there_is_said(lab):
    """LoVo has no 0.5 uM."""
    with pytest.raises(NotFoundError, match="a search in LoVo: nothing is measured there"):
        SignatureLibrary.read(lab, BOOK, cell_line="LoVo", doses=[0.5])


def test_a_condition_without_change_has_no_score(lab, trametinib, monkeypatch):
    """Its zeros are counted, not ranked; a drug with no other is left out."""
    silent = lab.row(Condition("LoVo", "Vorinostat", 5.0))
    changes = lab.deltas(np.arange(len(lab.conditions)), all_genes=True).copy()
    changes[silent] = 0
    monkeypatch.setattr(lab, "deltas", lambda rows, **_: changes[rows][:, : lab.n_panel])
    found = find_drugs(lab, trametinib, SignatureLibrary.read(lab, BOOK))
    assert found.n_undefined == 1
    assert len(found.conditions) == len(lab.conditions) - 1
    assert "Vorinostat" not in set(found.drugs["drug"])
    assert np.isfinite(found.drugs[["score", "p_genes", "p_others"]]).all(axis=None)


def hits(scores, fdrs, *, reverse):
    """A result of drugs A, B, ... with these scores and FDRs."""
    drugs = pd.DataFrame({"drug": list("ABCD"), "score": scores, "fdr": fdrs})
    return DrugHits(pd.DataFrame(), drugs, reverse, 0)


def test_only_what_is_below_zero_is_reversed():
    """An FDR of 0.05 passes; a sure score above zero is no reversal; the own drug is none."""
    scores, fdrs = [-0.5, -0.4, 0.3, -1.0], [0.05, 0.06, 0.01, np.nan]
    assert hits(scores, fdrs, reverse=True).significant["drug"].tolist() == ["A"]
    assert hits(scores, fdrs, reverse=False).significant["drug"].tolist() == ["C"]
    assert hits([0.1] * 4, [0.001] * 4, reverse=True).significant.empty


def test_a_specific_search_is_calibrated_on_specific_changes(tmp_path):
    """The signature against itself is 1; p is among the specific scores of unrelated pairs."""
    store = plated_atlas(tmp_path / "plated", lines=1, drugs=26)
    rows = np.arange(26)
    specific = specific_changes(store).of(rows)
    library = SignatureLibrary.read(
        store, BOOK, cell_line="L0", doses=[1.0], changes=changes_of(store, View.SPECIFIC)
    )
    drugs = find_drugs(store, whole_change(specific[3], drug="D03"), library).drugs
    found = drugs.set_index("drug")
    r = np.corrcoef(specific.astype(float))
    assert found.loc["D03", "score"] == pytest.approx(1, abs=1e-5)
    assert found.loc["D05", "score"] == pytest.approx(r[3, 5], abs=1e-5)
    others = np.delete(np.delete(r, 3, axis=0), 3, axis=1)
    pairs = others[~np.eye(25, dtype=bool)]
    p = (1 + (pairs >= r[3, 5]).sum()) / (1 + len(pairs))
    assert found.loc["D05", "p_others"] == pytest.approx(p)
    with_d05 = np.abs(np.delete(r[5], [3, 5]))
    percentile = np.sign(r[3, 5]) * 100 * (with_d05 < abs(r[3, 5])).mean()
    assert found.loc["D05", "percentile"] == pytest.approx(percentile)
