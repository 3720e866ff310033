"""The selectors of a run; a language model's answers are replayed, never asked for here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import Selector
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.own_line import OwnLineFirst
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import llm_selector


@dataclass(frozen=True, slots=True)
class Selectors:
    """Makes them by name; it can be handed to another process.

    With ``own_line_first``, a line's own answers go first and another line's fill in; else the
    options' scope says which are used.
    """

    settings: Settings
    options: LLMOptions = field(default_factory=LLMOptions)
    neighbors: tuple[Path, ...] = ()
    own_line_first: bool = True

    def __call__(self, name: str, store: AtlasStore) -> Selector:
        """The selector of that name."""
        if name != LLMSelector.name:
            return make_selector(name, store)
        if not self.own_line_first:
            return self._replaying(store, self.options.scope)
        own, other = (self._replaying(store, scope) for scope in (Scope.LINE, Scope.DRUG))
        return OwnLineFirst(own, other)

    def _replaying(self, store: AtlasStore, scope: Scope) -> LLMSelector:
        options = replace(self.options, policy=Policy.REPLAY, scope=scope)
        return llm_selector(store, self.settings, options, neighbors=self.neighbors)
