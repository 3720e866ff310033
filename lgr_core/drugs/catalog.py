"""Resolution of drug names: one canonical name, one parent compound.

A name is read by its closest level: exact, folded (case, spaces, Unicode form), form (salt,
hydrate and solvate stripped), alias. Names of which one can be read as the other are one compound.
A combination has the parents of all its drugs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lgr_core.drugs.aliases import AliasTable, load_aliases, shipped_aliases
from lgr_core.drugs.combinations import combinations
from lgr_core.drugs.compound_key import compound_key
from lgr_core.drugs.name_matching import Level, NameIndex, group
from lgr_core.drugs.normalise import normalise_name, safe_name
from lgr_core.drugs.salts import bracket, split_form, strip_form
from lgr_core.errors import AmbiguousError, unknown
from lgr_core.nearest import LIMIT, nearest
from lgr_core.remedies import Remedy

__all__ = [
    "DrugCatalog",
    "Level",
    "Resolution",
    "load_aliases",
    "normalise_name",
    "parents_of",
    "safe_name",
    "strip_form",
]


_CLASS_ENDINGS = (
    "anib ciclib degib fenib lisib metinib parib rafenib sertib tinib zomib "
    "abine amide azole caine cillin conazole coxib cycline dipine domide floxacin gliflozin "
    "gliptin glitazone lukast mycin navir olol olone oxacin parin pamil platin prazole pril "
    "rubicin sartan setron sone stat statin stine taxel tecan terol tidine triptan vir xaban zepam"
)
"""Endings of the international names of whole classes of drugs (WHO's stems): alike in all."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The result of resolving a name: one drug, several candidates at one level, or none."""

    drug: str | None = None
    level: Level | None = None
    candidates: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether two or more drugs match equally well."""
        return len(self.candidates) > 1


NOT_FOUND = Resolution()


@dataclass(frozen=True, slots=True)
class Parents:
    """The parent ``of`` each name, and the ``parts`` of each parent of a combination.

    The parts are parents, too: those of the combined drugs.
    """

    of: Mapping[str, str]
    parts: Mapping[str, frozenset[str]]

    def sharing(self) -> dict[str, frozenset[str]]:
        """Parent -> all parents that have a part in common with it; without those it has alone."""
        holders: dict[str, set[str]] = {}
        for parent, parts in self.parts.items():
            for part in parts:
                holders.setdefault(part, {part}).add(parent)
        found = {part: frozenset(its) for part, its in holders.items()}
        for parent, parts in self.parts.items():
            found[parent] = frozenset().union(*(holders[part] for part in parts))
        return found


def parents_of(names: Iterable[str], keys: Mapping[str, str | None]) -> dict[str, str]:
    """The parent of every name: its structure's key, else its normalised name.

    Names share a parent if they share a structure, if one can be read as the other at any level
    (``BMX-123`` and ``BMX123``, ``Foolinib (BMX-999)`` and ``BMX-999``), or if they differ in
    isomer, isotope, repeat, salt or signs alone (``(S)-X``, ``d3-X``, ``X_rep2``), drawn or not,
    and so do names connected through others: better a compound too many left out of a pool than
    the answer left in. Of several keys the first in order is taken. The parent of a combination is
    that of all its drugs, ``P + Q`` in order: its own, unless they are one compound.
    """
    return dict(_find_parents(_trimmed(names), shipped_aliases(), keys).of)


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
    listing
        How its names are listed: what an error says where no name is near.
    """

    def __init__(
        self,
        names: Iterable[str],
        parents: Mapping[str, str | None] | None = None,
        aliases: Mapping[str, str] | None = None,
        *,
        where: str = "this atlas",
        listing: str | Remedy | None = None,
    ) -> None:
        self.names = _trimmed(names)
        self.where, self.listing = where, listing
        book = shipped_aliases() if aliases is None else AliasTable(aliases)
        self._book = book
        self._index = NameIndex(self.names, book)
        self._known = frozenset(self.names)
        self._keys = {} if parents is None else parents

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def find(self, text: str, *, among: Collection[str] | None = None) -> Resolution:
        """Resolve the text at its closest level; unknown and ambiguous names are results too.

        ``among`` restricts the reading to those canonical names (a set, for speed).
        """
        for level, readings in self._index.of(text.strip()):
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
        if text in self._known:  # the closest reading there is
            return text
        resolution = self.find(text)
        if resolution.drug is not None:
            return resolution.drug
        if resolution.ambiguous:
            found = f"it can be read as {' or '.join(resolution.candidates)}"
            do = "Give the full name of one of them."
            raise AmbiguousError(f"drug {text!r}", found, do, candidates=resolution.candidates)
        near = self.nearest(text)
        raise unknown("drug", text, self.names, self.where, near=near, listing=self.listing)

    def parent(self, name: str) -> str:
        """The parent compound of a drug; its salts, hydrates and stereoisomers share it.

        A combination has one of its own, made of its drugs' parents.
        """
        return self.parents.of[self.resolve(name)]

    def sharing(self, parent: str) -> frozenset[str]:
        """The parent and all that share a part with it: what is closed where it is held out."""
        return self._sharing.get(parent, frozenset((parent,)))

    def twins(self, name: str) -> tuple[str, ...]:
        """The other names with the same parent, sorted."""
        drug = self.resolve(name)
        return tuple(n for n in self._families[self.parents.of[drug]] if n != drug)

    def related(self, name: str) -> tuple[str, ...]:
        """The twins, and what shares a drug: combinations with it, and what they hold; sorted."""
        drug = self.resolve(name)
        closed = self.sharing(self.parents.of[drug])
        names = (n for parent in closed for n in self._families.get(parent, ()))
        return tuple(sorted(n for n in names if n != drug))

    @cached_property
    def combinations(self) -> tuple[str, ...]:
        """The names of two compounds or more that were given together, sorted."""
        return tuple(n for n in self.names if self.parents.of[n] in self.parents.parts)

    def nearest(
        self, text: str, *, among: Collection[str] | None = None, limit: int = LIMIT
    ) -> tuple[str, ...]:
        """The names that the text may be a misspelling of, the likeliest first.

        Salts, isomers, case and signs do not count, nor does the ending of a class of drugs:
        Dasatinib is no misspelling of Afatinib.
        """
        names = self.names if among is None else sorted(among)
        return nearest(
            text, names, limit=limit, keys=_spellings, endings=_CLASS_ENDINGS.split(), longer=False
        )

    @cached_property
    def parents(self) -> Parents:
        """The parent of every name, found when one is first asked for."""
        return _find_parents(self.names, self._book, self._keys)

    @cached_property
    def _sharing(self) -> dict[str, frozenset[str]]:
        return self.parents.sharing()

    @cached_property
    def _families(self) -> dict[str, tuple[str, ...]]:
        return group((self.parents.of[name], name) for name in self.names)


def _trimmed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in names} - {""}))


