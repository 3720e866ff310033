"""A map of an atlas's drugs by their specific changes: two principal components."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.files import atomic_write_text
from lgr_core.retrieval.specific_change import View, changes_of
from lgr_core.signatures.library import SignatureLibrary

COLUMNS = ("drug", "dose_um", "n_lines", "x", "y")


@dataclass(frozen=True)
class DrugMap:
    """Where the drugs of an atlas stand.

    ``drugs``: drug, dose_um (its highest with a specific change), n_lines and the coordinates x and
    y. ``explained`` are the shares of variance of the two axes. ``left_out`` are drugs without any
    specific change.
    """

    drugs: pd.DataFrame
    explained: tuple[float, float]
    left_out: tuple[str, ...]

    def to_json(self) -> str:
        """As a file keeps it."""
        rows = self.drugs.astype(object).where(self.drugs.notna(), None).to_dict("split")["data"]
        return json.dumps({"drugs": rows, "explained": self.explained, "left_out": self.left_out})

    @classmethod
    def from_json(cls, text: str) -> DrugMap:
        """From such a file."""
        kept = json.loads(text)
        drugs = pd.DataFrame(kept["drugs"], columns=list(COLUMNS)).astype({"dose_um": float})
        first, second = kept["explained"]
        return cls(drugs, (first, second), tuple(kept["left_out"]))


def kept_drug_map(store: AtlasStore, folder: Path) -> DrugMap:
    """The map of an atlas from a folder, where it is put when it is first asked for.

    A build has a file of its own; one that cannot be read is written again.
    """
    path = folder / f"{store.name}-{store.build_id}.json"
    try:
        return DrugMap.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError):
        found = drug_map(store)
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_text(path, found.to_json())
    return found


def drug_map(store: AtlasStore) -> DrugMap:
    """The map of an atlas, from the mean over lines of each drug's specific changes.

    Every change is centred and of norm 1 before the mean, so that no line outweighs the others.
    The coordinates are the first two principal components. How far a drug is from the origin is no
    strength of its effect: in pooled designs the lines of a well agree on what is peculiar to it.

    Raises
    ------
    UsageError
        If the atlas does not name plates.
    NotFoundError
        If no condition has a specific change.
    """
    library = SignatureLibrary.read(
        store, MechanismAnnotations.load(), changes=changes_of(store, View.SPECIFIC)
    )
    table = library.drugs.assign(place=range(len(library.drugs)))
    table = table.sort_values(["drug", "dose_um"]).groupby("drug", as_index=False).last()
    xy, explained = principal_components(library.means[table["place"].to_numpy()])
    table = table.assign(x=xy[:, 0], y=xy[:, 1])[list(COLUMNS)]
    left_out = sorted(set(store.conditions["drug"].astype(str)) - set(table["drug"]))
    return DrugMap(table, explained, tuple(left_out))


def principal_components(rows: FloatArray) -> tuple[FloatArray, tuple[float, float]]:
    """Coordinates on the first two principal components, (n, 2), and their shares of variance.

    As scikit-learn's ``PCA(2, svd_solver="full")`` has it, signs included: of each axis the loading
    of largest absolute value is positive. Missing axes, of fewer rows, are zero.
    """
    centred = np.asarray(rows, dtype=np.float64) - rows.mean(axis=0, dtype=np.float64)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(vt).argmax(axis=1)
    signs = np.sign(vt[np.arange(len(vt)), largest])
    found = np.zeros((len(centred), 2))
    n = min(2, len(s))
    found[:, :n] = (u * s * signs)[:, :n]
    total = float((s**2).sum())
    shares = [float(one**2) / total if total > 0 else 0.0 for one in s[:2]]
    first, second, *_ = [*shares, 0.0, 0.0]
    return found, (first, second)
