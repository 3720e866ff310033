"""Recorded answers scored among the drugs they ask for, on lists worked out by hand."""

import json

import pytest

from lgr_core.atlas.curated_files import CuratedDrug
from lgr_core.cli import main
from lgr_core.domain import Proposal
from lgr_core.evaluation.retrieval_lists import AnswerScorer
from lgr_core.retrieval.neighbor_files import NeighborRecord

DRUGS = ("Trametinib", "Cobimetinib", "Binimetinib", "Vorinostat", "Vorinostat (sodium)")
MEK = ("Trametinib", "Cobimetinib", "Binimetinib")


def answer(drug, *named):
    """A recorded answer of A549."""
    return NeighborRecord("A549", drug, tuple(Proposal(text) for text in named), source="a model")


@pytest.fixture(scope="module")
def table():
    """Every drug asks; Trametinib's answer names a MEK inhibitor, itself and another drug."""
    answers = [
        answer("Trametinib", "Trametinib", "vorinostat", "binimetinib"),
        *(answer(drug, "Trametinib", "Vorinostat") for drug in DRUGS[1:]),
    ]
    curated = [CuratedDrug(drug, None, ("MEK inhibitor",), ()) for drug in MEK]
    curated.append(CuratedDrug("Vorinostat", None, ("HDAC inhibitor",), ()))
    return AnswerScorer.of(answers, curated, k=2, file="a.csv").score()


def test_recall_is_over_the_relevant_drugs_of_the_other_parents(table):
    """Of the two other MEK inhibitors Trametinib names one; itself has no place in its list."""
    assert set(table["drug"]) == set(MEK)
    rows = table.set_index(["selector", "pool", "drug"])
    row = rows.loc["llm", "all", "Trametinib"]
    assert (row["n_candidates"], row["n_relevant"], row["n_hits"]) == (4, 2, 1)
    assert (row["recall"], row["chance"], row["k_used"]) == (0.5, 0.5, 2)
    assert rows.loc["llm", "distinct", "Trametinib"]["n_candidates"] == 3
    assert rows.loc["llm", "all", "Trametinib"]["model"] == "a model"


def test_a_form_of_the_querys_own_parent_is_no_relevant_drug(table):
    """Vorinostat shares its mechanism with its salt alone, and so is no query."""
    assert not table["drug"].str.startswith("Vorinostat").any()


def test_chemistry_stands_beside_the_answers(table):
    """It ranks by the shipped structures: binimetinib is like cobimetinib, not vorinostat."""
    row = table.set_index(["selector", "pool", "drug"]).loc["chemistry", "all", "Binimetinib"]
    assert row["n_hits"] >= 1


def test_answers_are_needed(tmp_path, capsys):
    """A curated file alone scores nothing: the error names the flag that brings answers."""
    curated = tmp_path / "a.csv"
    curated.write_text("drug,mechanism\nTrametinib,MEK inhibitor\n")
    assert main(["rationales", "retrieval", "--curated", str(curated)]) == 3
    assert "--neighbors" in capsys.readouterr().err


def test_the_command_reads_both_files(tmp_path, capsys):
    """Two drugs of one mechanism that name each other: recall 1, and chance too, of one drug."""
    curated, answers = tmp_path / "a.csv", tmp_path / "a.jsonl"
    curated.write_text("drug,mechanism\nTrametinib,MEK inhibitor\nCobimetinib,MEK inhibitor\n")
    pairs = [("Trametinib", "Cobimetinib"), ("Cobimetinib", "Trametinib")]
    lines = [
        {"target_cell_type": "A549", "target_molecule": a, "neighbors": [{"molecule": b}]}
        for a, b in pairs
    ]
    answers.write_text("\n".join(map(json.dumps, lines)) + "\n")
    asked = ["--curated", str(curated), "--neighbors", str(answers), "--json"]
    assert main(["rationales", "retrieval", *asked]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["curated"] == "a.csv"
    row = next(r for r in found["retrieval"] if r["selector"] == "llm" and r["pool"] == "all")
    assert (row["n_queries"], row["recall"], row["chance"]) == (2, 1.0, 1.0)
