"""Kept answers are found wherever they are, and nobody is asked."""

import pytest
from toy import build_toy

from lgr_core.answer import predict
from lgr_core.atlas.store import open_atlas
from lgr_core.config import Settings
from lgr_core.domain import Condition
from lgr_core.retrieval.llm_question import LLMOptions, Scope
from lgr_core.retrieval.neighbor_files import append_neighbors
from lgr_core.retrieval.pool import candidate_pool
from lgr_core.retrieval.remembered import recall
from lgr_core.retrieval.setup import llm_selector


@pytest.fixture
def home(tmp_path):
    """A home with the toy atlas and one answer, for Trametinib in A549."""
    build_toy(tmp_path / "atlases" / "toy")
    store = open_atlas("toy", tmp_path / "atlases")
    found = predict(store, cell_line="A549", drug="Trametinib", dose_um=5.0, selector="random", k=4)
    append_neighbors(tmp_path / "neighbors" / "told.jsonl", found.retrieval, source="a model")
    return tmp_path


def selectors(home, store):
    """The line's own answers first, then A549's."""
    settings = Settings(home=home)
    return [llm_selector(store, settings, LLMOptions(scope=scope)) for scope in Scope]


@pytest.mark.parametrize(("line", "scope"), [("A549", Scope.LINE), ("LoVo", Scope.DRUG)])
def test_the_first_with_an_answer_is_taken(home, line, scope):
    """The own line's, else the other's."""
    store = open_atlas("toy", home / "atlases")
    pool = candidate_pool(store, Condition(line, "Trametinib", 5.0))
    known = recall(selectors(home, store), pool, 4)
    assert known.selector.options.scope is scope
    assert known.found.k_used == 4


def test_a_ranking_that_fills_less_than_half_is_none(home):
    """It was made for another list."""
    store = open_atlas("toy", home / "atlases")
    pool = candidate_pool(store, Condition("A549", "Trametinib", 5.0))
    path = home / "neighbors" / "told.jsonl"
    text = path.read_text()
    for n, name in enumerate(pool.drugs):
        if n:
            text = text.replace(f'"molecule": "{name}"', f'"molecule": "Unheard of {n}"')
    path.write_text(text)
    assert recall(selectors(home, store), pool, 4) is None


def test_without_an_answer_there_is_none(home):
    """Neither in a file nor in the cache."""
    store = open_atlas("toy", home / "atlases")
    pool = candidate_pool(store, Condition("A549", "Vorinostat", 5.0))
    assert recall(selectors(home, store), pool, 4) is None
