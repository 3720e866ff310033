"""The fields of a reason: read from JSON and from labelled parts of a line, tolerantly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.domain import ExpectedDirection, StructuredReason
from lgr_core.errors import InputError
from lgr_core.llm.parsing.reason_fields import as_fields, fields_of, split_fields
from lgr_core.llm.parsing.reply_parser import parse_reply

DRUGS = ("Cobimetinib", "Dabrafenib", "Vorinostat")
FIELDS = {
    "shared_targets": ["MAP2K1", "MAP2K2"],
    "shared_pathway": "ERK signalling",
    "expected_direction": "same",
    "why_in_this_line": "KRAS is mutated.",
    "stated_confidence": 0.9,
}
REASON = StructuredReason(
    ("MAP2K1", "MAP2K2"), "ERK signalling", ExpectedDirection.SAME, "KRAS is mutated.", 0.9
)


def test_the_fields_of_an_object_and_back():
    """Every field, and the same object again; none is none."""
    assert fields_of(FIELDS) == REASON
    assert as_fields(REASON) == FIELDS
    assert fields_of({"justification": "Both block MEK."}) is None
    assert as_fields(None) == {}
    assert as_fields(StructuredReason(stated_confidence=0.0))["expected_direction"] is None


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        (0, 0.0),
        (1, 1.0),
        ("0.75", 0.75),
        ("80 %", 0.8),
        ("0.6 (moderate)", 0.6),
        (80, None),
        ("80", None),
        (-0.1, None),
        (True, None),
        (float("nan"), None),
        ("high", None),
        (None, None),
    ],
)
def test_a_confidence_is_from_0_to_1_or_none(value, stated):
    """Percentages only with their sign."""
    found = fields_of({"shared_pathway": "x", "stated_confidence": value})
    assert found.stated_confidence == stated


@pytest.mark.parametrize(
    ("value", "direction"),
    [
        ("Same", "same"),
        ("partial, weaker", "partial"),
        ("opposite.", "opposite"),
        ("same or opposite", None),
        ("similar", None),
        (1, None),
    ],
)
def test_a_direction_is_one_of_three_or_none(value, direction):
    """Two of them are none."""
    assert fields_of({"shared_pathway": "x", "expected_direction": value}) == StructuredReason(
        shared_pathway="x",
        expected_direction=None if direction is None else ExpectedDirection(direction),
    )


def test_targets_are_names_each_once():
    """From a list or a text; words for nothing are none."""
    listed = {"shared_targets": ["MAP2K1", "map2k2 ", "MAP2K1", "none", 7, ""]}
    assert fields_of(listed).shared_targets == ("MAP2K1", "map2k2")
    assert fields_of({"shared_targets": "HDAC1, HDAC2 and HDAC3"}).shared_targets == (
        "HDAC1",
        "HDAC2",
        "HDAC3",
    )
    assert fields_of({"shared_targets": "none", "shared_pathway": "N/A"}) is None


def test_labelled_parts_of_a_line():
    """The sentence stands before them; of two alike the first counts; bold and bars go."""
    text = "Both block MEK. | Shared targets: MAP2K1, MAP2K2 | **Shared pathway:** ERK signalling "
    text += "| Expected direction: same | Why in this line: KRAS is mutated. "
    text += "| Stated confidence: 0.9 | Stated confidence: 0.1"
    assert split_fields(text) == ("Both block MEK.", REASON)
    assert split_fields("Both block MEK: same.") == ("Both block MEK: same.", None)
    assert split_fields("Stated confidence: 0.9")[0] == ""


@given(st.text(max_size=300))
def test_no_text_raises(text):
    """Whatever a model writes."""
    sentence, found = split_fields(f"A. Expected direction: {text} | Stated confidence: {text}")
    assert sentence == "A."
    assert found is None or isinstance(found, StructuredReason)


def test_a_confidence_beyond_1_is_no_reason():
    """The record refuses it; readers leave it out."""
    with pytest.raises(InputError):
        StructuredReason(stated_confidence=1.5)


def test_a_reply_in_json_has_fields():
    """And one without stays as it was."""
    items = [
        {"molecule": "Cobimetinib", "justification": "Both block MEK.", **FIELDS},
        {"molecule": "Dabrafenib", "justification": "Same pathway."},
    ]
    first, second = parse_reply(json.dumps({"neighbors": items}), DRUGS).proposals
    assert (first.text, first.rationale, first.structured) == (
        "Cobimetinib",
        "Both block MEK.",
        REASON,
    )
    assert (second.rationale, second.structured) == ("Same pathway.", None)


@pytest.mark.parametrize("gap", [" | ", "\n   - ", "\n   * "])
def test_a_reply_in_words_has_fields(gap):
    """On one line, or each on a line of its own below the name."""
    parts = (
        "1. Cobimetinib: Both block MEK.",
        "Shared targets: MAP2K1, MAP2K2",
        "Shared pathway: ERK signalling",
        "Expected direction: same",
        "Why in this line: KRAS is mutated.",
        "Stated confidence: 0.9",
    )
    text = f"<Final Answer>\n{gap.join(parts)}\n2. Vorinostat: No.\n</Final Answer>"
    first, second = parse_reply(text, DRUGS).proposals
    assert (first.text, first.rationale, first.structured) == (
        "Cobimetinib",
        "Both block MEK.",
        REASON,
    )
    assert (second.text, second.rationale, second.structured) == ("Vorinostat", "No.", None)


def test_fields_after_a_long_sentence_are_read():
    """The limit of a sentence does not cut them off."""
    long = "x" * 590 + "."
    text = f"1. Cobimetinib: {long} | Shared targets: MAP2K1 | Stated confidence: 0.9"
    (found,) = parse_reply(text, DRUGS).proposals
    assert found.rationale == long
    assert found.structured == StructuredReason(("MAP2K1",), stated_confidence=0.9)
