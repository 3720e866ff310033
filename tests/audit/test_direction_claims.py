"""What a sentence says of expression: which gene, which way, and by which drug."""

import pytest

from lgr_core.audit.claims import StatedReason
from lgr_core.audit.direction_claims import DirectionReader

GENES = frozenset(
    {
        *("DUSP6", "SPRY2", "SPRY4", "MYC", "EGFR", "LDLR", "INSIG1", "CDKN1A", "MDM2", "ATF4"),
        *("CHAC1", "CAD", "STAT3", "KRAS", "MCL1", "RAD51", "HMOX1", "GDF15", "ABCB1", "KEAP1"),
    }
)


def claims(text, targets=(), query="Selinexor", neighbor="Trametinib"):
    """The claims as words: ``DUSP6-`` of the neighbour, ``q:DUSP6-`` of the query."""
    found = DirectionReader(GENES).read(StatedReason(query, neighbor, text), frozenset(targets))
    return [
        f"{'q:' * (one.subject == query)}{one.what}{'+' if one.direction == 'up' else '-'}"
        for one in found
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MEK blocker lowering DUSP6, SPRY2/4 and MYC.", ["DUSP6-", "SPRY2-", "SPRY4-", "MYC-"]),
        ("The same loss of DUSP6 and MYC.", ["DUSP6-", "MYC-"]),
        ("Amine with INSIG1/LDLR induction.", ["INSIG1+", "LDLR+"]),
        ("Slight SREBP2 target induction (INSIG1, LDLR).", ["INSIG1+", "LDLR+"]),
        ("Poison inducing p53 targets CDKN1A, MDM2 and GDF15.", ["CDKN1A+", "MDM2+", "GDF15+"]),
        ("With DUSP6 and SPRY2 falling in both.", ["DUSP6-", "SPRY2-"]),
        ("ATF4/CHAC1-inducing stressor.", ["ATF4+", "CHAC1+"]),
        ("Cholesterol-lowering alkaloid increasing LDLR mRNA.", ["LDLR+"]),
    ],
)
def test_a_gene_list_beside_a_word_of_direction_is_a_claim(text, said):
    """Verbs before the list, nouns before or after it, and states."""
    assert claims(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "It inhibits EGFR.",
        "An EGFR inhibitor that activates ATF4.",
        "Reduces STAT3 phosphorylation.",
        "Lowering STAT3 and NF-kB activity.",
        "Inducing ATF4 targets.",
        "Inducing ATF4 and CHAC1 genes.",
        "The same loss in KRAS G12S cells.",
        "It acts without LDLR induction.",
        "It blocks LDLR induction.",
        "Saturated by KEAP1 loss in A549.",
        "CAD behaviour raising CAD-type genes.",
        "Lipophilic amine raising CAD, a lysosomal load.",
        "Similar to statin-induced LDLR.",
        "Arrest with p21 and E2F loss.",
        "Converges on CDKN1A and E2F loss.",
    ],
)
def test_what_is_no_claim_about_expression(text):
    """Protein activity, denials, states of the line, abbreviations, and half a list."""
    assert claims(text) == []


def test_an_abbreviation_counts_beside_a_word_of_expression():
    """CAD is a gene and a class of drugs."""
    assert claims("Antifolate lowering CAD transcripts.") == ["CAD-"]


def test_the_loss_of_a_drugs_own_target_is_its_effect_on_a_protein():
    """A rise of it is a claim all the same."""
    assert claims("Causing EGFR loss and lowering MYC.", targets={"EGFR"}) == ["MYC-"]
    assert claims("Compensation raising EGFR.", targets={"EGFR"}) == ["EGFR+"]
    assert claims("Causing EGFR loss.") == ["EGFR-"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Poison whose damage resembles selinexor's repression of RAD51.", ["q:RAD51-"]),
        ("Shares LDLR induction caused by selinexor.", ["q:LDLR+"]),
        ("Shares LDLR induction caused by ROCK blockade.", []),
        ("Like selinexor, it lowers MYC.", ["MYC-"]),
        ("Lowers MYC as selinexor does.", ["MYC-"]),
        ("Cytotoxic, resembling mitotic-arrest MCL1 loss.", []),
    ],
)
def test_the_subject_is_the_neighbour_unless_the_query_is_named(text, said):
    """What is compared with another thing is no claim about either."""
    assert claims(text) == said


def test_names_in_brackets_and_isomers_name_the_query_by_their_first_word():
    """``(R)-Verapamil (hydrochloride)`` is verapamil in prose."""
    found = claims(
        "Substrate overlapping verapamil's modest ABCB1 induction.",
        query="(R)-Verapamil (hydrochloride)",
    )
    assert found == ["q:ABCB1+"]
