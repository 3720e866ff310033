"""What is searched for, as weights of genes: a measured change or a predicted one."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from lgr_core.answer import Answer
from lgr_core.domain import Change, Condition, FloatArray
from lgr_core.errors import NotFoundError, NotSeparableError
from lgr_core.retrieval.specific_change import View, measured_change
from lgr_core.signatures.gene_lists import Signature, gene_set, split_genes, whole_change
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.search import drug_scores
from pages.find.finding import Wanted
from pages.shared import asking
from pages.shared.pickers import Asked


def signature(wanted: Wanted) -> tuple[Signature, tuple[str, ...]]:
    """What is searched for as weights, and notes on how it was made.

    Raises
    ------
    LgrError
        If it was not measured, cannot be predicted, or no pasted gene can be used.
    """
    store, question = wanted.store, wanted.question
    if wanted.source == "genes":
        found = gene_set(store, split_genes(wanted.up), split_genes(wanted.down))
        return found, found.notes
    if wanted.source == "measured":
        if _row(wanted) is None:
            do = "Search with its predicted change instead, or choose another drug, line or dose."
            raise NotFoundError(f"the measured change of {question}", "it was not measured", do)
        return _measured(wanted), ()
    view = wanted.searched.view
    change = Change.SPECIFIC if view is View.SPECIFIC else Change.TOTAL
    unedited = replace(question, drop=(), add=())
    asked, answer, _, why_total = asking.answer(
        Asked(store, unedited, (), {"method": wanted.method, "change": str(change)})
    )
    if answer.change is not change:
        why, do = why_total or "it is not defined", "Choose another view of the change."
        raise NotSeparableError(f"the specific change of {question}", why, do)
    found = whole_change(_predicted(answer, view, store.n_panel), drug=question.drug)
    return found, (*asked.notes, *answer.notes)


def measured_scores(wanted: Wanted, library: SignatureLibrary) -> pd.Series | None:
    """What each drug and dose scores with the measured change where a predicted one is searched.

    Indexed by drug and dose; None where there is no measured change beside a predicted one.
    """
    if wanted.source != "predicted" or _row(wanted) is None:
        return None
    found = drug_scores(_measured(wanted), library)
    return pd.Series(found, index=pd.MultiIndex.from_frame(library.drugs[["drug", "dose_um"]]))


def _predicted(answer: Answer, view: View, n_panel: int) -> FloatArray:
    """The view of a prediction over the panel: relative to the pool, less the pool's mean."""
    delta = answer.prediction.delta[:n_panel]
    return delta - answer.pool_mean[:n_panel] if view is View.RELATIVE_TO_POOL else delta


def _measured(wanted: Wanted) -> Signature:
    change = measured_change(wanted.store, _query(wanted), wanted.searched.view)
    return whole_change(change, drug=wanted.question.drug)


def _row(wanted: Wanted) -> int | None:
    return wanted.store.row(_query(wanted))


def _query(wanted: Wanted) -> Condition:
    question = wanted.question
    return Condition(question.cell_line, question.drug, question.dose_um)
