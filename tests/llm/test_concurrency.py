"""Several questions at a time: bounded, in any order, stopped cleanly."""

import signal
import threading
import time

import pytest

from lgr_core.domain import LLMRequest
from lgr_core.errors import BadReplyError, UsageError
from lgr_core.llm.client import OpenAIClient
from lgr_core.llm.concurrency import bounded_map
from lgr_core.llm.transport import Bounds
from tests.support.loopback_faults import hang
from tests.support.loopback_llm import FakeClient, LoopbackLLM

KEY, MODEL = "sk-test-key", "gpt-5.2-2025-12-11"
ASK = LLMRequest("a question", MODEL)


def _client(server, **options):
    return OpenAIClient(KEY, server.url, **options)


def _requests(n):
    return [LLMRequest(f"question {i}", MODEL) for i in range(n)]


def test_eight_threads_over_one_client_mix_nothing_up():
    """Forty questions, an unsteady server, eight at a time: each gets its own answer."""
    with LoopbackLLM(str.upper, rate=0.2, refuses=["temperature"], seed=7) as server:
        client = _client(server, max_retries=8)
        answered = bounded_map(client.complete, _requests(40), concurrency=8)
        found = {request.prompt: reply for request, reply in answered}
    assert {prompt: reply.text for prompt, reply in found.items()} == {
        f"question {i}": f"QUESTION {i}" for i in range(40)
    }
    assert {reply.provenance["temperature"] for reply in found.values()} == {"not sent"}
    assert sum("temperature" in body for body in server.bodies) < 20


def test_an_error_is_an_outcome_and_stops_no_other():
    """A question that fails comes back as its error, in its place."""
    client = FakeClient("a", BadReplyError("x", "y", "z"), "c")
    found = [reply for _, reply in bounded_map(client.complete, _requests(3), concurrency=1)]
    assert (found[0].text, type(found[1]), found[2].text) == ("a", BadReplyError, "c")


def test_a_fault_of_ours_is_not_swallowed():
    """Only errors of our tree are outcomes; a bug is raised."""
    with pytest.raises(ZeroDivisionError):
        list(bounded_map(FakeClient(ZeroDivisionError()).complete, _requests(1)))


def test_requests_are_drawn_as_they_are_answered():
    """An endless supply is no trouble: at most twice the concurrency is drawn ahead."""
    drawn = []

    def endless():
        while True:
            drawn.append(len(drawn))
            yield ASK

    outcomes = bounded_map(FakeClient(*["ok"] * 50).complete, endless(), concurrency=3)
    for _ in range(10):
        next(outcomes)
    outcomes.close()
    assert len(drawn) <= 10 + 2 * 3


def test_a_cancelled_run_answers_what_is_under_way_and_ends():
    """After the event no request is drawn; none of those drawn is lost."""
    cancel, client = threading.Event(), FakeClient(*"abcdefgh")
    outcomes = bounded_map(client.complete, _requests(8), concurrency=2, cancel=cancel)
    seen = [next(outcomes)[0]]
    cancel.set()
    seen += [request for request, _ in outcomes]
    assert len(seen) == len(client.history) <= 4


def _interrupt_both(server):
    """Press Ctrl-C once both questions hang."""
    while len(server.history) < 2:
        time.sleep(0.05)
    time.sleep(0.5)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.mark.parametrize("wakes", [True, False], ids=["locks-wake", "locks-sleep-on"])
def test_ctrl_c_stops_a_run_that_waits(wakes, request):
    """An interrupt while all questions hang comes through, also where a library set SA_RESTART."""
    before = signal.getsignal(signal.SIGINT)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    signal.siginterrupt(signal.SIGINT, wakes)
    cancel = threading.Event()
    with LoopbackLLM(script=[hang] * 9) as server:
        client = _client(server, bounds=Bounds(9.0), max_retries=4, cancel=cancel)
        press = threading.Thread(target=_interrupt_both, args=(server,), daemon=True)
        press.start()
        with pytest.raises(KeyboardInterrupt):
            list(bounded_map(client.complete, _requests(9), concurrency=2, cancel=cancel))
        assert cancel.is_set()
    assert len(server.history) <= 2


def test_no_concurrency_is_refused_at_the_call():
    """The mistake shows where it is made, not at the first answer."""
    with pytest.raises(UsageError, match="1 or more"):
        bounded_map(FakeClient().complete, [], concurrency=0)
