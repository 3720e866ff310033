"""Names of several drugs given together: ``A+B``, ``A & B``, ``A; B``, ``A/B``, ``A_B``.

A plus sign, an ampersand or a semicolon outside brackets joins drugs, whether the atlas knows them
or not; ``(+)-JQ1`` and ``NAD+ precursor`` are single. A slash joins them where one of them is a
drug of the atlas, an underscore, a comma, a bar or a word where all of them are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from lgr_core.drugs.aliases import AliasTable
from lgr_core.drugs.name_matching import NameIndex
from lgr_core.drugs.normalise import normalise_name
from lgr_core.drugs.salts import is_only_form
from lgr_core.drugs.vehicles import KNOWN_CONTROLS

_JOINS = re.compile(r"""\s+[+&]\s+|(?<=[\w)\]'"])[+&](?=[\w(\['"])|\s*;\s*""")
_SLASH = re.compile(r"\s*/\s*")
_MAY_JOIN = re.compile(r"\s*[+&/,|]\s*|_+|\s+(?:and|plus|with)\s+", re.IGNORECASE)

_LEAST = 3
"""Letters and digits that make a name; shorter ones count only where the atlas has them."""

_MOST = 8
"""Signs of one name that are tried: with more it is no combination but a code."""


def combinations(names: Iterable[str], book: AliasTable) -> dict[str, tuple[str, ...]]:
    """The names that name drugs given together -> the drugs, as they are written there.

    Vehicles are none of them: ``X+ctrl`` has the one part ``X``.
    """
    names = tuple(names)
    joined = {name: parts for name in names if len(parts := _cut(name, _JOINS)) > 1}
    single = NameIndex([name for name in names if name not in joined], book)
    found = {
        name: its
        for name, parts in joined.items()
        if (
            its := tuple(
                x for x in parts if _known(single, x) or not is_only_form(normalise_name(x))
            )
        )
        and all(_is_name(x) or _known(single, x) for x in its)
    }
    single_drugs = {part for its in found.values() for part in its}
    known = NameIndex(sorted({*single.names, *single_drugs}), book)
    for name in names:
        if name not in found and _MAY_JOIN.search(name) and (its := _known_parts(name, known)):
            found[name] = its
    return {name: without_vehicles(its) for name, its in found.items()}


def without_vehicle(name: str, labels: Collection[str] = KNOWN_CONTROLS) -> str:
    """``Trametinib+ctrl`` as ``Trametinib``; of vehicles alone, the first of them.

    ``labels`` are what vehicles are called. Any other name is returned as it is.
    """
    parts = _cut(name, _JOINS)
    drugs = without_vehicles(parts, labels)
    if len(drugs) == len(parts):
        return name
    sign = _JOINS.search(name)
    return drugs[0] if len(drugs) == 1 or sign is None else sign[0].join(drugs)


def without_vehicles(
    parts: Sequence[str], labels: Collection[str] = KNOWN_CONTROLS
) -> tuple[str, ...]:
    """Those of the parts that are no vehicle; the first one if all of them are."""
    vehicles = {normalise_name(label) for label in labels}
    return tuple(part for part in parts if normalise_name(part) not in vehicles) or tuple(parts[:1])


def _known_parts(name: str, known: NameIndex) -> tuple[str, ...]:
    """The parts of a name whose signs join drugs only if the atlas knows those; none if not."""

    def is_known(part: str) -> bool:
        return _known(known, part, but=name)

    halves = _cut(name, _SLASH)
    if len(halves) > 1 and any(map(is_known, halves)) and all(map(_is_name, halves)):
        return halves
    places = _places(name, _MAY_JOIN)
    return _segments(name, places, is_known) if 0 < len(places) <= _MOST else ()


def _segments(
    name: str, places: Sequence[tuple[int, int]], is_known: Callable[[str], bool]
) -> tuple[str, ...]:
    """The name cut at some of its signs, so that each part is known; none if there is no way."""
    for i, (start, stop) in enumerate(places):
        first, rest = name[:start].strip(), name[stop:].strip()
        if not (first and rest and is_known(first)):
            continue
        if is_known(rest):
            return first, rest
        later = [(a - stop, b - stop) for a, b in places[i + 1 :]]
        if its := _segments(name[stop:], later, is_known):
            return first, *its
    return ()


def _known(readings: NameIndex, part: str, *, but: str = "") -> bool:
    """Whether a part reads as a drug; ``but`` is the whole name, which is no drug for its part."""
    return any(name != but for _, names in readings.of(part) for name in names)


def _cut(name: str, sign: re.Pattern[str]) -> tuple[str, ...]:
    """The name cut at every such sign outside brackets; whole if a part would be empty."""
    parts, at = [], 0
    for start, stop in _places(name, sign):
        parts.append(name[at:start].strip())
        at = stop
    parts.append(name[at:].strip())
    return tuple(parts) if all(parts) else (name,)


def _places(name: str, sign: re.Pattern[str]) -> list[tuple[int, int]]:
    """Where such signs stand outside brackets."""
    found = (match.span() for match in sign.finditer(name))
    return [place for place in found if _is_outside(name[: place[0]])]


def _is_outside(before: str) -> bool:
    return sum(map(before.count, "([{")) <= sum(map(before.count, ")]}"))


def _is_name(part: str) -> bool:
    """Whether a part may name a drug that the atlas does not know: three signs, one a letter."""
    signs = [sign for sign in part if sign.isalnum()]
    named = len(signs) >= _LEAST and any(map(str.isalpha, signs))
    return named and not is_only_form(normalise_name(part))
