"""The commands on reasons, as a user types them."""

import json
import shutil

import pandas as pd
import pytest

from lgr_core.cli import main

REASONS = {
    "Cobimetinib": "Allosteric MEK inhibitor lowering EGR1 as trametinib does.",
    "Tofacitinib": "A MEK inhibitor, too.",
    "Vorinostat": "Quiet in these cells.",
}


@pytest.fixture
def home(toy_home, tmp_path, monkeypatch):
    """An LGR_HOME of its own with a copy of the toy atlas."""
    home = tmp_path / "home"
    shutil.copytree(toy_home / "atlases", home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(home))
    return home


@pytest.fixture
def lgr(home, capsys):
    """Run ``lgr``; gives its code, standard output and standard error."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def answers(tmp_path):
    """A neighbour file with three reasons for trametinib in A549."""
    path = tmp_path / "answers.jsonl"
    neighbors = [{"molecule": d, "justification": text} for d, text in REASONS.items()]
    record = {
        "target_cell_type": "A549",
        "target_molecule": "Trametinib",
        "neighbors": neighbors,
        "source": "by hand",
    }
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return path


def test_the_audit_counts_claims_and_writes_each(lgr, answers, tmp_path):
    """Two of three reasons hold a claim; one mechanism is right, one wrong; no plate is known."""
    out = tmp_path / "claims.csv"
    asked = ("rationales", "audit", "--atlas", "toy", "--neighbors", answers, "--permutations", 2)
    code, printed, _ = lgr(*asked, "--out", out, "--json")
    assert code == 0
    rates = {row["kind"]: row for row in json.loads(printed)["rates"]}
    assert (rates["any"]["n_reasons"], rates["any"]["with_claim"]) == (3, 2)
    mechanism = rates["mechanism"]
    assert (mechanism["supported"], mechanism["contradicted"], mechanism["rate"]) == (1, 1, 0.5)
    assert rates["direction"]["not_measured"] == 1
    claims = pd.read_csv(out)
    assert claims["verdict"].tolist() == ["supported", "not_measured", "contradicted"]
    assert lgr(*asked, "--out", out, "--contradicted")[0] == 0
    assert pd.read_csv(out)["subject"].tolist() == ["Tofacitinib"]


def test_without_a_reason_there_is_nothing_to_audit(lgr, tmp_path):
    """Answers for drugs of another atlas."""
    path = tmp_path / "other.jsonl"
    path.write_text('{"target_cell_type": "A549", "target_molecule": "Z9", "neighbors": []}\n')
    code, _, err = lgr("rationales", "audit", "--atlas", "toy", "--neighbors", path)
    assert (code, "Z9" in err) == (4, False)


def test_predict_carries_reason_claims_and_verdicts(lgr, answers):
    """Beside each neighbour of a language model's answer, and of no other selector."""
    asked = ("predict", "--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib", "--json")
    code, printed, _ = lgr(*asked, "--selector", "llm", "--neighbors", answers, "--k", 3)
    assert code == 0
    found = {one["drug"]: one["claims"] for one in json.loads(printed)["neighbors"]}
    assert [claim["verdict"] for claim in found["Cobimetinib"]] == ["supported", "not_measured"]
    assert found["Vorinostat"] == []
    code, printed, _ = lgr(*asked, "--selector", "mechanism")
    assert "claims" not in json.loads(printed)["neighbors"][0]


FIELDS = {
    "shared_targets": ["MAP2K1"],
    "shared_pathway": "",
    "expected_direction": "same",
    "why_in_this_line": "It lowers EGR1 here.",
    "stated_confidence": 0.9,
}


def test_claims_come_from_the_fields_of_a_reason_too(lgr, tmp_path):
    """A neighbour without a sentence: its target holds, and no plate of the toy atlas is known."""
    path = tmp_path / "fields.jsonl"
    neighbors = [{"molecule": "Cobimetinib", "justification": "", **FIELDS}]
    record = {"target_cell_type": "A549", "target_molecule": "Trametinib", "neighbors": neighbors}
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    asked = ("predict", "--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib", "--json")
    code, printed, _ = lgr(*asked, "--selector", "llm", "--neighbors", path, "--k", 1)
    assert code == 0
    claims = json.loads(printed)["neighbors"][0]["claims"]
    assert [(c["kind"], c["subject"], c["what"], c["origin"], c["verdict"]) for c in claims] == [
        ("target", "Cobimetinib", "MAP2K1", "field", "supported"),
        ("target", "Trametinib", "MAP2K1", "field", "supported"),
        ("effect", "Cobimetinib", "Trametinib", "field", "not_measured"),
        ("direction", "Cobimetinib", "EGR1", "field", "not_measured"),
    ]
    assert claims[2]["relation"] == "same"
    audit = ("rationales", "audit", "--atlas", "toy", "--neighbors", path, "--permutations", 2)
    code, printed, _ = lgr(*audit, "--json")
    rates = {row["kind"]: row for row in json.loads(printed)["rates"]}
    assert (code, rates["target"]["supported"], rates["effect"]["n_claims"]) == (0, 2, 1)


def test_annotate_then_retrieval(lgr, answers, tmp_path):
    """Without annotation the score says how to get one; with it, recall stands beside chance."""
    asked = ("rationales", "retrieval", "--atlas", "toy", "--neighbors", answers, "--lines", "A549")
    code, _, err = lgr(*asked)
    assert (code, "lgr annotate toy" in err) == (4, True)
    table = tmp_path / "curated.csv"
    table.write_text("name,moa\ntrametinib,MEK inhibitor\nCobimetinib,MEK inhibitor\n")
    code, printed, _ = lgr("annotate", "toy", "--csv", table, "--json")
    assert code == 0
    assert (json.loads(printed)["matched"], json.loads(printed)["added"]) == (2, 2)
    code, printed, _ = lgr(*asked, "--k", 1, "--json")
    assert code == 0
    rows = {(r["pool"], r["selector"]): r for r in json.loads(printed)["retrieval"]}
    assert rows["all", "llm"]["recall"] == 1.0
    assert rows["all", "llm"]["n_queries"] == 1
    assert rows["all", "mechanism"]["n_queries"] == 2
    code, _, err = lgr("annotate", "toy", "--csv", table, "--column", "role=name")
    assert (code, "role" in err) == (3, True)


def test_review_merges_files_and_prints_agreement(lgr, tmp_path):
    """Two readers of one reason, who agree with each other and not with the audit."""
    head = "reader,judgement,cell_line,query,neighbor,reason,verdict\n"
    files = []
    for name in ("a", "b"):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text(f"{head},wrong,A549,Q,N,Because.,supported\n")
    code, printed, _ = lgr("rationales", "review", *files, "--json")
    assert code == 0
    found = {(r["a"], r["b"]): r["percent"] for r in json.loads(printed)["agreement"]}
    assert found == {("a", "b"): 100, ("a", "audit"): 0, ("b", "audit"): 0}
