"""Who a drug is: one canonical name, one parent compound.

A name is read by its closest level: exact, folded (case, spaces, Unicode form), form (salt,
hydrate and solvate stripped), alias. Both sides, the text and the atlas's names, are normalised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rapidfuzz import fuzz, process

from lgr_core.drugs.aliases import AliasBook, load_aliases, shipped_book
from lgr_core.drugs.forms import split_form, strip_form
from lgr_core.drugs.names import fold, safe_name
from lgr_core.errors import AmbiguousError, unknown

__all__ = [
    "DrugCatalog",
    "Level",
    "Resolution",
    "fold",
    "load_aliases",
    "parents_of",
    "safe_name",
    "strip_form",
]


class Level(StrEnum):
    """How close a reading is, closest first."""

    EXACT = "exact"
    FOLDED = "folded"
    FORM = "form"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a name was read: one drug, or several candidates at one level, or nothing at all."""

    drug: str | None = None
    level: Level | None = None
    candidates: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether two or more drugs answer equally well."""
        return len(self.candidates) > 1


NOT_FOUND = Resolution()


def parents_of(names: Iterable[str], keys: Mapping[str, str | None]) -> dict[str, str]:
    """The parent of every name: its structure's key, else its normalised name.

    A name without a structure that is a form of exactly one with a structure shares that parent
    (``ENMD-2076 L-(+)-Tartaric acid`` and ``ENMD-2076``): a salt is a twin, drawn or not.
    """
    trimmed = {name.strip(): key for name, key in keys.items() if key}
    drawn: dict[str, set[str]] = defaultdict(set)
    for name, key in trimmed.items():
        drawn[strip_form(name)].add(key)
    parents = {}
    for name in (name.strip() for name in names):
        base = strip_form(name)
        shared = drawn.get(base, set())
        parents[name] = trimmed.get(name) or (next(iter(shared)) if len(shared) == 1 else base)
    return parents


class DrugCatalog:
    """The drugs of one atlas, by any name.

    Parameters
    ----------
    names
        The drugs as the atlas gives them; trimmed, they are the canonical names.
    parents
        The structure's key (or any parent id) of each name, where there is one.
    aliases
        Other names, each leading to a base name; ``None`` takes the shipped table.
    where
        What error messages call the place that was searched.
    """

    def __init__(
        self,
        names: Iterable[str],
        parents: Mapping[str, str | None] | None = None,
        aliases: Mapping[str, str] | None = None,
        *,
        where: str = "this atlas",
    ) -> None:
        self.names = tuple(sorted({name.strip() for name in names} - {""}))
        self.where = where
        self._book = shipped_book() if aliases is None else AliasBook(aliases)
        self._exact = {name: (name,) for name in self.names}
        self._folded = _index((fold(name), name) for name in self.names)
        self._bases = _index((strip_form(name), name) for name in self.names)
        self._parents = parents_of(self.names, {} if parents is None else parents)
        self._families = _index((self._parents[name], name) for name in self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._exact

    def find(self, text: str, *, among: Collection[str] | None = None) -> Resolution:
        """How the text reads at its closest level; an unknown or ambiguous name is an answer too.

        ``among`` restricts the reading to those canonical names (a set, for speed).
        """
        for level, readings in self._readings(text.strip()):
            candidates = tuple(n for n in readings if among is None or n in among)
            if candidates:
                return _closest(text, level, candidates)
        return NOT_FOUND

    def resolve(self, text: str) -> str:
        """The canonical name that the text means.

        Raises
        ------
        AmbiguousError
            If at its closest level it reads as two drugs.
        NotFoundError
            If nothing answers to it; the nearest names are offered.
        """
        reading = self.find(text)
        if reading.drug is not None:
            return reading.drug
        if reading.ambiguous:
            found = f"it can be read as {' or '.join(reading.candidates)}"
            raise AmbiguousError(f"drug {text!r}", found, "Give the full name of one of them.")
        raise unknown("drug", text, self.names, self.where)

    def parent(self, name: str) -> str:
        """The parent compound of a drug; its salts, hydrates and stereoisomers share it."""
        return self._parents[self.resolve(name)]

    def twins(self, name: str) -> tuple[str, ...]:
        """The other names with the same parent, sorted."""
        drug = self.resolve(name)
        return tuple(n for n in self._families[self._parents[drug]] if n != drug)

    def suggest(self, text: str, *, among: Collection[str] | None = None) -> str | None:
        """The name most like the text, if one is close: for a name that was not found."""
        best = process.extractOne(
            text,
            self.names if among is None else sorted(among),
            scorer=fuzz.WRatio,
            processor=strip_form,
            score_cutoff=80,
        )
        return None if best is None else best[0]

    def _readings(self, text: str) -> Iterable[tuple[Level, tuple[str, ...]]]:
        """What answers to the text, level by level; later levels cost more and come lazily."""
        yield Level.EXACT, self._exact.get(text, ())
        yield Level.FOLDED, self._folded.get(fold(text), ())
        yield Level.FORM, self._bases.get(strip_form(text), ())
        yield Level.ALIAS, self._senses.get(self._book.sense(text), ())
        yield Level.ALIAS, self._meant_in_brackets(text)

    def _meant_in_brackets(self, text: str) -> tuple[str, ...]:
        """Names outside their own brackets that the text has in its: two remarks never match."""
        senses = self._book.senses_in_brackets(text)
        hits = {name for sense in senses for name in self._senses.get(sense, ())}
        return tuple(sorted(name for name in hits if self._book.sense(name) in senses))

    @cached_property
    def _senses(self) -> dict[str, tuple[str, ...]]:
        """Names by sense, built when a name is first read at the last level."""
        book = self._book
        return _index(
            (sense, name)
            for name in self.names
            for sense in {book.sense(name), *book.senses_in_brackets(name)}
        )


def _closest(text: str, level: Level, candidates: tuple[str, ...]) -> Resolution:
    """The only candidate, or the only one in the form that the text asks for."""
    if len(candidates) > 1:
        form = split_form(text).words
        same = tuple(name for name in candidates if split_form(name).words == form)
        candidates = same if len(same) == 1 else candidates
    drug = candidates[0] if len(candidates) == 1 else None
    return Resolution(drug, level, candidates)


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Names by key, in the order given; few share one."""
    index: dict[str, tuple[str, ...]] = {}
    for key, name in pairs:
        index[key] = (*index.get(key, ()), name)
    return index
