"""Other names of genes, such as p53 of TP53: suggested to the user, never read in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lgr_core.atlas.annotate import read_table
from lgr_core.config import SHIPPED

_PREVIOUS = "previous symbol"
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "κ": "kappa"}  # noqa: RUF001
_SEPARATORS = str.maketrans("", "", "-_/. ")


@dataclass(frozen=True)
class GeneAliases:
    """The shipped table of aliases.

    ``genes`` are the approved symbols behind an alias, without case and separators; ``previous``
    the earlier symbols of an approved one.
    """

    genes: Mapping[str, tuple[str, ...]]
    previous: Mapping[str, tuple[str, ...]]

    @classmethod
    @cache
    def load(cls, folder: Path = SHIPPED) -> GeneAliases:
        """Read ``gene_aliases.csv``."""
        genes: dict[str, tuple[str, ...]] = {}
        previous: dict[str, tuple[str, ...]] = {}
        table = read_table(folder / "gene_aliases.csv")
        for alias, gene, kind in zip(table["alias"], table["gene"], table["kind"], strict=True):
            genes[_key(alias)] = (*genes.get(_key(alias), ()), gene)
            if kind == _PREVIOUS:
                previous[gene] = (*previous.get(gene, ()), alias)
        return cls(genes, previous)

    def suggest(self, name: str, measured: Mapping[str, str]) -> tuple[str, ...]:
        """Genes of an atlas that a name may stand for, each once.

        ``measured`` leads from a symbol without case to the atlas's spelling. An atlas that names a
        gene by an earlier symbol is found from the approved one too.
        """
        found = (measured.get(symbol.casefold()) for symbol in self._symbols(name))
        return tuple(dict.fromkeys(gene for gene in found if gene is not None))

    def _symbols(self, name: str) -> Iterator[str]:
        for gene in (*self.genes.get(_key(name), ()), name.upper()):
            yield gene
            yield from self.previous.get(gene, ())


def _key(name: str) -> str:
    for letter, word in _GREEK.items():
        name = name.replace(letter, word)
    return name.translate(_SEPARATORS).casefold()
