"""Matching of a name among others, level by level, closest first.

Both sides, the text and the names it is read among, are normalised alike, so what one name reads as
says who its kin are, too; twins that are no answer to each other (``twins.py``) join them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property

from lgr_core.drugs.aliases import AliasTable
from lgr_core.drugs.normalise import normalise_name
from lgr_core.drugs.salts import strip_form


class Level(StrEnum):
    """How closely a name matches, closest first."""

    EXACT = "exact"
    FOLDED = "folded"
    FORM = "form"
    ALIAS = "alias"


class NameIndex:
    """Matches texts to ``names``, which are trimmed and unique; ``book`` has their aliases."""

    def __init__(self, names: Iterable[str], book: AliasTable) -> None:
        self.names = tuple(names)
        self._book = book
        self._exact = {name: (name,) for name in self.names}
        self._folded = group((normalise_name(name), name) for name in self.names)
        self._bases = group((strip_form(name), name) for name in self.names)

    def of(self, text: str) -> Iterator[tuple[Level, tuple[str, ...]]]:
        """The matches of the text, level by level, computed lazily: later levels cost more."""
        yield Level.EXACT, self._exact.get(text, ())
        yield Level.FOLDED, self._folded.get(normalise_name(text), ())
        yield Level.FORM, self._bases.get(strip_form(text), ())
        yield Level.ALIAS, self._names_by_all_keys.get(self._book.name_key(text), ())
        yield Level.ALIAS, self._names_in_brackets(text)

    def families(self, keys: dict[str, str]) -> Iterable[list[str]]:
        """Families of names that share a key, match at any level, or are twins.

        Kin of kin are kin.
        """
        family = _Families(self.names)
        for same_structure in group((key, name) for name, key in keys.items()).values():
            family.join(same_structure)
        known: set[tuple[str, ...]] = set()
        for name in self.names:
            for _, matches in self.of(name):
                family.join((name, *matches[:1]))
                if matches not in known:
                    family.join(matches)
                    known.add(matches)
        twins = group((self._book.twin(name), name) for name in self.names)
        for alike in twins.values():
            family.join(alike)
        for name in self.names:
            for key in self._book.twins_in_brackets(name):
                family.join((name, *twins.get(key, ())))
        return family.members()

    def _names_in_brackets(self, text: str) -> tuple[str, ...]:
        """Names that equal one in the brackets of the text; two texts in brackets never match."""
        inner = self._book.name_keys_in_brackets(text)
        return tuple(sorted(name for key in inner for name in self._names_by_key.get(key, ())))

    @cached_property
    def _names_by_key(self) -> dict[str, tuple[str, ...]]:
        """Names by the key of their part outside brackets."""
        return group((self._book.name_key(name), name) for name in self.names)

    @cached_property
    def _names_by_all_keys(self) -> dict[str, tuple[str, ...]]:
        """Names by all their keys, built when a name is first matched at the last level."""
        book = self._book
        return group(
            (name_key, name)
            for name in self.names
            for name_key in {book.name_key(name), *book.name_keys_in_brackets(name)}
        )


class _Families:
    """Disjoint sets of names that grow together."""

    def __init__(self, names: Iterable[str]) -> None:
        self._above = {name: name for name in names}

    def join(self, names: Iterable[str]) -> None:
        """Make one family of the families of these names."""
        heads = [self._head(name) for name in names]
        for head in heads:
            self._above[head] = heads[0]

    def members(self) -> Iterable[list[str]]:
        """Every family's names, in the order given."""
        found: dict[str, list[str]] = {}
        for name in self._above:
            found.setdefault(self._head(name), []).append(name)
        return found.values()

    def _head(self, name: str) -> str:
        while (above := self._above[name]) != name:
            self._above[name] = self._above[above]
            name = above
        return name


def group(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Names by key, in the order given."""
    index: dict[str, list[str]] = {}
    for key, name in pairs:
        index.setdefault(key, []).append(name)
    return {key: tuple(names) for key, names in index.items()}
