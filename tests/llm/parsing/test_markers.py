"""Nearly right answers: lists behind markers, thoughts of many spellings, wrappers around JSON."""

import json

import pytest

from lgr_core.llm.parsing.markers import one_marker_a_line, without_thoughts
from lgr_core.llm.parsing.reply_parser import ParsedReply, parse_reply

NAMES = ["Cobimetinib", "Binimetinib", "Selumetinib", "Afatinib", "Dasatinib"]
LABELS = [*NAMES, "Gallic acid", "Gallic acid (hydrate)", "Talc", "4-PBA"]
DRAFT = "\n".join(f"{i}. {name}: draft" for i, name in enumerate(reversed(NAMES), start=1))


def pairs(text, labels=LABELS, **options):
    """Names and reasons that an answer proposes."""
    reply = parse_reply(text, labels, **options)
    return [(proposal.text, proposal.rationale) for proposal in reply.proposals]


def names(text, labels=LABELS, **options):
    """The names alone."""
    return [name for name, _ in pairs(text, labels, **options)]


LAYOUTS = {
    "dots": "{i}. {name}: final",
    "brackets": "{i}) {name}: final",
    "both brackets": "({i}) {name}: final",
    "bold": "**{i}. {name}**: final",
    "bold name": "{i}. **{name}** - final",
    "number sign": "#{i}: {name}: final",
    "no reason": "{i}. {name}",
    "bullets": "- {name}: final",
    "stars": "* **{name}**: final",
    "table": "| {i} | {name} | final |",
}


def listed(layout, given=NAMES):
    """The names in a layout, one a line."""
    return "\n".join(LAYOUTS[layout].format(i=i, name=n) for i, n in enumerate(given, start=1))


