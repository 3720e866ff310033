"""Grids of strongest genes: hand-worked choices and orders."""

import numpy as np

from lgr_core.retrieval.effect_grid import of_drug, of_line

GENES = np.array(["G1", "G2", "G3", "G4"], dtype=object)


def test_a_drug_s_genes_are_those_of_the_largest_mean_over_lines():
    """Means 2, -3, 0 and 1 of two lines; a line without a change is left out."""
    changes = np.array([[1, -3, 5, 1], [3, -3, -5, 1], [np.nan] * 4])
    found = of_drug(changes, GENES, ["A", "B", "C"], n_genes=2)
    assert found.genes == ("G1", "G2")
    assert found.columns == ("A", "B")
    assert found.values.tolist() == [[1, 3], [-3, -3]]
    assert found.table()["gene"].tolist() == ["G1", "G2"]
    assert found.table()["B"].tolist() == [3, -3]


def test_a_line_s_genes_are_those_in_which_its_drugs_differ_most():
    """G2 is high but alike in all drugs; drugs that act alike stand together."""
    changes = np.array([[1.0, 9, -1, 0], [-1, 9, 1, 0], [1.1, 9, -1, 0], [-1.1, 9, 1, 0]])
    found = of_line(changes, GENES, ["A", "B", "C", "D"], n_genes=2)
    assert set(found.genes) == {"G1", "G3"}
    assert {frozenset(found.columns[:2]), frozenset(found.columns[2:])} == {
        frozenset("AC"),
        frozenset("BD"),
    }
    a = found.columns.index("A")
    assert found.values[found.genes.index("G1"), a] == 1


def test_where_nothing_is_known_the_grid_is_empty():
    """No drug can be compared with another."""
    nothing = np.full((2, 4), np.nan)
    assert of_line(nothing, GENES, ["A", "B"]).columns == ()
    assert of_drug(nothing, GENES, ["A", "B"]).columns == ()
