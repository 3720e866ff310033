"""Rows of a file in our words."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources.clean_names import clean_text
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.metadata import known_facts, read_observations
from lgr_core.errors import InputError, NotFoundError
from lgr_core.remedies import Fix, Remedy


def read(obs, controls=(), **overrides):
    """The observations of a frame, with guessed columns."""
    obs = pd.DataFrame(obs)
    return read_observations(obs, guess_columns(obs, overrides), ReadOptions(controls=controls))


def test_a_solvate_named_after_the_vehicle_is_a_treatment():
    """Controls match to the letter: Trametinib (DMSO_TF solvate) is a MEK inhibitor."""
    seen = read(
        {
            "cell_line": ["A549"] * 3,
            "drug": ["DMSO_TF", "Trametinib (DMSO_TF solvate)", "Trametinib"],
            "dose": [0.0, 5.0, 5.0],
            "dose_unit": "uM",
        }
    )
    assert seen.frame["is_control"].tolist() == [True, False, False]
    assert seen.labels == ("DMSO_TF",)


def test_na_is_a_name():
    """A line called NA and a drug called NA are kept; null and empty are missing."""
    seen = read({"cell_line": ["NA", None, ""], "drug": ["NA", "Talc", "Talc"]})
    assert seen.frame["cell_line"].tolist() == ["NA"]
    assert seen.frame["drug"].tolist() == ["NA"]
    assert seen.dropped == {"no cell line": 2}
    assert seen.kept.tolist() == [0]


def test_names_are_stripped():
    """Erdafitinib with and without its trailing space is one drug."""
    assert list(clean_text(pd.Series(["a ", "a", " b"])).categories) == ["a", "b"]


def test_tahoe_literals_give_doses():
    """The dose comes from drugname_drugconc where there is no dose column."""
    seen = read(
        {
            "cell_name": ["A549", "A549"],
            "drug": ["DMSO_TF", "Erdafitinib"],
            "drugname_drugconc": ["[('DMSO_TF', 0.0, 'uM')]", "[('Erdafitinib ', 0.05, 'uM')]"],
        }
    )
    np.testing.assert_array_equal(seen.frame["dose_um"], [np.nan, 0.05])


def test_a_literal_alone_gives_drug_and_dose():
    """Rhaister's tables write both in the column ``treatment``."""
    seen = read({"cell_line": ["A549"], "treatment": ["[('Erdafitinib ', 0.05, 'uM')]"]})
    assert seen.frame["drug"].tolist() == ["Erdafitinib"]
    assert seen.frame["dose_um"].tolist() == [0.05]


def test_rows_that_cannot_be_used_are_counted_by_reason():
    """Each row counts once, for the first reason that applies."""
    seen = read(
        {
            "cell_line": ["A549", None, "A549", "A549", "A549", "A549"],
            "drug": ["Talc", None, None, "Talc", "Talc", "Talc"],
            "dose": ["5 uM", "5 uM", "5 uM", "high", "0 uM", "5 uM"],
            "pass_filter": ["full", "full", "full", "full", "full", "minimal"],
        }
    )
    assert seen.kept.tolist() == [0]
    assert seen.dropped == {
        "no cell line": 1,
        "no drug": 1,
        "pass_filter is not full": 1,
        "no readable dose": 1,
        "dose not positive": 1,
    }


def test_nothing_left_is_an_error():
    """The counts of each reason are in the message."""
    with pytest.raises(
        InputError, match=r"none is left of 1 \(no readable dose: 1; doses such as .high.\)"
    ):
        read({"cell_line": ["A549"], "drug": ["Talc"], "dose": ["high"]})


def test_units_by_row():
    """A unit column may differ from row to row."""
    seen = read(
        {
            "cell_line": "A549",
            "drug": ["Talc", "Talc"],
            "dose": [10.0, 10.0],
            "dose_unit": ["nM", "uM"],
        }
    )
    assert seen.frame["dose_um"].tolist() == [0.01, 10.0]


def test_missing_doses_and_missing_units():
    """A missing dose is unreadable whatever its unit; a dose of a missing unit is refused."""
    obs = {
        "cell_line": "A549",
        "drug": "Talc",
        "dose": [np.nan, 10.0, np.nan],
        "dose_unit": ["nM", "nM", None],
    }
    seen = read(obs)
    assert seen.frame["dose_um"].tolist() == [0.01]
    assert seen.dropped == {"no readable dose": 2}
    with pytest.raises(InputError, match=r"'1\.0' has no unit|1\.0 has no unit"):
        read({**obs, "dose": [1.0, 1.0, 1.0]})


