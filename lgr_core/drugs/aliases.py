"""Other names of a drug: research codes, brand names, and names written in brackets."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lgr_core.config import SHIPPED
from lgr_core.drugs.compound_key import compound_key, strip_variant
from lgr_core.drugs.normalise import joined
from lgr_core.drugs.salts import bracket, strip_form
from lgr_core.errors import InputError

_COLUMNS = ("alias", "drug", "source")


def load_aliases(path: Path) -> dict[str, str]:
    """Read a table ``alias,drug,source``: alias to the base name of its drug.

    Raises
    ------
    InputError
        If the table cannot be read, a cell is empty, an alias stands for two drugs, or an alias
        leads to another alias.
    """
    asked, do = f"aliases {path}", f"Give a CSV with the columns {', '.join(_COLUMNS)}."
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise InputError(asked, str(err), do) from err
    aliases: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        alias, drug, source = ((row.get(column) or "").strip() for column in _COLUMNS)
        if not (alias and drug and source):
            raise InputError(asked, f"line {number} has an empty cell or lacks a column", do)
        if aliases.setdefault(alias, drug) != drug:
            found = f"{alias} stands for both {aliases[alias]} and {drug} (line {number})"
            raise InputError(asked, found, "Keep one, or leave the alias out.")
    AliasTable(aliases)
    return aliases


class AliasTable:
    """Reads a name as its sense: one key for all names of one drug.

    A sense is folded, form-stripped, led through the alias table, and blind to hyphens and spaces.

    Raises
    ------
    InputError
        If an alias stands for two drugs or leads to another alias.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._own_meanings: dict[str, str] = {}
        for alias, drug in aliases.items():
            key, meaning = _key(alias), _key(drug)
            if self._own_meanings.setdefault(key, meaning) != meaning:
                found = f"it stands for both {self._own_meanings[key]} and {drug}"
                raise InputError(f"alias {alias!r}", found, "Keep one, or leave it out.")
        self._twins = {compound_key(alias): compound_key(drug) for alias, drug in aliases.items()}
        for alias, drug in aliases.items():
            if self._own_meanings.get(_key(drug), _key(drug)) != _key(drug):
                found = f"it leads to {drug!r}, which is an alias itself"
                raise InputError(f"alias {alias!r}", found, "Name the drug it leads to.")

    def meaning(self, name: str) -> str:
        """The key of the name, without what it holds in brackets at its end."""
        return self._meaning(bracket(strip_form(name))[0])

    def meanings_in_brackets(self, name: str) -> frozenset[str]:
        """The keys of other names written in brackets: ``Fluorouracil (5-Fluoracil, 5-FU)``."""
        inner = bracket(strip_form(name))[1]
        return frozenset(self._meaning(part) for part in inner.split(", ") if part.strip())

    def twin(self, name: str) -> str:
        """The key that the name shares with its twins, without what it holds in brackets."""
        return self._twin(bracket(strip_variant(name))[0])

    def twins_in_brackets(self, name: str) -> frozenset[str]:
        """The same keys of other names written in brackets."""
        inner = bracket(strip_variant(name))[1]
        return frozenset(self._twin(part) for part in inner.split(", ") if part.strip())

    def _twin(self, text: str) -> str:
        key = compound_key(text)
        return self._twins.get(key, key)

    def _meaning(self, text: str) -> str:
        key = _key(text)
        return self._own_meanings.get(key, key)


def _key(text: str) -> str:
    return joined(strip_form(text))


@cache
def shipped_aliases() -> AliasTable:
    """The aliases that ship with the checkout, ``data/aliases.csv``."""
    return AliasTable(load_aliases(SHIPPED / "aliases.csv"))
