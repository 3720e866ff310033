"""Doses as files write them."""

import math

import pytest

from lgr_core.atlas.sources.doses import parse_dose, parse_literal, to_um
from lgr_core.errors import InputError


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (10, "nM", 0.01),
        (5, "uM", 5.0),
        (5, "µM", 5.0),
        (5, "μM", 5.0),
        (2, "mM", 2000.0),
        (1e-6, "M", 1.0),
        (50, " NM ", 0.05),
    ],
)
def test_units_become_micromolar(value, unit, expected):
    """Every unit in use, both Unicode micros, any case and spaces."""
    assert to_um(value, unit) == expected


def test_float32_and_float64_doses_agree():
    """0.05 read from a float32 column is the same dose as 0.05 read from text."""
    assert to_um(0.05000000074505806, "uM") == to_um(0.05, "uM") == 0.05


def test_an_unknown_unit_is_refused():
    """A unit that is no concentration says which flag sets it."""
    with pytest.raises(InputError, match=r"'mg/ml' is no unit.*--column dose_unit=uM"):
        to_um(1, "mg/ml")


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("10 nM", None, 0.01),
        ("0.5uM", "nM", 0.5),
        ("1e3", "nM", 1.0),
        (".5", "uM", 0.5),
        (5, "uM", 5.0),
    ],
)
def test_dose_text_is_parsed(text, unit, expected):
    """A number, or a number with its unit, which wins over the column's."""
    assert parse_dose(text, unit) == expected


def test_text_that_is_no_dose_is_nan():
    """What cannot be read is counted by the caller, not guessed."""
    assert math.isnan(parse_dose("high", "uM"))


def test_a_dose_without_a_unit_is_refused():
    """10 could be nM or uM: a factor of a thousand is not guessed."""
    with pytest.raises(InputError, match="'10' has no unit"):
        parse_dose("10", None)


def test_zero_needs_no_unit():
    """A vehicle's dose of 0 is 0 in every unit."""
    assert parse_dose(0, None) == 0


def test_tahoe_literal_with_trailing_space():
    """Tahoe writes 'Erdafitinib ' in one column and 'Erdafitinib' in the other."""
    assert parse_literal("[('Erdafitinib ', 0.05, 'uM')]") == ("Erdafitinib", 0.05)


def test_a_combination_has_no_single_dose():
    """Two drugs in one literal are named together; their dose is unknown."""
    drug, dose = parse_literal("[('A', 0.5, 'uM'), ('B', 5.0, 'uM')]")
    assert drug == "A + B"
    assert math.isnan(dose)


@pytest.mark.parametrize(
    "text", ["Infigratinib", "[('A', 0.5)]", "[(broken", "", "[__import__('os')]"]
)
def test_other_text_is_no_literal(text):
    """Only a literal list of (drug, dose, unit) is read; nothing is executed."""
    assert parse_literal(text) is None
