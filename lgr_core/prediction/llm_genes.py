"""A control: the genes that a language model expects, taken as the prediction itself."""

from __future__ import annotations

import numpy as np

from lgr_core.domain import Evidence
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.signatures.expected import ExpectedSignatures


class LLMGenes(NothingToFit):
    """+1 and -1 on the genes that a language model expects to rise and fall, 0 elsewhere.

    Recorded once for each drug, whatever the line. It reads no measurement at all: it shows what
    the model predicts, where ``lgr_llm`` shows what it retrieves.
    """

    name = "llm_genes"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, signatures: ExpectedSignatures) -> None:
        self._signatures = signatures

    def predict(self, block: QueryBlock) -> Predictions:
        """The recorded genes of each drug; not applicable where none of them is read here."""
        genes = block.gene_names.tolist()
        delta = np.zeros((len(block), len(genes)), dtype=np.float32)
        for i, query in enumerate(block.queries):
            signature = self._signatures.of(query.drug)
            if signature is not None:
                delta[i] = signature.vector(genes)
        delta[~delta.any(axis=1)] = np.nan
        return answered(delta, without="no expected gene of the drug is recorded and measured")
