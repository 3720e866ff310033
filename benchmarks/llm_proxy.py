"""LiteLLM's proxy in the loop: a compatible server that is not ours, with answers made up by it.

Run: ``python benchmarks/llm_proxy.py --litellm PATH/TO/litellm``, with LiteLLM installed in an
environment of its own (``pip install 'litellm[proxy]'``, some 750 MB: too much for the tests). The
proxy listens on 127.0.0.1 and asks no other service. Each row is one ``lgr fill`` of one query:
what was expected, the exit code, and what the shell said. It fails where one is not as expected.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.many_queries import build_many

KEY = "sk-master-of-the-proxy-4711"
START_SECONDS = 900
BEHIND_A_SENTENCE = "Here is the ranking: 1. D10: alike.\n2. D11: alike.\n3. D12: alike."
IN_TAGS = "<think>1. D20: a draft</think><answer>1. D10: a.\n2. D11: b.\n3. D12: c.</answer>"

MODELS = {
    "sentence": BEHIND_A_SENTENCE,
    "tags": IN_TAGS,
    "echo": f"{BEHIND_A_SENTENCE}\nYour key is {KEY}.",
    "nothing": "",
    "rate": "litellm.RateLimitError",
    "long": "litellm.ContextWindowExceededError",
    "broken": "litellm.InternalServerError",
}
"""The mock answers, by model; for an empty one the proxy asks a service in vain."""

CASES = (
    ("list behind a sentence", "sentence", KEY, 0, ""),
    ("list in tags, after a thought", "tags", KEY, 0, ""),
    ("the key in a good answer", "echo", KEY, 0, ""),
    ("no service behind the proxy", "nothing", KEY, 5, "fails"),
    ("rate limit", "rate", KEY, 5, "too many requests"),
    ("context too small", "long", KEY, 5, "do not fit the model"),
    ("server error", "broken", KEY, 5, "fails"),
    ("wrong key", "sentence", "sk-not-the-master-4711", 5, "no database of keys"),
    ("unknown model", "unheard-of", KEY, 5, ""),
)
"""What is tried: a name, the model, the key, the exit code, and words that must be said."""


def main() -> None:
    """Start the proxy, try every case, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--litellm", type=Path, required=True, help="the program, in its own venv")
    parser.add_argument("--port", type=int, default=18_444)
    options = parser.parse_args()
    scratch, wrong = Path(tempfile.mkdtemp(prefix="lgr-proxy-")), 0
    try:
        build_many(scratch, 40)
        with _proxy(options.litellm, options.port, scratch) as url:
            for case in CASES:
                wrong += _try(scratch, url, *case)
    finally:
        shutil.rmtree(scratch)
    if wrong:
        sys.exit(f"{wrong} cases are not as expected")


@contextmanager
def _proxy(program: Path, port: int, scratch: Path) -> Iterator[str]:
    """The proxy at work; its address."""
    rows = [
        {
            "model_name": name,
            "litellm_params": {"model": "openai/mock", "api_key": "none", "mock_response": answer},
        }
        for name, answer in MODELS.items()
    ]
    config = scratch / "proxy.yaml"
    settings = {"master_key": KEY}
    config.write_text(json.dumps({"model_list": rows, "general_settings": settings}))
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    with (scratch / "proxy.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/health/liveliness")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _wait(address: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(START_SECONDS):
        try:
            opener.open(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(1)
        else:
            return
    sys.exit(f"the proxy did not start within {START_SECONDS} s")


def _try(home: Path, url: str, name: str, model: str, key: str, code: int, words: str) -> bool:
    """One case; prints its row, returns whether it was not as expected."""
    env = {
        **os.environ,
        "LGR_HOME": str(home),
        "LGR_LLM_BASE_URL": url,
        "LGR_LLM_MODEL": model,
        "OPENAI_API_KEY": key,
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-m", "lgr_core", "fill", "--atlas", "many", "--k", "3"]
    command += ["--max-queries", "1", "--cache", "refresh"]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    said = " ".join((run.stdout + run.stderr).split())
    kept = [path.read_text(encoding="utf-8") for path in (home / "cache").glob("*.jsonl")]
    secret = any(key in text for text in (said, *kept))
    wrong = run.returncode != code or words not in said or secret
    lead = said[said.find("failed") :] if code else said
    print(f"| {name} | {run.returncode} | {'NOT as expected: ' if wrong else ''}{lead[:400]} |")
    return wrong


if __name__ == "__main__":
    main()
