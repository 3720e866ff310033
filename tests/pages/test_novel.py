"""A drug that is not in the list: typed in, linked, and never found in its own pool."""

import pytest

from lgr_core.figures.prediction import NOISE
from tests.support.rendered_page import figures, link, recipes, text, unfold
from tests.support.toy_atlas import DRUGS

TOY = {"atlas": "toy", "cell_line": "A549", "selector": "chemistry", "k": "3"}


def typed(app, **given):
    """Fill the form and send it."""
    for field, value in given.items():
        app.text_input(key=f"novel_{field}").set_value(value)
    return app.button(key="novel_go").click().run()


def test_a_structure_typed_in_is_predicted(visit):
    """Its twin is named as left out, its picture drawn, and the link asks it again."""
    app = typed(visit(**TOY), name="LGR-1", smiles=DRUGS["Trametinib"])
    page = text(app)
    assert "LGR-1 <span" in page
    assert "LGR-1 is not in this atlas. Its structure was standardised." in page
    assert f"You gave its structure {DRUGS['Trametinib'][:60]}…." in page
    assert "Left out as forms of the same compound: Trametinib." in page
    assert '<th scope="row">Trametinib</th>' not in page
    assert 'alt="structure of LGR-1"' in page
    assert "It was not measured here" in page
    asked = link(app)
    assert (asked["drug"], asked["new"], asked["smiles"]) == ("LGR-1", "1", DRUGS["Trametinib"])
    shown = [[part.body for part in one.main.get("html")] for one in (app, visit(**asked))]
    assert shown[0] == shown[1]


def test_a_structure_alone_is_likened_by_chemistry_where_no_model_has_answered(visit):
    """Nothing is known of what it does; with a mechanism, that would choose."""
    asked = {**TOY, "selector": "llm"}
    app = typed(visit(**asked), name="LGR-3", smiles="CCOC(=O)c1ccccc1Cl")
    assert "neighbours are chosen by chemistry instead" in text(app)
    app = typed(visit(**asked), name="LGR-4", smiles="CCOC(=O)c1ccccc1Cl", moa="MEK inhibitor")
    assert "neighbours are chosen by mechanism instead" in text(app)


def test_a_name_alone_is_enough_for_mechanism(visit):
    """The shipped annotations know it; what is said of it counts where they do not."""
    app = typed(visit(**{**TOY, "selector": "mechanism"}), name="Binimetinib")
    assert "You gave its name alone." in text(app)
    assert '<th scope="row">Trametinib</th>' in text(app)
    app = typed(visit(**{**TOY, "selector": "mechanism"}), name="LGR-2", moa="MEK inhibitor")
    assert '<th scope="row">Trametinib</th>' in text(app)
    assert link(app)["moa"] == "MEK inhibitor"
    assert "You gave its mechanism MEK inhibitor." in text(app)


def test_a_measured_drug_typed_as_new_is_opened(visit):
    """It has measurements: no prediction without them is made."""
    app = typed(visit(**TOY), name="Trametinib")
    assert "Trametinib <span" in text(app)
    assert "new" not in link(app)


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(visit):
    """The view stays as well, and the form can be mended and sent."""
    before = visit(**TOY)
    app = typed(before, name="LGR-3", smiles="C1CC")
    assert "Trametinib <span" in text(app)
    assert text(app).count("lgr-field-error") == 1
    assert "This is no structure" in text(app)
    assert "new" not in link(app)
    assert app.text_input(key="novel_smiles").value == "C1CC"
    assert app.text_input(key="novel_name").value == "LGR-3"
    app = typed(app, smiles=DRUGS["Vorinostat"])
    assert "LGR-3 <span" in text(app)
    assert "lgr-field-error" not in text(app)


def test_an_empty_form_asks_for_a_name_or_a_structure(visit):
    """Nothing else happens."""
    app = typed(visit(**TOY))
    assert "Give a name or a structure first." in text(app)
    assert "new" not in link(app)


