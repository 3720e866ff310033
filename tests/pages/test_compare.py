"""Compare: predicted against measured, all rivals, the band of random picks."""

import re

import pytest

from lgr_core.answer import predict
from lgr_core.answer.baselines import METHODS, STRIPS
from lgr_core.atlas.store import AtlasStore
from lgr_core.evaluation.registry import REGISTRY
from pages.shared import evidence_state
from tests.support.lab_atlas import UNMEASURED
from tests.support.rendered_page import figures, link, text


@pytest.fixture
def compared(opened):
    """A visit to the page with that link."""
    return lambda **link: opened(page="compare", **link)


def test_every_rival_is_scored_beside_the_prediction(compared, lab):
    """A row each, and the prediction's own numbers are those of the core."""
    app = compared()
    text(app)
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    table = app.dataframe[0].value
    baselines = [name for name in METHODS if name != "lgr_mechanism"]
    assert table["method"].tolist() == [
        "Mechanism (this prediction)",
        *(REGISTRY[name].label for name in baselines),
        "random picks, median",
    ]
    ours = table.iloc[0, 1 : 1 + len(STRIPS)].tolist()
    assert ours == pytest.approx([answer.metrics[name] for name in STRIPS])


def test_bars_strips_and_two_scatters_are_drawn(compared):
    """Marks for who has scores, a band a strip, and the rival's points beside ours."""
    _, ours, theirs, strips = figures(compared(rival="drug_mean"))
    names = {trace.get("name") for trace in strips["data"]}
    assert {"This prediction", "Drug mean", "Pool mean", "Oracle k"} <= names
    bands = [trace for trace in strips["data"] if trace.get("legendgroup") == "blind"]
    assert len(bands) == len(STRIPS)
    for scatter in (ours, theirs):
        counts = [re.search(r"n = (\d+)", trace.get("name", "")) for trace in scatter["data"]]
        assert sum(int(n[1]) for n in counts if n) == 120
    assert ours["data"][0] != theirs["data"][0]


def test_every_method_has_a_bar_with_its_number(compared, lab):
    """The repeat first, then the highest first; this prediction's number is the core's."""
    bars = figures(compared())[0]
    rows = [(bar["name"], bar["text"][0]) for bar in bars["data"] if bar["type"] == "bar"]
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    assert rows[0] == ("A repeat of the experiment", "no repeat")
    ours = f"<b>{answer.metrics['pearson_delta']:.2f}</b>"
    assert ("Mechanism (this prediction)", ours) in rows
    assert {name for name, _ in rows} >= {"Best evidence", "Drug mean", "Oracle k"}
    known = [float(text.strip("<b>/")) for _, text in rows if any(map(str.isdigit, text))]
    assert known == sorted(known, reverse=True)
    (band,) = [trace for trace in bars["data"] if trace["type"] == "scatter"]
    assert band["name"].startswith("random picks")


def test_scores_of_methods_that_read_the_drugs_own_wells_are_said_to_be_so(compared, monkeypatch):
    """Where all lines share their wells, the drug's mean in others is no new experiment."""
    words = "own wells in other lines"
    page = text(compared(method="lgr", selector="random"))
    assert "Drug mean (" in page
    assert words not in page
    pooled = property(lambda _: "yes", lambda _, value: None)
    monkeypatch.setattr(AtlasStore, "shared_wells", pooled, raising=False)
    assert words in text(compared(method="lgr", selector="random"))


def test_the_rival_is_in_the_link(compared):
    """Picked, linked, opened again; the default is left out of the address."""
    app = compared()
    assert "rival" not in link(app)
    app.selectbox(key="rival").select("chem_knn").run()
    assert link(app)["rival"] == "chem_knn"
    again = compared(rival="chem_knn")
    assert again.selectbox(key="rival").value == "chem_knn"
    assert text(again) == text(app)


def test_a_rival_without_an_answer_says_why(compared):
    """No drug of this atlas has a structure: chemistry has nothing to go by, and says so."""
    page = text(compared(drug="Compound 1", rival="chem_knn"))
    assert "has no answer: no structure is known" in page


def test_rivals_are_asked_once(compared, monkeypatch):
    """Another to hold against, or other neighbours as many, ask nobody again; another drug does."""
    asked = []
    compare = evidence_state.compare
    monkeypatch.setattr(
        evidence_state, "compare", lambda *a, **b: asked.append(a[1]) or compare(*a, **b)
    )
    for other in ({}, {"rival": "drug_mean"}, {"selector": "random"}):
        compared(drug="Gefitinib", **{"k": "3", **other})
    assert len(asked) == 1
    compared(drug="Erlotinib", k="3")
    assert len(asked) == 2


def test_the_fifty_strongest_add_up(compared):
    """Right, wrong and missed are fifty in all, for both sides."""
    page = text(compared())
    numbers = [int(n) for n in re.findall(r"</i>[\w ]+: <b>(\d+)</b>", page)]
    assert sum(numbers[:3]) == sum(numbers[3:]) == 50


def test_an_edited_set_is_compared_with_the_choice_it_came_from(compared):
    """Then the selector's own choice is a rival like others."""
    app = compared(drop="Cobimetinib")
    names = app.dataframe[0].value["method"].tolist()
    assert names[0] == "Hand (this prediction)"
    assert REGISTRY["lgr_mechanism"].label in names


def test_unmeasured_says_where_it_was_measured(compared):
    """Vorinostat was measured in LoVo alone; the way there is a link."""
    app = compared(drug=UNMEASURED)
    page = text(app)
    assert "was not measured, so nothing tells whether the prediction is right" in page
    (there,) = app.get("link_button")
    assert there.proto.label == "LoVo at 5 µM"
    assert there.proto.url == "./?atlas=lab&cell_line=LoVo&drug=Vorinostat&dose=5&look=truth"


def test_a_bad_link_explains_itself(compared):
    """One box, and the nearest view a click away."""
    app = compared(drug="Trametinob")
    assert text(app).count('role="alert"') == 1
    app.button(key="nearest").click().run()
    assert "Trametinib" in text(app)


def test_an_atlas_that_is_not_there_is_a_bad_link(compared):
    """Said, not crashed."""
    app = compared(atlas="nowhere")
    assert "atlas &#x27;nowhere&#x27;" in text(app)


def test_two_drugs_stand_side_by_side(compared, lab):
    """Each with its verdict; genes of both in one table; the other is in the link."""
    app = compared()
    before = len(figures(app))
    app.selectbox(key="other_drug").select("Cobimetinib").run()
    assert link(app)["other_drug"] == "Cobimetinib"
    assert len(figures(app)) == before + 2
    assert text(app).count("lgr-verdict") == 3
    assert "Cobimetinib in A549 at 5 µM" in text(app)
    both = next(frame.value for frame in app.dataframe if "direction" in frame.value)
    other = predict(lab, cell_line="A549", drug="Cobimetinib", selector="mechanism", k=5)
    values = dict(zip(other.genes, other.prediction.delta, strict=True))
    assert both.iloc[:, 2].tolist() == pytest.approx([values[gene] for gene in both["gene"]])
    assert set(both["direction"]) <= {"same", "opposite", "uncertain"}
    assert "of the left alone (1)" in text(app)


def test_two_lines_stand_side_by_side(compared):
    """By link; an unknown one is the same line."""
    assert "Trametinib in LoVo at 5 µM" in text(compared(other_line="LoVo"))
    assert text(compared(other_line="Nowhere")).count("lgr-verdict") == 1
