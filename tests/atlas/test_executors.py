"""Who carries out the tasks changes nothing; what goes wrong is one clear error."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import killed
import pytest

from lgr_core.atlas import executors as workers
from lgr_core.atlas import partial_sums as partials
from lgr_core.atlas.executors import ExecutorConfig, execute_all
from lgr_core.atlas.pseudobulk import find_groups
from lgr_core.atlas.shards import plan_tasks
from lgr_core.atlas.sources import open_counts
from lgr_core.cli import main
from lgr_core.errors import InputError, ServiceError, UsageError


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Some forty shards of an h5ad, to be summed into a folder."""
    killed.many_shards(monkeypatch.setattr)
    monkeypatch.setattr(workers, "_PROCESS_FROM", 0)
    source = open_counts(killed.write_source(tmp_path / "x.h5ad"))

    def planned(name):
        folder = tmp_path / name
        folder.mkdir()
        codes = find_groups(source.obs)[1]
        return plan_tasks(source, codes, folder, target_sum=1e4, order="cells")

    return planned


def made(tasks):
    """The partial sums that were made of tasks."""
    return [task.path.read_bytes() for task in tasks]


@pytest.fixture
def expected(tasks):
    """Partial sums made by one thread."""
    todo = tasks("expected")
    execute_all(todo, ExecutorConfig(1))
    return made(todo)


@pytest.mark.parametrize("crew", [ExecutorConfig(3), ExecutorConfig(2, processes=True)])
def test_threads_and_processes_make_the_same(tasks, expected, executor):
    """And each shard is told of once; the last report is the whole."""
    seen, todo = [], tasks("made")
    execute_all(todo, executor, lambda *report: seen.append(report))
    assert made(todo) == expected
    done = [report[1] for report in seen]
    assert (len(done), done, done[-1]) == (len(todo), sorted(set(done)), killed.N_CELLS)
    assert {(stage, total) for stage, _, total in seen} == {("counts", killed.N_CELLS)}


def test_a_process_that_ends_is_one_error_and_the_next_run_goes_on(tasks, expected):
    """As where the memory is full: what it had done stays."""
    todo = tasks("ended")
    wrong = [*todo[:5], replace(todo[5], shard=killed.Deadly(todo[5].shard))]
    with pytest.raises(InputError, match="a process ended, perhaps out of memory.*goes on"):
        execute_all(wrong, ExecutorConfig(2, processes=True))
    execute_all(todo, ExecutorConfig(2))
    assert made(todo) == expected


def test_a_failed_task_is_raised(tasks, monkeypatch):
    """It does not become a silent zero."""

    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr(partials, "sum_shard", fail)
    with pytest.raises(MemoryError):
        execute_all(tasks("failed"), ExecutorConfig(2))


def test_numbers_of_workers_that_make_no_sense():
    """Nobody, or two crews at once."""
    with pytest.raises(UsageError, match="0 workers do no work"):
        ExecutorConfig(0)
    with pytest.raises(UsageError, match="the workers are the scheduler's"):
        ExecutorConfig(2, scheduler="tcp://127.0.0.1:8786")


def test_without_dask_the_way_to_it_is_said(tasks, monkeypatch):
    """It is optional."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"not installed.*requirements-scale\.txt"):
        execute_all(tasks("none"), ExecutorConfig(scheduler="tcp://127.0.0.1:1"))


# -- a real cluster --------------------------------------------------------------------------------


def started(*command):
    """A process of Dask's command line, writing what it logs to a pipe."""
    tests = str(Path(killed.__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": tests},
    )


def said(process, pattern):
    """The first group of the first logged line with the pattern."""
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found.group(1)
    raise AssertionError(pattern)


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler on loopback, and two worker processes."""
    pytest.importorskip("distributed")
    processes = [started("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        address = said(processes[0], r"Scheduler at: +(tcp://\S+)")
        for _ in range(2):
            where = ("--local-directory", str(tmp_path / "dask"))
            options = ("--no-nanny", "--no-dashboard", "--nthreads", "1", *where)
            processes.append(started("dask_worker", address, *options))
        for worker in processes[1:]:
            said(worker, r"(Registered to)")
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stderr.close()


def test_dask_workers_one_of_them_killed(tasks, expected, cluster):
    """A scheduler and two workers; when a few shards are summed one worker is gone."""
    address, executor = cluster
    todo, seen = tasks("by dask"), []
    slow = [replace(task, shard=killed.Slow(task.shard)) for task in todo]

    def kill_one(_, done, total):
        seen.append(done)
        if len(seen) == 4:
            executor[0].send_signal(signal.SIGKILL)

    execute_all(slow, ExecutorConfig(scheduler=address), kill_one)
    assert executor[0].wait() == -signal.SIGKILL
    assert seen[-1] == killed.N_CELLS
    assert made(todo) == expected


def test_the_command_takes_a_scheduler(cluster, tmp_path, monkeypatch, capsys):
    """The same atlas as without; an address where nobody is says so."""
    source = killed.write_source(tmp_path / "x.h5ad")
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    killed.many_shards(monkeypatch.setattr)
    for name, options in (("alone", ["--workers", "1"]), ("many", ["--scheduler", cluster[0]])):
        assert main(["ingest", str(source), "--name", name, *options]) == 0
    folder = tmp_path / "home" / "atlases"
    both = [(folder / name / "deltas.npy").read_bytes() for name in ("alone", "many")]
    assert both[0] == both[1]
    nobody = ["--scheduler", "tcp://127.0.0.1:9", "--overwrite"]
    assert main(["ingest", str(source), "--name", "many", *nobody]) == 5
    assert "Dask scheduler tcp://127.0.0.1:9: it cannot be reached" in capsys.readouterr().err
    assert (folder / "many" / "deltas.npy").read_bytes() == both[1]


def test_a_scheduler_without_workers_is_said(cluster, tasks):
    """Nobody waits for ever."""
    for worker in cluster[1]:
        worker.kill()
        worker.wait()
    time.sleep(0.5)
    with pytest.raises(ServiceError, match="it has no workers"):
        execute_all(tasks("nobody"), ExecutorConfig(scheduler=cluster[0]))