def test_the_form_draws_the_structure_and_names_who_is_near(visit):
    """Of the atlas's drugs, the same compound first."""
    app = visit(**TOY)
    app.text_input(key="novel_smiles").set_value(DRUGS["Trametinib"]).run()
    assert 'alt="structure of the new drug"' in text(app)
    assert "Most alike in structure, of those measured: Trametinib (1.00)" in text(app)
    assert "would help" not in text(app)


def test_the_form_asks_for_a_mechanism_where_it_would_help(visit):
    """With a name that nobody knows; not once words that are known were given."""
    app = visit(**TOY)
    app.text_input(key="novel_name").set_value("LGR-10").run()
    assert "A mechanism or a target would help: nothing is known of it yet." in text(app)
    app.text_input(key="novel_moa").set_value("xyzzy").run()
    assert "No mechanism or gene is known by these words" in text(app)
    app.text_input(key="novel_moa").set_value("MEK inhibitor").run()
    assert "would help" not in text(app)


@pytest.mark.parametrize("selector", ["mechanism", "chemistry", "llm"])
def test_a_drug_of_which_nothing_is_known_has_no_coloured_gene(visit, selector):
    """There is no neighbour: what is shown is the mean of all, in grey."""
    app = typed(visit(**{**TOY, "selector": selector}), name="LGR-11")
    assert "No measured drug was found to be like it." in text(app)
    bars = figures(app)[0]["data"][0]
    assert bars["marker"]["color"] == NOISE
    assert 'class="lgr-up"' not in text(app).split("lgr-section", 1)[0]


def test_a_bad_structure_in_a_link_is_a_bad_link(visit):
    """One box, and the nearest view a click away."""
    app = visit(**TOY, drug="LGR-4", new="1", smiles="C1CC")
    assert text(app).count('role="alert"') == 1
    app.button(key="nearest").click().run()
    assert "Trametinib <span" in text(app)
    assert "new" not in link(app)


def test_the_list_leads_back_to_the_atlas(visit):
    """A drug picked from it is the one asked for, and nothing of the new one stays in the link."""
    app = typed(visit(**TOY), name="LGR-5", smiles=DRUGS["Trametinib"])
    app.selectbox(key="drug").select("Vorinostat").run()
    assert "Vorinostat <span" in text(app)
    assert set(link(app)) == {"atlas", "cell_line", "drug", "dose", "selector", "k"}
    assert "LGR-5" not in str(app.selectbox(key="drug").options)


def test_a_new_drug_keeps_to_its_visitor(visit):
    """Another visitor's list does not hold it."""
    typed(visit(**TOY), name="LGR-6", smiles=DRUGS["Vorinostat"])
    assert "LGR-6" not in str(visit(**TOY).selectbox(key="drug").options)


@pytest.mark.parametrize("page", ["neighbors", "compare", "find", "browse", "data"])
def test_other_pages_bear_with_it(visit, page):
    """They show it, or the atlas's own; none crashes."""
    app = typed(visit(**TOY), name="LGR-7", smiles=DRUGS["Vorinostat"])
    text(app.switch_page(f"pages/views/{page}.py").run())


def test_the_recipe_makes_it_again(visit):
    """The Python lines give the same neighbours; the shell has no line for it."""
    app = unfold(typed(visit(**TOY), name="LGR-8", smiles=DRUGS["Trametinib"]))
    python = next(code.value for code in app.code if "import lgr_core" in code.value)
    words = recipes(app)[-1]
    assert not [code for code in app.code if code.value.startswith("lgr predict")]
    scope = {}
    exec(python, scope)  # noqa: S102
    for drug in scope["answer"].retrieval.drugs:
        assert f'<th scope="row">{drug}</th>' in text(app)
    assert words.startswith("The effect of LGR-8 in A549 at 5 µM was predicted by retrieval")
    assert "Left out, since they share a compound with it: Trametinib." in words


def test_a_language_model_may_be_asked_about_it(visit):
    """Its name stands in the prompt, its twin is not among the candidates."""
    app = typed(visit(**{**TOY, "selector": "llm"}), name="LGR-9", smiles=DRUGS["Trametinib"])
    app = unfold(app, "guide")
    prompt = next(code.value for code in app.code if "LGR-9" in code.value)
    assert "Vorinostat" in prompt
    assert "Trametinib" not in prompt
