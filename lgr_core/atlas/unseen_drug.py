"""Queries for a drug that is not in the atlas.

Such a drug is measured nowhere, so its pool is the whole line; but whatever in the atlas is the
same compound, by structure or by name, is its twin, and stays out of its pool and of every view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs
from lgr_core.atlas.store import AtlasStore
from lgr_core.drugs.chemistry import fingerprints, standardise
from lgr_core.errors import InputError, UsageError

UNNAMED = "New compound"
"""The name of a drug that was given by its structure alone."""

LONGEST = 200
"""Characters of a name or a mechanism; more is no name."""


@dataclass(frozen=True, slots=True)
class UnseenDrug:
    """A drug as the user describes it: a name, a structure, or both.

    ``moa`` are mechanisms or targets as free words (``MEK inhibitor``, ``MAP2K1``): they count
    where the shipped annotations do not know the name.
    """

    name: str = ""
    smiles: str = ""
    moa: str = ""

    def __post_init__(self) -> None:
        if not (self.name.strip() or self.smiles.strip()):
            raise UsageError("new drug", "neither a name nor a structure", "Give one of them.")
        for role, words in (("name", self.name), ("mechanism", self.moa)):
            if len(words) > LONGEST:
                found = f"{len(words):,} characters, more than {LONGEST}"
                raise InputError(f"{role} of the new drug", found, "Give a few words.")

    @property
    def drug(self) -> str:
        """Its name."""
        return self.name.strip() or UNNAMED


def with_unseen_drug(store: AtlasStore, novel: UnseenDrug) -> AtlasStore:
    """The atlas with one drug more: selectors, pools and views treat it as any unmeasured one.

    Its structure is standardised as every other's; without one, the shipped table may know it by
    name. Its twins are found by parent structure and by every reading of the name.

    Raises
    ------
    InputError
        If the structure cannot be read, or the name is one of the atlas's own.
    """
    return with_unseen_drugs(store, [novel])


def with_unseen_drugs(store: AtlasStore, novels: Sequence[UnseenDrug]) -> AtlasStore:
    """The same with several drugs of different names; none is in the pool of another.

    Raises
    ------
    InputError
        If a structure cannot be read, or a name is one of the atlas's own.
    """
    for novel in novels:
        if novel.smiles.strip():
            standardise(novel.smiles)
        if novel.drug in store.drug_catalog:
            do = "Choose it in the list of drugs, or give the new one another name."
            raise InputError(f"new drug {novel.drug!r}", f"atlas {store.name!r} holds it", do)
    if not novels:
        return store
    rows = describe_unseen(novels)
    bits, _ = fingerprints(rows["smiles"].tolist())
    for row, own in zip(rows.to_dict("records"), bits, strict=True):
        store = store.with_drug({str(name): value for name, value in row.items()}, own)
    return store


def describe_unseen(novels: Sequence[UnseenDrug]) -> pd.DataFrame:
    """One row a drug as an atlas has it: what was given of it, then what the shipped table knows.

    A structure that cannot be read counts as none.
    """
    given = pd.DataFrame(
        [{"drug": n.drug, "smiles": n.smiles.strip(), "moa": n.moa.strip()} for n in novels]
    )
    given["targets"] = given["moa"]
    return annotate_drugs([novel.drug for novel in novels], [given])
