"""What one query may read, as tests ask for it, and its held-out unit spelt out by hand."""

import numpy as np

from lgr_core.domain import Evidence
from lgr_core.retrieval.query_block import EvidenceReader

POOLABLE = (Evidence.TRAIN, Evidence.TARGET_POOL)


def one(store, query, fold=None):
    """The query as a block of one."""
    return EvidenceReader(store, fold).block(query.cell_line, query.dose_um, [query.drug])


def reader_of(store, query, evidence, fold=None):
    """What the query alone may read by this evidence; without a fold, in the open world."""
    return one(store, query, fold).view(0, evidence)


def held_out(store, query):
    """(n_conditions,) true for every row of the query's line that shares a parent with its drug.

    At any dose. A combination has the parents of all its drugs.
    """
    own = made_of(store, query.drug)
    pairs = store.conditions[["cell_line", "drug"]].to_numpy()
    return np.array(
        [line == query.cell_line and not own.isdisjoint(made_of(store, d)) for line, d in pairs]
    )


def made_of(store, drug):
    """The parents of a drug: one, or those of all drugs of a combination."""
    catalog = store.drug_catalog
    parent = catalog.parent(drug)
    return catalog.parents.parts.get(parent, frozenset({parent}))


def may_read(store, query, evidence, fold=None):
    """(n_conditions,) what the query may read, row by row, from the rule in words.

    TRAIN is what the fold opens anywhere, TARGET_POOL what it opens in the query's line, neither
    with a row of the query's own unit; TRUTH is the query's own row.
    """
    unit, found = held_out(store, query), []
    for row, closed in enumerate(unit):
        condition = store.condition(row)
        opened = {e: fold is None or bool(fold.readable_rows[e][row]) for e in POOLABLE}
        train = Evidence.TRAIN in evidence and opened[Evidence.TRAIN]
        in_line = condition.cell_line == query.cell_line and opened[Evidence.TARGET_POOL]
        pool = Evidence.TARGET_POOL in evidence and in_line
        truth = Evidence.TRUTH in evidence and condition == query
        found.append(((train or pool) and not closed) or truth)
    return np.array(found)
