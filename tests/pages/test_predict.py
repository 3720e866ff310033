"""The first page: a finished example, every picker in the link, and no way to break it."""

import json
import shutil
from html import escape

import pytest

from lgr_core.answer import predict
from lgr_core.domain import Proposal, Selection
from lgr_core.errors import InputError
from pages.shared import demo_build, state
from tests.support.lab_atlas import HOSTILE, IMAGE, MARKDOWN, UNMEASURED, build_lab
from tests.support.rendered_page import TIP, recipes, unfold
from tests.support.toy_atlas import build_toy

FIELDS = ("atlas", "cell_line", "drug", "dose", "selector", "k")


def text(app):
    """All HTML of a page as one string; nothing may have crashed on the way."""
    assert not app.exception, app.exception
    return TIP.sub(r"\1", "\n".join(b.body for b in app.html if "<style>" not in b.body))


def link(app):
    """The link that the page stands for."""
    given = {key: one(value) for key, value in app.query_params.items()}
    assert set(given) == set(FIELDS)
    return given


def one(value):
    """A query parameter's value; the test harness gives some as lists."""
    return value if isinstance(value, str) else value[-1]


def figures(app):
    """The plotly figures of a page, as the browser gets them."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


# -- what is seen ----------------------------------------------------------------------------------


def test_the_page_opens_on_a_finished_example(visit):
    """Trametinib in A549, with neighbours, genes, truth and metrics, before any click."""
    app = visit()
    page = text(app)
    assert "Trametinib" in page
    assert page.count('class="lgr-pick"') == 8
    assert "Pearson r <b>" in page
    assert len(figures(app)) == 2
    assert link(app) == {
        "atlas": "lab",
        "cell_line": "A549",
        "drug": "Trametinib",
        "dose": "5",
        "selector": "llm",
        "k": "10",
    }
    assert "No language model has answered for Trametinib in A549 at 5 µM yet" in page
    assert "Chosen by Mechanism" in page


def test_the_badge_says_what_the_numbers_are(visit):
    """Measured or simulated, atlas, unit and n stand at the top."""
    page = text(visit())
    assert "Measured data" in page
    assert "log2 fold change" in page
    assert "69 conditions of 3 lines and 18 drugs" in page
    assert "Simulated" not in page


def test_simulated_data_say_so_on_every_page(visit, lab, tmp_path, monkeypatch, toy_home):
    """The words stand on the prediction and on the page about the data."""
    home = tmp_path / "home"
    shutil.copytree(toy_home, home)
    build_toy(home / "atlases" / "demo", simulated=True)
    monkeypatch.setenv("LGR_HOME", str(home))
    app = visit(atlas="demo")
    assert "Simulated data" in text(app)
    assert "Simulated data" in text(app.switch_page("pages/views/data.py").run())


def test_what_is_shown_is_what_the_core_answers(visit, lab):
    """Neighbours, bars and the headline's r are those of one call of predict."""
    app = visit(cell_line="LoVo", drug="Erlotinib", selector="chemistry", k="4")
    answer = predict(lab, cell_line="LoVo", drug="Erlotinib", selector="chemistry", k=4)
    page = text(app)
    for neighbor in answer.retrieval.neighbors:
        assert f'<th scope="row">{escape(neighbor.drug)}</th>' in page
    assert f"Pearson r <b>{answer.metrics['pearson_delta']:.2f}</b>" in page
    bars = figures(app)[0]["data"][0]
    assert bars["customdata"][0] == answer.genes[answer.prediction.delta.argmax()]


def test_another_drug_another_page(visit):
    """A pick redraws everything and enters the link."""
    app = visit(selector="mechanism")
    app.selectbox(key="drug").select("Afatinib").run()
    assert "Afatinib <span" in text(app)
    assert link(app)["drug"] == "Afatinib"
    app.selectbox(key="cell_line").select("HepG2/C3A").run()
    assert "HepG2/C3A" in text(app)
    app.slider(key="k").set_value(3).run()
    assert text(app).count('class="lgr-pick"') == 3
    assert link(app)["k"] == "3"


def test_a_link_reopens_the_same_view(visit):
    """What one visitor's address says, another sees."""
    first = visit()
    first.selectbox(key="drug").select("Gefitinib").run()
    first.selectbox(key="selector").select("random").run()
    first.selectbox(key="dose").select("0.5").run()
    second = visit(**link(first))
    assert text(second) == text(first)


