"""Calls with limits: whatever a file does to its reader, this process goes on."""

import os
import time
from pathlib import Path

import pytest

from lgr_core.errors import InputError
from lgr_core.processes import LimitedProcesses, ProcessLimits
from tests.support import limited_calls

LIMITS = ProcessLimits(memory_mb=200, seconds=60)


@pytest.fixture(scope="module")
def processes():
    """A server of its own, which is closed in the end."""
    found = LimitedProcesses()
    yield found
    found.close()


@pytest.fixture
def call(processes):
    """A call on the file ``a``."""
    return lambda function, *args, limits=LIMITS, **named: processes.call(
        "file a", limits, function, "a", *args, **named
    )


def test_a_call_returns_what_the_function_returns(call):
    """Read-only views among it."""
    assert call(limited_calls.view)["path"] == "a"


def test_a_call_knows_no_key(monkeypatch):
    """A stranger's file is read there."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    processes = LimitedProcesses()
    assert processes.call("file a", LIMITS, limited_calls.view, "a")["key"] is None
    processes.close()


def test_errors_of_ours_pass(call):
    """With their three parts."""
    with pytest.raises(InputError) as caught:
        call(limited_calls.refuse)
    assert (caught.value.found, caught.value.do) == ("it is damaged", "Fetch it again.")


def test_other_faults_are_named_without_their_words(call):
    """Their traceback is in the log of the server."""
    with pytest.raises(InputError) as caught:
        call(limited_calls.stumble)
    assert caught.value.found == "it cannot be read (ZeroDivisionError)"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no limit on this system")
def test_more_memory_than_the_limit_is_refused(call):
    """As much as the limit is there; more is not."""
    assert call(limited_calls.fill, 150) == 150
    with pytest.raises(InputError, match="takes more than 200 MB of memory"):
        call(limited_calls.fill, 400)


def test_a_reader_that_crashes_ends_alone(call):
    """The next file is read as if nothing had been."""
    with pytest.raises(InputError, match="ended early"):
        call(limited_calls.crash)
    assert call(limited_calls.view)["path"] == "a"


def test_a_call_has_a_deadline(call):
    """The process is gone afterwards."""
    start = time.monotonic()
    with pytest.raises(InputError, match="takes longer than 1 s"):
        call(limited_calls.sleep, 60, limits=ProcessLimits(200, 1))
    assert time.monotonic() - start < 20


def test_progress_is_repeated_here_and_the_process_ends(call):
    """In order; the process is not there when the result is."""
    told = []
    process = call(limited_calls.count, 3, report=lambda *done: told.append(done))
    assert told == [("counting", i, 3) for i in (1, 2, 3)]
    assert process != os.getpid()
    for _ in range(500):
        if not Path(f"/proc/{process}").exists():
            break
        time.sleep(0.01)
    else:
        pytest.fail("the process goes on")


def test_a_server_that_was_killed_is_started_anew(call, processes):
    """A system short of memory may end it."""
    call(limited_calls.view)
    processes._server._process.kill()
    processes._server._process.wait()
    assert call(limited_calls.view)["path"] == "a"
