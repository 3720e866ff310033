"""Each verdict, on numbers worked out by hand."""

import numpy as np
import pytest

from lgr_core.audit.claims import Claim, ClaimedDirection, ClaimKind, ClaimOrigin, StatedReason
from lgr_core.audit.drug_similarities import DrugSimilarities
from lgr_core.audit.extraction import ClaimExtractor
from lgr_core.audit.verdicts import ClaimChecker, Verdict
from lgr_core.domain import ExpectedDirection
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import MechanismAnnotations

GENES = [f"G{i}" for i in range(20)]
CHANGE = np.array([3.0, -2.0, *np.linspace(1.0, -1.0, 18)])
"""The tenth of largest absolute changes are G0, which rises, and G1, which falls."""


@pytest.fixture(scope="module")
def checker():
    """One drug measured in one line; two annotated."""
    book = MechanismAnnotations.load()
    notes = {
        "Mekinib": Annotation("Mekinib", ("mek_inhibitor",), ("MAP2K1",), "by hand"),
        "Unknown": Annotation("Unknown"),
    }
    return ClaimChecker(
        GENES, notes, book, lambda line, drug, _: CHANGE if (line, drug) == ("A", "D") else None
    )


def direction(gene, way, drug="D"):
    """A direction claim."""
    return Claim(ClaimKind.DIRECTION, drug, gene, direction=way)


@pytest.mark.parametrize(
    ("claim", "verdict", "rank"),
    [
        (direction("G0", ClaimedDirection.UP), Verdict.SUPPORTED, 1),
        (direction("G0", ClaimedDirection.DOWN), Verdict.CONTRADICTED, 1),
        (direction("G1", ClaimedDirection.DOWN), Verdict.SUPPORTED, 2),
        (direction("G2", ClaimedDirection.UP), Verdict.NO_CLEAR_CHANGE, 3),
        (direction("G99", ClaimedDirection.UP), Verdict.NOT_MEASURED, None),
        (direction("G0", ClaimedDirection.UP, drug="E"), Verdict.NOT_MEASURED, None),
    ],
)
def test_a_direction_is_decided_among_the_largest_tenth_alone(checker, claim, verdict, rank):
    """Two of twenty genes; ties in absolute change share the better rank."""
    found = checker.check(claim, "A", 5.0)
    assert (found.verdict, found.rank) == (verdict, rank)
    if rank is not None:
        assert found.value == CHANGE[GENES.index(claim.what)]
        assert found.n_genes == 20


@pytest.mark.parametrize(
    ("drug", "tag", "verdict"),
    [
        ("Mekinib", "mek_inhibitor", Verdict.SUPPORTED),
        ("Mekinib", "egfr_inhibitor", Verdict.RELATED),
        ("Mekinib", "hdac_inhibitor", Verdict.CONTRADICTED),
        ("Mekinib", "cationic_amphiphilic", Verdict.NOT_CHECKABLE),
        ("Unknown", "hdac_inhibitor", Verdict.NOT_CHECKABLE),
        ("Nobody", "hdac_inhibitor", Verdict.NOT_CHECKABLE),
    ],
)
def test_a_mechanism_is_checked_against_the_annotation(checker, drug, tag, verdict):
    """The same programme is related; a physical property is not denied by a mechanism."""
    found = checker.check(Claim(ClaimKind.MECHANISM, drug, tag), "A", None)
    assert found.verdict is verdict
    assert found.source == ("by hand" if drug == "Mekinib" else "no annotation")


@pytest.mark.parametrize(
    ("drug", "gene", "verdict"),
    [
        ("Mekinib", "MAP2K1", Verdict.SUPPORTED),
        ("Mekinib", "MAP2K2", Verdict.SUPPORTED),
        ("Mekinib", "EGFR", Verdict.RELATED),
        ("Mekinib", "TYMS", Verdict.CONTRADICTED),
        ("Mekinib", "CYP3A4", Verdict.NOT_CHECKABLE),
        ("Unknown", "TYMS", Verdict.NOT_CHECKABLE),
    ],
)
def test_a_target_is_checked_against_the_annotation(checker, drug, gene, verdict):
    """By its own targets, or those of its mechanism; what clears drugs is not annotated."""
    assert checker.check(Claim(ClaimKind.TARGET, drug, gene), "A", None).verdict is verdict


class Fields:
    """A structured reason, as any record with these names."""

    shared_targets = ("MAP2K1", "no gene")
    shared_pathway = "MEK inhibitor"
    expected_direction = ExpectedDirection.OPPOSITE
    why_in_line = "It lowers G7 in these cells."


