"""Gene sets: files that are read or refused, and sets planted at the ends of a ranking."""

import logging

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer import predict
from lgr_core.config import SHIPPED
from lgr_core.domain import Change
from lgr_core.enrichment import (
    BUILT_IN,
    COLUMNS,
    collections,
    enrich_measured,
    enrich_prediction,
    load_collection,
    prerank,
    read_gmt,
)
from lgr_core.errors import InputError, NotFoundError, NotSeparableError
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.specific_change import View, specific_changes
from tests.support.plated_atlas import ByName, plated_atlas

GENES = [f"G{i}" for i in range(300)]


@pytest.fixture(scope="module")
def delta():
    """Noise, with ten genes raised and ten lowered."""
    values = np.random.default_rng(0).normal(size=300)
    values[:10] += 3
    values[10:20] -= 3
    return values


@pytest.fixture(scope="module")
def sets():
    """Two planted sets, one blind, one too small, one of strangers."""
    return {
        "up": tuple(GENES[:10]),
        "down": tuple(gene.lower() for gene in GENES[10:20]),
        "blind": tuple(GENES[20:290:27]),
        "small": tuple(GENES[:4]),
        "strangers": tuple(f"X{i}" for i in range(20)),
    }


def test_planted_sets_come_first(delta, sets):
    """Up above zero, down below it, both significant; the blind one is not."""
    table = prerank(GENES, delta, sets, permutations=200).set_index("set")
    assert list(table.columns) == list(COLUMNS[1:])
    assert set(table.index) == {"up", "down", "blind"}
    assert table.index[-1] == "blind"
    assert table.loc["up", "nes"] > 1.5 > -1.5 > table.loc["down", "nes"]
    assert (table.loc[["up", "down"], "fdr"] < 0.05).all()
    assert table.loc["blind", "p"] > 0.05
    assert set(table.loc["up", "leading"].split(";")) <= set(GENES[:10])
    assert table.loc["down", ["genes", "in_panel"]].tolist() == [10, 10]


def test_p_is_never_zero(delta, sets):
    """Of 200 permutations, none more extreme is at most 1 in 201."""
    table = prerank(GENES, delta, sets, permutations=200)
    assert table["p"].min() == pytest.approx(1 / 201)


def test_the_order_of_genes_is_of_no_account(delta, sets):
    """Ties and all: the same table from the same numbers in another order."""
    rounded = delta.round(1)
    order = np.random.default_rng(1).permutation(300)
    first = prerank(GENES, rounded, sets, permutations=50)
    second = prerank([GENES[i] for i in order], rounded[order], sets, permutations=50)
    assert first.equals(second)


def test_no_logger_is_left_behind(delta, sets):
    """Python keeps every logger for good, and the library makes one a call."""
    prerank(GENES, delta, sets, permutations=10)
    before = len(logging.Logger.manager.loggerDict)
    for _ in range(3):
        prerank(GENES, delta, sets, permutations=10)
    assert len(logging.Logger.manager.loggerDict) == before


def test_sets_that_do_not_fit_are_an_error(delta):
    """The message tells how many were looked at."""
    with pytest.raises(NotFoundError, match="none of 1 has 5 to 500"):
        prerank(GENES, delta, {"strangers": ("X1", "X2")})


@pytest.mark.parametrize("bad", [np.zeros(300), np.full(300, np.nan), np.ones(3)])
def test_a_ranking_that_ranks_nothing_is_an_error(bad, sets):
    """Constant, undefined, or of another length."""
    with pytest.raises(InputError, match="ranking of genes"):
        prerank(GENES, bad, sets)


def test_a_gmt_is_read_as_it_is_written():
    """Blank lines, weights behind commas, repeated genes and a mark of byte order."""
    sets = read_gmt("\ufeffone\tdescription\tA\tB,0.5\tA\t\n\ntwo\t\tC\n")
    assert dict(sets) == {"one": ("A", "B"), "two": ("C",)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no gene set"),
        ("one\tdescription\n", "line 1 names no set with genes"),
        ("one\td\tA\none\td\tB\n", "'one' stands twice"),
        ("name,gene\n", "line 1"),
    ],
)
def test_what_is_no_gmt_is_refused(text, words):
    """One message that says where."""
    with pytest.raises(InputError, match=words):
        read_gmt(text)


def test_collections_are_the_shipped_one_and_those_of_the_home(tmp_path):
    """A GMT file dropped into the folder is offered by its name."""
    (tmp_path / "gene_sets").mkdir()
    (tmp_path / "gene_sets" / "mine.gmt").write_text("one\td\tA\n")
    assert list(collections(tmp_path)) == [BUILT_IN, "mine"]
    assert dict(load_collection(tmp_path, "mine")) == {"one": ("A",)}
    assert len(load_collection(tmp_path, BUILT_IN)) > 50
    assert collections(tmp_path)[BUILT_IN].parent == SHIPPED
    with pytest.raises(NotFoundError, match="mine"):
        load_collection(tmp_path, "mime")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """Bytes that are no UTF-8."""
    (tmp_path / "gene_sets").mkdir()
    (tmp_path / "gene_sets" / "bad.gmt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"bad\.gmt"):
        load_collection(tmp_path, "bad")


def test_enrichment_says_of_which_change_it_is(tmp_path):
    """A set of the genes that rise most in the specific change alone comes out of that one."""
    store = plated_atlas(tmp_path / "plated", lines=1, drugs=24)
    query = store.condition(3)
    specific = specific_changes(store).of(np.array([3]))[0]
    genes = store.gene_names[: store.n_panel]
    sets = {"top": tuple(genes[np.argsort(-specific)[:6]]), "other": tuple(genes[:8])}
    found = enrich_measured(store, query, sets, change=View.SPECIFIC, permutations=50)
    total = enrich_measured(store, query, sets, permutations=50)
    assert found.label == "measured specific change"
    assert total.label == "measured total change"
    expected = prerank(genes.tolist(), specific, sets, permutations=50)
    pd.testing.assert_frame_equal(found.table, expected)
    assert found.table["set"].iloc[0] == "top"
    nes = [each.table.set_index("set").loc["top", "nes"] for each in (found, total)]
    assert nes[0] > nes[1]


def test_a_prediction_is_enriched_in_the_change_that_was_asked_for(tmp_path):
    """Total and specific answers to one question rank their own predicted change."""
    store = plated_atlas(tmp_path / "plated", lines=2, drugs=24)
    sets = {"some": tuple(store.gene_names[:8])}
    for change in Change:
        reader = EvidenceReader(store, change=change)
        asked = {"cell_line": "L1", "drug": "D03", "selector": ByName("llm"), "k": 2}
        answer = predict(store, **asked, change=change, reader=reader)
        found = enrich_prediction(answer, sets, permutations=50)
        assert (found.change, found.predicted) == (View(change), True)
        expected = prerank(answer.genes.tolist(), answer.prediction.delta, sets, permutations=50)
        pd.testing.assert_frame_equal(found.table, expected)


def test_what_cannot_be_separated_has_no_specific_enrichment(tmp_path):
    """Seven others on its plate."""
    store = plated_atlas(tmp_path / "few", lines=1, drugs=8, plates=1)
    with pytest.raises(NotSeparableError, match="7 other parents"):
        enrich_measured(store, store.condition(0), {}, change=View.SPECIFIC)
