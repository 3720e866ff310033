"""Answers as models write them, and as nobody should."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgr_core.drugs.normalise import normalise_name
from lgr_core.llm.parsing.reply_parser import ParsedReply, parse_reply
from lgr_core.llm.prompt import sanitise

REPLIES = Path(__file__).parent / "replies"
NAMES = sorted(path.stem for path in REPLIES.glob("*.txt"))
LABELS = json.loads((REPLIES / "labels.json").read_text(encoding="utf-8"))


def read(name):
    """A stored reply and what is expected of it."""
    expected = json.loads((REPLIES / f"{name}.json").read_text(encoding="utf-8"))
    return (REPLIES / f"{name}.txt").read_text(encoding="utf-8"), expected


def pairs(reply):
    """Names and reasons of the proposals."""
    return [[proposal.text, proposal.rationale] for proposal in reply.proposals]


def names_of(text, labels=LABELS):
    """The names alone."""
    return [proposal.text for proposal in parse_reply(text, labels).proposals]


@pytest.mark.parametrize("name", NAMES)
def test_stored_replies(name):
    """Each stored reply gives the proposals written beside it."""
    text, expected = read(name)
    reply = parse_reply(text, expected.get("labels", LABELS))
    assert pairs(reply) == expected["proposals"]
    assert (reply.form, reply.truncated) == (expected["form"], expected["truncated"])


@pytest.mark.parametrize("name", NAMES)
def test_line_endings_do_not_matter(name):
    """Windows line endings and blank space around the answer change nothing."""
    text, expected = read(name)
    windows = "\r\n \r\n" + text.replace("\n", "\r\n") + "\r\n"
    assert pairs(parse_reply(windows, expected.get("labels", LABELS))) == expected["proposals"]


def test_there_are_enough_stored_replies():
    """A folder that was not found would pass every test above."""
    assert len(NAMES) >= 50


def test_every_form_is_among_the_stored_replies():
    """All four forms occur, whole and cut off."""
    expected = [read(name)[1] for name in NAMES]
    assert {e["form"] for e in expected} == {"final_answer", "list", "json", "none"}
    assert {e["form"] for e in expected if e["truncated"]} == {
        "final_answer",
        "list",
        "json",
        "none",
    }


def test_what_was_unusual_is_noted():
    """Two blocks, a missing end, a dropped item: each is said in words."""
    text = (
        "<Final Answer>\n1. Talc: inert.\n</Final Answer>\n<Final Answer>\n1. Talc: inert.\n2. Ola"
    )
    assert parse_reply(text, LABELS).notes == (
        "2 answer blocks; the last with names is read",
        "the answer block never closes",
        "an unfinished last item is dropped: 'Ola'",
    )


FORMS_OF_NAMES = [
    "{i}. {name}: Reason.",
    "{i}. {name}",
    "- **{name}** - Reason.",
    "| {i} | {name} | R |",
]
NAMED = ["Tofacitinib (citrate)", "Tofacitinib", "Cytarabine (hydrochloride)", "Talc"]


@pytest.mark.parametrize("form", FORMS_OF_NAMES)
def test_a_cut_answer_never_names_a_drug_it_did_not(form):
    """Wherever the answer stops, the proposals are a beginning of the whole answer's."""
    lines = "\n".join(form.format(i=i, name=name) for i, name in enumerate(NAMED, start=1))
    text = f"<Final Answer>\n{lines}\n</Final Answer>"
    assert names_of(text) == NAMED
    for cut in range(len(text)):
        found = names_of(text[:cut])
        assert found == NAMED[: len(found)], text[:cut]


def test_a_cut_list_never_names_a_drug_it_did_not():
    """The same without a block, where names have reasons."""
    text = "\n".join(f"{i}. {name}: Reason." for i, name in enumerate(NAMED, start=1))
    for cut in range(len(text)):
        found = names_of(text[:cut])
        assert found == NAMED[: len(found)], text[:cut]


