"""What questions to a language model cost, and a limit that they cannot overrun.

Every request reserves the most it may use before it is sent and is settled with what it used, so
that requests running side by side cannot overrun a limit together. Where a limit is nearly reached
they go one after the other: each waits for what those before it leave.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from lgr_core.domain import LLMClient, LLMReply, LLMRequest, LLMUsage
from lgr_core.errors import (
    BadReplyError,
    BudgetError,
    LgrError,
    NoAnswerError,
    StoppedError,
    UsageError,
)
from lgr_core.llm.metering import METER, RequestOutcome
from lgr_core.llm.prices import PRICES, Prices

BYTES_PER_TOKEN = 3
"""What English and drug names come to; for estimates that people read."""

FRAME_TOKENS = 200
"""Put around a prompt by the service, or by us where a schema is told in words."""


def estimate_usage(request: LLMRequest) -> LLMUsage:
    """What a request is likely to use: its text, and an answer of full length."""
    tokens = math.ceil(_size(request) / BYTES_PER_TOKEN)
    return LLMUsage(tokens, 0, request.max_output_tokens, 1)


def most_usage(request: LLMRequest) -> LLMUsage:
    """The most that a request can use: no token is shorter than a byte."""
    return LLMUsage(_size(request) + FRAME_TOKENS, 0, request.max_output_tokens, 1)


def _size(request: LLMRequest) -> int:
    """Bytes of prompt and schema."""
    schema = "" if request.schema is None else json.dumps(request.schema, ensure_ascii=False)
    return len((request.prompt + schema).encode())


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A part of a budget held for one request; ``usd`` is None where no price is known."""

    usage: LLMUsage
    usd: float | None


