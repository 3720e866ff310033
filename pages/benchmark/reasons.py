"""What language models' choices and reasons are worth: parts of the benchmark page."""

from __future__ import annotations

from lgr_core.audit.shipped_rates import direction_sentence, shipped_rates
from lgr_core.evaluation import fragments
from lgr_core.evaluation.retrieval_table import WHAT_RETRIEVAL_IS, retrieval_table
from pages.benchmark.view import Shown
from pages.shared import pieces
from pages.shared.widgets import html

SAME_MECHANISM = "Do the selectors find drugs of the same mechanism?"
BORNE_OUT = "Do the data bear the reasons out?"


def reasons(shown: Shown) -> None:
    """The retrieval score of the run, where there is one, and the shipped audit of reasons."""
    table = retrieval_table(shown.run.retrieval)
    if table is not None:
        html(pieces.section(SAME_MECHANISM, WHAT_RETRIEVAL_IS) + fragments.table(table))
    about = "Measured on real Tahoe-100M responses for the answers recorded with this project."
    html(pieces.section(BORNE_OUT, f"{direction_sentence(shipped_rates())} {about}"))
