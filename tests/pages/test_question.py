"""A link is read strictly, and what cannot be had is mended openly."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import ValueKind
from pages.shared import state
from pages.shared.method_words import settle_method
from pages.shared.pickers import searched
from pages.shared.question import K_MAX, Question, settle, settle_atlas
from pages.shared.words import offered
from tests.support.rendered_page import link


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
    assert settle_atlas(None, names, sent.__contains__, answered=lambda _: False) == (default, [])
    for name in names:
        assert settle_atlas(name, names, sent.__contains__, answered=lambda _: False) == (name, [])


def test_an_atlas_that_is_not_there_is_mended():
    """To the nearest name, which its error gives too; else to the default."""
    name, (mended,) = settle_atlas("mien", ["demo", "mine"], bool, answered=bool)
    assert (name, mended.error.nearest) == ("mine", ("mine",))
    name, (mended,) = settle_atlas("else", ["demo", "mine"], lambda _: False, answered=bool)
    assert (name, mended.error.nearest) == ("mine", ())


def test_an_atlas_with_recorded_answers_comes_first():
    """Of those ingested here; the demo stays behind them."""
    names = ["demo", "mine", "ours"]
    found = settle_atlas(None, names, lambda _: False, answered="ours".__eq__)
    assert found == ("ours", [])


LOOK_ALIKES = ("Almonertinib (hydrochloride)", "Neratinib (maleate)", "Afatinib", "Trametinib")


@pytest.fixture(scope="module")
def kin(tmp_path_factory):
    """An atlas of drugs and lines with names that look alike."""
    keys = [(line, drug) for line in ("A549", "A375", "LoVo") for drug in LOOK_ALIKES]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug"]).assign(
        dose_um=5.0, n_cells=50.0, n_replicates=1, underpowered=False
    )
    deltas = np.arange(len(keys) * 2, dtype=np.float32).reshape(-1, 2)
    genes = pd.DataFrame(
        {"gene": ["EGFR", "FOS"], "ensembl_id": "", "in_panel": True, "variability": 1.0}
    )
    table = DeltaTable(conditions, deltas, genes, ValueKind.LOGNORM_DELTA)
    folder = build_atlas(
        table,
        tmp_path_factory.mktemp("kin") / "kin",
        drugs=annotate_drugs(sorted(LOOK_ALIKES), []),
        cell_lines=annotate_lines(["A375", "A549", "LoVo"], []),
        fingerprints=np.zeros((len(LOOK_ALIKES), 256), dtype=np.uint8),
    )
    return AtlasStore(folder)


@pytest.mark.parametrize(
    ("field", "asked", "opened"),
    [
        ("drug", "Nerainib", "Neratinib (maleate)"),
        ("drug", "Afatnib", "Afatinib"),
        ("drug", "trametnib", "Trametinib"),
        ("cell_line", "A594", "A549"),
        ("cell_line", "A357", "A375"),
        ("selector", "mechansim", "mechanism"),
    ],
)
def test_a_link_opens_the_name_that_its_error_gives(kin, field, asked, opened):
    """Message, field of the error and opened value are one name."""
    settled = settle(kin, {field: asked})
    (mended,) = settled.mended
    assert mended.error.nearest[0] == opened
    assert opened in mended.error.do
    assert settled.question.link()[field] == opened


@pytest.mark.parametrize(
    ("field", "asked", "default"),
    [("drug", "Dasatinib", "Trametinib"), ("cell_line", "HeLa", "A549")],
)
def test_a_name_that_nothing_is_near_opens_the_default(kin, field, asked, default):
    """And no other name is given for it."""
    settled = settle(kin, {field: asked})
    (mended,) = settled.mended
    assert mended.error.nearest == ()
    assert settled.question.link()[field] == default


def test_of_two_readings_the_first_that_the_error_gives_is_opened(toy):
    """As its field has them."""
    settled = settle(toy, {"drug": "Tofacitinib (phosphate)"})
    (mended,) = settled.mended
    assert mended.error.candidates == ("Tofacitinib", "Tofacitinib (citrate)")
    assert settled.question.drug == "Tofacitinib"


def test_a_method_in_a_link_is_read_alike():
    """The nearest by name, else the paper's."""
    method, (mended,) = settle_method("best_evidnce")
    assert (method, mended.error.nearest) == ("best_evidence", ("best_evidence",))
    method, (mended,) = settle_method("magic")
    assert (method, mended.error.nearest) == ("lgr", ())


def test_selectors_are_offered_in_one_order_and_new_ones_come_last():
    """The list follows what is registered, the order what is explained."""
    assert offered(["oracle", "new", "mechanism"]) == ["mechanism", "oracle", "new"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"drug": "inhibitor MEK tramet"}, {"drug": "Trametinib"}),
        ({"cell_line": "bowel KRAS"}, {"cell_line": "LoVo"}),
        ({"drug": "mekinist"}, {"drug": "mekinist"}),
        ({"drug": "nobody", "cell_line": "A549"}, {"drug": "nobody", "cell_line": "A549"}),
    ],
)
def test_words_typed_into_a_picker_find_drug_and_line(toy_home, monkeypatch, typed, found):
    """By mechanism, organ, driver; a name or a synonym is left to the names, and so is nonsense."""
    monkeypatch.setenv("LGR_HOME", str(toy_home))
    asked, notes = searched(state.store("toy"), typed)
    assert asked == found
    assert bool(notes) == (asked != typed)


def test_a_synonym_typed_as_a_new_drug_opens_the_measured_one(visit):
    """Also by link, and without a form of its own."""
    app = visit(atlas="toy", selector="chemistry", drug="Mekinist", new="1")
    assert link(app)["drug"] == "Trametinib"
    assert "new" not in link(app)
