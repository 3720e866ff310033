"""Doses as files write them."""

import math

import pytest

from lgr_core.atlas.sources.doses import (
    has_decimal_comma,
    is_inexact,
    is_logarithm,
    parse_dose,
    parse_literal,
    read_unit,
    split_unit,
    to_um,
)
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy


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


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("uM", "uM"),
        ("umol/L", "uM"),
        ("µmol·L⁻¹", "uM"),
        ("umol per litre", "uM"),
        ("micromoles/liter", "uM"),
        ("micromolar", "uM"),
        ("(uM)", "uM"),
        ("nmol/l", "nM"),
        ("nanomolar", "nM"),
        ("mmol/dm3", "mM"),
        ("molar", "M"),
        ("mol/L", "M"),
        ("pM", "pM"),
        ("umol", None),
        ("ug/mL", None),
        ("%", None),
        ("", None),
    ],
)
def test_a_unit_is_read_in_all_its_forms(written, unit):
    """An amount is no concentration, nor is a mass."""
    assert read_unit(written) == unit


@pytest.mark.parametrize("unit", ["uM", "umol/L", "micromolar", "umol per litre", "nmol/L", "M"])
def test_names_and_values_have_one_vocabulary(unit):
    """What ends a column's name is read in a value, and the other way round."""
    name = f"dose_{unit}".lower().replace("/", "_").replace(" ", "_")
    assert split_unit(name) == ("dose", read_unit(unit))
    assert parse_dose(f"10 {unit}", None) == to_um(10, unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10_uM", 10.0),
        ("10 (uM)", 10.0),
        ("(10 uM)", 10.0),
        ("0,1 uM", 0.1),
        ("0,125 uM", 0.125),
        ("1,000 nM", 1.0),
        ("1,000.5 nM", 1.0005),
        ("1.000,5 nM", 1.0005),
        ("1,000,000 pM", 1.0),
        ("1'000 nM", 1.0),
        ("1 000 nM", 1.0),
        ("1.000 uM", 1.0),
        ("~10 uM", 10.0),
        (">10 uM", 10.0),
        ("≥ 10 uM", 10.0),
        ("ca. 10 nM", 0.01),
        ("1x10^-6 M", 1.0),
        ("1\N{MULTIPLICATION SIGN}10⁻⁶ M", 1.0),
        ("10^-6 M", 1.0),
    ],
)
def test_numbers_are_read_as_people_write_them(text, expected):
    """Commas, thousands, powers of ten, and signs before the number."""
    assert parse_dose(text, None) == expected


def test_a_comma_before_three_digits_goes_by_the_column():
    """It parts thousands, unless another value shows that commas part decimals."""
    assert parse_dose("1,250 uM", None) == 1250
    assert parse_dose("1,250 uM", None, decimal_comma=True) == 1.25
    assert has_decimal_comma(["1,250", "0,5"])
    assert not has_decimal_comma(["1,250", "1,000,000", "10"])


@pytest.mark.parametrize("text", ["1-10 uM", "10 20 uM", "1,00,0 uM", "5 uM 24h", "<NA>", "-"])
def test_what_is_no_one_number_is_not_guessed(text):
    """Ranges, two numbers, and a number with something after its unit."""
    assert math.isnan(parse_dose(text, None))


def test_an_unknown_unit_in_a_value_is_quoted_with_a_way_out():
    """The column of units has no say over it: the advice is another one."""
    with pytest.raises(InputError, match="'ug/mL' of '10 ug/mL'.*--column dose= ") as refused:
        parse_dose("10 ug/mL", "uM")
    assert "dose_unit" not in refused.value.do
    assert refused.value.remedy == Remedy(Fix.STRANGE_UNIT, "dose")


def test_signs_and_logarithms_are_known():
    """About and above are warned of; catalog_conc is no logarithm."""
    assert [is_inexact(text) for text in ("~1", ">1 uM", "= 1", "1", 1.0)] == [1, 1, 0, 0, 0]
    names = ("log10_conc", "log_dose", "dose_log10", "logm", "ln_dose", "catalog_conc", "dose")
    assert [is_logarithm(name) for name in names] == [1, 1, 1, 1, 1, 0, 0]
