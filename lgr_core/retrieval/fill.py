"""Ask for many queries at once: each is answered or accounted for, none is asked twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lgr_core.domain import CandidatePool, Condition, LLMUsage, Selection
from lgr_core.errors import AccessError, BudgetError, LgrError
from lgr_core.retrieval.budget import estimate_usage
from lgr_core.retrieval.concurrency import bounded_map
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.question import Question

ANSWER_TOKENS_A_NAME = 45
"""Output tokens expected for one ranked name with its sentence (10 names: about 450)."""


@dataclass(slots=True)
class FillReport:
    """What became of every query; ``not_asked`` were left when the run was stopped."""

    answered: int = 0
    remembered: int = 0
    recorded: int = 0
    not_asked: int = 0
    failed: list[tuple[Condition, str]] = field(default_factory=list)
    usage: LLMUsage = field(default_factory=LLMUsage)
    cost_usd: float | None = 0.0
    stopped_by: str = ""

    def count(self, selection: Selection) -> None:
        """Add one answered query."""
        by = str(selection.provenance["answered_by"])
        if by == "model":
            self.answered += 1
            self._add_usage(selection)
        elif by == "cache":
            self.remembered += 1
        else:
            self.recorded += 1

    def _add_usage(self, selection: Selection) -> None:
        said = selection.provenance
        tokens = (said["input_tokens"], said["cached_tokens"], said["output_tokens"])
        self.usage += LLMUsage(*tokens, requests=said["samples"] + said["repairs"])
        cost = said["cost_usd"]
        known = self.cost_usd is not None and cost is not None
        self.cost_usd = self.cost_usd + cost if known else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would use, before anything is sent; repairs not counted, no price: None."""

    questions: int
    remembered: int
    usage: LLMUsage
    usd: float | None


def open_questions(
    selector: LLMSelector, pools: Iterable[CandidatePool], k: int
) -> tuple[list[Question], int]:
    """The distinct questions without a remembered answer, and how many have one."""
    questions = {q.key: q for pool in pools for q in selector.questions(pool, k)}
    missing = [q for q in questions.values() if selector.answers.remembered(q) is None]
    return missing, len(questions) - len(missing)


def estimate(selector: LLMSelector, pools: Iterable[CandidatePool], k: int) -> Estimate:
    """Tokens and price of what is not remembered, prompt caching not counted."""
    missing, remembered = open_questions(selector, pools, k)
    usage = LLMUsage()
    for question in missing:
        most = estimate_usage(question.request)
        usage += LLMUsage(most.input, 0, ANSWER_TOKENS_A_NAME * question.k, 1)
    prices = selector.answers.prices
    usd = None if prices is None else prices.cost(usage, selector.options.model)
    return Estimate(len(missing), remembered, usage, usd)


def fill(
    selector: LLMSelector,
    pools: Sequence[CandidatePool],
    k: int,
    *,
    concurrency: int = 4,
    cancel: threading.Event | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FillReport:
    """Answer every query, from what is remembered or from the model, and say what became of each.

    Queries that come to the same question (scope ``drug``) are asked once. A spent budget, a
    refused key and ``cancel`` end the run after what is under way; run again, it goes on there.
    """
    stop = threading.Event() if cancel is None else cancel
    report = FillReport()
    distinct = _distinct(selector, pools, k)
    done = 0
    for pool, result in bounded_map(
        lambda pool: selector.select(pool, k), distinct, concurrency=concurrency, cancel=stop
    ):
        done += 1
        if isinstance(result, BudgetError | AccessError):
            report.stopped_by = str(result)
            report.not_asked += 1
            stop.set()
        elif isinstance(result, LgrError):
            report.failed.append((pool.query, str(result)))
        else:
            report.count(result)
        if progress is not None:
            progress("asking", done, len(distinct))
    report.not_asked += len(distinct) - done
    if stop.is_set() and not report.stopped_by:
        report.stopped_by = "stopped by request"
    return report


def _distinct(selector: LLMSelector, pools: Sequence[CandidatePool], k: int) -> list[CandidatePool]:
    """One pool for each set of questions."""
    by_key = {selector.questions(pool, k)[0].key: pool for pool in reversed(pools)}
    return list(by_key.values())[::-1]
