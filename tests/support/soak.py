"""A fill of many queries against a server of every fault, killed again and again and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lgr_core.llm.cache import AnswerCache
from tests.support.loopback_faults import (
    AT_ONCE,
    KEY,
    OVERLOADED,
    RATE_LIMITED,
    chat,
    cut,
    plain,
    says,
    status,
    swollen,
    trickle,
    trickle_body,
)
from tests.support.loopback_llm import LoopbackLLM

NO_ROOM = "'max_tokens' is too large: 4000. The maximum context length is 6000 tokens and the "
NO_ROOM += "request has 3000 input tokens."
QUOTA = "You exceeded your current quota. Please retry in 0.01s."


def good(prompt, n=10):
    """The first candidates, with a reason each."""
    names = prompt.split("molecules:\n")[1].split("\n\n")[0].splitlines()[:n]
    items = "\n".join(f"{i}. {name}: alike." for i, name in enumerate(names, start=1))
    return f"<Final Answer>\n{items}\n</Final Answer>"


def listed(prompt, n=10):
    """The list alone."""
    return good(prompt, n).replace("<Final Answer>\n", "").replace("\n</Final Answer>", "")


def nearly_right(form):
    """A usable answer that does not look like one; ``form`` makes a message of a prompt."""

    def answer(handler, call):
        message = form(call.prompt)
        message = message if isinstance(message, dict) else {"content": message}
        chat(message, usage={"prompt_tokens": len(call.prompt) // 4})(handler, call)

    return answer


def ended(finish, n=2):
    """A beginning of an answer with another finish reason."""
    return lambda handler, call: says(good(call.prompt, n)[:-9], finish=finish)(handler, call)


def saying_the_key(form):
    """An answer or a refusal that holds the key."""
    return lambda handler, call: form(call)(handler, call)


def _called(prompt):
    names = [line.split(". ")[1].split(":")[0] for line in listed(prompt).splitlines()]
    answer = {"neighbors": [{"molecule": name} for name in names]}
    call = {"name": "submit", "arguments": json.dumps(answer)}
    return {"content": None, "tool_calls": [{"type": "function", "function": call}]}


USABLE = {
    "behind a heading": nearly_right(lambda p: f"Here is the ranking: {listed(p)}"),
    "behind a channel": nearly_right(lambda p: f"<|channel|>final<|message|>{listed(p)}<|return|>"),
    "behind a thought": nearly_right(lambda p: f"[THINK]{listed(p, 3)}[/THINK]{listed(p)}"),
    "in the reasoning": nearly_right(lambda p: {"content": "", "reasoning": good(p)}),
    "in a tool call": nearly_right(_called),
    "with the key in it": saying_the_key(
        lambda call: says(f"{good(call.prompt)}\nYour key: {KEY}")
    ),
}
"""Faults whose answer counts all the same."""

UNUSABLE = {
    "finish error": ended("error"),
    "finish length": ended("length"),
    "finish MAX_TOKENS": ended("MAX_TOKENS"),
    "error in a choice": chat({"content": "1. D"}, choice={"error": {"message": f"for {KEY}"}}),
    "a cut prompt": lambda handler, call: says(good(call.prompt), usage=(100, 0, 10))(
        handler, call
    ),
    "empty": says(""),
    "a draft in the reasoning": chat({"content": "", "reasoning": "1. D01: x"}, "length"),
    "no JSON": plain(200, '{"id": "x", "cho'),
    "the key in no JSON": plain(200, f'{{"id": "{KEY}'),
    "swollen": swollen,
    "moderation": status(403, "Your input was flagged by moderation."),
    "trickle": trickle,
    "trickling body": trickle_body,
}
"""Faults that fail their question in this run."""

PASSING = {
    "rate limit": RATE_LIMITED,
    "rate limit worded as quota": status(429, QUOTA, headers=AT_ONCE),
    "server error": OVERLOADED,
    "the key in an error": status(500, f"Upstream refused {KEY}", headers=AT_ONCE),
    "a page of a gateway": plain(502, "<html>Bad gateway</html>", "text/html"),
    "cut off": cut,
    "no room for the limit": status(400, NO_ROOM),
}
"""Faults after which the client asks again."""

FAULTS = (*USABLE.values(), *UNUSABLE.values(), *PASSING.values())
AT_A_TIME = 4


@dataclass
class Soak:
    """What a soak came to; ``lost`` bounds the answers that kills cost."""

    runs: int = 0
    kills: int = 0
    requests: int = 0
    faults: int = 0
    failed: int = 0
    answered: int = 0
    lost: int = 0
    asked_again: int = 0
    differences: list[tuple[int, int]] = field(default_factory=list)
    places_of_the_key: list[str] = field(default_factory=list)


def start(home, url, queries, *flags):
    """Start ``lgr fill`` as a process of its own."""
    command = [sys.executable, "-m", "lgr_core", "fill", "--atlas", "many", "--json"]
    command += ["--max-queries", str(queries), "--concurrency", str(AT_A_TIME), *flags]
    env = {
        "LGR_HOME": str(home),
        "LGR_LLM_BASE_URL": url,
        "LGR_LLM_DEADLINE": "2",
        "OPENAI_API_KEY": KEY,
        "NO_PROXY": "127.0.0.1",
        "PATH": os.environ["PATH"],
    }
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def soak(home, queries, kills, rate=0.1, seed=1, most_runs=60):
    """Fill, killed at even distances by TERM and KILL in turn, then run until nothing fails."""
    result, said = Soak(), []
    with LoopbackLLM(good, rate=rate, faults=FAULTS, seed=seed) as server:
        for kill in range(kills):
            sign = (signal.SIGTERM, signal.SIGKILL)[kill % 2]
            wanted = queries * (kill + 1) // (kills + 1)
            said += _killed(home, server, queries, wanted, sign, result)
        while result.runs < most_runs:
            before = len(server.history)
            run = start(home, server.url, queries)
            said += run.communicate(timeout=3_000)
            report = _counted(said[-2], len(server.history) - before, result)
            if report["failed"] == [] and report["not_asked"] == 0:
                break
            result.failed += len(report["failed"])
        result.requests, result.faults = len(server.history), server.faulted
        asked = Counter(call.prompt for call in server.well)
    result.answered = len(AnswerCache(home / "cache"))
    result.asked_again = sum(asked.values()) - len(asked)
    result.places_of_the_key = list(_places_of(KEY, home, said))
    return result


def _killed(home, server, queries, wanted, sign, result):
    """One run until that many answers are kept, then a signal."""
    before = len(server.history)
    run = start(home, server.url, queries)
    while len(AnswerCache(home / "cache")) < wanted:
        if run.poll() is not None:
            break
        time.sleep(0.05)
    run.send_signal(sign)
    said = run.communicate(timeout=300)
    result.kills += run.returncode in {-sign, 130}
    if sign is signal.SIGKILL:
        result.runs += 1
        result.lost += AT_A_TIME
    else:
        _counted(said[0], len(server.history) - before, result)
    return said


def _counted(out, seen, result):
    """A run's own report, with its requests beside those that the server saw."""
    report = json.loads(out)
    result.runs += 1
    if report["requests"] != seen:
        result.differences.append((report["requests"], seen))
    return report


def _places_of(key, home, said):
    """Files and outputs in which the key stands."""
    for number, text in enumerate(said):
        if key in text:
            yield f"output {number}"
    for path in Path(home, "cache").rglob("*"):
        if path.is_file() and key.encode() in path.read_bytes():
            yield path.name
