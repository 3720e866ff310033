"""Recorded and pasted answers on the command line: what is asked, kept, said and forgotten."""

import json

import pandas as pd
import pytest

from lgr_core.cli import main
from lgr_core.config import Settings
from lgr_core.llm.cache import AnswerCache

QUESTION = ("--atlas", "toy", "--cell-line", "A549", "--drug", "Mystery compound", "--dose", 5)
LLM = ("--selector", "llm")


@pytest.fixture
def shell(toy_home, tmp_path, monkeypatch, capsys):
    """Run ``lgr`` without a key, in a home of its own that shares the toy atlas."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "atlases").symlink_to(toy_home / "atlases")
    monkeypatch.setenv("LGR_HOME", str(home))
    for name in ("OPENAI_API_KEY", "LGR_LLM_BASE_URL", "LGR_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def reply(tmp_path):
    """A chatbot's answer as a file."""

    def write(text):
        path = tmp_path / "reply.txt"
        path.write_text(text)
        return path

    return write


def test_a_recorded_answer_says_on_screen_what_it_does_not_honour(shell, reply):
    """One line on standard error, the list in the JSON; nothing where all is honoured."""
    shell("import-reply", *QUESTION, reply("1. Vorinostat: yes."), "--source", "a chatbot")
    code, out, err = shell("retrieve", *QUESTION, *LLM)
    assert (code, err) == (0, "")
    assert "recorded in file by_hand.jsonl, source: a chatbot" in out
    flags = ("--model", "gpt-x", "--mode", "structured")
    for command in ("retrieve", "predict"):
        code, out, err = shell(command, *QUESTION, *LLM, *flags, "--json")
        said = json.loads(out)["provenance"]["selector"]
        assert said["not_honoured"] == ["model=gpt-x", "mode=structured"]
        settings = "model=gpt-x, mode=structured"
        assert err == f"lgr: Recorded answer (a chatbot): it was not asked with {settings}.\n"
    default = ("--model", "gpt-5.2-2025-12-11")
    assert "not asked with model=gpt-5.2" in shell("retrieve", *QUESTION, *LLM, *default)[2]
    usual = ("--temperature", "0", "--effort", "none", "--samples", "1", "--mode", "text")
    said = shell("retrieve", *QUESTION, *LLM, *usual)[2]
    assert "it was not asked with temperature=0.0, effort=none, samples=1.\n" in said


def test_kept_answers_are_listed_and_forgotten(shell, reply, tmp_path):
    """By key or by file; an unknown name is exit 4."""
    shell("import-reply", *QUESTION, reply("1. Vorinostat: yes."))
    record = {"target_cell_type": "A549", "target_molecule": "x", "neighbors": [{"molecule": "y"}]}
    (tmp_path / "mine.jsonl").write_text(json.dumps(record) + "\n")
    assert shell("cache", "import", tmp_path / "mine.jsonl")[0] == 0
    hand, mine = json.loads(shell("cache", "ls", "--json")[1])
    assert (hand["file"], hand["atlas"], hand["dose_um"]) == ("by_hand.jsonl", "toy", 5.0)
    assert (mine["file"], mine["atlas"], mine["dose_um"]) == ("mine.jsonl", "", None)
    assert "Mystery compound" in shell("cache", "ls")[1]
    assert shell("cache", "forget", "nothing")[0] == 4
    assert json.loads(shell("cache", "forget", hand["key"][:12], "--json")[1]) == {"forgotten": 1}
    assert shell("retrieve", *QUESTION, *LLM)[0] == 4
    assert shell("cache", "forget", "mine.jsonl")[1] == "forgotten: 1\n"
    assert json.loads(shell("cache", "ls", "--json")[1]) == []


def test_a_garbage_file_is_not_imported(shell, tmp_path):
    """Nothing of it could ever answer."""
    (tmp_path / "n.jsonl").write_text("garbage")
    code, out, err = shell("cache", "import", tmp_path / "n.jsonl")
    assert (code, out) == (3, "")
    assert "no line is a neighbour record" in err


def test_a_prompt_needs_no_key_whatever_the_policy(shell):
    """Nothing is sent."""
    plain = shell("prompt", *QUESTION)
    assert plain[0] == 0
    assert shell("prompt", *QUESTION, "--cache", "fill") == plain


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (("--selector", "random", "--k", "-1"), 2, "at least one neighbour"),
        (("--selector", "random", "--k", "0"), 2, "at least one neighbour"),
        (("--selector", "random", "--seed", "-1"), 2, "seed -1"),
        ((*LLM, "--cache", "fill", "--temperature", "nan"), 2, "temperature nan"),
        ((*LLM, "--cache", "fill", "--temperature", "2.5"), 2, "from 0 to 2"),
        ((*LLM, "--scope", "drug", "--scope-line", "A594"), 4, "Nearest: A549"),
        ((*LLM, "--neighbors", "/no/such.jsonl"), 3, "/no/such.jsonl"),
    ],
)
@pytest.mark.parametrize("command", ["retrieve", "predict"])
def test_senseless_flags_are_one_line_with_the_promised_code(shell, command, flags, code, says):
    """No traceback, nothing on standard output."""
    got, out, err = shell(command, *QUESTION, *flags)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_an_unknown_scope_line_is_not_rendered(shell):
    """A prompt for it would be carried to a chatbot in vain."""
    assert shell("prompt", *QUESTION, "--scope", "drug", "--scope-line", "Nowhere")[0] == 4


