"""Many queries: each answered or accounted for, none asked twice, through faults and kills."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from loopback_faults import OVERLOADED, RATE_LIMITED
from loopback_llm import FakeClient, LoopbackLLM

from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.store import open_atlas
from lgr_core.atlas.table import DeltaTable
from lgr_core.cli import main
from lgr_core.domain import Condition, LLMReply, LLMUsage, ValueKind
from lgr_core.errors import AccessError, ServiceError
from lgr_core.retrieval.budget import Budget, BudgetedClient
from lgr_core.retrieval.cache import AnswerCache
from lgr_core.retrieval.fill import estimate, fill
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.pool import candidate_pool
from lgr_core.retrieval.prices import Prices
from lgr_core.retrieval.question import LLMOptions, Policy, Scope

LINES, DRUGS = 10, 40
SOAK = int(os.environ.get("LGR_SOAK_QUERIES", "240"))
"""Queries of the kill-and-resume test; 2,000 for the long run."""


def good(prompt):
    """The first ten candidates, with a reason each."""
    names = prompt.split("molecules:\n")[1].split("\n\n")[0].splitlines()[:10]
    items = "\n".join(f"{i}. {name}: alike." for i, name in enumerate(names, start=1))
    return f"<Final Answer>\n{items}\n</Final Answer>"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An atlas of 40 drugs in as many lines as the soak needs."""
    home = tmp_path_factory.mktemp("fill")
    lines = [f"L{i:03d}" for i in range(max(LINES, -(-SOAK // DRUGS)))]
    drugs = [f"D{i:02d}" for i in range(DRUGS)]
    keys = [(line, drug, 5.0) for line in lines for drug in drugs]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    conditions = conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False)
    genes = pd.DataFrame({"gene": ["A", "B"], "ensembl_id": "", "in_panel": True, "variability": 1})
    deltas = np.zeros((len(keys), 2), dtype=np.float32)
    known = dict.fromkeys(("smiles", "pubchem_cid", "moa", "targets"), "")
    build_atlas(
        DeltaTable(conditions, deltas, genes, ValueKind.LOGNORM_DELTA),
        home / "atlases" / "many",
        drugs=pd.DataFrame({"drug": drugs, "parent": drugs}).assign(**known),
        cell_lines=pd.DataFrame({"cell_line": lines, "organ": "", "driver_genes": ""}),
        fingerprints=np.zeros((DRUGS, 256), dtype=np.uint8),
    )
    return home


@pytest.fixture
def store(home):
    """That atlas, opened."""
    return open_atlas("many", home / "atlases")


@pytest.fixture
def run(store, tmp_path):
    """Fill the first n queries with a client: (report, selector)."""

    def go(client, n, k=10, **options):
        cache = AnswerCache(tmp_path / "cache")
        policy = {"policy": Policy.FILL} | options
        selector = LLMSelector(store, LLMOptions(**policy), cache=cache, client=client)
        queries = [store.condition(row) for row in range(n)]
        pools = [candidate_pool(store, query) for query in queries]
        return fill(selector, pools, k), selector

    return go


class Echo:
    """A client that answers well, except where it is told to fail."""

    provider = "echo"

    def __init__(self, fails=lambda _prompt: None):
        self.fails, self.asked = fails, []

    def complete(self, request):
        """The first ten candidates."""
        self.asked.append(request.prompt)
        error = self.fails(request.prompt)
        if error is not None:
            raise error
        return LLMReply(good(request.prompt), LLMUsage(1000, 400, 450, 1))


def test_every_query_is_answered_or_accounted_for(run):
    """Failures are rows with a reason; the rest is answered; a second run asks only the failed."""
    client = Echo(lambda p: ServiceError("x", "down", "y") if "molecule: D03\n" in p else None)
    report, _ = run(client, 20)
    assert (report.answered, len(report.failed), report.not_asked) == (19, 1, 0)
    assert report.failed == [(Condition("L000", "D03", 5.0), "x: down. y")]
    assert report.usage == LLMUsage(19_000, 7_600, 19 * 450, 19)
    again, _ = run(Echo(), 20)
    assert (again.answered, again.remembered) == (1, 19)


def test_a_budget_stops_the_run_before_it_is_overrun(run):
    """No request beyond the limit is sent; the rest is accounted for."""
    inner = Echo()
    client = BudgetedClient(inner, Budget(max_requests=5), Prices.load())
    report, _ = run(client, 20)
    assert (len(inner.asked), report.answered, report.not_asked) == (5, 5, 15)
    assert "requests are taken" in report.stopped_by


def test_a_refused_key_stops_the_run(run):
    """Asking on would fail 2,000 times."""
    client = Echo(lambda _: AccessError("x", "key refused", "y"))
    report, _ = run(client, 20)
    assert len(client.asked) < 10
    assert report.not_asked + report.answered == 20
    assert "key refused" in report.stopped_by


def test_cancelling_ends_the_run_after_what_is_under_way(store, tmp_path):
    """Nothing that was answered is lost."""
    cancel = threading.Event()
    client = Echo(lambda _: cancel.set())
    cache = AnswerCache(tmp_path / "cache")
    selector = LLMSelector(store, LLMOptions(policy=Policy.FILL), cache=cache, client=client)
    pools = [candidate_pool(store, store.condition(row)) for row in range(20)]
    report = fill(selector, pools, 10, cancel=cancel)
    assert report.answered == len(client.asked) == len(cache) < 20
    assert report.answered + report.not_asked == 20


def test_scope_drug_asks_once_for_all_lines(run, store):
    """Forty drugs in two lines are forty questions."""
    client = Echo()
    report, _ = run(client, 80, scope=Scope.DRUG, scope_line="L000")
    assert (report.answered, len(client.asked)) == (40, 40)


def test_an_estimate_asks_nothing_and_knows_what_is_remembered(run, store):
    """Tokens and price of what is missing; an unknown model has no price."""
    _, selector = run(Echo(), 5)
    pools = [candidate_pool(store, store.condition(row)) for row in range(20)]
    found = estimate(selector, pools, 10)
    assert (found.questions, found.remembered) == (15, 5)
    assert found.usage.output == 15 * 450
    assert found.usd == pytest.approx((found.usage.input * 1.75 + 15 * 450 * 14) / 1e6)
    _, unknown = run(Echo(), 1, model="some-other-model")
    assert estimate(unknown, pools, 10).usd is None


def _start(home, url, cache_home, *flags):
    """Start ``lgr fill`` as a process of its own."""
    command = [sys.executable, "-m", "lgr_core", "fill", "--atlas", "many", "--json"]
    command += ["--max-queries", str(SOAK), "--concurrency", "4", *flags]
    env = {
        "LGR_HOME": str(cache_home),
        "LGR_LLM_BASE_URL": url,
        "OPENAI_API_KEY": "test-key-4711",
        "PATH": os.environ["PATH"],
    }
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def cache_home(home, tmp_path):
    """An LGR_HOME of its own that shares the atlas."""
    (tmp_path / "atlases").symlink_to(home / "atlases")
    return tmp_path


def _asked(server):
    """How often each question was answered well."""
    return Counter(re.sub(r"\s+", " ", call.prompt) for call in server.history)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_killed_half_way_and_resumed_no_question_is_asked_twice(home, cache_home, sign):
    """5 % faults, killed after half, run again: all answered, and none that was answered again.

    A server's fault is asked again by right. After SIGKILL those under way (four) may be, too.
    """
    faults = (RATE_LIMITED, OVERLOADED)
    with LoopbackLLM(good, rate=0.05, faults=faults, seed=1) as server:
        first = _start(home, server.url, cache_home)
        while len(server.history) < SOAK // 2:
            assert first.poll() is None, first.stderr.read()
            time.sleep(0.01)
        first.send_signal(sign)
        first.communicate(timeout=60)
        kept = len(AnswerCache(cache_home / "cache"))
        assert 0 < kept < SOAK
        done = _start(home, server.url, cache_home)
        out, err = done.communicate(timeout=600)
        assert done.returncode == 0, err
        report = json.loads(out)
        assert (report["answered"], report["remembered"]) == (SOAK - kept, kept)
        assert (report["failed"], report["not_asked"]) == ([], 0)
        assert len(AnswerCache(cache_home / "cache")) == SOAK
        refused = server.faulted
        twice = sum(_asked(server).values()) - refused - SOAK
        assert 0 <= twice <= (4 if sign is signal.SIGKILL else 0)
    assert "test-key-4711" not in err + out


def test_the_shell_says_what_a_run_would_cost(home, monkeypatch, capsys):
    """A dry run needs no key and asks nothing."""
    monkeypatch.setenv("LGR_HOME", str(home))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["fill", "--atlas", "many", "--lines", "L001", "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["questions"], found["estimated"]) == (40, True)
    assert found["usd"] > 0
    assert main(["fill", "--atlas", "many", "--lines", "L001"]) == 2
    assert "there is no key" in capsys.readouterr().err


def test_a_fake_client_is_enough_for_one_line(run):
    """The queue of replies is all that a unit test needs."""
    report, _ = run(FakeClient("1. D01: x", "1. D02: y"), 2)
    assert report.answered == 2
