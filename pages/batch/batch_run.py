"""A batch at work: in a thread of its own, so that what is done is kept when the page is left."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from lgr_core.atlas.store import AtlasStore
from lgr_core.batch.engine import Ask, Choose, by_neighbors, by_weights
from lgr_core.batch.query_list import QueryList
from lgr_core.batch.results import BatchRun
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Selector
from lgr_core.errors import NotFoundError
from lgr_core.llm.budget import Budget
from lgr_core.retrieval.fill_cache import Estimate, FillReport, estimate, fill
from lgr_core.retrieval.llm_question import LLMOptions, Policy
from lgr_core.retrieval.setup import live_client, llm_selector
from pages.batch.batch_asking import Wanted
from pages.batch.rule_for_new import rule_for
from pages.shared import evidence_state, guide, state
from pages.shared.job_queue import HEAVY
from pages.shared.words import count


class _LeaveQueue(Exception):  # noqa: N818 - no fault: the visitor stopped
    """A batch is stopped before its turn."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is put to a language model: these pools' questions, with this key, within this budget.

    Without a ``key`` the operator's is used, which the operator's budget bounds.
    """

    pools: tuple[CandidatePool, ...]
    key: str | None
    budget: Budget


@dataclass(frozen=True, slots=True)
class Memory:
    """For which queries a language model has answered, and what asking the rest would use."""

    open: tuple[CandidatePool, ...]
    estimate: Estimate


class Batch:
    """One visitor's batch, ``wanted`` as it was started; ``link`` is the definition of it."""

    def __init__(self, wanted: Wanted, reading: QueryList) -> None:
        self.many = BatchRun(
            reading.store, reading.pools, wanted.k, wanted.method, change=wanted.change
        )
        self.reading, self.wanted, self.link = reading, wanted, wanted.link()
        self.stage, self.asked, self.to_ask = "waiting", 0, 0
        self.ahead = 0
        self.report: FillReport | None = None
        self._cancel = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self._work: Future[None] | None = None

    def start(self, asking: Asking | None = None) -> None:
        """Begin, or go on where it was stopped; what is under way is left alone."""
        if not self.under_way:
            self._cancel.clear()
            self._work = self._pool.submit(
                self._run, asker(self.wanted, self.many.store, self.reading.new_drugs), asking
            )

    def stop(self) -> None:
        """Stop after the queries under way."""
        self._cancel.set()

    @property
    def under_way(self) -> bool:
        """Whether it is waiting or at work."""
        return self._work is not None and not self._work.done()

    @property
    def error(self) -> BaseException | None:
        """What ended it before its time."""
        done = self._work is not None and self._work.done()
        return self._work.exception() if done and self._work is not None else None

    def share(self) -> tuple[float, str]:
        """How far it is, from 0 to 1, and in words."""
        if self.stage == "asking":
            words = f"Asked {self.asked:,} of {self.to_ask:,} questions"
            return self.asked / max(self.to_ask, 1), words
        done, total = len(self.many.outcomes), len(self.many.pools)
        waiting = f"Waiting for {count(max(self.ahead, 1), 'computation')} of other visitors"
        begun = waiting if self.stage == "waiting" else "Predicted"
        return done / max(total, 1), f"{begun}: {done:,} of {total:,} queries"

    def _run(self, ask: Ask, asking: Asking | None) -> None:
        self.stage = "waiting"
        with suppress(_LeaveQueue), HEAVY.turn(self._wait):
            if asking is not None:
                self._ask(asking)
            self.stage = "predicting"
            # One thread: several visitors share the cores.
            with threadpool_limits(1, "blas"):
                self.many.predict(ask, cancel=self._cancel)

    def _wait(self, ahead: int) -> None:
        self.ahead = ahead
        if self._cancel.is_set():
            raise _LeaveQueue

    def _ask(self, asking: Asking) -> None:
        self.stage, self.asked, self.to_ask = "asking", 0, len(asking.pools)
        settings = Settings.from_environment()
        client = live_client(
            settings, api_key=asking.key, budget=asking.budget, cancel=self._cancel
        )
        options = LLMOptions(policy=Policy.FILL, model=settings.llm_model)
        live = llm_selector(self.many.store, settings, options, client=client)
        self.report = fill(
            live, client, asking.pools, self.many.k, cancel=self._cancel, progress=self._tell
        )

    def _tell(self, _stage: str, done: int, total: int) -> None:
        self.asked, self.to_ask = done, total


def asker(wanted: Wanted, store: AtlasStore, new_drugs: Iterable[str]) -> Ask:
    """What answers the queries of a batch, with trust where a benchmark run has calibrated it.

    ``store`` is the atlas with the ``new_drugs`` of the list.
    """
    k, reader = wanted.k, state.reader(store, wanted.change)
    runs = Settings.from_environment().runs
    if wanted.averages:
        choose = _chooser(store, wanted, tuple(new_drugs))
        return by_neighbors(reader, choose, k, runs, one_per_parent=wanted.once)
    return by_weights(reader, evidence_state.weighing(store, wanted.method, wanted.change), k, runs)


def _chooser(store: AtlasStore, wanted: Wanted, new_drugs: Sequence[str]) -> Choose:
    """Who chooses the neighbours of a query; a language model's recorded answers are replayed.

    Where it has no answer, the wish for the rest says whether a stand-in chooses; otherwise that is
    an error of this query. For a new drug the rule is one that can read what is given of it.
    """
    rule = guide.STAND_IN if wanted.ranked_by_model else wanted.selector
    stand_ins = guide.RULES if new_drugs else ()
    rules = {name: state.selector(name, store) for name in {rule, *stand_ins}}
    of_new = {drug: rules[rule_for(store, drug, rule)] for drug in new_drugs}

    def by_rule(pool: CandidatePool) -> Selector:
        return of_new.get(pool.query.drug, rules[rule])

    if not wanted.ranked_by_model:
        return by_rule
    recorded = state.recorded(store)

    def choose(pool: CandidatePool) -> Selector:
        if recorded.usable(pool, wanted.k) is not None:
            return recorded
        if wanted.rest == guide.STAND_IN:
            return by_rule(pool)
        do = "Ask one, choose by mechanism instead, or take another selector."
        raise NotFoundError(f"{pool.query}", "no language model has answered for it", do)

    return choose


def memory(store: AtlasStore, pools: Sequence[CandidatePool], k: int) -> Memory:
    """Look up what is recorded; nobody is asked."""
    recorded = state.recorded(store)
    unknown = tuple(pool for pool in pools if recorded.usable(pool, k) is None)
    return Memory(unknown, estimate(guide.asking(store), unknown, k))
