"""Recorded answers: which question they stand for, and what they say they do not honour."""

import json
import os
from dataclasses import replace

import pytest

from lgr_core.answer.answer import retrieval_dict
from lgr_core.config import Settings
from lgr_core.domain import Condition
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.llm.parsing.reason_fields import as_fields
from lgr_core.llm.prompt import PromptOptions
from lgr_core.retrieval.by_hand import BY_HAND, import_reply
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.neighbor_files import append_neighbors, read_neighbors
from lgr_core.retrieval.recorded import choice_words, covers_all, list_fit, said_of
from lgr_core.retrieval.resolve import resolve
from lgr_core.retrieval.setup import llm_selector
from tests.support.loopback_llm import FakeClient

QUERY = Condition("A549", "Trametinib", 5.0)
UNKNOWN = Condition("A549", "Mystery compound", 5.0)
GOOD = "<Final Answer>\n1. Cobimetinib: Both block MEK.\n</Final Answer>"
STRUCTURED = PromptOptions(mode="structured")


def line(*names, **fields):
    """A neighbour record for trametinib in A549."""
    return json.dumps(
        {
            "target_cell_type": "A549",
            "target_molecule": "Trametinib",
            "neighbors": [{"molecule": name} for name in names],
        }
        | fields
    )


@pytest.fixture
def write(tmp_path):
    """Write a neighbour file of these lines into a folder of the test."""

    def to_file(*lines, name="theirs.jsonl", folder="neighbors"):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{text}\n" for text in lines))
        return path

    return to_file


@pytest.fixture
def select(toy):
    """What a selector with these files answers for trametinib in A549."""

    def run(*files, named=(), reply=GOOD, query=QUERY, **options):
        options = LLMOptions(**options)
        live = options.policy is not Policy.REPLAY
        book = NeighborBook(files, toy.drug_catalog, named=named)
        client = FakeClient(*[reply] * options.samples) if live else None
        facts = {"Trametinib": "a MEK inhibitor"}
        selector = LLMSelector(toy, options, book=book, client=client, facts=facts)
        return selector.select(candidate_pool(toy, query), 3)

    return run


@pytest.fixture
def by_hand(toy, tmp_path):
    """Import pasted answers for a drug that no shipped file knows, and replay them."""
    settings = Settings(home=tmp_path)

    class Hand:
        path = tmp_path / "neighbors" / BY_HAND

        def keep(self, text, query=UNKNOWN, **options):
            selector = llm_selector(toy, settings, LLMOptions(**options))
            pool = candidate_pool(toy, query)
            return import_reply(selector, pool, 3, text, settings, source="a chatbot")

        def replay(self, query=UNKNOWN, **options):
            selector = llm_selector(toy, settings, LLMOptions(**options))
            return selector.select(candidate_pool(toy, query), 3)

    return Hand()


def names(selection):
    """The names proposed."""
    return [proposal.text for proposal in selection.proposals]


def test_settings_that_a_file_was_not_asked_with_are_said(select, write):
    """In the provenance, name by name, and as one sentence; the plain question is honoured."""
    path = write(line("Vorinostat", source="a chatbot"))
    plain = select(path)
    assert plain.provenance["not_honoured"] == []
    assert said_of(plain.provenance) is None
    found = select(path, model="gpt-x", temperature=0.7, effort="high", samples=3, repair=True)
    assert found.provenance["not_honoured"] == [
        "model=gpt-x",
        "temperature=0.7",
        "effort=high",
        "samples=3",
        "repair=True",
    ]
    assert select(path, prompt=STRUCTURED).provenance["not_honoured"] == ["mode=structured"]
    said = said_of(select(path, model="gpt-x").provenance)
    assert said == "Recorded answer (a chatbot): it was not asked with model=gpt-x."


def test_a_default_chosen_by_name_is_a_setting_too(select, write):
    """Who names it does not want another's answer unsaid, unless the record says the same."""
    path = write(line("Vorinostat"))
    (said,) = select(path, chosen=("model",)).provenance["not_honoured"]
    assert said.startswith("model=gpt-5.2")
    cold = select(path, chosen=("temperature", "effort", "mode")).provenance
    assert cold["not_honoured"] == ["temperature=0.0", "effort=none"]
    assert said_of(cold).endswith("not asked with temperature=0.0, effort=none.")
    told = write(line("Vorinostat", request={"temperature": 0}), name="told.jsonl")
    assert select(told, chosen=("temperature",)).provenance["not_honoured"] == []


