"""What stands behind the answer: sections that are drawn once they are opened."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lgr_core.evaluation import fragments
from lgr_core.evaluation.variant_table import variant_table
from pages.benchmark import reasons, run_state, sections, slices, trust
from pages.benchmark.view import Shown
from pages.shared import pieces
from pages.shared.widgets import html

ONE_QUESTION = "Of this build there is a run of one question only. Another, from a shell:"

Draw = Callable[[Shown], None]


def total_and_specific(shown: Shown) -> None:
    """The first metric of the total and of the specific change, side by side."""
    words = (
        "The total change is measured against vehicle. The specific change is what remains once "
        "the mean of the plate's other drugs is taken away: there the mean of the plate scores "
        "zero by construction."
    )
    _variants(shown, words, change=True)


def whose_wells(shown: Shown) -> None:
    """The same methods where the drug's own wells, or its plates, are closed."""
    words = (
        "Where the cell lines of a well are one pooled sample, a held-out line was not a held-out "
        "experiment. Any wells: all that the regime opens may be read. Other wells: none in which "
        "the drug itself stood, in any line: an experiment that is yet to be done."
    )
    _variants(shown, words, change=False)


def _variants(shown: Shown, words: str, *, change: bool) -> None:
    """A table of the runs that differ in the change, or in the wells that may be read."""
    here = shown.folder
    chosen = [run for run in shown.variants if change or run.change == here.change]
    html(pieces.caption(words))
    if len(chosen) < 2:  # noqa: PLR2004 - one question has nothing to compare
        ask = ["--change", "specific"] if change else ["--evidence", "other_wells"]
        html(pieces.caption(ONE_QUESTION))
        atlas = shown.run.config["atlas"]
        command = ["lgr", "benchmark", "--atlas", atlas, *ask, "--out", f"runs/{atlas}_{ask[1]}"]
        st.code(" ".join(command), language="shell")
        return
    runs = {run.question: run_state.run(run.name) for run in chosen}
    table = variant_table(runs, shown.view.regime)
    html("" if table is None else fragments.table(table))


FOLDS: dict[str, tuple[str, Draw]] = {
    "change": ("Total against specific change", total_and_specific),
    "wells": ("Whose wells may be read", whose_wells),
    "k": ("How many neighbours: the curve of k", sections.neighbors),
    "mechanism": (reasons.SAME_MECHANISM, reasons.same_mechanism),
    "reasons": (reasons.BORNE_OUT, reasons.borne_out),
    "where": ("Where it helps and where it fails", slices.where),
    "gaps": ("Is one method better than another? Paired differences", sections.gaps),
    "who": ("Who may read what", sections.who_reads),
    "spread": ("Condition by condition, and how scores spread", sections.conditions_and_spread),
    "trust": ("Can the expected score be trusted? Calibration", trust.trust),
    "numbers": ("All metrics in numbers", sections.in_numbers),
    "reading": ("What the numbers mean", lambda _: sections.reading()),
    "made": ("How this run was made, and its files", sections.provenance),
}
"""Title and content of each section, in the order in which they are read."""


def folds(shown: Shown) -> None:
    """All sections, closed at first."""
    for key, (title, draw) in FOLDS.items():
        box = st.expander(title, key=f"fold_{key}", on_change="rerun")
        if box.open:
            with box:
                draw(shown)
