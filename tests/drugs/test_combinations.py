"""Names of several drugs: which they are, and whose parents they share."""

import csv

import pytest

from lgr_core.config import SHIPPED
from lgr_core.drugs.aliases import shipped_aliases
from lgr_core.drugs.catalog import DrugCatalog, parents_of
from lgr_core.drugs.combinations import combinations, without_vehicle

SINGLE = ["Trametinib", "Dasatinib", "Erlotinib", "A", "B", "Navitoclax"]


def parts_of(name, others=SINGLE):
    """The parts of a name among others; None if it is single."""
    return combinations([*others, name], shipped_aliases()).get(name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Dasatinib+Trametinib", ("Dasatinib", "Trametinib")),
        ("Dasatinib + Trametinib", ("Dasatinib", "Trametinib")),
        ("Dasatinib & Trametinib", ("Dasatinib", "Trametinib")),
        ("Dasatinib; Trametinib; Erlotinib", ("Dasatinib", "Trametinib", "Erlotinib")),
        ("Dasatinib/Trametinib", ("Dasatinib", "Trametinib")),
        ("Dasatinib_Trametinib", ("Dasatinib", "Trametinib")),
        ("dasatinib and trametinib", ("dasatinib", "trametinib")),
        ("A+B", ("A", "B")),
        ("A_B", ("A", "B")),
        ("A +B", ("A", "B")),
        ("Osimertinib+Crizotinib", ("Osimertinib", "Crizotinib")),
        ("Trametinib/unheardol", ("Trametinib", "unheardol")),
        ("Trametinib (10 nM)+Dasatinib (1 uM)", ("Trametinib (10 nM)", "Dasatinib (1 uM)")),
        ("(+)-JQ1 + (-)-JQ1", ("(+)-JQ1", "(-)-JQ1")),
        ("Trametinib+Trametinib", ("Trametinib", "Trametinib")),
        ("Trametinib+ctrl", ("Trametinib",)),
        ("Trametinib + HCl", ("Trametinib",)),
    ],
)
def test_a_combination_is_its_parts(name, parts):
    """Signs between names join them; a vehicle and a salt are no part."""
    assert parts_of(name) == parts


@pytest.mark.parametrize(
    "name",
    [
        "(+)-JQ1",
        "flurbiprofen-(+|-)",
        "D-(+)-glucose",
        "NAD+ precursor",
        "Na+/K+ ATPase inhibitor",
        "J&J-123",
        "Foo_bar",
        "Trametinib_rep2",
        "Trametinib_10uM",
        "unheardol/tipiracil",
        "4,5-dichloro_x",
        "DMSO_TF",
        "Trametinib (MEK+RAF)",
        "Trametinib/HCl",
        "+",
        "A+",
    ],
)
def test_a_single_drug_stays_single(name):
    """Signs of isomers, in brackets, at an end, and between parts that no drug is called."""
    assert parts_of(name) is None


def test_the_shipped_drugs_are_single():
    """Of no name in the tables of drugs and aliases a combination is made."""
    names = set()
    for table in ("drugs.csv", "aliases.csv"):
        with (SHIPPED / table).open(encoding="utf-8", newline="") as lines:
            names |= {
                row[c] for row in csv.DictReader(lines) for c in ("drug", "alias") if c in row
            }
    assert len(names) > 1_000
    assert combinations(sorted(names), shipped_aliases()) == {}


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("Trametinib+ctrl", "Trametinib"),
        ("ctrl+Trametinib", "Trametinib"),
        ("Trametinib + DMSO", "Trametinib"),
        ("A+B+ctrl", "A+B"),
        ("ctrl+ctrl", "ctrl"),
        ("Trametinib", "Trametinib"),
        ("(+)-JQ1", "(+)-JQ1"),
    ],
)
def test_a_drug_given_with_a_vehicle_is_the_drug(name, drug):
    """As data sets of combinations write single drugs."""
    assert without_vehicle(name) == drug


NAMES = ["Dasatinib", "Dasatinib+Trametinib", "Erlotinib", "Erlotinib & Dasatinib", "Trametinib"]
NAMES += ["Trametinib (DMSO solvate)", "Trametinib+Trametinib", "Lapatinib+Erlotinib"]
CATALOG = DrugCatalog(NAMES, {"Trametinib": "KEYT", "Dasatinib": "KEYD"})


def test_a_combination_has_a_parent_of_its_own_made_of_its_drugs_parents():
    """In order of the parents, whatever the order in the name; a drug twice is the drug."""
    parents = parents_of([*NAMES, "Trametinib_Dasatinib"], {"Trametinib": "KEYT"})
    assert parents["Dasatinib+Trametinib"] == "KEYT + dasatinib"
    assert parents["Trametinib_Dasatinib"] == "KEYT + dasatinib"
    assert parents["Trametinib+Trametinib"] == parents["Trametinib (DMSO solvate)"] == "KEYT"
    assert parents["Lapatinib+Erlotinib"] == "erlotinib + lapatinib"


def test_what_is_related_shares_a_drug():
    """Dasatinib is to its combinations, not to what they were combined with."""
    assert CATALOG.related("Dasatinib") == ("Dasatinib+Trametinib", "Erlotinib & Dasatinib")
    assert CATALOG.related("Lapatinib+Erlotinib") == ("Erlotinib", "Erlotinib & Dasatinib")
    related = CATALOG.related("Dasatinib+Trametinib")
    assert set(NAMES) - set(related) == {
        "Dasatinib+Trametinib",
        "Erlotinib",
        "Lapatinib+Erlotinib",
    }
    assert CATALOG.twins("Dasatinib") == ()
    assert CATALOG.twins("Trametinib") == ("Trametinib (DMSO solvate)", "Trametinib+Trametinib")


def test_two_combinations_share_a_drug_that_was_not_given_alone():
    """Lapatinib is in both, and nowhere else."""
    catalog = DrugCatalog(["Lapatinib+Erlotinib", "LAPATINIB (ditosylate) + Talc", "Talc+Zinc X"])
    assert catalog.related("Lapatinib+Erlotinib") == ("LAPATINIB (ditosylate) + Talc",)
    assert catalog.combinations == catalog.names


def test_the_parents_that_share_a_part_are_the_same_from_either_side():
    """Sharing is symmetric, and of what shares nothing only the parent itself."""
    sharing = {parent: CATALOG.sharing(parent) for parent in CATALOG.parents.of.values()}
    for parent, others in sharing.items():
        assert parent in others
        for other in others & sharing.keys():
            assert parent in sharing[other]
    assert CATALOG.sharing("KEYX") == {"KEYX"}