def test_an_unmeasured_drug_is_predicted_without_truth(visit):
    """It is marked in the list, and the page says that nothing was measured."""
    app = visit(drug=UNMEASURED)
    page = text(app)
    assert "Not measured: this atlas holds no measured change of Vorinostat in A549" in page
    assert "Pearson r <b>" not in page
    assert len(figures(app)) == 1
    marked = [label for label in app.selectbox(key="drug").options if "not measured here" in label]
    assert [label.split(" · ")[0] for label in marked] == [UNMEASURED]


def test_a_pick_of_another_drug_or_line_keeps_the_dose_only_if_it_was_measured(visit):
    """0.5 µM is measured in A549 alone."""
    app = visit(dose="0.5")
    app.selectbox(key="drug").select("Afatinib").run()
    assert link(app)["dose"] == "0.5"
    app.selectbox(key="cell_line").select("LoVo").run()
    assert link(app)["dose"] == "5"
    assert "lgr-box" not in text(app)


def test_another_atlas_keeps_line_and_drug_where_it_has_them(visit):
    """Trametinib in LoVo is in both; Afatinib is not in the other, and the page says so."""
    app = visit(cell_line="LoVo")
    app.selectbox(key="atlas").select("toy").run()
    assert (link(app)["cell_line"], link(app)["drug"]) == ("LoVo", "Trametinib")
    app = visit(cell_line="LoVo", drug="Afatinib")
    app.selectbox(key="atlas").select("toy").run()
    assert link(app)["cell_line"] == "LoVo"
    assert "drug &#x27;Afatinib&#x27;: this atlas has no such drug" in text(app)


def test_controls_are_labelled(visit):
    """Random and Oracle say in the list and on the page that they are controls."""
    app = visit(selector="oracle")
    labels = app.selectbox(key="selector").options
    assert [label for label in labels if "(control)" in label] == [
        "Random (control)",
        "Oracle (control)",
    ]
    assert "Oracle is a control, not a method" in text(app)


def test_fewer_neighbours_than_asked_are_said(visit):
    """Eight of ten share anything; the page says eight."""
    assert "Only 8 of 10 neighbours were found and averaged." in text(visit())


def test_no_neighbour_falls_back_and_says_so(visit):
    """Nothing is known of Compound 1: the pool mean answers, labelled."""
    page = text(visit(drug="Compound 1"))
    assert "With no neighbour, the mean of all" in page
    assert "the answer is the fallback, pool_mean" in page


def test_twins_are_left_out_and_flagged(visit):
    """Another form of the query is named as left out; two forms among neighbours are flagged."""
    page = text(visit(atlas="toy", drug="Tofacitinib"))
    assert "Left out as forms of the same compound: Tofacitinib (citrate)." in page
    page = text(visit(atlas="toy", drug="Trametinib", selector="random", k="50"))
    assert "same compound as Tofacitinib" in page


def test_the_recipe_reproduces_the_view(visit, lab_home):
    """The Python lines, run as they stand, give the neighbours shown."""
    app = unfold(visit(drug="Gefitinib", selector="random", k="5", dose="0.5"))
    python, shell, _ = recipes(app)
    scope = {}
    exec(python, scope)  # noqa: S102
    for drug in scope["answer"].retrieval.drugs:
        assert f'<th scope="row">{escape(drug)}</th>' in text(app)
    assert shell.startswith("lgr predict --atlas=lab --cell-line=A549 --drug=Gefitinib --dose=0.5")


def test_how_it_was_made_is_written_when_it_is_opened(visit):
    """Nobody waits for it before, and it stays open for the next drug."""
    app = visit(selector="mechanism")
    assert not any("import lgr_core" in block.value for block in app.code)
    app = unfold(app).selectbox(key="drug").select("Gefitinib").run()
    assert any("import lgr_core" in block.value for block in app.code)


