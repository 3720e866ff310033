"""Drugs of a list that the atlas does not hold: recognised by structure, mechanism or name.

A name that the atlas lacks is a new drug if the list gives its structure or mechanism, or if the
shipped annotations know it; otherwise it is a typing error, and refused with the nearest names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.unseen_drug import (
    UNNAMED,
    UnseenDrug,
    describe_unseen,
    with_unseen_drugs,
)
from lgr_core.drugs.chemistry import standardise
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import InputError, LgrError, NotFoundError

_LETTERS = re.compile(r"[A-Za-z0-9@+\-\[\]()=#$:/\\.%*]+")
_BONDS = re.compile(r"[=#\[@]")
"""Signs that a structure may have, and those that no name of a drug has."""

_BRANCHES = re.compile(r"[=#\[@(]|\d")
"""A text without any of these may be a structure, but is more likely an abbreviation (FCCP)."""


@dataclass(frozen=True, slots=True)
class DrugEntry:
    """A drug as a list gives it: a name, or a structure in its place, and what is known of it."""

    drug: str
    smiles: str = ""
    moa: str = ""


@dataclass(frozen=True, slots=True)
class NewDrugs:
    """The atlas with the new drugs of a list among its own.

    ``drugs`` has the new drug of an entry, ``refused`` why an entry is none, and ``notes`` say what
    was made of them.
    """

    store: AtlasStore
    drugs: dict[DrugEntry, UnseenDrug]
    refused: dict[DrugEntry, LgrError]
    notes: tuple[str, ...]


def is_structure(text: str) -> bool:
    """Whether a text is the SMILES of a molecule, not a name.

    Raises
    ------
    InputError
        If it has bonds as only a structure has, and cannot be read as one.
    """
    if not (_LETTERS.fullmatch(text) and _BRANCHES.search(text)):
        return False
    try:
        standardise(text)
    except InputError:
        if _BONDS.search(text):
            raise
        return False
    return True


def structure_or_mechanism(words: str = "") -> tuple[str, str]:
    """A structure or a mechanism, whichever the words are: ``(smiles, moa)``."""
    text = words.strip()
    drawn = _LETTERS.fullmatch(text) and _BONDS.search(text)
    return (text, "") if drawn or is_structure(text) else ("", text)


def with_new_drugs(store: AtlasStore, entries: Iterable[DrugEntry]) -> NewDrugs:
    """Add the drugs of a list that the atlas does not hold; entries that it holds are left aside.

    One structure or name is one drug, however many lines ask for it.
    """
    novel: dict[DrugEntry, UnseenDrug] = {}
    refused: dict[DrugEntry, LgrError] = {}
    for entry in dict.fromkeys(entries):
        if entry.drug and store.drug_catalog.find(entry.drug).candidates:
            continue
        try:
            novel[entry] = _unseen(store, entry, list(novel.values()))
        except LgrError as err:
            refused[entry] = err
    known = _described(list(novel.values()))
    for entry, drug in list(novel.items()):
        if drug.drug not in known:
            refused[entry] = _unknown(store, entry)
            del novel[entry]
    added = list({drug.drug: drug for drug in novel.values()}.values())
    wider = with_unseen_drugs(store, added)
    notes = [note for drug in added for note in _notes(wider, drug)]
    return NewDrugs(wider, novel, refused, tuple(notes))


def _unseen(store: AtlasStore, entry: DrugEntry, before: list[UnseenDrug]) -> UnseenDrug:
    """The drug of an entry; of a structure without a name, one that was not used before.

    Raises
    ------
    InputError
        If its structure cannot be read, or its name stands for another structure above.
    """
    name, smiles = entry.drug, entry.smiles
    if not smiles and is_structure(name):
        name, smiles = "", name
    if smiles:
        standardise(smiles)
    if not name:
        same = next((drug for drug in before if drug.smiles == smiles), None)
        used = {*store.drug_catalog.names, *(drug.name for drug in before)}
        numbered = (f"{UNNAMED} {i}" for i in count(1))
        name = same.name if same else next(name for name in numbered if name not in used)
    drug = UnseenDrug(name, smiles, entry.moa)
    other = next((one for one in before if one.name == name and one != drug), None)
    if other is not None:
        found = "another line gives another structure or mechanism for it"
        raise InputError(f"new drug {name!r}", found, "Give one, or two names.")
    return drug


def _described(drugs: list[UnseenDrug]) -> frozenset[str]:
    """Names of the drugs of which a structure or a mechanism is known."""
    if not drugs:
        return frozenset()
    rows = describe_unseen(drugs)
    known = (rows[["smiles", "moa", "targets"]] != "").any(axis=1)
    tagged = rows["drug"].map(lambda name: bool(_annotations().tags(name)))
    return frozenset(rows["drug"][known | tagged])


@lru_cache(maxsize=1)
def _annotations() -> MechanismAnnotations:
    return MechanismAnnotations.load()


def _unknown(store: AtlasStore, entry: DrugEntry) -> LgrError:
    """The error for a name that nothing is known of."""
    try:
        store.drug_catalog.resolve(entry.drug)
    except NotFoundError as err:
        found = f"{err.found}, and neither its structure nor its mechanism is given or known"
        add = "Correct the name, or add its structure (SMILES) or mechanism."
        do = err.do if err.nearest else add
        return NotFoundError(err.asked, found, do, nearest=err.nearest)
    except LgrError as err:
        return err
    return InputError(f"drug {entry.drug!r}", "nothing is known of it", "Give its structure.")


def _notes(store: AtlasStore, drug: UnseenDrug) -> list[str]:
    """What is known of a new drug, and the forms of the same compound that the atlas holds."""
    row = store.annotations[drug.drug]
    of_it = f" {drug.smiles}" if drug.drug.startswith(UNNAMED) else ""
    parts = [f"structure{of_it}"] if row["smiles"] else []
    parts += [f"mechanism {row['moa']}"] if row["moa"] else []
    known = " and ".join(parts) or "mechanism in the shipped annotations"
    notes = [f"{drug.drug} is not in this atlas: a new drug, known by its {known}."]
    if twins := store.drug_catalog.twins(drug.drug):
        same = f"is the same compound as {', '.join(twins)}, which its prediction leaves out"
        notes.append(f"{drug.drug} {same}.")
    return notes
