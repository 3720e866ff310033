"""Neighbours named by hand pass the same judge as any other's."""

from lgr_core.answer import predict, retrieve
from lgr_core.domain import Evidence, Neighbor, Reason
from lgr_core.retrieval.manual_selector import NamedSelector, with_edits


def test_named_drugs_are_averaged_in_that_order(toy):
    """Closest readings count, and the answer is their mean."""
    named = NamedSelector(["vorinostat", "Cobimetinib"])
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector=named, k=2)
    assert answer.retrieval.drugs == ("Vorinostat", "Cobimetinib")
    assert answer.prediction.method == "lgr_named"
    assert answer.prediction.delta.tolist() == answer.neighbor_deltas.mean(axis=0).tolist()


def test_the_query_and_its_twins_cannot_be_named(toy):
    """Naming the answer is no way around the judge."""
    named = NamedSelector(["Tofacitinib", "Tofacitinib (citrate)", "Nonsense", "Vorinostat"])
    found = retrieve(toy, cell_line="A549", drug="Tofacitinib", selector=named, k=4)
    assert found.drugs == ("Vorinostat",)
    assert [r.reason for r in found.rejected] == [Reason.SELF, Reason.TWIN, Reason.OUT_OF_POOL]


def test_edits_keep_reasons_and_order():
    """One dropped, one added at the end, one added that stands already."""
    neighbors = (Neighbor("a", 1, 0.5, "because"), Neighbor("b", 2), Neighbor("c", 3))
    proposals = with_edits(neighbors, drop=["b"], add=["d", "a"])
    assert [p.text for p in proposals] == ["a", "c", "d"]
    assert (proposals[0].rationale, proposals[0].score) == ("because", 0.5)
    assert proposals[2].rationale == "Added by hand."


def test_a_choice_that_read_the_truth_says_so(toy):
    """Edited from the oracle, the answer still declares what stands behind it."""
    named = NamedSelector(["Vorinostat"], evidence=frozenset({Evidence.TRUTH}))
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector=named, k=1)
    assert "truth" in answer.provenance["evidence"]
