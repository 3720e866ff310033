"""A mechanism stands high if its compounds outrank the others, each counted once."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from lgr_core.domain import Condition
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.signatures.gene_lists import whole_change
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.mechanism_enrichment import COLUMNS, enriched_mechanisms
from lgr_core.signatures.search import DrugHits, find_drugs

BOOK = MechanismAnnotations.load()


def ranked(drugs, *, reverse=False):
    """A search's answer from rows of drug, dose, score and relation."""
    table = pd.DataFrame(drugs, columns=["drug", "dose_um", "score", "relation"])
    return DrugHits(pd.DataFrame(), table, reverse, 0)


def test_the_mechanism_of_the_signature_stands_highest(lab):
    """MEK inhibitors mimic Trametinib; the shipped drugs of the lab are tagged by their names."""
    row = lab.row(Condition("A549", "Trametinib", 5.0))
    signature = whole_change(lab.deltas(np.array([row]))[0], drug="Trametinib")
    table = enriched_mechanisms(
        lab, find_drugs(lab, signature, SignatureLibrary.read(lab, BOOK)), BOOK
    )
    first = table.iloc[0]
    assert first["mechanism"] == "MEK inhibitor"
    assert first["n"] == 5  # three known ones and two of hostile names; not Trametinib itself
    assert "Trametinib" not in first["drugs"]
    assert first["chance"] == 1.0
    assert first["p"] < 0.01


def test_p_and_chance_are_of_the_rank_sum_test(lab):
    """Three EGFR inhibitors at places 1, 2 and 4 of eight: U = 14 of 15, p = 2 / 56."""
    names = ["Erlotinib", "Gefitinib", "Compound 1", "Afatinib", *(f"Compound {i}" for i in "2345")]
    table = enriched_mechanisms(
        lab, ranked([(name, 5.0, 1 - i / 10, "") for i, name in enumerate(names)]), BOOK
    )
    row = table.set_index("mechanism").loc["EGFR inhibitor"]
    assert row["n"] == 3
    assert row["chance"] == pytest.approx(14 / 15)
    assert row["p"] == pytest.approx(2 / 56)
    assert row["drugs"] == "Erlotinib, Gefitinib, Afatinib"
    x, y = [1.0, 0.9, 0.7], [0.8, 0.6, 0.5, 0.4, 0.3]
    assert row["p"] == pytest.approx(mannwhitneyu(x, y, alternative="greater").pvalue)


def test_in_a_search_for_the_reverse_the_lowest_count(lab):
    """The same order turned round."""
    names = ["Erlotinib", "Gefitinib", "Afatinib", *(f"Compound {i}" for i in "12345")]
    drugs = [(name, 5.0, i / 10 - 1, "") for i, name in enumerate(names)]
    table = enriched_mechanisms(lab, ranked(drugs, reverse=True), BOOK)
    assert table.iloc[0]["mechanism"] == "EGFR inhibitor"
    assert table.iloc[0]["chance"] == 1.0


def test_a_compound_counts_once_at_its_highest_dose(lab):
    """A low dose that ranks first does not count."""
    names = ["Compound 1", "Compound 2", "Erlotinib", "Gefitinib", "Afatinib"]
    drugs = [(name, 5.0, 1 - i / 10, "") for i, name in enumerate(names)]
    low = [(name, 0.5, 2.0, "") for name in names[2:]]
    table = enriched_mechanisms(lab, ranked(low + drugs), BOOK)
    row = table.set_index("mechanism").loc["EGFR inhibitor"]
    assert (row["n"], row["chance"]) == (3, 0.0)


def test_without_enough_compounds_nothing_is_tested(lab):
    """An empty table with its columns."""
    table = enriched_mechanisms(lab, ranked([("Erlotinib", 5.0, 1.0, "")]), BOOK)
    assert table.empty
    assert tuple(table.columns) == COLUMNS
