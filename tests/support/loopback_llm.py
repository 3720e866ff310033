"""A language model service on 127.0.0.1 that misbehaves on demand, and a client without service.

:class:`LoopbackLLM` speaks both OpenAI APIs over real HTTP, and files and batches as far as we use
them. A script of faults (one a request, None for a normal answer), standing refusals, or random
faults at a rate make it misbehave; it keeps every call. :class:`FakeClient` answers from a queue.
"""

import json
import random
import sys
import threading
from collections import deque
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lgr_core.domain import LLMReply, LLMUsage
from tests.support.loopback_faults import (
    MODEL,
    OVERLOADED,
    RATE_LIMITED,
    REFUSALS,
    Answer,
    Call,
    tokens_of,
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.owner.serve(self, self._call({}))

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"].startswith("multipart/"):
            self.server.owner.upload(self, content)
        else:
            self.server.owner.serve(self, self._call(json.loads(content)))

    def _call(self, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Call(self.command, self.path.partition("/v1")[2], headers, body)

    def tell(self, code, data, headers=None):
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.tell_bytes(code, content, {"Content-Type": "application/json"} | (headers or {}))

    def tell_bytes(self, code, content, headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that hung up is no fault of the server's."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class LoopbackLLM:
    """The service; use it as a context manager.

    ``reply`` turns a prompt into a text or an :class:`Answer`.
    """

    def __init__(
        self,
        reply: Callable = lambda _prompt: "ok",
        *,
        script=(),
        refuses=(),
        models=(MODEL,),
        ends=None,
        rate=0.0,
        faults=(RATE_LIMITED, OVERLOADED),
        seed=0,
    ):
        self.reply, self.script, self.refuses, self.models = reply, deque(script), refuses, models
        self.ends = {} if ends is None else ends
        self.rate, self.faults, self._random = rate, faults, random.Random(seed)  # noqa: S311
        self.history: list[Call] = []
        self.faulted = 0
        self.well: list[Call] = []
        self._files, self._batches, self._lock = {}, {}, threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner, self._server.closing = self, threading.Event()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True).start()
        return self

    def __exit__(self, *_exc):
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def bodies(self):
        """The JSON bodies that came, in order."""
        return [call.body for call in self.history]

    def serve(self, handler, call):
        """Answer a call, or misbehave."""
        with self._lock:
            self.history.append(call)
            fault = self._next_fault(call)
            self.faulted += fault is not None
        if fault is not None:
            fault(handler, call)
        elif call.path in {"/responses", "/chat/completions"}:
            self.well.append(call)
            handler.tell(*self._answer(call.path, call))
        else:
            handler.tell(*self._other(call))

    def upload(self, handler, content):
        """POST /files: keep the file of a multipart form."""
        head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + content)
        parts = [part.get_payload(decode=True) for part in form.iter_parts() if part.get_filename()]
        handler.tell(200, self._keep(parts[0]))

    def _next_fault(self, call):
        if self.script:
            return self.script.popleft()
        if self._random.random() < self.rate:
            return self._random.choice(self.faults)
        refusals = (REFUSALS[name] for name in self.refuses)
        return next((fault for applies, fault in refusals if applies(call)), None)

    def _answer(self, path, call):
        model = call.body["model"]
        if model not in self.models:
            said = f"The model '{model}' does not exist or you do not have access to it."
            return 404, {"error": {"message": said, "code": "model_not_found"}}
        answer = self.reply(call.prompt)
        answer = answer if isinstance(answer, Answer) else Answer(answer)
        return 200, answer.to(call.prompt).told(path, model)

    def _other(self, call):
        match call.path.strip("/").split("/"):
            case ["models"]:
                rows = [{"id": m, "shutdown_date": self.ends.get(m)} for m in self.models]
                return 200, {"object": "list", "data": rows}
            case ["files", name, "content"]:
                return 200, self._files[name]
            case ["batches"]:
                return 200, self._run_batch(call.body)
            case ["batches", name]:
                return 200, self._batches[name]
        return 404, {"error": {"message": f"Unknown request URL: {call.path}"}}

    def _keep(self, content):
        name = f"file-{len(self._files) + 1}"
        self._files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "purpose": "batch"}

    def _run_batch(self, body):
        """Run a batch at once; it is told as completed when it is asked for again."""
        told = {200: [], 404: []}
        for line in self._files[body["input_file_id"]].splitlines():
            asked = json.loads(line)
            path = asked["url"].removeprefix("/v1")
            code, answer = self._answer(path, Call("POST", path, {}, asked["body"]))
            response = {"status_code": code, "body": answer}
            told[code].append({"custom_id": asked["custom_id"], "response": response})
        batch = {"id": f"batch-{len(self._batches) + 1}", "object": "batch", **body}
        done = {"status": "completed", "output_file_id": None, "error_file_id": None}
        for place, rows in (("output_file_id", told[200]), ("error_file_id", told[404])):
            if rows:
                content = "".join(f"{json.dumps(row)}\n" for row in rows)
                done[place] = self._keep(content.encode())["id"]
        self._batches[batch["id"]] = batch | done
        return batch | {"status": "validating"}


class FakeClient:
    """A client that answers from a queue and keeps the requests: no network at all.

    A reply is a text, an ``LLMReply``, or an error to raise.
    """

    provider = "fake"

    def __init__(self, *replies):
        self.queue, self.history = deque(replies), []
        self._lock = threading.Lock()

    def complete(self, request):
        """The next reply of the queue."""
        with self._lock:
            self.history.append(request)
            reply = self.queue.popleft()
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, LLMReply):
            return reply
        return LLMReply(reply, LLMUsage(tokens_of(request.prompt), 0, 10, 1), {"api": "fake"})
