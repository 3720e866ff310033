"""How a name is read."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.drugs.normalise import fold, joined, safe_name


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("  Gallic   ACID ", "gallic acid"),
        ("18β-Glycyrrhetinic acid", "18beta-glycyrrhetinic acid"),
        ("\N{GREEK SMALL LETTER GAMMA}-Oryzanol", "gamma-oryzanol"),
        ("AZD\u20118055", "azd-8055"),
        ("AZD\u22128055", "azd-8055"),
        ("5-Aza-2\u2032-deoxycytidine", "5-aza-2'-deoxycytidine"),
        ("5-Aza-2\u2019-deoxycytidine", "5-aza-2'-deoxycytidine"),
        ("5-Aza-2`-deoxycytidine", "5-aza-2'-deoxycytidine"),
        ("\uff34\uff21\uff2b\uff0d\uff17\uff13\uff13", "tak-733"),
        ("Gleevec®", "gleevec"),
        ("Mekinist™", "mekinist"),
        ("Imatinib\u00b7HCl", "imatinib hcl"),
        ("Sala\u0301cid", "salacid"),
        ("Sal\u00e1cid", "salacid"),
        ("Ima\u200btinib\u00a0mesylate", "imatinib mesylate"),
        ("", ""),
    ],
)
def test_fold_unifies_what_means_the_same(name, folded):
    """Case, spaces, dashes, primes, Greek letters, accents and Unicode forms do not matter."""
    assert fold(name) == folded


@given(st.text())
def test_folding_twice_changes_nothing(name):
    """Fold is idempotent for any text."""
    assert fold(fold(name)) == fold(name)


@given(st.text(st.characters(codec="latin-1")))
def test_case_never_matters(name):
    """Upper and lower case of a Latin name fold to the same."""
    assert fold(name.upper()) == fold(name.lower())


def test_joined_is_blind_to_hyphens_and_spaces():
    """Research codes are written with and without hyphens; a name of hyphens alone survives."""
    assert joined("gsk-1120212") == joined("gsk 1120212") == "gsk1120212"
    assert joined("--") == "--"


@pytest.mark.parametrize(
    ("name", "safe"),
    [("HepG2/C3A", "HepG2%2FC3A"), ("18β", "18%CE%B2"), ("..", "%2E."), (".git", "%2Egit")],
)
def test_safe_names_hold_no_separator_and_no_leading_dot(name, safe):
    """A drug or line makes one harmless part of a path or URL."""
    assert safe_name(name) == safe


@given(st.text())
def test_safe_names_can_be_read_back(name):
    """Unquoting gives the name again, so no two names share a file."""
    safe = safe_name(name.encode("utf-8", "ignore").decode())
    assert unquote(safe) == name.encode("utf-8", "ignore").decode()
    assert "/" not in safe
    assert not safe.startswith(".")
