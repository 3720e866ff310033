"""Files of curated annotation as publishers give them: mechanism and targets of drugs."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgr_core.domain import EMPTY
from lgr_core.drugs.chemistry import parent_key
from lgr_core.drugs.mechanism_tables import split_terms
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError

ROLES: Mapping[str, tuple[str, ...]] = {
    "drug": ("drug", "name", "pert_iname", "pref_name", "parent molecule name"),
    "inchikey": ("inchikey", "inchi_key", "standard_inchi_key"),
    "smiles": ("smiles", "canonical_smiles"),
    "mechanism": ("mechanism", "moa", "mechanism_of_action", "mechanism of action"),
    "targets": ("targets", "target", "gene", "gene_symbol", "target_name", "target name"),
}
"""What is read of a drug, and the column names it goes by, in small letters."""

_SEPARATORS = {"hub": "|,", "chembl": "|;", "csv": "|;,"}
"""What stands between several targets, by source: names of ChEMBL's targets hold commas."""

_BLOCK = 14
"""Letters of an InChIKey that name the connectivity."""


@dataclass(frozen=True, slots=True)
class CuratedDrug:
    """What a file says of one drug; ``key`` is its parent's InChIKey block where it is drawn."""

    name: str
    key: str | None
    mechanisms: tuple[str, ...]
    targets: tuple[str, ...]


def read_curated(
    paths: Sequence[Path], source: str, columns: Mapping[str, str] = EMPTY
) -> list[CuratedDrug]:
    """The drugs of a curated file, one for each of its rows that names a mechanism or target.

    ``source`` is ``hub`` (the Drug Repurposing Hub's drugs, and beside them, as a second file, its
    samples, which hold the structures), ``chembl`` or ``csv``. The separator is read from the
    header (tab, semicolon or comma); lines before it that start with ``!`` are left out.
    ``columns`` (role -> name) say what columns are whose names do not.

    Raises
    ------
    InputError
        A file cannot be read, or has no column for the drug or for what is said of it.
    """
    first, *others = paths
    structures = {row["drug"]: row for path in others for row in _rows(path, columns)}
    found = []
    for row in _rows(first, columns, needed=True):
        drawn = structures.get(row["drug"], row)
        mechanisms = tuple(split_terms(row["mechanism"], "|;"))
        targets = tuple(split_terms(row["targets"], _SEPARATORS[source]))
        if mechanisms or targets:
            found.append(CuratedDrug(row["drug"], _key(drawn), mechanisms, targets))
    return found


def _rows(
    path: Path, columns: Mapping[str, str], *, needed: bool = False
) -> Iterator[dict[str, str]]:
    """Every row by role; a role without a column is empty."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"annotation {path}", str(err), "Give a text file in UTF-8.") from err
    lines = [line for line in lines if line.strip() and not line.startswith("!")]
    if not lines:
        raise InputError(f"annotation {path}", "it is empty", "Give a table with a header.")
    separator = max("\t;,", key=lines[0].count)
    reader = csv.DictReader(lines, delimiter=separator)
    place = _columns(path, reader.fieldnames or (), columns, needed=needed)
    for row in reader:
        if None in row:
            found = f"line {reader.line_num} has more fields than the header"
            raise InputError(f"annotation {path}", found, "Check the file.")
        yield {role: _text(row.get(name)) for role, name in place.items()}


def _columns(
    path: Path, names: Sequence[str], columns: Mapping[str, str], *, needed: bool
) -> dict[str, str]:
    """Role -> column; a column that is not there is named by a text that no header has."""
    if lacking := [name for name in columns.values() if name not in names]:
        found = f"no column {lacking[0]!r}; there are {', '.join(names)}"
        raise InputError(f"annotation {path}", found, "Name a column of the file.")
    small = {name.strip().casefold(): name for name in names}
    place = {
        role: columns.get(role, next((small[a] for a in known if a in small), ""))
        for role, known in ROLES.items()
    }
    nameless = not any(place[role] for role in ("drug", "inchikey", "smiles"))
    if nameless or (needed and not (place["mechanism"] or place["targets"])):
        found = f"columns {', '.join(names)}"
        do = "Say which is which with --column drug=..., mechanism=..., targets=...."
        raise InputError(f"annotation {path}", found, do)
    return place


def _text(value: str | None) -> str:
    text = "" if value is None else value.strip()
    return "" if is_missing(text) else text


def _key(row: Mapping[str, str]) -> str | None:
    """The parent's key by the structure, else the first block of the InChIKey as it is given."""
    drawn = parent_key(row["smiles"]) if row["smiles"] else None
    return drawn or row["inchikey"][:_BLOCK] or None