def test_flagged_rows_are_controls_whatever_their_name():
    """A vehicle of an unknown name is known by its flag; known labels come first."""
    seen = read(
        {"cell_line": "A", "drug": ["PBS", "DMSO", "Talc"], "is_control": [True, True, False]}
    )
    assert seen.labels == ("DMSO", "PBS")
    assert seen.frame["is_control"].tolist() == [True, True, False]


def test_named_controls_replace_flags_and_known_labels():
    """OP3 flags its positive controls: naming the vehicle makes drugs of them again."""
    seen = read(
        {
            "cell_type": "T",
            "sm_name": ["Dimethyl Sulfoxide", "Belinostat", "DMSO"],
            "control": [False, True, False],
        },
        controls=["Dimethyl Sulfoxide"],
    )
    assert seen.frame["is_control"].tolist() == [True, False, False]


def test_a_control_that_does_not_occur_is_refused():
    """The nearest names are offered."""
    with pytest.raises(NotFoundError, match=r"'DMSO'.*Nearest: DMSO_TF"):
        read({"cell_line": "A", "drug": ["DMSO_TF", "Talc"]}, controls=["DMSO"])


def test_a_flagged_row_without_a_drug_is_a_vehicle():
    """A file may leave the vehicle's drug empty."""
    seen = read({"cell_line": "A", "drug": ["", "Talc"], "is_control": [True, False]})
    assert seen.labels == ("unnamed vehicle",)
    assert seen.dropped == {}


def test_a_given_flag_must_say_yes_or_no():
    """A column named as the flag that holds other values is refused with a sample of them."""
    obs = {"cell_line": "A", "drug": ["Talc", "Zinc"], "kind": ["x", "y"]}
    with pytest.raises(InputError, match="'kind' holds x, y"):
        read(obs, is_control="kind")


def test_a_missing_plate_is_no_plate():
    """Rows without a plate keep their place; their plate is unknown."""
    seen = read({"cell_line": "A", "drug": ["Talc", "Zinc"], "plate": ["p1", None]})
    assert seen.frame["plate"].tolist() == ["p1", ""]


def test_facts_of_lines_and_drugs():
    """One row a name, the first value that is not missing; a control is no drug."""
    obs = pd.DataFrame(
        {
            "cell_line": ["A549", "A549", "K562"],
            "drug": ["Talc", "DMSO", "Talc"],
            "organ": ["", "Lung", "Blood"],
            "SMILES": [None, "CS(C)=O", "C"],
        }
    )
    columns = guess_columns(obs)
    seen = read_observations(obs, columns)
    lines = known_facts(obs, seen, columns, "cell_line")
    assert lines.to_dict("list") == {"cell_line": ["A549", "K562"], "organ": ["Lung", "Blood"]}
    drugs = known_facts(obs, seen, columns, "drug")
    assert drugs.to_dict("list") == {"drug": ["Talc"], "smiles": ["C"]}


@pytest.mark.parametrize("text", ["nan", "NaN", "None", "<NA>", "NaT", "null", "N/A", " "])
def test_text_for_a_missing_value_is_missing(text):
    """Of lines, drugs and plates alike; NA is a name."""
    seen = read(
        {"cell_line": ["A", text, "NA"], "drug": ["NA", "Talc", text], "plate": [text, "1", "1"]}
    )
    assert seen.frame[["cell_line", "drug", "plate"]].to_numpy().tolist() == [["A", "NA", ""]]
    assert seen.dropped == {"no cell line": 1, "no drug": 1}


def test_a_vehicle_called_none_can_be_named():
    """What is named as a control is a name, whatever it says."""
    obs = {"cell_line": "A", "drug": ["None", "Talc"]}
    assert read(obs).dropped == {"no drug": 1}
    assert read(obs, controls=("None",)).frame["is_control"].tolist() == [True, False]


def test_spellings_that_differ_in_case_are_one_name(caplog):
    """As most rows write it, the pairs are said, of lines too."""
    seen = read(
        {"cell_line": ["A549", "a549", "A549"], "drug": ["TALC", "Talc", "Talc"], "dose_um": 1.0}
    )
    assert set(seen.frame["cell_line"]) == {"A549"}
    assert set(seen.frame["drug"]) == {"Talc"}
    assert "'a549' as 'A549'" in caplog.text
    assert "'TALC' as 'Talc'" in caplog.text


