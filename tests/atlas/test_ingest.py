"""From files to an atlas: what the options refuse and what the provenance says of the source."""

import hashlib

import pandas as pd
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, UsageError


@pytest.mark.parametrize("wrong", [{"n_hvg": 0}, {"n_hvg": -5}, {"min_cells": -1}])
def test_numbers_that_make_no_sense_are_wrong_use(wrong):
    """They are refused before a file is opened."""
    with pytest.raises(UsageError, match="Give a number of"):
        IngestOptions(**wrong)


def test_a_folder_of_plates_becomes_an_atlas(tmp_path):
    """Size and hash cover every file: the hash is that of what sha256sum prints."""
    source = tmp_path / "plates"
    source.mkdir()
    listed, size = "", 0
    for name, value in [("plate1.csv", 1.0), ("plate2.csv", -3.0)]:
        frame = pd.DataFrame({"cell_line": "A", "drug": ["T", "U"], "G": [value, 0.5]})
        frame.to_csv(source / name, index=False)
        held = (source / name).read_bytes()
        listed, size = listed + f"{hashlib.sha256(held).hexdigest()}  {name}\n", size + len(held)
    folder = tmp_path / "atlases" / "mine"
    ingest(source, folder, options=IngestOptions(value_kind=ValueKind.LOG2FC))
    store = open_atlas("mine", folder.parent)
    assert store.deltas(store.rows("A", ["T"], None)).tolist() == [[-1.0]]
    assert store.provenance["source"] == "plates"
    assert store.provenance["source_bytes"] == size
    assert store.provenance["source_sha256"] == hashlib.sha256(listed.encode()).hexdigest()
    assert store.provenance["source_sha256_scope"] == "list of 2 files, each whole file"
    assert store.provenance["plates_averaged"] == 2


def test_a_folder_without_files_is_refused(tmp_path):
    """The formats are listed."""
    options = IngestOptions(value_kind=ValueKind.LOG2FC)
    with pytest.raises(InputError, match=r"no file of deltas in it \(\.h5ad"):
        ingest(tmp_path, tmp_path / "mine", options=options)