def test_a_cut_json_answer_keeps_complete_items_only():
    """JSON is salvaged item by item, and an unfinished item is nobody."""
    items = [{"molecule": name, "justification": "A reason."} for name in NAMED]
    text = json.dumps({"neighbors": items})
    for cut in range(15, len(text)):
        reply = parse_reply(text[:cut], LABELS)
        found = [proposal.text for proposal in reply.proposals]
        assert found == NAMED[: len(found)], text[:cut]
        assert reply.truncated, text[:cut]


def test_an_answer_cut_in_its_first_name_names_nobody():
    """Half a name is not read as a list of one."""
    reply = parse_reply("<Final Answer>\n1. Cytarabine", LABELS)
    assert (reply.proposals, reply.form, reply.truncated) == ((), "none", True)


def test_the_longest_label_wins():
    """With both forms in the list, the one that was written is meant."""
    text = "1. Quinidine: dihydro: weak.\n2. Quinidine: weak."
    assert names_of(text, ["Quinidine", "Quinidine: dihydro"]) == [
        "Quinidine: dihydro",
        "Quinidine",
    ]


def test_a_form_in_brackets_is_not_taken_for_a_remark():
    """A salt that is not in the list is left to resolve; a remark about a drug is not its name."""
    text = "1. Paclitaxel (sodium): x.\n2. Paclitaxel (taxane): x.\n3. **Talc** (hydrate): x."
    assert names_of(text) == ["Paclitaxel (sodium)", "Paclitaxel", "Talc (hydrate)"]


def test_labels_alike_but_for_case_are_told_apart():
    """An exact label wins; a spelling between two labels is nobody's."""
    assert names_of("1. abc: x.\n2. ABC: x.\n3. Abc: x.", ["abc", "ABC"]) == ["abc", "ABC", "Abc"]


def test_membership_is_not_judged():
    """Names outside the list, the anchor and repeats come out for resolve to refuse."""
    text = "<Final Answer>\n1. Nobody: x.\n2. Talc: x.\n3. Talc: x.\n</Final Answer>"
    assert names_of(text) == ["Nobody", "Talc", "Talc"]
    assert names_of(text, []) == ["Nobody", "Talc", "Talc"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"neighbors": [{"candidate": "2", "reason": "x"}]}', ["b"]),
        ('{"neighbors": [{"candidate": 2.0}]}', ["b"]),
        ("[2, 1]", ["b", "a"]),
        ('{"neighbors": [{"candidate": 7}]}', ["7"]),
        ('{"neighbors": [{"candidate": true}, {"candidate": null}, 1e400]}', []),
        ('{"1": "a", "2": {"molecule": "b"}}', ["a", "b"]),
        ('{"targets": ["x"], "answer": {"ranking": [{"Molecule": "b"}]}}', ["b"]),
        ('{"name": "ranking", "neighbors": [{"name": "b"}]}', ["b"]),
        ('{"neighbors": [["a"]]}', []),
        ("{}", []),
    ],
)
def test_shapes_of_json(text, expected):
    """Numbers lead to their drugs, and the answer is found where the model put it."""
    assert names_of(text, {"1": "a", "2": "b", "a": "a", "b": "b"}) == expected


def test_what_comes_out_is_bounded():
    """At most 200 proposals, names of 300 characters and reasons of 600; the cut is noted."""
    line = f"{'n' * 390}: {'r' * 3_000}"
    reply = parse_reply("\n".join(f"{i}. {line}" for i in range(1, 1_000)), LABELS)
    assert len(reply.proposals) == 200
    assert {(len(p.text), len(p.rationale)) for p in reply.proposals} == {(300, 600)}
    assert "only the first 200 items are taken" in reply.notes


def test_json_is_bounded_too():
    """A list that never ends is cut at 200."""
    text = json.dumps([{"molecule": "Talc", "justification": "r" * 700}] * 300)
    reply = parse_reply(text, LABELS)
    assert len(reply.proposals) == 200
    assert len(reply.proposals[0].rationale) == 600


def test_proposals_can_be_written_to_a_file():
    """Broken characters in an answer do not survive into names and reasons."""
    text = '{"neighbors": [{"molecule": "Ta\\ud800lc", "justification": "\\u0000a\\udfff b"}]}'
    reply = parse_reply(text, LABELS)
    assert pairs(reply) == [["Talc", "a b"]]
    reply.proposals[0].rationale.encode()


