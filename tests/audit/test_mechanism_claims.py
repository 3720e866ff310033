"""What a reason says a drug acts on."""

import pytest

from lgr_core.audit.claims import ClaimKind, StatedReason
from lgr_core.audit.mechanism_claims import mechanisms_named, own_words, read_mechanisms
from lgr_core.drugs.mechanisms import MechanismAnnotations


@pytest.fixture(scope="module")
def book():
    """The shipped mechanisms."""
    return MechanismAnnotations.load()


def named(book, text, kind, query="Selinexor", neighbor="Afatinib"):
    """Tags or genes of the claims of one kind."""
    reason = StatedReason(query, neighbor, text)
    found = read_mechanisms(reason, book, frozenset({"EGFR", "AHR", "DHFR", "CAD"}))
    return [one.what for one in found if one.kind is kind]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("Both are MEK inhibitors.", ("mek_inhibitor",)),
        ("A potent HDAC inhibitor, like it.", ("hdac_inhibitor",)),
        ("Unlike MEK inhibitors it acts late.", ()),
        ("It is not a MEK inhibitor.", ()),
        ("Mitochondrial translation inhibitor.", ()),
        ("Lowers ERK output.", ()),
        ("", ()),
    ],
)
def test_mechanisms_are_named_by_their_terms(book, text, tags):
    """Whole words, singular or plural; what is denied, or acts elsewhere, does not count."""
    assert mechanisms_named(book, text) == tags


@pytest.mark.parametrize(
    ("text", "genes"),
    [
        ("Covalent EGFR inhibitor.", ["EGFR"]),
        ("Drug blocking DHFR in S phase.", ["DHFR"]),
        ("Adds p53 targets DHFR and EGFR.", []),
        ("Stress resembling EGFR blockade.", []),
        ("Inhibits EGFR signalling.", []),
        ("CAD antagonist.", []),
    ],
)
def test_a_target_stands_beside_a_word_of_action(book, text, genes):
    """A gene alone, or in a comparison, is no target of the neighbour."""
    assert named(book, text, ClaimKind.TARGET) == genes


def test_only_the_first_clause_is_about_the_neighbour(book):
    """What follows a comparison, or the query's name, is about another drug."""
    text = "MEK inhibitor downstream of EGFR, near HDAC inhibitors."
    assert named(book, text, ClaimKind.MECHANISM) == ["mek_inhibitor"]
    assert own_words(StatedReason("Selinexor", "X", "Selinexor is an XPO1 inhibitor.")) == ""
    late = StatedReason("Selinexor", "Afatinib", "HDAC inhibitors open chromatin; afatinib too.")
    assert own_words(late) == ""
