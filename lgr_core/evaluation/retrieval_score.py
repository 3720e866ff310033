"""The retrieval score: how many drugs of the query's mechanism stand among the first k.

Judged by curated annotation alone, so that no measurement and no language model judges a language
model. Recall is the share of the relevant drugs of the pool that are among the first k; a random
draw of k out of n has recall k / n (the mean of the hypergeometric distribution over the relevant).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.curated_annotation import FIELDS, CuratedAnnotation
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, Condition, Selector
from lgr_core.drugs.similarity import BitArray, similarity
from lgr_core.errors import LgrError
from lgr_core.evaluation.bootstrap import Resamples, estimate
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.resolve import resolve

NEAR_DUPLICATE = 0.85
"""Morgan cosine from which a candidate counts as a near-duplicate of the query."""

RANKERS = ("llm", "mechanism", "chemistry")
"""Selectors whose rankings are scored."""

POOLS = {
    "all": "all candidates",
    "distinct": "one form per parent, no near-duplicate of the query",
}
"""The two readings of a pool, and what they hold."""

QUERIES = (
    *("selector", "model", "field", "pool", "cell_line", "drug", "parent"),
    *("n_candidates", "n_relevant", "n_hits", "k_used", "recall", "chance"),
)
"""Columns of the table of queries."""


@dataclass(frozen=True)
class RetrievalScorer:
    """Scores selectors against an atlas's curated annotation, in the open world."""

    reader: EvidenceReader
    curated: CuratedAnnotation
    k: int = 10

    def score(
        self, selectors: Sequence[Selector], lines: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """One row a selector, field, pool and query, with the columns ``QUERIES``.

        Queries are the annotated drugs of each line, at its highest dose, that have a relevant drug
        in their pool. A query that a selector cannot answer has no row.
        """
        store = self.reader.store
        measured = sorted(set(store.conditions["cell_line"])) if lines is None else lines
        rows: list[dict[str, Any]] = []
        for line in measured:
            dose = store.doses(line)[0]
            for drug in store.measured_drugs(line, dose):
                for case in self._cases(Condition(line, drug, dose)):
                    for selector in selectors:
                        rows += self._rows(case, selector)
        return pd.DataFrame(rows, columns=list(QUERIES))

    def _cases(self, query: Condition) -> Iterator[_Case]:
        """The pools of a query that hold a relevant drug."""
        known = [field for field in FIELDS if query.drug in self.curated.comparable[field]]
        block = self.reader.block(query.cell_line, query.dose_um, [query.drug])
        (pool,) = block.pools
        if not known or isinstance(pool, LgrError):
            return
        for name, candidates in (("all", pool), ("distinct", self._distinct(pool))):
            relevant = {
                field: relevant_drugs(self.curated.comparable[field], query.drug, candidates.drugs)
                for field in known
            }
            if any(relevant.values()):
                yield _Case(name, candidates, relevant, block)

    def _rows(self, case: _Case, selector: Selector) -> Iterator[dict[str, Any]]:
        catalog, k, pool = self.reader.store.drug_catalog, self.k, case.pool
        try:
            selection = selector.select(pool, k, case.block.view(0, selector.evidence))
        except LgrError:
            return
        found = resolve(selection, pool, catalog, k, selector=selector.name)
        provenance = selection.provenance
        about = {
            "selector": selector.name,
            "model": provenance.get("model", provenance.get("source")),
            "pool": case.name,
            "cell_line": pool.query.cell_line,
            "drug": pool.query.drug,
            "parent": catalog.parent(pool.query.drug),
        }
        for field, relevant in case.relevant.items():
            if relevant:
                counts = recall_of(found.drugs, relevant, n_candidates=len(pool.drugs), k=k)
                yield {**about, "field": field, **counts}

    def _distinct(self, pool: CandidatePool) -> CandidatePool:
        """The pool with one form per parent, the first by name, and no near-duplicate."""
        kept = distinct_drugs(
            pool.query.drug, pool.drugs, self._bits, self.reader.store.drug_catalog.parent
        )
        left_out = tuple(drug for drug in pool.drugs if drug not in kept)
        return replace(pool, drugs=kept, withheld=(*pool.withheld, *left_out))

    @cached_property
    def _bits(self) -> Mapping[str, BitArray]:
        store = self.reader.store
        return dict(zip(store.drugs["drug"], store.fingerprints, strict=True))


def relevant_drugs(
    of_drug: Mapping[str, frozenset[str]], query: str, candidates: Collection[str]
) -> frozenset[str]:
    """The candidates that share a curated value (of one field, by drug) with the query."""
    wanted = of_drug[query]
    return frozenset(drug for drug in candidates if wanted & of_drug.get(drug, frozenset()))


def distinct_drugs(
    query: str,
    candidates: Sequence[str],
    bits: Mapping[str, BitArray],
    parent: Callable[[str], str],
) -> tuple[str, ...]:
    """One form per parent, the first in order, without near-duplicates of the query; sorted."""
    if not candidates:
        return ()
    alike = similarity(bits[query], np.array([bits[drug] for drug in candidates]))
    first: dict[str, str] = {}
    for drug, cosine in zip(candidates, alike, strict=True):
        if not cosine >= NEAR_DUPLICATE:
            first.setdefault(parent(drug), drug)
    return tuple(sorted(first.values()))


def recall_of(
    ranked: Sequence[str], relevant: frozenset[str], *, n_candidates: int, k: int
) -> dict[str, float]:
    """What a ranking found of the relevant drugs (at least one), beside what chance finds."""
    hits = len(relevant.intersection(ranked))
    return {
        "n_candidates": n_candidates,
        "n_relevant": len(relevant),
        "n_hits": hits,
        "k_used": len(ranked),
        "recall": hits / len(relevant),
        "chance": min(k, n_candidates) / n_candidates,
    }


@dataclass(frozen=True)
class _Case:
    """A query's pool, and the relevant drugs in it by field."""

    name: str
    pool: CandidatePool
    relevant: Mapping[str, frozenset[str]]
    block: QueryBlock


def score_run(
    store: AtlasStore,
    methods: Sequence[str],
    selectors: Callable[[str, AtlasStore], Selector],
    *,
    k: int,
    lines: Sequence[str] | None,
    seed: int,
) -> pd.DataFrame:
    """The summary for the selectors of a run's methods; empty without curated annotation."""
    curated = CuratedAnnotation.of(store)
    names = [name for name in RANKERS if f"lgr_{name}" in methods]
    if not (len(curated) and names):
        return pd.DataFrame(columns=list(SUMMARY))
    scorer = RetrievalScorer(EvidenceReader(store), curated, k)
    return summarise_retrieval(scorer.score([selectors(n, store) for n in names], lines), seed=seed)


def summarise_retrieval(queries: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """One row a field, pool and selector: mean recall, and paired gaps, with 95 % intervals.

    Intervals resample the query drugs (their parents) with all their lines. ``minus_chance`` is
    over the selector's queries, ``minus_chemistry`` over those that chemistry answered too.
    """
    rows = []
    for (field, pool), group in queries.groupby(["field", "pool"], sort=False):
        rival = group[group["selector"] == RIVAL].set_index(_QUERY)["recall"]
        for (selector, model), own in group.groupby(
            ["selector", "model"], sort=False, dropna=False
        ):
            keyed = own.set_index(_QUERY)
            gaps = {"minus_chance": keyed["recall"] - keyed["chance"]}
            if selector != RIVAL:
                gaps["minus_chemistry"] = (keyed["recall"] - rival.reindex(keyed.index)).dropna()
            rows.append(
                {
                    "field": field,
                    "pool": pool,
                    "selector": selector,
                    "model": model,
                    "n_queries": len(own),
                    "n_drugs": own["drug"].nunique(),
                    "n_relevant": own["n_relevant"].mean(),
                    **_with_interval("recall", keyed["recall"], seed),
                    "chance": own["chance"].mean(),
                    **{k: v for name, gap in gaps.items() for k, v in _gap(name, gap, seed)},
                }
            )
    return pd.DataFrame(rows, columns=list(SUMMARY))


RIVAL = "chemistry"
_QUERY = ["cell_line", "drug", "parent"]
_GAPS = ("minus_chance", "minus_chemistry")
SUMMARY = (
    *("field", "pool", "selector", "model", "n_queries", "n_drugs", "n_relevant"),
    *("recall", "low", "high", "chance"),
    *(f"{gap}{end}" for gap in _GAPS for end in ("", "_low", "_high")),
)
"""Columns of the summary; ``n_relevant`` is the mean number of relevant drugs in a pool."""


def _with_interval(name: str, values: pd.Series, seed: int) -> dict[str, float]:
    """Mean and 95 % limits over resampled parents; NaN limits with fewer than five."""
    if values.empty:
        return {name: np.nan, "low": np.nan, "high": np.nan}
    parents = values.index.get_level_values("parent").to_numpy(str)
    found = estimate(values.to_numpy(float)[:, None], Resamples.draw([parents], seed=seed))
    return {
        name: float(found.mean[0]),
        "low": float(found.low[0]),
        "high": float(found.high[0]),
    }


def _gap(name: str, values: pd.Series, seed: int) -> Iterator[tuple[str, float]]:
    found = _with_interval(name, values, seed)
    yield name, found[name]
    yield f"{name}_low", found["low"]
    yield f"{name}_high", found["high"]
