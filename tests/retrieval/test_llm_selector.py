"""The LLM selector: who is asked under each policy, what is kept, what is said about it."""

import json

import pytest

from lgr_core.domain import Condition, LLMReply, LLMUsage, Reason
from lgr_core.errors import BadReplyError, NotFoundError, UsageError
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.prompt import PromptOptions
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.resolve import resolve
from tests.support.loopback_llm import FakeClient
from tests.support.toy_atlas import DRUGS

QUERY = Condition("A549", "Trametinib", 5.0)
GOOD = """<Final Answer>
1. Cobimetinib: Both block MEK.
2. Vorinostat: Another reason.
3. Topotecan (hydrochloride): A third.
</Final Answer>"""
SHORT = "<Final Answer>\n1. Cobimetinib: yes.\n2. Aspirin: no.\n</Final Answer>"


@pytest.fixture
def make(toy, tmp_path):
    """Build a selector on the toy atlas with a queue of replies and a cache in a temp folder."""

    def build(*replies, policy=Policy.FILL, files=(), client=True, **options):
        return LLMSelector(
            toy,
            LLMOptions(policy=policy, **options),
            cache=AnswerCache(tmp_path / "cache"),
            book=NeighborBook(files, toy.drug_catalog),
            client=FakeClient(*replies) if client else None,
            provider=FakeClient().provider,
        )

    return build


def resolved(selector, pool, catalog, k):
    """What stands of a selector's answer."""
    return resolve(selector.select(pool, k), pool, catalog, k, selector=selector.name)


@pytest.fixture
def ask(toy):
    """Retrieve three neighbours for a query with a selector."""

    def run(selector, query=QUERY, k=3):
        pool = candidate_pool(toy, query)
        return resolved(selector, pool, toy.drug_catalog, k)

    return run


@pytest.fixture
def file(tmp_path):
    """A neighbour file that answers trametinib in A549, in the bare form."""
    path = tmp_path / "theirs.jsonl"
    names = [{"molecule": "Vorinostat"}, {"molecule": "cobimetinib"}]
    record = {"target_cell_type": "a-549", "target_molecule": "trametinib", "neighbors": names}
    path.write_text(json.dumps(record))
    return path


def test_a_live_answer_is_used_kept_and_not_asked_for_again(make, ask):
    """The second time the cache answers; the record says who did."""
    first = make(GOOD)
    found = ask(first)
    assert found.drugs == ("Cobimetinib", "Vorinostat", "Topotecan (hydrochloride)")
    assert found.neighbors[0].rationale == "Both block MEK."
    assert (found.provenance["answered_by"], found.raw) == ("model", GOOD)
    second = make()
    again = ask(second)
    assert again.neighbors == found.neighbors
    assert again.provenance["answered_by"] == "cache"
    record = next(second.answers.cache.records())
    assert (record["target_cell_type"], record["k_used"]) == ("A549", 3)
    assert record["request"]["template"] == "paper-A/1"


def test_the_request_is_the_papers(make, ask):
    """Temperature 0 stays 0, effort none, the candidate list without the query."""
    selector = make(GOOD)
    ask(selector)
    (request,) = selector.answers.client.history
    assert (request.temperature, request.effort, request.schema) == (0.0, "none", None)
    assert "Anchor molecule: Trametinib\nCell line: A549" in request.prompt
    candidates = request.prompt.split("molecules:\n")[1].split("\n\n")[0].splitlines()
    assert candidates == sorted(set(DRUGS) - {"Trametinib"})


def test_replay_asks_nobody(make, ask, file):
    """The exact key first, then files, then a clear no with the ways out."""
    assert ask(make(GOOD)).k_used == 3
    replay = make(policy=Policy.REPLAY, files=[file], client=False)
    assert ask(replay).provenance["answered_by"] == "cache"
    other = make(policy=Policy.REPLAY, files=[file], client=False, model="another")
    found = ask(other)
    assert found.provenance["file"] == "theirs.jsonl"
    assert found.drugs == ("Vorinostat", "Cobimetinib")
    with pytest.raises(NotFoundError, match="--cache fill.*--scope drug"):
        ask(other, Condition("LoVo", "Trametinib", 5.0))


