"""The source of an answer is a fact, and one function has the words for it."""

import pytest

from lgr_core.retrieval.answer_source import NOT_STATED, AnsweredBy, source_words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"answered_by": "file", "file": "p.jsonl", "source": "a chatbot", "model": "m"},
            "recorded in file p.jsonl, source: a chatbot",
        ),
        (
            {"answered_by": "file", "file": "p.jsonl", "source": NOT_STATED},
            "recorded in file p.jsonl, source not stated",
        ),
        ({"answered_by": "hand"}, "entered by hand"),
        ({"answered_by": "hand", "source": "a chatbot"}, "entered by hand, source: a chatbot"),
        ({"answered_by": "model", "model": "gpt-x"}, "answered by gpt-x"),
        ({"answered_by": "cache", "model": "gpt-x"}, "answered by gpt-x, from the cache"),
        ({"seed": 3}, None),
    ],
)
def test_each_source_has_its_words(facts, words):
    """A file with and without a source, by hand, asked now, from the cache; no model at all."""
    assert source_words(facts) == words


def test_every_kind_of_source_has_words():
    """A new one cannot be forgotten."""
    every = {"file": "p.jsonl", "source": "a chatbot", "model": "gpt-x"}
    assert all(source_words({**every, "answered_by": kind}) for kind in AnsweredBy)