def test_what_a_record_says_it_was_asked_with_is_honoured(select, write):
    """Its model (or source), temperature and template count for it."""
    request = {"model": "gpt-x", "temperature": 0.7, "template": "structured/1+cache"}
    prompt = PromptOptions(mode="structured", cache_friendly=True)
    path = write(line("Vorinostat", request=request))
    asked = {"model": "gpt-x", "temperature": 0.7, "prompt": prompt}
    found = select(path, **asked).provenance
    assert found["not_honoured"] == []
    assert {name: found[name] for name in request} == request
    assert select(path, **asked | {"effort": "low"}).provenance["not_honoured"] == ["effort=low"]
    by_name = write(line("Vorinostat", source="gpt-y"))
    assert select(by_name, model="gpt-y").provenance["not_honoured"] == []


def test_of_several_records_the_one_that_honours_most_answers(select, write):
    """Then the newest."""
    path = write(
        line("Vorinostat", request={"model": "gpt-x"}),
        line("Cobimetinib", request={"model": "gpt-y"}),
    )
    assert names(select(path, model="gpt-x")) == ["Vorinostat"]
    assert names(select(path)) == ["Cobimetinib"]


def test_the_model_is_asked_rather_than_a_file_that_was_asked_otherwise(select, write):
    """Only_missing takes a file that honours all; a named file goes first, and says so."""
    path = write(line("Vorinostat"))
    live = {"policy": Policy.ONLY_MISSING}
    assert select(path, **live).provenance["file"] == "theirs.jsonl"
    for setting in ({"model": "gpt-x"}, {"prompt": STRUCTURED}, {"chosen": ("model",)}):
        assert select(path, **live, **setting).provenance["answered_by"] == "model"
    named = select(named=[path], model="gpt-x", **live).provenance
    assert (named["file"], named["not_honoured"]) == ("theirs.jsonl", ["model=gpt-x"])


def test_fill_reads_the_files_that_are_named_and_no_others(select, write):
    """The installation's files do not stand in for the model; the user's choice does."""
    path = write(line("Vorinostat"))
    assert select(path, policy=Policy.FILL).provenance["answered_by"] == "model"
    found = select(named=[path], policy=Policy.FILL)
    assert found.provenance["file"] == "theirs.jsonl"
    assert select(named=[path], policy=Policy.REFRESH).provenance["answered_by"] == "model"


def test_a_named_file_under_refresh_is_refused(toy, tmp_path, write):
    """It would not be read."""
    options, path = LLMOptions(policy=Policy.REFRESH), write(line("Vorinostat"))
    with pytest.raises(UsageError, match="refresh"):
        llm_selector(toy, Settings(home=tmp_path), options, neighbors=[path], client=FakeClient())


@pytest.mark.parametrize("flag", ["masked", "facts"])
def test_blind_and_told_answers_stand_for_their_own_question_alone(select, write, flag):
    """Neither for the plain one, nor the plain one for them."""
    path = write(line("Vorinostat", provenance={"template": f"paper-A/1+{flag}"}))
    plain = write(line("Cobimetinib"), name="plain.jsonl")
    with pytest.raises(NotFoundError):
        select(path)
    assert names(select(path, plain)) == ["Cobimetinib"]
    prompt = PromptOptions(**{flag: True})
    assert names(select(plain, path, prompt=prompt)) == ["Vorinostat"]
    with pytest.raises(NotFoundError):
        select(plain, prompt=prompt)


def test_a_record_of_a_dose_or_an_atlas_answers_there_alone(select, write):
    """Without either it answers everywhere."""
    low = Condition("A549", "Trametinib", 0.5)
    at_five = write(line("Vorinostat", dose_um=5))
    assert names(select(at_five)) == ["Vorinostat"]
    with pytest.raises(NotFoundError):
        select(at_five, query=low)
    assert names(select(write(line("Vorinostat", atlas="toy")))) == ["Vorinostat"]
    with pytest.raises(NotFoundError):
        select(write(line("Vorinostat", atlas="other")))


def test_the_newest_answer_counts(select, write):
    """The last line of a file; the newer of two files; a date in the record before the file's."""
    assert names(select(write(line("Vorinostat"), line("Cobimetinib")))) == ["Cobimetinib"]
    old, new = (write(line(name), name=f"{name}.jsonl") for name in ("Cobimetinib", "Vorinostat"))
    os.utime(old, (1_000, 1_000))
    os.utime(new, (2_000, 2_000))
    assert names(select(old, new)) == ["Vorinostat"]
    os.utime(old, (3_000, 3_000))
    assert names(select(old, new)) == ["Cobimetinib"]
    dated = write(line("Mystery compound", at="2020-01-01T00:00:00+00:00"), name="dated.jsonl")
    os.utime(dated, (1_000, 1_000))
    assert names(select(dated, old, new)) == ["Mystery compound"]


def test_the_users_folder_goes_before_the_shipped_one(select, write):
    """However new the shipped file is."""
    own = write(line("Vorinostat"), folder="own")
    shipped = write(line("Cobimetinib"), folder="shipped")
    os.utime(own, (1_000, 1_000))
    assert names(select(own, shipped)) == ["Vorinostat"]


