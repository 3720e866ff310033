"""Prices, limits, and an account that side-by-side requests cannot overrun."""

import threading

import pytest

from lgr_core.domain import LLMClient, LLMReply, LLMRequest, LLMUsage
from lgr_core.errors import (
    AccessError,
    BadReplyError,
    BudgetError,
    InputError,
    NoAnswerError,
    StoppedError,
    UsageError,
)
from lgr_core.llm.budget import Account, Budget, BudgetedClient, estimate_usage, most_usage
from lgr_core.llm.concurrency import bounded_map
from lgr_core.llm.prices import Price, Prices
from tests.support.loopback_llm import FakeClient

PRICES = Prices({"m": Price(2.0, 0.5, 10.0)}, "by hand", "2026-11")
ASK = LLMRequest("x" * 300, "m", max_output_tokens=50)
MOST = LLMUsage(500, 0, 50, 1)
"""What ASK may use: 300 bytes, 200 tokens around them, and its limit."""


def test_shipped_prices_are_those_of_the_source():
    """gpt-5.2 costs 1.75 / 0.175 / 14.00, and the file says where that was read and when."""
    prices = Prices.load()
    assert prices.models["gpt-5.2"] == Price(1.75, 0.175, 14.0)
    assert "third party" in prices.source
    assert prices.date == "2026-11"


def test_cost_is_worked_by_hand():
    """A million fresh, a million cached and half a million given: 2 + 0.5 + 5 dollars."""
    usage = LLMUsage(2_000_000, 1_000_000, 500_000, 3)
    assert PRICES.cost(usage, "m") == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-5.2", True),
        ("gpt-5.2-2025-12-11", True),
        ("gpt-5.2-pro", False),
        ("gpt-5.2-pro-2025-12-11", False),
        ("gpt-5", False),
        ("llama3", False),
    ],
)
def test_only_a_dated_snapshot_shares_a_price(model, known):
    """gpt-5.2-pro costs twelve times gpt-5.2: its price is unknown, not guessed."""
    assert (Prices.load().cost(LLMUsage(1, 0, 1, 1), model) is not None) == known


@pytest.mark.parametrize(
    "text",
    [
        "source = 'x'\ndate = 'y'",
        "source = 'x'\ndate = 'y'\n[models.m]\ninput = 1",
        "source = 'x'\ndate = 'y'\n[models.m]\ninput = -1\ncached = 0\noutput = 0",
        "source = 'x'\ndate = 'y'\n[models.m]\ninput = nan\ncached = 0\noutput = 0",
        "[models.m]\ninput = 1\ncached = 0\noutput = 0",
        "no toml",
    ],
)
def test_a_broken_price_file_is_refused(tmp_path, text):
    """A price that is missing, negative or without source is no price."""
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="price"):
        Prices.load(path)


def test_what_a_request_is_likely_to_use_and_the_most_it_can():
    """Prompt and schema at three bytes a token, or one; an answer of full length either way."""
    assert estimate_usage(ASK) == LLMUsage(100, 0, 50, 1)
    assert most_usage(ASK) == MOST
    with_schema = LLMRequest("x" * 300, "m", max_output_tokens=50, schema={"a": "b"})
    assert (estimate_usage(with_schema).input, most_usage(with_schema).input) == (104, 510)


def test_the_most_holds_for_names_of_many_signs():
    """A prompt of signs that are a token each, several bytes each or both stays below it."""
    text = "(1,2)-\u00b5\U0001f9ea" * 50
    assert most_usage(LLMRequest(text, "m")).input >= len(text.encode())


@pytest.mark.parametrize(
    ("limit", "unit"),
    [
        ({"max_requests": 2}, "requests"),
        ({"max_tokens": 1100}, "tokens"),
        ({"max_usd": 2}, "US dol"),
    ],
)
def test_each_limit_holds_before_it_is_overrun(limit, unit):
    """Two requests that use all they may fill each limit to the brim; the third is refused."""
    budget = Budget(**limit)
    for held in [budget.reserve(MOST, 1.0), budget.reserve(MOST, 1.0)]:
        budget.settle(held, MOST, 1.0)
    with pytest.raises(BudgetError, match=unit):
        budget.reserve(MOST, 1.0)


def test_settling_gives_back_what_was_not_used():
    """What counts in the end is the usage, not the estimate."""
    budget = Budget(max_tokens=570)
    budget.settle(budget.reserve(MOST), LLMUsage(10, 0, 5, 1), 0.25)
    assert budget.spent == {"requests": 1, "tokens": 15, "US dollars": 0.25}
    budget.settle(budget.reserve(MOST), LLMUsage(10, 0, 5, 1), 0.25)
    with pytest.raises(BudgetError, match="30 of 570 tokens are spent, .* may take 550"):
        budget.reserve(MOST)


