"""One place believes: what stands becomes a neighbour, what does not keeps its reason."""

import pytest

from lgr_core.domain import CandidatePool, Condition, Proposal, Reason, Selection
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import UsageError
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.resolve import resolve


@pytest.fixture
def ask(toy):
    """Resolve texts for a query in A549 at 5 uM."""

    def run(*texts, drug="Vorinostat", k=10, **options):
        pool = candidate_pool(toy, Condition("A549", drug, 5.0))
        proposals = tuple(Proposal(text, f"because {i}") for i, text in enumerate(texts))
        selection = Selection(proposals, raw="raw")
        return resolve(selection, pool, toy.drug_catalog, k, selector="test", **options)

    return run


def reasons(retrieval):
    """Rejected texts with their reasons."""
    return [(r.text, r.reason) for r in retrieval.rejected]


def test_names_are_read_by_their_closest_form(ask):
    """Case, spaces, salts and aliases lead to the pool's own names, in rank order."""
    found = ask("  topotecan ", "COBIMETINIB", "GSK1120212")
    assert found.drugs == ("Topotecan (hydrochloride)", "Cobimetinib", "Trametinib")
    assert [n.rank for n in found.neighbors] == [1, 2, 3]
    assert found.neighbors[0].rationale == "because 0"
    assert (found.raw, found.k_used, found.pool_size) == ("raw", 3, 6)


def test_strangers_are_rejected_with_a_suggestion_never_believed(ask):
    """A near miss is at most a suggestion."""
    found = ask("Trametinb", "Aspirin")
    assert found.k_used == 0
    assert reasons(found) == [("Trametinb", Reason.OUT_OF_POOL), ("Aspirin", Reason.OUT_OF_POOL)]
    assert found.rejected[0].suggestion == "Trametinib"
    assert found.rejected[1].suggestion is None


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Dasatinib", None),
        ("Dasatinb", None),
        ("Alpelisib", None),
        ("Alpelisibb", None),
        ("Nerainib", "Neratinib (maleate)"),
        ("Afatnib", "Afatinib"),
        ("trametnib", "Trametinib"),
    ],
)
def test_only_a_misspelt_drug_is_suggested(text, suggestion):
    """Not another one of its class, and none for a drug of the atlas that was not measured here."""
    drugs = ("Afatinib", "Neratinib (maleate)", "Trametinib")
    catalog = DrugCatalog([*drugs, "Vorinostat", "Alpelisib"])
    pool = CandidatePool(Condition("A549", "Vorinostat", 5.0), drugs)
    found = resolve(Selection((Proposal(text),), raw=""), pool, catalog, 3, selector="test")
    assert [(r.reason, r.suggestion) for r in found.rejected] == [(Reason.OUT_OF_POOL, suggestion)]


def test_the_query_and_its_twins_are_refused_by_name(ask):
    """Self and twin are told apart."""
    found = ask("tofacitinib", "Tofacitinib citrate", drug="Tofacitinib")
    assert [r for _, r in reasons(found)] == [Reason.SELF, Reason.TWIN]


def test_a_drug_is_averaged_once(ask):
    """The second mention is a duplicate, under any spelling."""
    found = ask("Trametinib", "trametinib")
    assert (found.k_used, reasons(found)) == (1, [("trametinib", Reason.DUPLICATE)])


def test_two_forms_among_neighbours_are_kept_and_flagged(ask):
    """As in the paper; one_per_parent keeps the better-ranked one."""
    both = ask("Tofacitinib (citrate)", "Tofacitinib")
    assert both.drugs == ("Tofacitinib (citrate)", "Tofacitinib")
    assert [n.same_parent_as for n in both.neighbors] == [None, "Tofacitinib (citrate)"]
    one = ask("Tofacitinib (citrate)", "Tofacitinib", one_per_parent=True)
    assert (one.k_used, reasons(one)) == (1, [("Tofacitinib", Reason.TWIN)])


def test_no_more_than_k_are_used(ask):
    """What follows is beyond k; a stranger before it does not take a place."""
    found = ask("Aspirin", "Trametinib", "Cobimetinib", "Tofacitinib", k=2)
    assert found.drugs == ("Trametinib", "Cobimetinib")
    assert reasons(found)[-1] == ("Tofacitinib", Reason.BEYOND_K)


def test_a_name_means_what_the_pool_shown_makes_it_mean(toy):
    """If only the salt is shown, its base name means the salt."""
    pool = candidate_pool(toy, Condition("A549", "Vorinostat", 5.0))
    shown = type(pool)(pool.query, tuple(d for d in pool.drugs if d != "Tofacitinib"))
    selection = Selection((Proposal("Tofacitinib"),))
    found = resolve(selection, shown, toy.drug_catalog, 10, selector="test")
    assert found.drugs == ("Tofacitinib (citrate)",)


@pytest.mark.parametrize("k", [0, -1])
def test_k_is_positive(ask, k):
    """No neighbour asked for is a mistake."""
    with pytest.raises(UsageError, match="at least one"):
        ask("Trametinib", k=k)
