"""The measured conditions that a search goes through, with all that no signature changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import NotFoundError

ROWS = 64
"""Conditions read at a time: half a megabyte, which stays in the processor's cache."""

CONSTANT = 1e-6
"""A change whose centred squared norm is below this share of its squared norm is constant."""


@dataclass(frozen=True, slots=True)
class SignatureLibrary:
    """The conditions to search, and everything that does not depend on the signature.

    ``rows`` (n,) are those of the atlas whose change is not constant; ``table`` (n) names them;
    ``norms`` (n,) are their centred norms over the panel. ``drug`` (n,) is the row of each in
    ``drugs`` (m): drug, dose_um and parent. ``means`` (m, n_panel) are the means of the drug's
    changes, each centred and scaled to norm 1 before. ``related`` (m, m) flags pairs of one
    compound, or with mechanisms of one programme.
    """

    rows: IntArray
    table: pd.DataFrame
    norms: FloatArray
    drug: IntArray
    drugs: pd.DataFrame
    means: FloatArray
    related: BoolArray
    n_undefined: int
    changes: Callable[[IntArray], FloatArray]

    @classmethod
    def read(
        cls,
        store: AtlasStore,
        book: MechanismAnnotations,
        *,
        cell_line: str | None = None,
        doses: Collection[float | None] | None = None,
        changes: Callable[[IntArray], FloatArray] | None = None,
    ) -> SignatureLibrary:
        """Read what is to be searched: one line or all, these doses or all, never merged.

        ``changes`` reads what is searched of rows, (n_rows, n_panel), NaN where undefined; unset,
        their deltas.

        Raises
        ------
        NotFoundError
            If nothing is measured there, or no gene changes in any of it.
        """
        table = store.conditions[["cell_line", "drug", "dose_um"]].astype({"drug": object})
        rows = np.flatnonzero(_searched(table, cell_line, doses))
        table = table.iloc[rows]
        key = table["drug"].astype(str) + "\0" + table["dose_um"].astype(str)
        drug, first = pd.factorize(key)[0], ~key.duplicated().to_numpy()
        drugs = table.loc[first, ["drug", "dose_um"]].reset_index(drop=True)
        changes = store.deltas if changes is None else changes
        norms, means = _read(changes, store.n_panel, rows, drug, len(drugs), _block_starts(table))
        defined = np.isfinite(norms)
        n_lines = np.bincount(drug[defined], minlength=len(drugs))
        if not defined.any():
            asked = "a search" if cell_line is None else f"a search in {cell_line}"
            found = "nothing is measured there, or no gene changes in it"
            raise NotFoundError(asked, found, "Choose another line or dose.")
        kept = n_lines > 0
        place = np.cumsum(kept) - 1
        parents = store.drug_catalog.parents.of
        drugs = drugs.assign(parent=drugs["drug"].map(parents), n_lines=n_lines)[kept]
        related = _related(store, book, drugs)
        return cls(
            rows[defined],
            table[defined],
            norms[defined],
            place[drug[defined]],
            drugs.reset_index(drop=True),
            np.divide(means[kept], n_lines[kept, None].astype(np.float32)),
            related,
            int((~defined).sum()),
            changes,
        )


def _searched(
    table: pd.DataFrame, cell_line: str | None, doses: Collection[float | None] | None
) -> BoolArray:
    mask = np.ones(len(table), dtype=bool)
    if cell_line is not None:
        mask &= (table["cell_line"] == cell_line).to_numpy()
    if doses is not None:
        at_dose = table["dose_um"].isin([dose for dose in doses if dose is not None])
        mask &= (at_dose | (table["dose_um"].isna() & (None in doses))).to_numpy()
    return mask


def _block_starts(table: pd.DataFrame) -> list[int]:
    """Where a line or dose begins, and the end: no drug is twice between two of them."""
    line, dose = table["cell_line"].to_numpy(), table["dose_um"].to_numpy(float)
    same = (line[1:] == line[:-1]) & (np.nan_to_num(dose[1:]) == np.nan_to_num(dose[:-1]))
    return [0, *(np.flatnonzero(~same) + 1).tolist(), len(table)]


def _read(
    changes_of_rows: Callable[[IntArray], FloatArray],
    n_genes: int,
    rows: IntArray,
    drug: IntArray,
    n_drugs: int,
    starts: list[int],
) -> tuple[FloatArray, FloatArray]:
    """Centred norms (n,), NaN where constant, and the sum of each drug's unit changes."""
    # Blocks of one line and dose hold each drug at most once, so that ``sums[drug] +=`` below,
    # which adds once per distinct index, loses nothing.
    norms = np.full(len(rows), np.nan)
    sums = np.zeros((n_drugs, n_genes), dtype=np.float32)
    for here in (rows_slice for ends in pairwise(starts) for rows_slice in row_slices(*ends)):
        changes = changes_of_rows(rows[here])
        squares = np.vecdot(changes, changes)
        changes = changes - changes.mean(axis=1, keepdims=True)
        spread = np.vecdot(changes, changes)
        defined = spread > CONSTANT * squares
        norm = np.sqrt(spread, dtype=np.float64, out=np.full(len(defined), np.nan), where=defined)
        norms[here] = norm
        changes /= np.where(defined, norm, 1).astype(np.float32)[:, None]
        sums[drug[here][defined]] += changes[defined]
    return norms, sums


def row_slices(start: int, stop: int) -> Iterator[slice]:
    """Slices of at most ``ROWS`` rows from start to stop."""
    return (slice(first, min(first + ROWS, stop)) for first in range(start, stop, ROWS))


def _related(store: AtlasStore, book: MechanismAnnotations, drugs: pd.DataFrame) -> BoolArray:
    """Which of the drugs (m, m) are of one compound, or of mechanisms of one programme."""
    known = [store.annotations[drug] for drug in drugs["drug"]]
    tags = (book.tags(row["drug"], moa=row.get("moa"), targets=row.get("targets")) for row in known)
    programmes = [book.programmes(each) for each in tags]
    every = sorted(set().union(*programmes))
    # (m, n_programmes) membership; a product above 0 is a programme in common.
    member = np.array([[name in own for name in every] for own in programmes], dtype=np.float32)
    catalog = store.drug_catalog
    closed = {parent: catalog.sharing(parent) for parent in drugs["parent"].unique()}
    related = np.array([drugs["parent"].isin(closed[parent]) for parent in drugs["parent"]])
    return (member @ member.T > 0) | related
