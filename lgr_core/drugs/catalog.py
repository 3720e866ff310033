"""Resolution of drug names: one canonical name, one parent compound.

A name is read by its closest level: exact, folded (case, spaces, Unicode form), form (salt,
hydrate and solvate stripped), alias. Names of which one can be read as the other are one compound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lgr_core.drugs.aliases import AliasTable, load_aliases, shipped_aliases
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


def parents_of(names: Iterable[str], keys: Mapping[str, str | None]) -> dict[str, str]:
    """The parent of every name: its structure's key, else its normalised name.

    Names share a parent if they share a structure, if one can be read as the other at any level
    (``BMX-123`` and ``BMX123``, ``Foolinib (BMX-999)`` and ``BMX-999``), or if they differ in
    isomer, isotope, repeat, salt or signs alone (``(S)-X``, ``d3-X``, ``X_rep2``), drawn or not,
    and so do names connected through others: better a compound too many left out of a pool than
    the answer left in. Of several keys the first in order is taken.
    """
    return _parents(NameIndex(_trimmed(names), shipped_aliases()), keys)


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
        """The parent compound of a drug; its salts, hydrates and stereoisomers share it."""
        return self._parents[self.resolve(name)]

    def twins(self, name: str) -> tuple[str, ...]:
        """The other names with the same parent, sorted."""
        drug = self.resolve(name)
        return tuple(n for n in self._families[self._parents[drug]] if n != drug)

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
    def _parents(self) -> dict[str, str]:
        """The parent of every name, computed on first use."""
        return _parents(self._index, self._keys)

    @cached_property
    def _families(self) -> dict[str, tuple[str, ...]]:
        return group((self._parents[name], name) for name in self.names)


def _trimmed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in names} - {""}))


def _parents(readings: NameIndex, keys: Mapping[str, str | None]) -> dict[str, str]:
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
