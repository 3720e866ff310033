"""What language models' choices and reasons are worth: parts of the benchmark page."""

from __future__ import annotations

from html import escape

from lgr_core.audit.shipped_rates import direction_sentence, shipped_rates
from lgr_core.evaluation import fragments
from lgr_core.evaluation.retrieval_table import WHAT_RETRIEVAL_IS, retrieval_table
from pages.benchmark.view import Shown
from pages.shared import pieces
from pages.shared.widgets import html

SAME_MECHANISM = "Does the model find drugs of the same mechanism?"
BORNE_OUT = "How well do its reasons hold?"
NOT_SCORED = (
    "Not scored in this run: its atlas has no curated annotation of mechanisms and targets. "
    "lgr annotate adds one."
)


def same_mechanism(shown: Shown) -> None:
    """The retrieval score of the run, where there is one."""
    table = retrieval_table(shown.run.retrieval)
    if table is None:
        html(pieces.caption(NOT_SCORED))
        return
    html(pieces.caption(WHAT_RETRIEVAL_IS) + fragments.table(table))


def borne_out(_: Shown) -> None:
    """The shipped audit of the recorded reasons."""
    about = "Measured on real Tahoe-100M responses for the answers recorded with this project."
    html(pieces.lead([escape(f"{direction_sentence(shipped_rates())} {about}")]))
