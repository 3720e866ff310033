"""CSV and TSV, strictly."""

import gzip

import pytest

from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.errors import InputError


def read(tmp_path, text, name="x.csv"):
    """A file of this text, column ``a`` as text."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_delimited(path, lambda column: column == "a")


def test_text_stays_text_and_numbers_are_numbers(tmp_path):
    """NA and 697 are names; a mark at the file's start and blanks around names are none."""
    table = read(tmp_path, b"\xef\xbb\xbfa, b \r\n697, 1.5\r\nNA,2\r\n")
    assert table.to_pydict() == {"a": ["697", "NA"], "b": [1.5, 2.0]}


def test_tabs_and_packed_files(tmp_path):
    """The name says which."""
    assert read(tmp_path, "a\tb\n1,5\t2\n", "x.tsv").to_pydict() == {"a": ["1,5"], "b": [2]}
    packed = gzip.compress(b"a,b\nx,2\n", mtime=0)
    assert read(tmp_path, packed, "x.csv.gz").to_pydict() == {"a": ["x"], "b": [2]}


@pytest.mark.parametrize("row", ["x,1,", "x", "x,1,2"])
def test_a_row_of_another_length_is_refused(tmp_path, row):
    """A comma too many would shift every column; the row is named."""
    with pytest.raises(InputError, match="Row #3: Expected 2 columns"):
        read(tmp_path, f"a,b\nx,1\n{row}\n")


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("", "x.csv", "it cannot be read"),
        ("a,b\n", "x.csv", "a header of 2 columns and no rows"),
        (
            gzip.compress(b"a,b\n" + b"x,1\n" * 9_000, mtime=0)[:-30],
            "x.csv.gz",
            "cut off|Truncated",
        ),
        (b"no gzip", "x.csv.gz", "it cannot be read"),
        ("a,b\nN\N{LATIN SMALL LETTER E WITH ACUTE},1\n".encode("latin-1"), "x.csv", "UTF-8"),
        (b"a,b\nx,N\xe9\n", "x.csv", "UTF-8"),
        ("a,b\nx,1\n".encode("utf-16"), "x.csv", "UTF-8"),
        ("a;b\nx;1,5\n", "x.csv", "semicolons separate"),
        ("a\tb\nx\t1\n", "x.csv", "tabs separate"),
        ("a,b\nx,1\n", "x.tsv", "commas separate"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path, text, name, says):
    """One error, no traceback."""
    with pytest.raises(InputError, match=says):
        read(tmp_path, text, name)
