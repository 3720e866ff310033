"""Extraction on a hundred recorded reasons whose claims were labelled by hand."""

import json
from pathlib import Path

import pytest

from lgr_core.audit.claims import ClaimKind, StatedReason
from lgr_core.audit.extraction import ClaimExtractor
from lgr_core.drugs.mechanisms import MechanismAnnotations

LABELLED = [
    json.loads(line)
    for line in Path(__file__).with_name("labelled_reasons.jsonl").read_text("utf-8").splitlines()
]
PREFIX = {ClaimKind.TARGET: "target ", ClaimKind.MECHANISM: "", ClaimKind.DIRECTION: ""}
SIGN = {"up": "+", "down": "-", None: ""}


@pytest.fixture(scope="module")
def found():
    """The claims of each sentence, spelled as in the file of labels."""
    book = MechanismAnnotations.load()
    drugs = {name for row in LABELLED for name in (row["query"], row["neighbor"])}
    extractor = ClaimExtractor.of(book, {name: book.annotate(name) for name in drugs}, ["HIF1A"])
    return [spelled(extractor, row) for row in LABELLED]


def spelled(extractor, row):
    """``q:`` marks the query as subject."""
    claims = extractor.claims(StatedReason(row["query"], row["neighbor"], row["text"]))
    return {
        f"{'q:' * (one.subject == row['query'])}{PREFIX[one.kind]}{one.what}{SIGN[one.direction]}"
        for one in claims
    }


def test_a_hundred_sentences_are_labelled():
    """A quarter of them without any claim that the rules should find is labelled, too."""
    assert len(LABELLED) == 100
    assert sum(not row["claims"] for row in LABELLED) >= 10


def test_precision_is_at_least_95_percent(found):
    """Of what is extracted, what the labels have; recall on these sentences beside it."""
    right = sum(
        len(claims & set(row["claims"])) for claims, row in zip(found, LABELLED, strict=True)
    )
    extracted, labelled = sum(map(len, found)), sum(len(row["claims"]) for row in LABELLED)
    assert extracted >= 130
    assert right / extracted >= 0.95
    assert right / labelled >= 0.8
