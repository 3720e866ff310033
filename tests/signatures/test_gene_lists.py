"""Every pasted name stands in one pile, and a list weighs 1 on each side."""

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.signatures.gene_aliases import GeneAliases
from lgr_core.signatures.gene_lists import (
    FEW,
    gene_set,
    read_genes,
    split_genes,
    whole_change,
)


def test_a_text_is_split_at_whatever_stands_between():
    """Spaces, lines, tabs, commas, semicolons, bars; quotes off; each name once, in order."""
    text = "TP53, EGFR;MYC\n'KRAS'\t\"JUN\" | FOS\r\nTP53 ,,"
    assert split_genes(text) == ("TP53", "EGFR", "MYC", "KRAS", "JUN", "FOS")
    assert split_genes(" \n ,;") == ()


def test_every_name_stands_in_one_pile(toy):
    """In the panel; measured but outside it; a gene that shipped lists know; nothing known."""
    reading = read_genes(toy, ["EGR1", "DUSP6", "SPRY2", "ENSG00000141510", "BOGUS"])
    assert reading.used == ("EGR1",)
    assert reading.outside == ("DUSP6",)
    assert reading.not_measured == ("SPRY2", "ENSG00000141510")
    assert reading.unknown == ("BOGUS",)
    assert reading.read_as == ()


def test_case_is_read_over_and_said(toy):
    """A mouse's spelling finds the gene; both spellings are one gene."""
    reading = read_genes(toy, ["Egr1", "EGR1", "cdkn1a"])
    assert reading.used == ("EGR1", "CDKN1A")
    assert reading.read_as == (("Egr1", "EGR1"), ("cdkn1a", "CDKN1A"))


def test_ensembl_ids_are_names_too(toy, monkeypatch):
    """With or without a version, where the atlas has them."""
    ids = [f"ENSG{i:011d}" for i in range(len(toy.genes))]
    monkeypatch.setattr(toy, "genes", toy.genes.assign(ensembl_id=ids))
    wanted = toy.gene_names[2]
    reading = read_genes(toy, ["ENSG00000000002.17", "ensg00000000002"])
    assert reading.used == (wanted,)
    assert len(reading.read_as) == 2


def test_a_symbol_with_a_dot_is_not_cut(toy, monkeypatch):
    """``RP11-34P13.7`` is a name of its own; only ids lose their version."""
    names = ["RP11-34P13.7", *toy.genes["gene"].tolist()[1:]]
    monkeypatch.setattr(toy, "genes", toy.genes.assign(gene=names))
    monkeypatch.setitem(toy.__dict__, "gene_names", np.array(names, dtype=object))
    assert read_genes(toy, ["rp11-34p13.7"]).used == ("RP11-34P13.7",)
    assert read_genes(toy, ["RP11-34P13.8"]).unknown == ("RP11-34P13.8",)


def test_each_side_weighs_one(toy):
    """Two up, one down: a half each, and minus one; the rest nothing."""
    found = gene_set(toy, ["EGR1", "FOS", "BOGUS"], ["MDM2"])
    weights = dict(zip(toy.gene_names, found.weights, strict=False))
    assert (weights["EGR1"], weights["FOS"], weights["MDM2"]) == (0.5, 0.5, -1.0)
    assert np.count_nonzero(found.weights) == 3
    assert found.sides == (2, 1)
    assert found.notes == ("Only 3 genes can be used: p over random genes is rough.",)


def test_a_gene_on_both_sides_is_left_out_and_said(toy):
    """It cannot go both ways."""
    found = gene_set(toy, ["EGR1", "fos"], ["FOS"])
    assert found.sides == (1, 0)
    assert found.notes[0] == "On both sides, so left out: FOS."


def test_enough_genes_need_no_remark(lab):
    """Ten are enough."""
    assert gene_set(lab, lab.gene_names[:FEW], []).notes == ()


@pytest.mark.parametrize(("up", "down"), [([], []), (["BOGUS"], ["DUSP6"]), (["FOS"], ["FOS"])])
def test_a_list_without_a_usable_gene_is_refused(toy, up, down):
    """The message says how many are searched and shows names of the right kind."""
    with pytest.raises(InputError, match="none of its genes is among the 6 that are searched"):
        gene_set(toy, up, down)


@pytest.mark.parametrize("weights", [np.zeros(6), np.ones(6), np.array([np.nan, 1.0]), np.eye(2)])
def test_a_change_that_says_nothing_is_refused(weights):
    """Constant, not finite, or no vector."""
    with pytest.raises(InputError, match="signature"):
        whole_change(weights)


def test_another_name_of_a_gene_is_suggested_and_not_used():
    """p53 is TP53, AKT three genes, and an atlas may have the earlier symbol; case is no matter."""
    measured = {gene.casefold(): gene for gene in ("TP53", "AKT1", "AKT3", "WHSC1", "IFNG")}
    suggest = GeneAliases.load().suggest
    assert suggest("P53", measured) == ("TP53",)
    assert suggest("AKT", measured) == ("AKT1", "AKT3")
    assert suggest("NSD2", measured) == suggest("MMSET", measured) == ("WHSC1",)
    assert suggest("IFN-\u03b3", measured) == ("IFNG",)
    assert suggest("FOXO3A", measured) == suggest("xyz", measured) == ()


def test_a_reading_lists_suggestions_beside_what_is_lost(lab):
    """The name stays among those that are not used."""
    gene = lab.gene_names[0]
    reading = read_genes(lab, [gene, "p53", "nothing"])
    assert (reading.used, reading.unknown) == ((gene,), ("p53", "nothing"))
    has = "TP53" in lab.gene_names
    assert reading.suggestions == ((("p53", ("TP53",)),) if has else ())
