"""Plans: what is sent, what a refusal teaches, what is remembered."""

import pytest

from lgr_core.domain import LLMRequest
from lgr_core.llm.capabilities import Memory, Plan, Structure
from lgr_core.llm.endpoint import Service
from lgr_core.llm.failures import Failure

OPENAI = Service.at(None)
LOCAL = Service.at("http://localhost:8000/v1")
ASK = LLMRequest("?", "m", schema={"type": "object"})


def _refusal(message, param="", status=400, code=""):
    return Failure(message, status=status, param=param, code=code)


@pytest.mark.parametrize(
    ("message", "param", "lesson"),
    [
        ("'temperature' does not support 0 with reasoning", "", ("temperature", (0.0, "none"))),
        ("odd value", "reasoning.effort", ("effort", "none")),
        ("the temperature of the debate", "response_format", ("structure", "json_schema")),
        ('"llama3" does not support thinking', "", ("effort", "none")),
        ("Use 'max_completion_tokens' instead of 'max_tokens'", "", ("tokens", "max_tokens")),
        ("Failed to parse grammar", "", ("structure", "json_schema")),
    ],
)
def test_a_refusal_is_read_by_its_parameter_first(message, param, lesson):
    """The named parameter decides; else what the message names first."""
    assert Plan.make(LOCAL, ASK).learn(_refusal(message, param)) == lesson


@pytest.mark.parametrize(
    "failure",
    [
        _refusal("Something is odd."),
        _refusal("temperature", status=500),
        _refusal("temperature", status=401),
        _refusal("max_tokens exceed the context length"),
        _refusal("temperature", code="content_filter"),
        Failure("temperature", "late"),
    ],
)
def test_other_failures_teach_nothing(failure):
    """Only a 400 or 422 that names a part of the plan makes a new plan."""
    assert Plan.make(LOCAL, ASK).learn(failure) is None


def test_nothing_is_learned_twice():
    """A part that was not sent cannot be refused: asking again always comes to an end."""
    bare = LLMRequest("?", "m", temperature=None, effort=None)
    plan = Plan.make(LOCAL, bare, {("tokens", "max_tokens")})
    for word in ("temperature", "reasoning_effort", "max_completion_tokens", "json_schema"):
        assert plan.learn(_refusal(word, word)) is None


def test_a_temperature_is_refused_for_its_effort():
    """The lesson holds for that value at that effort, and for no other."""
    plan = Plan.make(OPENAI, ASK, {("temperature", (0.0, "high"))})
    assert plan.temperature == 0.0
    high = LLMRequest("?", "m", effort="high")
    assert Plan.make(OPENAI, high, {("temperature", (0.0, "high"))}).temperature is None


def test_the_ladder_ends_in_text():
    """With both JSON modes refused the schema stands in the prompt, and nowhere else."""
    lessons = {("structure", Structure.JSON_SCHEMA), ("structure", Structure.JSON_OBJECT)}
    plan = Plan.make(OPENAI, ASK, lessons)
    body = plan.body(ASK)
    assert body["input"].endswith('valid for this JSON schema:\n{"type": "object"}')
    assert "text" not in body
    assert plan.departures(ASK) == {"schema": "in the prompt"}


def test_a_missing_responses_api_leads_to_chat():
    """404 and 405 without a word on the model are a missing route."""
    plan = Plan.make(OPENAI, ASK)
    assert plan.learn(_refusal("Not Found", status=404)) == ("api", "responses")
    assert plan.learn(_refusal("Method Not Allowed", status=405)) == ("api", "responses")
    assert plan.learn(_refusal("model 'm' not found", status=404)) is None
    assert Plan.make(LOCAL, ASK).learn(_refusal("Not Found", status=404)) is None


@pytest.mark.parametrize(("service", "store"), [(OPENAI, False), (LOCAL, None)])
def test_nothing_is_stored_at_openai(service, store):
    """OpenAI is told not to keep questions by either API; other servers do not know the word."""
    chat = Plan.make(service, ASK, {("api", "responses")})
    assert chat.body(ASK).get("store") is store
    assert "messages" in chat.body(ASK)


def test_memory_adds_up():
    """Lessons of several threads are joined, and kept apart by service and model."""
    memory = Memory()
    memory.keep(LOCAL, "m", [("effort", "none")])
    memory.keep(LOCAL, "m", [("tokens", "max_tokens")])
    assert memory.recall(LOCAL, "m") == {("effort", "none"), ("tokens", "max_tokens")}
    assert memory.recall(LOCAL, "n") == memory.recall(OPENAI, "m") == frozenset()
