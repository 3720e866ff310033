"""Verdict, pathways, my genes, the tour: what the first page tells beyond the genes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lgr_core.answer import predict
from lgr_core.answer.baselines import verdict
from lgr_core.answer.top_genes import strongest_genes
from pages.predict.sections import answer_sentence
from pages.shared.words import agree_words, share
from tests.support.rendered_page import figures, link, recipes, text, unfold
from tests.support.toy_atlas import GENES as TOY_GENES

GMT = "rising\td\t" + "\t".join(f"GENE{i}" for i in range(1, 30)) + "\n"


def test_the_verdict_is_one_sentence(opened, lab):
    """Used, agreement and luck, as the core counts them."""
    page = text(opened("predict"))
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    found = verdict(lab, answer)
    assert "<b>5 of 5 neighbours</b> used" in page
    assert f"they agree {agree_words(found.agreement)}" in page
    assert f"mean Pearson r of their pairs {found.agreement:.2f}" in page
    assert found.beats == 1
    assert "better than <b>all</b> 1,000 random picks" in page


def test_only_genes_outside_the_noise_are_named(lab):
    """The strongest over which the neighbours disagree is passed over; with none left, none is."""
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=4)
    delta = np.zeros(len(answer.genes))
    delta[:4] = [3.0, 2.0, -1.0, -4.0]
    swing = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    noisy = np.arange(len(delta)) % 3 == 0
    told = replace(
        answer,
        prediction=replace(answer.prediction, delta=delta),
        neighbor_deltas=delta + 9 * swing * noisy,
    )
    assert [rows.tolist() for rows in strongest_genes(told, 9)] == [[0, 1], [2, 3]]
    assert [rows.tolist() for rows in strongest_genes(told, 9, sure=True)] == [[1], [2]]
    words = answer_sentence(told)
    assert f'<b class="lgr-up">{answer.genes[1]}</b> to go up most' in words
    assert f'<b class="lgr-down">{answer.genes[2]}</b> to go down most' in words
    none = replace(told, neighbor_deltas=delta + 9 * swing)
    assert answer_sentence(none).endswith("predicts no gene to stand out of the noise.")


def test_shares_are_never_rounded_to_all_or_nothing():
    """0.999 is not all."""
    assert share(0.999) == "more than 99 %"
    assert share(0.001) == "less than 1 %"
    assert (share(1.0), share(0.0), share(0.934)) == ("100 %", "0 %", "93 %")


def test_pathways_are_ranked_in_a_look_of_their_own(opened, lab_home):
    """A GMT file of the installation is offered, and its set found; the look is in the link."""
    folder = lab_home / "gene_sets"
    folder.mkdir(exist_ok=True)
    (folder / "ours.gmt").write_text(GMT)
    app = opened("predict", tab="pathways", sets="ours")
    assert app.dataframe[0].value["set"].tolist() == ["rising"]
    assert app.dataframe[0].value["in panel"].tolist() == [29]
    assert "Strongest of 1 set" in text(app)
    assert (link(app)["tab"], link(app)["sets"]) == ("pathways", "ours")
    assert app.selectbox(key="sets").options == ["programmes", "ours"]


def test_sets_that_do_not_fit_are_one_box(opened):
    """The built-in programmes hold none of the lab's genes: said, and the page goes on."""
    page = text(opened("predict", tab="pathways"))
    assert page.count('role="alert"') == 1
    assert "none of" in page
    assert "How well it fits" in page
    assert "gene set collection" in text(opened("predict", tab="pathways", sets="nobodys"))


def test_genes_pasted_are_sorted_into_used_and_not(opened):
    """Used, outside the panel, known elsewhere, unknown; the list is in the link."""
    app = opened("predict", atlas="toy", tab="mine", mine=f"{TOY_GENES[1]} dusp6 TP53 NOGENE")
    page = text(app)
    assert "used (1)" in page
    assert "measured, but not in the panel (1)" in page
    assert "known, but not measured here (1)" in page
    assert "unknown (1)" in page
    assert app.dataframe[0].value["gene"].tolist() == [TOY_GENES[1]]
    assert link(app)["mine"] == f"{TOY_GENES[1]} dusp6 TP53 NOGENE"


def test_ranks_of_my_genes_are_those_of_the_prediction(opened, lab):
    """Rank 1 goes up most."""
    answer = predict(lab, cell_line="A549", drug="Trametinib", selector="mechanism", k=5)
    order = answer.genes[(-answer.prediction.delta).argsort(kind="stable")].tolist()
    app = opened("predict", tab="mine", mine=f"{order[0]},{order[-1]},{order[10]}")
    assert app.dataframe[0].value["rank"].tolist() == [1, 11, len(order)]
    assert len(figures(app)) == 2
    assert "<b>1</b> down" in text(app)


def test_a_list_too_long_for_an_address_is_kept_for_the_visit(opened):
    """It is shown, but the link goes without it."""
    app = opened("predict", tab="mine")
    app.text_area(key="mine").set_value(" ".join(["GENE1"] * 400)).run()
    assert "used (1)" in text(app)
    assert "mine" not in link(app)
    app.selectbox(key="drug").select("Afatinib").run()
    assert "used (1)" in text(app)


def test_the_tour_is_for_who_comes_without_a_link(visit):
    """It is taken step by step, or skipped for good."""
    app = visit()
    assert "New here?" in text(app)
    for _ in range(5):
        app.button(key="tour_next").click().run()
    assert "5 of 5. Take it home." in text(app)
    assert [button.key for button in app.button if button.key == "tour_next"] == []
    app.button(key="tour_skip").click().run()
    assert "5 of 5" not in text(app)
    assert "New here?" not in text(visit(drug="Afatinib"))


def styles(app):
    """What the page adds to its style."""
    return "".join(block.body for block in app.html if "<style>" in block.body)


def test_the_tour_points_and_survives_a_change_of_atlas(visit):
    """At the verdict in its second step; another atlas leaves it where it was."""
    app = visit()
    app.button(key="tour_next").click().run()
    app.button(key="tour_next").click().run()
    assert ".lgr-verdict { outline" in styles(app)
    app.selectbox(key="atlas").select("toy").run()
    assert "2 of 5. Read the verdict." in text(app)
    app.button(key="tour_back").click().run()
    assert "1 of 5. Ask." in text(app)


def test_the_tour_can_be_started_again(visit):
    """Also by who came with a link."""
    app = visit(drug="Afatinib")
    app.button(key="tour_again").click().run()
    assert "1 of 5. Ask." in text(app)
    assert "tour_again" not in {button.key for button in app.button}


def test_who_uses_the_page_is_offered_no_tour(visit):
    """The first pick takes the offer away."""
    app = visit()
    app.selectbox(key="drug").select("Afatinib").run()
    assert "New here?" not in text(app)


def test_the_methods_paragraph_says_what_was_done(opened):
    """Atlas, build, pool, selector, k used, n."""
    words = recipes(unfold(opened("predict")))[-1]
    assert "candidates were the 16 other drugs measured in A549 at 5 µM in the atlas lab" in words
    assert "share most mechanism tags" in words
    assert "Of 5 neighbours asked for, 5 were used" in words
    assert "scoring alone (n = 120 genes)" in words
    assert re.search(r"build [0-9a-f]", words)


@pytest.mark.parametrize("page", ["predict", "neighbors", "compare"])
def test_a_page_without_an_answer_is_one_box(opened, page):
    """A dose at which nothing else was measured, or a line that is not there: never a crash."""
    text(opened(page, cell_line="Nowhere"))
    text(opened(page, atlas="toy", drug="Trametinib", dose="0.5"))
