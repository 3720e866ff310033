"""What questions to a language model cost, and a limit that they cannot overrun.

Every request reserves the most it may use before it is sent and is settled with what it used, so
that requests running side by side cannot overrun a limit together.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lgr_core.domain import LLMClient, LLMReply, LLMRequest, LLMUsage
from lgr_core.errors import (
    BadReplyError,
    BudgetError,
    LgrError,
    NoAnswerError,
    StoppedError,
    UsageError,
)
from lgr_core.retrieval.prices import PRICES, Prices

BYTES_PER_TOKEN = 3
"""On the low side for English and drug names, so that estimates are on the high side."""


def estimate_usage(request: LLMRequest) -> LLMUsage:
    """The most that a request is likely to use: its text, and an answer of full length."""
    schema = "" if request.schema is None else json.dumps(request.schema, ensure_ascii=False)
    size = len((request.prompt + schema).encode())
    return LLMUsage(math.ceil(size / BYTES_PER_TOKEN), 0, request.max_output_tokens, 1)


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
        self._lock = threading.Lock()
        self._spent = dict.fromkeys(self._limits, 0.0)
        self._open: set[Reservation] = set()

    def reserve(self, estimate: LLMUsage, usd: float | None = None) -> Reservation:
        """Hold the estimate for one request.

        Raises
        ------
        BudgetError
            If what is spent, held and asked for together exceed a limit, or there is a limit in
            dollars and no price.
        """
        if usd is None and self._limits["US dollars"] is not None:
            found = "there is a limit in US dollars, but no price is known for this model"
            raise BudgetError("budget", found, f"Add the price to {PRICES.name} or lift the limit.")
        reservation = Reservation(estimate, usd)
        with self._lock:
            self._check(_amounts(estimate, usd))
            self._open.add(reservation)
        return reservation

    def settle(self, reservation: Reservation, usage: LLMUsage, usd: float | None = None) -> None:
        """Give the reservation back and count what was used in its place.

        Raises
        ------
        UsageError
            If the reservation is not open.
        """
        with self._lock:
            if reservation not in self._open:
                raise UsageError("budget", "this reservation is not open", "Settle it once.")
            self._open.remove(reservation)
            for unit, amount in _amounts(usage, usd).items():
                self._spent[unit] += amount

    @property
    def spent(self) -> dict[str, float]:
        """What settled requests used: requests, tokens and US dollars."""
        with self._lock:
            return dict(self._spent)

    def _check(self, asked: Mapping[str, float]) -> None:
        held = [_amounts(reservation.usage, reservation.usd) for reservation in self._open]
        for unit, limit in self._limits.items():
            taken = self._spent[unit] + sum(amounts[unit] for amounts in held)
            if limit is not None and taken + asked[unit] > limit:
                found = f"{taken:,.6g} of {limit:,.6g} {unit} are taken, {asked[unit]:,.4g} asked"
                raise BudgetError("budget", found, "Raise the limit, or stop here.")


def _amounts(usage: LLMUsage, usd: float | None) -> dict[str, float]:
    dollars = 0.0 if usd is None else usd
    tokens = usage.input + usage.output
    return {"requests": usage.requests, "tokens": tokens, "US dollars": dollars}


class BudgetedClient:
    """A client that never sends what its budget does not cover, and keeps account.

    Where a usage is not known (not reported, or the answer was late or cut off) the estimate
    counts.
    """

    def __init__(
        self,
        client: LLMClient,
        budget: Budget,
        prices: Prices,
        *,
        estimate: Callable[[LLMRequest], LLMUsage] = estimate_usage,
    ) -> None:
        self.provider = client.provider
        self._client, self._budget, self._prices = client, budget, prices
        self._estimate = estimate
        self._lock = threading.Lock()
        self._usage, self._cost = LLMUsage(), 0.0

    def complete(self, request: LLMRequest) -> LLMReply:
        """The model's answer, accounted for.

        Raises
        ------
        BudgetError
            If the budget does not cover it; nothing was sent.
        ServiceError
            If no answer can be had.
        """
        most = self._estimate(request)
        reservation = self._budget.reserve(most, self._prices.cost(most, request.model))
        used = most
        try:
            reply = self._client.complete(request)
            used = _reported(reply.usage, most)
        except LgrError as err:
            used = _used_in_vain(err, most)
            raise
        finally:
            self._settle(reservation, used, request.model)
        return reply

    @property
    def usage(self) -> LLMUsage:
        """Everything used so far."""
        with self._lock:
            return self._usage

    @property
    def cost(self) -> float | None:
        """US dollars so far; None where a model without a known price was used."""
        with self._lock:
            return self._cost

    def _settle(self, reservation: Reservation, used: LLMUsage, model: str) -> None:
        usd = self._prices.cost(used, model)
        self._budget.settle(reservation, used, usd)
        with self._lock:
            self._usage += used
            self._cost = None if usd is None or self._cost is None else self._cost + usd


def _reported(usage: LLMUsage, most: LLMUsage) -> LLMUsage:
    """The usage of an answer; the estimate where an answer was given but no tokens counted."""
    return most if usage.requests and not usage.input + usage.output else usage


def _used_in_vain(err: LgrError, most: LLMUsage) -> LLMUsage:
    """What a request that failed counts for."""
    if isinstance(err, StoppedError):
        return LLMUsage()
    if isinstance(err, BadReplyError) and isinstance(err.usage, LLMUsage):
        return err.usage
    return most if isinstance(err, BadReplyError | NoAnswerError) else LLMUsage(requests=1)
