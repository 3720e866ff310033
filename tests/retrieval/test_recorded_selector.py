"""One policy of recorded answers: the line's own first, then another line's, and nothing asked."""

import json
import pickle
from functools import partial

import pytest

from lgr_core.answer import predict, retrieve
from lgr_core.atlas.store import open_atlas
from lgr_core.config import Settings
from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector
from tests.support.loopback_llm import FakeClient

DRUG = "Mystery compound"
"""A drug of the toy atlas that no shipped file answers for."""


@pytest.fixture
def home(toy_home, tmp_path, monkeypatch):
    """An LGR_HOME that shares the toy atlas and has no answer of its own."""
    (tmp_path / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def record(home):
    """Record what a model is said to have answered for the drug in a line."""

    def write(line, *drugs, **fields):
        path = home / "neighbors" / "theirs.jsonl"
        path.parent.mkdir(exist_ok=True)
        asked = {"target_cell_type": line, "target_molecule": DRUG}
        named = {"neighbors": [{"molecule": drug} for drug in drugs]}
        with path.open("a") as file:
            file.write(json.dumps(asked | named | fields) + "\n")
        return path

    return write


@pytest.fixture
def found(home):
    """The recorded ranking for the drug in a line, and where it was asked."""
    store = open_atlas("toy", home / "atlases")

    def select(line, k=2, **options):
        pool = candidate_pool(store, Condition(line, DRUG, 5.0))
        selection = recorded_selector(store, Settings(home=home), **options).select(pool, k)
        names = [proposal.text for proposal in selection.proposals]
        return names, selection.provenance["asked_in_line"]

    return select


OWN, OTHER = ("Vorinostat", "Cobimetinib"), ("Trametinib", "Tofacitinib")


def test_the_lines_own_answer_comes_first(record, found):
    """Another line's fills in where it has none, and says which line was asked."""
    record("A549", *OTHER)
    record("LoVo", *OWN)
    assert found("LoVo") == ([*OWN], "LoVo")
    assert found("HepG2/C3A") == ([*OTHER], "A549")
    assert found("A549") == ([*OTHER], "A549")


def test_a_scope_that_is_named_stands_alone(record, found):
    """Of scope line no other line's counts; of scope drug not the line's own."""
    record("A549", *OTHER)
    record("LoVo", *OWN)
    assert found("LoVo", scope=Scope.DRUG) == ([*OTHER], "A549")
    assert found("LoVo", scope=Scope.LINE) == ([*OWN], "LoVo")
    with pytest.raises(NotFoundError, match="--scope drug"):
        found("HepG2/C3A", scope=Scope.LINE)


def test_without_an_answer_for_the_line_any_other_line_answers(record, found):
    """A549's goes first of equals; none at all is an error that names both."""
    with pytest.raises(NotFoundError) as error:
        found("HepG2/C3A")
    assert "HepG2/C3A or A549" in error.value.asked
    record("LoVo", *OWN)
    assert found("HepG2/C3A") == ([*OWN], "LoVo")
    record("A549", *OWN[::-1])
    assert found("HepG2/C3A") == ([*OWN[::-1]], "A549")


def test_the_other_line_is_the_one_that_was_chosen_by_name(record, found):
    """Here LoVo, and no third line."""
    options = LLMOptions(scope_line="LoVo", chosen=("scope_line",))
    record("A549", *OTHER)
    with pytest.raises(NotFoundError, match="LoVo"):
        found("HepG2/C3A", options=options)
    record("LoVo", *OWN)
    assert found("HepG2/C3A", options=options) == ([*OWN], "LoVo")


def test_the_settings_model_is_the_one_that_is_looked_for(record, found, home, monkeypatch):
    """Of two records, that of LGR_LLM_MODEL answers."""
    record("A549", *OTHER, source="gpt-x")
    record("A549", *OWN, source="gpt-y")
    for model, names in (("gpt-x", OTHER), ("gpt-y", OWN)):
        monkeypatch.setenv("LGR_LLM_MODEL", model)
        store = open_atlas("toy", home / "atlases")
        pool = candidate_pool(store, Condition("A549", DRUG, 5.0))
        selection = make_selector("llm", store).select(pool, 2, None)
        assert tuple(proposal.text for proposal in selection.proposals) == names


def test_files_that_are_named_go_first(record, found, home):
    """Before those of the installation."""
    record("A549", *OTHER)
    own = home / "own.jsonl"
    own.write_text((home / "neighbors" / "theirs.jsonl").read_text().replace("Trametinib", OWN[0]))
    assert found("A549", neighbors=(own,))[0][0] == OWN[0]


def test_it_never_asks_the_model(home):
    """A selector that would is refused, and so is none at all."""
    store = open_atlas("toy", home / "atlases")
    live = LLMSelector(store, LLMOptions(policy=Policy.FILL), client=FakeClient())
    for selectors in ((), (live,)):
        with pytest.raises(UsageError, match="recorded answers"):
            RecordedSelector(*selectors)


def test_how_it_is_made_can_be_handed_to_another_process(record, home):
    """As a benchmark does."""
    record("A549", *OWN)
    make = partial(make_selector, recorded=partial(recorded_selector, settings=Settings(home=home)))
    store = open_atlas("toy", home / "atlases")
    pool = candidate_pool(store, Condition("LoVo", DRUG, 5.0))
    selection = pickle.loads(pickle.dumps(make))("llm", store).select(pool, 2, None)  # noqa: S301
    assert [proposal.text for proposal in selection.proposals] == [*OWN]


# -- rankings of another list ----------------------------------------------------------------------

UNHEARD = tuple(f"Unheard of {i}" for i in range(9))


@pytest.fixture
def ask(home):
    """Retrieve by recorded answers, as predict does."""
    store = open_atlas("toy", home / "atlases")
    return partial(retrieve, store, drug=DRUG, dose_um=5.0, selector="llm")


@pytest.mark.parametrize("k", [4, 50])
def test_a_ranking_of_another_list_must_fill_half(record, ask, home, k):
    """Of four wanted two are enough, of all six candidates three; else it is as if none were."""
    record("A549", *OTHER, *UNHEARD)
    if k == 4:
        assert ask(cell_line="LoVo", k=k).drugs == OTHER
        return
    with pytest.raises(NotFoundError) as error:
        ask(cell_line="LoVo", k=k)
    assert "2 of 6" in error.value.found
    assert "--scope drug" in error.value.do
    store = open_atlas("toy", home / "atlases")
    pool = candidate_pool(store, Condition("LoVo", DRUG, 5.0))
    assert recorded_selector(store, Settings(home=home)).usable(pool, k) is None
    # The advice works: a scope that is named counts as it is.
    by_scope = recorded_selector(store, Settings(home=home), scope=Scope.DRUG)
    assert ask(cell_line="LoVo", k=k, selector=by_scope).drugs == OTHER


def test_what_was_recorded_for_this_atlas_counts_as_it_is(record, ask, home):
    """One name of six, and so does a file that the user names."""
    record("LoVo", "Vorinostat", *UNHEARD, atlas="toy")
    assert ask(cell_line="LoVo", k=6).drugs == ("Vorinostat",)
    path = record("A549", "Vorinostat", *UNHEARD)
    with pytest.raises(NotFoundError):
        ask(cell_line="A549", k=6)
    store = open_atlas("toy", home / "atlases")
    named = recorded_selector(store, Settings(home=home), neighbors=(path,))
    assert ask(cell_line="A549", k=6, selector=named).drugs == ("Vorinostat",)


def test_methods_that_weigh_rankings_take_each_as_it_is(record, home):
    """The ranking is read, though an average of its neighbours is refused."""
    store = open_atlas("toy", home / "atlases")
    asked = {"cell_line": "LoVo", "drug": DRUG, "dose_um": 5.0}
    without = predict(store, **asked, method="kriging").prediction.delta
    record("A549", "Vorinostat", *UNHEARD)
    with pytest.raises(NotFoundError):
        predict(store, **asked, selector="llm")
    assert (predict(store, **asked, method="kriging").prediction.delta != without).any()
