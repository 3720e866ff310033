"""Which cell line a name or id means."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import AmbiguousError, NotFoundError

LINES = CellLineCatalog(
    ["HepG2/C3A", "A549", "Hs 852.T", "NA", "KATO III "],
    {
        "A549": ["CVCL_0023", "ACH-000681"],
        "Hs 852.T": ["CVCL_0950", "NA"],
        "HepG2/C3A": ["", "None"],
        "Elsewhere": ["CVCL_9999"],
    },
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("HepG2/C3A", "HepG2/C3A"),
        ("hepg2c3a", "HepG2/C3A"),
        ("Hep-G2 C3A", "HepG2/C3A"),
        ("hs852t", "Hs 852.T"),
        ("kato_iii", "KATO III"),
        ("CVCL_0023", "A549"),
        ("cvcl 0023", "A549"),
        ("ach-000681", "A549"),
        ("NA", "NA"),
        ("na", "NA"),
    ],
)
def test_a_line_is_found_by_spelling_or_id(text, line):
    """Case, spaces and signs do not matter; NA is a name and never an id."""
    assert LINES.resolve(text) == line
    assert LINES.find(text) == line


def test_an_unknown_line_is_refused_with_the_nearest():
    """The error offers names; find gives None."""
    assert LINES.find("A459") is None
    with pytest.raises(NotFoundError, match="Nearest: A549"):
        LINES.resolve("A459")
    assert LINES.find("None") is None
    assert LINES.find("") is None


def test_ids_of_lines_elsewhere_lead_nowhere():
    """An id counts only for a line of the catalogue."""
    assert LINES.find("CVCL_9999") is None


def test_two_readings_are_refused_with_both_named():
    """A spelling or an id that two lines share is ambiguous; an exact name is not."""
    lines = CellLineCatalog(["SW-1", "SW1"], {"SW-1": ["CVCL_1"], "SW1": ["CVCL_1"]})
    assert lines.resolve("SW1") == "SW1"
    assert lines.candidates("sw 1") == ("SW-1", "SW1")
    for text in ("sw 1", "CVCL_1"):
        with pytest.raises(AmbiguousError, match="SW-1 or SW1"):
            lines.resolve(text)


@given(st.lists(st.text().filter(str.strip), min_size=1))
def test_a_line_always_means_itself(names):
    """Whatever an atlas calls its lines, the exact name resolves to itself."""
    lines = CellLineCatalog(names)
    for name in names:
        assert lines.resolve(name) == name.strip()


@pytest.mark.real
def test_all_real_lines_are_told_apart(real_data):
    """102 lines of Tahoe: every name without signs and every id leads to its own line."""
    path = real_data / "tahoe_meta" / "cell_line_metadata.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    ids = {row["cell_name"]: (row["Cell_ID_Cellosaur"], row["Cell_ID_DepMap"]) for row in rows}
    catalog = CellLineCatalog(ids, ids)
    assert len(catalog) == 102
    for name, (cellosaurus, depmap) in ids.items():
        assert catalog.resolve(name.lower().replace("-", "").replace(" ", "")) == name
        assert catalog.resolve(cellosaurus) == name
        assert not depmap or catalog.resolve(depmap) == name
