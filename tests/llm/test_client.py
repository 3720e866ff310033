"""The edge to language models, through the real SDK and real HTTP to 127.0.0.1."""

import logging
import threading
import traceback

import pytest

from lgr_core.config import Settings
from lgr_core.domain import LLMClient, LLMRequest, LLMUsage
from lgr_core.errors import (
    AccessError,
    BadReplyError,
    NoAnswerError,
    NoKeyError,
    ServiceError,
    StoppedError,
    UsageError,
)
from lgr_core.llm.capabilities import Memory
from lgr_core.llm.client import OpenAIClient
from lgr_core.llm.transport import Bounds
from lgr_core.retrieval.setup import open_client
from tests.support.loopback_faults import (
    KEY,
    MODEL,
    OVERLOADED,
    RATE_LIMITED,
    Answer,
    cut,
    echo_key,
    hang,
    plain,
    says,
    status,
)
from tests.support.loopback_llm import FakeClient, LoopbackLLM

SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
ASK = LLMRequest("Which drugs act like Trametinib?", MODEL)
ASK_JSON = LLMRequest("Which drugs act like Trametinib?", MODEL, schema=SCHEMA)
APIS = pytest.mark.parametrize("api", ["responses", "chat"])


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    """No proxy and no setting of the developer's own reaches the SDK."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)


def _client(server, **options):
    given = {"max_retries": 0, "bounds": Bounds(5.0), "memory": Memory()} | options
    return OpenAIClient(KEY, server.url, **given)


def _ask(script=(), request=ASK, api="responses", **options):
    with LoopbackLLM(script=script) as server:
        return _client(server, api=api, **options).complete(request)


def test_responses_are_asked_with_everything_that_the_request_says():
    """OpenAI's own API gets temperature 0, effort none, the limit, the schema, and store off."""
    with LoopbackLLM() as server:
        _client(server, api="responses").complete(ASK_JSON)
    assert server.history[0].path == "/responses"
    assert server.bodies[0] == {
        "model": MODEL,
        "input": ASK_JSON.prompt,
        "temperature": 0.0,
        "reasoning": {"effort": "none"},
        "max_output_tokens": 4000,
        "store": False,
        "text": {
            "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
        },
    }


def test_compatible_servers_are_asked_by_chat_and_nothing_unknown_is_sent():
    """Other servers get Chat Completions, the old name of the limit, and no store."""
    with LoopbackLLM() as server:
        _client(server).complete(ASK_JSON)
    assert server.history[0].path == "/chat/completions"
    assert server.bodies[0] == {
        "model": MODEL,
        "messages": [{"role": "user", "content": ASK_JSON.prompt}],
        "temperature": 0.0,
        "reasoning_effort": "none",
        "max_tokens": 4000,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
    }


@APIS
def test_what_is_unset_is_not_sent(api):
    """None for temperature, effort and schema leaves all three out."""
    with LoopbackLLM() as server:
        bare = LLMRequest("?", MODEL, temperature=None, effort=None)
        reply = _client(server, api=api).complete(bare)
    sent = set(server.bodies[0])
    assert not sent & {"temperature", "reasoning", "reasoning_effort", "text", "response_format"}
    assert not {"temperature", "effort"} & set(reply.provenance)


@APIS
def test_a_reply_has_text_usage_and_provenance(api):
    """Cached tokens are part of the input; model, id, finish and API are on record."""
    reply = _ask(api=api)
    assert (reply.text, reply.usage) == ("ok", LLMUsage(100, 40, 10, 1))
    wanted = {"model": MODEL, "finish_reason": "stop", "api": api, "structured": "text"}
    assert wanted.items() <= reply.provenance.items()
    assert reply.provenance["id"]
    assert ("system_fingerprint" in reply.provenance) == (api == "chat")


@APIS
def test_a_reply_without_usage_says_so(api):
    """Servers that count no tokens are tolerated, and it is on record."""
    reply = _ask([says(usage=None)], api=api)
    assert reply.usage == LLMUsage(requests=1)
    assert reply.provenance["usage"] == "not reported"


@APIS
@pytest.mark.parametrize("refusal", ["temperature", "temperature value"])
def test_a_refused_temperature_is_left_out_once_and_remembered(api, refusal):
    """Either form of the error costs one more request; the second question knows already."""
    with LoopbackLLM(refuses=[refusal]) as server:
        client = _client(server, api=api)
        first, second = client.complete(ASK), client.complete(ASK)
    assert first.provenance["temperature"] == second.provenance["temperature"] == "not sent"
    assert ["temperature" in body for body in server.bodies] == [True, False, False]
    assert "effort" not in first.provenance


