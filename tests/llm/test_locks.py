"""Claims: one holder at a time among threads and processes, and a kill holds nobody up."""

import subprocess
import sys
import threading

import pytest

from lgr_core.llm.locks import claimed

HOLDER = """
import sys
from pathlib import Path
from lgr_core.llm.locks import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the claim until its input ends."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "claims" / "key")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def waiter(tmp_path):
    """A thread that wants the same claim, and the event that it sets once it has it."""
    had = threading.Event()

    def want():
        with claimed(tmp_path / "claims" / "key"):
            had.set()

    return threading.Thread(target=want, daemon=True), had


def test_another_process_waits_until_the_claim_is_given_back(holder, waiter):
    """Held: nobody else has it. Given back: the next one does, and the file is gone after."""
    thread, had = waiter
    thread.start()
    assert not had.wait(0.05)
    holder.stdin.close()
    assert had.wait(10)


def test_a_killed_holder_holds_nobody_up(holder, waiter, tmp_path):
    """Its file is left behind, its lock is not."""
    thread, had = waiter
    holder.kill()
    holder.wait()
    assert (tmp_path / "claims" / "key").exists()
    thread.start()
    assert had.wait(10)
    thread.join(10)
    assert not (tmp_path / "claims" / "key").exists()


def test_many_threads_hold_it_one_at_a_time(tmp_path):
    """Through removal and renewal of the file, never two."""
    inside, most = [], []

    def work():
        for _ in range(50):
            with claimed(tmp_path / "key"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (400, 1)


def test_a_claim_is_given_back_after_an_error(tmp_path):
    """What failed can be tried again."""
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "key"):
        raise ZeroDivisionError
    with claimed(tmp_path / "key"):
        assert (tmp_path / "key").exists()
