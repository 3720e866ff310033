"""The control that takes a language model's own genes for the prediction."""

import numpy as np

from lgr_core.prediction.llm_genes import LLMGenes
from lgr_core.prediction.method import Status
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.signatures.expected import ExpectedSignature, ExpectedSignatures


def test_it_predicts_the_recorded_genes_and_nothing_for_others(toy):
    """Signs on named genes, 0 elsewhere; without a record or a measured gene not applicable."""
    first, second = toy.gene_names[:2]
    signatures = ExpectedSignatures(
        toy.drug_catalog,
        [
            ExpectedSignature("Trametinib", (first,), (second, "Unheard of"), 3),
            ExpectedSignature("Cobimetinib", ("Unheard of",), (), 3),
        ],
    )
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib", "Cobimetinib", "Vorinostat"])
    found = LLMGenes(signatures).predict(block)
    assert found.status == [Status.OK, Status.NOT_APPLICABLE, Status.NOT_APPLICABLE]
    assert np.count_nonzero(found.delta[0]) == 2
    assert found.delta[0, :2].tolist() == [1, -1]
    assert np.isnan(found.delta[1:]).all()
    assert found.detail[0] is None
    assert "no expected gene" in found.detail[1]


def test_genes_are_those_that_are_read(toy):
    """Of all genes, and of every second one of the panel, each stands in its own place."""
    signature = ExpectedSignature("Trametinib", tuple(toy.gene_names[[0, 2]]), (), 3)
    method = LLMGenes(ExpectedSignatures(toy.drug_catalog, [signature]))
    some = EvidenceReader(toy, every=2).block("A549", 5.0, ["Trametinib"])
    assert np.flatnonzero(method.predict(some).delta[0]).tolist() == [0, 1]
    whole = EvidenceReader(toy).block("A549", 5.0, ["Trametinib"]).over_all_genes()
    assert method.predict(whole).delta.shape == (1, len(toy.gene_names))


def test_it_declares_no_evidence():
    """Nothing measured is read."""
    assert LLMGenes.evidence == frozenset()
