"""The question beside another: two drugs, or two lines, in two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core import metrics
from lgr_core.answer import Answer
from lgr_core.answer.top_genes import directions, strongest_genes
from lgr_core.errors import LgrError
from pages.predict import gene_figures
from pages.predict.head import facts, verdict_line
from pages.predict.verdict import verdict_of
from pages.shared import asking, evidence_state, links, pieces
from pages.shared.asking import Answered
from pages.shared.browsing import download
from pages.shared.question import Question, default_dose
from pages.shared.widgets import html
from pages.shared.words import agree_words, listed

FIELDS = {"other_drug": "", "other_line": ""}
"""The fields of the link: the drug and the line of the other question; empty, the same."""

SAME_DRUG, SAME_LINE = "the same drug", "the same line"

_TOP = 15


def show(view: Answered) -> None:
    """The pickers of the other question and, where it is another, both in two columns."""
    html(pieces.section("Beside another drug or line"))
    _pickers(view)
    other = _other(view)
    if other is None:
        return
    try:
        second = asking.answer(view.asked._replace(question=other, notes=()))
    except LgrError as err:
        html(pieces.error_box(err))
        return
    second = second._replace(answer=evidence_state.told(view.asked.store, second.answer))
    _columns((view, second))


def _pickers(view: Answered) -> None:
    store, question = view.asked.store, view.asked.question
    lists = {
        "other_drug": ("Drug", SAME_DRUG, store.drug_catalog.names, question.drug),
        "other_line": ("Cell line", SAME_LINE, store.cell_line_catalog.names, question.cell_line),
    }
    for column, (key, (label, same, names, own)) in zip(
        st.columns(2, gap="large"), lists.items(), strict=True
    ):
        options = ["", *(name for name in names if name != own)]
        wished = view.asked.view[key]
        st.session_state[key] = wished if wished in options else ""
        column.selectbox(
            label,
            options,
            key=key,
            format_func=lambda name, same=same: name or same,
            on_change=links.picked,
            filter_mode="contains",
        )


def _other(view: Answered) -> Question | None:
    """The other question; None where it is the same one."""
    store, question = view.asked.store, view.asked.question
    drug = _known(view.asked.view["other_drug"], store.drug_catalog.names) or question.drug
    names = store.cell_line_catalog.names
    line = _known(view.asked.view["other_line"], names) or question.cell_line
    if (drug, line) == (question.drug, question.cell_line):
        return None
    doses = store.doses(line)
    dose = question.dose_um if question.dose_um in doses else default_dose(store, line, drug)
    novel = question.novel if drug == question.drug else None
    return replace(question, drug=drug, cell_line=line, dose_um=dose, novel=novel, drop=(), add=())


def _known(name: str, names: Sequence[str]) -> str:
    return name if name in names else ""


def _columns(views: tuple[Answered, Answered]) -> None:
    """Each with its verdict and its strongest genes; then the genes of both in one table."""
    for place, (column, view) in enumerate(zip(st.columns(2, gap="large"), views, strict=True)):
        with column:
            title = pieces.strong(str(view.asked.question))
            html(f"<p>{title}</p>" + verdict_line(verdict_of(facts(view))))
            gene_figures.draw_top_genes(view.asked, view.answer, key=f"beside_{place}")
    first, second = (view.answer for view in views)
    html(_neighbors_of_both(first, second))
    if first.change is not second.change:
        html(pieces.caption("One is a specific change, the other a total one: not comparable."))
        return
    r = _alike(first, second)
    html(
        pieces.caption(
            f"The two predictions agree {agree_words(r)} (r {r:.2f}). The strongest genes of each; "
            "coloured rows differ:"
        )
    )
    table = genes_of_both(first, second, [str(view.asked.question) for view in views])
    shown = table.style.apply(_marked, axis=1).format(precision=2)
    st.dataframe(shown, hide_index=True, height=min(420, 35 * (len(table) + 1) + 3), key="both")
    download(table, f"both {views[0].asked.question}")


_MARKS = {
    "opposite": "background-color: rgba(214, 96, 77, 0.28)",
    "uncertain": "background-color: rgba(141, 153, 163, 0.22)",
}
"""How the rows of genes are marked whose directions are not the same."""


def _marked(row: pd.Series) -> list[str]:
    return [_MARKS.get(str(row["direction"]), "")] * len(row)


def _neighbors_of_both(first: Answer, second: Answer) -> str:
    """The neighbours that both answers have, and those of one alone, each marked."""
    if first.is_linear or second.is_linear:
        return ""
    ours, theirs = first.retrieval.drugs, second.retrieval.drugs
    lists = (
        ("neighbours of both", [drug for drug in ours if drug in theirs]),
        ("of the left alone", [drug for drug in ours if drug not in theirs]),
        ("of the right alone", [drug for drug in theirs if drug not in ours]),
    )
    return pieces.facts((f"{words} ({len(names)})", listed(names)) for words, names in lists)


def _alike(first: Answer, second: Answer) -> float:
    panel = slice(None, first.n_panel)
    pair = (answer.prediction.delta[None, panel] for answer in (first, second))
    return float(metrics.pearson_delta(*pair)[0])


def genes_of_both(first: Answer, second: Answer, names: Sequence[str]) -> pd.DataFrame:
    """The strongest genes of two answers on one panel: each prediction, and how they relate.

    Same: both outside the noise with one sign; opposite: with two; else uncertain.
    """
    rows = np.unique(
        np.concatenate([*strongest_genes(first, _TOP), *strongest_genes(second, _TOP)])
    )
    ways = [directions(answer)[rows] for answer in (first, second)]
    product = ways[0] * ways[1]
    words = np.select([product > 0, product < 0], ["same", "opposite"], "uncertain")
    table = pd.DataFrame(
        {
            "gene": first.genes[rows],
            names[0]: first.prediction.delta[rows],
            names[1]: second.prediction.delta[rows],
            "direction": words,
        }
    )
    order = np.argsort(-np.abs(first.prediction.delta[rows]), kind="stable")
    return table.iloc[order].reset_index(drop=True)
