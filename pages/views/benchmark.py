"""How good the methods are, beside rivals and controls that keep them honest."""

from pages.benchmark import sections, trust
from pages.benchmark.answer import answer
from pages.benchmark.folds import folds
from pages.benchmark.view import choose, tabs

shown = choose()
if shown is not None:
    sections.heading(shown)
    with tabs(shown):
        answer(shown)
        folds(shown)
    trust.ceiling(shown)
