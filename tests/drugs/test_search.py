"""Drugs and cell lines by any word that is known of them."""

import pytest

from lgr_core.drugs.search import matching

DRUGS = {
    "Binimetinib": ("MEK162", "MEK inhibitor", "MAP2K1", "MAP2K2"),
    "Trametinib": ("mekinist", "GSK1120212", "MEK inhibitor", "MAP2K1"),
    "MEK blocker": ("unknown",),
}
LINES = {
    "A549": ("Lung", "CDKN2A", "KRAS", "CVCL_0023", "ACH-000681"),
    "LoVo": ("Bowel", "KRAS", "APC"),
    "HOP-62": ("Lung", "TP53"),
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mekinist", ("Trametinib",)),
        ("gsk1120212", ("Trametinib",)),
        ("MAP2K2", ("Binimetinib",)),
        ("mek", ("MEK blocker", "Binimetinib", "Trametinib")),
        ("inhibitor MEK", ("Binimetinib", "Trametinib")),
        ("etinib", ()),
        ("", ()),
        (" <> ", ()),
    ],
)
def test_drugs_are_found_by_name_synonym_target_and_mechanism(text, names):
    """Every word begins a known one; those named so come first."""
    assert matching(text, DRUGS) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [("lung KRAS", ("A549",)), ("kras", ("A549", "LoVo")), ("CVCL_0023", ("A549",))],
)
def test_lines_are_found_by_organ_driver_and_id(text, names):
    """In any order of words."""
    assert matching(text, LINES) == names