def test_fields_make_claims_of_both_drugs(checker):
    """What is shared is claimed of both; why in the line is read as prose."""
    extractor = ClaimExtractor.of(checker.book, checker.annotations, GENES)
    reason = StatedReason("Query", "Mekinib", "", Fields())
    found = [(str(one), one.origin) for one in extractor.claims(reason)]
    assert found == [
        ("Mekinib acts on MAP2K1", ClaimOrigin.FIELD),
        ("Query acts on MAP2K1", ClaimOrigin.FIELD),
        ("Mekinib: mek_inhibitor", ClaimOrigin.FIELD),
        ("Query: mek_inhibitor", ClaimOrigin.FIELD),
        ("Mekinib acts opposite to Query", ClaimOrigin.FIELD),
        ("Mekinib lowers G7", ClaimOrigin.FIELD),
    ]


def test_the_same_claim_in_field_and_prose_counts_once(checker):
    """The field's stands."""
    extractor = ClaimExtractor.of(checker.book, checker.annotations, GENES)
    reason = StatedReason("Query", "Mekinib", "It lowers G7.", Fields())
    claims = [one for one in extractor.claims(reason) if one.kind is ClaimKind.DIRECTION]
    assert [one.origin for one in claims] == [ClaimOrigin.FIELD]


ANGLES = {"Q": 0, "near": 10, "mild": 80, "far": 100, "opposed": 170}
"""Changes as directions in a plane: r of two is the cosine of the angle between them."""


@pytest.fixture(scope="module")
def similarities():
    """Five drugs; (1, 0, -1) and (1, -2, 1) are orthogonal and sum to zero, so r is the cosine."""
    a, b = np.array([1, 0, -1]) / np.sqrt(2), np.array([1, -2, 1]) / np.sqrt(6)
    turned = {drug: np.deg2rad(angle) for drug, angle in ANGLES.items()}
    return DrugSimilarities.of(
        {drug: 7 * (np.cos(x) * a + np.sin(x) * b) for drug, x in turned.items()}
    )


@pytest.mark.parametrize(
    ("neighbor", "relation", "verdict", "rank"),
    [
        ("near", ExpectedDirection.SAME, Verdict.SUPPORTED, 1),
        ("near", ExpectedDirection.OPPOSITE, Verdict.CONTRADICTED, 1),
        ("mild", ExpectedDirection.SAME, Verdict.NO_CLEAR_CHANGE, 2),
        ("opposed", ExpectedDirection.OPPOSITE, Verdict.SUPPORTED, 4),
        ("opposed", ExpectedDirection.SAME, Verdict.CONTRADICTED, 4),
        ("near", ExpectedDirection.PARTIAL, Verdict.NOT_CHECKABLE, 1),
        ("unmeasured", ExpectedDirection.SAME, Verdict.NOT_MEASURED, None),
    ],
)
def test_an_expected_direction_is_decided_at_either_end_of_the_lines_drugs(
    checker, similarities, neighbor, relation, verdict, rank
):
    """Of four drugs compared with the query one is the most alike and one the most opposed."""
    claim = Claim(ClaimKind.EFFECT, neighbor, "Q", relation=relation)
    found = checker.check_effect(claim, similarities)
    assert (found.verdict, found.drug_rank) == (verdict, rank)
    if rank is not None:
        assert found.pearson == pytest.approx(np.cos(np.deg2rad(ANGLES[neighbor])))
        assert found.n_drugs == 4


def test_at_an_end_the_sign_must_be_right_too(checker):
    """The most alike of two drugs that both correlate below zero supports nothing."""
    changes = {"Q": [1, 0, -1], "a": [-1, 0.5, 0.5], "b": [-1, 0, 1]}
    found = DrugSimilarities.of({drug: np.array(x) for drug, x in changes.items()})
    claim = Claim(ClaimKind.EFFECT, "a", "Q", relation=ExpectedDirection.SAME)
    assert found.rank("Q", "a").rank == 1
    assert checker.check_effect(claim, found).verdict is Verdict.NO_CLEAR_CHANGE


def test_a_claim_says_whose_measured_change_its_verdict_rests_on():
    """What hides a query's truth asks this."""
    effect = Claim(ClaimKind.EFFECT, "N", "Q", relation=ExpectedDirection.SAME)
    assert (effect.rests_on_change_of("Q"), effect.rests_on_change_of("N")) == (True, True)
    lowers = direction("G0", ClaimedDirection.DOWN, drug="N")
    assert (lowers.rests_on_change_of("Q"), lowers.rests_on_change_of("N")) == (False, True)
    assert not Claim(ClaimKind.TARGET, "Q", "MAP2K1").rests_on_change_of("Q")