def test_only_missing_reads_files_before_it_asks(make, ask, file):
    """Fill would have asked; refresh always does."""
    assert ask(make(policy=Policy.ONLY_MISSING, files=[file])).k_used == 2
    assert ask(make(GOOD, policy=Policy.FILL, files=[file])).k_used == 3
    assert ask(make(SHORT, policy=Policy.REFRESH, files=[file])).k_used == 1
    assert ask(make(policy=Policy.FILL)).k_used == 1, "the refreshed answer counts"


def test_a_file_does_not_answer_for_a_blind_question(make, ask, file):
    """It was asked with names in plain sight: a blind control must not be answered by it."""
    blind = PromptOptions(masked=True)
    with pytest.raises(NotFoundError):
        ask(make(policy=Policy.REPLAY, files=[file], client=False, prompt=blind))


def test_live_policies_need_somebody_to_ask(make):
    """Said at once, not at the first query."""
    with pytest.raises(UsageError, match="no language model to ask"):
        make(policy=Policy.FILL, client=False)


def test_scope_line_uses_that_lines_answers_only(make, ask, file):
    """A549's file does not answer for LoVo."""
    selector = make(policy=Policy.REPLAY, files=[file], client=False)
    with pytest.raises(NotFoundError):
        ask(selector, Condition("LoVo", "Trametinib", 5.0))


def test_scope_drug_reuses_one_ranking_in_every_line(make, ask, toy):
    """Asked once in A549 over the union of pools; each line keeps its own pool, labelled."""
    query = Condition("LoVo", "Trametinib", 5.0)
    selector = make(GOOD, scope=Scope.DRUG)
    found = ask(selector, query)
    assert found.k_used == 3
    assert (found.provenance["scope"], found.provenance["asked_in_line"]) == ("drug", "A549")
    assert "Cell line: A549" in selector.answers.client.history[0].prompt
    assert ask(make(scope=Scope.DRUG), Condition("HepG2/C3A", "Trametinib", 5.0)).k_used == 3


def test_names_beyond_a_narrower_pool_are_not_the_models_mistake(make, toy, file):
    """In scope drug, or from a file, a drug of the atlas outside this pool is not_in_split."""
    pool = candidate_pool(toy, QUERY)
    narrow = type(pool)(QUERY, tuple(d for d in pool.drugs if d != "Vorinostat"), pool.twins)
    for selector in (
        make(GOOD, scope=Scope.DRUG),
        make(policy=Policy.REPLAY, files=[file], client=False, model="x"),
    ):
        found = resolved(selector, narrow, toy.drug_catalog, 3)
        assert [(r.text, r.reason) for r in found.rejected] == [("Vorinostat", Reason.NOT_IN_SPLIT)]


def test_a_reply_without_a_name_is_logged_not_cached(make, ask):
    """It is an error with the raw text in the log."""
    selector = make("I cannot help with that.")
    with pytest.raises(BadReplyError, match="without a ranked name"):
        ask(selector)
    cache = selector.answers.cache
    assert len(cache) == 0
    assert json.loads(cache.log_path.read_text())["raw"] == "I cannot help with that."


def test_a_reply_cut_while_reasoning_is_no_answer(make, ask):
    """A list of drafts before the final answer is not taken for it; a whole list is."""
    cut = LLMReply("1. Cobimetinib: perhaps.\n2. Vor", provenance={"finish_reason": "length"})
    with pytest.raises(BadReplyError, match="cut off before its final answer"):
        ask(make(cut))
    whole = LLMReply("1. Cobimetinib: surely.", provenance={"finish_reason": "stop"})
    assert ask(make(whole)).k_used == 1


HALF = "<Final Answer>\n1. Cobimetinib: both block MEK.\n2. Vorinostat: a si"
ENDED = ["length", "max_tokens", "error", "tool_calls", "malformed_function_call"]


