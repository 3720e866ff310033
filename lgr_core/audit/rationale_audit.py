"""The audit of recorded reasons in an atlas: every claim with its verdict, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.curated_annotation import FIELDS, CuratedAnnotation
from lgr_core.atlas.store import AtlasStore
from lgr_core.audit.claims import Claim, StatedReason
from lgr_core.audit.extraction import ClaimExtractor
from lgr_core.audit.plate_centred import PlateCentredChanges
from lgr_core.audit.verdicts import CheckedClaim, ClaimChecker, SpecificChange
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.retrieval.neighbor_files import NeighborRecord

COLUMNS = (
    *("file", "cell_line", "dose_um", "query", "neighbor", "rank", "reason"),
    *("kind", "origin", "subject", "what", "direction", "quote", "verdict", "source"),
    *("value", "gene_rank", "n_genes"),
    *("relation", "pearson", "drug_rank", "n_drugs"),
)
"""Columns of the table of claims; ``rank`` is the neighbour's, ``gene_rank`` the gene's and
``drug_rank`` that of an effect claim's two drugs among all that are compared."""


@dataclass(frozen=True, slots=True)
class AuditedReason:
    """A reason with where it was given: file, cell line, dose, and the neighbour's rank."""

    reason: StatedReason
    cell_line: str
    dose_um: float | None
    rank: int
    file: str = ""


class ExtractedReason(NamedTuple):
    """A reason with the claims that were read from it."""

    given: AuditedReason
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class RationaleAudit:
    """Extracts and checks the claims of reasons, by rule alone and without a language model."""

    extractor: ClaimExtractor
    checker: ClaimChecker

    @classmethod
    def of(cls, store: AtlasStore, change: SpecificChange | None = None) -> RationaleAudit:
        """The audit of reasons about an atlas's drugs.

        ``change`` gives specific changes of the panel genes; unset, they are computed from the
        atlas's plates, as are the similarities of drugs.
        """
        book = MechanismAnnotations.load()
        notes = drug_annotations(store, book)
        genes = store.gene_names[: store.n_panel].tolist()
        changes = PlateCentredChanges(store)
        return cls(
            ClaimExtractor.of(book, notes, store.gene_names.tolist()),
            ClaimChecker(
                *(genes, notes, book),
                changes if change is None else change,
                changes.similarities,
            ),
        )

    def checked(
        self, reason: StatedReason, cell_line: str, dose_um: float | None
    ) -> tuple[CheckedClaim, ...]:
        """The claims of a reason with their verdicts, in the order of extraction."""
        claims = self.extractor.claims(reason)
        return tuple(self.checker.check(claim, cell_line, dose_um) for claim in claims)

    def extract(self, reasons: Iterable[AuditedReason]) -> tuple[ExtractedReason, ...]:
        """Each reason with its claims."""
        return tuple(ExtractedReason(each, self.extractor.claims(each.reason)) for each in reasons)

    def table(self, extracted: Iterable[ExtractedReason]) -> pd.DataFrame:
        """One row a claim, with the columns ``COLUMNS``."""
        return self._table(extracted, {})

    def permuted(self, extracted: Sequence[ExtractedReason], seed: int) -> pd.DataFrame:
        """The same table where each subject's data and annotation are those of another drug.

        One random permutation of the drugs that the reasons name, the same in all lines.
        """
        reasons = [each.given.reason for each in extracted]
        drugs = sorted({drug for one in reasons for drug in (one.query, one.neighbor)})
        others = np.random.default_rng(seed).permutation(drugs).tolist()
        return self._table(extracted, dict(zip(drugs, others, strict=True)))

    def _table(
        self, extracted: Iterable[ExtractedReason], stand_in: Mapping[str, str]
    ) -> pd.DataFrame:
        rows = []
        for given, claims in extracted:
            for claim in claims:
                subject = stand_in.get(claim.subject, claim.subject)
                meant = replace(claim, subject=subject)
                rows.append(_row(given, self.checker.check(meant, given.cell_line, given.dose_um)))
        return pd.DataFrame(rows, columns=list(COLUMNS))


def drug_annotations(store: AtlasStore, book: MechanismAnnotations) -> Mapping[str, Annotation]:
    """The annotation of each drug of an atlas, by name, with the curated one where there is any."""
    curated = CuratedAnnotation.of(store)
    return {
        drug: _with_curated(
            book.annotate(drug, moa=row.get("moa"), targets=row.get("targets")), curated, book
        )
        for drug, row in store.annotations.items()
    }


def _with_curated(
    note: Annotation, curated: CuratedAnnotation, book: MechanismAnnotations
) -> Annotation:
    """An annotation with the curated mechanisms and targets of its drug added; both are named."""
    terms, genes = (curated.stated[field].get(note.drug, ()) for field in FIELDS)
    if not (terms or genes):
        return note
    tags = book.read_tags("|".join(terms), genes)
    return Annotation(
        note.drug,
        tuple(dict.fromkeys([*note.tags, *tags])),
        tuple(dict.fromkeys([*note.targets, *genes])),
        f"{note.source}; curated: {', '.join(curated.sources)}",
    )


def reasons_of(
    store: AtlasStore, records: Iterable[NeighborRecord], file: str = ""
) -> Iterator[AuditedReason]:
    """The reasons of recorded answers whose drugs and line the atlas knows, best neighbour first.

    The dose is the record's, else the highest at which the line was measured.
    """
    lines = store.cell_line_catalog
    for record in records:
        line = lines.find(record.cell_line)
        query = store.drug_catalog.find(record.drug).drug
        if line is None or query is None:
            continue
        doses = store.doses(line)
        dose = record.dose_um if record.dose_um is not None or not doses else doses[0]
        for rank, proposal in enumerate(record.proposals, start=1):
            neighbor = store.drug_catalog.find(proposal.text).drug
            fields = proposal.structured
            if neighbor is not None and (proposal.rationale or fields is not None):
                reason = StatedReason(query, neighbor, proposal.rationale, fields)
                yield AuditedReason(reason, line, dose, rank, file)


def _row(each: AuditedReason, one: CheckedClaim) -> tuple[object, ...]:
    claim, reason = one.claim, each.reason
    return (
        *(each.file, each.cell_line, each.dose_um, reason.query, reason.neighbor, each.rank),
        *(reason.text, str(claim.kind), str(claim.origin), claim.subject, claim.what),
        "" if claim.direction is None else str(claim.direction),
        *(claim.quote, str(one.verdict), one.source, one.value, one.rank, one.n_genes),
        "" if claim.relation is None else str(claim.relation),
        *(one.pearson, one.drug_rank, one.n_drugs),
    )