def _find_parents(
    names: Collection[str], book: AliasTable, keys: Mapping[str, str | None]
) -> Parents:
    combined = combinations(names, book)
    parts = {part for its in combined.values() for part in its}
    single = NameIndex(sorted({*names, *parts} - combined.keys()), book)
    of = _single_parents(single, keys)
    parts_of: dict[str, frozenset[str]] = {}
    for name, its in combined.items():
        shared = frozenset(of[part] for part in its)
        of[name] = " + ".join(sorted(shared))
        if len(shared) > 1:
            parts_of[of[name]] = shared
    return Parents({name: of[name] for name in names}, parts_of)


def _single_parents(readings: NameIndex, keys: Mapping[str, str | None]) -> dict[str, str]:
    known = set(readings.names)
    drawn = {name.strip(): key for name, key in keys.items() if key and name.strip() in known}
    parents: dict[str, str] = {}
    for family in readings.families(drawn):
        shared = {drawn[name] for name in family if name in drawn}
        parents |= dict.fromkeys(family, min(shared or map(strip_form, family)))
    return parents


@lru_cache(maxsize=16384)
def _spellings(name: str) -> frozenset[str]:
    """The keys of a name, whole and before its closing bracket, which may hold another name."""
    return frozenset({compound_key(name), compound_key(bracket(normalise_name(name))[0])})


def _closest(text: str, level: Level, candidates: tuple[str, ...]) -> Resolution:
    """The only candidate, or the only one in the form that the text asks for."""
    if len(candidates) > 1:
        form = split_form(text).words
        same = tuple(name for name in candidates if split_form(name).words == form)
        candidates = same if len(same) == 1 else candidates
    drug = candidates[0] if len(candidates) == 1 else None
    return Resolution(drug, level, candidates)
