"""How far trust can be trusted, and how far measurements repeat: parts of the benchmark page."""

from __future__ import annotations

import streamlit as st

from lgr_core.errors import LgrError
from lgr_core.evaluation import figures, fragments
from lgr_core.evaluation.calibration_tables import (
    NO_CEILING,
    NOT_CALIBRATED,
    WHAT_TRUST_IS,
    calibrated,
    ceiling_table,
    ceiling_words,
    half_words,
    trust_table,
)
from lgr_core.evaluation.report import of_regime
from pages.benchmark.view import Shown
from pages.shared import evidence_state, pieces, state
from pages.shared.browsing import download
from pages.shared.charts import chart
from pages.shared.widgets import html


def trust(shown: Shown) -> None:
    """Expected against observed scores, what abstaining gains, coverage of the intervals."""
    view, run = shown.view, shown.run
    intervals, reliability, kept = (
        of_regime(table, view.regime)
        for table in (run.intervals, run.reliability, run.risk_coverage)
    )
    drawn = calibrated(intervals, (view.scored, view.rival))
    if not drawn:
        html(pieces.caption(NOT_CALIBRATED))
        return
    left, right = st.columns(2, gap="large")
    with left:
        html(
            pieces.section(
                "How far trust can be trusted",
                f"{WHAT_TRUST_IS} Each point is a tenth of the conditions with its 95 % interval; "
                "on the dotted line, what was expected came out.",
            )
        )
        words = "Observed over expected Pearson r by tenths of the conditions."
        chart(figures.reliability(reliability, drawn), "reliability", words)
    with right:
        said = " ".join(half_words(kept, name) for name in drawn)
        html(pieces.section("What abstaining gains", said))
        words = "Mean Pearson r over the share of conditions that is kept."
        chart(figures.risk_coverage(kept, drawn), "risk_coverage", words)
    html(fragments.table(trust_table(intervals, reliability, kept)))


def ceiling(shown: Shown) -> None:
    """The limit that no method can pass, where the run's very atlas is here and has replicates."""
    config = shown.run.config
    if config["atlas"] not in state.atlases():
        return
    try:
        atlas = state.store(config["atlas"])
    except LgrError:
        return
    if atlas.build_id != config["build_id"]:
        return
    found = evidence_state.ceiling(atlas)
    html(
        pieces.section(
            "The limit no method can pass", NO_CEILING if found.empty else ceiling_words(found)
        )
    )
    if not found.empty:
        html(fragments.table(ceiling_table(found)))
        download(found, f"ceiling {config['atlas']}")
