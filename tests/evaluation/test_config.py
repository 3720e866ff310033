"""A plan is stated whole and in one way; a folder takes the same one only."""

import json
from importlib.metadata import PackageNotFoundError

import numpy as np
import pyarrow as pa
import pytest

from lgr_core.errors import InputError, UsageError
from lgr_core.evaluation import config as plans
from lgr_core.evaluation.config import BenchmarkConfig, check_same, write_config
from lgr_core.evaluation.folds import notes_of
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import METRICS


def straddling(folder):
    """A split that trains on one form of a compound and tests another."""
    columns = {
        "cell_type": ["A549", "LoVo", "A549", "Mars"],
        "molecule": ["Tofacitinib (citrate)", "Cobimetinib", "Tofacitinib", "Tofacitinib"],
        "split": ["train", "train", "test", "test"],
    }
    path = folder / "split.arrow"
    with pa.OSFile(str(path), "wb") as sink:
        table = pa.table(columns)
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    return path


def test_regimes_stand_in_one_order_each_once():
    """However they were asked for; a text is as good."""
    asked = (Regime.OPEN_WORLD, "unseen_drug", Regime.OPEN_WORLD)
    assert BenchmarkConfig(asked, ()).regimes == (Regime.UNSEEN_DRUG, Regime.OPEN_WORLD)
    with pytest.raises(UsageError, match="no regime"):
        BenchmarkConfig((), ())
    with pytest.raises(UsageError, match="magic"):
        BenchmarkConfig(("magic",), ())


def test_what_overlaps_is_refused_with_the_way_on_or_left_out(toy, tmp_path):
    """The refusal names the flag; with it, what was left out is told."""
    path = straddling(tmp_path)
    with pytest.raises(InputError, match="--drop-overlap"):
        BenchmarkConfig((Regime.UNSEEN_DRUG,), (), split=path).folds_of(toy, Regime.UNSEEN_DRUG)
    plan = BenchmarkConfig((Regime.UNSEEN_DRUG,), (), split=path, drop_overlap=True)
    folds = plan.folds_of(toy, Regime.UNSEEN_DRUG)
    assert set(toy.conditions["drug"][np.flatnonzero(folds[0].train)]) == {"Cobimetinib"}
    told = notes_of(folds)["unseen_drug"]
    assert told == json.loads(json.dumps(told))
    assert any(note.startswith("Training conditions left out") for note in told["notes"])
    assert told["provenance"]["not_in_atlas"] == {"train": 0, "val": 0, "test": 1}
    assert told["provenance"]["split"] == "split.arrow"


def test_overlap_without_a_split_is_wrong_use():
    """Folds that are made here have none."""
    with pytest.raises(UsageError, match="--split"):
        BenchmarkConfig((Regime.UNSEEN_DRUG,), (), drop_overlap=True)


def test_a_run_that_leaves_overlap_out_is_another_run(toy, tmp_path):
    """So it goes on with the same flag only."""
    path = straddling(tmp_path)
    with_it, without = (
        BenchmarkConfig((Regime.UNSEEN_DRUG,), (), split=path, drop_overlap=drop).to_dict(toy)
        for drop in (True, False)
    )
    write_config(tmp_path / "run", {**with_it, "splits": {"unseen_drug": {}}})
    check_same(tmp_path / "run", with_it)
    with pytest.raises(InputError, match="drop_overlap is True there, False now"):
        check_same(tmp_path / "run", without)


def test_a_run_from_before_the_config_said_all_goes_on(toy, tmp_path):
    """What it does not say, was so."""
    config = BenchmarkConfig((Regime.UNSEEN_DRUG,), ()).to_dict(toy)
    assert config["aggregation"] == "mean"
    older = {key: config[key] for key in config if key not in {"aggregation", "drop_overlap"}}
    write_config(tmp_path / "run", older)
    check_same(tmp_path / "run", config)


def test_a_run_with_other_metrics_is_another_run(toy, tmp_path):
    """Its tables hold other rows; resuming would mix both in one folder."""
    config = BenchmarkConfig((Regime.UNSEEN_DRUG,), ()).to_dict(toy)
    assert config["metrics"] == list(METRICS)
    write_config(tmp_path / "run", config | {"metrics": config["metrics"][:17]})
    with pytest.raises(InputError, match="another config: metrics is"):
        check_same(tmp_path / "run", config)


def test_whether_torch_is_there_is_told_and_not_compared(toy, tmp_path, monkeypatch):
    """A run without chemCPA goes on with or without it."""

    def lacking(package):
        if package == "torch":
            raise PackageNotFoundError(package)
        return "1.0"

    plan = BenchmarkConfig((Regime.UNSEEN_DRUG,), ())
    write_config(tmp_path / "run", plan.to_dict(toy) | {"lgr_version": "1.0"})
    monkeypatch.setattr(plans, "version", lacking)
    config = plan.to_dict(toy)
    assert config["versions"]["torch"] is None
    assert config["versions"]["numpy"] == "1.0"
    check_same(tmp_path / "run", config)
