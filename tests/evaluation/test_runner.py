"""A run scores every method on every query, can be resumed, and refuses to mix with another."""

import json
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lgr_core.config import Settings
from lgr_core.domain import Evidence
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation import run_store as results
from lgr_core.evaluation import runner
from lgr_core.evaluation.calibration_store import newest_params
from lgr_core.evaluation.config import BenchmarkConfig, digest
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import CONTROLS, REGISTRY, MethodContext, chosen_methods
from lgr_core.evaluation.run_store import load_run
from lgr_core.evaluation.runner import run_benchmark
from lgr_core.evaluation.well_parts import WellPart
from lgr_core.metrics import METRICS
from lgr_core.prediction.kriging import Kernel
from lgr_core.prediction.method import Status
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector

pytestmark = pytest.mark.slow

OFFLINE = tuple(name for name in REGISTRY if "llm" not in name and name != "chemcpa")


OURS = partial(make_selector, recorded=partial(recorded_selector, settings=Settings()))
"""As the command line makes them."""


def plan_of(**changes):
    """All offline methods in all regimes, small."""
    usual = BenchmarkConfig(tuple(Regime), OFFLINE, k=2, folds=3, random_seeds=3)
    return replace(usual, **changes)


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    """A finished run on the toy atlas."""
    return run_benchmark(toy, plan_of(), tmp_path_factory.mktemp("run"), selectors=OURS)


def score_of(run, method, metric, regime="open_world"):
    """A method's mean in the summary."""
    table = run.summary
    row = (table["method"] == method) & (table["metric"] == metric) & (table["regime"] == regime)
    return table.loc[row, "mean"].item()


def test_every_method_answers_for_every_query_in_every_regime(toy, run):
    """Each has a row for every condition and metric, with a status."""
    n = len(toy.conditions)
    counts = run.scores.groupby(["regime", "method"], observed=True).size()
    assert set(counts) == {n * len(METRICS)}
    assert len(counts) == len(Regime) * len(OFFLINE)
    assert run.scores["status"].notna().all()
    undefined = run.scores[run.scores["status"] != "ok"]
    assert undefined["value"].isna().all()
    assert undefined["detail"].notna().all()


def test_the_truth_is_perfect_on_every_metric(run):
    """Whatever is defined of it is the metric's best."""
    for regime in Regime:
        for name, metric in METRICS.items():
            if name.startswith("discrimination"):
                continue  # 1 - 1/n at best
            value = score_of(run, "truth", name, regime)
            assert np.isnan(value) or value == pytest.approx(metric.best, abs=1e-6), name


def test_the_zero_prediction_has_an_error_and_no_correlation(run):
    """Undefined is NaN with a count, never 0."""
    assert score_of(run, "zero", "mae_delta") > 0
    assert np.isnan(score_of(run, "zero", "pearson_delta"))
    table = run.summary
    row = (table["method"] == "zero") & (table["metric"] == "pearson_delta")
    assert (table.loc[row, "n_undefined"] == table.loc[row, "n_queries"]).all()


def test_scores_can_be_recomputed_from_the_atlas(toy, run):
    """The pool mean's error of one query, by hand."""
    table = run.scores
    row = (table["method"] == "pool_mean") & (table["metric"] == "mae_delta")
    row &= (table["regime"] == "open_world") & (table["drug"] == "Trametinib")
    row &= (table["cell_line"] == "LoVo") & (table["dose_um"] == 5.0)
    others = [drug for drug in toy.measured_drugs("LoVo", 5.0) if drug != "Trametinib"]
    mean = toy.deltas(toy.rows("LoVo", others, 5.0)).mean(axis=0)
    truth = toy.deltas(toy.rows("LoVo", ["Trametinib"], 5.0))[0]
    assert table.loc[row, "value"].item() == pytest.approx(np.abs(mean - truth).mean(), rel=1e-6)


def test_methods_that_may_read_nothing_there_are_not_applicable(run):
    """In the strict regime no pool of the line is opened, and it is said."""
    table = run.scores[run.scores["regime"] == "unseen_cell_line_strict"]
    assert set(table.loc[table["method"] == "pool_mean", "status"]) == {"empty_pool"}
    assert "ok" in set(table.loc[table["method"] == "random_k", "status"])


