"""Queries as people list them: one a line, a table, or a list of drugs times a list of lines."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from lgr_core.atlas.sources.doses import parse_dose, split_unit
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.unseen_drug import UnseenDrug
from lgr_core.batch.new_drugs import DrugEntry, NewDrugs, structure_or_mechanism, with_new_drugs
from lgr_core.domain import EMPTY, CandidatePool, Condition
from lgr_core.drugs.normalise import normalise_name
from lgr_core.errors import InputError, LgrError, NotFoundError
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.parse_query import read_query

FORM = "drug, cell line, dose"
"""The order of values on a line; the dose may be left out.

A fourth value is the structure or the mechanism of a drug that the atlas does not hold.
"""

POOLED = "pooled"
"""How a list spells the dose of an atlas whose doses were pooled."""

_DRUG = {"drug", "compound", "molecule", "treatment", "perturbation", "target_molecule"}
_LINE = {"cell_line", "cellline", "line", "cell", "cell_type", "target_cell_type"}
_DOSE = {"dose", "concentration", "conc"}
_SMILES = {"smiles", "canonical_smiles", "structure"}
_MOA = {"moa", "mechanism", "targets"}
_NO_DOSE = {"", "-", "na", "n/a", "nan", "none"}
_SIGNS = re.compile(r"[^a-z]+")
_MICRO = str.maketrans("\u00b5\u03bc", "uu")


class QueryRow(NamedTuple):
    """What one line asks for, in its own words; no dose is the highest measured.

    ``smiles`` and ``moa`` are what it gives of a drug that the atlas may not hold.
    """

    drug: str
    cell_line: str
    dose: str = ""
    unit: str = "uM"
    smiles: str = ""
    moa: str = ""

    def __str__(self) -> str:
        given = self.drug or self.smiles, self.cell_line, self.dose
        return ", ".join(part for part in given if part)


class RefusedRow(NamedTuple):
    """A line that names no query of the atlas, as it was written, and why.

    ``place`` is how many queries stand above it in the list.
    """

    text: str
    error: LgrError
    place: int = 0


@dataclass(frozen=True, slots=True)
class QueryList:
    """What a list means in an atlas: nothing of it is lost.

    ``store`` is the atlas with the new drugs of the list, ``new_drugs`` those by name.
    ``pools`` has one entry a query, in the list's order; ``repeated`` counts lines that ask for a
    query that stands above. ``notes`` say how names and doses were read, each once.
    """

    store: AtlasStore
    new_drugs: Mapping[str, UnseenDrug] = field(default_factory=lambda: EMPTY)
    pools: tuple[CandidatePool, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    repeated: int = 0
    notes: tuple[str, ...] = ()


def listed(text: str) -> list[QueryRow | RefusedRow]:
    """The wishes of a text with one query a line: ``drug, cell line[, dose[, what it is]]``.

    Values stand between commas, semicolons or tabs; one that holds such a sign stands in quotes. A
    structure (SMILES) may stand for a drug; the fourth value is a structure or a mechanism. A first
    line that names its columns (``drug``, ``cell_line``, ``dose_um``, ``smiles``, ``moa``) sets
    their order, and columns of other names are left aside. A line of other length is refused.
    """
    rows = [line for line in text.splitlines() if line.strip()]
    if not rows:
        return []
    sign = next((sign for sign in "\t;" if sign in rows[0]), ",")
    columns = _columns(_values(rows[0], sign))
    body = rows if columns is None else rows[1:]
    return [_query_row(row, _values(row, sign), columns) for row in body]


def crossed(drugs: str, lines: str, dose: str = "") -> list[QueryRow]:
    """Every drug of a list in every cell line of another; names one a line, each once.

    After a semicolon or tab a drug's line may give its structure or mechanism.
    """
    names = [
        tuple(dict.fromkeys(name.strip() for name in text.splitlines() if name.strip()))
        for text in (drugs, lines)
    ]
    parts = [re.split(r"[;\t]", line, maxsplit=1) for line in names[0]]
    drugs_given = [(part[0].strip(), *structure_or_mechanism(*part[1:])) for part in parts]
    return [
        QueryRow(drug, line, dose, smiles=smiles, moa=moa)
        for line, (drug, smiles, moa) in product(names[1], drugs_given)
    ]


def read_query_rows(store: AtlasStore, rows: Iterable[QueryRow | RefusedRow]) -> QueryList:
    """Read names and doses as the atlas has them; a query is taken once.

    A drug that the atlas does not hold is added to it, if its structure or mechanism is given or
    known. Refused are another unknown name, with the nearest ones, an ambiguous one, with its
    readings, a dose that the line lacks, and a query that nothing else was measured for.
    """
    rows = list(rows)
    asked = (_entry(row) for row in rows if isinstance(row, QueryRow))
    new = with_new_drugs(store, asked)
    pools: dict[object, CandidatePool] = {}
    refused: list[RefusedRow] = []
    notes: dict[str, None] = dict.fromkeys(new.notes)
    repeated = 0
    for row in rows:
        if isinstance(row, RefusedRow):
            refused.append(row._replace(place=len(pools)))
            continue
        try:
            query, said = _query(new, row)
            if query in pools:
                repeated += 1
            else:
                pools[query] = candidate_pool(new.store, query)
        except LgrError as err:
            refused.append(RefusedRow(str(row), err, len(pools)))
        else:
            notes |= dict.fromkeys(said)
    return QueryList(
        new.store,
        {drug.drug: drug for drug in new.drugs.values()},
        tuple(pools.values()),
        tuple(refused),
        repeated,
        tuple(notes),
    )


def _entry(row: QueryRow) -> DrugEntry:
    return DrugEntry(row.drug.strip(), row.smiles.strip(), row.moa.strip())


def _query(new: NewDrugs, row: QueryRow) -> tuple[Condition, tuple[str, ...]]:
    """The condition of a row in the atlas with the new drugs, and notes on how it was read."""
    entry = _entry(row)
    if entry in new.refused:
        raise new.refused[entry]
    name = new.drugs[entry].drug if entry in new.drugs else row.drug
    return read_query(new.store, row.cell_line, name, _dose(new.store, row))


def _values(row: str, sign: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([row], delimiter=sign, strict=False))]
    except (csv.Error, StopIteration):
        return []


def _columns(names: Sequence[str]) -> dict[str, tuple[int, str]] | None:
    """Where drug, cell line and dose stand, and the dose's unit; None if this is no heading."""
    found = dict(_roles(names))
    is_heading = "cell_line" in found and not found.keys().isdisjoint({"drug", "smiles"})
    return found if is_heading else None


