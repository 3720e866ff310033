"""Answers in the forms that servers really send."""

import json

import pytest

from lgr_core.domain import LLMUsage
from lgr_core.errors import BadReplyError
from lgr_core.llm.failures import LONGEST, Failure
from lgr_core.llm.response import read_reply


def _chat(message, **more):
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], **more})


def _said(item):
    return json.dumps({"output": [{"type": "message", "content": [item]}]})


def test_several_messages_make_one_text():
    """All text parts of a Responses body are joined; reasoning is left out."""
    message = {"type": "message", "content": [{"type": "output_text", "text": "a"}] * 2}
    body = {"output": [{"type": "reasoning", "content": "hm"}, message, message]}
    assert read_reply(json.dumps(body), "x").text == "aaaa"


def test_chat_content_may_come_in_parts():
    """Some servers send a list of parts where others send a text."""
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}]
    assert read_reply(_chat({"content": parts}), "x").text == "ok"


def test_half_a_character_is_no_trouble_for_files_and_screens():
    """JSON may escape what UTF-8 cannot hold; a question mark stands for it, wherever it comes."""
    half = "a\ud800b"
    reply = read_reply(_chat({"content": half}, model=half, id=half), "x")
    assert (reply.text, reply.provenance["model"], reply.provenance["id"]) == ("a?b",) * 3
    for body in (_chat({"content": None, "refusal": half}), json.dumps({"error": half})):
        with pytest.raises(BadReplyError, match=r"a\?b") as bad:
            read_reply(body, "x")
        assert f"{bad.value} {bad.value.raw}".encode()


def test_the_text_is_passed_on_as_it_came():
    """Blanks, line ends and letters beyond ASCII stay."""
    assert read_reply(_chat({"content": " 18β-acid\n"}), "x").text == " 18β-acid\n"


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, LLMUsage(9, 0, 2, 1)),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, LLMUsage(9, 0, 0, 1)),
        ({"prompt_tokens": None, "completion_tokens": "2"}, LLMUsage(0, 0, 0, 1)),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 12}, "output_tokens": 1},
            LLMUsage(9, 9, 1, 1),
        ),
        ({"prompt_tokens": -4, "completion_tokens": 1.5}, LLMUsage(0, 0, 0, 1)),
    ],
)
def test_usage_is_read_as_far_as_it_goes(usage, counted):
    """Missing or odd numbers count as nothing, and cached tokens never exceed the input."""
    assert read_reply(_chat({"content": "ok"}, usage=usage), "x").usage == counted


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "7",
        '"text"',
        "{}",
        "[" * 100_000,
        '{"choices": []}',
        '{"choices": [{}]}',
        '{"choices": [{"message": null}]}',
        '{"output": null}',
        '{"output": [{"type": "message"}]}',
        _said({"type": "output_text", "text": None}),
        _chat({"content": None}),
        _chat({"content": [{"type": "text"}]}),
    ],
)
def test_no_body_is_so_odd_that_it_breaks_anything_else(body):
    """Whatever comes, the error is ours and holds the text."""
    with pytest.raises(BadReplyError) as caught:
        read_reply(body, "x")
    assert caught.value.raw == body


def test_a_failed_response_is_an_error():
    """A Responses body may say under status 200 that it failed."""
    body = {"status": "failed", "error": {"message": "Overheated."}, "output": []}
    with pytest.raises(BadReplyError, match="Overheated"):
        read_reply(json.dumps(body), "x")


def test_a_long_message_is_shortened_for_people():
    """A page of HTML does not fill the screen; its beginning is shown."""
    text = str(Failure("x" * 9_999, status=500).error("model"))
    assert "x" * LONGEST + " ..." in text
    assert len(text) < LONGEST + 100