def test_random_is_the_mean_of_its_seeds_scores(run):
    """One mean a seed, and their mean is the method's."""
    seeds = run.seeds[(run.seeds["metric"] == "mae_delta") & (run.seeds["regime"] == "open_world")]
    assert seeds["seed"].tolist() == [0, 1, 2]
    assert len(set(seeds["mean"])) > 1
    assert seeds["mean"].mean() == pytest.approx(score_of(run, "random_k", "mae_delta"))


def test_random_draws_are_a_part_of_their_own(run):
    """They are as much work as all the others together, so another process can take them."""
    parts = {path.name for path in (run.folder / "parts").iterdir()}
    folds = {f"{regime}-{fold}" for regime in Regime for fold in range(3)}
    assert parts == folds | {f"{fold}-random_k" for fold in folds}
    assert "random_k" in set(run.k_curve["method"])


def test_the_longest_parts_are_begun_first():
    """So that no process is left with a long one at the end."""
    names = ("random_k", None, "chemcpa")
    part = WellPart(None, np.arange(2))
    tasks = [runner.FoldTask(None, part, np.arange(0), (), alone=name) for name in names]
    order = sorted(tasks, key=runner.length, reverse=True)
    assert [task.alone for task in order] == ["chemcpa", None, "random_k"]
    few = runner.FoldTask(None, WellPart(None, np.arange(1)), np.arange(0), ())
    assert runner.length(tasks[1]) > runner.length(few)


def test_the_curve_holds_the_runs_own_k(run):
    """At k = 2 the random draw aside, it is the run's score."""
    curve = run.k_curve
    row = (curve["method"] == "lgr_chemistry") & (curve["k"] == 2) & (curve["weights"] == "mean")
    row &= (curve["metric"] == "mae_delta") & (curve["regime"] == "open_world")
    found = curve.loc[row, "mean"].item()
    assert found == pytest.approx(score_of(run, "lgr_chemistry", "mae_delta"))


def test_what_each_method_reads_stands_with_the_results(run):
    """The strict regime's LGR reads training deltas, not the line's."""
    table = run.evidence.set_index(["regime", "method"])
    assert table.loc[("open_world", "lgr_chemistry"), "evidence"] == Evidence.TARGET_POOL
    assert table.loc[("unseen_cell_line_strict", "lgr_chemistry"), "evidence"] == Evidence.TRAIN
    assert "truth" in table.loc[("open_world", "oracle_k"), "evidence"]
    assert (run.summary["evidence"].notna()).all()


def test_a_run_in_processes_is_the_same_run(toy, run, tmp_path):
    """The numbers do not depend on the number of workers."""
    other = run_benchmark(toy, plan_of(), tmp_path / "run", selectors=OURS, workers=2)
    pd.testing.assert_frame_equal(other.scores, run.scores)
    pd.testing.assert_frame_equal(other.summary, run.summary)


def test_a_process_that_dies_is_said(toy, tmp_path, monkeypatch):
    """One clear error; what was done stays done."""
    broken = BrokenProcessPool("gone")
    monkeypatch.setattr(runner, "wait", lambda *_, **__: (_ for _ in ()).throw(broken))
    with pytest.raises(InputError, match="a process ended"):
        run_benchmark(toy, plan_of(), tmp_path / "run", selectors=OURS, workers=2)


def test_a_killed_run_goes_on_where_it_was_left(toy, run, tmp_path, monkeypatch):
    """What was done is not done again, and the result is the same."""
    done = []
    carry_out = runner.BenchmarkSession.execute

    def until_the_fourth(self, task, *more):
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(task.name)
        carry_out(self, task, *more)

    monkeypatch.setattr(runner.BenchmarkSession, "execute", until_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(toy, plan_of(), tmp_path / "run", selectors=OURS)
    with pytest.raises(InputError, match="not finished"):
        load_run(tmp_path / "run")
    again = []

    def the_rest(self, task, *more):
        again.append(task.name)
        carry_out(self, task, *more)

    monkeypatch.setattr(runner.BenchmarkSession, "execute", the_rest)
    resumed = run_benchmark(toy, plan_of(), tmp_path / "run", selectors=OURS)
    assert not set(done) & set(again)
    pd.testing.assert_frame_equal(resumed.scores, run.scores)


def test_a_run_that_is_killed_at_its_end_is_not_taken_for_finished(toy, tmp_path, monkeypatch):
    """Also where it was finished before; it goes on to the same tables."""
    plan, folder = plan_of(methods=chosen_methods(["cell_mean"])), tmp_path / "run"
    before = run_benchmark(toy, plan, folder, selectors=OURS).summary

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results, "write_cell_eval", killed)
        with pytest.raises(KeyboardInterrupt):
            run_benchmark(toy, plan, folder, selectors=OURS)
    with pytest.raises(InputError, match="not finished"):
        load_run(folder)
    pd.testing.assert_frame_equal(run_benchmark(toy, plan, folder, selectors=OURS).summary, before)


