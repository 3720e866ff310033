"""Names that cannot be read are refused, and never printed as they are."""

import pandas as pd
import pytest

from lgr_core.atlas.sources import read_deltas
from lgr_core.atlas.sources.clean_names import check_readable_names
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError

BAD = ["a\x1b[31mred", "a\x00b", "a\nb", "a\x9bb", "\u200b\u200d", "\ufeff", "a\u202eb", "x" * 301]
GOOD = [
    "17β-Estradiol",
    "x" * 300,
    "caf\u00e9",
    "ab\u200bc",
    "NF-κB inhibitor (S)",
    "薬",
    "a\u00a0b",
]


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused_and_escaped(name):
    """The message has no control character of theirs."""
    with pytest.raises(InputError) as caught:
        check_readable_names(["Talc", name], "drug")
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


def test_names_of_the_field_are_taken():
    """Greek, accents, spaces of any kind, and letters of other scripts."""
    check_readable_names(GOOD, "drug")


@pytest.mark.parametrize("column", ["cell_line", "drug", "plate", "gene"])
@pytest.mark.parametrize("bad", ["\x1b[2J", "\u200b"])
def test_every_kind_of_name_is_looked_at(tmp_path, column, bad):
    """Lines, drugs, plates and genes."""
    row = {"cell_line": ["A", "A"], "drug": ["T", "U"], "plate": ["p", "p"], "G1": [0.5, -1.0]}
    frame = pd.DataFrame(row)
    if column == "gene":
        frame = frame.rename(columns={"G1": f"G1{bad}" if bad != "\u200b" else bad})
    else:
        frame[column] = [bad, "x"]
    path = tmp_path / "x.parquet"
    frame.to_parquet(path)
    with pytest.raises(InputError, match="name"):
        read_deltas(path, value_kind=ValueKind.LOG2FC)
