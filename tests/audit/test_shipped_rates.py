"""The shipped rates and claims, as pages and README state them."""

import pandas as pd
import pytest

from lgr_core.audit.shipped_rates import direction_sentence, shipped_rates
from lgr_core.config import SHIPPED


def test_the_sentence_states_rate_denominator_interval_and_chance():
    """A table worked by hand."""
    row = {"kind": "direction", "share_with_claim": 0.25, "n_reasons": 1200, "decided": 40}
    row |= {"n_drugs": 9, "rate": 0.9, "low": 0.7, "high": 1.0, "permuted_rate": 0.5}
    said = direction_sentence(pd.DataFrame([row]))
    assert said.startswith("25% of 1,200 recorded reasons")
    for part in ("40 such claims", "9 drugs", "90% hold", "70% to 100%", "other drugs' data 50%"):
        assert part in said


def test_the_shipped_files_agree():
    """Every contradicted claim that is counted is listed, and none else."""
    rates = shipped_rates().set_index("kind")
    listed = pd.read_csv(SHIPPED / "contradicted_reasons.csv")
    assert set(listed["verdict"]) == {"contradicted"}
    counts = listed["kind"].value_counts()
    assert {kind: counts.get(kind, 0) for kind in ("mechanism", "target", "direction")} == {
        kind: rates.loc[kind, "contradicted"] for kind in ("mechanism", "target", "direction")
    }
    direction = rates.loc["direction"]
    assert direction["rate"] == pytest.approx(direction["supported"] / direction["decided"], 1e-5)
