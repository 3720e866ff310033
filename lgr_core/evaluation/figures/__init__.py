"""Figures of a benchmark run: tables of scores in, plotly figures out.

Methods that retrieve are drawn in colour, the paper's baselines in a neutral tone, controls hollow
and grey, predictions of others as stars; each has a symbol of its own, so that nothing hangs on
colour alone. ``random_k`` is a band and ``oracle_k`` a line to read the others against.
"""

from plotly.graph_objects import Figure

from lgr_core.evaluation.figures.calibration import reliability, risk_coverage
from lgr_core.evaluation.figures.distributions import (
    MOST_POINTS,
    distributions,
    duel,
    k_curves,
    k_histogram,
)
from lgr_core.evaluation.figures.panels import (
    against,
    gaps,
    metric_panel,
    slice_gaps,
    slice_words,
    slices,
)
from lgr_core.evaluation.figures.styles import (
    CONTROL,
    EXTERNAL,
    NEUTRAL,
    Group,
    better,
    method_style,
    number,
    ordered,
    side_words,
)

__all__ = [
    "CONTROL",
    "EXTERNAL",
    "MOST_POINTS",
    "NEUTRAL",
    "Figure",
    "Group",
    "against",
    "better",
    "distributions",
    "duel",
    "gaps",
    "k_curves",
    "k_histogram",
    "method_style",
    "metric_panel",
    "number",
    "ordered",
    "reliability",
    "risk_coverage",
    "side_words",
    "slice_gaps",
    "slice_words",
    "slices",
]
