"""What a reason claims, and whether the annotation bears it out."""

import pytest

from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.drugs.rationale_check import contradicts, mechanisms_named


@pytest.fixture(scope="module")
def book():
    """The shipped mechanisms."""
    return MechanismAnnotations.load()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Both are MEK inhibitors.", ("mek_inhibitor",)),
        ("A potent HDAC inhibitor, like it.", ("hdac_inhibitor",)),
        ("Unlike MEK inhibitors it acts late.", ()),
        ("It is not a MEK inhibitor.", ()),
        ("Lowers ERK output.", ()),
        ("", ()),
    ],
)
def test_mechanisms_are_named_by_their_terms(book, text, named):
    """Whole words, singular or plural; what is denied does not count."""
    assert mechanisms_named(book, text) == named


def test_another_mechanism_contradicts(book):
    """A reason that makes a MEK inhibitor of an HDAC inhibitor."""
    vorinostat = book.annotate("Vorinostat", moa="HDAC inhibitor")
    assert contradicts(book, "Also a MEK inhibitor.", vorinostat) == ("mek_inhibitor",)
    assert contradicts(book, "An HDAC inhibitor, no MEK inhibitor.", vorinostat) == ()


def test_the_same_programme_is_near_enough(book):
    """A RAF inhibitor acts on the pathway of the MEK inhibitor it is likened to."""
    known = book.annotate("Dabrafenib", moa="RAF inhibitor")
    assert contradicts(book, "Acts like a MEK inhibitor.", known) == ()


def test_without_annotation_nothing_is_contradicted(book):
    """Unclear stays unclear."""
    assert contradicts(book, "A MEK inhibitor.", book.annotate("Compound 1")) == ()
