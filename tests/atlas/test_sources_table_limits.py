"""Tables of too many columns, or packed too well, are refused before their columns are made."""

import gzip
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lgr_core.atlas.sources import csv_reader, table_limits
from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.errors import InputError


def csv_of(path, n_genes):
    """A row of that many genes."""
    names = ",".join(f"G{i}" for i in range(n_genes))
    path.write_text(f"cell_line,drug,{names}\nA,T,{','.join(['1'] * n_genes)}\n")
    return path


def test_a_csv_of_too_many_columns_is_refused(tmp_path, monkeypatch):
    """By its header, line and drug among them."""
    monkeypatch.setattr(table_limits, "MOST_COLUMNS", 5)
    assert inspect_file(csv_of(tmp_path / "a.csv", 3)).genes == 3
    with pytest.raises(InputError, match="it has 6 columns; the limit is 5"):
        inspect_file(csv_of(tmp_path / "b.csv", 4))


def test_no_more_of_a_header_is_read_than_a_header_has(tmp_path):
    """3,000,000 columns cost what the longest header costs, and no more."""
    path = csv_of(tmp_path / "wide.csv", 3_000_000)
    assert path.stat().st_size > 30_000_000
    tracemalloc.start()
    with pytest.raises(InputError, match="longer than 8,000,000 letters"):
        inspect_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_a_header_may_go_over_several_lines(tmp_path, monkeypatch):
    """Names in quotes may hold line breaks, which count as letters."""
    path = tmp_path / "a.csv"
    path.write_text('cell_line,drug,"G\n1"\nA,T,1.5\n')
    assert read_delimited(path, bool).column_names == ["cell_line", "drug", "G\n1"]
    monkeypatch.setattr(csv_reader, "_MOST_HEADER", len('cell_line,drug,"G\n'))
    with pytest.raises(InputError, match="longer than 18 letters"):
        read_delimited(path, bool)


def test_a_parquet_of_too_many_columns_is_refused_by_its_metadata(tmp_path, monkeypatch):
    """Before any reader asks which form it has."""
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table({f"G{i}": [1.0] for i in range(6)}), path)
    assert detect_format(path) is None
    monkeypatch.setattr(table_limits, "MOST_COLUMNS", 5)
    with pytest.raises(InputError, match="it has 6 columns; the limit is 5"):
        detect_format(path)
    monkeypatch.setattr(table_limits, "MOST_FOOTER", 100)
    monkeypatch.setattr(pq, "read_metadata", None)  # not asked
    with pytest.raises(InputError, match="bytes; the limit is 100"):
        detect_format(path)


def test_a_table_packed_too_well_is_refused(tmp_path, monkeypatch):
    """Above the limit of any table, and above what numbers and names ever pack to."""
    path, text = tmp_path / "a.csv.gz", "cell_line,drug,G1\n" + "A,T,0\n" * 20_000
    path.write_bytes(gzip.compress(text.encode()))
    packed = path.stat().st_size
    assert len(text) > 100 * packed
    assert inspect_file(path).rows == 20_000
    monkeypatch.setattr(table_limits, "MOST_UNPACKED", 100_000)
    monkeypatch.setattr(table_limits, "_STEP", 1_000)
    with pytest.raises(InputError, match=f"its {packed:,} bytes unpack to more than 0 MB"):
        inspect_file(path)
    monkeypatch.setattr(table_limits, "USUAL_PACKING", 1_000)
    assert inspect_file(path).rows == 20_000


def test_a_table_that_does_not_fit_is_no_damaged_one(tmp_path, monkeypatch):
    """Arrow has an error of its own for it."""

    def full(*_):
        raise pa.ArrowMemoryError("malloc of size 2097152 failed")

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"cell_line": ["A"], "drug": ["T"], "G1": [1.0]}), path)
    monkeypatch.setattr(pq, "read_table", full)
    with pytest.raises(InputError) as caught:
        inspect_file(path)
    assert caught.value.found == "it does not fit into memory"
