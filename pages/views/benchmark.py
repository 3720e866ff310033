"""How good the methods are, beside rivals and controls that keep them honest."""

from pages.shared import benchmark_reasons, benchmark_slices, benchmark_trust, pieces
from pages.shared import benchmark_sections as sections
from pages.shared.benchmark_view import Shown, choose, tabs
from pages.shared.widgets import html


def show(shown: Shown) -> None:
    """One regime of one run."""
    sections.question(shown)
    sections.means(shown)
    sections.gaps(shown)
    benchmark_slices.where(shown)
    sections.conditions_and_spread(shown)
    sections.neighbors(shown)
    benchmark_trust.trust(shown)


shown = choose()
if shown is not None:
    html(sections.badge(shown) + pieces.title(f"Benchmark of {shown.run.config['atlas']}"))
    with tabs(shown):
        show(shown)
    benchmark_reasons.reasons(shown)
    benchmark_trust.ceiling(shown)
    sections.reading()
    sections.provenance(shown)