def test_a_damaged_table_is_one_error(toy, tmp_path):
    """It names the file and the way on."""
    plan, folder = plan_of(methods=chosen_methods(["cell_mean"])), tmp_path / "run"
    run_benchmark(toy, plan, folder, selectors=OURS)
    for name in ("scores.parquet", "summary.csv"):
        (folder / name).write_bytes(b"")
    damaged = load_run(folder)
    for name in ("scores", "summary"):
        with pytest.raises(InputError, match=rf"{name}\.\w+: .* Start the run again"):
            getattr(damaged, name)


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "gone", "json"])
def test_a_damaged_part_is_set_aside_and_computed_again(toy, tmp_path, caplog, harm):
    """It is named; the others stay, and the tables are as before."""
    plan, folder = plan_of(methods=chosen_methods(["cell_mean"])), tmp_path / "run"
    before = run_benchmark(toy, plan, folder, selectors=OURS).summary
    parts = sorted(path for path in (folder / "parts").iterdir() if path.is_dir())
    stamps = {path: path.stat().st_mtime_ns for path in parts}
    scores = parts[0] / "scores.parquet"
    held = scores.read_bytes()
    if harm == "cut":
        scores.write_bytes(held[:-200])
    elif harm == "flip":
        scores.write_bytes(held[:60] + bytes([held[60] ^ 255]) + held[61:])
    elif harm == "empty":
        scores.write_bytes(b"")
    elif harm == "gone":
        scores.unlink()
    else:
        (parts[0] / "fitted.json").write_text("{")
    again = run_benchmark(toy, plan, folder, selectors=OURS)
    pd.testing.assert_frame_equal(again.summary, before)
    assert [path for path in parts if path.stat().st_mtime_ns != stamps[path]] == parts[:1]
    assert (folder / "parts" / f".damaged-{parts[0].name}").is_dir()
    assert [parts[0].name in record.getMessage() for record in caplog.records] == [True]
    caplog.clear()
    run_benchmark(toy, plan, folder, selectors=OURS)
    assert caplog.records == []


ORPHAN = """
import multiprocessing, os, time
from pathlib import Path
from lgr_core.processes import end_with_parent

def work(pid):
    pid.write_text(str(os.getpid()))
    import threading
    threading.Thread(target=end_with_parent, daemon=True).start()
    time.sleep(600)

if __name__ == "__main__":
    pid = Path(__file__).with_suffix(".pid")
    multiprocessing.get_context("spawn").Process(target=work, args=(pid,)).start()
    time.sleep(600)
"""


def test_a_process_of_a_killed_run_ends_with_it(tmp_path):
    """Or two runs would write the same parts, one of them unseen."""
    script, pid = tmp_path / "orphan.py", tmp_path / "orphan.pid"
    script.write_text(ORPHAN)
    parent = subprocess.Popen([sys.executable, str(script)])
    until(lambda: pid.exists() and pid.read_text())
    child = int(pid.read_text())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    until(lambda: not is_running(child))


def is_running(pid):
    """Whether the process is there and no zombie that nobody has fetched."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(done, seconds=60):
    """Wait until that is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_folder_of_another_run_is_refused(toy, run):
    """The first thing that differs is named, and nothing is written."""
    before = (run.folder / "config.json").read_bytes()
    with pytest.raises(InputError, match="k is 2 there, 3 now"):
        run_benchmark(toy, plan_of(k=3), run.folder, selectors=OURS)
    assert (run.folder / "config.json").read_bytes() == before


