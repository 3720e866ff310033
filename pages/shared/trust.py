"""How far a prediction may be trusted: a light, what is expected, and why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.prediction.trust import TrustLevel
from pages.shared import pieces
from pages.shared.widgets import html
from pages.shared.words import count

LIGHT_WORDS = {
    TrustLevel.GREEN: "Trust: high",
    TrustLevel.YELLOW: "Trust: some",
    TrustLevel.GREY: "Trust: not known",
}


NEEDS = (
    "Trust is learned from this very build of the atlas: every measured "
    "condition is predicted without reading it, and what a prediction stood on is compared with "
    "how good it was. This page starts none; whoever runs the app can, in a shell; the light then "
    "appears here by itself:"
)


def box(answer: Answer) -> None:
    """The light with the expected score and its reasons; without a calibration, what it needs."""
    html(trust_box(answer))
    command = _command(answer)
    if answer.trust is None and command in (answer.trust_note or ""):
        _needs(command)


@st.fragment
def _needs(command: str) -> None:
    box = st.expander("What trust needs", key="needs", on_change="rerun")
    if not box.open:
        return
    with box:
        html(pieces.caption(NEEDS))
        st.code(command, language="shell")
        st.page_link(
            "pages/views/data.py",
            label="What trust means",
            icon=":material/menu_book:",
            query_params={"part": "trust"},
        )


def trust_box(answer: Answer) -> str:
    """The same as HTML."""
    trust, by = answer.trust, answer.calibrated
    if trust is None or by is None:
        words = (answer.trust_note or "").removesuffix(f" Run {_command(answer)}.")
        return pieces.caption(f"Trust: {words}") if words else ""
    like = REGIME_LABELS[by.regime].label.lower()
    n = count(by.calibration.n, "held-out condition")
    source = f"Learned from {n} ({like}) of the benchmark run {by.run}. {answer.trust_note or ''}"
    said = expected_words(trust.expected, trust.low, trust.high)
    return light_box(trust.light, said, trust.reasons, pieces.caption(source.strip()))


def expected_words(expected: float, low: float, high: float) -> str:
    """What score is expected, with its interval, as HTML."""
    return f"Expected Pearson r <b>{expected:.2f}</b> (90 % interval {low:.2f} to {high:.2f})"


def light_box(light: TrustLevel, said: str, reasons: Sequence[str], foot: str = "") -> str:
    """A light, what is said beside it (HTML, may be empty) and why; ``foot`` is HTML, too."""
    why = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    head = (
        f'<span class="lgr-light lgr-{light}" aria-hidden="true"></span>'
        f"<b>{LIGHT_WORDS[light]}</b>" + (f"<span>{said}</span>" if said else "")
    )
    return (
        f'<section class="lgr-trust" aria-label="Trust"><header>{head}</header>'
        f"<ul>{why}</ul>{foot}</section>"
    )


def _command(answer: Answer) -> str:
    return f"lgr calibrate {answer.provenance['atlas']}"
