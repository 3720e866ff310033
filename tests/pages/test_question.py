"""A link is read strictly, and what cannot be had is mended openly."""

import pytest

from lgr_core.errors import NotFoundError
from pages.shared.question import K_MAX, Question, settle, settle_atlas
from pages.shared.words import offered


def test_nothing_asked_is_the_familiar_example(toy):
    """Trametinib in A549 at the highest dose, ten neighbours by the first selector."""
    settled = settle(toy, {})
    assert settled.question == Question("toy", "A549", "Trametinib", 5.0, "llm", 10)
    assert (settled.mended, settled.notes) == ((), ())


def test_a_question_survives_its_own_link(toy):
    """Link, read, link: the same."""
    question = Question("toy", "HepG2/C3A", "Tofacitinib (citrate)", 5.0, "random", K_MAX)
    assert settle(toy, question.link()).question == question


def test_the_dose_is_matched_as_a_number(toy):
    """0.50 is 0.5."""
    assert settle(toy, {"dose": "0.50"}).question.dose_um == 0.5
    assert settle(toy, {"dose": "5e-1"}).mended == ()


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ({"dose": "0.6"}, 0.5),
        ({"dose": "1000"}, 5.0),
        ({"dose": "pooled"}, 5.0),
        ({"dose": "5", "cell_line": "A549"}, None),
    ],
)
def test_a_dose_that_was_not_measured_leads_to_the_nearest(toy, asked, instead):
    """Nearest by ratio; one that is no number leads to the default."""
    settled = settle(toy, asked)
    assert len(settled.mended) == (instead is not None)
    assert settled.question.dose_um == (5.0 if instead is None else instead)


def test_an_ambiguous_name_is_mended_to_one_of_its_readings(toy):
    """Tofacitinib in another salt reads as two drugs of the atlas."""
    settled = settle(toy, {"drug": "Tofacitinib (phosphate)"})
    assert settled.question.drug.startswith("Tofacitinib")
    assert len(settled.mended) == 1


@pytest.mark.parametrize(("k", "nearest"), [("0", 1), ("51", K_MAX), ("-3", 10), ("1.5", 10)])
def test_k_is_a_number_of_neighbours(toy, k, nearest):
    """Too few and too many lead to the bounds, no number to the default."""
    settled = settle(toy, {"k": k})
    assert settled.question.k == nearest
    assert len(settled.mended) == 1


@pytest.mark.parametrize(
    ("names", "sent", "default"),
    [
        (["aaa", "demo", "mine", "ours"], {"aaa"}, "mine"),
        (["aaa", "demo"], {"aaa"}, "demo"),
        (["aaa", "bbb"], {"aaa", "bbb"}, "aaa"),
        (["demo"], set(), "demo"),
    ],
)
def test_an_upload_is_nobodys_default_while_another_atlas_is_there(names, sent, default):
    """What was ingested here comes first, by name; then the demo; then uploads."""
    error = NotFoundError("atlas", "not here", "Choose.")
    assert settle_atlas(None, names, sent.__contains__, error) == (default, [])
    for name in names:
        assert settle_atlas(name, names, sent.__contains__, error) == (name, [])


def test_an_atlas_that_is_not_there_is_mended():
    """To the nearest name."""
    error = NotFoundError("atlas", "not here", "Choose.")
    name, (mended,) = settle_atlas("mime", ["demo", "mine"], bool, error)
    assert (name, mended.error) == ("mine", error)


def test_selectors_are_offered_in_one_order_and_new_ones_come_last():
    """The list follows what is registered, the order what is explained."""
    assert offered(["oracle", "new", "mechanism"]) == ["mechanism", "oracle", "new"]
