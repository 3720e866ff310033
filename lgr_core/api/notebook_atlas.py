"""An open atlas as notebooks use it: measured changes as AnnData."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import numpy as np
import pandas as pd

from lgr_core.answer.arguments import change_of, check_flags, check_type, wrong_argument
from lgr_core.atlas.atomic_folder import read_consistent
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.domain import Change, FloatArray, IntArray
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.specific_change import specific_changes

if TYPE_CHECKING:
    import anndata as ad

DRUG_COLUMNS = ("parent", "smiles", "moa", "targets")
"""What an atlas says of drugs, beside their names."""


class Atlas(AtlasStore):
    """An open atlas in a notebook: an :class:`AtlasStore` whose changes can be had as AnnData."""

    @classmethod
    def open(cls, name: str, folder: Path) -> Self:
        """Open the atlas ``name`` in the folder of atlases; see :func:`open_atlas`."""
        checked = open_atlas(name, folder).folder
        return read_consistent(checked, lambda: cls(checked))

    def to_anndata(
        self,
        *,
        cell_line: str | Sequence[str] | None = None,
        drugs: str | Sequence[str] | None = None,
        dose_um: float | None = None,
        change: str = Change.TOTAL,
        all_genes: bool = False,
    ) -> ad.AnnData:
        """Measured changes as AnnData, one observation a condition, genes as variables.

        Parameters
        ----------
        cell_line, drugs
            A name or several, matched by their closest reading; unset, all that are measured.
        dose_um
            The dose in micromolar; unset, every dose.
        change
            ``total``, as measured, or ``specific``, less the mean of the plate's other drugs.
            Conditions that cannot be separated from their plate are left out then, and named in
            ``uns["not_separable"]``.
        all_genes
            Every gene of the atlas; otherwise the metric panel.

        Returns
        -------
        AnnData
            ``X`` (n_conditions, n_genes) float32 in the unit of ``uns["value_kind"]``; ``obs`` with
            cell line, drug, dose, cells, plates and the drug's annotation; ``var`` by gene symbol
            with Ensembl ids.

        Raises
        ------
        LgrError
            If a name is unknown, nothing is measured of what is asked for, or the atlas does not
            name plates, which the specific change needs.
        """
        check_flags(all_genes=all_genes)
        kind = change_of(change)
        rows = self._rows_of(cell_line, drugs, dose_um)
        left_out: list[str] = []
        if kind is Change.SPECIFIC:
            changes = specific_changes(self, all_genes=all_genes)
            defined = changes.defined[rows]
            left_out = [str(self.condition(int(row))) for row in rows[~defined]]
            rows = rows[defined]
            values = changes.of(rows)
        else:
            values = self.deltas(rows, all_genes=all_genes)
        adata = changes_as_anndata(self, rows, values)
        adata.uns["change"], adata.uns["not_separable"] = str(kind), left_out
        return adata

    def _rows_of(self, cell_line: object, drugs: object, dose_um: object) -> IntArray:
        """The rows of the conditions that are asked for, ascending."""
        table = self.conditions
        mask = self.present.copy()
        for column, asked, catalog in (
            ("cell_line", cell_line, self.cell_line_catalog),
            ("drug", drugs, self.drug_catalog),
        ):
            if asked is not None:
                mask &= table[column].isin(_names(column, asked, catalog)).to_numpy()
        if dose_um is not None:
            check_type("dose_um", dose_um, (int, float), "Give a number of micromolar.")
            mask &= (table["dose_um"] == dose_um).to_numpy()
        if not mask.any():
            do = "Look at atlas.conditions for what is measured."
            raise NotFoundError(f"changes of atlas {self.name!r}", "no condition is of these", do)
        return np.flatnonzero(mask)


def changes_as_anndata(store: AtlasStore, rows: IntArray, values: FloatArray) -> ad.AnnData:
    """Changes (n_rows, n_genes) of rows of an atlas as AnnData; genes are the atlas's first."""
    import anndata as ad  # noqa: PLC0415 - it takes longer to load than a prediction takes

    obs = store.conditions.iloc[rows][["cell_line", "drug", "dose_um", "n_cells"]]
    plates = store.named_plates.groupby("condition")["plate"].agg(";".join)
    obs = obs.assign(plates=plates.reindex(rows).fillna("").to_numpy())
    obs = with_drug_columns(store, obs).astype({"cell_line": str, "drug": str})
    names = [str(store.condition(int(row))) for row in rows]
    var = store.genes.iloc[: values.shape[1]].set_index("gene")[["ensembl_id", "in_panel"]]
    about = {
        "atlas": store.name,
        "build_id": store.build_id,
        "value_kind": str(store.value_kind),
        "simulated": store.simulated,
    }
    return ad.AnnData(X=values, obs=obs.set_index(pd.Index(names)), var=var, uns=about)


def with_drug_columns(store: AtlasStore, table: pd.DataFrame) -> pd.DataFrame:
    """A table with a column ``drug``, and beside it what the atlas says of each drug."""
    known = store.drugs.set_index("drug").reindex(table["drug"].astype(str))
    return table.assign(**{name: known[name].astype(str).to_numpy() for name in DRUG_COLUMNS})


def _names(role: str, asked: object, catalog: DrugCatalog | CellLineCatalog) -> list[str]:
    """The names of the atlas that are meant."""
    each = [asked] if isinstance(asked, str) else asked
    if not isinstance(each, Sequence) or not all(isinstance(name, str) for name in each):
        raise wrong_argument(role, asked, "Give a name, or a list of names.")
    return [catalog.resolve(name) for name in cast("Sequence[str]", each)]
