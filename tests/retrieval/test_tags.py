"""Mechanism tags by a language model: a closed list, cached, labelled with who wrote them."""

import json

import pytest

from lgr_core.cli import main
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import BadReplyError, BudgetError, NotFoundError
from lgr_core.llm.cache import AnswerCache
from lgr_core.retrieval.tags import CHUNK, TagInference
from tests.support.loopback_llm import FakeClient, LoopbackLLM

REPLY = """<Final Answer>
1. Trametinib: mek_inhibitor
2. Vorinostat: HDAC inhibitor, sorcery
3. Mystery compound: none
4. Aspirin: cox_inhibitor
</Final Answer>"""
DRUGS = ["Trametinib", "Vorinostat", "Mystery compound", "Cobimetinib"]


@pytest.fixture
def infer(tmp_path):
    """Infer tags with a queue of replies; the cache is kept between calls."""

    def run(*replies, drugs=DRUGS, client=True):
        fake = FakeClient(*replies)
        book, cache = MechanismAnnotations.load(), AnswerCache(tmp_path)
        inference = TagInference(book, cache, "a-model", "fake", fake if client else None)
        return inference.infer(drugs), fake

    return run


def test_tags_and_labels_are_read_others_are_told(infer):
    """A label leads to its tag; strange words, strange drugs and silence are kept apart."""
    report, _ = infer(REPLY)
    tags = {drug: note.tags for drug, note in report.annotations.items()}
    assert tags["Trametinib"] == ("mek_inhibitor",)
    assert tags["Vorinostat"] == ("hdac_inhibitor",)
    assert tags["Mystery compound"] == ()
    assert "Aspirin" not in tags
    assert (report.unknown, report.unanswered) == (("sorcery",), ("Cobimetinib",))
    assert report.annotations["Trametinib"].source == "inferred by a language model (a-model)"


def test_what_was_inferred_is_remembered(infer):
    """The second time nobody is asked, and no client is needed."""
    first, _ = infer(REPLY)
    assert infer(client=False)[0] == first


def test_without_memory_and_client_the_way_out_is_told(infer):
    """One clear error."""
    with pytest.raises(NotFoundError, match="lgr tags"):
        infer(client=False)


def test_long_lists_are_asked_in_parts(infer):
    """Thirty drugs are two requests, each with its own names."""
    drugs = [f"D{i:02d}" for i in range(CHUNK + 5)]
    _, fake = infer("1. D00: none", "1. D25: none", drugs=drugs)
    assert [request.prompt.count("\nD") for request in fake.history] == [CHUNK, 5]


def test_a_useless_answer_is_logged_not_kept(infer, tmp_path):
    """It can be asked again."""
    report, _ = infer("Sorry.")
    assert isinstance(report.stopped_by, BadReplyError)
    assert "0 of " in report.stopped_by.found
    assert (report.annotations, len(report.unanswered)) == ({}, len(DRUGS))
    assert len(AnswerCache(tmp_path)) == 0
    assert infer(REPLY)[0].annotations


def test_a_spent_budget_leaves_the_rest(infer):
    """The first list is answered, the second is not; both are told apart by drug."""
    drugs = [f"D{i:02d}" for i in range(CHUNK + 5)]
    reply = "\n".join(f"{i + 1}. {drug}: none" for i, drug in enumerate(drugs[:CHUNK]))
    report, _ = infer(reply, BudgetError("budget", "it is spent", "Stop."), drugs=drugs)
    assert list(report.annotations) == drugs[:CHUNK]
    assert report.unanswered == tuple(drugs[CHUNK:])
    assert isinstance(report.stopped_by, BudgetError)


@pytest.mark.parametrize("kept", [True, False], ids=["first", "from the cache"])
def test_drugs_without_an_answer_are_an_exit_code(toy_home, tmp_path, monkeypatch, capsys, kept):
    """Exit 5 with the count, also where the incomplete answer comes from the cache."""
    (tmp_path / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    with LoopbackLLM(lambda _: "1. Trametinib: mek_inhibitor\n2. Vorinostat: none") as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        if not kept:
            main(["tags", "--atlas", "toy"])
            capsys.readouterr()
        assert main(["tags", "--atlas", "toy", "--json"]) == 5
    out, err = capsys.readouterr()
    assert len(json.loads(out)["unanswered"]) == 5
    assert "5 of 7 drugs" in err
    assert "--model" in err


def test_a_budget_too_small_for_any_tag_is_exit_6(toy_home, tmp_path, monkeypatch, capsys):
    """Nothing can be priced within it, so all seven drugs are missing."""
    (tmp_path / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    monkeypatch.setenv("LGR_LLM_BUDGET_USD", "0.0")
    with LoopbackLLM(lambda _: "1. Trametinib: none") as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        assert main(["tags", "--atlas", "toy"]) == 6
    assert "7 of 7 drugs" in capsys.readouterr().err


def test_the_mechanism_selector_uses_them_from_the_shell(toy_home, tmp_path, monkeypatch, capsys):
    """``lgr tags`` asks once; ``--tags llm`` then ranks by the model's tags."""
    (tmp_path / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    lines = ["Trametinib: hdac_inhibitor", "Vorinostat: hdac_inhibitor", "Cobimetinib: none"]
    lines += ["Tofacitinib: none", "Tofacitinib (citrate): none", "Mystery compound: none"]
    lines += ["Topotecan (hydrochloride): none"]
    reply = "\n".join(f"{rank}. {line}" for rank, line in enumerate(lines, start=1))
    question = ["retrieve", "--atlas", "toy", "--cell-line", "A549", "--drug", "Trametinib"]
    question += ["--dose", "5", "--selector", "mechanism", "--tags", "llm", "--json"]
    with LoopbackLLM(lambda _: reply) as server:
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        assert main(question) == 4
        assert main(["tags", "--atlas", "toy", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["tags"]["Cobimetinib"] == []
        assert main(question) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["neighbors"][0]["drug"] == "Vorinostat"
    assert "language model" in found["provenance"]["selector"]["tags_of_query"]