class Budget:
    """Limits on requests, tokens (input and output) and US dollars; None is no limit.

    Safe for several threads.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        max_tokens: int | None = None,
        max_usd: float | None = None,
    ) -> None:
        self._limits = {"requests": max_requests, "tokens": max_tokens, "US dollars": max_usd}
        for unit, limit in self._limits.items():
            if limit is not None and not (math.isfinite(limit) and limit >= 0):
                raise UsageError("budget", f"{limit} {unit} is no limit", "Give 0 or more.")
        self._settled = threading.Condition()
        self._spent = dict.fromkeys(self._limits, 0.0)
        self._open: set[Reservation] = set()

    def reserve(self, most: LLMUsage, usd: float | None = None) -> Reservation:
        """Hold the most that one request may use.

        Waits while it would fit beside what is spent, but not beside what others hold: they may
        give back a part of it. So nobody may ask for a second reservation before settling one.

        Raises
        ------
        BudgetError
            If what is spent and asked for together exceed a limit, or there is a limit in dollars
            and no price.
        """
        if usd is None and self._limits["US dollars"] is not None:
            found = "there is a limit in US dollars, but no price is known for this model here"
            raise BudgetError("budget", found, f"Add the price to {PRICES.name} or lift the limit.")
        reservation = Reservation(most, usd)
        with self._settled:
            self._settled.wait_for(lambda: self._fits(_amounts(most, usd)))
            self._open.add(reservation)
        return reservation

    def settle(self, reservation: Reservation, usage: LLMUsage, usd: float | None = None) -> None:
        """Give the reservation back and count what was used in its place.

        Raises
        ------
        UsageError
            If the reservation is not open.
        """
        with self._settled:
            if reservation not in self._open:
                raise UsageError("budget", "this reservation is not open", "Settle it once.")
            self._open.remove(reservation)
            for unit, amount in _amounts(usage, usd).items():
                self._spent[unit] += amount
            self._settled.notify_all()

    @property
    def spent(self) -> dict[str, float]:
        """What settled requests used: requests, tokens and US dollars."""
        with self._settled:
            return dict(self._spent)

    def _fits(self, asked: Mapping[str, float]) -> bool:
        """Whether it fits beside what is spent and held; raises where it never will."""
        held = [_amounts(reservation.usage, reservation.usd) for reservation in self._open]
        fits = True
        for unit, limit in self._limits.items():
            if limit is None:
                continue
            spent = self._spent[unit]
            if spent + asked[unit] > limit:
                found = f"{spent:,.6g} of {limit:,.6g} {unit} are spent, and the next request may "
                found += f"take {asked[unit]:,.4g}"
                raise BudgetError("budget", found, "Raise the limit, or stop here.")
            fits &= spent + sum(amounts[unit] for amounts in held) + asked[unit] <= limit
        return fits


def _amounts(usage: LLMUsage, usd: float | None) -> dict[str, float]:
    dollars = 0.0 if usd is None else usd
    tokens = usage.input + usage.output
    return {"requests": usage.requests, "tokens": tokens, "US dollars": dollars}


@dataclass(frozen=True, slots=True)
class Account:
    """What requests used and cost; ``cost_usd`` is None where one had no known price.

    ``unknown`` of them did not say what they used; they count as the most they can have used.
    """

    usage: LLMUsage = field(default_factory=LLMUsage)
    cost_usd: float | None = 0.0
    unknown: int = 0

    def __add__(self, other: Account) -> Account:
        known = self.cost_usd is not None and other.cost_usd is not None
        cost = self.cost_usd + other.cost_usd if known else None
        return Account(self.usage + other.usage, cost, self.unknown + other.unknown)


class BudgetedClient:
    """A client that never sends what its budget does not cover, and keeps account.

    Every HTTP request counts, retries included, and is reserved for before it is sent. Where a
    usage is not known (not reported, or the answer was late or cut off) the most that it can be
    counts; ``unknown`` is how many requests that were.
    """

    def __init__(self, client: LLMClient, budget: Budget, prices: Prices) -> None:
        self.provider = client.provider
        self._client, self._budget, self._prices = client, budget, prices
        self._lock = threading.Lock()
        self._account = Account()

    def complete(self, request: LLMRequest) -> LLMReply:
        """The model's answer, accounted for; waits while others hold what it needs of the budget.

        Raises
        ------
        BudgetError
            If the budget does not cover it, or not one more try; nothing is sent then.
        ServiceError
            If no answer can be had.
        """
        meter = _Metered(self, request)
        token = METER.set(meter)
        used = meter.most
        try:
            reply = self._client.complete(request)
            used = _reported(reply.usage, meter.most)
        except LgrError as err:
            used = _used_in_vain(err, meter)
            raise
        finally:
            METER.reset(token)
            meter.close(used)
        return reply

    @property
    def account(self) -> Account:
        """Everything used so far."""
        with self._lock:
            return self._account

    @property
    def cost(self) -> float | None:
        """US dollars so far; None where a model without a known price was used."""
        return self.account.cost_usd

    def reserve(self, most: LLMUsage, model: str) -> Reservation:
        """Hold the most that one request may use."""
        return self._budget.reserve(most, self._prices.cost(most, model))

    def settle(self, reservation: Reservation, used: LLMUsage, model: str) -> None:
        """Count one request with what it used."""
        usd = self._prices.cost(used, model)
        self._budget.settle(reservation, used, usd)
        with self._lock:
            self._account += Account(used, usd, int(used is reservation.usage))


class _Metered:
    """The requests of one question: each is settled before the next is reserved for."""

    def __init__(self, client: BudgetedClient, request: LLMRequest) -> None:
        self.most = most_usage(request)
        self.outcome: RequestOutcome | None = None
        self._client, self._model = client, request.model
        self._open: Reservation | None = client.reserve(self.most, self._model)

    def sending(self) -> None:
        """Reserve for a further request; the first has its reservation already."""
        if self.outcome is not None:
            self.close(self.in_vain)
            self._open = self._client.reserve(self.most, self._model)

    def sent(self, outcome: RequestOutcome) -> None:
        """Note what became of a request."""
        self.outcome = outcome

    @property
    def in_vain(self) -> LLMUsage:
        """What the last request counts for if it gave no answer."""
        if self.outcome is RequestOutcome.UNSENT:
            return LLMUsage()
        return LLMUsage(requests=1) if self.outcome is RequestOutcome.REFUSED else self.most

    def close(self, used: LLMUsage) -> None:
        """Settle what is open, if anything is."""
        if self._open is not None:
            self._client.settle(self._open, used, self._model)
            self._open = None


def _reported(usage: LLMUsage, most: LLMUsage) -> LLMUsage:
    """The usage of an answer; the most where an answer was given but no tokens counted."""
    return most if usage.requests and not usage.input + usage.output else usage


def _used_in_vain(err: LgrError, meter: _Metered) -> LLMUsage:
    """What a request that failed counts for."""
    if isinstance(err, StoppedError):
        return LLMUsage() if meter.outcome is None else meter.in_vain
    if isinstance(err, BadReplyError) and isinstance(err.usage, LLMUsage):
        return err.usage
    if meter.outcome in {RequestOutcome.UNSENT, RequestOutcome.REFUSED}:
        return meter.in_vain
    return meter.most if isinstance(err, BadReplyError | NoAnswerError) else LLMUsage(requests=1)
