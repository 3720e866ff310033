"""Shell, Python and page answer one question alike: the page's own recipes, run as they stand."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from lgr_core.answer import LGR_METHOD, METHODS, predict
from lgr_core.cli import main
from lgr_core.domain import Condition
from lgr_core.prediction.attribution import METHODS as WEIGHTED
from lgr_core.retrieval.selectors import SELECTORS
from pages.predict import recipes
from pages.shared import asking, evidence_state, state
from pages.shared.pickers import Asked
from pages.shared.question import Question
from tests.support.calibration_runs import calibrate
from tests.support.lab_atlas import LINES as LAB_LINES
from tests.support.lab_atlas import MECHANISMS, UNMEASURED

K = 4
DRUGS = tuple(drug for drugs in MECHANISMS.values() for drug in drugs)
QUESTIONS = (
    Question("lab", "LoVo", "Trametinib", 5.0, "llm", K),
    Question("lab", "HepG2/C3A", "Gefitinib", 5.0, "llm", K, once=True),
    Question("lab", "A549", UNMEASURED, 0.5, "llm", K),
)
"""Three lines, two doses; the last drug was measured in another line alone."""

RECORDED = ("own line", "other line", "none")
"""Where a language model was asked, if anywhere."""

SETTINGS = {
    "penalties": {"lines": 5.0, "drugs": 7.0},
    "pooled": 0.5,
    "drawn": 0.0,
    "sharpness": 0.0,
}
KERNEL = {"shares": {"llm": 0.8, "mechanism": 0.2}, "penalty": 2.0}
TUNED = {"best_evidence": {"kernel": KERNEL, "settings": SETTINGS}, "kriging": {"kernel": KERNEL}}
"""What a benchmark run has chosen; the language model's lists weigh most."""


