"""The language model on the page: recorded, asked live, pasted; keys and texts stay apart."""

import json

import pytest

from tests.support.loopback_faults import status
from tests.support.loopback_llm import LoopbackLLM
from tests.support.rendered_page import text, unfold
from tests.support.toy_atlas import DRUGS, build_toy

GOOD = "<Final Answer>\n1. Cobimetinib: blocks MEK too.\n2. Vorinostat: last.\n</Final Answer>"
HOSTILE = "1. Cobimetinib: <img src=x onerror=alert(1)> ![x](http://evil.example/x.png) **b** $x$"
MODEL = "gpt-5.2-2025-12-11"
REFUSED = status(401, "Incorrect API key provided: sk-visitors-own-key.")


@pytest.fixture
def view(visit, tmp_path, monkeypatch):
    """Open the toy atlas with a language model choosing, its box unfolded, in a home of its own."""
    build_toy(tmp_path / "atlases" / "toy")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("LGR_LLM_BASE_URL", raising=False)

    def open_page(**link):
        monkeypatch.setenv("LGR_HOME", str(tmp_path))
        return unfold(
            visit(atlas="toy", cell_line="A549", dose="5", selector="llm", **link), "guide"
        )

    return open_page


def paste(app, reply):
    """Paste an answer and use it."""
    app.text_area(key="reply").set_value(reply).run()
    return app.button(key="use_reply").click().run()


def test_without_an_answer_mechanism_stands_in_and_says_so(view):
    """Nothing is passed off as a language model's."""
    page = text(view(drug="Trametinib"))
    assert "No language model has answered for Trametinib in A549 at 5 µM yet" in page
    assert "Chosen by Mechanism" in page


def test_a_pasted_answer_ranks_in_its_own_session_only(view):
    """It can be forgotten again; another visitor never sees it."""
    app = paste(view(drug="Trametinib"), GOOD)
    assert "Ranked by the answer that you pasted" in text(app)
    assert "blocks MEK too." in text(app)
    assert any(code.value == GOOD for code in app.code), "the raw answer is shown"
    assert "blocks MEK too." not in text(view(drug="Trametinib"))
    app.button(key="drop_reply").click().run()
    assert "Chosen by Mechanism" in text(app)


def test_what_was_typed_stays_when_the_box_is_closed(view):
    """It is drawn only once it was opened, and from then on."""
    app = view(drug="Trametinib")
    app.text_area(key="reply").set_value(GOOD).run()
    app.session_state["guide"] = False
    assert app.run().text_area(key="reply").value == GOOD


def test_a_pasted_answer_outlives_an_edit_of_its_neighbours(view):
    """One is added by hand, forms of one compound count once: the others are still its own."""
    more = "3. Tofacitinib: x\n4. Tofacitinib (citrate): y\n</Final Answer>"
    app = paste(view(drug="Trametinib"), GOOD.replace("</Final Answer>", more))
    app.button(key="count_once").click().run()
    assert "blocks MEK too." in text(app)
    app.query_params["drop"] = "Vorinostat"
    app.run()
    assert "blocks MEK too." in text(app)
    assert "Edited by hand" in text(app)


def test_a_recorded_answer_says_which_settings_it_was_not_asked_with(view, tmp_path, monkeypatch):
    """The model that this installation names is not passed off as the one that answered."""
    names = [{"molecule": drug} for drug in DRUGS if drug != "Mystery compound"]
    record = {"target_cell_type": "A549", "target_molecule": "Mystery compound"}
    record |= {"neighbors": names, "source": "another model"}
    (tmp_path / "neighbors").mkdir()
    (tmp_path / "neighbors" / "n.jsonl").write_text(json.dumps(record) + "\n")
    page = text(view(drug="Mystery compound"))
    assert "Ranked by another model." in page
    assert "it was not asked with" not in page
    monkeypatch.setenv("LGR_LLM_MODEL", "gpt-x")
    page = text(view(drug="Mystery compound"))
    assert "Recorded answer (another model): it was not asked with model=gpt-x." in page