def _roles(names: Sequence[str]) -> Iterator[tuple[str, tuple[int, str]]]:
    for place, name in reversed(list(enumerate(names))):  # of two, the first is taken
        plain = _SIGNS.sub("_", normalise_name(name.translate(_MICRO))).strip("_")
        if plain in _DRUG:
            yield "drug", (place, "")
        elif plain in _LINE:
            yield "cell_line", (place, "")
        elif plain in _SMILES:
            yield "smiles", (place, "")
        elif plain in _MOA:
            yield "moa", (place, "")
        elif split_unit(plain)[0] in _DOSE:
            yield "dose", (place, split_unit(plain)[1] or "uM")


def _query_row(
    row: str, values: Sequence[str], columns: dict[str, tuple[int, str]] | None
) -> QueryRow | RefusedRow:
    try:
        return _by_order(row, values) if columns is None else _by_heading(row, values, columns)
    except LgrError as err:
        return RefusedRow(row.strip(), err)


def _by_order(row: str, values: Sequence[str]) -> QueryRow:
    if not 2 <= len(values) <= 4 or not all(values[:2]):  # noqa: PLR2004 - see FORM
        raise _no_query(row, values)
    drug, cell_line, dose, given = (*values, "", "")[:4]
    smiles, moa = structure_or_mechanism(given)
    return QueryRow(drug, cell_line, dose, smiles=smiles, moa=moa)


def _by_heading(
    row: str, values: Sequence[str], columns: Mapping[str, tuple[int, str]]
) -> QueryRow:
    found = {
        role: values[place] if place < len(values) else "" for role, (place, _) in columns.items()
    }
    if not found["cell_line"] or not (found.get("drug") or found.get("smiles")):
        raise _no_query(row, values)
    unit = columns.get("dose", (0, "uM"))[1]
    return QueryRow(
        found.get("drug", ""),
        found["cell_line"],
        found.get("dose", ""),
        unit,
        found.get("smiles", ""),
        found.get("moa", ""),
    )


def _no_query(row: str, values: Sequence[str]) -> InputError:
    found = f"{len([value for value in values if value])} values where {FORM} is expected"
    do = "Put a name that holds the separating sign in quotes."
    return InputError(f"line {row.strip()!r}", found, do)


def _dose(store: AtlasStore, row: QueryRow) -> float | None:
    written = row.dose.strip()
    if normalise_name(written) in _NO_DOSE:
        return None
    if normalise_name(written) == POOLED:
        line = store.cell_line_catalog.resolve(row.cell_line)
        if store.doses(line) != (None,):
            found = "doses were measured one by one there"
            raise NotFoundError(f"pooled doses in {line}", found, "Give a dose, or none.")
        return None
    dose = parse_dose(written, row.unit)
    if math.isnan(dose):
        raise InputError(f"dose {written!r}", "it is no amount", "Write it like 5, 0.5 or 500 nM.")
    return dose
