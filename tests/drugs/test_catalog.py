"""Who a drug is."""

import csv
import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.drugs.catalog import DrugCatalog, Level, parents_of
from lgr_core.errors import AmbiguousError, NotFoundError

ORYZANOL = "\N{GREEK SMALL LETTER GAMMA}-Oryzanol"
NAMES = [
    "Almonertinib (hydrochloride)",
    "Almonertinib (mesylate)",
    "Azacitidine ",
    "Cerdulatinib (PRT062070, PRT2070)",
    "Dox",
    "Salicylic acid",
    "Sodium Salicylate",
    "Tofacitinib",
    "Tofacitinib (citrate)",
    "Topotecan (hydrochloride)",
    "Trametinib (GSK1120212)",
    ORYZANOL,
]
KEYS = {"Salicylic acid": "YGSDEFSMJLZEOE", "Sodium Salicylate": "YGSDEFSMJLZEOE"}
ALIASES = {
    "CP-690550": "Tofacitinib",
    "Hycamtin": "Topotecan",
    "Mekinist": "Trametinib",
    "Dox": "Doxorubicin",
    "Adriamycin": "Doxorubicin",
}
CATALOG = DrugCatalog(NAMES, KEYS, ALIASES)


@pytest.mark.parametrize(
    ("text", "drug", "level"),
    [
        ("Tofacitinib", "Tofacitinib", Level.EXACT),
        (" Azacitidine", "Azacitidine", Level.EXACT),
        ("TOFACITINIB  (Citrate)", "Tofacitinib (citrate)", Level.FOLDED),
        ("gamma-oryzanol", ORYZANOL, Level.FOLDED),
        ("Topotecan", "Topotecan (hydrochloride)", Level.FORM),
        ("azacitidine mesylate", "Azacitidine", Level.FORM),
        ("Tofacitinib citrate", "Tofacitinib (citrate)", Level.FORM),
        ("almonertinib HCl", "Almonertinib (hydrochloride)", Level.FORM),
        ("CP 690550", "Tofacitinib", Level.ALIAS),
        ("CP-690550 (citrate)", "Tofacitinib (citrate)", Level.ALIAS),
        ("Hycamtin®", "Topotecan (hydrochloride)", Level.ALIAS),
        ("Doxorubicin (hydrochloride)", "Dox", Level.ALIAS),
        ("Adriamycin", "Dox", Level.ALIAS),
        ("Trametinib", "Trametinib (GSK1120212)", Level.ALIAS),
        ("GSK-1120212", "Trametinib (GSK1120212)", Level.ALIAS),
        ("Mekinist", "Trametinib (GSK1120212)", Level.ALIAS),
        ("Trametinib (JTP-74057)", "Trametinib (GSK1120212)", Level.ALIAS),
        ("JTP-74057 (trametinib)", "Trametinib (GSK1120212)", Level.ALIAS),
        ("PRT-2070", "Cerdulatinib (PRT062070, PRT2070)", Level.ALIAS),
    ],
)
def test_a_drug_is_read_at_its_closest_level(text, drug, level):
    """Exact before folded before form before alias, with both sides normalised."""
    reading = CATALOG.find(text)
    assert (reading.drug, reading.level) == (drug, level)
    assert CATALOG.resolve(text) == drug


@pytest.mark.parametrize(
    ("text", "level"),
    [("Almonertinib", Level.FORM), ("Almonertinib phosphate", Level.FORM)],
)
def test_two_equally_close_readings_are_refused(text, level):
    """Both are named; find says so as data."""
    both = ("Almonertinib (hydrochloride)", "Almonertinib (mesylate)")
    reading = CATALOG.find(text)
    assert (reading.drug, reading.level, reading.candidates) == (None, level, both)
    assert reading.ambiguous
    with pytest.raises(AmbiguousError, match=r"\(hydrochloride\) or Almonertinib \(mesylate\)"):
        CATALOG.resolve(text)


