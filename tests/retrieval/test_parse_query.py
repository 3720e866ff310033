"""Words are read by their closest form, and what was decided is said."""

from types import SimpleNamespace

import pytest

from lgr_core.domain import Condition
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import AmbiguousError, NotFoundError
from lgr_core.retrieval.parse_query import read_query


def test_words_are_read_by_their_closest_form(toy):
    """Line ids and aliases work, and the notes say how they were read."""
    query, notes = read_query(toy, "cvcl_0023", "GSK1120212", 5)
    assert query == Condition("A549", "Trametinib", 5.0)
    assert notes == ("'cvcl_0023' was read as 'A549'.", "'GSK1120212' was read as 'Trametinib'.")


def test_without_a_dose_the_highest_is_taken_and_said(toy):
    """Only where there is a choice."""
    query, notes = read_query(toy, "A549", "Trametinib")
    assert query.dose_um == 5.0
    assert notes == ("No dose was given: the highest, 5 uM, is taken.",)
    assert read_query(toy, "LoVo", "Trametinib") == (Condition("LoVo", "Trametinib", 5.0), ())


def test_a_dose_is_matched_with_tolerance_or_refused_with_the_measured(toy):
    """0.5000000001 is 0.5; 3 is not there."""
    assert read_query(toy, "A549", "Trametinib", 0.5 + 1e-10)[0].dose_um == 0.5
    with pytest.raises(NotFoundError, match="measured there: 5 uM, 0.5 uM"):
        read_query(toy, "A549", "Trametinib", 3)


def test_unknown_names_are_not_found(toy):
    """With the nearest names."""
    with pytest.raises(NotFoundError, match="Nearest: Trametinib"):
        read_query(toy, "A549", "Trametinb")
    with pytest.raises(NotFoundError, match="cell line"):
        read_query(toy, "MCF7", "Trametinib")


def test_an_ambiguous_name_is_refused():
    """A name with two equally close readings names both."""
    names = ("Almonertinib (hydrochloride)", "Almonertinib (mesylate)")
    store = SimpleNamespace(
        drug_catalog=DrugCatalog(names), cell_line_catalog=CellLineCatalog(["A549"])
    )
    with pytest.raises(AmbiguousError, match=r"hydrochloride\) or Almonertinib \(mesylate"):
        read_query(store, "A549", "almonertinib")
