"""Roles of columns, guessed from the conventions in use."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.sources.columns import guess_columns, read_flag
from lgr_core.errors import AmbiguousError, InputError, UsageError


def frame(**columns):
    """A frame of one row a value; a lone value becomes a row."""
    return pd.DataFrame({name: np.atleast_1d(value) for name, value in columns.items()})


CONVENTIONS = {
    "tahoe": (
        frame(
            cell_line="CVCL_0023",
            cell_name="A549",
            drug="Infigratinib",
            drugname_drugconc="[('Infigratinib', 0.05, 'uM')]",
            plate="plate1",
            pass_filter="full",  # noqa: S106 - no password
        ),
        {
            "cell_line": "cell_name",
            "drug": "drug",
            "drug_dose": "drugname_drugconc",
            "plate": "plate",
            "pass_filter": "pass_filter",
            "cellosaurus": "cell_line",
        },
    ),
    "sciplex": (
        frame(
            perturbation="control",
            dose_value=10.0,
            dose_unit="nM",
            cell_line="A549",
            celltype="x",
            perturbation_type="drug",
            well="A1",
            plate="1",
            target="HDAC",
        ),
        {
            "cell_line": "cell_line",
            "drug": "perturbation",
            "dose": "dose_value",
            "dose_unit": "dose_unit",
            "plate": "plate",
            "well": "well",
            "target": "target",
        },
    ),
    "op3": (
        frame(
            sm_name="Dimethyl Sulfoxide", dose_uM=0.1, cell_type="T", plate_name="P1", SMILES="C"
        ),
        {
            "cell_line": "cell_type",
            "drug": "sm_name",
            "dose": "dose_uM",
            "plate": "plate_name",
            "smiles": "SMILES",
        },
    ),
    "chemcpa": (
        frame(condition="Dasatinib", dose=1.0, dose_val=0.1, cell_type="K562", control=0),
        {"cell_line": "cell_type", "drug": "condition", "dose": "dose", "is_control": "control"},
    ),
    "rhaister": (
        frame(cell_line="A549", treatment="[('Talc', 5.0, 'uM')]"),
        {"cell_line": "cell_line", "drug": "treatment"},
    ),
    "ours": (
        frame(cell_line="A549", drug="Talc", dose=1.0, dose_unit="uM", is_control=False, n_cells=9),
        {
            "cell_line": "cell_line",
            "drug": "drug",
            "dose": "dose",
            "dose_unit": "dose_unit",
            "is_control": "is_control",
            "n_cells": "n_cells",
        },
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_are_recognised(name):
    """Each publisher's columns find their roles, no more and no fewer, and count as guessed."""
    obs, expected = CONVENTIONS[name]
    columns = guess_columns(obs)
    assert dict(columns.columns) == expected
    assert columns.guessed == set(expected)


def test_a_lone_cellosaurus_column_names_the_lines():
    """Ids are better than nothing: without names they are the names."""
    columns = guess_columns(frame(cell_line="CVCL_0023", drug="Talc"))
    assert columns.get("cell_line") == columns.get("cellosaurus") == "cell_line"


def test_two_equally_plausible_columns_are_refused():
    """The message names both, and the flags that settle it."""
    obs = frame(cell_line="A549", compound="Talc", treatment="T1")
    with pytest.raises(AmbiguousError, match=r"--column drug=compound or --column drug=treatment"):
        guess_columns(obs)
    assert guess_columns(obs, {"drug": "compound"}).get("drug") == "compound"


def test_two_columns_that_say_the_same_are_no_ambiguity():
    """The first of them is used."""
    obs = frame(cell_line="A549", compound="Talc", treatment="Talc")
    assert guess_columns(obs).get("drug") == "compound"


def test_an_override_is_no_guess():
    """Provenance tells what the user said from what was guessed."""
    columns = guess_columns(frame(line="A549", drug="Talc"), {"cell_line": "line"})
    assert columns.record() == {"cell_line": "line", "drug": "drug (guessed)"}