def test_a_temperature_refused_at_one_effort_is_tried_at_another():
    """gpt-5.2 takes a temperature with effort none only; high must not spoil none."""
    refuse = status(400, "temperature is not supported", param="temperature")
    with LoopbackLLM(script=[refuse]) as server:
        client = _client(server)
        client.complete(LLMRequest("?", MODEL, effort="high"))
        reply = client.complete(ASK)
    assert server.bodies[-1]["temperature"] == 0.0
    assert "temperature" not in reply.provenance


@pytest.mark.parametrize(("api", "refusal"), [("responses", "effort"), ("chat", "effort detail")])
def test_a_refused_effort_is_left_out(api, refusal):
    """A server without reasoning effort is asked without it, and it is on record."""
    with LoopbackLLM(refuses=[refusal]) as server:
        reply = _client(server, api=api).complete(ASK)
    assert reply.provenance["effort"] == "not sent"
    assert server.bodies[-1]["temperature"] == 0.0
    assert len(server.history) == 2


@pytest.mark.parametrize(
    ("refuses", "left"),
    [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")],
)
def test_the_limit_is_sent_under_the_name_that_is_known(refuses, left):
    """Either name of the output limit works; the limit itself is never dropped."""
    with LoopbackLLM(refuses=[refuses]) as server:
        _client(server).complete(ASK)
    assert server.bodies[-1][left] == 4000
    assert refuses not in server.bodies[-1]


def test_a_limit_refused_by_both_names_is_an_error():
    """No answer is asked for without a limit."""
    with (
        LoopbackLLM(refuses=["max_tokens", "max_completion_tokens"]) as server,
        pytest.raises(ServiceError, match="refused"),
    ):
        _client(server).complete(ASK)
    assert len(server.history) == 2


@pytest.mark.parametrize(
    ("refuses", "mode"),
    [(["json_schema"], "json_object"), (["json_schema", "json_object"], "text")],
)
def test_a_refused_schema_is_asked_for_less_firmly(refuses, mode):
    """Down the ladder the schema goes into the prompt; the mode is on record and remembered."""
    with LoopbackLLM(refuses=refuses) as server:
        client = _client(server)
        reply = client.complete(ASK_JSON)
        n_first = len(server.history)
        client.complete(ASK_JSON)
    assert (reply.provenance["structured"], reply.provenance["schema"]) == (mode, "in the prompt")
    assert server.history[-1].prompt.startswith(ASK_JSON.prompt)
    assert '"additionalProperties": false' in server.history[-1].prompt
    assert (n_first, len(server.history)) == (len(refuses) + 1, len(refuses) + 2)


def test_one_bad_schema_does_not_lower_all_others():
    """Where one schema is refused, the next is asked for firmly again."""
    bad = status(400, "Invalid schema for response_format 'answer'.", param="text.format.schema")
    with LoopbackLLM(script=[bad]) as server:
        client = _client(server, api="responses")
        first, second = client.complete(ASK_JSON), client.complete(ASK_JSON)
    assert first.provenance["structured"] == "json_object"
    assert second.provenance["structured"] == "json_schema"


def test_a_server_without_responses_is_asked_by_chat():
    """Responses forced on a server that has none falls back, and it is remembered."""
    with LoopbackLLM(refuses=["responses"]) as server:
        client = _client(server, api="responses")
        assert client.complete(ASK).provenance["api"] == "chat"
        client.complete(ASK)
    paths = [call.path for call in server.history]
    assert paths == ["/responses", "/chat/completions", "/chat/completions"]


def test_what_was_learned_is_shared_by_clients_and_kept_by_model():
    """Another client of the same address knows; another model is tried anew."""
    memory = Memory()
    with LoopbackLLM(refuses=["temperature"], models=(MODEL, "other")) as server:
        _client(server, memory=memory).complete(ASK)
        _client(server, memory=memory).complete(ASK)
        assert len(server.history) == 3
        _client(server, memory=memory).complete(LLMRequest("?", "other"))
    assert len(server.history) == 5


@pytest.mark.parametrize(
    ("script", "retries"),
    [
        ([RATE_LIMITED], 1),
        ([OVERLOADED, OVERLOADED], 2),
        ([status(429, headers={"Retry-After": "0.01"})], 1),
    ],
)
def test_passing_trouble_is_waited_out(script, retries):
    """Rate limits and server errors are retried by the SDK, as often as it takes."""
    reply = _ask(script, max_retries=4)
    assert (reply.text, reply.provenance["retries"]) == ("ok", retries)


def test_a_rate_limit_without_a_time_is_waited_out_too():
    """Without Retry-After the SDK pauses by itself (half a second at most)."""
    assert _ask([status(429)], max_retries=1).provenance["retries"] == 1


FAILURES = {
    "key": (status(401, "Bad key."), AccessError, "the key is refused .401: Bad key"),
    "rights": (status(403, "Not yours."), AccessError, "may not do this"),
    "quota": (
        status(429, "You exceeded your current quota.", code="insufficient_quota"),
        AccessError,
        "no credit left",
    ),
    "payment": (status(402, "Insufficient Balance"), AccessError, "no credit left"),
    "rate": (RATE_LIMITED, ServiceError, "too many requests"),
    "far wait": (
        status(429, headers={"Retry-After": "300"}),
        ServiceError,
        "asks to wait 300 s",
    ),
    "server": (plain(502, "<html>Bad gateway</html>", "text/html"), ServiceError, "502: <html>Bad"),
    "request": (status(400, "Something is odd."), ServiceError, "refused .400: Something is odd"),
    "long": (
        status(400, "max_tokens is too large: maximum context length is 8192 tokens."),
        ServiceError,
        "Show fewer candidates",
    ),
    "filtered prompt": (
        status(400, "The response was filtered.", code="content_filter"),
        BadReplyError,
        "content filter",
    ),
    "late": (hang, NoAnswerError, "no whole answer in time"),
    "cut": (cut, NoAnswerError, "cut off"),
    "no JSON": (plain(200, '{"id": "resp_1", "out'), BadReplyError, "no JSON"),
    "other JSON": (plain(200, "[1, 2]"), BadReplyError, "not the form"),
    "no parts": (plain(200, '{"id": "x"}'), BadReplyError, "not the form"),
    "error in 200": (
        plain(200, '{"error": {"message": "Upstream died."}}'),
        BadReplyError,
        "an error instead of an answer: Upstream died",
    ),
    "empty": (says(""), BadReplyError, "the answer is empty"),
    "blank": (says(" \n"), BadReplyError, "the answer is empty"),
    "nothing but thought": (says("", finish="length"), BadReplyError, "--max-output-tokens"),
    "refusal": (says(refusal="I cannot help."), BadReplyError, "refuses: I cannot help"),
    "filtered": (says("par", finish="content_filter"), BadReplyError, "content filter stopped"),
}


@APIS
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_has_its_own_error(api, name):
    """Each way to fail becomes one of our errors that says what was found and what to do."""
    fault, kind, match = FAILURES[name]
    with pytest.raises(ServiceError, match=match) as caught:
        _ask([fault], api=api, bounds=Bounds(0.1 if fault is hang else 5.0))
    assert type(caught.value) is kind
    assert caught.value.asked.startswith(f"{MODEL} at http://127.0.0.1")


@APIS
def test_an_unknown_model_is_no_missing_address(api):
    """A 404 about the model is said at once; the other API is not tried for it."""
    with LoopbackLLM(models=()) as server, pytest.raises(AccessError, match="no such model"):
        _client(server, api=api).complete(ASK)
    assert len(server.history) == 1


def test_a_wrong_address_is_told_from_a_wrong_model():
    """A 404 without a word about the model points at the address."""
    with pytest.raises(ServiceError, match="LGR_LLM_BASE_URL") as caught:
        _ask([plain(404, "404 page not found")], api="chat")
    assert type(caught.value) is ServiceError


def test_a_server_that_is_not_there_cannot_be_reached():
    """A refused connection is named as such; nothing was sent that could be charged."""
    with LoopbackLLM() as server:
        client = _client(server)
    with pytest.raises(ServiceError, match="cannot be reached .*Connection refused") as caught:
        client.complete(ASK)
    assert type(caught.value) is ServiceError


@APIS
def test_a_truncated_answer_is_kept(api):
    """Half a list may still name neighbours: the text stays, with its finish reason."""
    reply = _ask([says('{"neighbors": ["Cobi', finish="length")], api=api)
    assert reply.text == '{"neighbors": ["Cobi'
    assert reply.provenance["finish_reason"] == "length"


def test_a_bad_reply_carries_its_text_and_usage():
    """For the log and the account: what came, and what it cost."""
    with pytest.raises(BadReplyError) as caught:
        _ask([says(refusal="No.", usage=(7, 0, 3))])
    assert '"refusal": "No."' in caught.value.raw
    assert caught.value.usage == LLMUsage(7, 0, 3, 1)


@pytest.mark.parametrize(
    "fault",
    [
        echo_key,
        plain(200, f'{{"error": {{"message": "Upstream got {KEY}."}}}}'),
        plain(200, f'{{"id": "{KEY}'),
        plain(500, f"Traceback: Bearer {KEY}", "text/plain"),
        status(400, f"temperature refused for {KEY}"),
    ],
)
def test_the_key_is_nowhere_to_be_read(fault, caplog):
    """A key that the server says aloud reaches no error, traceback, raw text, log or repr."""
    caplog.set_level(logging.DEBUG)
    with LoopbackLLM(script=[fault, fault]) as server:
        client = _client(server)
        with pytest.raises(ServiceError) as caught:
            client.complete(ASK)
    err = caught.value
    told = [*traceback.format_exception(err), repr(err), repr(err.args), repr(client)]
    told += [caplog.text, getattr(err, "raw", "")]
    assert not any(KEY in text for text in told)
    assert err.__context__ is None
    assert f"Bearer {KEY}" == server.history[0].headers["authorization"]


def test_what_looks_like_a_key_is_blotted_out():
    """Another key, or one that the server has starred, is not shown either."""
    with pytest.raises(AccessError, match=r"provided: \[key\]\.") as caught:
        _ask([status(401, "Incorrect API key provided: sk-proj-****abcd.")])
    assert "abcd" not in str(caught.value)


def test_openai_itself_wants_a_key():
    """Without a key nothing is tried, and the message says where to put one."""
    for none in (None, "", "  "):
        with pytest.raises(NoKeyError, match="OPENAI_API_KEY"):
            OpenAIClient(none)


def test_a_server_of_ones_own_needs_no_key():
    """A placeholder is sent, and never the key of the environment."""
    with LoopbackLLM() as server:
        OpenAIClient(None, server.url, memory=Memory()).complete(ASK)
    assert server.history[0].headers["authorization"] == "Bearer not-needed"


@pytest.mark.parametrize("key", ["sk-a b", "sk-ä", "sk-a\nb"])
def test_a_key_that_no_header_can_hold_is_refused_unseen(key):
    """A mangled key is refused before it can turn up in a foreign error."""
    with pytest.raises(UsageError, match="Copy it again") as caught:
        OpenAIClient(key)
    assert key not in str(caught.value)


def test_the_settings_make_the_client():
    """Address and key come from the settings; a key given by hand goes before theirs."""
    with LoopbackLLM() as server:
        settings = Settings(api_key="of-the-settings", llm_base_url=server.url)
        open_client(settings).complete(ASK)
        open_client(settings, "by-hand").complete(ASK)
    keys = [call.headers["authorization"] for call in server.history]
    assert keys == ["Bearer of-the-settings", "Bearer by-hand"]
    assert open_client(Settings(api_key=KEY)).provider == "openai"


def test_a_stopped_client_sends_nothing():
    """Once the event is set no request goes out."""
    stop = threading.Event()
    stop.set()
    with LoopbackLLM() as server, pytest.raises(StoppedError, match="stopped"):
        _client(server, cancel=stop).complete(ASK)
    assert server.history == []


def test_a_stopped_client_does_not_retry():
    """The event is looked at before each retry, too."""
    stop = threading.Event()

    def stop_and_fail(handler, call):
        stop.set()
        OVERLOADED(handler, call)

    with LoopbackLLM(script=[stop_and_fail]) as server, pytest.raises(StoppedError):
        _client(server, cancel=stop, max_retries=4).complete(ASK)
    assert len(server.history) == 1


def test_both_clients_are_clients():
    """The real client and the fake one keep the protocol."""
    assert isinstance(OpenAIClient(KEY), LLMClient)
    assert isinstance(FakeClient(), LLMClient)


def test_the_fake_client_keeps_its_history():
    """Requests are kept in order; replies may be texts or answers."""
    client = FakeClient("one", "two")
    assert [client.complete(ASK).text, client.complete(ASK_JSON).text] == ["one", "two"]
    assert client.history == [ASK, ASK_JSON]


def test_answers_may_name_what_was_never_shown():
    """The edge passes wrong names on as they came; believing them is not its task."""
    assert _ask([says("Nonexistine")]).text == "Nonexistine"


def test_the_server_runs_a_batch():
    """The loopback service takes a file, runs it, and gives answers and errors back by id."""
    line = '{"custom_id": "%s", "url": "/v1/responses", "body": {"model": "%s", "input": "hi"}}\n'
    content = (line % ("good", MODEL) + line % ("bad", "unheard-of")).encode()
    with LoopbackLLM(lambda prompt: Answer(prompt * 2)) as server:
        sdk = _client(server)._sdk
        sent = sdk.files.create(file=("in.jsonl", content), purpose="batch")
        batch = sdk.batches.create(
            input_file_id=sent.id, endpoint="/v1/responses", completion_window="24h"
        )
        done = sdk.batches.retrieve(batch.id)
        answers = sdk.files.content(done.output_file_id).text
        errors = sdk.files.content(done.error_file_id).text
    assert (batch.status, done.status) == ("validating", "completed")
    assert '"good"' in answers
    assert '"hihi"' in answers
    assert '"bad"' in errors
    assert "model_not_found" in errors


def test_the_server_lists_its_models():
    """The loopback service names its models as the API does."""
    with LoopbackLLM() as server:
        assert [model.id for model in _client(server)._sdk.models.list()] == [MODEL]
