"""Mechanism tags by a language model: a closed list, cached, labelled with who wrote them."""

import json

import pytest
from loopback_llm import FakeClient, LoopbackLLM

from lgr_core.cli import main
from lgr_core.drugs.mechanisms import MechanismBook
from lgr_core.errors import BadReplyError, NotFoundError
from lgr_core.llm.cache import AnswerCache
from lgr_core.retrieval.tags import CHUNK, TagInference

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
        book, cache = MechanismBook.load(), AnswerCache(tmp_path)
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
    with pytest.raises(BadReplyError, match="0 of . lines of tags"):
        infer("Sorry.")
    assert len(AnswerCache(tmp_path)) == 0
    assert infer(REPLY)[0].annotations


def test_the_mechanism_selector_uses_them_from_the_shell(toy_home, tmp_path, monkeypatch, capsys):
    """``lgr tags`` asks once; ``--tags llm`` then ranks by the model's tags."""
    (tmp_path / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    reply = "1. Trametinib: hdac_inhibitor\n2. Vorinostat: hdac_inhibitor\n3. Cobimetinib: none"
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
