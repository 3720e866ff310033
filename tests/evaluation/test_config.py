"""A plan is stated whole and in one way; a folder takes the same one only."""

import json
from importlib.metadata import PackageNotFoundError

import numpy as np
import pyarrow as pa
import pytest

import lgr_core
from lgr_core.errors import InputError, UsageError
from lgr_core.evaluation import config as plans
from lgr_core.evaluation.config import BenchmarkConfig, check_same, write_config
from lgr_core.evaluation.folds import notes_of
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.source_digest import source_digest
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
    assert list(config["metrics"]) == list(METRICS)
    fewer = {name: each for name, each in config["metrics"].items() if name != "wmse"}
    write_config(tmp_path / "run", config | {"metrics": fewer})
    with pytest.raises(InputError, match=r"another config: metrics\.wmse is None there"):
        check_same(tmp_path / "run", config)


def test_a_metric_with_another_setting_is_named(toy, tmp_path):
    """By the metric, its setting, and both values."""
    config = BenchmarkConfig((Regime.UNSEEN_DRUG,), ()).to_dict(toy)
    assert config["metrics"]["mse_delta"]["best"] == 0
    slope = config["metrics"]["slope"] | {"best": 2.0}
    write_config(tmp_path / "run", config | {"metrics": config["metrics"] | {"slope": slope}})
    with pytest.raises(InputError, match=r"metrics\.slope\.best is 2\.0 there, 1\.0 now"):
        check_same(tmp_path / "run", config)


@pytest.mark.parametrize("before", [{"code": "0123456789abcdef"}, {}])
def test_results_of_other_code_are_not_resumed(toy, tmp_path, before):
    """Both versions are named, and the way on: another folder, or the code that began it."""
    config = BenchmarkConfig((Regime.UNSEEN_DRUG,), ()).to_dict(toy)
    older = {key: value for key, value in config.items() if key != "code"} | before
    write_config(tmp_path / "run", older)
    with pytest.raises(InputError) as caught:
        check_same(tmp_path / "run", config)
    assert before.get("code", "not recorded") in caught.value.found
    assert config["code"] in caught.value.found
    assert "--out" in caught.value.do


def test_the_version_of_the_code_is_that_of_what_decides_scores(tmp_path, monkeypatch):
    """A changed metric or selector changes it, a changed figure or page does not."""
    root = tmp_path / "lgr_core"
    texts = {"metrics/a.py": "1", "evaluation/figures/b.py": "2", "figures/c.py": "3"}
    for name, words in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(words)
    monkeypatch.setattr(lgr_core, "__file__", str(root / "__init__.py"))
    digests = []
    for name in (None, *texts):
        if name is not None:
            (root / name).write_text("other")
        digests.append(source_digest.__wrapped__())
    assert digests[0] != digests[1]
    assert digests[1:] == [digests[1]] * 3


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
