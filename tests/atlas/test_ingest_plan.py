"""The plan of an ingest: files, format and options, settled before anything is read."""

import os

import pandas as pd
import pytest

from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_plan import plan_ingest
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, UsageError
from tests.support.count_files import write_h5ad
from tests.support.published_files import rhaister_folder


@pytest.fixture
def changes(tmp_path):
    """One change of one gene."""
    path = tmp_path / "x.csv"
    pd.DataFrame({"cell_line": ["A549"], "drug": ["Talc"], "TP53": [1.0]}).to_csv(path, index=False)
    return path


def test_a_format_settles_what_the_caller_leaves_open(tmp_path):
    """Kind, columns, files and shared wells; what the caller says goes first."""
    folder = rhaister_folder(tmp_path / "tahoe", {6: 5.0, 14: 5.0})
    plan = plan_ingest(folder, IngestOptions(columns={"drug": "other"}, shared_wells="no"))
    assert plan.ready_kind is ValueKind.LOGNORM_DELTA
    assert plan.options.columns["drug"] == "other"
    assert plan.options.columns["plate"] == "plate"
    assert [file.name for file in plan.files] == ["plate_plate6.parquet", "plate_plate14.parquet"]
    assert plan.shared_wells == "no"
    assert plan_ingest(folder, IngestOptions()).shared_wells == "yes"
    with pytest.raises(UsageError, match="value-kind"):
        plan_ingest(folder, IngestOptions(value_kind=ValueKind.ZSCORE))


def test_counts_are_planned_where_no_kind_is_said(tmp_path):
    """They are opened by the plan, and not read."""
    obs = {"cell_line": "A549", "drug": ["Talc", "DMSO"]}
    plan = plan_ingest(write_h5ad(tmp_path / "c.h5ad", [[1, 2], [3, 4]], obs), IngestOptions())
    assert plan.ready_kind is None
    assert plan.open_counts().obs["drug"].tolist() == ["Talc", "DMSO"]


def test_a_file_that_changes_after_the_plan_is_noticed(changes):
    """By its size or its time."""
    plan = plan_ingest(changes, IngestOptions(value_kind=ValueKind.LOG2FC))
    plan.check_unchanged()
    os.utime(changes, ns=(1, 1))
    with pytest.raises(InputError, match="changed"):
        plan.check_unchanged()


def test_the_callers_annotations_go_before_the_files(changes, tmp_path):
    """Of one drug the mechanism is the caller's, the target the file's."""
    table = tmp_path / "drugs.csv"
    pd.DataFrame({"drug": ["Talc"], "moa": ["filler"]}).to_csv(table, index=False)
    plan = plan_ingest(changes, IngestOptions(value_kind=ValueKind.LOG2FC), drugs=table)
    own = pd.DataFrame({"drug": ["Talc"], "moa": ["powder"], "targets": ["TP53"]})
    row = plan.annotate_drugs(["Talc"], own).iloc[0]
    assert (row["moa"], row["targets"]) == ("filler", "TP53")


def test_a_missing_table_of_the_callers_is_refused_at_once(changes, tmp_path):
    """Before the file is read."""
    options = IngestOptions(value_kind=ValueKind.LOG2FC, samples=tmp_path / "none.csv")
    with pytest.raises(InputError, match="none.csv"):
        plan_ingest(changes, options)
