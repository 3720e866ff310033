"""Chromium with nobody looking on: a tab that is told where to go and asked what it shows.

Playwright listens to a page's errors, which alone slows the page: the first one by some 0.6 s.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.request import Request, urlopen

from websockets.sync.client import connect

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
WINDOW = "--window-size=1280,900"
_PATIENCE_S = 180


@contextmanager
def browser() -> Iterator[str]:
    """A Chromium that has seen nothing yet; gives its address."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        own = [f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
        process = subprocess.Popen(
            [shutil.which("chromium"), *FLAGS, WINDOW, *own], stderr=subprocess.DEVNULL
        )
        try:
            told = Path(folder) / "DevToolsActivePort"
            while not (told.exists() and told.read_text()):
                time.sleep(0.1)
            time.sleep(1)  # it starts more than it shows
            yield f"http://127.0.0.1:{told.read_text().split()[0]}"
        finally:
            process.terminate()
            process.wait()


class Tab:
    """A new tab, closed at the end."""

    def __init__(self, address: str) -> None:
        with urlopen(Request(f"{address}/json/new?about:blank", method="PUT")) as reply:  # noqa: S310
            self._wire = connect(json.load(reply)["webSocketDebuggerUrl"], max_size=None)
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.call("Page.close")
        self._wire.close()

    def call(self, method: str, **options: object) -> dict:
        """One command of the DevTools protocol, and its answer."""
        self._asked += 1
        self._wire.send(json.dumps({"id": self._asked, "method": method, "params": options}))
        while (said := json.loads(self._wire.recv())).get("id") != self._asked:
            pass
        return said.get("result", {})

    def js(self, expression: str) -> object:
        """What an expression is worth in the page; None where it cannot be said."""
        said = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return said.get("result", {}).get("value")

    def until(self, condition: str, start: float) -> float:
        """Seconds since ``start`` when the condition is met first."""
        while not self.js(condition):
            if time.perf_counter() - start > _PATIENCE_S:
                raise TimeoutError(condition)
            time.sleep(0.02)
        return time.perf_counter() - start

    def key(self, name: str, code: int) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code)
