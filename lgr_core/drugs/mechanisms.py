"""Drug mechanisms: tags, the programmes they belong to, and similarity of two drugs.

Three shipped files: ``drugs.csv`` annotates drugs by name, ``mechanisms.csv`` says what each tag
means, ``programs.gmt`` holds the genes that rise or fall with a programme. Drugs that are not
shipped are read from an atlas's own mechanism and target columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lgr_core.config import SHIPPED
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.mechanism_tables import (
    NO_SOURCE,
    Annotation,
    Mechanism,
    MechanismSignature,
    read_annotations,
    read_mechanisms,
    read_signatures,
    split_terms,
)
from lgr_core.errors import InputError, unknown

__all__ = ["Annotation", "Mechanism", "MechanismAnnotations", "MechanismSignature"]

ATLAS_SOURCE = "read from the atlas's own annotation"

METABOLISM = re.compile(r"ABC[BCG]\d+|ALB|CYP(1A\d|2[A-E]\d+|3A\d)|SLCO\w+|UGT\w+")
"""Genes that annotations list because they clear the drug, not because they explain its effect."""

_ACTIVATES = re.compile(r"\b(agonist|activator|stimulant|opener)\b", re.IGNORECASE)
_SHOWN_TARGETS = 3


@dataclass(frozen=True)
class MechanismAnnotations:
    """All mechanisms, annotated drugs and programme signatures, by name."""

    mechanisms: Mapping[str, Mechanism]
    drugs: Mapping[str, Annotation]
    signatures: Mapping[str, MechanismSignature]
    _catalog: DrugCatalog = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for drug in self.drugs.values():
            _check_known("mechanism tag", drug.tags, self.mechanisms, drug.drug)
        for mechanism in self.mechanisms.values():
            named = mechanism.up + mechanism.down
            _check_known("signature", named, self.signatures, mechanism.tag)
        object.__setattr__(self, "_catalog", DrugCatalog(self.drugs, where="drugs.csv"))

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> MechanismAnnotations:
        """Read the three files in ``folder``.

        Raises
        ------
        InputError
            If a file is missing or names a tag or signature that another does not define.
        """
        return cls(
            read_mechanisms(folder / "mechanisms.csv"),
            read_annotations(folder / "drugs.csv"),
            read_signatures(folder / "programs.gmt"),
        )

    def annotate(
        self, drug: str, *, moa: str | None = None, targets: str | None = None
    ) -> Annotation:
        """The shipped annotation of ``drug`` by name, else what ``moa`` and ``targets`` say.

        A shipped entry without tags stays without: nothing with a known effect is recorded.
        Otherwise the terms of ``moa`` (separated by ``|`` or ``;``) are looked up in the patterns
        of ``mechanisms.csv``. Targets (also by comma) name the mechanism where no term does and
        the text speaks of no activation; where all of them point to one mechanism within the
        programme of the only term, that is the finer reading and stands.
        """
        shipped = self._shipped(drug)
        if shipped is not None:
            return Annotation(drug, shipped.tags, shipped.targets, shipped.source)
        genes = tuple(
            g
            for g in split_terms("" if targets is None else targets, "|;,")
            if not METABOLISM.fullmatch(g)
        )
        tags = self.read_tags("" if moa is None else moa, genes)
        return Annotation(drug, tags, genes, ATLAS_SOURCE if tags or genes else NO_SOURCE)

    def tags(
        self, drug: str, *, moa: str | None = None, targets: str | None = None
    ) -> tuple[str, ...]:
        """The tags of ``annotate``."""
        return self.annotate(drug, moa=moa, targets=targets).tags

    def programmes(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The programmes that the tags belong to, each once, in the tags' order."""
        return tuple(dict.fromkeys(self.mechanism(tag).programme for tag in tags))

    def mechanism(self, tag: str) -> Mechanism:
        """The mechanism of that tag; NotFoundError if there is none."""
        if tag not in self.mechanisms:
            raise unknown("mechanism tag", tag, self.mechanisms, "mechanisms.csv")
        return self.mechanisms[tag]

    def signature(self, name: str) -> MechanismSignature:
        """The signature of that name; NotFoundError if there is none."""
        if name not in self.signatures:
            raise unknown("signature", name, self.signatures, "programs.gmt")
        return self.signatures[name]

    def expected(self, tags: Iterable[str]) -> MechanismSignature:
        """Genes expected to rise and to fall under these mechanisms, but for contradictory ones."""
        up: dict[str, None] = {}
        down: dict[str, None] = {}
        for mechanism in map(self.mechanism, tags):
            for names, rising, falling in ((mechanism.up, up, down), (mechanism.down, down, up)):
                for signature in map(self.signature, names):
                    rising.update(dict.fromkeys(signature.up))
                    falling.update(dict.fromkeys(signature.down))
        return MechanismSignature(
            tuple(g for g in up if g not in down), tuple(g for g in down if g not in up)
        )

    def similarity(self, a: Annotation, b: Annotation) -> float:
        """How alike two drugs act, from 0 (nothing shared) to 1 (same tags, same targets).

        With J the Jaccard index of their tags, targets or programmes::

            0.7 + 0.2 J(tags) + 0.1 J(targets)        if they share a tag
            0                                         else, if they are opposed
            0.4 + 0.2 J(targets) + 0.1 J(programmes)  else, if they share a target
            0.1 + 0.2 J(programmes)                   else, if they share a programme
            0                                         else

        so any shared tag outranks any shared target, and that any shared programme. Opposed are
        drugs that move some signature in contrary directions and none in the same one: an
        antagonist is no neighbour of its receptor's agonist.
        """
        tags, targets = _jaccard(a.tags, b.tags), _jaccard(a.targets, b.targets)
        if tags:
            return (7 + 2 * tags + targets) / 10
        programmes = _jaccard(self.programmes(a.tags), self.programmes(b.tags))
        if not (targets or programmes) or self._opposed(a, b):
            return 0.0
        return (4 + 2 * targets + programmes if targets else 1 + 2 * programmes) / 10

    def explain(self, a: Annotation, b: Annotation) -> str:
        """One sentence: what the two drugs share, the closest thing first."""
        tags = [tag for tag in a.tags if tag in b.tags]
        targets = [gene for gene in a.targets if gene in b.targets]
        if tags:
            labels = _and([_plural(self.mechanism(tag).label) for tag in tags])
            shared = f"; shared {_targets(targets)}" if targets else ""
            return f"Both {labels} ({_and(self.programmes(tags))}){shared}."
        if self._opposed(a, b):
            return f"{self._as(a)} and {self._as(b)} act in opposite directions."
        if targets:
            return f"{self._as(a)} and {self._as(b)} have the same {_targets(targets)}."
        theirs = self.programmes(b.tags)
        common = [programme for programme in self.programmes(a.tags) if programme in theirs]
        if common:
            return f"Both belong to {_and(common)}: {self._as(a)} and {self._as(b)}."
        return f"{a.drug} and {b.drug} share no known mechanism, target or programme."

    def _opposed(self, a: Annotation, b: Annotation) -> bool:
        (a_up, a_down), (b_up, b_down) = self._moved(a), self._moved(b)
        return bool(a_up & b_down | a_down & b_up) and not (a_up & b_up | a_down & b_down)

    def _moved(self, annotation: Annotation) -> tuple[set[str], set[str]]:
        """The signatures that a drug's mechanisms raise, and those that they lower."""
        mechanisms = [self.mechanism(tag) for tag in annotation.tags]
        return (
            {name for mechanism in mechanisms for name in mechanism.up},
            {name for mechanism in mechanisms for name in mechanism.down},
        )

    def _as(self, annotation: Annotation) -> str:
        if not annotation.tags:
            return annotation.drug
        labels = _and([self.mechanism(tag).label for tag in annotation.tags])
        return f"{annotation.drug} ({labels})"

    def _shipped(self, drug: str) -> Annotation | None:
        """The shipped entry by name; of several forms the first, if they say the same."""
        resolution = self._catalog.find(drug)
        entries = [self.drugs[name] for name in resolution.candidates]
        return entries[0] if len({entry.tags for entry in entries}) == 1 else None

    def read_tags(self, moa: str, genes: Sequence[str]) -> tuple[str, ...]:
        """The tags that the terms of ``moa`` and the targets ``genes`` mean; see ``annotate``."""
        terms = [re.sub(r"\s*\(.*?\)", "", term) for term in split_terms(moa, "|;")]
        terms += [part for term in terms for part in split_terms(term, ",")]
        known = self.mechanisms.values()
        direct = tuple(m.tag for m in known if any(m.terms.fullmatch(term) for term in terms))
        implied = tuple(m.tag for m in known if set(m.targets) & set(genes))
        if not direct:
            return () if _ACTIVATES.search(moa) else implied
        finer = len(direct) == len(implied) == 1
        return implied if finer and self.programmes(direct) == self.programmes(implied) else direct


def _check_known(kind: str, names: Iterable[str], known: Mapping[str, object], where: str) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{kind} {name!r} of {where}", "not defined", "Define it first.")


def _jaccard(a: Iterable[str], b: Iterable[str]) -> float:
    first, second = set(a), set(b)
    return len(first & second) / len(first | second) if first & second else 0.0


def _targets(genes: Sequence[str]) -> str:
    more = len(genes) - _SHOWN_TARGETS
    shown = [*genes[:_SHOWN_TARGETS], f"{more} more"] if more > 0 else genes
    return f"target{'s' if len(genes) > 1 else ''} {_and(shown)}"


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _plural(label: str) -> str:
    return label if label.endswith("s") else f"{label}s"