def test_a_folder_of_other_files_is_refused(toy, tmp_path):
    """Nobody's files are mixed with a run's."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="other files"):
        run_benchmark(toy, plan_of(), tmp_path, selectors=OURS)


def test_restrictions_change_what_is_scored_not_what_is_read(toy, run, tmp_path):
    """The scores of the queries that are left are the same, as far as sums of float32 are."""
    part = run_benchmark(toy, plan_of(drugs=("Trametinib",)), tmp_path / "run", selectors=OURS)
    assert set(part.scores["drug"]) == {"Trametinib"}
    keys = ["regime", "method", "cell_line", "drug", "dose_um", "metric"]
    names = dict.fromkeys((*keys[:4], "metric"), str)
    whole = run.scores[run.scores["drug"] == "Trametinib"].astype(names).sort_values(keys)
    found = part.scores.astype(names).sort_values(keys)
    np.testing.assert_allclose(found["value"], whole["value"], rtol=1e-4, atol=1e-5)


def test_nothing_to_score_is_said(toy, tmp_path):
    """Before anything is written."""
    with pytest.raises(NotFoundError):
        run_benchmark(toy, plan_of(min_drugs=99), tmp_path / "run", selectors=OURS)


def test_the_config_says_how_the_run_was_made(run, toy):
    """Seed, folds, methods, build, versions, and what was chosen on validation rows."""
    config = json.loads((run.folder / "config.json").read_text())
    assert config["build_id"] == toy.build_id
    assert config["methods"] == list(OFFLINE)
    assert config["versions"]["numpy"] == np.__version__
    assert config["finished_at"] >= config["started_at"]
    assert set(config["splits"]) == set(config["regimes"])


def test_tuned_parameters_are_recorded_so_that_they_can_be_used_again(toy, run):
    """What a run records of kriging and of best evidence makes the same method again."""
    for name in ("kriging", "best_evidence"):
        fitted = run.config["fitted"]["open_world-0"][name]
        assert set(fitted["kernel"]) == {field.name for field in fields(Kernel)}
        assert newest_params(run.folder.parent, toy, name)["kernel"]


def test_someone_elses_predictions_join_a_run(toy, tmp_path):
    """The truth under another name scores as the truth; what the file lacks is not applicable."""
    rows = np.arange(len(toy.conditions))[:-1]
    table = toy.conditions.iloc[rows][["cell_line", "drug", "dose_um"]].reset_index(drop=True)
    values = pd.DataFrame(toy.deltas(rows), columns=toy.gene_names[: toy.n_panel])
    pd.concat([table, values], axis=1).to_csv(tmp_path / "theirs.csv", index=False)
    external = {"theirs": tmp_path / "theirs.csv"}
    plan = plan_of(
        regimes=(Regime.OPEN_WORLD,), methods=chosen_methods([]), external={"theirs": "x"}
    )
    run = run_benchmark(toy, plan, tmp_path / "run", selectors=OURS, external=external)
    theirs = run.scores[run.scores["method"] == "theirs"]
    assert (theirs["status"] == "not_applicable").sum() == len(METRICS)
    assert score_of(run, "theirs", "mae_delta") == pytest.approx(0, abs=1e-6)
    about = run.summary[run.summary["method"] == "theirs"].iloc[0]
    assert (about["evidence"], about["status"]) == ("unknown", "ok")


def test_predictions_without_the_panels_genes_are_refused(toy, tmp_path):
    """Which are missing is said."""
    table = toy.conditions[["cell_line", "drug", "dose_um"]]
    table.assign(**{toy.gene_names[0]: np.linspace(-1, 1, len(table))}).to_csv(
        tmp_path / "few.csv", index=False
    )
    with pytest.raises(InputError, match="genes of the panel are missing"):
        run_benchmark(
            toy,
            plan_of(),
            tmp_path / "run",
            selectors=OURS,
            external={"few": tmp_path / "few.csv"},
        )


def test_predictions_that_repeat_a_condition_are_refused(toy, tmp_path):
    """Averaging a prediction and its contrary would be neither."""
    table = toy.conditions[["cell_line", "drug", "dose_um"]].iloc[[0, 0]].reset_index(drop=True)
    values = pd.DataFrame(toy.deltas(np.array([0, 0])), columns=toy.gene_names[: toy.n_panel])
    pd.concat([table, values * np.array([[1], [-1]])], axis=1).to_csv(
        tmp_path / "both.csv", index=False
    )
    external = {"both": tmp_path / "both.csv"}
    with pytest.raises(InputError, match="repeat a condition"):
        run_benchmark(toy, plan_of(), tmp_path / "run", selectors=OURS, external=external)


def test_a_prediction_of_no_change_at_all_is_welcome(toy, tmp_path):
    """It scores as zero does."""
    table = toy.conditions[["cell_line", "drug", "dose_um"]]
    table.assign(**dict.fromkeys(toy.gene_names[: toy.n_panel], 0.0)).to_csv(
        tmp_path / "none.csv", index=False
    )
    plan = plan_of(regimes=(Regime.OPEN_WORLD,), methods=chosen_methods([]))
    external = {"none": tmp_path / "none.csv"}
    run = run_benchmark(toy, plan, tmp_path / "run", selectors=OURS, external=external)
    assert score_of(run, "none", "mae_delta") == score_of(run, "zero", "mae_delta")


def test_a_part_with_failed_queries_is_computed_again(toy, tmp_path, monkeypatch):
    """What a language model could not answer then, it may have answered since."""
    plan = plan_of(regimes=(Regime.OPEN_WORLD,), methods=chosen_methods(["lgr_llm"]))
    run = run_benchmark(toy, plan, tmp_path / "run", selectors=OURS)
    assert "failed" in set(run.scores["status"])
    again = []
    carry_out = runner.BenchmarkSession.execute

    def noted(self, task, *more):
        again.append(task.name)
        carry_out(self, task, *more)

    monkeypatch.setattr(runner.BenchmarkSession, "execute", noted)
    run_benchmark(toy, plan, tmp_path / "run", selectors=OURS)
    assert again


def test_other_content_under_the_same_name_is_another_run(tmp_path):
    """Files are told apart by what is in them, in subfolders too."""
    (tmp_path / "split" / "test").mkdir(parents=True)
    file = tmp_path / "split" / "test" / "a.arrow"
    file.write_bytes(b"one")
    before = digest(tmp_path / "split")
    file.write_bytes(b"two")
    assert digest(tmp_path / "split") != before


def test_a_negative_seed_is_wrong_use():
    """Said before anything is computed."""
    with pytest.raises(UsageError, match="seed"):
        plan_of(seed=-1)


def test_a_slow_method_is_a_part_of_its_own(toy, tmp_path):
    """chemCPA: undefined in unseen lines, said; elsewhere scored where structures are known."""
    pytest.importorskip("torch", reason="chemCPA needs torch (the extra chemcpa)")
    regimes = (Regime.UNSEEN_DRUG, Regime.UNSEEN_CELL_LINE)
    plan = plan_of(regimes=regimes, methods=chosen_methods(["chemcpa"]), folds=2)
    run = run_benchmark(toy, plan, tmp_path / "run", selectors=OURS)
    parts = {path.name for path in (tmp_path / "run" / "parts").iterdir()}
    assert {"unseen_drug-0", "unseen_drug-0-chemcpa"} <= parts
    table = run.scores[run.scores["method"] == "chemcpa"]
    status = table.groupby(["regime", "status"], observed=True).size()
    assert set(status["unseen_cell_line"].index) == {"not_applicable"}
    assert status["unseen_drug"]["ok"] > status["unseen_drug"]["not_applicable"] > 0
    fitted = run.config["fitted"]["unseen_drug-0-chemcpa"]["chemcpa"]
    assert fitted["trained_on"] == "profiles"


def test_a_method_without_its_package_is_unavailable(toy, monkeypatch):
    """Named, it is refused with what to install; of all methods, it is not applicable."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError) as refused:
        chosen_methods(["chemcpa"])
    assert "[chemcpa]" in refused.value.do
    assert "chemcpa" in chosen_methods(None)
    reader = EvidenceReader(toy)
    (method,) = REGISTRY["chemcpa"].make(MethodContext(reader.labels, OURS, Regime.OPEN_WORLD))
    found = method.predict(reader.block("LoVo", 5.0, ["Trametinib"]))
    assert found.status == [Status.NOT_APPLICABLE]
    assert found.detail == [str(refused.value)]


def test_controls_stand_in_every_run():
    """Whatever is asked for, in the registry's order; an unknown name is refused."""
    assert chosen_methods(["lgr_chemistry"]) == ("lgr_chemistry", *CONTROLS)
    with pytest.raises(UsageError, match="magic"):
        chosen_methods(["magic"])


def test_a_csv_in_cell_evals_shape_is_written(run):
    """One row a condition, one column a metric, and the summary beside it."""
    table = pd.read_csv(run.folder / "cell_eval" / "open_world" / "cell_mean_results.csv")
    assert {"perturbation", "celltype", "pearson_delta", "mse_delta"} <= set(table.columns)
    about = pd.read_csv(run.folder / "cell_eval" / "open_world" / "cell_mean_agg_results.csv")
    assert about["statistic"].tolist()[:2] == ["count", "mean"]
