"""Neighbours and reasons: what stands beside each; sets edited by click and by link."""

import math
from html import escape

import pytest

from lgr_core.answer import predict
from lgr_core.answer.influence import inspect_neighbors, rank_neighbors
from lgr_core.audit.reviews import Judgement
from pages.predict.picks import shown_weights
from pages.shared.question import joined, parted
from tests.support.lab_atlas import IMAGE, UNMEASURED
from tests.support.plated_atlas import plated_atlas
from tests.support.rendered_page import link, recipes, text, turn, unfold

LINK = {"atlas": "lab", "cell_line": "A549", "drug": "Trametinib", "dose": "5"}


def pills(app):
    """The neighbours that may be dropped, as a widget."""
    return next(group for group in app.get("button_group") if group.key == "used")


def used(app):
    """The neighbours averaged, in their order."""
    return app.dataframe[0].value["drug"].tolist()


def test_each_neighbour_stands_beside_its_annotation(opened, lab):
    """Reason, mechanism, source, influence: those of the core."""
    app = opened()
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    page = text(app)
    assert used(app) == list(answer.retrieval.drugs)
    for neighbor in answer.retrieval.neighbors:
        assert escape(neighbor.rationale) in page
    assert page.count('class="lgr-row"') == 5
    assert "<dt>mechanism</dt><dd>MEK inhibitor</dd>" in page
    assert "<dt>source</dt>" in page
    shift = inspect_neighbors(lab, answer).shift
    assert app.dataframe[0].value["left out"].tolist() == pytest.approx(shift.tolist())
    assert IMAGE not in page


def test_the_truth_stays_hidden_until_it_is_revealed(opened, lab):
    """Neither rank nor verdict tells before; after the toggle each true rank is there, linked."""
    app = opened()
    assert "true rank" not in text(app)
    assert "by Pearson r" not in text(app)
    app.toggle(key="revealed").set_value(True).run()
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    found = rank_neighbors(lab, answer)
    assert app.dataframe[0].value["true rank"].tolist() == found.rank.tolist()
    assert f"true rank {found.rank[0]} of {found.n_candidates}" in text(app)
    assert link(app)["reveal"] == "1"
    app.toggle(key="revealed").set_value(False).run()
    assert "true rank" not in text(app)
    assert "reveal" not in link(app)


def test_without_a_truth_there_is_nothing_to_reveal(opened):
    """The toggle is off, and a link that asks for it shows no rank."""
    app = opened(drug=UNMEASURED, rank_neighbors="1")
    assert app.toggle(key="revealed").disabled
    assert "true rank" not in text(app)


def test_dropping_one_recomputes_at_once(opened, lab):
    """The others are averaged, and the link holds the edit."""
    app = opened()
    first = used(app)
    pills(app).set_value(first[1:]).run()
    assert used(app) == first[1:]
    assert link(app)["drop"] == first[0]
    assert f"without {escape(first[0])}." in text(app)
    app.button(key="undo").click().run()
    assert used(app) == first
    assert "drop" not in link(app)


def test_adding_one_recomputes_at_once(opened):
    """It stands last, with its own reason; dropped, it is gone."""
    app = opened(k="3")
    first = used(app)
    app.selectbox(key="another").select("Belinostat").run()
    assert used(app) == [*first, "Belinostat"]
    assert link(app)["add"] == "Belinostat"
    assert "Added by hand." in text(app)
    pills(app).set_value(first).run()
    assert used(app) == first
    assert "add" not in link(app)


def test_an_edited_set_is_a_link_that_every_page_reads(opened, lab):
    """Prediction and neighbours are those of the set; k chooses anew below the edits."""
    edits = {"drop": "Cobimetinib", "add": "Belinostat|Gefitinib", "k": "4"}
    app = opened(**edits)
    base = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=4)
    kept = [drug for drug in base.retrieval.drugs if drug != "Cobimetinib"]
    assert used(app) == [*kept, "Belinostat", "Gefitinib"]
    page = text(opened(page="predict", **edits))
    for drug in used(app):
        assert f'<th scope="row">{escape(drug)}</th>' in page
    assert "Edited by hand" in page
    app.slider(key="k").set_value(2).run()
    assert link(app)["drop"] == "Cobimetinib"
    assert used(app)[-2:] == ["Belinostat", "Gefitinib"]


