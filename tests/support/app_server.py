"""The app on a free port of this machine."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def served(home):
    """Serve the atlases and runs of a home from this checkout; gives the address."""
    lgr = [sys.executable, "-m", "lgr_core"]
    with serving(lgr, {**os.environ, "LGR_HOME": str(home)}, cwd=ROOT, log=home / "log") as address:
        yield address


@contextmanager
def serving(lgr, environment, *, cwd, log):
    """Serve the app by the command ``lgr app``; gives the address."""
    port = _free_port()
    command = [*lgr, "app", f"--port={port}"]
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=cwd, env=environment, stdout=file, stderr=file)
        try:
            _wait(server, f"http://127.0.0.1:{port}/_stcore/health", log)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _wait(server, url, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the app did not start: {log.read_text()}")
