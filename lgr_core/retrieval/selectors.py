"""The selectors: each names the pool's drugs that should act most like the query."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import (
    NOTHING,
    CandidatePool,
    DeltaReader,
    Evidence,
    FloatArray,
    Proposal,
    Selection,
    Selector,
)
from lgr_core.drugs.chemistry import similarity
from lgr_core.drugs.mechanism_files import Annotation
from lgr_core.drugs.mechanisms import MechanismBook
from lgr_core.errors import UsageError
from lgr_core.metrics import pearson_delta
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.question import LLMOptions
from lgr_core.retrieval.setup import llm_selector


class MechanismSelector:
    """Ranks by shared mechanism tags, targets and programmes; who shares nothing is left out."""

    name = "mechanism"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, store: AtlasStore, inferred: Mapping[str, Annotation] | None = None) -> None:
        """``inferred`` annotations, e.g. a language model's, go before the shipped ones."""
        self._book = MechanismBook.load()
        self.annotations = {
            drug: self._book.annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
            for drug, row in store.annotations.items()
        } | dict(NOTHING if inferred is None else inferred)

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """The k drugs with the highest mechanism similarity above zero, ties by name."""
        query = self.annotations[pool.query.drug]
        scores = [self._book.similarity(query, self.annotations[drug]) for drug in pool.drugs]
        chosen = [i for i in _ranked(pool, np.array(scores))[:k] if scores[i] > 0]
        proposals = (self._proposal(query, pool.drugs[i], scores[i]) for i in chosen)
        known = sum(bool(self.annotations[drug].tags) for drug in pool.drugs)
        provenance = {"with_known_mechanism": known, "tags_of_query": query.source}
        return Selection(tuple(proposals), provenance=provenance)

    def _proposal(self, query: Annotation, drug: str, score: float) -> Proposal:
        return Proposal(drug, self._book.explain(query, self.annotations[drug]), score)


class ChemistrySelector:
    """Ranks by cosine similarity of Morgan fingerprints; drugs without a structure are left out."""

    name = "chemistry"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, store: AtlasStore) -> None:
        self._bits = store.fingerprints
        self._place = {drug: i for i, drug in enumerate(store.drugs["drug"])}
        self._known = self._bits.any(axis=1)

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """The k drugs of highest cosine, ties by name; none if the query has no structure."""
        places = np.array([self._place[drug] for drug in pool.drugs])
        missing = int((~self._known[places]).sum())
        query = self._place[pool.query.drug]
        if not self._known[query]:
            return Selection((), provenance={"query_has_structure": False})
        scores = similarity(self._bits[query], self._bits[places])
        scores[~self._known[places]] = -1.0
        chosen = [i for i in _ranked(pool, scores)[:k] if scores[i] >= 0]
        proposals = (
            Proposal(pool.drugs[i], f"Similar structure: Morgan cosine {scores[i]:.2f}.", scores[i])
            for i in chosen
        )
        return Selection(tuple(proposals), provenance={"without_structure": missing})


class RandomSelector:
    """Draws k drugs of the pool at random: the control that tells retrieval from luck."""

    name = "random"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """Draw k without replacement; the same for the same query and seed, always."""
        rng = np.random.default_rng([self.seed, zlib.crc32(repr(pool.query).encode())])
        chosen = rng.choice(len(pool.drugs), size=min(k, len(pool.drugs)), replace=False)
        proposals = tuple(Proposal(pool.drugs[i], "Drawn at random.") for i in chosen)
        return Selection(proposals, provenance={"seed": self.seed})


class OracleSelector:
    """Ranks by Pearson with the measured truth: the reference for uniform-mean retrieval."""

    name = "oracle"
    evidence = frozenset({Evidence.TRUTH, Evidence.TARGET_POOL})

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:
        """The k drugs whose measured delta is closest to the query's own measured one."""
        query = pool.query
        candidates = view.deltas(view.rows(query.cell_line, pool.drugs, query.dose_um))
        truth = view.deltas(view.rows(query.cell_line, [query.drug], query.dose_um))
        truth = np.broadcast_to(truth, candidates.shape)
        scores = np.nan_to_num(pearson_delta(truth, candidates), nan=-1)
        proposals = (
            Proposal(pool.drugs[i], f"Pearson {scores[i]:.2f} with the measured change.", scores[i])
            for i in _ranked(pool, scores)[:k]
        )
        return Selection(tuple(proposals))


def _ranked(pool: CandidatePool, scores: FloatArray) -> list[int]:
    """Places of the pool, highest score first; ties by name, as the pool is sorted."""
    if len(pool.drugs) != len(scores):
        raise UsageError("ranking", "one score a candidate is needed", "Score the whole pool.")
    return np.argsort(-scores, kind="stable").tolist()


def replaying(store: AtlasStore) -> LLMSelector:
    """A language model's remembered answers, by the settings of the environment; asks nobody."""
    return llm_selector(store, Settings.from_environment(), LLMOptions())


SELECTORS: Mapping[str, Callable[[AtlasStore, int], Selector]] = {
    "llm": lambda store, _seed: replaying(store),
    "mechanism": lambda store, _seed: MechanismSelector(store),
    "chemistry": lambda store, _seed: ChemistrySelector(store),
    "random": lambda _store, seed: RandomSelector(seed),
    "oracle": lambda _store, _seed: OracleSelector(),
}
"""Selectors by name, each with its defaults."""


def make_selector(name: str, store: AtlasStore, *, seed: int = 0) -> Selector:
    """The selector of that name, for that atlas.

    Raises
    ------
    UsageError
        If the name is not in ``SELECTORS``.
    """
    if name not in SELECTORS:
        known = ", ".join(SELECTORS)
        raise UsageError(f"selector {name!r}", "unknown", f"Choose one of: {known}.")
    return SELECTORS[name](store, seed)
