"""The selectors: rules and language models that rank the pool's drugs for a query."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import (
    EMPTY,
    CandidatePool,
    DeltaReader,
    Evidence,
    FloatArray,
    IntArray,
    Proposal,
    Selection,
    Selector,
)
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.drugs.similarity import similarity
from lgr_core.errors import UsageError
from lgr_core.metrics import pearson_delta
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.setup import recorded_selector


class MechanismSelector:
    """Ranks by shared mechanism tags, targets and programmes; who shares nothing is left out."""

    name = "mechanism"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, store: AtlasStore, inferred: Mapping[str, Annotation] | None = None) -> None:
        """``inferred`` annotations, e.g. a language model's, go before the shipped ones."""
        self._book = MechanismAnnotations.load()
        self.annotations = {
            drug: self._book.annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
            for drug, row in store.annotations.items()
        } | dict(EMPTY if inferred is None else inferred)
        self._place = {drug: i for i, drug in enumerate(self.annotations)}
        self._known = np.array([bool(note.tags) for note in self.annotations.values()])
        self._remembered: dict[str, FloatArray] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """The k drugs with the highest mechanism similarity above zero, ties by name."""
        query, scores = self.annotations[pool.query.drug], self._scores(pool.query.drug)
        places = np.array([self._place[drug] for drug in pool.drugs])
        ranked = _ranked(pool, scores[places])[:k]
        chosen = [pool.drugs[i] for i in ranked if scores[places[i]] > 0]
        proposals = (self._proposal(query, drug, scores[self._place[drug]]) for drug in chosen)
        known = int(self._known[places].sum())
        provenance = {"with_known_mechanism": known, "tags_of_query": query.source}
        return Selection(tuple(proposals), provenance=provenance)

    def _scores(self, drug: str) -> FloatArray:
        """Similarity of a drug to every drug of the atlas, (n_drugs,); the same in every line."""
        if drug not in self._remembered:
            query, book = self.annotations[drug], self._book
            scores = [book.similarity(query, self.annotations[other]) for other in self._place]
            self._remembered[drug] = np.array(scores)
        return self._remembered[drug]

    def _proposal(self, query: Annotation, drug: str, score: float) -> Proposal:
        return Proposal(drug, self._explain(query.drug, drug), float(score))

    def _explain(self, query: str, drug: str) -> str:
        if (query, drug) not in self._reasons:
            pair = self.annotations[query], self.annotations[drug]
            self._reasons[query, drug] = self._book.explain(*pair)
        return self._reasons[query, drug]


class ChemistrySelector:
    """Ranks by cosine similarity of Morgan fingerprints; who shares no bit is left out."""

    name = "chemistry"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, store: AtlasStore) -> None:
        self._bits = store.fingerprints
        self._place = {drug: i for i, drug in enumerate(store.drugs["drug"])}
        self._known = np.any(self._bits, axis=1)
        self._remembered: dict[str, FloatArray] = {}

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """The k drugs of highest cosine above 0, ties by name; none without a query structure."""
        places = np.array([self._place[drug] for drug in pool.drugs])
        missing = int((~self._known[places]).sum())
        if not self._known[self._place[pool.query.drug]]:
            return Selection((), provenance={"query_has_structure": False})
        scores = self._scores(pool.query.drug)[places]
        chosen = [i for i in _ranked(pool, scores)[:k] if scores[i] > 0]
        proposals = (
            Proposal(pool.drugs[i], f"Similar structure: Morgan cosine {scores[i]:.2f}.", scores[i])
            for i in chosen
        )
        return Selection(tuple(proposals), provenance={"without_structure": missing})

    def _scores(self, drug: str) -> FloatArray:
        """Similarity of a drug to every drug of the atlas, (n_drugs,), -1 without a structure."""
        if drug not in self._remembered:
            scores = similarity(self._bits[self._place[drug]], self._bits)
            self._remembered[drug] = np.where(self._known, scores, -1.0)
        return self._remembered[drug]


class RandomSelector:
    """Draws k drugs of the pool at random: the control that tells retrieval from luck."""

    name = "random"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise UsageError(f"seed {seed}", "it is negative", "Give a seed of 0 or more.")
        self.seed = seed

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """Draw k without replacement; the same for the same query and seed, always."""
        drawn = (Proposal(pool.drugs[i], "Drawn at random.") for i in self.draw(pool, k))
        return Selection(tuple(drawn), provenance={"seed": self.seed})

    def draw(self, pool: CandidatePool, k: int) -> IntArray:
        """Places of the k drugs in the pool, (k,); all of them if it is smaller."""
        rng = np.random.default_rng([self.seed, zlib.crc32(repr(pool.query).encode())])
        return rng.choice(len(pool.drugs), size=min(k, len(pool.drugs)), replace=False)


class OracleSelector:
    """Ranks by Pearson with the measured truth: the reference for uniform-mean retrieval."""

    name = "oracle"
    evidence = frozenset({Evidence.TRUTH, Evidence.TARGET_POOL})

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:
        """The k drugs whose measured delta is closest to the query's own measured one."""
        query = pool.query
        candidates = view.deltas(view.rows(query.cell_line, pool.drugs, query.dose_um))
        truth = view.deltas(view.rows(query.cell_line, [query.drug], query.dose_um))
        scores = np.full(len(candidates), -1.0)
        known = np.isfinite(candidates).all(axis=1)  # one on a small plate has no specific change
        if known.any() and np.isfinite(truth).all():
            truth = np.broadcast_to(truth, candidates[known].shape)
            scores[known] = np.nan_to_num(pearson_delta(truth, candidates[known]), nan=-1)
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


SELECTORS: Mapping[str, Callable[[AtlasStore, int], Selector]] = {
    RecordedSelector.name: lambda store, _seed: recorded_selector(
        store, Settings.from_environment()
    ),
    "mechanism": lambda store, _seed: MechanismSelector(store),
    "chemistry": lambda store, _seed: ChemistrySelector(store),
    "random": lambda _store, seed: RandomSelector(seed),
    "oracle": lambda _store, _seed: OracleSelector(),
}
"""Selectors by name, each with its defaults."""


def make_selector(
    name: str,
    store: AtlasStore,
    *,
    seed: int = 0,
    recorded: Callable[[AtlasStore], RecordedSelector] | None = None,
) -> Selector:
    """The selector of that name, for that atlas; ``llm`` replays recorded answers, asks nothing.

    ``recorded`` makes the selector of recorded answers; unset, it is the installation's usual one.

    Raises
    ------
    UsageError
        If the name is not in ``SELECTORS``.
    """
    if name not in SELECTORS:
        known = ", ".join(SELECTORS)
        raise UsageError(f"selector {name!r}", "unknown", f"Choose one of: {known}.")
    if name == RecordedSelector.name and recorded is not None:
        return recorded(store)
    return SELECTORS[name](store, seed)
