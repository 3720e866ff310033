"""Figures and tables of trust say the run's numbers, with n and intervals."""

import pandas as pd
import pytest

from lgr_core.evaluation.calibration_tables import (
    calibrated,
    ceiling_table,
    ceiling_words,
    half_words,
    trust_table,
)
from lgr_core.evaluation.figures import reliability, risk_coverage
from lgr_core.evaluation.fragments import table as to_html

METHOD = "best_evidence"


def expected():
    """Two tenths of one method."""
    rows = [(METHOD, 1, 0.4, 0.45, 0.3, 0.5, 20, 0.03), (METHOD, 2, 0.8, 0.79, 0.7, 0.9, 21, 0.03)]
    columns = ["method", "tenth", "expected", "observed", "low", "high", "n_queries", "error"]
    return pd.DataFrame(rows, columns=columns)


def kept():
    """Half and all of it."""
    rows = [(METHOD, 0.5, 20, 0.8, 0.9, 0.15), (METHOD, 1.0, 41, 0.65, 0.65, 0.0)]
    return pd.DataFrame(rows, columns=["method", "kept", "n_queries", "mean", "oracle", "gain"])


def covered():
    """Its intervals."""
    row = (METHOD, 0.91, 0.88, 0.93, 41, 5, 1.4, 0.89)
    columns = ["method", "coverage", "low", "high", "n_queries", "n_clusters", "width"]
    return pd.DataFrame([row], columns=[*columns, "score_coverage"])


def test_reliability_draws_expected_and_observed_with_limits():
    """Points, error bars from observed to the limits, n in the hover, a diagonal."""
    figure = reliability(expected(), [METHOD])
    (trace,) = figure.data
    assert list(trace.x) == [0.4, 0.8]
    assert list(trace.y) == [0.45, 0.79]
    assert list(trace.error_y.array) == pytest.approx([0.05, 0.11])
    assert list(trace.error_y.arrayminus) == pytest.approx([0.15, 0.09])
    assert trace.customdata[0][0] == 20
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1) == (line.y0, line.y1) == (0.3, 0.9)


def test_risk_coverage_draws_what_is_kept_beside_the_best_possible():
    """Two lines a method; the share falls to the right."""
    figure = risk_coverage(kept(), [METHOD])
    assert [list(trace.y) for trace in figure.data] == [[0.8, 0.65], [0.9, 0.65]]
    assert figure.layout.xaxis.range[0] > figure.layout.xaxis.range[1]


def test_the_table_and_the_sentence_say_the_same_numbers():
    """Coverage with limits, error, gain of the half, n."""
    table = to_html(trust_table(covered(), expected(), kept()))
    for words in ("91.0%", "88.0% to 93.0%", "89.0%", "+0.15", "<td>41</td>", "0.03"):
        assert words in table
    said = half_words(kept(), METHOD)
    assert "(n = 20) has a mean Pearson r of 0.800" in said
    assert "all 41 have 0.650 (+0.150)" in said


def test_what_was_wished_for_is_drawn_else_the_first():
    """Of the methods that have trust."""
    assert calibrated(covered(), ("zero", METHOD)) == [METHOD]
    assert calibrated(covered(), ("zero",)) == [METHOD]
    assert calibrated(pd.DataFrame(), (METHOD,)) == []


def test_the_ceiling_is_weighted_by_conditions():
    """0.9 over 3 conditions and 0.5 over 1 are 0.8; where plates do not agree there is none."""
    columns = ["cell_line", "n_conditions", "n_plates", "replicate_r", "reliability", "ceiling"]
    rows = [("<b>A", 3, 2.0, 0.68, 0.81, 0.9), ("B", 1, 2.0, 0.14, 0.25, 0.5)]
    table = pd.DataFrame([*rows, ("C", 2, 2.0, -0.1, None, None)], columns=columns)
    assert "about 0.80 (mean over 4 conditions on several plates in 2 cell lines)" in ceiling_words(
        table
    )
    assert "no method can be told from noise" in ceiling_words(table.iloc[2:])
    shown = to_html(ceiling_table(table))
    assert "&lt;b&gt;A" in shown
    assert shown.count("lgr-none") == 2