def test_edits_do_not_outlive_their_question(opened):
    """Another drug starts from its own neighbours."""
    app = opened(drop="Cobimetinib")
    app.selectbox(key="drug").select("Afatinib").run()
    assert "drop" not in link(app)
    assert "Edited by hand" not in text(app)


def test_dropping_all_leaves_the_fallback_said(opened):
    """No crash, no silent average."""
    app = opened(k="2")
    pills(app).set_value(None).run()
    page = text(app)
    assert "the answer is the fallback, pool_mean" in page
    assert "No neighbour is left: take one back or add one above." in page


def test_what_may_not_be_added_is_refused_with_a_reason(opened):
    """The drug itself by link; a stranger is a bad link."""
    page = text(opened(add="Trametinib"))
    assert "the drug that was asked about" in page
    page = text(opened(add="Nonsense"))
    assert page.count('role="alert"') == 1
    assert "Nonsense" in page


def test_a_reason_against_the_annotation_is_marked(visit):
    """A pasted reason makes an HDAC inhibitor of a MEK inhibitor: the page says so."""
    app = unfold(visit(**LINK, selector="llm", k="2"), "guide")
    reply = "1. Cobimetinib: a potent HDAC inhibitor.\n2. Binimetinib: a MEK inhibitor too."
    app.text_area(key="reply").set_value(reply).run()
    app.button(key="use_reply").click().run()
    page = text(turn(app, "predict", **link(app), look="reasons"))
    assert page.count("lgr-against") == 1
    assert "The reason speaks of HDAC inhibitor" in page


def test_drugs_of_the_mechanism_that_were_left_out_are_listed(opened):
    """With one neighbour the other MEK inhibitors, each with the source of its annotation."""
    app = opened(k="1")
    chosen = used(app)
    (box,) = [box for box in app.expander if box.label.startswith("Expected but not chosen")]
    assert box.label == "Expected but not chosen: 4 drugs"
    words = " ".join(part.value for part in box.markdown) + text(app)
    left = {"Cobimetinib", "Binimetinib", "Selumetinib"} - set(chosen)
    assert all(f"<th>{drug}</th>" in words for drug in left)
    refused = opened(add="Trametinib")
    assert "Refused: 1 proposal, and why" in [box.label for box in refused.expander]


def test_the_fields_of_a_pasted_reason_stand_below_it(visit):
    """Each with its label; a reason without any has none."""
    app = unfold(visit(**LINK, selector="llm", k="2"), "guide")
    reply = "1. Cobimetinib: both block MEK. | Shared targets: MAP2K1 | Expected direction: same"
    app.text_area(key="reply").set_value(f"{reply}\n2. Binimetinib: a MEK inhibitor too.").run()
    app.button(key="use_reply").click().run()
    page = text(turn(app, "predict", **link(app), look="reasons"))
    assert page.count("<dt>shared targets</dt><dd>MAP2K1</dd>") == 1
    assert page.count("<dt>expected direction</dt><dd>same</dd>") == 1


def test_names_survive_the_link():
    """Bars and percent signs, too; an empty part is nobody."""
    names = ("a|b", "100%", "c%7Cd")
    assert parted(joined(names)) == names
    assert parted("||a||a") == ("a",)
    assert parted(None) == ()


FORMS = {"atlas": "toy", "selector": "chemistry"}
TWO = "Forms of one compound, each of which counts, as in the paper: Tofacitinib"


def shown(app):
    """How often each form of tofacitinib stands among the neighbours, as a row or in the table."""
    page = text(app)
    names = ("Tofacitinib", "Tofacitinib (citrate)")
    return [
        page.count(f"<h3>{name}</h3>") + page.count(f'<th scope="row">{name}</th>')
        for name in names
    ]


