"""Verdicts: each claim checked against annotation or measured changes, by rule alone.

A mechanism or target is checked against the annotation. A direction is checked against the
specific change of the claim's subject in that cell line (its change less the mean of the other
drugs of its plate): supported if the gene is among the tenth of largest absolute changes with the
claimed sign, contradicted if it is there with the other one. How the effects of two drugs relate
is checked by the correlation of their specific changes: "same" is supported if it is above zero and
among the tenth of highest correlations of the query with the line's drugs, contradicted if it is
below zero and among the tenth of lowest; "opposite" the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from lgr_core.audit.claims import Claim, ClaimKind
from lgr_core.audit.drug_similarities import DrugSimilarities
from lgr_core.domain import ExpectedDirection, FloatArray
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import METABOLISM, MechanismAnnotations

SpecificChange = Callable[[str, str, float | None], FloatArray | None]
"""(cell line, drug, dose in uM) -> specific change (n_genes,), None where there is none."""

Similarities = Callable[[str, float | None], DrugSimilarities]
"""(cell line, dose in uM) -> how alike the specific changes of its drugs are."""

TOP_SHARE = 0.1
"""Share of genes by absolute change, or of drugs by correlation, that decide a claim."""

PROPERTIES = frozenset({"cationic_amphiphilic"})
"""Tags of a physical property: an annotation with another mechanism does not deny them."""


class Verdict(StrEnum):
    """What annotation or data say of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    RELATED = "related"
    NO_CLEAR_CHANGE = "no_clear_change"
    NOT_MEASURED = "not_measured"
    NOT_CHECKABLE = "not_checkable"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _LABELS[self]

    @property
    def decides(self) -> bool:
        """Whether it counts for or against the claim."""
        return self in (Verdict.SUPPORTED, Verdict.CONTRADICTED)