def test_of_the_files_the_one_whose_list_covers_the_pool_best_answers(select, write, toy):
    """Neither a list of few candidates nor one of many other drugs, however new they are.

    The pool and the query are 7 drugs; the lists share 7, 3 and 7 with them, of 7, 7 and 12 in all:
    Jaccard indices 1, 3/7 and 7/12.
    """
    pool = candidate_pool(toy, QUERY)
    here = {QUERY.drug, *pool.drugs, *pool.twins}
    others = [f"Unheard of {i}" for i in range(5)]
    first, second, third = sorted(pool.drugs)[:3]
    whole = write(line(first, *sorted(here - {QUERY.drug, first})), name="whole.jsonl")
    few = write(line(second, third), name="few.jsonl")
    many = write(line(third, *sorted(here - {QUERY.drug, third}), *others), name="many.jsonl")
    for path, moment in ((whole, 1_000), (few, 2_000), (many, 3_000)):
        os.utime(path, (moment, moment))
    found = select(whole, few, many).provenance
    assert found["file"] == "whole.jsonl"
    assert (found["listed"], found["listed_in_pool"]) == (len(here), len(pool.drugs))
    assert select(few, many).provenance["file"] == "many.jsonl"
    (record,) = NeighborBook([few], toy.drug_catalog).answers("A549", QUERY.drug)
    assert list_fit(record, pool) == 3 / 7
    (record,) = NeighborBook([many], toy.drug_catalog).answers("A549", QUERY.drug)
    assert list_fit(record, pool) == 7 / 12


def test_an_answer_for_this_very_name_goes_before_one_for_another_form(select, write):
    """Though the other form stands later in the file."""
    path = write(
        line("Vorinostat"), line("Cobimetinib", target_molecule="Trametinib (DMSO_TF solvate)")
    )
    assert names(select(path)) == ["Vorinostat"]


def test_the_choice_is_said_in_words(select, write):
    """Whose answer it is and what its list covers; nothing of an answer that no file gave."""
    path = write(line("Vorinostat", "Unheard of", target_cell_type="LoVo"))
    said = select(path, scope=Scope.DRUG, scope_line="LoVo").provenance
    words = choice_words(said, "A549")
    assert words.startswith("recorded for LoVo; its file names 3 drugs, 1 of the ")
    assert not covers_all(said)
    assert choice_words(said, "LoVo").startswith("recorded for this line;")
    assert choice_words({"answered_by": "model"}, "A549") is None
    assert covers_all({"answered_by": "model"})


def test_a_bad_file_of_the_installation_is_left_out_with_one_warning(select, write, caplog):
    """The others still answer; a named one is refused."""
    bad = write("garbage", '{"a": 1}', name="bad.jsonl")
    good = write(line("Vorinostat"))
    assert names(select(bad, good)) == ["Vorinostat"]
    (warning,) = caplog.records
    assert "bad.jsonl: line 1 is no neighbour record" in warning.message
    assert select(bad, policy=Policy.FILL).provenance["answered_by"] == "model"
    with pytest.raises(InputError, match=r"bad\.jsonl"):
        select(good, named=[bad])


def test_a_folder_called_like_a_file_is_left_out(select, write, tmp_path):
    """It cannot be read either."""
    good = write(line("Vorinostat"))
    (tmp_path / "neighbors" / "dir.jsonl").mkdir()
    assert names(select(tmp_path / "neighbors" / "dir.jsonl", good)) == ["Vorinostat"]


def test_a_recorded_answer_that_is_written_again_keeps_who_and_how(select, write, toy, tmp_path):
    """Whoever replays the copy is told the same."""
    asked = {"model": "gpt-x", "template": "structured/1+masked"}
    prompt = PromptOptions(mode="structured", masked=True)
    found = select(write(line("Vorinostat", request=asked, source="Y")), prompt=prompt)
    copy = tmp_path / "copy.jsonl"
    pool = candidate_pool(toy, QUERY)
    append_neighbors(copy, resolve(found, pool, toy.drug_catalog, 3, selector="llm"))
    (record,) = read_neighbors(copy)
    assert (record.source, record.asked) == ("Y", asked)


FIELDS = {
    "shared_targets": ["MAP2K1"],
    "shared_pathway": "ERK signalling",
    "expected_direction": "partial",
    "why_in_this_line": "KRAS is mutated.",
    "stated_confidence": 0.7,
}