@pytest.mark.parametrize("finish", ENDED)
def test_an_answer_that_did_not_come_to_its_end_is_kept_only_with_all_names(make, ask, finish):
    """With fewer than k it is logged, not cached, and asked again."""
    selector = make(LLMReply(HALF, provenance={"finish_reason": finish}), GOOD)
    with pytest.raises(BadReplyError, match="of 3"):
        ask(selector)
    cache = selector.answers.cache
    assert (len(cache), json.loads(cache.log_path.read_text())["raw"]) == (0, HALF)
    assert ask(selector).k_used == 3
    assert len(cache) == 1
    whole = make(LLMReply(GOOD, provenance={"finish_reason": finish}), model="another")
    assert (ask(whole).k_used, len(cache)) == (3, 2)


def test_a_broken_off_answer_of_an_earlier_version_is_asked_again(make, ask, toy):
    """It stands in the cache, in the words of its service; a whole one is replayed."""
    selector = make(GOOD)
    key = selector.questions(candidate_pool(toy, QUERY), 3)[0].key
    cut = {"raw": HALF, "reply": {"finish_reason": "MAX_TOKENS"}, "k_used": 1}
    selector.answers.cache.put(key, cut)
    assert ask(selector).k_used == 3
    whole = {"raw": GOOD, "reply": {"finish_reason": "MAX_TOKENS"}, "k_used": 3}
    selector.answers.cache.put(key, whole)
    assert ask(make()).provenance["answered_by"] == "cache"


def test_a_finished_answer_with_fewer_names_counts_and_says_so(make, ask):
    """Two of three, and a list that begins at 2: both are remarks of the record."""
    found = ask(make(LLMReply(SHORT, provenance={"finish_reason": "stop"})))
    assert "2 names of the 3 that were asked for" in found.provenance["reading"]
    late = LLMReply("2. Cobimetinib: x\n3. Vorinostat: y", provenance={"finish_reason": "stop"})
    remarks = ask(make(late, policy=Policy.REFRESH)).provenance["reading"]
    assert any("begins at 2" in remark for remark in remarks)


@pytest.mark.parametrize(
    ("usage", "cut"),
    [
        (LLMUsage(100, 0, 10, 1), True),
        (LLMUsage(400, 0, 10, 1), False),
        (LLMUsage(100, 400, 10, 1), False),
        (LLMUsage(requests=1), False),
        (LLMUsage(10, 0, 20, 1), False),
    ],
)
def test_an_answer_to_a_prompt_that_was_cut_warns_and_is_not_kept(make, ask, caplog, usage, cut):
    """Only the server's count tells; one without cached tokens, a made-up one or none does not."""
    selector = make(LLMReply(GOOD, usage, {"finish_reason": "stop"}))
    found = ask(selector)
    assert found.k_used == 3
    assert ("prompt_cut" in found.provenance) == cut
    assert ("--max-candidates" in caplog.text) == cut
    assert len(selector.answers.cache) == (0 if cut else 1)


def test_fewer_candidates_are_shown_by_mechanism_and_structure(make, ask, toy):
    """Labelled; a drug that was not shown is no neighbour, and the anchor's kin come first."""
    reply = "<Final Answer>\n1. Cobimetinib: x.\n2. Vorinostat: y.\n</Final Answer>"
    selector = make(reply, max_candidates=1)
    found = ask(selector)
    prompt = selector.answers.client.history[0].prompt
    assert prompt.split("molecules:\n")[1].split("\n\n")[0].splitlines() == ["Cobimetinib"]
    assert found.drugs == ("Cobimetinib",)
    assert found.provenance["not_shown"] == ["Vorinostat"]
    size = len(candidate_pool(toy, QUERY).drugs)
    assert found.provenance["shortlist"].startswith(f"1 of {size}, by mechanism")
    assert "shortlist" not in ask(make(GOOD, max_candidates=size)).provenance


def test_the_limit_of_an_answer_is_sent_and_changes_no_key(make, toy):
    """An answer that is kept came to its end: under a higher limit it is the same."""
    pool = candidate_pool(toy, QUERY)
    usual, longer = (make(max_output_tokens=limit).questions(pool, 3)[0] for limit in (None, 9_000))
    assert (usual.request.max_output_tokens, longer.request.max_output_tokens) == (4_000, 9_000)
    assert usual.key == longer.key


