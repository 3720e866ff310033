"""The reader's own judgement of each reason, kept for the visit and taken home as a file."""

from __future__ import annotations

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.answer.export import table_csv
from lgr_core.atlas.store import AtlasStore
from lgr_core.audit.neighbor_claims import retrieved_reasons
from lgr_core.audit.rationale_audit import AuditedReason
from lgr_core.audit.reviews import Judgement, Review, review_table
from pages.shared import pieces, state
from pages.shared.widgets import html
from pages.shared.words import literal

_KEPT = "reviews"
"""Where the visit keeps its reviews, by atlas and reason."""


def form(store: AtlasStore, answer: Answer) -> None:
    """One reason at a time: right, wrong or unclear, and a note; then all reviews as a file."""
    given = retrieved_reasons(answer.retrieval)
    if not given:
        return
    with st.expander("Your own judgement of the reasons"):
        reader = st.text_input("Your name, for the file", key="reader", max_chars=80)
        place = st.selectbox(
            "Reason",
            range(len(given)),
            key="reviewed_reason",
            format_func=lambda i: literal(f"{given[i].rank}. {given[i].reason.neighbor}"),
        )
        each = given[place]
        html(pieces.caption(each.reason.text))
        key = (store.name, each)
        widget = f"{each.cell_line}_{each.reason.query}_{each.reason.neighbor}"
        before = _reviews().get(key)
        if before is not None:  # Streamlit forgets a widget that another reason replaced
            st.session_state.setdefault(f"judgement_{widget}", before.judgement)
            st.session_state.setdefault(f"note_{widget}", before.note)
        judgement = st.segmented_control(
            "It is", list(Judgement), key=f"judgement_{widget}", format_func=str
        )
        note = st.text_input("Note", key=f"note_{widget}", max_chars=500)
        if judgement is not None:
            _reviews()[key] = Review(each, judgement, note, reader)
        elif before is not None:
            del _reviews()[key]
        _download(store)


def _download(store: AtlasStore) -> None:
    reviews = [review for (atlas, _), review in _reviews().items() if atlas == store.name]
    st.download_button(
        f"Reviews with claims and verdicts (csv, {len(reviews)})",
        lambda: table_csv(review_table(state.audit(store), reviews)).encode(),
        file_name="reviews.csv",
        mime="text/csv",
        key="download_reviews",
        on_click="ignore",
        icon=":material/download:",
        disabled=not reviews,
    )


def _reviews() -> dict[tuple[str, AuditedReason], Review]:
    """The reviews of this visit."""
    kept: dict[tuple[str, AuditedReason], Review] = st.session_state.setdefault(_KEPT, {})
    return kept
