"""The retrieval score: recall, chance and gaps on pools worked out by hand."""

import shutil

import pandas as pd
import pytest

from lgr_core.atlas.curated_annotation import CuratedAnnotation, annotate_atlas
from lgr_core.atlas.curated_files import CuratedDrug
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Proposal, Selection
from lgr_core.evaluation.retrieval_score import RetrievalScorer, score_run, summarise_retrieval
from lgr_core.evaluation.retrieval_table import retrieval_table
from lgr_core.evaluation.run_store import RETRIEVAL, write_retrieval
from lgr_core.retrieval.query_block import EvidenceReader

MEK = ("MEK inhibitor",)


class Fixed:
    """Always names the same drugs."""

    evidence = frozenset()

    def __init__(self, name, drugs):
        self.name, self.drugs = name, drugs

    def select(self, pool, k, view):
        """All of them, whatever is asked."""
        del pool, k, view
        return Selection(tuple(Proposal(drug) for drug in self.drugs))


@pytest.fixture(scope="module")
def annotated(toy_home, tmp_path_factory):
    """The toy atlas: two MEK inhibitors, and the two forms of tofacitinib with Vorinostat."""
    folder = tmp_path_factory.mktemp("atlases")
    shutil.copytree(toy_home / "atlases" / "toy", folder / "toy")
    store = open_atlas("toy", folder)
    curated = [
        CuratedDrug("Trametinib", None, MEK, ("MAP2K1",)),
        CuratedDrug("Cobimetinib", None, ("mek inhibitor",), ()),
        CuratedDrug("Tofacitinib", None, ("shared",), ()),
        CuratedDrug("Vorinostat", None, ("shared",), ()),
    ]
    annotate_atlas(store, curated, source="csv", file="a.csv")
    return store


def scored(store, *selectors, k=2):
    """The queries of A549, by selector, pool and drug."""
    scorer = RetrievalScorer(EvidenceReader(store), CuratedAnnotation.of(store), k)
    table = scorer.score(selectors, ["A549"])
    return table, table.set_index(["selector", "pool", "drug"])


def test_recall_and_chance_of_each_query(annotated):
    """Vorinostat has two relevant drugs of six, one of five where forms are merged."""
    ranked = Fixed("llm", ["Trametinib", "Tofacitinib", "Cobimetinib", "Vorinostat"])
    table, by = scored(annotated, ranked)
    assert set(table["field"]) == {"mechanism"}
    row = by.loc[("llm", "all", "Vorinostat")]
    assert (row["n_relevant"], row["n_hits"], row["recall"]) == (2, 1, 0.5)
    assert row["chance"] == pytest.approx(2 / 6)
    row = by.loc[("llm", "distinct", "Vorinostat")]
    assert (row["n_relevant"], row["n_hits"], row["recall"]) == (1, 1, 1.0)
    assert row["chance"] == pytest.approx(2 / 5)
    assert by.loc[("llm", "all", "Cobimetinib"), "recall"] == 1.0
    assert by.loc[("llm", "all", "Trametinib"), "recall"] == 1.0
    assert by.loc[("llm", "all", "Tofacitinib"), "recall"] == 0.0
    assert "Topotecan (hydrochloride)" not in set(table["drug"])


def test_the_summary_compares_pair_by_pair(annotated):
    """Of five queries the list has recall 1, 1, 0.5, 0 and 0; chemistry none."""
    ranked = Fixed("llm", ["Trametinib", "Tofacitinib", "Cobimetinib", "Vorinostat"])
    table, _ = scored(annotated, ranked, Fixed("chemistry", ["Mystery compound"]))
    summary = summarise_retrieval(table).set_index(["pool", "selector"])
    row = summary.loc[("all", "llm")]
    assert (row["n_queries"], row["recall"]) == (5, 0.5)
    assert row["minus_chemistry"] == pytest.approx(0.5)
    assert row["minus_chance"] == pytest.approx(0.5 - (3 * 2 / 6 + 2 * 2 / 5) / 5)
    assert pd.isna(summary.loc[("all", "chemistry"), "minus_chemistry"])


def test_a_run_has_the_score_where_there_is_annotation(annotated, toy, tmp_path):
    """Of the selectors of its methods; the table is written, and gone without annotation."""

    def make(name, _):
        return Fixed(name, ["Cobimetinib"])

    methods = ("lgr_chemistry", "lgr_mechanism", "pool_mean")
    table = score_run(annotated, methods, make, k=2, lines=("A549",), seed=0)
    assert set(table["selector"]) == {"chemistry", "mechanism"}
    write_retrieval(tmp_path, table)
    assert (tmp_path / RETRIEVAL).exists()
    none = score_run(toy, methods, make, k=2, lines=None, seed=0)
    write_retrieval(tmp_path, none)
    assert none.empty
    assert not (tmp_path / RETRIEVAL).exists()
    assert retrieval_table(none) is None
    shown = retrieval_table(table)
    assert [cell.text for cell in shown.rows[0][:3]] == [
        "same mechanism",
        "all candidates",
        "mechanism",
    ]