def test_names_that_differ_in_case_only_need_the_exact_one():
    """Each is itself; a third spelling is ambiguous."""
    catalog = DrugCatalog(["ABC", "abc"], aliases={})
    assert catalog.resolve("abc") == "abc"
    assert catalog.find("Abc").candidates == ("ABC", "abc")


def test_an_unknown_drug_is_refused_with_the_nearest():
    """Nothing is guessed: a near miss is offered, not taken."""
    assert CATALOG.find("Topotekan").candidates == ()
    assert not CATALOG.find("Topotekan").ambiguous
    assert CATALOG.nearest("Topotekan") == ("Topotecan (hydrochloride)",)
    assert CATALOG.nearest("Topotekan", among={"Dox"}) == ()
    assert CATALOG.nearest("zzz") == ()
    with pytest.raises(NotFoundError, match=r"'Topotekan'.*Nearest: Topotecan"):
        CATALOG.resolve("Topotekan")
    assert CATALOG.find("").drug is None


def test_two_remarks_in_brackets_do_not_make_two_drugs_one():
    """A remark is read as a name only against names outside brackets."""
    catalog = DrugCatalog(["Compound A (MEK inhibitor)"], aliases={})
    assert catalog.find("Compound B (MEK inhibitor)").drug is None
    two = DrugCatalog(["Alpha", "Beta"], aliases={})
    assert two.find("Gamma (alpha, beta)").candidates == ("Alpha", "Beta")
    assert two.find("Alpha (Beta)").drug == "Alpha"


def test_reading_among_some_skips_the_others():
    """What is not shown is no reading, however close."""
    assert CATALOG.find("Tofacitinib", among={"Tofacitinib (citrate)"}).level is Level.FORM
    assert CATALOG.find("Almonertinib", among={"Almonertinib (mesylate)"}).drug is not None
    assert CATALOG.find("Tofacitinib", among=set()).drug is None


def test_twins_share_a_parent_by_structure_or_by_name():
    """The structure names the parent where there is one, else the name without its form."""
    assert CATALOG.parent("salicylic acid") == "YGSDEFSMJLZEOE"
    assert CATALOG.twins("Salicylic acid") == ("Sodium Salicylate",)
    assert CATALOG.parent("Tofacitinib (citrate)") == "tofacitinib"
    assert CATALOG.twins("Tofacitinib") == ("Tofacitinib (citrate)",)
    assert CATALOG.twins("Dox") == ()


def test_a_salt_without_a_structure_is_a_twin_of_its_drawn_form():
    """The missing drawing must not let a twin into the pool; of two drawn parents one is taken."""
    assert parents_of(["X ", "X (citrate)"], {"X ": "KEY", "X (citrate)": None}) == {
        "X": "KEY",
        "X (citrate)": "KEY",
    }
    keys = {"X (hydrate)": "ONE", "X (citrate)": "TWO", "X": ""}
    assert set(parents_of(keys, keys).values()) == {"ONE"}


@pytest.mark.parametrize(
    "names",
    [
        ["BMX-123", "BMX123", "bmx 123 (citrate)"],
        ["Foolinib (BMX-999)", "BMX-999"],
        ["Foolinib", "Foolinib (BMX-999)", "BMX999 HCl"],
        ["Barnib", "Barnib-HCl", "Barnib.HCl", "Barnib_HCl", "Barnib/HCl", "BarnibHCl"],
        ["Trametinib", "GSK-1120212"],
        ["Gamma (alpha, beta)", "Alpha", "Beta"],
    ],
)
def test_names_that_read_as_one_drug_are_twins_without_a_structure(names):
    """The pool of one holds no other, whichever of them is drawn; a stranger stays outside."""
    for drawn in [None, *names]:
        catalog = DrugCatalog([*names, "BMX-1234"], {drawn: "KEY"} if drawn else None)
        for name in names:
            assert {name, *catalog.twins(name)} == set(names)
        assert (catalog.parent(names[0]) == "KEY") == (drawn is not None)
        assert catalog.twins("BMX-1234") == ()