def test_a_request_waits_for_what_others_give_back():
    """The second fits only beside what the first really used; it is held until that is known."""
    budget = Budget(max_tokens=600)
    first = budget.reserve(MOST)
    second = threading.Thread(target=budget.reserve, args=(MOST,), daemon=True)
    second.start()
    second.join(0.05)
    assert second.is_alive()
    budget.settle(first, LLMUsage(10, 0, 5, 1))
    second.join(10)
    assert not second.is_alive()


def test_who_waits_is_told_when_nothing_is_given_back():
    """The first used all it might: the second is refused, not held for ever."""
    budget = Budget(max_tokens=600)
    first, told = budget.reserve(MOST), []

    def ask():
        with pytest.raises(BudgetError) as refused:
            budget.reserve(MOST)
        told.append(refused.value)

    second = threading.Thread(target=ask, daemon=True)
    second.start()
    budget.settle(first, MOST)
    second.join(10)
    assert "550 of 600 tokens are spent" in str(told[0])


def test_a_reservation_is_settled_once():
    """Settling twice would free what is not held."""
    budget = Budget()
    held = budget.reserve(MOST)
    budget.settle(held, MOST)
    with pytest.raises(UsageError, match="not open"):
        budget.settle(held, MOST)


@pytest.mark.parametrize("limit", [-1, float("nan"), float("inf")])
def test_what_is_no_limit_is_refused(limit):
    """NaN compares false with everything and would let everything pass."""
    with pytest.raises(UsageError, match="no limit"):
        Budget(max_usd=limit)


def test_dollars_without_a_price_are_refused_before_anything_is_sent():
    """A limit in dollars cannot be kept for a model of unknown price."""
    client = FakeClient("ok")
    budgeted = BudgetedClient(client, Budget(max_usd=5.0), PRICES)
    with pytest.raises(BudgetError, match="no price is known"):
        budgeted.complete(LLMRequest("?", "unheard-of"))
    assert client.history == []


def test_a_budgeted_client_keeps_account():
    """Usage and cost add up over requests: 2 x (60 x 2 + 40 x 0.5 + 10 x 10) / 1e6."""
    reply = LLMReply("ok", LLMUsage(100, 40, 10, 1))
    budgeted = BudgetedClient(FakeClient(reply, reply), Budget(), PRICES)
    budgeted.complete(ASK)
    assert budgeted.complete(ASK) == reply
    assert budgeted.account == Account(LLMUsage(200, 80, 20, 2), pytest.approx(480e-6), 0)
    assert budgeted.cost == budgeted.account.cost_usd
    assert budgeted.provider == "fake"
    assert isinstance(budgeted, LLMClient)


def test_an_unknown_cost_stays_unknown():
    """One request without a price, and the sum has none either; tokens are counted."""
    budgeted = BudgetedClient(FakeClient("a", "b"), Budget(), PRICES)
    budgeted.complete(LLMRequest("?", "unheard-of"))
    budgeted.complete(ASK)
    assert budgeted.cost is None
    assert budgeted.account.usage.requests == 2


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        (LLMReply("ok", LLMUsage(requests=1)), MOST),
        (LLMReply("from a cache", LLMUsage()), LLMUsage()),
        (BadReplyError("a", "b", "c", "raw", LLMUsage(7, 0, 3, 1)), LLMUsage(7, 0, 3, 1)),
        (BadReplyError("a", "b", "c"), MOST),
        (NoAnswerError("a", "b", "c"), MOST),
        (AccessError("a", "b", "c"), LLMUsage(requests=1)),
        (StoppedError("a", "b", "c"), LLMUsage()),
        (RuntimeError("a bug"), MOST),
    ],
)
def test_what_is_not_known_counts_in_full(outcome, counted):
    """An answer without a count is charged the most it can be; a refusal costs no tokens."""
    budget = Budget()
    budgeted = BudgetedClient(FakeClient(outcome), budget, PRICES)
    try:
        budgeted.complete(ASK)
    except Exception as err:  # noqa: BLE001 - whatever was queued comes back
        assert err is outcome  # noqa: PT017 - both paths are wanted
    assert budgeted.account.usage == counted
    assert budgeted.account.unknown == (counted is MOST)
    assert budget.spent["tokens"] == counted.input + counted.output


def test_threads_cannot_overrun_together():
    """Eight threads; each may take 550 tokens and takes 110: five fit into 1,000, one by one."""
    client = FakeClient(*["ok"] * 8)
    budget = Budget(max_tokens=1000)
    budgeted = BudgetedClient(client, budget, PRICES)
    outcomes = [found for _, found in bounded_map(budgeted.complete, [ASK] * 8, concurrency=8)]
    assert sum(isinstance(found, BudgetError) for found in outcomes) == 3
    assert len(client.history) == 5
    assert budget.spent["tokens"] == 550