def test_what_a_selector_recorded_is_told_in_words(visit):
    """As a table; the record itself is folded."""
    app = unfold(visit(selector="chemistry", atlas="lab"))
    page = text(app)
    assert "<th>drugs here without a structure</th><td>" in page
    assert "without_structure" not in page
    assert json.loads(app.json[0].value).keys() == {"without_structure"}


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"atlas": "labb"}, "atlas &#x27;labb&#x27;"),
        ({"cell_line": "MCF7"}, "cell line &#x27;MCF7&#x27;"),
        ({"drug": "Trametinob"}, "Nearest: Trametinib"),
        ({"dose": "3"}, "measured there: 5 µM, 0.5 µM"),
        ({"dose": "nan"}, "dose &#x27;nan&#x27;"),
        ({"dose": "-1e400"}, "dose &#x27;-1e400&#x27;"),
        ({"selector": "magic"}, "selector &#x27;magic&#x27;"),
        ({"k": "0"}, "a whole number from 1 to 50"),
        ({"k": "ten"}, "a whole number from 1 to 50"),
        ({"k": "²"}, "a whole number from 1 to 50"),
        ({"k": "9" * 400}, "a whole number from 1 to 50"),
        ({"drug": HOSTILE[0] + "?"}, "&lt;img src=x"),
        ({"drug": "\x00", "cell_line": "\u202e"}, "cell line"),
    ],
)
def test_a_bad_link_explains_itself_and_offers_the_nearest_view(visit, bad, words):
    """One box, no prediction under a wrong address, and one click to a view that exists."""
    app = visit(**bad)
    page = text(app)
    assert page.count('role="alert"') == 1
    assert words in page
    assert "lgr-pick" not in page
    app.button(key="nearest").click().run()
    assert "lgr-pick" in text(app)
    assert "lgr-box" not in text(app)
    link(app)


def test_a_bad_link_names_all_that_is_wrong_in_one_box(visit):
    """Three wrong fields are three lines of one box."""
    page = text(visit(cell_line="MCF7", k="-1", selector="magic"))
    assert page.count('role="alert"') == 1
    assert page.count("<li>") == 3


def test_a_pick_also_leads_out_of_a_bad_link(visit):
    """The pickers stay, at the nearest view."""
    app = visit(drug="nonsense")
    app.selectbox(key="drug").select("Afatinib").run()
    assert "Afatinib <span" in text(app)


def test_names_in_a_link_are_read_by_their_closest_form(visit):
    """Case, ids and aliases lead to the line and drug meant, and the page says so."""
    app = visit(cell_line="a549", drug="GSK1120212")
    assert (link(app)["cell_line"], link(app)["drug"]) == ("A549", "Trametinib")
    assert "&#x27;GSK1120212&#x27; was read as &#x27;Trametinib&#x27;." in text(app)


def test_strange_parameters_are_left_alone(visit):
    """A field that is not ours neither matters nor vanishes; an empty one is not asked."""
    app = visit(utm="1", drug="", k=" ")
    assert "Trametinib" in text(app)
    assert one(app.query_params["utm"]) == "1"


# -- hostile names ---------------------------------------------------------------------------------


@pytest.mark.parametrize("drug", HOSTILE)
def test_hostile_names_are_shown_as_text(visit, drug):
    """As query, as neighbour, in the reason, in figures and tables: text, never markup."""
    app = visit(drug=drug)
    page = text(app)
    assert escape(drug) in page
    assert IMAGE not in page
    for words in (*app.markdown, *app.caption, *app.title, *app.header):
        assert MARKDOWN not in words.value
    assert "<img src=x" not in json.dumps(figures(app))
    neighbour = visit(selector="oracle", k="15")
    assert IMAGE not in text(neighbour)
    assert escape(IMAGE) in text(neighbour)
    assert "<img src=x" not in json.dumps(figures(neighbour))


class Chatty:
    """A selector that says what a careless model might say."""

    name = "chatty"
    evidence = frozenset()

    def select(self, pool, k, view):
        """One drug of the pool with a hostile reason, and five that cannot be believed."""
        said = (pool.drugs[3], IMAGE + MARKDOWN), ("Aspirin", ""), ("Trametinib", "")
        again = (pool.drugs[3].lower(), ""), (MARKDOWN + IMAGE, ""), (pool.drugs[4], "late")
        return Selection(tuple(Proposal(*words) for words in (*said, *again)))


def test_a_careless_selector_is_shown_with_all_that_was_not_believed(visit, monkeypatch):
    """Its reason is text, and each proposal that was refused stands with the reason why."""
    monkeypatch.setattr(state, "selector", lambda name, atlas: Chatty())
    page = text(visit(selector="mechanism", k="1"))
    assert page.count('class="lgr-pick"') == 1
    assert escape(IMAGE + MARKDOWN) in page
    assert IMAGE not in page
    for words in (
        "<th>Aspirin</th><td>not among the drugs measured",
        "<th>Trametinib</th><td>the drug that was asked about",
        "<td>named before",
        "<td>beyond the number of neighbours asked for",
    ):
        assert words in page


def test_hostile_names_do_not_reach_the_shell(visit):
    """The shell line quotes them."""
    shell = unfold(visit(drug=IMAGE, selector="mechanism")).code[1].value
    assert f"'--drug={IMAGE}'" in shell


