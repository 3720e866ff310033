"""Salts, hydrates and solvates come off a name; esters and cations in front stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.drugs.salts import bracket, split_form, strip_form


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Tofacitinib (citrate)", "tofacitinib"),
        ("imatinib mesylate", "imatinib"),
        ("Imatinib Mesilate", "imatinib"),
        ("(R)-Verapamil (hydrochloride)", "(r)-verapamil"),
        ("Trametinib (DMSO_TF solvate)", "trametinib"),
        ("Berbamine dihydrochloride hydrate", "berbamine"),
        ("Quisinostat 2HCl", "quisinostat"),
        ("Balsalazide (sodium hydrate)", "balsalazide"),
        ("Alendronate sodium trihydrate", "alendronate"),
        ("L-Thyroxine (sodium salt pentahydrate)", "l-thyroxine"),
        ("LY-2584702 (tosylate salt)", "ly-2584702"),
        ("Dapagliflozin ((2S)-1,2-propanediol, hydrate)", "dapagliflozin"),
        ("Cabozantinib (S-malate)", "cabozantinib"),
        ("ENMD-2076 L-(+)-Tartaric acid ", "enmd-2076"),
        ("S-Adenosyl-L-methionine (disulfate tosylate)", "s-adenosyl-l-methionine"),
        ("Fostamatinib (disodium hexahydrate)", "fostamatinib"),
        ("Erlotinib (free base)", "erlotinib"),
        ("Erlotinib free base", "erlotinib"),
        ("Quetiapine hydrogen fumarate", "quetiapine"),
        ("Doxorubicin·HCl", "doxorubicin"),
        ("Compound [TFA]", "compound"),
        ("Lactate (calcium)", "lactate"),
        ("Alvespimycin (17-DMAG) HCl", "alvespimycin (17-dmag)"),
        ("Barnib-HCl", "barnib"),
        ("Barnib.2HCl", "barnib"),
        ("Barnib_HBr", "barnib"),
        ("Barnib/HCl", "barnib"),
        ("BarnibHCl", "barnib"),
        ("BMX-123-mesylate", "bmx-123"),
        ("Alvespimycin (17-DMAG)-HCl", "alvespimycin (17-dmag)"),
    ],
)
def test_known_forms_come_off(name, base):
    """Bracketed, bare, spelled, counted and several forms are all stripped."""
    assert strip_form(name) == base


@pytest.mark.parametrize(
    "name",
    [
        "sodium salicylate",
        "sodium citrate",
        "dimethyl fumarate",
        "folic acid",
        "fumaric acid",
        "hydrochloride",
        "(hydrochloride)",
        "- hcl",
        "dmso",
        "medroxyprogesterone acetate",
        "estrone sulfate",
        "ixazomib citrate",
        "betamethasone dipropionate",
        "adenosine triphosphate",
        "isosorbide mononitrate",
        "(s)-crizotinib",
        "crizotinib (pf-02341066)",
        "quinidine (15% dihydroquinidine)",
        "epsom salt",
        "phorbol-12-myristate-13-acetate",
        "glucose-6-phosphate",
        "sodium-hcl",
        "khcl",
    ],
)
def test_what_is_no_form_stays(name):
    """Other compounds, cations in front, stereo, remarks and bare form words are left alone."""
    assert strip_form(name) == name


def test_an_ester_loses_its_own_salt_only():
    """Estrone sulfate is a conjugate of its own; its potassium is a counter-ion."""
    assert strip_form("Estrone sulfate (potassium)") == "estrone sulfate"


def test_the_words_of_a_form_are_spelled_one_way():
    """2HCl, HCl and dihydrochloride are one word; order and water are kept apart."""
    assert split_form("X 2HCl").words == {"hydrochloride"}
    assert split_form("X (hydrochloride hydrate)").words == {"hydrochloride", "hydrate"}
    assert split_form("X HCl monohydrate") == split_form("X (hydrate hydrochloride)")
    assert split_form("X (anhydrous)") == split_form("X")


def test_a_bracket_may_hold_brackets():
    """The last closing bracket is matched with its own opening one."""
    assert bracket("a ((2s)-b, c)") == ("a", "(2s)-b, c")
    assert bracket("(r)-a") == ("(r)-a", "")
    assert bracket("a)") == ("a)", "")


@given(st.text(st.sampled_from("ab-()[], hclsodium·é"), min_size=1))
def test_stripping_is_idempotent_and_never_empties(name):
    """Whatever is left has no further form, and something is left if there was anything."""
    base = strip_form(name)
    assert strip_form(base) == base
    assert bool(base) == bool(strip_form(base))
    assert base or not name.replace("·", "").strip()