JUNK = {
    "digits": "1. " * 300_000,
    "lines": "1. a: b\n" * 100_000,
    "falling": "".join(f"{9 - i % 9}. Talc\u00e9: b\n" for i in range(60_000)),
    "tags": "<Final Answer>" * 70_000,
    "half tags": "<" * 500_000 + " " * 500_000,
    "braces": "{" * 1_000_000,
    "lists": "[" * 1_000_000,
    "objects": '{"molecule":' * 80_000,
    "quotes": '"' * 1_000_000,
    "escapes": '"' + '\\"' * 500_000 + "\\",
    "thoughts": "<think>" * 140_000,
    "pipes": "|" * 1_000_000,
    "fences": "```" * 330_000,
    "stars": "*" * 1_000_000,
    "entity": "&#" + "9" * 1_000_000,
    "number": "[" + "9" * 1_000_000 + "]",
    "spaces": "1. " + "\u00a0" * 1_000_000,
    "brackets": "1. " + "(" * 1_000_000,
    "one line": "1. " + "a 2. " * 200_000,
}


@pytest.mark.parametrize("name", JUNK)
def test_a_megabyte_of_junk_is_read_in_good_time(name):
    """Nothing blows up, neither the stack nor the clock: quadratic work would take hours."""
    reply = parse_reply(JUNK[name], LABELS)
    assert isinstance(reply, ParsedReply)
    assert len(reply.proposals) <= 200


SIGNS = [
    *'{}[]()|:,"\\é—\n\u00a0\ud800 ',
    ": ",
    "**",
    "1. ",
    "2) ",
    "- ",
    "...",
    "```",
    "&lt;",
    "&#",
]
WORDS = ["<Final Answer>", "</Final Answer>", "<think>", "</think>", "MOLECULE 1", "Talc", "12"]
PIECES = st.sampled_from([*SIGNS, *WORDS, '"molecule"', '"neighbors"'])


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_is_read_without_an_exception(text):
    """Every string is an answer, if an empty one; names are never empty."""
    reply = parse_reply(text, {"Talc": "Talc", "12": "Aspirin"})
    assert all(proposal.text.strip() for proposal in reply.proposals)
    assert (reply.form == "none") == (not reply.proposals)


NAME = re.compile(r"(?!\(?\d+(?:[.)\]]| -))[\w(].*[^\W\d_].*")
SANE = st.text("abcXYZ019βλ -()[],/'+.", min_size=1, max_size=30).map(lambda s: " ".join(s.split()))
NAME_LISTS = st.lists(
    SANE.filter(NAME.fullmatch), min_size=1, max_size=12, unique_by=normalise_name
)
FORMS = st.sampled_from(
    [
        "{i}. {name}: {reason}",
        "{i}) **{name}**: {reason}",
        "{i}. {name} — {reason}",
        "| {i} | {name} | {reason} |",
        "* {name}: {reason}",
    ]
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(NAME_LISTS, FORMS)
def test_well_formed_answers_round_trip(names, form):
    """Known names come back whatever is in them, in each of the forms that models use."""
    lines = (form.format(i=i, name=n, reason="A sound one.") for i, n in enumerate(names, start=1))
    reply = parse_reply("<Final Answer>\n" + "\n".join(lines) + "\n</Final Answer>", names)
    assert pairs(reply) == [[name, "A sound one."] for name in names]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.dictionaries(st.text().map(sanitise), st.text(), min_size=1, max_size=10))
def test_json_answers_round_trip(reasons):
    """Any label that a prompt shows comes back from JSON, in a fence or bare."""
    names = {name: f"drug {i}" for i, name in enumerate(reasons)}
    items = [{"molecule": name, "justification": reason} for name, reason in reasons.items()]
    answer = json.dumps({"neighbors": items})
    expected = list(names.values())
    assert names_of(answer, names) == expected
    assert names_of(f"Here:\n```json\n{answer}\n```\n", names) == expected
