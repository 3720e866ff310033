"""A selector that reads the recorded answers of a language model."""

from __future__ import annotations

from lgr_core.domain import CandidatePool, DeltaReader, Evidence, Retrieval, Selection
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.retrieval.llm_question import Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.resolve import resolve

MIN_FILLED = 0.5
"""The share of the neighbours wanted that a ranking recorded for another list has to fill."""


class RecordedSelector:
    """Replays recorded answers; the model is never asked.

    The first of ``selectors`` that has an answer gives the ranking: the one of scope ``line``, then
    the one of scope ``drug``, or a single one whose scope the user named. Its provenance states the
    line that the model was asked about (``asked_in_line``), and how many drugs the candidate list
    of its file has, there and in the pool (``listed``, ``listed_in_pool``).

    A file may have been recorded for another list of drugs, of which few are candidates here. Who
    asks one question checks that with :meth:`usable` or :meth:`require`; methods that weigh the
    rankings of many drugs, and benchmarks, take each as it is.
    """

    name = LLMSelector.name
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, *selectors: LLMSelector) -> None:
        if not selectors or any(s.options.policy is not Policy.REPLAY for s in selectors):
            do = "Give one or more selectors whose policy is replay."
            raise UsageError("recorded answers", "a selector would ask the model, or none is", do)
        self.selectors = selectors

    def select(self, pool: CandidatePool, k: int, view: DeltaReader | None = None) -> Selection:  # noqa: ARG002 - reads no delta
        """The recorded ranking for ``pool.query``; ``resolve`` judges it.

        Raises
        ------
        NotFoundError
            If no answer is recorded.
        """
        errors = []
        for selector in self.selectors:
            try:
                return selector.select(pool, k)
            except NotFoundError as err:
                errors.append(err)
        raise errors[0] if len(errors) == 1 else self._unanswered(pool)

    def usable(self, pool: CandidatePool, k: int) -> Selection | None:
        """The recorded ranking if it may answer a single question; None if none may."""
        try:
            selection = self.select(pool, k)
        except NotFoundError:
            return None
        return selection if self._is_enough(selection, self._resolved(selection, pool, k)) else None

    def require(self, pool: CandidatePool, k: int) -> None:
        """Raise unless a recorded ranking may answer a single question.

        Raises
        ------
        NotFoundError
            If no answer is recorded, or it was recorded for another list of drugs and too few of
            them are candidates here.
        """
        selection = self.select(pool, k)
        found = self._resolved(selection, pool, k)
        if not self._is_enough(selection, found):
            asked = f"LLM answer for {pool.query}"
            file = selection.provenance["file"]
            filled = f"{found.k_used} of {min(k, found.pool_size)} neighbours"
            do = "Ask the model (--cache fill, with a key), take another selector, or accept it "
            do += f"with --scope {selection.provenance['scope']}."
            raise NotFoundError(asked, f"the ranking in {file} fills {filled}", do)

    def _resolved(self, selection: Selection, pool: CandidatePool, k: int) -> Retrieval:
        return resolve(selection, pool, self.selectors[0].catalog, k, selector=self.name)

    def _is_enough(self, selection: Selection, found: Retrieval) -> bool:
        """Whether a ranking fills enough; always if the user named the scope, file or atlas."""
        if len(self.selectors) == 1 or not selection.provenance.get("of_any_atlas", False):
            return True
        return found.k_used >= MIN_FILLED * min(found.k, found.pool_size)

    def _unanswered(self, pool: CandidatePool) -> NotFoundError:
        lines = [pool.query.cell_line]
        lines += [s.scope_line for s in self.selectors if s.options.scope is Scope.DRUG]
        asked = f"LLM answer for {pool.query.drug} in {' or '.join(dict.fromkeys(lines))}"
        do = "Ask the model (--cache fill, with a key), or give --neighbors FILE."
        return NotFoundError(asked, "neither the cache nor a neighbour file holds one", do)