def test_out_makes_the_folders_that_are_missing(shell, tmp_path):
    """Of predict as of retrieve; not for an ending that is refused."""
    for command, name in (("predict", "p.csv"), ("retrieve", "n.jsonl")):
        assert shell(command, *QUESTION, "--out", tmp_path / command / "new" / name)[0] == 0
    assert len(pd.read_csv(tmp_path / "predict" / "new" / "p.csv")) == 6
    assert shell("predict", *QUESTION, "--out", tmp_path / "other" / "p.xlsx")[0] == 2
    assert not (tmp_path / "other").exists()


def test_the_source_of_an_answer_is_worded_once(shell, reply, tmp_path):
    """By hand with nobody named, then as it is recorded; and a file that names no source."""
    _, out, _ = shell("import-reply", *QUESTION, reply("1. Vorinostat: yes."))
    assert "(llm, entered by hand)" in out
    _, out, _ = shell("import-reply", *QUESTION, reply("1. Vorinostat: yes."), "--json")
    said = json.loads(out)["provenance"]["selector"]
    assert (said["answered_by"], said.get("source")) == ("hand", None)
    _, out, _ = shell("retrieve", *QUESTION, *LLM)
    assert "(llm, recorded in file by_hand.jsonl, source: by hand)" in out
    line = {"target_cell_type": "A549", "target_molecule": "Mystery compound"}
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({**line, "neighbors": [{"molecule": "Vorinostat"}]}))
    _, out, _ = shell("retrieve", *QUESTION, *LLM, "--neighbors", path)
    assert "(llm, recorded in file p.jsonl, source not stated)" in out


# -- side by side ----------------------------------------------------------------------------------


def _recorded(line, drug, *names):
    named = [{"molecule": name} for name in names]
    return json.dumps({"target_cell_type": line, "target_molecule": drug, "neighbors": named})


def test_all_known_answers_stand_side_by_side(shell, reply, tmp_path):
    """Pasted, recorded for this line and for another, and a chatbot's text, with their overlap."""
    shell("import-reply", *QUESTION, reply("1. Vorinostat: yes.\n2. Cobimetinib: no."))
    lines = [
        _recorded("LoVo", "Mystery compound", "Cobimetinib", "Vorinostat"),
        _recorded("A549", "Mystery compound", "Vorinostat", "Cobimetinib"),
        _recorded("A549", "Trametinib", "Vorinostat"),
        _recorded("A549", "Mystery compound (hydrochloride)", "Vorinostat"),
    ]
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("\n".join(lines) + "\n")
    text = reply("1. Trametinib: perhaps.")
    files = ("--file", theirs, "--file", text)
    code, out, _ = shell("answers", *QUESTION, "--k", 2, *files, "--json")
    assert code == 0
    found = json.loads(out)
    ranked = {one["label"]: [n["drug"] for n in one["neighbors"]] for one in found["answers"]}
    assert ranked == {
        "reply.txt": ["Trametinib"],
        "theirs.jsonl": ["Vorinostat", "Cobimetinib"],
        "theirs.jsonl, asked of Mystery compound (hydrochloride)": ["Vorinostat"],
        "theirs.jsonl, for LoVo": ["Cobimetinib", "Vorinostat"],
        "by_hand.jsonl": ["Vorinostat", "Cobimetinib"],
    }
    assert found["overlap"]["p"] == 0.9
    assert found["overlap"]["values"][2] == pytest.approx([0, 1, 1, 0.9, 1])
    best = found["consensus"]["drugs"][0]
    assert (best["drug"], best["n_answers"]) == ("Vorinostat", 4)
    assert best["score"] == pytest.approx(3 / 61 + 1 / 62)
    code, out, _ = shell("answers", *QUESTION, "--k", 2, *files)
    assert code == 0
    assert "[4] theirs.jsonl, for LoVo" in out
    assert "   [3]   0.00   1.00   1.00   0.90   1.00" in out
    assert " 1. Vorinostat: 0.0653, named by 4 of 5" in out


def test_cached_answers_of_several_models_stand_side_by_side(shell, tmp_path):
    """By model and template; what is cached of other questions does not count."""
    cache = AnswerCache(Settings(home=tmp_path / "home").answers)
    for model, name in (("gpt-x", "Vorinostat"), ("gpt-y", "Cobimetinib")):
        asked = json.loads(_recorded("A549", "Mystery compound", name))
        request = {"model": model, "template": "paper-A/1"}
        record = {**asked, "dose_um": 5.0, "raw": "", "reply": {}, "request": request}
        cache.put(model, record)
        cache.put(f"{model} low", {**record, "dose_um": 0.5})
        cache.put(f"{model} tags", {"raw": "", "reply": {}})
    code, out, _ = shell("answers", *QUESTION, "--json")
    assert code == 0
    found = json.loads(out)
    assert [one["label"] for one in found["answers"]] == ["gpt-x paper-A/1", "gpt-y paper-A/1"]
    assert found["overlap"]["values"][0] == pytest.approx([1, 0])


def test_a_question_without_answers_has_nothing_to_compare(shell, reply):
    """Exit 4; a text without a list is refused."""
    code, _, err = shell("answers", *QUESTION)
    assert code == 4
    assert "--file" in err
    assert shell("answers", *QUESTION, "--file", reply("I cannot say."))[0] == 3
