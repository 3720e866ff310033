"""Drugs with the query's mechanism that were left out."""

from lgr_core.domain import CandidatePool, Condition
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.retrieval.expected_drugs import ExpectedDrug, expected_not_chosen

POOL = CandidatePool(Condition("A549", "Query"), ("Both", "Chosen", "None", "One", "Other"))
TAGS = {
    "Query": ("mek", "raf"),
    "Both": ("raf", "mek"),
    "Chosen": ("mek",),
    "None": (),
    "One": ("mek", "hdac"),
    "Other": ("hdac",),
}
ANNOTATIONS = {drug: Annotation(drug, tags, source=f"of {drug}") for drug, tags in TAGS.items()}


def test_those_that_share_a_mechanism_and_were_not_chosen():
    """Most shared first, with what is shared in the query's order, and who says so."""
    assert expected_not_chosen(POOL, {"Chosen"}, ANNOTATIONS) == (
        ExpectedDrug("Both", ("mek", "raf"), "of Both"),
        ExpectedDrug("One", ("mek",), "of One"),
    )
    assert expected_not_chosen(POOL, {"Both", "Chosen", "One"}, ANNOTATIONS) == ()


def test_of_an_unknown_mechanism_nothing_is_expected():
    """Shared ignorance is no shared mechanism."""
    unknown = ANNOTATIONS | {"Query": Annotation("Query")}
    assert expected_not_chosen(POOL, (), unknown) == ()
