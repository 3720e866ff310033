"""What a server may do to a client beside refusing: over real HTTP to 127.0.0.1."""

import time

import pytest

from lgr_core.config import Settings
from lgr_core.doctor import diagnose
from lgr_core.domain import LLMRequest, LLMUsage
from lgr_core.errors import AccessError, BadReplyError, BudgetError, NoAnswerError, ServiceError
from lgr_core.llm.budget import Budget, BudgetedClient, most_usage
from lgr_core.llm.capabilities import Memory
from lgr_core.llm.client import OpenAIClient
from lgr_core.llm.prices import Price, Prices
from lgr_core.llm.transport import Bounds
from tests.support.loopback_faults import (
    AT_ONCE,
    KEY,
    MODEL,
    RATE_LIMITED,
    Answer,
    chat,
    cut,
    echo_in_answer,
    moved,
    plain,
    says,
    status,
    swollen,
    trickle,
    trickle_body,
)
from tests.support.loopback_llm import LoopbackLLM

ASK = LLMRequest("Which drugs act like Trametinib?", MODEL)
PRICES = Prices({MODEL: Price(2.0, 0.5, 10.0)})


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """No proxy of the developer's own reaches the SDK."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def client(server, **options):
    """A client of a loopback server that retries nothing unless told to."""
    given = {"max_retries": 0, "bounds": Bounds(5.0), "memory": Memory()} | options
    return OpenAIClient(KEY, server.url, **given)


def ask(*script, **options):
    """The reply after these faults."""
    with LoopbackLLM(script=script) as server:
        return client(server, **options).complete(ASK)


@pytest.mark.parametrize("fault", [trickle, trickle_body])
def test_an_answer_that_trickles_is_late_at_the_deadline(fault):
    """However often a byte comes; and it is not asked for again, as it may be charged."""
    began = time.monotonic()
    with LoopbackLLM(script=[fault]) as server:
        with pytest.raises(NoAnswerError, match="LGR_LLM_DEADLINE"):
            client(server, bounds=Bounds(0.3), max_retries=2).complete(ASK)
        assert time.monotonic() - began < 3
        assert len(server.history) == 1


def test_a_packed_answer_that_swells_is_refused():
    """20 kilobytes that unpack to 20 MB are not unpacked."""
    with pytest.raises(BadReplyError, match="more than 2 MB"):
        ask(swollen)


def test_an_answer_of_two_megabytes_is_refused_and_one_below_is_not():
    """The bound is on what is unpacked, packed or not."""
    assert len(ask(says("x" * 1_900_000)).text) == 1_900_000
    with pytest.raises(BadReplyError, match="more than 2 MB"):
        ask(says("x" * 2_100_000))


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_no_redirect_to_another_host_is_followed(code):
    """The key stays; the message names the host and both ways out."""
    with LoopbackLLM() as other, pytest.raises(AccessError, match="http://localhost") as caught:
        ask(moved(other.url.replace("127.0.0.1", "localhost") + "/chat/completions", code))
    assert other.history == []
    assert "LGR_LLM_REDIRECT_HOSTS" in caught.value.do


@pytest.mark.parametrize("code", [301, 307])
def test_a_redirect_within_the_host_or_to_an_allowed_one_is_followed(code):
    """The same question is put there, with the key."""
    with LoopbackLLM() as other:
        assert ask(moved(f"{other.url}/chat/completions", code)).text == "ok"
        place = other.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        assert ask(moved(place, code), bounds=Bounds(5.0, ("localhost",))).text == "ok"
        assert [call.body["model"] for call in other.history] == [MODEL, MODEL]
        assert other.history[1].headers["authorization"] == f"Bearer {KEY}"


def test_redirects_in_a_circle_end():
    """Three are followed."""
    with LoopbackLLM() as server:
        server.script.extend([moved(f"{server.url}/chat/completions")] * 9)
        with pytest.raises(AccessError, match="again and again"):
            client(server).complete(ASK)
        assert len(server.history) == 4


CONTEXT = status(
    400,
    "'max_tokens' is too large: 4000. The maximum context length is 4096 tokens and the request "
    "has 1800 input tokens.",
    param="max_tokens",
    code=400,
)


def test_the_limit_is_lowered_once_to_the_room_that_is_named():
    """The second request asks for what there is room for; it is on record."""
    with LoopbackLLM(script=[CONTEXT]) as server:
        reply = client(server).complete(ASK)
    assert [body["max_tokens"] for body in server.bodies] == [4000, 2296]
    assert reply.provenance["max_output_tokens"] == 2296
    with (
        LoopbackLLM(script=[CONTEXT, CONTEXT]) as server,
        pytest.raises(ServiceError, match="--max-output-tokens"),
    ):
        client(server).complete(ASK)
    assert len(server.history) == 2


def metered(server, budget=None, **options):
    """A client with an account."""
    given = {"max_retries": 4} | options
    return BudgetedClient(client(server, **given), Budget() if budget is None else budget, PRICES)


LOST = most_usage(ASK)


@pytest.mark.parametrize(
    ("script", "requests", "unknown"),
    [
        ([], 1, 0),
        ([RATE_LIMITED, RATE_LIMITED], 3, 0),
        ([CONTEXT], 2, 0),
        ([cut], 2, 1),
        ([status(400, "temperature is not supported", param="temperature"), RATE_LIMITED], 3, 0),
    ],
)
def test_every_request_counts_as_the_server_counts_it(script, requests, unknown):
    """Retries and refused parameters too; one that was cut counts at the most it can be."""
    with LoopbackLLM(script=script) as server:
        payer = metered(server)
        payer.complete(ASK)
        assert len(server.history) == requests
    assert (payer.account.usage.requests, payer.account.unknown) == (requests, unknown)
    assert payer.account.usage.output == 10 + unknown * LOST.output


def test_failed_questions_count_every_request_too():
    """Three tries of one question that fails."""
    with LoopbackLLM(script=[RATE_LIMITED] * 3) as server:
        payer = metered(server, max_retries=2)
        with pytest.raises(ServiceError):
            payer.complete(ASK)
    assert payer.account.usage == LLMUsage(requests=3)


def test_a_retry_is_reserved_for_before_it_is_sent():
    """Two requests are allowed: a third try is not sent."""
    budget = Budget(max_requests=2)
    with LoopbackLLM(script=[RATE_LIMITED] * 5) as server:
        with pytest.raises(BudgetError, match="2 of 2 requests"):
            metered(server, budget).complete(ASK)
        assert len(server.history) == 2
    assert budget.spent["requests"] == 2


def test_nothing_is_counted_where_nothing_could_be_sent():
    """No server, no request."""
    with LoopbackLLM() as server:
        payer = metered(server, max_retries=1)
    with pytest.raises(ServiceError, match="cannot be reached"):
        payer.complete(ASK)
    assert payer.account.usage == LLMUsage()


def test_an_empty_account_is_not_asked_again():
    """No credit, a spent day and a wrong key are not retried; a passing quota is waited out."""
    spent = status(429, "You exceeded your current quota", code="insufficient_quota")
    soon = status(429, "You exceeded your current quota. Please retry in 0.01s.")
    for script, sent in (([spent], 1), ([soon], 2)):
        with LoopbackLLM(script=script) as server:
            if sent == 1:
                with pytest.raises(AccessError, match="no credit left"):
                    client(server, max_retries=3).complete(ASK)
            else:
                assert client(server, max_retries=3).complete(ASK).text == "ok"
            assert len(server.history) == sent


def test_a_key_in_a_good_answer_is_blotted_out():
    """Neither the text nor what is noted beside it holds the key; short placeholders stay."""
    reply = ask(echo_in_answer)
    assert KEY not in f"{reply.text} {dict(reply.provenance)}"
    assert "[key]" in reply.text
    with LoopbackLLM(script=[says("1. Talc: dummy")]) as server:
        given = OpenAIClient("dummy", server.url, memory=Memory())
        assert given.complete(ASK).text == "1. Talc: dummy"


def test_an_escaped_key_is_blotted_out_of_a_body_that_goes_to_the_log():
    """JSON may write the key otherwise: the log holds neither form."""
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in KEY)
    with pytest.raises(BadReplyError) as caught:
        ask(plain(200, f'{{"id": "x", "odd": "{escaped}"}}'))
    assert KEY not in caught.value.raw
    assert escaped not in caught.value.raw


RANKED = "<Final Answer>\n1. Talc: inert.\n</Final Answer>"
CALL = {"function": {"name": "f", "arguments": '{"neighbors": []}'}}


@pytest.mark.parametrize(
    ("message", "text", "source"),
    [
        ({"content": RANKED, "reasoning": "hm"}, RANKED, None),
        ({"content": "", "reasoning": RANKED}, RANKED, "reasoning"),
        ({"content": None, "reasoning_content": RANKED}, RANKED, "reasoning"),
        ({"content": "", "thinking": RANKED}, RANKED, "reasoning"),
        ({"content": "", "reasoning_details": [{"text": RANKED}]}, RANKED, "reasoning"),
        ({"content": None, "tool_calls": [CALL]}, '{"neighbors": []}', "tool_calls"),
        ({"content": None, "function_call": CALL["function"]}, '{"neighbors": []}', "tool_calls"),
        (
            {"content": "", "tool_calls": [{"function": {"arguments": {"neighbors": []}}}]},
            '{"neighbors": []}',
            "tool_calls",
        ),
    ],
)
def test_the_answer_is_read_from_the_field_it_is_in(message, text, source):
    """Where the content is empty, a call's arguments or the reasoning stand for it."""
    reply = ask(chat(message))
    assert (reply.text, reply.provenance.get("read_from")) == (text, source)