def test_a_useless_paste_is_one_box_and_the_view_stays(view):
    """What was on screen is kept."""
    app = paste(view(drug="Trametinib"), "I do not know.")
    assert text(app).count('role="alert"') == 1
    assert "without a ranked name" in text(app)
    assert "lgr-pick" in text(app)


def test_a_hostile_answer_is_shown_as_text(view):
    """No tag, picture or formula of it is rendered."""
    app = paste(view(drug="Trametinib"), HOSTILE)
    page = text(app)
    assert "&lt;img src=x onerror=alert(1)&gt; ![x](http://evil.example/x.png)" in page
    assert "<img src=x" not in page
    assert not [m for m in app.markdown if "evil.example" in m.value]


def test_a_visitor_asks_with_a_key_of_their_own(view, monkeypatch):
    """The answer is used and kept; the key is in no file, link or page, and in no other session."""
    key = "sk-visitors-own-key"
    with LoopbackLLM(lambda _: GOOD) as server:
        monkeypatch.setattr("lgr_core.llm.endpoint._is_openai", lambda _: True)
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        app = view(drug="Trametinib")
        assert app.button(key="ask").disabled
        app.text_input(key="llm_key").set_value(key).run()
        app.button(key="ask").click().run()
        assert "blocks MEK too." in text(app)
        assert f"Ranked by {MODEL}." in text(app)
        assert server.history[0].headers["authorization"] == f"Bearer {key}"
        other = view(drug="Trametinib")
    assert "blocks MEK too." in text(other), "answers are shared, keys are not"
    assert other.text_input(key="llm_key").value == ""
    assert key not in text(app) + str(dict(app.query_params))


def test_the_key_is_in_no_file(view, monkeypatch, tmp_path):
    """Neither cache nor log holds it, also where the server echoes it in a refusal."""
    with LoopbackLLM(lambda _: GOOD, script=[REFUSED]) as server:
        monkeypatch.setattr("lgr_core.llm.endpoint._is_openai", lambda _: True)
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        app = view(drug="Trametinib")
        app.text_input(key="llm_key").set_value("sk-visitors-own-key").run()
        app.button(key="ask").click().run()
        assert text(app).count('role="alert"') == 1
        assert "lgr-pick" in text(app), "what was on screen is kept"
        assert "sk-visitors-own-key" not in text(app)
        app.button(key="ask").click().run()
        assert "blocks MEK too." in text(app)
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"sk-visitors" in path.read_bytes()]


def test_the_operators_key_is_bound_to_the_operators_budget(view, monkeypatch):
    """A spent budget is one box; nothing is sent."""
    with LoopbackLLM(lambda _: GOOD) as server:
        monkeypatch.setattr("lgr_core.llm.endpoint._is_openai", lambda _: True)
        monkeypatch.setenv("LGR_LLM_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
        monkeypatch.setenv("LGR_LLM_BUDGET_USD", "0.0001")
        app = view(drug="Trametinib")
        boxes = [box.key for box in app.text_input]
        assert "llm_key" not in boxes, "a visitor need not bring a key"
        app.button(key="ask").click().run()
        assert "Raise the limit" in text(app)
        assert server.history == []
        monkeypatch.setenv("LGR_LLM_BUDGET_USD", "1")
        app.button(key="ask").click().run()
        assert "blocks MEK too." in text(app)


def test_the_price_is_in_view_before_anything_is_asked(view):
    """Model, tokens and cost stand above the button."""
    page = text(view(drug="Trametinib"))
    assert f"One question to {MODEL}" in page
    assert "tokens in, 450 out (about $0.0" in page


def test_the_prompt_is_there_to_copy(view):
    """The same text that the shell prints."""
    app = view(drug="Trametinib")
    prompts = [c.value for c in app.code if c.value.startswith("Candidate Molecules")]
    assert prompts
    assert "Anchor molecule: Trametinib\nCell line: A549" in prompts[0]
