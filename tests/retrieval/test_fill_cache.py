"""Many queries: each answered or accounted for, none asked twice, through faults and kills."""

import json
import threading
import time

import pytest

from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main
from lgr_core.domain import Condition, LLMReply, LLMUsage
from lgr_core.errors import AccessError, BudgetError, ServiceError, StoppedError
from lgr_core.llm import prices
from lgr_core.llm.budget import Budget, BudgetedClient, most_usage
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.capabilities import Memory
from lgr_core.llm.prices import PRICES, Prices
from lgr_core.llm.prompt import PromptOptions
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.fill_cache import estimate, fill
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from tests.support.loopback_faults import KEY, Answer
from tests.support.loopback_llm import FakeClient, LoopbackLLM
from tests.support.many_queries import DRUGS, build_many
from tests.support.soak import PASSING, UNUSABLE, USABLE, good, soak, start

LINES = 10
QUERIES = 120
"""Of the kill-and-resume test; ``benchmarks/llm_soak.py`` is the long run."""


USED = LLMUsage(1000, 400, 450, 1)
PAID = (600 * 1.75 + 400 * 0.175 + 450 * 14) / 1e6
"""What an answer of :class:`Echo` uses and costs."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An atlas of 40 drugs in ten lines."""
    return build_many(tmp_path_factory.mktemp("fill"), LINES * DRUGS)


@pytest.fixture
def store(home):
    """That atlas, opened."""
    return open_atlas("many", home / "atlases")


@pytest.fixture
def run(store, tmp_path):
    """Fill the first n queries with a client and a budget: (report, selector)."""

    def go(client, n, k=10, budget=None, cancel=None, **options):
        cache = AnswerCache(tmp_path / "cache")
        paying = BudgetedClient(client, Budget() if budget is None else budget, Prices.load())
        policy = {"policy": Policy.FILL} | options
        selector = LLMSelector(store, LLMOptions(**policy), cache=cache, client=paying)
        queries = [store.condition(row) for row in range(n)]
        pools = [candidate_pool(store, query) for query in queries]
        return fill(selector, paying, pools, k, cancel=cancel), selector

    return go


class Echo:
    """A client that answers well, except where it is told to fail or to say something else."""

    provider = "openai"

    def __init__(self, fails=lambda _prompt: None, says=good, **provenance):
        self.fails, self.says, self.provenance = fails, says, provenance
        self.asked = []

    def complete(self, request):
        """The first ten candidates."""
        self.asked.append(request.prompt)
        error = self.fails(request.prompt)
        if error is not None:
            raise error
        return LLMReply(self.says(request.prompt), USED, self.provenance)


def test_every_query_is_answered_or_accounted_for(run):
    """Failures are rows with a reason; the rest is answered; a second run asks only the failed."""
    client = Echo(lambda p: ServiceError("x", "down", "y") if "molecule: D03\n" in p else None)
    report, _ = run(client, 20)
    assert (report.answered, len(report.failed), report.not_asked) == (19, 1, 0)
    assert report.failed == [(Condition("L000", "D03", 5.0), "x: down. y")]
    assert report.paid.usage == LLMUsage(19_000, 7_600, 19 * 450, 20)
    assert report.paid.cost_usd == pytest.approx(19 * PAID)
    assert (report.k_used, report.below(10)) == ({10: 19}, 0)
    again, _ = run(Echo(), 20)
    assert (again.answered, again.remembered) == (1, 19)


def test_a_budget_stops_the_run_before_it_is_overrun(run):
    """No request beyond the limit is sent; the rest is accounted for."""
    client = Echo()
    report, _ = run(client, 20, budget=Budget(max_requests=5))
    assert (len(client.asked), report.answered, report.not_asked) == (5, 5, 15)
    assert "5 of 5 requests are spent" in str(report.stopped_by)


