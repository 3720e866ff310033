"""Ask for many queries at once: each is answered or accounted for, none is asked twice."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lgr_core.domain import CandidatePool, Condition, LLMUsage, Selection
from lgr_core.errors import AccessError, BudgetError, InputError, LgrError, StoppedError
from lgr_core.llm.budget import Account, BudgetedClient, estimate_usage, most_usage
from lgr_core.llm.concurrency import bounded_map
from lgr_core.llm.prompt import PAPER
from lgr_core.retrieval.answer_provider import CUT_PROMPT
from lgr_core.retrieval.answer_source import AnsweredBy
from lgr_core.retrieval.llm_question import Question
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.resolve import resolve

ANSWER_TOKENS_A_NAME = 45
"""Output tokens expected for one ranked name with its sentence (10 names: about 450)."""

FIELD_TOKENS_A_NAME = 75
"""Output tokens expected for the fields of one reason, where the mode asks for them."""


@dataclass(slots=True)
class FillReport:
    """What became of every query; ``not_asked`` were left when the run was stopped.

    ``k_used`` counts the queries with an answer by how many neighbours of it stand; ``paid`` is the
    client's account, which holds answers that could not be used too. Answers that a full disk
    refused are in the file ``rescued_to``; ``lost`` found no room anywhere.
    """

    answered: int = 0
    remembered: int = 0
    recorded: int = 0
    not_asked: int = 0
    failed: list[tuple[Condition, str]] = field(default_factory=list)
    k_used: Counter[int] = field(default_factory=Counter)
    paid: Account = field(default_factory=Account)
    stopped_by: LgrError | None = None
    rescued_to: Path | None = None
    lost: int = 0

    def count(self, selection: Selection, k_used: int) -> None:
        """Add one answered query."""
        self.k_used[k_used] += 1
        by = selection.provenance["answered_by"]
        if by == AnsweredBy.MODEL:
            self.answered += 1
        elif by == AnsweredBy.CACHE:
            self.remembered += 1
        else:
            self.recorded += 1

    def leave(self, why: LgrError, queries: int = 1) -> None:
        """Add queries that were not asked; the first reason is kept."""
        self.not_asked += queries
        if self.stopped_by is None:
            self.stopped_by = why

    def below(self, k: int) -> int:
        """How many answered queries have fewer than ``k`` neighbours."""
        return sum(queries for k_used, queries in self.k_used.items() if k_used < k)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would use, before anything is sent; repairs not counted, no price: None.

    ``usd_at_most`` is what it would cost if every answer had its full length.
    """

    questions: int
    remembered: int
    usage: LLMUsage
    usd: float | None
    usd_at_most: float | None


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
    usage, most = LLMUsage(), LLMUsage()
    fields = 0 if selector.options.prompt.mode == PAPER.mode else FIELD_TOKENS_A_NAME
    for question in missing:
        likely = estimate_usage(question.request)
        output = min((ANSWER_TOKENS_A_NAME + fields) * question.k, likely.output)
        usage += LLMUsage(likely.input, 0, output, 1)
        most += most_usage(question.request)
    prices, model = selector.answers.prices, selector.options.model
    usd, usd_at_most = (
        None if prices is None else prices.cost(amount, model) for amount in (usage, most)
    )
    return Estimate(len(missing), remembered, usage, usd, usd_at_most)


def fill(
    selector: LLMSelector,
    client: BudgetedClient,
    pools: Sequence[CandidatePool],
    k: int,
    *,
    concurrency: int = 4,
    cancel: threading.Event | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> FillReport:
    """Answer every query, from what is remembered or from the model, and say what became of each.

    ``client`` is the selector's own; its account says what was paid. Queries that come to the same
    question (scope ``drug``) are asked once. A spent budget leaves out what it does not cover; a
    refused key, a full disk and ``cancel`` end the run after what is under way. Answers that could
    not be written are written at the end, or elsewhere. Run again, it goes on there.
    """
    stop = threading.Event() if cancel is None else cancel
    report, refused = FillReport(), threading.Event()
    distinct = _distinct(selector, pools, k)
    drawn = itertools.takewhile(lambda _: not refused.is_set(), distinct)
    done = 0
    for pool, result in bounded_map(
        lambda pool: _select(selector, pool, k), drawn, concurrency=concurrency, cancel=stop
    ):
        done += 1
        if isinstance(result, BudgetError | AccessError | StoppedError | _DiskError):
            report.leave(result)
            if isinstance(result, AccessError | _DiskError):
                refused.set()
        elif isinstance(result, LgrError):
            report.failed.append((pool.query, str(result)))
        elif result.provenance.get(CUT_PROMPT):
            report.failed.append((pool.query, str(result.provenance[CUT_PROMPT])))
        else:
            found = resolve(result, pool, selector.catalog, k, selector=selector.name)
            report.count(result, found.k_used)
        if _held(selector):
            refused.set()
        if progress is not None:
            progress("asking", done, len(distinct))
    full = _held(selector)
    if full:
        report.stopped_by = _DiskError("fill", f"{full:,} answers could not be written", _ROOM)
        _write_held(selector, report)
    if done < len(distinct):
        why = StoppedError("fill", "stopped by the user", "Start again when you like.")
        report.leave(why, len(distinct) - done)
    report.paid = client.account
    return report


_ROOM = "Make room where LGR_HOME is."


class _DiskError(InputError):
    """The disk is full, or refuses to be written."""


def _select(selector: LLMSelector, pool: CandidatePool, k: int) -> Selection:
    """A selection; a file that cannot be written or locked is an error of ours."""
    try:
        return selector.select(pool, k)
    except OSError as err:
        raise _DiskError("files of the cache", str(err), _ROOM) from err


def _held(selector: LLMSelector) -> int:
    """How many answers the disk refused."""
    cache = selector.answers.cache
    return 0 if cache is None else cache.held


def _write_held(selector: LLMSelector, report: FillReport) -> None:
    """Write the answers that the disk refused, elsewhere if need be."""
    cache = selector.answers.cache
    if cache is None:
        return
    try:
        report.rescued_to = cache.write_held()
    except OSError:
        report.lost = cache.held


def _distinct(selector: LLMSelector, pools: Sequence[CandidatePool], k: int) -> list[CandidatePool]:
    """One pool for each set of questions."""
    by_key = {selector.questions(pool, k)[0].key: pool for pool in reversed(pools)}
    return list(by_key.values())[::-1]