@pytest.mark.parametrize("finish", ["length", "max_tokens", "MAX_TOKENS", "error"])
def test_the_reasoning_of_an_unfinished_answer_is_no_answer(finish):
    """A draft is not believed; how much of it came is said."""
    with pytest.raises(BadReplyError, match="51 characters of reasoning"):
        ask(chat({"content": "", "reasoning": RANKED + " more"}, finish))


@pytest.mark.parametrize(
    ("said", "finish"),
    [
        ("STOP", "stop"),
        (None, "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("max_tokens", "length"),
        ("FINISH_REASON_MAX_TOKENS", "length"),
        ("error", "error"),
    ],
)
def test_finish_reasons_of_all_services_are_one(said, finish):
    """In the words of Chat Completions."""
    assert ask(chat({"content": "ok"}, said)).provenance["finish_reason"] == finish


@pytest.mark.parametrize(
    "choice",
    [
        {"error": {"message": "Upstream died.", "code": 502}, "finish_reason": "error"},
        {"error": "Upstream died.", "message": None},
    ],
)
def test_an_error_within_a_choice_is_said(choice):
    """It is no answer, even with a beginning of one beside it."""
    with pytest.raises(BadReplyError, match="Upstream died"):
        ask(chat({"content": "1. Talc: in"}, choice=choice))


def test_a_log_in_page_is_no_answer_of_a_model():
    """Status 200 and HTML: the address is wrong, or a log-in stands before it."""
    page = plain(200, "<!DOCTYPE html><title>Sign in</title>", "text/html")
    with pytest.raises(AccessError, match="web page came.*Sign in"):
        ask(page)


@pytest.mark.parametrize(
    ("end", "told"), [("2027-06-01", "2027-06-01"), (1_811_808_000, "2027-06-01"), (None, "none")]
)
def test_doctor_tells_when_the_model_ends(end, told, tmp_path):
    """Where the server announces it; a model that is not listed is said."""
    with LoopbackLLM(ends={MODEL: end}) as server:
        settings = Settings(tmp_path, KEY, server.url)
        assert diagnose(settings)["language model"]["announced end"].startswith(told)
        other = Settings(tmp_path, KEY, server.url, "unheard-of")
        assert "this one not" in diagnose(other)["language model"]["announced end"]
    silent = diagnose(Settings(tmp_path))["language model"]
    assert "no key" in silent["announced end"]


def test_a_model_list_that_is_none_breaks_nothing(tmp_path):
    """A server without the route, or with another one there."""
    for fault in (plain(404, "nothing"), plain(200, "[1]"), status(500, headers=AT_ONCE)):
        with LoopbackLLM(script=[fault]) as server:
            found = diagnose(Settings(tmp_path, KEY, server.url))["language model"]
        assert found["announced end"].startswith("not known")


def test_the_default_answer_counts_its_prompt():
    """The loopback server's usage grows with the prompt, so that no prompt looks cut."""
    assert Answer().to("x" * 4000).usage == (1000, 40, 10)