# -- what fails ------------------------------------------------------------------------------------


def test_a_refused_question_is_one_box_and_the_app_goes_on(visit):
    """The oracle has no truth for an unmeasured drug; another selector has no need of it."""
    app = visit(drug=UNMEASURED, selector="oracle")
    assert text(app).count('role="alert"') == 1
    app.selectbox(key="selector").select("mechanism").run()
    assert "lgr-pick" in text(app)


def test_a_broken_atlas_is_one_box_and_another_can_be_picked(
    visit, lab_home, tmp_path, monkeypatch
):
    """A damaged index spoils its own atlas only."""
    home = tmp_path / "home"
    shutil.copytree(lab_home, home)
    (home / "atlases" / "lab" / "index.duckdb").write_bytes(b"not a database")
    monkeypatch.setenv("LGR_HOME", str(home))
    app = visit(atlas="lab")
    assert text(app).count('role="alert"') == 1
    app.selectbox(key="atlas").select("toy").run()
    assert "lgr-pick" in text(app)


def test_a_rebuilt_atlas_is_picked_up(visit, tmp_path, monkeypatch):
    """The next click after a build shows the new one."""
    home = tmp_path / "home"
    build_lab(home / "atlases" / "lab", tmp_path)
    monkeypatch.setenv("LGR_HOME", str(home))
    app = unfold(visit())
    before = state.store("lab").build_id
    assert before in text(app)
    shutil.rmtree(home / "atlases" / "lab")
    build_lab(home / "atlases" / "lab", tmp_path, seed=8)
    app.run()
    assert before not in text(app)
    assert state.store("lab").build_id in text(app)


# -- first start -----------------------------------------------------------------------------------


def fake_demo(monkeypatch, behave):
    """Stand in for the simulation; ``behave`` is called with the folder and the progress."""
    calls = []

    def ingest_demo(folder, *, progress):
        calls.append(folder)
        progress("simulate", 1, 2)
        return behave(folder)

    monkeypatch.setattr(demo_build, "ingest_demo", ingest_demo)
    return calls


def test_an_empty_home_builds_the_demo_and_shows_it(visit, tmp_path, monkeypatch):
    """Whoever starts the app for the first time sees an example, not an instruction."""
    calls = fake_demo(monkeypatch, lambda folder: build_lab(folder, tmp_path))
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "empty"))
    app = visit()
    assert "Trametinib" in text(app)
    assert link(app)["atlas"] == "demo"
    visit()
    assert len(calls) == 1


@pytest.mark.parametrize("error", [InputError("demo", "no room", "Make room."), OSError("no room")])
def test_a_failing_build_is_one_box_and_can_be_tried_again(visit, tmp_path, monkeypatch, error):
    """The box says why; after the cause is gone, one click builds it."""

    def fail(folder):
        raise error

    fake_demo(monkeypatch, fail)
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "empty"))
    app = visit()
    assert text(app).count('role="alert"') == 1
    assert "no room" in text(app)
    fake_demo(monkeypatch, lambda folder: build_lab(folder, tmp_path))
    app.button(key="again").click().run()
    assert "lgr-pick" in text(app)


def test_a_build_that_crashes_is_not_hidden(visit, tmp_path, monkeypatch):
    """Only expected failures become a box."""

    def crash(folder):
        raise ZeroDivisionError

    fake_demo(monkeypatch, crash)
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "empty"))
    app = visit()
    assert app.exception


# -- many visitors ---------------------------------------------------------------------------------


def test_visitors_do_not_disturb_each_other(visit):
    """What one picks, the other does not see."""
    first, second = visit(), visit()
    first.selectbox(key="drug").select("Afatinib").run()
    second.run()
    assert link(second)["drug"] == "Trametinib"
    assert link(first)["drug"] == "Afatinib"


def test_a_pick_wins_over_an_address_that_lags_behind(visit):
    """A click sent before the browser has changed its address is not taken back."""
    app = visit()
    app.selectbox(key="drug").select("Afatinib").run()
    app.query_params["drug"] = "Trametinib"
    app.selectbox(key="selector").select("chemistry").run()
    assert link(app)["drug"] == "Afatinib"


def test_the_pages_share_the_question(visit):
    """From the page about the data one returns to the view that was left."""
    app = visit(drug="Gefitinib")
    app.switch_page("pages/views/data.py").run()
    assert "About this data" in text(app)
    app.switch_page("pages/views/predict.py").run()
    assert link(app)["drug"] == "Gefitinib"
