"""How a name reads among others: level by level, closest first.

Both sides, the text and the names it is read among, are normalised alike, so what one name reads as
says who its kin are, too; twins that are no answer to each other (``twins.py``) join them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property

from lgr_core.drugs.aliases import AliasTable
from lgr_core.drugs.normalise import fold
from lgr_core.drugs.salts import strip_form


class Level(StrEnum):
    """How close a reading is, closest first."""

    EXACT = "exact"
    FOLDED = "folded"
    FORM = "form"
    ALIAS = "alias"


class NameIndex:
    """Reads texts among ``names``, which are trimmed and single; ``book`` knows other names."""

    def __init__(self, names: Iterable[str], book: AliasTable) -> None:
        self.names = tuple(names)
        self._book = book
        self._exact = {name: (name,) for name in self.names}
        self._folded = group((fold(name), name) for name in self.names)
        self._bases = group((strip_form(name), name) for name in self.names)

    def of(self, text: str) -> Iterator[tuple[Level, tuple[str, ...]]]:
        """What answers to the text, level by level; later levels cost more and come lazily."""
        yield Level.EXACT, self._exact.get(text, ())
        yield Level.FOLDED, self._folded.get(fold(text), ())
        yield Level.FORM, self._bases.get(strip_form(text), ())
        yield Level.ALIAS, self._own_meanings.get(self._book.meaning(text), ())
        yield Level.ALIAS, self._meant_in_brackets(text)

    def families(self, keys: dict[str, str]) -> Iterable[list[str]]:
        """The names in families: who shares a key, reads as another at any level, or is its twin.

        Kin of kin are kin.
        """
        family = _Families(self.names)
        for drawn in group((key, name) for name, key in keys.items()).values():
            family.join(drawn)
        known: set[tuple[str, ...]] = set()
        for name in self.names:
            for _, readings in self.of(name):
                family.join((name, *readings[:1]))
                if readings not in known:
                    family.join(readings)
                    known.add(readings)
        twins = group((self._book.twin(name), name) for name in self.names)
        for alike in twins.values():
            family.join(alike)
        for name in self.names:
            for key in self._book.twins_in_brackets(name):
                family.join((name, *twins.get(key, ())))
        return family.members()

    def _meant_in_brackets(self, text: str) -> tuple[str, ...]:
        """Names outside their own brackets that the text has in its: two remarks never match."""
        senses = self._book.meanings_in_brackets(text)
        return tuple(sorted(name for meaning in senses for name in self._meanings.get(meaning, ())))

    @cached_property
    def _meanings(self) -> dict[str, tuple[str, ...]]:
        """Names by what they mean outside brackets."""
        return group((self._book.meaning(name), name) for name in self.names)

    @cached_property
    def _own_meanings(self) -> dict[str, tuple[str, ...]]:
        """Names by all they mean, built when a name is first read at the last level."""
        book = self._book
        return group(
            (meaning, name)
            for name in self.names
            for meaning in {book.meaning(name), *book.meanings_in_brackets(name)}
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
