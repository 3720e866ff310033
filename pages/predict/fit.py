"""How well a prediction fits the measured change, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.answer.baselines import strips_of
from lgr_core.domain import Evidence
from pages.predict.recipes import methods_paragraph, python_lines, shell_line
from pages.predict.selector_facts import selector_facts
from pages.shared import pieces
from pages.shared.pickers import Asked
from pages.shared.score_tables import metric_table
from pages.shared.widgets import html
from pages.shared.words import EVIDENCE_WORDS, count, dose_words


def scores(asked: Asked, answer: Answer, reference: Mapping[str, float]) -> None:
    """The metrics in plain words, beside those of the pool mean where it has any."""
    if answer.metrics is None:
        return
    unit = asked.store.value_kind.label
    under = f"Predicted against measured change over n = {answer.n_panel:,} genes."
    if reference:
        others = count(len(answer.pool.drugs), "other drug")
        under += (
            f" Beside it the pool mean: the mean of all {others} in {asked.question.cell_line}, "
            f"which knows nothing of {asked.question.drug}."
        )
    first = strips_of(answer.change)
    html(
        pieces.section("How well it fits", under)
        + metric_table(answer.metrics, reference, first, unit)
    )
    rest = [name for name in answer.metrics if name not in first]
    with st.expander(f"{len(rest)} more metrics"):
        html(metric_table(answer.metrics, reference, rest, unit))


@st.fragment
def provenance(asked: Asked, answer: Answer) -> None:
    """How the answer was made, and the lines that make it again, written when it is opened.

    What colours code is the second largest part of Streamlit's: nobody waits for it unasked.
    """
    box = st.expander("How was this made?", key="made", on_change="rerun")
    if not box.open:
        return
    with box:
        html(pieces.facts(provenance_facts(answer)))
        said = answer.provenance["selector"]
        if said:
            html(pieces.caption("What the selector recorded of itself:"))
            html(pieces.facts(selector_facts(said)))
            st.json(said, expanded=False)
        html(pieces.caption("In Python, with LGR_HOME as this app has it:"))
        st.code(python_lines(asked.question, answer), language="python")
        shell = shell_line(asked.question, answer)
        if shell:
            html(pieces.caption("In a shell:"))
            st.code(shell, language="shell", wrap_lines=True)
        html(pieces.caption("In words, for a methods section:"))
        st.code(methods_paragraph(asked, answer), language=None, wrap_lines=True)


def provenance_facts(answer: Answer) -> list[tuple[str, str]]:
    """What an answer was made of, as names and values."""
    made, query = answer.provenance, answer.pool.query
    evidence = [EVIDENCE_WORDS[Evidence(name)] for name in made["evidence"]]
    twins = ", ".join(made["twins_left_out"])
    return [
        ("question", f"{query.drug} in {query.cell_line}, {dose_words(query.dose_um)}"),
        ("atlas", f"{made['atlas']}, {'simulated' if made['simulated'] else 'measured'}"),
        ("build id", made["build_id"]),
        ("method", made["method"]),
        ("evidence read", "; ".join(evidence)),
        ("neighbours combined by", made["aggregate"]),
        ("left out, sharing a compound with it", twins or "none"),
        ("mechanism labels", "written by a language model or by the atlas's source: see data/"),
        ("made with", f"lgr-explorer {made['lgr_version']}"),
    ]
