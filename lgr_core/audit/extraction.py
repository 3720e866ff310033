"""Extraction: the claims of a reason, from its fields and from its prose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from lgr_core.audit.claims import Claim, ClaimKind, ClaimOrigin, StatedReason
from lgr_core.audit.direction_claims import DirectionReader
from lgr_core.audit.lexicon import known_symbols
from lgr_core.audit.mechanism_claims import mechanisms_named, read_mechanisms
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import MechanismAnnotations


@dataclass(frozen=True)
class ClaimExtractor:
    """Reads the claims of reasons; ``symbols`` are the words that are genes."""

    book: MechanismAnnotations
    annotations: Mapping[str, Annotation]
    symbols: Collection[str]

    @classmethod
    def of(
        cls,
        book: MechanismAnnotations,
        annotations: Mapping[str, Annotation],
        genes: Collection[str],
    ) -> ClaimExtractor:
        """An extractor that knows the genes of an atlas and of the shipped tables."""
        annotated = {gene for note in annotations.values() for gene in note.targets}
        return cls(book, annotations, known_symbols() | annotated | frozenset(genes))

    def claims(self, reason: StatedReason) -> tuple[Claim, ...]:
        """The claims of a reason, those of its fields first; the same claim counts once."""
        found = [*self._of_fields(reason), *self._of_prose(reason)]
        distinct = {(c.kind, c.subject, c.what, c.direction): c for c in reversed(found)}
        return tuple(reversed(distinct.values()))

    def _of_fields(self, reason: StatedReason) -> Iterator[Claim]:
        """A target or pathway is claimed of both drugs, the expected direction of the pair."""
        if reason.fields is None:
            return
        both = (reason.neighbor, reason.query)
        for gene in reason.fields.shared_targets:
            if gene in self.symbols:
                for drug in both:
                    yield Claim(ClaimKind.TARGET, drug, gene, origin=ClaimOrigin.FIELD, quote=gene)
        pathway = reason.fields.shared_pathway
        for tag in mechanisms_named(self.book, pathway):
            for drug in both:
                yield Claim(ClaimKind.MECHANISM, drug, tag, origin=ClaimOrigin.FIELD, quote=pathway)
        relation = reason.fields.expected_direction
        if relation is not None:
            yield Claim(
                *(ClaimKind.EFFECT, *both),
                origin=ClaimOrigin.FIELD,
                quote=str(relation),
                relation=relation,
            )
        why = replace(reason, text=reason.fields.why_in_line, fields=None)
        yield from (replace(one, origin=ClaimOrigin.FIELD) for one in self._of_prose(why))

    def _of_prose(self, reason: StatedReason) -> Iterator[Claim]:
        yield from read_mechanisms(reason, self.book, self.symbols)
        targets = {g for drug in (reason.query, reason.neighbor) for g in self._targets(drug)}
        yield from DirectionReader(self.symbols).read(reason, targets)

    def _targets(self, drug: str) -> tuple[str, ...]:
        return self.annotations[drug].targets if drug in self.annotations else ()
