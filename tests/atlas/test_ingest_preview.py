"""What a check foretells is what an ingest makes, and it builds nothing."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_preview import Remark, preview_ingest
from lgr_core.atlas.sources import inspection
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import AmbiguousError, InputError, NotCountsError, UsageError
from lgr_core.remedies import Fix, Remedy
from tests.support.count_files import write_h5ad

CHANGES = IngestOptions(value_kind=ValueKind.LOG2FC, min_cells=40)


@pytest.fixture
def cells(tmp_path):
    """Raw counts of two lines, one plate without a vehicle, one cell without a drug."""
    rows = [("A549", "DMSO", "0 uM", "p1")] * 3 + [("A549", "Talc", "1 uM", "p1")] * 4
    rows += [("A549", "Talc", "1 uM", "p2")] * 5 + [("LoVo", "Talc", "1 uM", "p2")] * 2
    rows += [("A549", None, "1 uM", "p1")]
    obs = pd.DataFrame(rows, columns=["cell_line", "drug", "dose", "plate"])
    X = np.random.default_rng(0).poisson(4.0, (len(obs), 12))
    return write_h5ad(tmp_path / "cells.h5ad", X, obs)


@pytest.fixture
def changes(tmp_path):
    """Changes with cells and an odd column."""
    frame = pd.DataFrame(
        {
            "cell_line": ["A549", "A549", "LoVo", "A549"],
            "drug": ["Trametinib", "Nobody knows", "Trametinib", "DMSO"],
            "dose_um": [1.0, 1.0, 1.0, 1.0],
            "n_cells": [50, 20, None, 60],
            "remark": ["x", "y", "z", "w"],
            "G1": [1.0, -1.0, 0.5, 0.0],
            "G2": [0.5, 2.0, -0.5, 0.0],
        }
    )
    path = tmp_path / "changes.csv"
    frame.to_csv(path, index=False)
    return path


def test_counts_are_foretold_without_being_read(cells, tmp_path):
    """Cells, vehicles, what is left out: as the atlas then has them."""
    found = preview_ingest(cells, IngestOptions(min_cells=5))
    assert (found.unit, found.n_used, found.plates, found.genes) == ("cells", 14, 2, 12)
    assert found.controls == {"DMSO": 3}
    assert found.left_out == {"no drug": 1, "groups of a line without any vehicle": 1}
    assert found.value_kind is ValueKind.LOGNORM_DELTA
    ingest(cells, tmp_path / "atlases" / "x", options=IngestOptions(min_cells=5))
    store = open_atlas("x", tmp_path / "atlases")
    columns = ["cell_line", "drug", "dose_um", "n_cells", "underpowered"]
    pd.testing.assert_frame_equal(found.conditions[columns], store.conditions[columns])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["atlases", "cells.h5ad"]


def test_changes_are_foretold(changes):
    """Conditions, few cells, structures known, what the reader warns of."""
    found = preview_ingest(changes, CHANGES)
    assert found.unit == "rows"
    assert len(found.conditions) == 3
    assert found.conditions["underpowered"].sum() == 1
    assert found.controls == {"DMSO": 1}
    assert found.with_structure == 1
    assert found.columns["drug"] == "drug (guessed)"
    assert any("remark" in str(said) for said in found.remarks)
    assert found.count("cell_line") == 2


def test_a_remark_words_its_remedy_for_who_reads_it():
    """A flag for the shell, a field for a page; without places the sentence stands as it is."""
    remark = Remark("flagged: %s (%s)", ("Talc", Remedy(Fix.NO_FLAG, "is_control")))
    assert str(remark) == "flagged: Talc (keep as drugs: --column is_control=)"
    assert remark.text(lambda remedy: remedy.role) == "flagged: Talc (is_control)"
    assert str(Remark("100 % of it")) == "100 % of it"


def test_tables_that_come_along_are_read(changes, tmp_path):
    """A structure from the table counts; a table without names is refused."""
    table = tmp_path / "drugs.csv"
    table.write_text("drug,smiles\nNobody knows,CCO\n")
    assert preview_ingest(changes, CHANGES, drugs=table).with_structure == 2
    table.write_text("what,smiles\nNobody knows,CCO\n")
    with pytest.raises(InputError, match="annotations by drug"):
        preview_ingest(changes, CHANGES, drugs=table)
    table.write_text("who\nA549\n")
    with pytest.raises(InputError, match="annotations by cell_line"):
        preview_ingest(changes, CHANGES, cell_lines=table)


def test_what_cannot_be_ingested_is_said_by_the_check(cells, changes, tmp_path):
    """Counts called changes, changes called counts, a column in doubt, a kind that is fixed."""
    with pytest.raises(InputError, match="raw counts"):
        preview_ingest(cells, IngestOptions(value_kind=ValueKind.LOG2FC, columns={"time": ""}))
    with pytest.raises(InputError, match="raw counts are read from h5ad only"):
        preview_ingest(changes, IngestOptions())
    path = tmp_path / "two.csv"
    path.write_text("cell_line,drug,drug_name,G1\nA,T,U,1\nB,T,V,-1\n")
    with pytest.raises(AmbiguousError, match="equally plausible"):
        preview_ingest(path, CHANGES)
    halves = write_h5ad(tmp_path / "h.h5ad", [[0.5, 1.0]], {"cell_line": ["A"], "drug": ["T"]})
    with pytest.raises(NotCountsError):
        preview_ingest(halves, IngestOptions())
    op3 = {"sm_name": ["T"], "cell_type": ["A"], "dose_uM": [1.0]}
    shards = tmp_path / "s.parquet"
    pd.DataFrame({"genes": [[1]], "expressions": [[-2.0]], **op3}).to_parquet(shards)
    with pytest.raises(UsageError, match="whose values are raw counts"):
        preview_ingest(shards, CHANGES)


def test_what_would_fill_the_memory_is_refused(cells, tmp_path, monkeypatch):
    """Changes, and sums of counts, beyond the limit."""
    monkeypatch.setattr(inspection, "MOST_VALUES", 30)
    with pytest.raises(InputError, match="the limit is 30"):
        preview_ingest(cells, IngestOptions())
    obs = {"cell_line": ["A", "B", "C"], "drug": ["T", "T", "T"]}
    wide = write_h5ad(tmp_path / "w.h5ad", np.full((3, 12), -0.5), obs)
    with pytest.raises(InputError, match="3 x 12 values; the limit is 30"):
        preview_ingest(wide, CHANGES)