@pytest.mark.parametrize("samples", [1, 2])
def test_the_fields_of_a_reason_survive_a_copy(select, write, toy, tmp_path, samples):
    """From the reply to the neighbour, its file, and the neighbour that is read from there."""
    item = {"molecule": "Cobimetinib", "justification": "Both block MEK."} | FIELDS
    reply = json.dumps({"neighbors": [item, {"molecule": "Vorinostat", "justification": "No."}]})
    asked = {"policy": Policy.FILL, "prompt": STRUCTURED, "samples": samples}
    pool = candidate_pool(toy, QUERY)
    found = resolve(select(reply=reply, **asked), pool, toy.drug_catalog, 3, selector="llm")
    reason = found.neighbors[0].structured
    assert as_fields(reason) == FIELDS
    assert found.neighbors[1].structured is None
    copy = tmp_path / "copy.jsonl"
    append_neighbors(copy, found)
    assert [p.structured for p in select(named=[copy], prompt=STRUCTURED).proposals] == [
        reason,
        None,
    ]
    written = json.loads(copy.read_text())["neighbors"]
    assert written[0] == item | {"score": found.neighbors[0].score}
    assert written[1].keys() == {"molecule", "score", "justification"}
    said = retrieval_dict(found)["neighbors"]
    assert (said[0]["structured"], said[1]["structured"]) == (FIELDS, None)


# -- by hand ---------------------------------------------------------------------------------------


def test_the_last_pasted_answer_counts(by_hand):
    """A better answer replaces the first one."""
    by_hand.keep("1. Vorinostat: first.")
    by_hand.keep("1. Cobimetinib: second.")
    assert names(by_hand.replay()) == ["Cobimetinib"]


def test_a_pasted_answer_is_bound_to_its_atlas_and_dose(by_hand):
    """It says so in the file, with its date, and does not answer at another dose."""
    by_hand.keep("1. Vorinostat: yes.")
    (record,) = read_neighbors(by_hand.path)
    assert (record.atlas, record.dose_um, record.source) == ("toy", 5.0, "a chatbot")
    assert record.at.startswith("20")
    with pytest.raises(NotFoundError):
        by_hand.replay(replace(UNKNOWN, dose_um=0.5))


def test_a_pasted_blind_answer_does_not_mix_with_the_plain_one(by_hand):
    """Each answers its own question, with the names led back."""
    blind = PromptOptions(masked=True)
    by_hand.keep("1. D006: yes.", prompt=blind)
    with pytest.raises(NotFoundError):
        by_hand.replay()
    by_hand.keep("1. Cobimetinib: yes.")
    assert names(by_hand.replay(prompt=blind)) == ["Vorinostat"]
    assert names(by_hand.replay()) == ["Cobimetinib"]


def test_a_pasted_answer_of_scope_drug_is_kept_for_the_line_that_was_asked(by_hand):
    """Asked in A549 for LoVo: it answers scope drug everywhere, and LoVo's own question never."""
    lovo = replace(UNKNOWN, cell_line="LoVo")
    by_hand.keep("1. Vorinostat: yes.", query=lovo, scope=Scope.DRUG)
    (record,) = read_neighbors(by_hand.path)
    assert record.cell_line == "A549"
    for query in (lovo, replace(UNKNOWN, cell_line="HepG2/C3A")):
        assert names(by_hand.replay(query, scope=Scope.DRUG)) == ["Vorinostat"]
    with pytest.raises(NotFoundError):
        by_hand.replay(lovo)


# -- the line of scope drug ------------------------------------------------------------------------


def test_an_unknown_line_is_neither_asked_nor_paid_for(toy):
    """Exit 4, with the nearest names, before anything is sent."""
    options = LLMOptions(policy=Policy.FILL, scope=Scope.DRUG, scope_line="A594")
    client = FakeClient(GOOD)
    selector = LLMSelector(toy, options, client=client)
    with pytest.raises(NotFoundError, match="cell line 'A594'.*Nearest: A549"):
        selector.select(candidate_pool(toy, QUERY), 3)
    with pytest.raises(NotFoundError, match="A594"):
        selector.questions(candidate_pool(toy, QUERY), 3)
    assert client.history == []


def test_a_line_means_the_same_however_it_is_written(toy):
    """One key for A549, a-549 and its Cellosaurus id."""
    pool, keys = candidate_pool(toy, QUERY), set()
    for text in ("A549", "a-549", "CVCL_0023"):
        selector = LLMSelector(toy, LLMOptions(scope=Scope.DRUG, scope_line=text))
        keys.add(selector.questions(pool, 3)[0].key)
    assert len(keys) == 1


def test_a_recorded_ranking_may_be_of_a_line_that_the_atlas_lacks(select, write):
    """It is reused, not asked for."""
    path = write(line("Vorinostat", target_cell_type="MCF7"))
    found = select(path, scope=Scope.DRUG, scope_line="mcf-7")
    assert (names(found), found.provenance["asked_in_line"]) == (["Vorinostat"], "MCF7")
