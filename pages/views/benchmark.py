"""How good the methods are, beside rivals and controls that keep them honest."""

from pages.benchmark import reasons, sections, slices, trust
from pages.benchmark.view import Shown, choose, tabs
from pages.shared import pieces
from pages.shared.widgets import html


def show(shown: Shown) -> None:
    """One regime of one run."""
    sections.question(shown)
    sections.means(shown)
    sections.gaps(shown)
    slices.where(shown)
    sections.conditions_and_spread(shown)
    sections.neighbors(shown)
    trust.trust(shown)


shown = choose()
if shown is not None:
    html(sections.badge(shown) + pieces.title(f"Benchmark of {shown.run.config['atlas']}"))
    with tabs(shown):
        show(shown)
    reasons.reasons(shown)
    trust.ceiling(shown)
    sections.reading()
    sections.provenance(shown)
