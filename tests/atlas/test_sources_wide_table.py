"""Tables taken apart into metadata and genes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lgr_core.atlas.sources.wide_table import split_wide
from lgr_core.errors import InputError


def apart(known=(), **columns):
    """A table of these columns, taken apart."""
    return split_wide(pa.table(columns), Path("x.csv"), known)


def test_numbers_are_genes_and_the_rest_is_metadata():
    """Dates, booleans and categories are no numbers; numbers written as text are."""
    wide = apart(
        drug=["a", "b"],
        TP53=[1, 2],
        MYC=["+1.5", " 2"],
        seen=pa.array([0, 1], pa.date32()),
        used=[True, False],
        kind=pa.array(["x", "y"]).dictionary_encode(),
        dose_um=[1.0, 2.0],
        n_counts=[5, 6],
        mine=[7, 8],
        known={"mine"},
    )
    assert wide.genes == ["TP53", "MYC"]
    np.testing.assert_array_equal(wide.deltas, [[1, 1.5], [2, 2]])
    assert list(wide.obs) == ["drug", "seen", "used", "kind", "dose_um", "n_counts", "mine"]


@pytest.mark.parametrize("holes", [["NA"], ["NA", "", "nan"]])
def test_a_gene_with_holes_is_refused_however_many(holes):
    """Most of its values missing does not make metadata of a gene."""
    said = f"'{holes[0]}' in row 2; rows of it that are no number: {len(holes)} of"
    with pytest.raises(InputError, match=said):
        apart(drug=["a"] * (len(holes) + 1), TP53=["1.5", *holes])


def test_text_with_a_number_in_it_is_metadata():
    """More than half of it is text."""
    assert list(apart(note=["x", "y", "7"], G=[1, 2, 3]).obs) == ["note"]


def test_a_column_without_any_value_is_said(caplog):
    """It is no gene, and not silently none."""
    wide = apart(G=[1, 2], MYC=["", "NA"], TP53=pa.nulls(2))
    assert (wide.genes, wide.empty) == (["G"], ["MYC", "TP53"])
    assert "without any value: MYC, TP53" in caplog.text


def test_a_gene_that_holds_no_numbers_is_not_lost_in_silence(caplog):
    """Text or flags among numbers: the column is named; known metadata is not."""
    apart(drug=["a", "b"], batch=["x", "y"], TP53=["up", "no"], MYC=[True, False], G=[1, 2])
    assert "hold no numbers, and so no genes: TP53, MYC" in caplog.text
    caplog.clear()
    apart(drug=["a", "b"], batch=["x", "y"], mine=["x", "y"], G=[1, 2], known={"mine"})
    assert caplog.text == ""


def test_an_index_is_never_a_gene():
    """Whatever pandas wrote as one is metadata, with or without a name."""
    frame = pd.DataFrame({"drug": ["a", "b"], "G": [1.0, 2.0]})
    for name in ("cond", None):
        indexed = frame.set_index(pd.Index([0.5, 1.5], name=name))
        wide = split_wide(pa.Table.from_pandas(indexed), Path("x.parquet"), ())
        assert wide.genes == ["G"]


def test_metadata_that_stand_twice_are_refused():
    """Which of two columns ``drug`` is meant nobody knows; genes may share a symbol."""
    twice = pa.table([["a"], ["b"], [1.0]], names=["drug", "drug", "G"])
    with pytest.raises(InputError, match="several columns are called 'drug'"):
        split_wide(twice, Path("x.csv"), ())
    genes = pa.table([["a"], [2.0], [1.0]], names=["drug", "G", "G"])
    assert split_wide(genes, Path("x.csv"), ()).genes == ["G", "G"]
