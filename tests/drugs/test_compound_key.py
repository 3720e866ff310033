"""Ways to write one compound share a key, and two compounds do not."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.config import SHIPPED
from lgr_core.drugs.aliases import shipped_aliases
from lgr_core.drugs.catalog import DrugCatalog, parents_of
from lgr_core.drugs.chemistry import parent_key
from lgr_core.drugs.compound_key import compound_key
from lgr_core.drugs.name_matching import group
from lgr_core.drugs.normalise import fold

CYRILLIC = (
    "\N{CYRILLIC CAPITAL LETTER VE}\N{CYRILLIC CAPITAL LETTER EM}\N{CYRILLIC CAPITAL LETTER HA}"
)
BMX = [
    "BMX.100",
    "BMX/100",
    "BMX_100",
    f"{CYRILLIC}-100",
    '"BMX-100"',
    "'BMX-100'",
    "BMX-100*",
    "(R)-BMX-100",
    "(\N{PLUS-MINUS SIGN})-BMX-100",
    "(+/-)-BMX-100",
    "(1S,3R)-BMX-100",
    "X.S..BMX.100",
    "L-BMX-100",
    "D-BMX-100",
    "DL-BMX-100",
    "rac-BMX-100",
    "cis-BMX-100",
    "all-trans-BMX-100",
    "BMX-100 (S)",
    "BMX-100 racemate",
    "BMX-100 (S)-enantiomer",
    "d3-BMX-100",
    "[13C6]-BMX-100",
    "BMX-100-d3",
    "BMX-100-13C6",
    "BMX-100_rep2",
    "BMX-100 batch 2",
    "BMX-100, lot A1234",
    "BMX-100 Na",
    "BMX-100+HCl",
    "BMX-100 . HCl",
    "BMX-100 x HCl",
    "BMX-100 hydrochloric acid",
    "Foolinib (BMX.100)",
]


@pytest.mark.parametrize("name", BMX)
def test_a_variant_without_a_structure_is_a_twin(name):
    """It is in no pool of the compound, though nobody drew either; the next number is."""
    catalog = DrugCatalog(["BMX-100", name, "BMX-101"])
    assert catalog.twins("BMX-100") == (name,)


@pytest.mark.parametrize(
    "names",
    [
        ["Fooib3", "(S)-Fooib3", "S-Fooib3 HCl"],
        ["ABC500", "ABC_500"],
        ["Valproic acid", "Valproate", "Sodium valproate", "Valproic acid (sodium)"],
        ["Mycophenolic acid", "Mycophenolate"],
        ["5-FU", "X5.FU"],
        ["Omeprazole", "Esomeprazole"],
        ["N-acetyl-L-cysteine", "N-acetylcysteine"],
        ["L-685,458", "L-685458"],
        ["Sodium chloride", "Sodium chloride_rep2"],
        ["Compound X", "Compound X HCl"],
        ["Compound 5", "Compound 5 batch 2"],
        ["GSK.1120212", "(R)-Trametinib"],
    ],
)
def test_names_of_one_compound_are_one_family(names):
    """Whatever tells them apart, also through an alias."""
    assert len(set(parents_of(names, {}).values())) == 1


@pytest.mark.parametrize(
    "names",
    [
        ["Vitamin D2", "Vitamin D3", "Vitamin K", "Vitamin C"],
        ["Compound D1", "Compound D2", "Compound X HCl", "Compound Y HCl"],
        ["Compound 1.1", "Compound 11"],
        ["Dexamethasone", "Dexamethasone acetate"],
        ["Mycophenolic acid", "Mycophenolate mofetil"],
        ["Sodium chloride", "Potassium chloride", "Sodium citrate", "Sodium iodide"],
        ["S-23", "D-4476", "L-23", "E-64", "23", "64"],
        ["Ophiopogonin D", "Ophiopogonin D'"],
        ["Sample batch 1", "Replicate 2", "Batch 2"],
    ],
)
def test_what_only_looks_like_a_variant_stays_apart(names):
    """Letters and numbers that belong to a name are left to it."""
    assert len(set(parents_of(names, {}).values())) == len(names)


def test_a_twin_is_no_answer_to_a_query():
    """Another isomer is another drug: it is kept out of the pool, and not taken for the first."""
    catalog = DrugCatalog(["(S)-Fooib3", "BMX-100-d3"])
    assert catalog.find("(R)-Fooib3").drug is None
    assert catalog.find("BMX-100").drug is None


def _unlike_a_reading(names):
    """The families of names that only the key of twins joins, without any structure."""
    book = shipped_aliases()
    families = group((parent, name) for name, parent in parents_of(names, {}).items())
    for family in families.values():
        senses = group((book.meaning(name), name) for name in family)
        inner = {meaning for name in family for meaning in book.meanings_in_brackets(name)}
        if len(set(senses) - inner) > 1:
            yield tuple(sorted(kin[0] for kin in senses.values()))


def test_among_the_shipped_names_only_isomers_become_one():
    """What the key joins beyond readings among all names of the shipped table of aliases."""
    with (SHIPPED / "aliases.csv").open(encoding="utf-8", newline="") as lines:
        names = {row[column] for row in csv.DictReader(lines) for column in ("alias", "drug")}
    assert list(_unlike_a_reading(sorted(names))) == [("(R)-Verapamil", "Calan")]


@pytest.mark.real
def test_among_the_real_names_only_one_structure_becomes_one(real_data):
    """379 names of Tahoe: two pairs of isomers and a sodium salt, which their structures join."""
    with (real_data / "tahoe_meta/drug_metadata.csv").open(encoding="utf-8", newline="") as lines:
        keys = {row["drug"].strip(): row["canonical_smiles"] for row in csv.DictReader(lines)}
    joined = list(_unlike_a_reading(sorted(keys)))
    assert joined == [
        ("(R)-Verapamil (hydrochloride)", "Verapamil"),
        ("(S)-Crizotinib", "Crizotinib (hydrochloride)"),
        ("Salicylic acid", "Sodium Salicylate"),
    ]
    for family in joined:
        assert len({parent_key(keys[name]) for name in family}) == 1


@given(st.text())
def test_only_an_empty_name_has_an_empty_key(name):
    """No cut takes all of a name."""
    assert bool(compound_key(name)) == bool(fold(name))