def test_a_small_budget_is_used_up_as_far_as_it_goes(run, store):
    """Ten cents hold one reservation at a time; questions go on until the next might not fit."""
    client, budget = Echo(), Budget(max_usd=0.10)
    report, selector = run(client, 20, budget=budget)
    pool = candidate_pool(store, store.condition(0))
    most = most_usage(selector.questions(pool, 10)[0].request)
    reserved = Prices.load().cost(most, LLMOptions().model)
    assert 0.05 < reserved < 0.10
    sent = int((0.10 - reserved) // PAID) + 1
    assert (len(client.asked), report.answered, report.not_asked) == (sent, sent, 20 - sent)
    assert budget.spent["US dollars"] == pytest.approx(sent * PAID)
    assert report.paid.cost_usd == pytest.approx(sent * PAID)
    assert isinstance(report.stopped_by, BudgetError)


def test_what_is_remembered_is_no_part_of_what_a_budget_left_out(run):
    """The answers behind the point where the money ended are counted as such."""
    run(Echo(lambda p: ServiceError("x", "y", "z") if "molecule: D0" in p else None), 20)
    report, _ = run(Echo(), 20, budget=Budget(max_requests=2))
    assert (report.remembered, report.answered, report.not_asked) == (10, 2, 8)


NO_NAMES, NONE_OF_THEM = "I am sorry, I cannot.", "1. Water: wet\n2. Salt: white"
CUT = "<Final Answer>\n1. D10: alike.\n2. D11: alike.\n3. D1"


@pytest.mark.parametrize(
    ("text", "finish", "why"),
    [
        (NO_NAMES, "stop", "without a ranked name"),
        (NONE_OF_THEM, "stop", "none of the 2 names in it is a candidate"),
        (CUT, "length", "cut off after 2 of 10"),
    ],
)
def test_answers_of_no_use_are_paid_logged_and_asked_again(run, tmp_path, text, finish, why):
    """They are failures with a price; the next run asks anew, and pays anew."""
    bad = Echo(says=lambda _: text, finish_reason=finish)
    report, selector = run(bad, 3)
    assert (report.answered, len(report.failed), len(bad.asked)) == (0, 3, 3)
    assert all(why in told for _, told in report.failed)
    assert report.paid.usage == LLMUsage(3000, 1200, 1350, 3)
    assert report.paid.cost_usd == pytest.approx(3 * PAID)
    log = (tmp_path / "cache" / "bad_replies.jsonl").read_text().splitlines()
    assert [json.loads(line)["raw"] for line in log] == [text] * 3
    assert len(selector.answers.cache) == 0
    again, _ = run(Echo(), 3)
    assert (again.answered, again.k_used) == (3, {10: 3})


def test_an_answer_cut_off_after_the_last_name_counts(run):
    """All ten stand; what was lost was talk."""
    report, _ = run(Echo(finish_reason="length"), 1)
    assert (report.answered, report.failed) == (1, [])


def test_short_answers_are_counted(run):
    """One of two names stands in each."""
    report, _ = run(Echo(says=lambda _: "1. D10: alike.\n2. Water: wet"), 3)
    assert (report.answered, report.k_used, report.below(10)) == (3, {1: 3}, 3)
    again, _ = run(Echo(), 3)
    assert (again.remembered, again.below(10), again.below(1)) == (3, 3, 0)


def test_two_runs_at_once_ask_each_question_once(run):
    """Whoever comes second waits for the first's answer and takes it."""
    client, reports = Echo(lambda _: time.sleep(0.01)), []
    threads = [threading.Thread(target=lambda: reports.append(run(client, 20)[0])) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(client.asked) == len(set(client.asked)) == 20
    assert sum(report.answered for report in reports) == 20
    assert sum(report.remembered for report in reports) == 20


def test_a_refused_key_stops_the_run(run):
    """Asking on would fail 2,000 times."""
    client = Echo(lambda _: AccessError("x", "key refused", "y"))
    report, _ = run(client, 20)
    assert len(client.asked) < 10
    assert report.not_asked + report.answered == 20
    assert "key refused" in str(report.stopped_by)


def test_cancelling_ends_the_run_after_what_is_under_way(run):
    """Nothing that was answered is lost."""
    cancel = threading.Event()
    client = Echo(lambda _: cancel.set())
    report, selector = run(client, 20, cancel=cancel)
    assert report.answered == len(client.asked) == len(selector.answers.cache) < 20
    assert report.answered + report.not_asked == 20
    assert isinstance(report.stopped_by, StoppedError)


def test_what_was_stopped_before_it_was_sent_did_not_fail(run):
    """It cost nothing and is not asked yet."""
    report, _ = run(Echo(lambda _: StoppedError("x", "stopped", "y")), 3)
    assert (report.failed, report.not_asked) == ([], 3)
    assert report.paid.usage == LLMUsage()


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
    assert found.usd_at_most > 15 * 4000 * 14 / 1e6 > found.usd


def test_an_estimate_counts_the_fields_of_structured_reasons(store, tmp_path):
    """120 tokens a name for 45, in either mode that asks for fields."""
    pools = [candidate_pool(store, store.condition(0))]
    for mode, tokens in (("text", 450), ("reasoned", 1_200), ("structured", 1_200)):
        options = LLMOptions(prompt=PromptOptions(mode=mode))
        selector = LLMSelector(store, options, cache=AnswerCache(tmp_path))
        assert estimate(selector, pools, 10).usage.output == tokens


def set_prices(folder, url, monkeypatch):
    """Let the operator's price file name a server, at OpenAI's prices."""
    path = folder / "prices.toml"
    table = f'[services."{url}"."{LLMOptions().model}"]'
    path.write_text(f"{PRICES.read_text()}\n{table}\ninput = 1.75\ncached = 0.175\noutput = 14.0\n")
    monkeypatch.setattr(prices, "PRICES", path)


@pytest.fixture
def cache_home(home, tmp_path):
    """An LGR_HOME of its own that shares the atlas."""
    (tmp_path / "atlases").symlink_to(home / "atlases")
    return tmp_path


def test_killed_and_resumed_each_query_is_answered_once(cache_home):
    """Every fault at 10 %, killed by TERM and by KILL, run until nothing fails.

    What the runs count is what the server counts; a KILL may cost those under way (four); the key
    is said by the server many times and stands in no file.
    """
    found = soak(cache_home, QUERIES, kills=2)
    assert (found.answered, found.kills) == (QUERIES, 2)
    assert found.differences == []
    assert found.places_of_the_key == []
    assert found.asked_again <= found.lost
    assert found.faults > 0


@pytest.mark.parametrize("name", [*USABLE, *PASSING])
def test_a_fault_that_leaves_an_answer_costs_no_query(name, run_shell):
    """Each kind by itself: the query is answered, and its requests are counted as sent."""
    faults = {**USABLE, **PASSING}
    code, report, server = run_shell(faults[name])
    assert (code, report["answered"], report["failed"]) == (0, 1, [])
    assert report["requests"] == len(server.history) == (1 if name in USABLE else 2)


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_fault_that_leaves_none_fails_its_query_and_is_asked_again(name, run_shell):
    """Each kind by itself: exit code 5, nothing cached; the next run answers."""
    code, report, server = run_shell(UNUSABLE[name])
    assert (code, report["answered"], len(report["failed"])) == (5, 0, 1)
    assert report["requests"] == len(server.history) == 1
    code, report, _ = run_shell(None)
    assert (code, report["answered"]) == (0, 1)


@pytest.fixture
def run_shell(cache_home, monkeypatch, capsys):
    """Fill one query against a server with one fault: (exit code, report, server)."""
    monkeypatch.setenv("LGR_HOME", str(cache_home))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("LGR_LLM_DEADLINE", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("lgr_core.llm.capabilities.PROCESS_MEMORY", Memory())

    def run(fault):
        with LoopbackLLM(good, script=[fault]) as server:
            monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
            code = main(["fill", "--atlas", "many", "--max-queries", "1", "--json"])
        out, err = capsys.readouterr()
        written = [path.read_text() for path in (cache_home / "cache").glob("*.jsonl")]
        assert not any(KEY in text for text in (out, err, *written))
        return code, json.loads(out), server

    return run


def test_two_processes_share_the_bill(home, cache_home):
    """Both report every query; each question is paid by one of them."""
    with LoopbackLLM(lambda prompt: time.sleep(0.02) or good(prompt)) as server:
        runs = [start(cache_home, server.url, 30) for _ in range(2)]
        outs = [run.communicate(timeout=120) for run in runs]
        assert [run.returncode for run in runs] == [0, 0], outs
        reports = [json.loads(out) for out, _ in outs]
        assert len(server.history) == 30
    assert sum(report["answered"] for report in reports) == 30
    assert [report["answered"] + report["remembered"] for report in reports] == [30, 30]
    assert list((cache_home / "cache" / "claims").iterdir()) == []


def test_the_shell_says_where_the_budget_ended(home, cache_home, monkeypatch, capsys):
    """Exit code 6, what was asked and spent, and of how much."""
    monkeypatch.setenv("LGR_HOME", str(cache_home))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-4711")
    with LoopbackLLM(lambda prompt: Answer(good(prompt), usage=(1000, 400, 450))) as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        set_prices(cache_home, server.url, monkeypatch)
        command = ["fill", "--atlas", "many", "--max-queries", "20", "--max-usd", "0.08"]
        assert main(command) == 6
        sent = len(server.history)
    out, err = capsys.readouterr()
    assert 0 < sent < 20
    assert f"answered {sent}," in out
    assert f"{sent} requests" in out
    assert f"cost ${sent * PAID:.4f}" in out
    assert "of 0.08 US dollars are spent" in err
    assert f"{20 - sent} not asked" in err


def test_the_shell_says_what_unusable_answers_cost(home, cache_home, monkeypatch, capsys):
    """Three answers of 1,000 and 5,000 tokens, none with a name: exit code 5, and the bill."""
    monkeypatch.setenv("LGR_HOME", str(cache_home))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-4711")
    with LoopbackLLM(lambda _: Answer(NO_NAMES, usage=(1000, 0, 5000))) as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        set_prices(cache_home, server.url, monkeypatch)
        assert main(["fill", "--atlas", "many", "--max-queries", "3", "--json"]) == 5
    report = json.loads(capsys.readouterr().out)
    assert (len(report["failed"]), report["requests"], report["output_tokens"]) == (3, 3, 15_000)
    assert report["cost_usd"] == pytest.approx(3 * (1000 * 1.75 + 5000 * 14) / 1e6)


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


@pytest.mark.parametrize("command", [["fill", "--dry-run"], ["batch", "export", "--out", "batch"]])
def test_a_server_of_another_address_has_no_price(home, tmp_path, monkeypatch, capsys, command):
    """Its model has the name of one of OpenAI's; tokens are counted, the price is unknown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LGR_HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key-4711")
    monkeypatch.setenv("LGR_LLM_BASE_URL", "http://localhost:8000/v1/")
    asked = [*command, "--atlas", "many", "--lines", "L001"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["input_tokens"] > 0, found["output_tokens"]) == (True, 40 * 450)
    assert found.get("usd", found.get("usd_without_discount")) is None
    set_prices(tmp_path, "http://localhost:8000/v1", monkeypatch)
    assert main(["fill", "--dry-run", "--atlas", "many", "--lines", "L001", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usd"] > 0


def test_an_unknown_price_is_said(home, monkeypatch, capsys):
    """In the line for people, beside the tokens."""
    monkeypatch.setenv("LGR_HOME", str(home))
    monkeypatch.setenv("LGR_LLM_BASE_URL", "http://localhost:8000/v1")
    assert main(["fill", "--atlas", "many", "--lines", "L001", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "price unknown" in out
    assert "$" not in out


def test_a_fake_client_is_enough_for_one_line(run):
    """The queue of replies is all that a unit test needs."""
    report, _ = run(FakeClient("1. D11: x", "1. D12: y"), 2)
    assert report.answered == 2
