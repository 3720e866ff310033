"""Signatures from gene lists or whole changes, as weights over the panel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from lgr_core.atlas.annotate import read_table
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import SHIPPED
from lgr_core.domain import FloatArray
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import InputError
from lgr_core.signatures.gene_aliases import GeneAliases

FEW = 10
"""With fewer genes of a list than this, its p-values are rough; the search says so."""

_BETWEEN = re.compile(r"[\s,;|]+")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_ENSEMBL = re.compile(r"ENSG\d{11}(\.\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MatchedGenes:
    """A gene list matched to an atlas; every name is in exactly one of the lists.

    ``used`` are genes of the panel, spelled as the atlas does. ``outside`` are measured, but not in
    the panel that is searched. ``not_measured`` are genes that this atlas lacks; ``unknown`` names
    mean nothing here. ``read_as`` maps given names to what they were read as, where that differs.
    ``suggestions`` are genes of the atlas that a name of the last two lists may stand for (``p53``:
    TP53); none of them is used.
    """

    used: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()
    suggestions: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """A weight for each gene of an atlas's panel, (n_panel,), and its drug if it has one.

    ``drug`` names the drug behind a measured or predicted change, so that it and its twins are
    flagged among what is found. ``sides`` are the numbers of genes up and down of a gene list.
    """

    weights: FloatArray
    drug: str | None = None
    sides: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all():
            found = f"weights of shape {self.weights.shape}, or not all finite"
            raise InputError("signature", found, "Give one finite number a gene of the panel.")
        if not np.ptp(self.weights) > 0:
            found = "it gives every gene the same weight, so that nothing is like it or unlike it"
            raise InputError("signature", found, "Choose another change, or paste genes.")


def split_genes(text: str) -> tuple[str, ...]:
    """The names in a pasted text, each once: between spaces, lines, commas, semicolons or bars."""
    parts = (part.strip(_QUOTES) for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def read_genes(store: AtlasStore, names: Iterable[str]) -> MatchedGenes:
    """Match names by symbol, then without regard to case, then by Ensembl id (any version).

    What matches by none of these is suggested a gene where it is known as another name of it.
    """
    place = {gene: i for i, gene in reversed(list(enumerate(store.gene_names.tolist())))}
    folded = _folded(store)
    piles: dict[str, dict[str, None]] = {
        pile: {} for pile in ("used", "outside", "not_measured", "unknown")
    }
    read_as: dict[str, str] = {}
    for name in names:
        gene = name if name in place else folded.get(name.casefold().split(".")[0])
        gene = folded.get(name.casefold()) if gene is None else gene
        if gene is None:
            known = name.casefold() in _known_genes() or _ENSEMBL.fullmatch(name)
            piles["not_measured" if known else "unknown"][name] = None
            continue
        piles["used" if place[gene] < store.n_panel else "outside"][gene] = None
        if gene != name:
            read_as[name] = gene
    suggest = GeneAliases.load().suggest
    lost = {name: suggest(name, folded) for name in (*piles["not_measured"], *piles["unknown"])}
    return MatchedGenes(
        **{k: tuple(v) for k, v in piles.items()},
        read_as=tuple(read_as.items()),
        suggestions=tuple((name, genes) for name, genes in lost.items() if genes),
    )


def gene_set(store: AtlasStore, up: Iterable[str], down: Iterable[str]) -> Signature:
    """The signature of genes that go up and genes that go down.

    Each side weighs 1 in all, ``1 / n_up`` and ``-1 / n_down`` a gene, so that the score compares
    the mean change of the one with that of the other. A gene on both sides is left out.

    Raises
    ------
    InputError
        If no gene of either list is in the atlas's panel.
    """
    rising, falling = read_genes(store, up).used, read_genes(store, down).used
    both = [gene for gene in rising if gene in falling]
    place = {gene: i for i, gene in enumerate(store.gene_names[: store.n_panel].tolist())}
    weights = np.zeros(store.n_panel)
    sides = []
    for sign, genes in ((1.0, rising), (-1.0, falling)):
        rows = [place[gene] for gene in genes if gene not in both]
        weights[rows] = sign / max(len(rows), 1)
        sides.append(len(rows))
    n = sum(sides)
    if not n:
        found = f"none of its genes is among the {store.n_panel:,} that are searched"
        do = "Paste gene symbols as the atlas has them, such as "
        do += f"{', '.join(store.gene_names[:3])}; a gene must not stand on both sides."
        raise InputError(f"signature in atlas {store.name!r}", found, do)
    notes = [f"On both sides, so left out: {', '.join(both)}."] if both else []
    if n < FEW:
        few = f"Only {n} gene{'s' if n > 1 else ''} can be used: p over random genes is rough."
        notes.append(few)
    return Signature(weights, sides=(sides[0], sides[1]), notes=tuple(notes))


def whole_change(delta: FloatArray, *, drug: str | None = None) -> Signature:
    """The signature of a measured or predicted change over the panel, (n_panel,)."""
    return Signature(np.asarray(delta, dtype=np.float64), drug)


def _folded(store: AtlasStore) -> Mapping[str, str]:
    """Genes by Ensembl id and by symbol without case; the earlier column wins."""
    folded: dict[str, str] = {}
    genes = store.genes
    for gene, ensembl in zip(genes["gene"], genes["ensembl_id"].astype(str), strict=True):
        folded.setdefault(gene.casefold(), gene)
        if ensembl:
            folded.setdefault(ensembl.casefold().split(".")[0], gene)
    return folded


@cache
def _known_genes() -> frozenset[str]:
    """Symbols in the shipped files, without case: real genes, whether an atlas has them or not."""
    book = MechanismAnnotations.load()
    known = {gene for sets in book.signatures.values() for side in sets for gene in side}
    known.update(gene for drug in book.drugs.values() for gene in drug.targets)
    known.update(gene for mechanism in book.mechanisms.values() for gene in mechanism.targets)
    known.update(read_table(SHIPPED / "demo_genes.csv")["gene"])
    drivers = read_table(SHIPPED / "cell_lines.csv")["driver_genes"]
    known.update(gene for line in drivers for gene in line.split(";") if gene)
    return frozenset(gene.casefold() for gene in known)
