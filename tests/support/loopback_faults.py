"""What the loopback language model service is asked, what it says, and how it misbehaves."""

import gzip
from dataclasses import dataclass, field, replace

KEY = "test-key-4711-never-to-be-seen"
MODEL = "gpt-5.2-2025-12-11"
COUNTED = (100, 40, 10)
AT_ONCE = {"retry-after-ms": "1"}
"""Headers that keep the pauses of the SDK short."""


@dataclass(frozen=True)
class Call:
    """One request as it came: the path after /v1, headers in lower case, the JSON body."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict = field(default_factory=dict)

    @property
    def prompt(self):
        """The question in it."""
        messages = self.body.get("messages")
        return self.body.get("input") if messages is None else messages[-1]["content"]


def tokens_of(prompt):
    """A plausible count of a prompt's tokens: four bytes each, 100 at least."""
    return max(100, len(prompt.encode()) // 4)


@dataclass(frozen=True)
class Answer:
    """An answer in the words of Chat Completions, to be told in either API.

    ``usage`` is (input, cached, output); by default the input is counted from the prompt.
    """

    text: str = "ok"
    refusal: str | None = None
    finish: str = "stop"
    usage: tuple[int, int, int] | None = COUNTED

    def to(self, prompt):
        """The answer to a prompt."""
        counted = (tokens_of(prompt), 40, 10)
        return replace(self, usage=counted) if self.usage is COUNTED else self

    def told(self, path, model):
        """The body for that path; usage is (input, cached, output)."""
        return self._responses(model) if path == "/responses" else self._chat(model)

    def _responses(self, model):
        part = {"type": "output_text", "text": self.text, "annotations": []}
        if self.refusal is not None:
            part = {"type": "refusal", "refusal": self.refusal}
        reason = {"stop": None, "length": "max_output_tokens"}.get(self.finish, self.finish)
        body = {
            "id": "resp_1",
            "object": "response",
            "model": model,
            "status": "completed" if reason is None else "incomplete",
            "incomplete_details": None if reason is None else {"reason": reason},
            "error": None,
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "content": [part]},
            ],
        }
        return body | self._usage("input_tokens", "output_tokens")

    def _chat(self, model):
        text = self.text if self.refusal is None else None
        message = {"role": "assistant", "content": text, "refusal": self.refusal}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": model,
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
        }
        return body | self._usage("prompt_tokens", "completion_tokens")

    def _usage(self, shown, given):
        if self.usage is None:
            return {}
        n_input, cached, output = self.usage
        details = {f"{shown}_details": {"cached_tokens": cached}}
        return {"usage": {shown: n_input, given: output, **details}}


def says(text="ok", **parts):
    """One answer of its own, e.g. ``says(finish="length")``."""
    return lambda handler, call: handler.tell(
        200, Answer(text, **parts).to(call.prompt).told(call.path, call.body["model"])
    )


def status(number, message="It went wrong.", *, headers=None, **error):
    """An error answer in the form of the API."""
    said = {"message": message, "type": "error", "param": None, "code": None, **error}
    return lambda handler, _call: handler.tell(number, {"error": said}, headers)


def plain(code, text, kind="application/json"):
    """Any status with any text."""
    return lambda handler, _call: handler.tell_bytes(code, text.encode(), {"Content-Type": kind})


def hang(handler, _call):
    """Say nothing until the server closes."""
    handler.server.closing.wait(10)
    handler.close_connection = True


def cut(handler, _call):
    """Promise more than is sent, then hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "resp_')
    handler.close_connection = True


def trickle(handler, _call):
    """Send a byte now and then, head or body, until the server closes or the client has gone."""
    handler.close_connection = True
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n" + b"X" * 9_999:
        if handler.server.closing.wait(0.02):
            return
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()


def trickle_body(handler, _call):
    """Send the head at once and the body by the byte."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Length", "99999")
    handler.end_headers()
    for _ in range(9_999):
        if handler.server.closing.wait(0.02):
            return
        handler.wfile.write(b" ")
        handler.wfile.flush()


def swollen(handler, _call):
    """A packed answer of a few kilobytes that unpacks to 20 MB."""
    content = gzip.compress(b" " * 20_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    handler.tell_bytes(200, content, headers)


def moved(url, code=307):
    """Send the request on to another address."""
    return lambda handler, _call: handler.tell_bytes(code, b"", {"Location": url})


def echo_in_answer(handler, call):
    """A good answer that holds the key, and names it as its id."""
    key = call.headers["authorization"].removeprefix("Bearer ")
    body = (
        Answer(f"1. Talc: your key is {key}.").to(call.prompt).told(call.path, call.body["model"])
    )
    handler.tell(200, body | {"id": key, "system_fingerprint": key})


def chat(message, finish="stop", choice=None, **more):
    """A Chat Completions body with this message."""
    choices = [{"index": 0, "message": message, "finish_reason": finish, **(choice or {})}]
    body = {"id": "x", "model": MODEL, "choices": choices, **more}
    return lambda handler, _call: handler.tell(200, body)


def echo_key(handler, call):
    """Refuse the key, and say it aloud."""
    key = call.headers["authorization"].removeprefix("Bearer ")
    status(401, f"Incorrect API key provided: {key}.", code="invalid_api_key")(handler, call)


RATE_LIMITED = status(429, "Rate limit reached.", headers=AT_ONCE, code="rate_limit_exceeded")
OVERLOADED = status(500, "The server had an error.", headers=AT_ONCE)


def _format(call):
    shape = call.body.get("response_format") or call.body.get("text", {}).get("format") or {}
    return shape.get("type")


REFUSALS = {
    "responses": (
        lambda call: call.path == "/responses",
        plain(404, '{"detail": "Not Found"}'),
    ),
    "temperature": (
        lambda call: "temperature" in call.body,
        status(
            400,
            "Unsupported parameter: 'temperature' is not supported with this model.",
            param="temperature",
        ),
    ),
    "temperature value": (
        lambda call: call.body.get("temperature", 1) != 1,
        status(
            400,
            "Unsupported value: 'temperature' does not support 0 with this model. "
            "Only the default (1) value is supported.",
            code="unsupported_value",
        ),
    ),
    "effort": (
        lambda call: "reasoning_effort" in call.body or "reasoning" in call.body,
        status(400, "Unsupported parameter: 'reasoning.effort' is not supported with this model."),
    ),
    "effort detail": (
        lambda call: "reasoning_effort" in call.body,
        plain(422, '{"detail": [{"type": "literal_error", "loc": ["body", "reasoning_effort"]}]}'),
    ),
    "max_tokens": (
        lambda call: "max_tokens" in call.body,
        status(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
    ),
    "max_completion_tokens": (
        lambda call: "max_completion_tokens" in call.body,
        status(400, "[{'loc': ('body', 'max_completion_tokens'), 'msg': 'Extra inputs'}]"),
    ),
    "json_schema": (
        lambda call: _format(call) == "json_schema",
        status(400, "This response_format type is unavailable now."),
    ),
    "json_object": (
        lambda call: _format(call) == "json_object",
        status(400, "'response_format.type' must be 'json_schema' or 'text'"),
    ),
}
"""Standing refusals: what is refused, and in which words (seen of real servers)."""