_PARTS = st.sampled_from(["BMX-123", "bmx123", "Foolinib", "Barnib", "Trametinib", "GSK1120212"])
_ENDS = st.sampled_from(["", " HCl", "-HCl", "HCl", " (citrate)"])
_WRITTEN = st.one_of(
    st.builds("{}{}".format, _PARTS, _ENDS), st.builds("{} ({}){}".format, _PARTS, _PARTS, _ENDS)
)


@given(st.dictionaries(_WRITTEN, st.sampled_from([None, "ONE", "TWO"]), min_size=2, max_size=8))
def test_who_can_be_read_as_another_has_its_parent(keys):
    """For any two names, at any level; a second pass over the parents found changes nothing."""
    catalog = DrugCatalog(keys, keys)
    parents = {name: catalog.parent(name) for name in catalog.names}
    for name, other in itertools.permutations(catalog.names, 2):
        readable = catalog.find(name, among={other}).drug == other
        drawn_alike = keys[name] is not None and keys[name] == keys[other]
        assert parents[name] == parents[other] or not (readable or drawn_alike)
    assert parents_of(keys, parents) == parents_of(keys, keys) == parents


def test_the_catalogue_knows_its_names():
    """Names are trimmed, sorted and single."""
    assert CATALOG.names == tuple(sorted(name.strip() for name in NAMES))
    assert len(DrugCatalog(["Erdafitinib ", "Erdafitinib"], aliases={})) == 1
    assert "Azacitidine" in CATALOG
    assert "azacitidine" not in CATALOG


@given(st.lists(st.text().filter(str.strip), min_size=1))
def test_a_name_always_means_itself(names):
    """Whatever an atlas calls its drugs, the exact name resolves to itself and is no own twin."""
    catalog = DrugCatalog(names)
    for name in names:
        assert catalog.resolve(name) == name.strip()
        assert name.strip() not in catalog.twins(name)


@given(st.sampled_from(NAMES), st.sampled_from([str.upper, str.lower, str.title]))
def test_case_and_spaces_never_lose_a_name(name, case):
    """Any casing with doubled spaces reads as the drug itself."""
    assert CATALOG.resolve(case(name).replace(" ", "  ")) == name.strip()


def test_five_thousand_names_are_ready_at_once():
    """A catalogue is built while a page loads (a generous bound; about 50 ms here)."""
    names = [f"Compound {i} (hydrochloride)" for i in range(5_000)]
    started = time.perf_counter()
    catalog = DrugCatalog(names, aliases={})
    assert catalog.resolve("compound 4999") == "Compound 4999 (hydrochloride)"
    assert time.perf_counter() - started < 2


@pytest.mark.real
@pytest.mark.parametrize(
    ("atlas", "text", "drug"),
    [
        ("tahoe_meta/drug_metadata", "Adriamycin", "Doxorubicin (hydrochloride)"),
        ("tahoe_meta/drug_metadata", "azd8055", "AZD-8055"),
        ("tahoe_meta/drug_metadata", "Ninlaro", "Ixazomib citrate"),
        ("tahoe_meta/drug_metadata", "Fluorouracil", "5-Fluorouracil"),
        ("tahoe_rank/drugs", "Sirolimus", "Rapamycin"),
        ("sciplex_rank/drugs", "Azacitidine", "Azacitidine"),
        ("sciplex_rank/drugs", "Temsirolimus", "Temsirolimus (CCI-779, NSC 683864)"),
        ("sciplex_rank/drugs", "Epothilone B", "Patupilone (EPO906, Epothilone B)"),
        ("macpie_ovarian_raw/drugs", "Staurosporine", "Stauro"),
        ("macpie_ovarian_raw/drugs", "GSK1120212", "Trametinib"),
    ],
)
def test_real_atlases_answer_to_other_names(real_data, atlas, text, drug):
    """Codes, brands and names in brackets lead to what each atlas calls the drug."""
    with (real_data / f"{atlas}.csv").open(encoding="utf-8", newline="") as lines:
        names = [row["drug"] for row in csv.DictReader(lines)]
    catalog = DrugCatalog(names)
    assert catalog.resolve(text) == drug
    assert [catalog.resolve(name) for name in names] == [name.strip() for name in names]
