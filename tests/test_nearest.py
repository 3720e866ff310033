"""A name is offered where it differs by a typing error, and only there."""

import csv
from pathlib import Path

import pytest

from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import NotFoundError, unknown
from lgr_core.nearest import nearest

with (Path(__file__).parents[1] / "data" / "drugs.csv").open(encoding="utf-8") as file:
    DRUGS = [row["drug"] for row in csv.DictReader(file)]
CATALOG = DrugCatalog(DRUGS)


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("A594", ["A549", "LoVo"], ("A549",)),
        ("hela", ["HeLa", "HEL"], ("HeLa", "HEL")),
        ("MCF 7", ["MCF-7"], ("MCF-7",)),
        ("egrf", ["EGFR", "ERBB2"], ("EGFR",)),
        ("KRAS", ["HRAS", "NRAS", "KRT8"], ()),
        ("TP63", ["TP53", "TP73"], ()),
        ("SW48", ["SW480"], ()),
        ("fingerprnt", ["mechanism", "fingerprint"], ("fingerprint",)),
        ("best_evidnce", ["lgr", "best_evidence"], ("best_evidence",)),
        ("DMSO", ["Talc", "DMSO_TF"], ("DMSO_TF",)),
        ("tahoe", ["demo", "tahoe_rank"], ("tahoe_rank",)),
        ("tahoe rank two", ["demo", "tahoe_rank"], ("tahoe_rank",)),
        ("pearson_detla", ["pearson_delta", "pearson"], ("pearson_delta", "pearson")),
        ("zzzz", ["A549"], ()),
        ("", ["A549", "-"], ()),
    ],
)
def test_a_slip_is_told_from_another_name(name, known, found):
    """Swapped, doubled and missing letters are; another number or another short word is not."""
    assert nearest(name, known) == found


def test_the_likeliest_comes_first_and_few_are_named():
    """By typing errors, then by all signs, then in the order given."""
    known = ["Trametinibb", "trametinib-x1", "TRAMETINIB", "Trametini", "trametin_ib"]
    assert nearest("Trametinib", known, limit=2) == ("TRAMETINIB", "trametin_ib")


@pytest.mark.parametrize(
    ("slip", "drug"),
    [
        ("trametnib", "Trametinib"),
        ("Nerainib", "Neratinib"),
        ("Afatnib", "Afatinib"),
        ("Topotekan", "Topotecan (hydrochloride)"),
        ("Doxorubicine", "Doxorubicin (hydrochloride)"),
        ("Abemacicilb", "Abemaciclib"),
        ("Pitvastatin", "Pitavastatin (Calcium)"),
        ("crizotinb hydrochloride", "Crizotinib (hydrochloride)"),
    ],
)
def test_a_misspelt_drug_is_found(slip, drug):
    """Of those that ship, whatever their salt."""
    assert CATALOG.find(slip).candidates == ()
    assert drug in CATALOG.nearest(slip)


@pytest.mark.parametrize(
    "name",
    ["Dasatinib", "Dasatnib", "Apatinib", "Imatinib", "Nilotinib", "Sotorasib", "Afuresertib"],
)
def test_the_ending_of_a_class_makes_no_match(name):
    """A drug that is not there is no misspelling of another in its class."""
    others = set(DRUGS) - set(CATALOG.find(name).candidates)
    assert CATALOG.nearest(name, among=others) == ()


def test_no_drug_that_ships_passes_for_another_one():
    """Out of the list, a drug is offered for no other compound, but for one acid and its salt."""
    near = {
        frozenset((name, other))
        for name in DRUGS
        for other in CATALOG.nearest(name, among=set(DRUGS) - {name})
        if CATALOG.parent(other) != CATALOG.parent(name)
    }
    assert near <= {frozenset(("Diammonium Glycyrrhizinate", "Glycyrrhizic acid"))}


def test_an_error_offers_what_the_rule_finds_as_a_field():
    """Message and field are the same names."""
    err = unknown("gene", "EGRF", ["ERBB2", "EGFR"], "the atlas")
    assert (err.nearest, err.do) == (("EGFR",), "Nearest: EGFR.")


def test_where_no_name_is_near_the_names_are_listed():
    """A few at once, many by the way that lists them."""
    assert unknown("line", "zzz", ["A549", "LoVo"], "here").do == "Choose one of: A549, LoVo."
    with pytest.raises(NotFoundError) as caught:
        CATALOG.resolve("zzz")
    assert caught.value.nearest == ()
