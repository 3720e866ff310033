"""What readers are told agrees with what the code does."""

import pytest

from lgr_core.evaluation.labels import KINDS, PAPER_ORDER, READING, REGIME_LABELS, who_reads
from lgr_core.evaluation.regimes import RULES, Regime
from lgr_core.metrics import METRICS


def test_every_regime_has_its_words():
    """A question ends as one."""
    assert set(REGIME_LABELS) == set(Regime)
    assert all(words.asks.endswith("?") for words in REGIME_LABELS.values())


def test_the_paper_has_six_panels():
    """Those that the table of metrics marks as the paper's."""
    assert set(PAPER_ORDER) == {name for name, metric in METRICS.items() if metric.paper}


@pytest.mark.parametrize("regime", Regime)
def test_the_drawing_agrees_with_the_rules(regime):
    """One query; its line is open to a pool unless the rule says none; tested units are closed."""
    rows = who_reads(regime)
    kinds = [kind for row in rows for kind in row]
    assert set(kinds) <= set(KINDS)
    assert kinds.count("query") == 1
    line = next(row for row in rows if "query" in row)
    column = [row[line.index("query")] for row in rows]
    has_pool = bool({"pool", "both"} & set(line))
    assert has_pool == (not RULES[regime].target_pool.startswith("none"))
    assert not {"pool", "both"} & {kind for row in rows if row is not line for kind in row}
    unseen_line = regime.startswith("unseen_cell_line")
    assert ("both" in line) == (has_pool and not unseen_line)
    assert ("train" in column) == (regime is not Regime.UNSEEN_DRUG)
    assert ("train" in line or "both" in line) == (not unseen_line)


def test_the_trap_of_zeros_is_told():
    """Why sign accuracy misleads is said in words, with the numbers of the simulation."""
    words = next(text for title, text in READING.items() if title.startswith("Sign accuracy"))
    assert "two zeros" in words
    assert "random drugs" in words
