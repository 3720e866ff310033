"""Calls in a process of their own with a limit of memory and time: for files from strangers.

A server process loads the readers once and is forked for each call, so that a call costs
milliseconds. It holds no key, and ends with its parent; a call whose parent has gone ends too.
"""

from __future__ import annotations

import contextlib
import copyreg
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from lgr_core.config import Settings
from lgr_core.errors import InputError, LgrError

T = TypeVar("T")

_READERS = ("lgr_core.atlas.ingest_plan", "lgr_core.enrichment")
"""Loaded once, before any call."""

_SINGLE = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}
"""Allocators that take what they need: others reserve a gigabyte, which counts against the limit"""

_LESS_URGENT = 10
_GRACE_S = 5


def _read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)


copyreg.pickle(MappingProxyType, lambda view: (_read_only, (dict(view),)))


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a call may use: ``memory_mb`` beyond what its libraries take, and ``seconds``."""

    memory_mb: int
    seconds: float

    @classmethod
    def of_uploads(cls) -> ProcessLimits:
        """Those of files that visitors send, as this installation has them."""
        settings = Settings.from_environment()
        return cls(settings.upload_memory_mb, settings.upload_deadline)


class LimitedProcesses:
    """Runs calls in limited processes; its server is started with the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def call(
        self,
        what: str,
        limits: ProcessLimits,
        function: Callable[..., T],
        *args: object,
        report: Callable[..., None] | None = None,
        **named: object,
    ) -> T:
        """The result of a call, which is pickled, as is what it returns.

        With ``report`` the function gets a keyword ``progress``, whose calls are repeated here.

        Raises
        ------
        LgrError
            What the function raised.
        InputError
            It took more memory or time than it may, or ended; ``what`` is what was read.
        """
        with self._connected() as pipe:
            pipe.send((function, args, named, limits, report is not None))
            return _result(pipe, what, limits, report)

    def start(self) -> None:
        """Start the server, so that the first call does not wait for it."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the server."""
        with self._lock:
            if self._server is not None:
                self._server.close()
            self._server = None

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A pipe to a new process, which is killed when the block ends."""
        with self._lock:
            pipe = self._running().connect()
        with pipe:
            process = None
            try:
                process = pipe.recv()
                yield pipe
            except EOFError as err:
                found = "the process that was to read it could not be started"
                raise InputError("a file", found, "Try again.") from err
            finally:
                if process is not None:
                    _kill(process)

    def _running(self) -> _Server:
        if self._server is None or not self._server.alive:
            self._server = _Server()
        return self._server


@dataclass(slots=True)
class _Server:
    """The process that is forked for each call."""

    _line: socket.socket = field(init=False)
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._line, theirs = socket.socketpair()
        start = f"import sys; sys.path[:] = {sys.path!r}; "
        start += f"from lgr_core.processes.limited import serve; serve({theirs.fileno()})"
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [sys.executable, "-c", start],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**Settings.from_environment().without_key(), **_SINGLE},
            )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def connect(self) -> Connection:
        """A pipe to a new process."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._line, [b"+"], [theirs.fileno()])
        return Connection(ours.detach())

    def close(self) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait()


def _result(
    pipe: Connection, what: str, limits: ProcessLimits, report: Callable[..., None] | None
) -> Any:  # noqa: ANN401 - whatever the function returns
    end = time.monotonic() + limits.seconds
    smaller = "Send a smaller file, or ingest it in a shell with lgr ingest."
    while pipe.poll(max(end - time.monotonic(), 0)):
        try:
            kind, value = pipe.recv()
        except (EOFError, ConnectionResetError) as err:
            found = f"reading it ended early; it may take {limits.memory_mb:,} MB of memory"
            raise InputError(what, found, f"Check the file. {smaller}") from err
        if kind == "done":
            return value
        if kind == "error":
            raise value
        if kind == "failed":
            do = "Check the file; the log of this server has the details."
            raise InputError(what, f"it cannot be read ({value})", do)
        if kind == "memory":
            found = f"reading it takes more than {limits.memory_mb:,} MB of memory"
            raise InputError(what, found, smaller)
        if report is not None:
            report(*value)
    raise InputError(what, f"reading it takes longer than {limits.seconds:g} s", smaller)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


# -- in the server and its forks -------------------------------------------------------------------


def serve(handle: int) -> None:
    """Fork a process for each pipe that comes through the socket ``handle``, until it is closed."""
    for reader in _READERS:
        import_module(reader)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets those that end
    with socket.socket(fileno=handle) as line:
        while True:
            message, handles, _, _ = socket.recv_fds(line, 1, 1)
            if not message:
                return
            if os.fork() == 0:
                line.close()
                with Connection(handles[0]) as pipe:
                    _answer(pipe)
                os._exit(0)
            os.close(handles[0])


def _answer(pipe: Connection) -> None:
    """Answer one call; what is no error of ours leaves its traceback in the log."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pipe.send(os.getpid())
    function, args, named, limits, reports = pipe.recv()
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    _limit(limits)
    if reports:
        named["progress"] = _Progress(pipe)
    try:
        outcome = "done", function(*args, **named)
    except LgrError as err:
        outcome = "error", err.reworded(str)
    except MemoryError:
        outcome = "memory", None
    except BaseException as err:
        pipe.send(("failed", type(err).__name__))
        raise
    pipe.send(outcome)


class _Progress:
    """Sends what is done to whoever waits, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def __call__(self, *done: object) -> None:
        with self._lock:
            self._pipe.send(("progress", done))


def _end_with(pipe: Connection) -> None:
    """End this process when nobody waits for it any more."""
    pipe.poll(None)
    os._exit(1)


def _limit(limits: ProcessLimits) -> None:
    """Limit this process; the system ends it at its deadline, whatever it is at."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + _GRACE_S)
    os.nice(_LESS_URGENT)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = Path("/proc/self/statm")
    if used.exists():
        pages = int(used.read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + limits.memory_mb * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
