"""Annotations come from the first source that knows, matched by name on both sides."""

import pandas as pd
import pytest

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines, read_table
from lgr_core.errors import InputError


def test_the_first_source_that_knows_a_field_fills_it():
    """Given tables go before the shipped one, field by field; "unclear" is no knowledge."""
    first = pd.DataFrame({"drug": ["trametinib "], "moa": ["unclear"], "target": ["MAP2K9"]})
    second = pd.DataFrame({"name": ["Trametinib"], "moa": ["MEK inhibitor"], "targets": ["X"]})
    (row,) = annotate_drugs(["Trametinib"], [first, None, second]).to_dict("records")
    assert (row["moa"], row["targets"]) == ("MEK inhibitor", "MAP2K9")
    assert row["pubchem_cid"] == "11707110", "the shipped table fills the rest"
    assert row["parent"] == "LIRYPHYGHXZJBZ"


def test_an_unreadable_structure_counts_as_none():
    """The drug stays, its parent is its name."""
    given = pd.DataFrame({"drug": ["My compound (hydrate)"], "smiles": ["not a structure"]})
    (row,) = annotate_drugs(["My compound (hydrate)"], [given]).to_dict("records")
    assert (row["smiles"], row["parent"]) == ("", "my compound")


def test_lines_are_matched_without_regard_to_punctuation():
    """The shipped ids reach a line however it is spelt."""
    (row,) = annotate_lines(["hepg2-c3a"], []).to_dict("records")
    assert row["cellosaurus"] == "CVCL_1098"


def test_a_table_without_names_is_refused():
    """The message says which column is needed."""
    with pytest.raises(InputError, match="Name one column 'drug'"):
        annotate_drugs(["x"], [pd.DataFrame({"compound_id": ["x"]})])


def test_na_is_a_name_and_a_missing_file_one_error(tmp_path):
    """Text stays text."""
    (tmp_path / "lines.csv").write_text("cell_line,organ\nNA,Lung\n")
    assert annotate_lines(["NA"], [read_table(tmp_path / "lines.csv")])["organ"].tolist() == [
        "Lung"
    ]
    with pytest.raises(InputError, match=r"none\.csv"):
        read_table(tmp_path / "none.csv")


def test_annotations_are_read_strictly(tmp_path):
    """A comma too many shifts nothing, and a name that stands twice is refused."""
    (tmp_path / "x.csv").write_text("drug,moa\nTalc,mineral,\n")
    with pytest.raises(InputError, match="rows differ in length"):
        read_table(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("drug,moa,drug\nTalc,mineral,Zinc\n")
    with pytest.raises(InputError, match="several columns are called 'drug'"):
        read_table(tmp_path / "x.csv")