@pytest.mark.parametrize("page", ["neighbors", "predict"])
def test_forms_of_one_compound_are_said_and_counted_once_on_demand(opened, page):
    """The prediction follows at once, the link holds it, and a click takes it back."""
    app = opened(page, **FORMS)
    assert TWO in text(app)
    assert sum(shown(app)) == 2
    app.button(key="count_once").click().run()
    once = text(app)
    assert TWO not in once
    assert "Of neighbours that are forms of one compound, only the first counts." in once
    assert sum(shown(app)) == 1
    asked = link(app)
    assert asked["once"] == "1"
    assert text(opened(page, **asked)) == once
    app.button(key="count_once").click().run()
    assert TWO in text(app)
    assert "once" not in link(app)


def test_without_two_forms_nothing_is_said_of_them(opened):
    """No line and no button."""
    app = opened(atlas="toy", selector="chemistry", k="1")
    assert not [button for button in app.button if button.key == "count_once"]


def test_a_form_added_by_hand_counts(opened):
    """What was chosen by hand is not overruled."""
    app = opened(**FORMS, once="1")
    left_out = "Tofacitinib (citrate)" if "Tofacitinib" in used(app) else "Tofacitinib"
    assert left_out in used(opened(**FORMS, once="1", add=left_out))


def test_what_is_counted_once_can_be_made_again(opened):
    """In Python, in the shell, in words."""
    app = unfold(opened("predict", **FORMS, once="1"))
    python, shell, words = recipes(app)[-3:]
    assert "one_per_parent=True" in python
    assert shell.endswith("--one-per-parent --out=answer.csv")
    assert "with equal weights, one form of each compound." in words


def test_claims_stand_below_the_reason_with_their_verdicts(visit):
    """A pasted reason: a right mechanism, and a gene of a drug without a plate."""
    app = unfold(visit(**LINK, selector="llm", k="1"), "guide")
    app.text_area(key="reply").set_value("1. Cobimetinib: MEK inhibitor lowering DUSP6.").run()
    app.button(key="use_reply").click().run()
    page = text(turn(app, "predict", **link(app), look="reasons"))
    assert "<li>Cobimetinib: MEK inhibitor: supported</li>" in page
    assert "<li>Cobimetinib lowers DUSP6: " in page


def reviews(app):
    """The label of the button that takes the reader's reviews home."""
    buttons = app.get("download_button")
    return next(one.proto.label for one in buttons if one.key == "download_reviews")


def mark(app):
    """The control that marks the reason on show."""
    return next(one for one in app.get("button_group") if one.key.startswith("judgement_"))


def test_a_reader_may_mark_each_reason(opened):
    """Kept for the visit while other reasons are looked at, and gone when it is unmarked."""
    app = opened()
    assert "csv, 0" in reviews(app)
    mark(app).set_value(Judgement.RIGHT).run()
    assert "csv, 1" in reviews(app)
    app.selectbox(key="reviewed_reason").set_value(1).run()
    assert mark(app).value is None
    app.selectbox(key="reviewed_reason").set_value(0).run()
    assert mark(app).value == Judgement.RIGHT
    assert "csv, 1" in reviews(app)
    mark(app).set_value(None).run()
    assert "csv, 0" in reviews(app)


def test_a_neighbour_without_a_specific_change_weighs_nothing(visit, tmp_path, monkeypatch):
    """D03's plate is too small: the others weigh a half each, and both tables say so."""
    parents = [f"D{b:02}" for b in range(24)]
    parents[21] = parents[23] = "D19"
    folder = tmp_path / "home" / "atlases" / "plated"
    store = plated_atlas(folder, lines=2, drugs=24, parents=parents)
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    asked = {"cell_line": "L0", "drug": "D02", "selector": ["D03", "D04", "D06"]}
    found = predict(store, **asked, change="specific")
    assert shown_weights(found) == [None, 0.5, 0.5]
    alike = inspect_neighbors(store, found).alike
    link = {"atlas": "plated", "cell_line": "L0", "drug": "D02", "selector": "random", "k": "1"}
    app = visit(**link, look="reasons", add="D03|D04|D06")
    table = app.dataframe[0].value.set_index("drug")
    assert table["agreement"].loc[["D04", "D06"]].notna().all()
    assert math.isnan(table["agreement"]["D03"])
    assert math.isfinite(alike[1, 2])
