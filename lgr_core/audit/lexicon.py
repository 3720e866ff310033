"""Words and gene symbols that claims are read by."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lgr_core.config import SHIPPED
from lgr_core.drugs.mechanisms import MechanismAnnotations

CLASHING = frozenset(
    {
        *("AR", "CA2", "CAD", "CAT", "CP", "CS", "ER", "GC", "HP"),
        *("HR", "IMPACT", "MAX", "PC", "REST", "SET", "TAT", "TF", "TH"),
    }
)
"""Symbols that are abbreviations or words, too: CAD is also a cationic amphiphilic drug.

They count only beside a word that speaks of expression alone.
"""

SYMBOLS = r"[A-Z][A-Z0-9]+(?:orf\d+)?(?:/[A-Z0-9]+)*"
"""A symbol, or several with slashes between."""

_SYMBOL = rf"{SYMBOLS}(?![\w/\u2013-])"
_ITEM = rf"(?:{_SYMBOL}|p21|p53|c-Myc|cyclin [A-Z]\d?|survivin)"
GENE_LIST = rf"{_ITEM}(?:(?:, and |, | and | plus ){_ITEM})*"
"""A list such as ``SPRY2/4, MYC and DUSP6``; names of proteins may stand in it."""

_SIBLING = re.compile(r"\d+[A-Z]?")


def split_symbols(text: str) -> tuple[str, ...]:
    """The symbols of a gene list: ``SPRY2/4 and MYC/FOS`` are SPRY2, SPRY4, MYC and FOS."""
    found = []
    for item in re.split(r", and |, | and | plus ", text):
        first, *others = item.split("/")
        found.append(first)
        stem = re.sub(r"\d+[A-Z]?$", "", first)
        found += [stem + other if _SIBLING.fullmatch(other) else other for other in others]
    return tuple(found)


@cache
def known_symbols(folder: Path = SHIPPED) -> frozenset[str]:
    """Gene symbols of the shipped tables: drug targets and genes of the programmes.

    An atlas adds its own genes; a word that no table knows as a gene is none.
    """
    book = MechanismAnnotations.load(folder)
    targets = {gene for note in book.drugs.values() for gene in note.targets}
    moved = {g for s in book.signatures.values() for side in s for g in side}
    with (folder / "demo_genes.csv").open(encoding="utf-8", newline="") as file:
        shipped = {row["gene"] for row in csv.DictReader(file)}
    return frozenset(targets | moved | shipped)


def drug_words(names: Iterable[str]) -> re.Pattern[str]:
    """Matches any of these drugs by the first word of its name, in any case."""
    stems = [re.sub(r"^\([RS+-]+\)-|\s*\(.*$", "", name.strip()).split() for name in names]
    words = [re.escape(stem[0]) for stem in stems if stem]
    return re.compile(rf"\b(?:{'|'.join(words) or '(?!)'})(?!\w)", re.IGNORECASE)