_LABELS = {
    Verdict.SUPPORTED: "supported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.RELATED: "annotated with another mechanism of the same programme",
    Verdict.NO_CLEAR_CHANGE: "no clear change",
    Verdict.NOT_MEASURED: "not measured",
    Verdict.NOT_CHECKABLE: "not checkable",
}


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with its verdict and what it rests on.

    ``source`` names the annotation or the data. For a direction, ``value`` is the gene's specific
    change and ``rank`` its place by absolute change, 1 the largest, of ``n_genes``. For an effect,
    ``pearson`` is the correlation of the two drugs' specific changes and ``drug_rank`` its place
    among ``n_drugs`` compared with the query, 1 the most alike.
    """

    claim: Claim
    verdict: Verdict
    source: str = ""
    value: float | None = None
    rank: int | None = None
    n_genes: int | None = None
    pearson: float | None = None
    drug_rank: int | None = None
    n_drugs: int | None = None


@dataclass(frozen=True)
class ClaimChecker:
    """Checks claims in one atlas.

    ``genes`` (n_genes,) name the columns of what ``specific_change`` returns; ``annotations`` are
    those of each drug by name. ``similarities`` compare the drugs of a line; unset, none has been
    measured.
    """

    genes: Sequence[str]
    annotations: Mapping[str, Annotation]
    book: MechanismAnnotations
    specific_change: SpecificChange
    similarities: Similarities = lambda _line, _dose: DrugSimilarities.of({})

    def check(self, claim: Claim, cell_line: str, dose_um: float | None) -> CheckedClaim:
        """The verdict on a claim about what a drug does in a cell line at a dose."""
        match claim.kind:
            case ClaimKind.DIRECTION:
                change = self.specific_change(cell_line, claim.subject, dose_um)
                return self.check_direction(claim, change)
            case ClaimKind.EFFECT:
                return self.check_effect(claim, self.similarities(cell_line, dose_um))
            case ClaimKind.TARGET:
                return self._check_annotation(claim, self._target_verdict)
            case ClaimKind.MECHANISM:
                return self._check_annotation(claim, self._mechanism_verdict)

    def check_direction(self, claim: Claim, change: FloatArray | None) -> CheckedClaim:
        """The verdict on a direction by a specific change (n_genes,)."""
        place = self._places.get(claim.what)
        if claim.direction is None:
            return CheckedClaim(claim, Verdict.NOT_CHECKABLE)
        if place is None:
            return CheckedClaim(claim, Verdict.NOT_MEASURED, "the gene was not measured")
        if change is None or not np.isfinite(change[place]):
            return CheckedClaim(claim, Verdict.NOT_MEASURED, f"{claim.subject}: no specific change")
        value = float(change[place])
        rank = 1 + int((np.abs(change) > abs(value)).sum())
        verdict = Verdict.NO_CLEAR_CHANGE
        if rank <= max(1, TOP_SHARE * len(change)) and value:
            agrees = np.sign(value) == claim.direction.sign
            verdict = Verdict.SUPPORTED if agrees else Verdict.CONTRADICTED
        return CheckedClaim(
            claim, verdict, "measured specific change", value=value, rank=rank, n_genes=len(change)
        )

    def check_effect(self, claim: Claim, similarities: DrugSimilarities) -> CheckedClaim:
        """The verdict on how a neighbour's effect relates to the query's, ``claim.what``."""
        found = similarities.rank(claim.what, claim.subject)
        if found is None:
            source = f"{claim.subject} or {claim.what}: no specific change"
            return CheckedClaim(claim, Verdict.NOT_MEASURED, source)
        few = max(1, TOP_SHARE * found.n)
        alike = found.r > 0 and found.rank <= few
        opposite = found.r < 0 and found.n - found.rank < few
        match claim.relation:
            case ExpectedDirection.SAME:
                verdict = _decided(supported=alike, contradicted=opposite)
            case ExpectedDirection.OPPOSITE:
                verdict = _decided(supported=opposite, contradicted=alike)
            case _:
                verdict = Verdict.NOT_CHECKABLE
        r, rank, n = found
        source = "measured specific changes"
        return CheckedClaim(claim, verdict, source, pearson=r, drug_rank=rank, n_drugs=n)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {gene: place for place, gene in enumerate(self.genes)}

    def _check_annotation(
        self, claim: Claim, verdict_of: Callable[[str, Annotation], Verdict]
    ) -> CheckedClaim:
        note = self.annotations.get(claim.subject, Annotation(claim.subject))
        return CheckedClaim(claim, verdict_of(claim.what, note), note.source)

    def _mechanism_verdict(self, tag: str, note: Annotation) -> Verdict:
        """Supported by the tag itself, related by its programme."""
        if tag in note.tags:
            return Verdict.SUPPORTED
        if not note.tags:
            return Verdict.NOT_CHECKABLE
        if set(self.book.programmes([tag])) & set(self.book.programmes(note.tags)):
            return Verdict.RELATED
        return Verdict.NOT_CHECKABLE if tag in PROPERTIES else Verdict.CONTRADICTED

    def _target_verdict(self, gene: str, note: Annotation) -> Verdict:
        """Supported by an annotated target, or by a mechanism whose target the gene is.

        Enzymes and transporters that clear drugs are left out of annotations: not checkable.
        """
        mechanisms = [self.book.mechanism(tag) for tag in note.tags]
        if gene in note.targets or any(gene in one.targets for one in mechanisms):
            return Verdict.SUPPORTED
        known = note.targets or any(one.targets for one in mechanisms)
        if METABOLISM.fullmatch(gene) or not known:
            return Verdict.NOT_CHECKABLE
        implied = [m.programme for m in self.book.mechanisms.values() if gene in m.targets]
        related = set(implied) & {one.programme for one in mechanisms}
        return Verdict.RELATED if related else Verdict.CONTRADICTED


def _decided(*, supported: bool, contradicted: bool) -> Verdict:
    if supported:
        return Verdict.SUPPORTED
    return Verdict.CONTRADICTED if contradicted else Verdict.NO_CLEAR_CHANGE
