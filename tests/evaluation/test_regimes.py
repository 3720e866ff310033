"""Four regimes, one table: what is unseen, and who may read what."""

import pytest

from lgr_core.domain import Evidence
from lgr_core.errors import UsageError
from lgr_core.evaluation.regimes import RULES, Regime, evidence_table, reads_of


def test_every_regime_has_its_rule_in_one_sentence():
    """No regime without words, and each description is one sentence."""
    assert set(RULES) == set(Regime)
    for regime in Regime:
        assert regime.description.count(".") == 1
        assert regime.description.endswith(".")


def test_the_table_says_what_each_evidence_opens():
    """One row a regime, one column a kind of evidence; strict has no target pool."""
    table = evidence_table()
    assert table.index.tolist() == [str(regime) for regime in Regime]
    assert table.columns.tolist() == ["train", "target_pool", "controls", "truth"]
    assert table.loc["unseen_cell_line_strict", "target_pool"].startswith("none")
    assert table.loc["unseen_drug", "train"] == "training compounds in every cell line"
    assert set(table["truth"]) == {"the query's own measured change"}


@pytest.mark.parametrize("regime", Regime)
def test_what_is_declared_is_said_as_far_as_the_regime_opens_it(regime):
    """The strict regime opens nothing in the query's line, to whoever declares it."""
    pool = reads_of(regime, {Evidence.TARGET_POOL})
    assert pool.startswith("nothing in") == (regime is Regime.UNSEEN_CELL_LINE_STRICT)
    assert reads_of(regime, Evidence).startswith(f"measured changes in training; {pool}; ")
    assert "where the atlas has them" in reads_of(regime, [Evidence.CONTROLS])
    assert reads_of(regime, []) == "nothing measured"


def test_an_unknown_regime_is_refused_with_the_known_ones():
    """The command line hands its word on as it came."""
    assert Regime("open_world") is Regime.OPEN_WORLD
    with pytest.raises(UsageError, match="unseen_cell_line_strict, open_world"):
        Regime("closed_world")