LEADS = [
    "Output: ",
    "Output:",
    "**Final Answer:** ",
    "### Ranking: ",
    "Here are the top 5 molecules: ",
    "Sure! The five most similar of 2024 are (best first): ",
    "<answer>",
    "Thus: <ranking> ",
    "[OUTPUT]",
    "<|im_start|>assistant<|im_sep|>",
    "<|channel|>final<|message|>",
    "<\uff5cAssistant\uff5c>",
    "[/INST] ",
    "</think>",
    "</think> Output: ",
]
ENDS = ["", "</answer>", "<|im_end|>", "<|return|>", "</s>", " <|eot_id|>\n", "[/OUTPUT]"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("lead", LEADS)
def test_the_first_item_may_stand_behind_anything(lead, layout):
    """Rank 1 is read on the line of a heading, sentence, tag, channel or closing thought."""
    for end in ENDS:
        assert names(lead + listed(layout) + end) == NAMES, (lead, end)


@pytest.mark.parametrize("lead", LEADS)
def test_a_draft_before_the_marker_changes_nothing(lead):
    """What counts is the list behind the last marker."""
    assert names(f"Draft:\n{DRAFT}\n{lead}{listed('dots')}") == NAMES


@pytest.mark.parametrize("lead", LEADS)
def test_a_list_of_one_or_on_one_line_is_read_behind_a_marker(lead):
    """No second line is needed where the name is a known one."""
    assert pairs(f"{lead}1. Talc: inert") == [("Talc", "inert")]
    line = " ".join(LAYOUTS["dots"].format(i=i, name=n) for i, n in enumerate(NAMES, start=1))
    assert names(f"Below.\n{lead}{line}") == NAMES


def test_numbers_within_sentences_begin_no_list():
    """A phase, a year or a count is no item, and a numbered item is not cut at a number."""
    assert names("In phase 1. The data\n2. Talc: x\n3. Afatinib: y")[:2] == ["Talc", "Afatinib"]
    text = "1. Talc: stopped in phase 1. Afatinib did better\n2. Afatinib: y"
    assert pairs(text)[0] == ("Talc", "stopped in phase 1. Afatinib did better")
    assert names("I cannot rank them: 1. no data") == []


def test_a_list_that_does_not_begin_at_one_is_said():
    """What stood before its first line cannot be known to be nothing."""
    reply = parse_reply("2. Binimetinib: x\n3. Talc: y", LABELS)
    assert any("begins at 2" in note for note in reply.notes)
    assert not any("begins at" in note for note in parse_reply(listed("dots"), LABELS).notes)


THOUGHTS = [
    "<think>{}</think>",
    "<thinking>\n{}\n</thinking>\n",
    "<seed:think>{}</seed:think>",
    "<longcat_think>{}</longcat_think>",
    "<scratchpad>{}</scratchpad>",
    "[THINK]{}[/THINK]",
    "\u25c1think\u25b7{}\u25c1/think\u25b7",
    "<|begin_of_thought|>{}<|end_of_thought|>\n<|begin_of_solution|>",
    "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>",
    "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel|>analysis<|message|>{}<|end|>",
    "<|channel>thought\n{}<channel|>",
    "analysis{}assistantfinal",
    "{}</think>",
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("thought", THOUGHTS)
def test_a_draft_among_thoughts_is_no_answer(thought, layout):
    """However thoughts are marked, the list behind them counts, from its first item on."""
    assert names(thought.format(DRAFT) + listed(layout)) == NAMES


@pytest.mark.parametrize("thought", [t for t in THOUGHTS if not t.startswith(("{", "analysis"))])
def test_a_thought_that_never_closes_gives_no_name(thought):
    """The answer had not begun: it counts as cut off."""
    opened = thought.split("{}")[0]
    reply = parse_reply(opened + DRAFT, LABELS)
    assert (reply.proposals, reply.truncated) == ((), True)


@pytest.mark.parametrize("thought", THOUGHTS)
def test_an_answer_block_within_thoughts_counts_where_nothing_follows(thought):
    """A draft list there does not."""
    block = f"<Final Answer>\n{listed('dots')}\n</Final Answer>"
    assert names(thought.format(f"hm\n{block}\n")) == NAMES
    assert names(thought.format(DRAFT)) == []


def test_what_comes_before_a_thought_is_not_lost_without_one_behind():
    """Ordinary words about thinking, and headings in brackets, are no thoughts."""
    assert names(f"I think: {listed('dots')}") == NAMES
    assert names(f"[Analysis]\nBoth block MEK.\n[Ranking]\n{listed('dots')}") == NAMES


OBJECTS = [{"molecule": name, "justification": 'It\'s a "final" one'} for name in NAMES]
ANSWER = {"neighbors": OBJECTS}
CALL = {"name": "submit_ranking", "arguments": ANSWER}
CALL_IN_TEXT = {"name": "submit_ranking", "arguments": json.dumps(ANSWER)}

WRAPPED = {
    "call": json.dumps(CALL),
    "call with arguments as text": json.dumps(CALL_IN_TEXT),
    "parameters": json.dumps({"name": "f", "parameters": ANSWER}),
    "function": json.dumps({"type": "function", "function": CALL_IN_TEXT}),
    "tool_calls": json.dumps({"tool_calls": [{"id": "1", "function": CALL_IN_TEXT}]}),
    "list of calls": json.dumps([CALL]),
    "tool_call tag": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>",
    "tool_call tag, one line": f"<tool_call>{json.dumps(CALL)}</tool_call>",
    "TOOL_CALLS": f"[TOOL_CALLS][{json.dumps(CALL)}]",
    "TOOL_CALLS name": f"[TOOL_CALLS]submit{json.dumps(ANSWER)}",
    "functools": f"functools[{json.dumps(CALL)}]",
    "python tag": f"<|python_tag|>{json.dumps({'name': 'f', 'parameters': ANSWER})}<|eom_id|>",
    "function tag": f"<function=submit>{json.dumps(ANSWER)}</function>",
    "parameter tag": (
        f"<tool_call><function=submit><parameter=neighbors>\n{json.dumps(OBJECTS)}\n"
        "</parameter></function></tool_call>"
    ),
    "kimi": (
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>"
        f"{json.dumps(ANSWER)}<|tool_call_end|><|tool_calls_section_end|>"
    ),
    "harmony call": (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary "
        f"to=functions.f <|constrain|>json<|message|>{json.dumps(ANSWER)}<|call|>"
    ),
    "string": json.dumps(json.dumps(ANSWER)),
    "string twice": json.dumps(json.dumps(json.dumps(ANSWER))),
    "escaped text": json.dumps(ANSWER).replace('"', '\\"').replace('\\\\"', "'"),
    "answer in a string": json.dumps({"answer": json.dumps(ANSWER)}),
    "fence in a sentence": f"Here it is:\n```json\n{json.dumps(ANSWER)}\n```\nDone.",
    "single quotes": repr(ANSWER),
    "single quotes, a list": repr(OBJECTS),
    "python call": f"submit(neighbors={OBJECTS!r})",
    "python with None": repr({"error": None, "ok": True, **ANSWER}),
    "list in a string": json.dumps({"answer": listed("dots")}),
    "block in a string": json.dumps(f"<Final Answer>\n{listed('dots')}\n</Final Answer>"),
    "deep": json.dumps({"data": {"result": {"output": {"content": {"r": {"answer": ANSWER}}}}}}),
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_wrapped_answer_is_unwrapped(wrapper):
    """Tool calls as text, JSON in strings, Python's quotes: the ranking within is read."""
    text = WRAPPED[wrapper]
    assert names(text) == NAMES
    assert names(f"<think>{DRAFT}</think>{text}") == NAMES


def test_apostrophes_survive_single_quotes():
    """A name or reason with an apostrophe is whole, however it is written."""
    items = "[{'molecule': '4-PBA', 'reason': 'it\\'s weak'}, {'molecule': 'Talc', 'reason': 'x'}]"
    assert pairs(items) == [("4-PBA", "it's weak"), ("Talc", "x")]
    bare = "{'neighbors': [{'molecule': 'Talc', 'justification': 'it's inert'}]}"
    assert pairs(bare) == [("Talc", "it's inert")]


def test_what_stands_beside_a_name_is_not_taken_for_the_answer():
    """Objects within an item, and the name of a call, are no drugs of the list."""
    item = {"molecule": "Talc", "targets": [{"name": "MEK1"}], "reason": "x"}
    assert names(json.dumps({"neighbors": [item]})) == ["Talc"]
    assert names(json.dumps({"name": "Afatinib", "arguments": {"neighbors": ["Talc"]}})) == ["Talc"]


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "table"])
def test_items_without_a_reason_stay_items(layout):
    """The last name of a bare list counts: it is a label, and the beginning of no other."""
    text = listed(layout).replace(": final", "").replace(" - final", "")
    assert names(text) == NAMES
    assert names(f"<Final Answer>\n{text}") == NAMES


def test_a_last_name_that_may_go_on_counts_only_where_the_answer_is_finished():
    """``Gallic acid`` may be the beginning of ``Gallic acid (hydrate)``."""
    text = "1. Talc\n2. Gallic acid"
    assert names(text) == ["Talc"]
    assert names(text, finished=True) == ["Talc", "Gallic acid"]
    block = f"<Final Answer>\n{text}"
    assert not parse_reply(block, LABELS, finished=True).truncated
    assert names(block, finished=True) == ["Talc", "Gallic acid"]


JUNK = {
    "tokens": "<|" * 300_000,
    "channels": "<|channel|>final" * 40_000,
    "closed tags": "</a>" * 200_000,
    "open tags": "<a>" * 300_000,
    "single quotes": "{'molecule': '" + ":'" * 90_000,
    "inner numbers": ": 1. " * 200_000,
    "second items": "x: 1. y\n2. z\n" * 40_000,
    "nested strings": json.dumps("[" * 400_000),
    "bullets": "a: - b\n- c\n" * 50_000,
    "calls": '{"arguments":' * 60_000,
    "escaped": '\\"molecule\\":' * 50_000,
}


@pytest.mark.parametrize("name", JUNK)
def test_a_megabyte_of_markers_is_read_in_good_time(name):
    """The work grows with the length of the text."""
    assert isinstance(parse_reply(JUNK[name], LABELS), ParsedReply)


def test_tags_within_an_item_are_left_alone():
    """Only a tag that an item follows, or that ends a line, is a line's end."""
    assert one_marker_a_line("1. <i>Talc</i>: a <x> b") == "1. <i>Talc</i>: a <x> b"
    assert one_marker_a_line("<x>1. Talc</x>") == "\n1. Talc\n"


def test_parts_of_an_answer():
    """What is thought, what is said, and whether the thought came to its end."""
    assert without_thoughts("a<think>b</think>c") == ("c", "b", False)
    assert without_thoughts("a<think>b") == ("a", "", True)
    assert without_thoughts("plain <|end|>") == ("plain <|end|>", "", False)
