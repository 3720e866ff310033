"""Who ranked, and in which line it was asked, is counted from the scores."""

import pandas as pd

from lgr_core.evaluation.rankers import rankers


def table(*details, method="lgr_llm", status="ok"):
    """Scores with these details, one a condition."""
    return pd.DataFrame({"method": method, "status": status, "detail": list(details)}).astype(
        "category"
    )


def test_own_lines_and_others_are_told_apart():
    """A sentence for each model; another line's ranking is named by it."""
    scores = table("ranked by M 1", "ranked by M 1, asked in A549", "ranked by M 1, asked in A549")
    (said,) = rankers(scores)
    assert said == (
        "The language model is M 1; it was asked in the condition's own line for 1 of 3, "
        "in A549 for 2."
    )
    assert len(rankers(table("ranked by M 1", "ranked by N"))) == 2


def test_what_was_not_ranked_by_a_model_is_not_spoken_of():
    """Selectors by rule, other methods, queries without an answer."""
    assert rankers(table(None, None)) == []
    assert rankers(table("something else")) == []
    assert rankers(table("ranked by M 1", method="hybrid")) == []
    assert rankers(table("nobody answered", status="failed")) == []
