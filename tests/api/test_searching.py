"""A signature is searched for whatever form it comes in."""

import pandas as pd
import pytest

import lgr_core as lgr
from lgr_core.domain import Condition
from lgr_core.errors import InputError, NotFoundError, UsageError

QUERY = Condition("L0", "D03", 1.0)


def test_a_measured_change_finds_its_drug_first(plated):
    """With r = 1 in its own line; the opposite is last of the reverse."""
    found = lgr.search(plated, QUERY, cell_line="L0")
    assert found.loc[0, "drug"] == "D03"
    assert found.loc[0, "relation"] == "self"
    assert found.loc[0, "score"] == pytest.approx(1, abs=1e-5)
    assert len(found) == 26
    assert lgr.search(plated, QUERY, cell_line="L0", reverse=True)["drug"].iloc[-1] == "D03"


def test_weights_by_gene_are_the_same_signature(plated):
    """In any order of the genes; those of another atlas are left out."""
    row = plated.to_anndata(cell_line="L0", drugs="D03").to_df().iloc[0]
    weights = pd.concat([row.sample(frac=1, random_state=0), pd.Series({"NOT_A_GENE": 9.0})])
    by_gene = lgr.search(plated, weights, cell_line="L0").set_index("drug")["score"]
    measured = lgr.search(plated, QUERY, cell_line="L0").set_index("drug")["score"]
    pd.testing.assert_series_equal(by_gene.sort_index(), measured.sort_index(), rtol=1e-5)


def test_an_answer_is_searched_by_its_prediction(plated):
    """Whose own compound is flagged."""
    answer = lgr.predict(plated, cell_line="L0", drug="D03", method="drug_mean")
    found = lgr.search(plated, answer).set_index("drug")
    assert found.loc["D03", "relation"] == "self"
    genes = pd.Series(answer.predicted, index=answer.genes)
    again = lgr.search(plated, genes).set_index("drug")
    pd.testing.assert_series_equal(found["score"].sort_index(), again["score"].sort_index())


def test_gene_lists_may_have_one_side(plated):
    """Up, down or both."""
    up = lgr.search(plated, {"up": ["G1", "G2"]}).set_index("drug")["score"]
    down = lgr.search(plated, {"down": ["G1", "G2"]}).set_index("drug")["score"]
    pd.testing.assert_series_equal(up.sort_index(), -down.sort_index(), atol=1e-6)


def test_specific_changes_are_searched(plated):
    """A predicted change must be of the same kind."""
    found = lgr.search(plated, QUERY, cell_line="L0", change="specific")
    assert found.loc[0, "score"] == pytest.approx(1, abs=1e-5)
    total = lgr.predict(plated, cell_line="L0", drug="D03", method="drug_mean")
    with pytest.raises(InputError, match="total change"):
        lgr.search(plated, total, change="specific")


@pytest.mark.parametrize(
    ("signature", "error"),
    [
        ("DUSP6", UsageError),
        (None, UsageError),
        ({"up": "G1"}, UsageError),
        ({"upwards": ["G1"]}, UsageError),
        ({"up": ["NOT_A_GENE"]}, InputError),
        (pd.Series({"NOT_A_GENE": 1.0}), InputError),
        (pd.Series([1.0, 2.0], index=["G1", "G1"]), InputError),
        (pd.Series({"G1": "much", "G2": "little"}), UsageError),
        (Condition("L0", "D03", 5.0), NotFoundError),
    ],
)
def test_what_is_no_signature_is_an_error_of_ours(plated, signature, error):
    """The message says what can be searched for."""
    with pytest.raises(error):
        lgr.search(plated, signature)


def test_wrong_options_are_errors_of_ours(plated):
    """As everywhere."""
    for wrong in ({"change": "net"}, {"reverse": 1}, {"cell_line": "L77"}):
        with pytest.raises((UsageError, NotFoundError)):
            lgr.search(plated, QUERY, **wrong)
    with pytest.raises(UsageError, match="atlas"):
        lgr.search("plated", QUERY)
