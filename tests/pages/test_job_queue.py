"""Heavy computations take turns: first come, first served; who has an answer does not wait."""

import threading
import time

import pytest

from pages.shared import job_queue
from pages.shared.job_queue import JobQueue, Remembered


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Look often."""
    monkeypatch.setattr(job_queue, "_POLL_S", 0.001)


def until(met):
    """Wait until something is so."""
    for _ in range(5_000):
        if met():
            return
        time.sleep(0.001)
    pytest.fail("it never is")


class Visitor(threading.Thread):
    """Takes a turn, notes the places it is told, and ends when it is let."""

    def __init__(self, queue, began):
        super().__init__(daemon=True)
        self.queue, self.began = queue, began
        self.places, self.leave = [], threading.Event()

    def run(self):
        """Wait, and stay until let."""
        with self.queue.turn(self.places.append):
            self.began.append(self)
            self.leave.wait(20)


def test_visitors_wait_in_the_order_in_which_they_came():
    """Each is told how many are ahead, and moves up."""
    queue, began = JobQueue(lambda: 1), []
    visitors = [Visitor(queue, began) for _ in range(3)]
    for i, visitor in enumerate(visitors):
        visitor.start()
        until(lambda i=i: len(queue._jobs) == i + 1)
    until(lambda: visitors[1].places and visitors[2].places)
    assert began == visitors[:1]
    assert (set(visitors[1].places), set(visitors[2].places)) == ({1}, {2})
    for i, visitor in enumerate(visitors):
        visitor.leave.set()
        visitor.join(20)
        until(lambda i=i: len(began) == min(i + 2, 3))
        until(lambda i=i: i > 0 or visitors[2].places[-1] == 1)
    assert began == visitors
    assert visitors[0].places == []
    assert list(dict.fromkeys(visitors[2].places)) == [2, 1]


def test_several_run_at_a_time_where_that_is_set():
    """The third waits for one of two."""
    queue, began = JobQueue(lambda: 2), []
    visitors = [Visitor(queue, began) for _ in range(3)]
    for i, visitor in enumerate(visitors):
        visitor.start()
        until(lambda i=i: len(queue._jobs) == i + 1)
    until(lambda: len(began) == 2 and visitors[2].places)
    assert set(visitors[2].places) == {1}
    for visitor in visitors:
        visitor.leave.set()
    until(lambda: len(began) == 3)


def test_who_leaves_the_queue_holds_up_nobody():
    """A visitor who goes is one whose page raises while it waits."""
    queue = JobQueue(lambda: 1)

    def gone(_):
        raise KeyboardInterrupt

    with queue.turn(lambda _: None):
        with pytest.raises(KeyboardInterrupt), queue.turn(gone):
            pass
        assert len(queue._jobs) == 1
    assert queue._jobs == []


def test_what_is_remembered_does_not_wait():
    """It is computed once, in a turn; an error is not remembered."""
    value, calls = Remembered(), []

    def failing():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        value.get(failing)
    assert value.get(lambda: calls.append(1) or 7) == 7
    with job_queue.HEAVY.turn(lambda _: None):  # whoever else computes
        assert value.get(lambda: calls.append(2) or 8) == 7
    assert calls == [1]
