"""The retrieval score of recorded answers alone: no atlas is needed, for nothing measured is read.

The pool of a query is every other drug of the file, forms of its own parent left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs
from lgr_core.atlas.curated_annotation import FIELDS, CuratedAnnotation
from lgr_core.atlas.curated_files import CuratedDrug
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.chemistry import fingerprints, parent_key
from lgr_core.drugs.similarity import BitArray, nearest
from lgr_core.evaluation.retrieval_score import QUERIES, distinct_drugs, recall_of, relevant_drugs
from lgr_core.retrieval.neighbor_files import NeighborRecord


@dataclass(frozen=True)
class AnswerScorer:
    """Scores recorded answers against curated annotation, beside chemistry.

    The drugs are those that the answers ask for; their structures come from the shipped table.
    """

    answers: Sequence[NeighborRecord]
    curated: CuratedAnnotation
    catalog: DrugCatalog
    bits: Mapping[str, BitArray]
    k: int = 10

    @classmethod
    def of(
        cls, answers: Sequence[NeighborRecord], curated: Sequence[CuratedDrug], k: int, *, file: str
    ) -> AnswerScorer:
        """With the annotation of a curated file; ``file`` is its name."""
        drugs = annotate_drugs(list(dict.fromkeys(one.drug for one in answers)), [])
        smiles = [text or None for text in drugs["smiles"]]
        keys = dict(zip(drugs["drug"], map(parent_key, smiles), strict=True))
        known = CuratedAnnotation.matched(keys, curated, source="csv", file=file)
        bits, _ = fingerprints(smiles)
        by_drug = dict(zip(drugs["drug"], bits, strict=True))
        return cls(answers, known, DrugCatalog(drugs["drug"], keys), by_drug, k)

    def score(self) -> pd.DataFrame:
        """One row a selector, field, pool and query, as ``RetrievalScorer`` has them."""
        rows = [row for answer in self.answers for row in self._rows(answer)]
        return pd.DataFrame(rows, columns=list(QUERIES))

    def _rows(self, answer: NeighborRecord) -> Iterator[dict[str, Any]]:
        query = answer.drug
        closed = {query, *self.catalog.related(query)}
        pool = [drug for drug in self.catalog.names if drug not in closed]
        pools = {
            "all": tuple(pool),
            "distinct": distinct_drugs(query, pool, self.bits, self.catalog.parent),
        }
        for name, candidates in pools.items():
            rankings = {
                "llm": (answer.source or None, self._named(answer, frozenset(candidates))),
                "chemistry": (None, self._alike(query, candidates)),
            }
            for field in FIELDS:
                of_drug = self.curated.comparable[field]
                found = relevant_drugs(of_drug, query, candidates) if query in of_drug else None
                if not found:
                    continue
                for selector, (model, ranked) in rankings.items():
                    yield {
                        "selector": selector,
                        "model": model,
                        "field": field,
                        "pool": name,
                        "cell_line": answer.cell_line,
                        "drug": query,
                        "parent": self.catalog.parent(query),
                        **recall_of(ranked, found, n_candidates=len(candidates), k=self.k),
                    }

    def _named(self, answer: NeighborRecord, pool: frozenset[str]) -> list[str]:
        """The first k drugs of the pool that the answer names."""
        found = (self.catalog.find(one.text).drug for one in answer.proposals)
        return list(dict.fromkeys(drug for drug in found if drug in pool))[: self.k]

    def _alike(self, query: str, pool: Sequence[str]) -> list[str]:
        bits = np.array([self.bits[drug] for drug in pool])
        return [drug for drug, _ in nearest(self.bits[query], pool, bits, self.k)]
