"""Asking: the neighbours of a question, and its answer by any method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import NoneType

from lgr_core.answer.answer import Answer
from lgr_core.answer.arguments import (
    change_of,
    check_callable,
    check_flags,
    check_question,
    check_type,
    number_of_neighbors,
    selector_of,
)
from lgr_core.answer.assemble import AnsweringMethod, answers
from lgr_core.answer.tuned import with_tuned_params
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, Change, Retrieval, Selector
from lgr_core.errors import EmptyPoolError, LgrError, UsageError
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.prediction.aggregate import AGGREGATES
from lgr_core.prediction.attribution import METHODS as WEIGHTED
from lgr_core.prediction.attribution import Selectors
from lgr_core.prediction.hybrid import Hybrid
from lgr_core.prediction.lgr import FALLBACKS, LGR
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.retrieval.parse_query import read_query
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.selectors import make_selector

LGR_METHOD = "lgr"
METHODS = (LGR_METHOD, *WEIGHTED, Hybrid.name)
"""What can be asked: the paper's, those that weigh every condition, and the paper's proposal."""

BASELINES = (
    *("cell_mean", "drug_mean", "global_mean", "pool_mean", "plate_mean"),
    *("chem_knn", "zero"),
)
"""What an answer is compared with: methods of the benchmark that fit nothing and name nobody."""


def retrieve(  # noqa: PLR0913 - all but the question is optional
    store: AtlasStore,
    *,
    cell_line: str,
    drug: str,
    dose_um: float | None = None,
    selector: str | Sequence[str] | Selector = "mechanism",
    k: int | None = None,
    seed: int = 0,
    one_per_parent: bool = False,
    reader: EvidenceReader | None = None,
) -> Retrieval:
    """The realised neighbours of a drug in a cell line, without predicting; see :func:`predict`.

    Raises
    ------
    LgrError
        If a name, the dose, the selector or ``k`` is refused; the message says what to do.
    """
    check_question(store, cell_line, drug, dose_um)
    check_type("reader", reader, (EvidenceReader, NoneType), _READER)
    check_flags(one_per_parent=one_per_parent)
    k = number_of_neighbors(k, selector)
    reader = EvidenceReader(store) if reader is None else reader
    block, pool, _ = _block(reader, cell_line, drug, dose_um)
    chosen = selector_of(store, selector, pool, k, seed)
    lgr = LGR(chosen, store.drug_catalog, k, one_per_parent=one_per_parent)
    (found,) = lgr.retrieve(block, k)
    if isinstance(found, LgrError):
        raise found
    return found


def predict(  # noqa: PLR0913 - the one public call; all but the question is optional
    store: AtlasStore,
    *,
    cell_line: str,
    drug: str,
    dose_um: float | None = None,
    method: str | LinearMethod = LGR_METHOD,
    selector: str | Sequence[str] | Selector = "mechanism",
    k: int | None = None,
    aggregate: str = "mean",
    fallback: str = "pool_mean",
    seed: int = 0,
    one_per_parent: bool = False,
    all_genes: bool = False,
    change: str = Change.TOTAL,
    reader: EvidenceReader | None = None,
    selectors: Selectors | None = None,
) -> Answer:
    """Predict a drug's effect on a cell line from measured effects.

    Parameters
    ----------
    store
        An open atlas.
    cell_line, drug, dose_um
        The question; names are matched by their closest reading, the dose is in micromolar.
    method
        A name in ``METHODS``: ``lgr`` averages the neighbours of a selector; the others read a
        language model's recorded answers. A name in ``BASELINES`` is a mean or another simple
        method that names no neighbour. Or one of ``make_method``, kept between calls.
    selector
        Of ``lgr``: a name in ``SELECTORS`` (``llm`` replays recorded answers, and asks nothing), a
        list of drug names, or any object with the ``Selector`` protocol.
    k
        How many neighbours to average, the whole pool if it is smaller; of methods that weigh
        every condition, how many to name. Unset, all drugs of a list, else 10.
    aggregate, fallback
        Of ``lgr``: how neighbours are combined, and what answers (labelled) when there are none.
    seed
        For the random selector.
    one_per_parent
        Of ``lgr``: keep only the better-ranked of two forms of one parent compound.
    all_genes
        Predict every gene of the atlas; otherwise the metric panel.
    change
        ``total``, as measured, or ``specific``: each neighbour's change less the mean of its
        plate's other parents, none of them the query's own. ``measured`` and ``metrics`` are of the
        same change, None where the query itself cannot be separated from its plate.
    reader
        One of this store's in the open world and for this change, kept between calls.
    selectors
        Gives the selectors of methods other than ``lgr``; by default those of this installation.

    Returns
    -------
    Answer
        With ``measured`` and ``metrics`` where the condition was measured. The measured values
        are read by the scorer only, after the prediction is made.

    Raises
    ------
    LgrError
        If a name, the dose or an option is refused; the message says what to do.
    """
    check_question(store, cell_line, drug, dose_um)
    check_type("method", method, (str, LinearMethod), f"Choose one of: {_CHOICES}.")
    check_type("aggregate", aggregate, (str,), f"Choose one of: {', '.join(AGGREGATES)}.")
    check_type("fallback", fallback, (str,), f"Choose one of: {', '.join(FALLBACKS)}.")
    check_type("reader", reader, (EvidenceReader, NoneType), _READER)
    check_callable("selectors", selectors, "Give a function of a name, or None.")
    check_flags(one_per_parent=one_per_parent, all_genes=all_genes)
    k = number_of_neighbors(k, selector)
    reader = _reader(store, reader, change_of(change))
    block, pool, notes = _block(reader, cell_line, drug, dose_um)
    if method == LGR_METHOD:
        answering: AnsweringMethod = LGR(
            selector_of(store, selector, pool, k, seed),
            store.drug_catalog,
            k,
            how=aggregate,
            fallback=fallback,
            one_per_parent=one_per_parent,
        )
    else:
        answering = _by_name(reader, method, selectors, k)
    (answer,) = answers(reader, block, answering, k, all_genes=all_genes, notes=notes)
    if isinstance(answer, LgrError):
        raise answer
    return answer


def _reader(store: AtlasStore, reader: EvidenceReader | None, change: Change) -> EvidenceReader:
    """The reader that is given, if it reads that change, or a new one."""
    if reader is None:
        return EvidenceReader(store, change=change)
    if reader.change is not change:
        found = f"it reads the {reader.change} change, and the {change} one is asked for"
        raise UsageError("reader", found, f"Give EvidenceReader(store, change={str(change)!r}).")
    return reader


_CHOICES = ", ".join((*METHODS, *BASELINES))
_READER = "Give EvidenceReader(store), or None."


def _block(
    reader: EvidenceReader, cell_line: str, drug: str, dose_um: float | None
) -> tuple[QueryBlock, CandidatePool, tuple[str, ...]]:
    """The question as it was read, a block of one; its pool, and notes on how it was read."""
    query, notes = read_query(reader.store, cell_line, drug, dose_um)
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    (pool,) = block.pools
    if isinstance(pool, EmptyPoolError):
        raise pool
    return block, pool, notes


def _by_name(
    reader: EvidenceReader, method: str | LinearMethod, selectors: Selectors | None, k: int
) -> AnsweringMethod:
    """The method of that name, with the language model's answers that were recorded."""
    if isinstance(method, LinearMethod):
        return method
    if method in WEIGHTED:
        return with_tuned_params(method, reader, selectors=selectors)
    if method == Hybrid.name:
        make = partial(make_selector, store=reader.store) if selectors is None else selectors
        catalog = reader.store.drug_catalog
        return Hybrid(*(LGR(make(name), catalog, k) for name in ("llm", "chemistry")))
    if method in BASELINES:
        setting = MethodContext(
            reader.labels,
            partial(make_selector, store=reader.store),
            Regime.OPEN_WORLD,
            k,
        )
        return REGISTRY[method].make(setting)[0]
    raise UsageError(f"method {method!r}", "unknown", f"Choose one of: {_CHOICES}.")