@pytest.fixture
def home(own_home, monkeypatch):
    """A home without a model, a key, a pasted answer or, but for the test's, a recorded one."""
    for name in ("OPENAI_API_KEY", "LGR_LLM_BASE_URL", "LGR_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    # The shipped answers are of two of these drugs: the cases of this test would not be pure.
    monkeypatch.setattr("lgr_core.config.SHIPPED", own_home / "nothing")
    st.session_state.clear()
    return own_home


def record(home, line):
    """Write answers of a model for every drug, asked in one line: the next drugs of the list."""
    path = home / "neighbors" / "model.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for i, drug in enumerate(DRUGS):
            others = [DRUGS[(i + step) % len(DRUGS)] for step in range(2, 14)]
            asked = {"target_cell_type": line, "target_molecule": drug, "source": "a model"}
            named = {"neighbors": [{"molecule": name} for name in others]}
            file.write(json.dumps(asked | named) + "\n")


def prepare(home, lab, recorded, *, tuned):
    """Fill a home as a case says; of own lines, A549's answers are there as well."""
    if recorded != "none":
        record(home, "A549")
    if recorded == "own line":
        for line in LAB_LINES:
            record(home, line)
    if tuned:
        calibrate(home / "runs" / "a_run", lab)
        config = home / "runs" / "a_run" / "config.json"
        fitted = {"fitted": {"open_world-0": TUNED}}
        config.write_text(json.dumps(json.loads(config.read_text()) | fitted))


def on_the_page(question, method):
    """What the page computes; its own parts, where it does not offer the method."""
    store = state.store(question.atlas)
    if method == LGR_METHOD:
        return asking.answer(Asked(store, question, ())).answer
    query = Condition(question.cell_line, question.drug, question.dose_um)
    if method in WEIGHTED:
        return evidence_state.answer(store, method, query, question.k)
    return predict(
        store,
        cell_line=query.cell_line,
        drug=query.drug,
        dose_um=query.dose_um,
        method=method,
        k=question.k,
        reader=state.reader(store),
        selectors=lambda name: state.selector(name, store),
    )


def in_python(question, answer):
    """The vector of the Python lines."""
    scope = {}
    exec(recipes.python_lines(question, answer), scope)  # noqa: S102
    return scope["answer"]


def in_a_shell(question, answer, folder, capsys, monkeypatch):
    """The JSON of the shell line."""
    program, *words = shlex.split(recipes.shell_line(question, answer))
    assert program == "lgr"
    monkeypatch.chdir(folder)
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    assert (folder / "answer.csv").exists()
    return json.loads(capsys.readouterr().out)


def check_alike(question, method, folder, capsys, monkeypatch):
    """Ask in all three ways; gives the page's answer."""
    page = on_the_page(question, method)
    python = in_python(question, page)
    shell = in_a_shell(question, page, folder, capsys, monkeypatch)
    case = f"{method}, {question}"
    np.testing.assert_allclose(
        python.prediction.delta, page.prediction.delta, 1e-6, 1e-6, err_msg=case
    )
    np.testing.assert_allclose(shell["delta"], page.prediction.delta, 1e-6, 1e-6, err_msg=case)
    assert python.retrieval.drugs == page.retrieval.drugs
    assert [n["drug"] for n in shell["neighbors"]] == list(page.retrieval.drugs)
    for other in (python.prediction.fallback, shell["fallback"]):
        assert other == page.prediction.fallback
    return page


@pytest.mark.parametrize("recorded", RECORDED)
@pytest.mark.parametrize("selector", SELECTORS)
def test_neighbors_are_the_same(home, lab, tmp_path, capsys, monkeypatch, selector, recorded):
    """Every selector; of a language model's answers, the line's own before another's."""
    prepare(home, lab, recorded, tuned=False)
    for question in QUESTIONS:
        if selector == "oracle" and question.drug == UNMEASURED:
            continue  # there is no truth to rank by
        asked = replace(question, selector=selector)
        page = check_alike(asked, LGR_METHOD, tmp_path, capsys, monkeypatch)
        stands_in = selector == "llm" and recorded == "none"
        assert page.retrieval.selector == ("mechanism" if stands_in else selector)
        if selector == "llm" and not stands_in:
            line = question.cell_line if recorded == "own line" else "A549"
            assert page.retrieval.provenance["asked_in_line"] == line


WAYS = [(name, False) for name in METHODS if name != LGR_METHOD] + [(name, True) for name in TUNED]
"""Every method but that of the selectors; those that a run can tune, also tuned."""


@pytest.mark.parametrize("recorded", RECORDED)
@pytest.mark.parametrize(("method", "tuned"), WAYS)
def test_methods_are_the_same(home, lab, tmp_path, capsys, monkeypatch, method, recorded, tuned):
    """Every method, as it is and as a benchmark run has tuned it."""
    prepare(home, lab, recorded, tuned=tuned)
    for question in QUESTIONS[::2]:
        page = check_alike(question, method, tmp_path, capsys, monkeypatch)
        if method in TUNED and recorded != "none":
            assert ("0.8 llm" in page.prediction.provenance["settings"]) == tuned


@pytest.mark.parametrize("method", ["kriging", "hybrid", "best_evidence"])
def test_recorded_answers_matter(home, lab, method):
    """Or the cases above would be one: another line's answers change what is predicted."""
    question = QUESTIONS[2] if method == "best_evidence" else QUESTIONS[0]
    prepare(home, lab, "none", tuned=True)
    without = on_the_page(question, method).prediction.delta
    record(home, "A549")
    assert not np.allclose(on_the_page(question, method).prediction.delta, without, atol=1e-3)


def test_without_an_answer_the_shell_says_so(home, capsys):
    """Where the page, labelled, takes another selector, whoever names this one is told."""
    question = ("--atlas", "lab", "--cell-line", "LoVo", "--drug", "Trametinib")
    assert main(["predict", *question, "--selector", "llm"]) == 4
    assert capsys.readouterr().out == ""


def test_the_shell_names_the_line_that_was_asked(home, capsys):
    """If it is another; a scope that is named means what it says."""
    record(home, "A549")
    question = ("--atlas", "lab", "--cell-line", "LoVo", "--drug", "Trametinib")
    asked = ("retrieve", *question, "--selector", "llm")
    assert main([*asked]) == 0
    assert "asked for A549" in capsys.readouterr().out
    assert main([*asked, "--scope", "drug"]) == 0
    assert "asked for A549" in capsys.readouterr().out
    assert main([*asked, "--scope", "line"]) == 4
    record(home, "LoVo")
    capsys.readouterr()
    assert main([*asked]) == 0
    assert "asked for" not in capsys.readouterr().out


def test_a_scope_that_is_named_holds_for_methods_too(home, capsys):
    """Of scope line, kriging in LoVo knows none of A549's answers."""
    record(home, "A549")
    question = ("--atlas", "lab", "--cell-line", "LoVo", "--drug", "Trametinib")
    deltas = []
    for scope in ((), ("--scope", "drug"), ("--scope", "line")):
        assert main(["predict", *question, "--method", "kriging", *scope, "--json"]) == 0
        deltas.append(json.loads(capsys.readouterr().out)["delta"])
    assert deltas[0] == deltas[1]
    assert not np.allclose(deltas[0], deltas[2], atol=1e-3)


def test_an_edited_set_is_made_again_by_its_names(home):
    """In Python; a shell has no line for it."""
    question = replace(
        QUESTIONS[0], selector="mechanism", drop=("Cobimetinib",), add=("Erlotinib",)
    )
    page = on_the_page(question, LGR_METHOD)
    assert "Erlotinib" in page.retrieval.drugs
    python = in_python(question, page)
    np.testing.assert_allclose(python.prediction.delta, page.prediction.delta, 1e-6)
    assert recipes.shell_line(question, page) == ""


def test_a_pasted_answer_is_made_again_by_its_names(home):
    """It is in no file that a shell could read."""
    question = QUESTIONS[0]
    asked = Asked(state.store("lab"), question, ())
    st.session_state["pasted"] = {
        tuple(question.link().values()): "1. Erlotinib: a\n2. Afatinib: b"
    }
    page = asking.answer(asked).answer
    assert page.retrieval.drugs == ("Erlotinib", "Afatinib")
    python = in_python(question, page)
    np.testing.assert_allclose(python.prediction.delta, page.prediction.delta, 1e-6)
    assert recipes.shell_line(question, page) == ""


def test_a_dose_of_many_digits_is_written_whole(home):
    """Rounded, it would not be among those measured."""
    page = on_the_page(replace(QUESTIONS[0], selector="chemistry"), LGR_METHOD)
    for dose, word in (
        (9.53817421, "--dose=9.53817421"),
        (5.0, "--dose=5"),
        (1e-5, "--dose=1e-05"),
    ):
        words = shlex.split(recipes.shell_line(replace(QUESTIONS[0], dose_um=dose), page))
        assert word in words