def test_an_empty_override_leaves_a_role_unplayed():
    """``--column is_control=`` turns a misleading flag off."""
    obs = frame(cell_line="A549", drug="Belinostat", control=1)
    assert guess_columns(obs, {"is_control": ""}).get("is_control") is None


def test_a_unit_may_stand_for_a_column():
    """``--column dose_unit=nM`` is a unit for all rows; a name ending in it is one too."""
    obs = frame(cell_line="A549", drug="Talc", dose=10.0)
    assert guess_columns(obs, {"dose_unit": "nM"}).dose_unit == "nM"
    assert guess_columns(frame(cell_line="A", drug="T", dose_nM=10.0)).dose_unit == "nM"
    assert guess_columns(obs).dose_unit is None


def test_a_missing_role_lists_the_columns():
    """Columns that were left unread are listed as well."""
    with pytest.raises(InputError, match=r"cell_line.*columns found: drug, BARCODE.*--column"):
        guess_columns(frame(drug="Talc"), unread=["BARCODE"])


def test_an_override_of_a_missing_column_is_refused():
    """A typing error is not taken for absence."""
    with pytest.raises(InputError, match="there is no column 'dr'"):
        guess_columns(frame(cell_line="A549", drug="Talc"), {"drug": "dr"})


def test_an_unknown_role_is_refused():
    """The roles are listed."""
    with pytest.raises(UsageError, match=r"no role medicine.*cell_line"):
        guess_columns(frame(cell_line="A549", drug="Talc"), {"medicine": "drug"})


def test_text_named_control_is_no_flag():
    """A column ``control`` of names cannot be the control flag."""
    assert guess_columns(frame(cell_line="A", drug="T", control="DMSO")).get("is_control") is None


@pytest.mark.parametrize(
    "values", [[True, False], [1, 0], [1.0, 0.0], ["True", "false"], ["1", "0"]]
)
def test_flags_are_read(values):
    """Booleans, numbers and their text; a missing value is no."""
    np.testing.assert_array_equal(read_flag(pd.Series(values)), [True, False])
    flag = read_flag(pd.Series([*values, None], dtype=object))
    np.testing.assert_array_equal(flag, [True, False, False])


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Dose (uM)", "uM"),
        ("dose_\N{MICRO SIGN}M", "uM"),
        ("conc. (nM)", "nM"),
        ("dose_mM", "mM"),
        ("Concentration [\N{GREEK SMALL LETTER MU}M]", "uM"),
        ("dose_pM", "pM"),
        ("dose_M", "M"),
    ],
)
def test_units_stand_in_the_name_of_the_dose(name, unit):
    """In brackets, after a dash, with either letter micro."""
    columns = guess_columns(frame(cell_line="A", drug="T").assign(**{name: 1.0}))
    assert (columns.get("dose"), columns.dose_unit) == (name, unit)


def test_two_units_of_one_dose_are_refused():
    """A name that says nM and a column that says uM; the caller settles it."""
    obs = frame(cell_line="A", drug="T", dose_nM=10.0, dose_unit="uM")
    with pytest.raises(AmbiguousError, match="'dose_nM' says nM, 'dose_unit' says uM"):
        guess_columns(obs)
    assert guess_columns(obs, {"dose_unit": "nM"}).dose_unit == "nM"
    assert guess_columns(obs, {"dose_unit": "dose_unit"}).get("dose_unit") == "dose_unit"
    assert guess_columns(obs.assign(dose_unit="nM")).get("dose_unit") == "dose_unit"


def test_what_the_caller_has_spoken_of_is_settled():
    """A role that is left unplayed on purpose, too."""
    obs = frame(cell_line="A", drug="T", dose=1.0)
    assert guess_columns(obs, {"dose": "", "drug": "drug"}).settled == {"dose", "drug"}
