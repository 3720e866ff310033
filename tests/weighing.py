"""Methods that weigh measured conditions, as tests make and ask them."""

import numpy as np

from lgr_core.errors import NotFoundError
from lgr_core.evaluation.folds import make_folds
from lgr_core.prediction.best_evidence import BestEvidence
from lgr_core.prediction.drug_kernels import MECHANISM, DrugKernels
from lgr_core.prediction.kriging import Kernel, Kriging
from lgr_core.retrieval.query_block import EvidenceReader


class Silent:
    """A language model that was never asked."""

    name = "llm"
    evidence = frozenset()

    def select(self, pool, k, view):
        """No answer."""
        raise NotFoundError(pool.query.drug, "no answer", "Ask.")


def kriging_of(reader, shares=None, penalty=1.0):
    """Kriging from mechanisms, or from these kernels."""
    kernels = DrugKernels(reader.labels, lambda name: Silent())
    kernel = Kernel({MECHANISM: 1.0} if shares is None else shares, penalty)
    return Kriging(kernels, kernel, in_line=reader.fold is None or reader.fold.in_line)


def best_of(reader, settings=None):
    """Best evidence as the fold's regime makes it."""
    return BestEvidence(kriging_of(reader), settings=settings)


def asked_in(store, regime):
    """Readers of a regime's folds, and each block that they test."""
    for fold in make_folds(store, regime, 3):
        reader = EvidenceReader(store, fold)
        for block in reader.blocks(np.flatnonzero(fold.test)):
            yield reader, block


def routes(method, block):
    """Each query's route."""
    found = np.empty(len(block), dtype=object)
    for share in method.weights_for(block, block.guard(method.evidence)):
        found[share.places] = share.route
    return set(found)