@pytest.mark.parametrize("option", ["max_output_tokens", "max_candidates"])
def test_a_limit_of_nothing_is_refused(option):
    """Said at once."""
    with pytest.raises(UsageError, match="at most 0"):
        LLMOptions(**{option: 0})


def test_repair_names_what_was_wrong_and_counts_the_fuller_answer(make, ask):
    """One more request; recorded; without repair the short answer stands."""
    assert ask(make(SHORT, policy=Policy.REFRESH)).k_used == 1
    selector = make(SHORT, GOOD, policy=Policy.REFRESH, repair=True)
    found = ask(selector)
    assert (found.k_used, found.provenance["repairs"]) == (3, 1)
    second = selector.answers.client.history[1].prompt
    assert "Aspirin (not in the candidate list)" in second
    assert "Only 1 of the 3 molecules" in second
    worse = ask(make(SHORT, "1. Nonsense: x", policy=Policy.REFRESH, repair=True))
    assert worse.drugs == ("Cobimetinib",), "a worse repair does not replace the first answer"


def test_samples_are_merged_by_reciprocal_rank(make, ask):
    """Cobimetinib: 1 + 1/2; vorinostat: 1/2 + 1; topotecan: 1/3 once, named by half."""
    flipped = "1. Vorinostat: best here.\n2. Cobimetinib: second here."
    selector = make(GOOD, flipped, samples=2)
    found = ask(selector)
    assert found.drugs == ("Cobimetinib", "Vorinostat", "Topotecan (hydrochloride)")
    assert [n.score for n in found.neighbors] == pytest.approx([0.75, 0.75, 1 / 6])
    assert found.neighbors[1].rationale == "best here."
    assert found.provenance["agreement"]["Topotecan (hydrochloride)"] == 0.5
    first, second = (request.prompt for request in selector.answers.client.history)
    assert first != second, "the list stands in another order"
    assert sorted(first.splitlines()) == sorted(second.splitlines())


def test_masked_names_are_led_back(make, ask, toy):
    """The model sees D001 and answers D001; we get the drug."""
    selector = make("1. D001: first.\n2. D003: third.", prompt=PromptOptions(masked=True))
    found = ask(selector)
    pool = candidate_pool(toy, QUERY).drugs
    assert found.drugs == (pool[0], pool[2])
    assert "Cobimetinib" not in selector.answers.client.history[0].prompt


def test_structured_answers_are_still_checked(make, ask):
    """A schema enforces nothing here: out-of-pool names are rejected all the same."""
    reply = json.dumps(
        {
            "neighbors": [
                {"molecule": "Cobimetinib", "justification": "x"},
                {"molecule": "Aspirin", "justification": "y"},
            ]
        }
    )
    selector = make(reply, prompt=PromptOptions(mode="structured"))
    found = ask(selector)
    assert found.drugs == ("Cobimetinib",)
    assert found.rejected[0].reason is Reason.OUT_OF_POOL
    schema = selector.answers.client.history[0].schema
    enum = schema["properties"]["neighbors"]["items"]["properties"]["molecule"]["enum"]
    assert set(enum) == set(DRUGS) - {"Trametinib"}


@pytest.mark.parametrize("temperature", [float("nan"), float("inf"), -0.1, 2.1])
def test_a_temperature_that_no_model_takes_is_refused(temperature):
    """Before it is a key or a request; zero, two and none are fine."""
    with pytest.raises(UsageError, match="from 0 to 2"):
        LLMOptions(temperature=temperature)
    assert [LLMOptions(temperature=t).temperature for t in (0, 2, None)] == [0, 2, None]


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_neighbour_is_never_asked_for(make, ask, k):
    """Also where the names asked for are given apart."""
    selector = make(GOOD, ask_for=5)
    with pytest.raises(UsageError, match="at least one neighbour"):
        ask(selector, k=k)
    with pytest.raises(UsageError, match="at least one neighbour"):
        selector.select(candidate_pool(selector._question_builder.store, QUERY), k)
    assert not selector.answers.client.history


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"ask_for": 0}])
def test_senseless_options_are_refused(wrong):
    """Fewer than one of anything."""
    with pytest.raises(UsageError, match="1 or more"):
        LLMOptions(**wrong)