def test_a_known_controls_spelling_goes_first():
    """Dmso in most rows is DMSO all the same; one that was named stays as it was named."""
    obs = {"cell_line": "A", "drug": ["DMSO", "dmso", "dmso", "Talc"]}
    assert read(obs).frame["is_control"].tolist() == [True, True, True, False]
    assert read(obs, controls=("dmso",)).labels == ("dmso",)


def test_lines_that_differ_in_signs_are_two_and_said(caplog):
    """KM-H2 and KMH2 are two lines; whether SK-MEL-2 and SKMEL2 are is for the user to say."""
    seen = read({"cell_line": ["KM-H2", "KMH2"], "drug": "Talc"})
    assert seen.frame["cell_line"].tolist() == ["KM-H2", "KMH2"]
    assert "'KM-H2' and 'KMH2'" in caplog.text


def test_names_that_may_be_none_are_warned_of_with_their_rows(caplog):
    """Of demultiplexing; one that is named as the vehicle is none of them."""
    obs = {"cell_line": ["A", "A", "A", "unassigned"], "drug": ["Doublet", "negative", "T", "T"]}
    assert len(read(obs).frame) == 4
    assert "'Doublet' (1 rows), 'negative' (1 rows)" in caplog.text
    assert "'unassigned' (1 rows)" in caplog.text
    caplog.clear()
    read(obs, controls=("negative",))
    assert "negative" not in caplog.text


def test_a_drug_given_with_a_vehicle_is_the_drug():
    """As data sets of combinations write it; with a label that was named, too."""
    obs = {"cell_line": "A", "drug": ["ctrl", "Talc+ctrl", "Talc+NT", "Talc+Zinc"]}
    assert read(obs).frame["drug"].tolist() == ["ctrl", "Talc", "Talc+NT", "Talc+Zinc"]
    obs["drug"][0] = "NT"
    seen = read(obs, controls=("NT",))
    assert seen.frame["drug"].tolist() == ["NT", "Talc", "Talc", "Talc+Zinc"]


@pytest.mark.parametrize("unit", ["nan", None, "%", "mg/ml"])
def test_a_vehicle_needs_no_unit(unit):
    """Neither its dose nor its unit is read."""
    seen = read(
        {
            "cell_line": "A",
            "drug": ["DMSO", "Talc"],
            "dose": [0.1, 10.0],
            "dose_unit": [unit, "nM"],
        }
    )
    np.testing.assert_array_equal(seen.frame["dose_um"], [np.nan, 0.01])


@pytest.mark.parametrize("empty", [np.nan, "", "nan"])
def test_an_empty_dose_column_means_no_doses(empty):
    """Whether the vehicle has one or not; a filled column beside it plays the role."""
    obs = {"cell_line": "A", "drug": ["DMSO", "Talc"], "dose_um": [0.0, empty]}
    seen = read(obs)
    assert seen.dropped == {}
    assert seen.frame["dose_um"].isna().all()
    obs |= {"dose_um": [empty, empty], "concentration_nM": [0, 10]}
    assert read(obs).frame["dose_um"].tolist()[1] == 0.01


def test_doses_that_cannot_be_read_are_quoted(caplog):
    """In a warning, and in the error if nothing is left."""
    obs = {"cell_line": "A", "drug": ["T", "U", "V"], "dose_um": ["1-10", "high", "1"]}
    seen = read(obs)
    assert seen.unreadable == ("1-10", "high")
    assert seen.dropped == {"no readable dose": 2}
    assert "'1-10', 'high'" in caplog.text


def test_a_decimal_comma_goes_by_the_whole_column(caplog):
    """0,5 shows what 1,250 is."""
    obs = {"cell_line": "A", "drug": ["T", "U"], "dose_um": ["1,250", "0,5"]}
    assert read(obs).frame["dose_um"].tolist() == [1.25, 0.5]
    assert "thousands" not in caplog.text
    obs["dose_um"] = ["1,250", "10"]
    assert read(obs).frame["dose_um"].tolist() == [1250, 10]
    assert "thousands: '1,250'" in caplog.text


@pytest.mark.parametrize("name", ["log10_conc", "dose_um"])
def test_logarithms_are_no_doses(name):
    """Known by the column's name, or by doses of which none is positive."""
    obs = {"cell_line": "A", "drug": ["T", "U"], name: [-6.0, -5.0]}
    with pytest.raises(InputError, match="logarithms") as refused:
        read(obs, dose=name)
    assert refused.value.remedy == Remedy(Fix.LOGARITHMS, "dose")
    assert read(obs, dose="").frame["dose_um"].isna().all()
