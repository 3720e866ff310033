"""A drug's measured doses in a line: curves of genes and programmes, and doses between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, FloatArray
from lgr_core.drugs.mechanism_tables import MechanismSignature
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import NotFoundError, unknown
from lgr_core.prediction.dose_weights import DoseSeries
from lgr_core.prediction.hill import FEWEST_DOSES, HillFit, fit_hill
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.specific_change import SpecificChanges, specific_changes

FEWEST_GENES = 5
"""Genes of a programme in the panel from which on it has a curve."""


@dataclass(frozen=True, eq=False)
class DoseCurves:
    """Curves of one drug in one line, ``changes`` (n_names, n_doses), at ascending ``doses_um``.

    ``names`` are genes, or programmes of which a change is the mean change of the genes that rise
    with them less that of those that fall. ``fits`` hold a Hill curve each, None where fewer than
    four doses were measured or nothing varies.
    """

    cell_line: str
    drug: str
    doses_um: FloatArray
    names: tuple[str, ...]
    changes: FloatArray
    fits: tuple[HillFit | None, ...]

    def table(self) -> pd.DataFrame:
        """One row a name: its change at each dose, then EC50, Hill slope and fit."""
        rows = {f"{dose:g} uM": self.changes[:, i] for i, dose in enumerate(self.doses_um)}
        fitted = {
            "ec50_um": [None if fit is None else fit.ec50_um for fit in self.fits],
            "hill_slope": [None if fit is None else fit.slope for fit in self.fits],
            "top": [None if fit is None else fit.top for fit in self.fits],
            "r2": [None if fit is None else fit.r2 for fit in self.fits],
        }
        return pd.DataFrame({"name": self.names, **rows, **fitted})

    def to_dict(self) -> dict[str, Any]:
        """The curves as JSON types."""
        table = self.table().astype(object)
        return {
            "cell_line": self.cell_line,
            "drug": self.drug,
            "curves": table.where(table.notna(), None).to_dict("records"),
        }


class DoseReader:
    """Reads the drugs of one line of an atlas as series over their measured doses.

    Parameters
    ----------
    store
        An open atlas.
    cell_line
        A line of it, by its exact name.
    change
        Total, or specific: doses without a specific change are left out.
    """

    def __init__(
        self,
        store: AtlasStore,
        cell_line: str,
        change: Change = Change.TOTAL,
        *,
        all_genes: bool = False,
    ) -> None:
        self.store, self.cell_line, self.change = store, cell_line, change
        self._all_genes = all_genes
        conditions = store.conditions
        here = (conditions["cell_line"] == cell_line).to_numpy() & store.present
        here &= (conditions["dose_um"] > 0).to_numpy()
        table = conditions.loc[here, ["drug", "dose_um"]].assign(row=np.flatnonzero(here))
        table = table.sort_values(["drug", "dose_um"])
        self._rows = {
            str(drug): part for drug, part in table.groupby("drug", observed=True, sort=True)
        }

    @property
    def genes(self) -> np.ndarray:
        """(n_genes,) the names of the genes that are read."""
        return self.store.gene_names[: None if self._all_genes else self.store.n_panel]

    @cached_property
    def _labels(self) -> ConditionIndex:
        return ConditionIndex(self.store)

    @cached_property
    def _specific(self) -> SpecificChanges:
        return specific_changes(self.store, self._labels, all_genes=self._all_genes)

    def series(self, drug: str) -> DoseSeries | None:
        """The drug's changes at its doses; None where nothing was measured."""
        part = self._rows.get(drug)
        if part is None:
            return None
        rows, doses = part["row"].to_numpy(np.intp), part["dose_um"].to_numpy(float)
        if self.change is Change.TOTAL:
            changes = self.store.deltas(rows, all_genes=self._all_genes)
        else:
            changes = self._specific.of(rows)
        known = np.isfinite(changes).all(axis=1)
        if not known.any():
            return None
        return DoseSeries(drug, doses[known], changes[known].astype(np.float64))

    def others(self, drug: str) -> list[DoseSeries]:
        """The series of drugs that are no form of this one's compound, nor combined with it."""
        labels = self._labels
        own, names = labels.drug_numbers([drug]), [name for name in self._rows if name != drug]
        parents = labels.parent_of_drug
        alike = labels.related(parents[labels.drug_numbers(names)], parents[own])
        found = [self.series(name) for name, same in zip(names, alike, strict=True) if not same]
        return [one for one in found if one is not None]


def gene_curves(reader: DoseReader, drug: str, genes: Sequence[str] = (), n: int = 6) -> DoseCurves:
    """Curves of these genes, or of the n whose median over the drug's doses is largest.

    Raises
    ------
    NotFoundError
        If the drug was not measured in the line, or a gene is not read.
    """
    series = _series(reader, drug)
    known = {str(gene): i for i, gene in enumerate(reader.genes)}
    for gene in genes:
        if gene not in known:
            raise unknown("gene", gene, known, f"atlas {reader.store.name!r}")
    if genes:
        places = [known[gene] for gene in genes]
    else:
        size = np.abs(np.median(series.changes, axis=0))  # one deviating dose is no curve
        places = np.argsort(-size, kind="stable")[:n].tolist()
    names = tuple(str(reader.genes[i]) for i in places)
    return _curves(reader, series, names, series.changes[:, places].T)


def programme_curves(
    reader: DoseReader, drug: str, signatures: Mapping[str, MechanismSignature] | None = None
) -> DoseCurves:
    """Curves of the shipped programmes with five genes or more in the panel, the strongest first.

    Raises
    ------
    NotFoundError
        If the drug was not measured in the line.
    """
    series = _series(reader, drug)
    place = {str(gene): i for i, gene in enumerate(reader.genes)}
    signatures = MechanismAnnotations.load().signatures if signatures is None else signatures
    found = {}
    for name, signature in signatures.items():
        up = [place[gene] for gene in signature.up if gene in place]
        down = [place[gene] for gene in signature.down if gene in place]
        if len(up) + len(down) < FEWEST_GENES:
            continue
        rise = series.changes[:, up].mean(axis=1) if up else 0
        found[name] = rise - (series.changes[:, down].mean(axis=1) if down else 0)
    names = sorted(found, key=lambda name: (-float(np.abs(found[name]).max()), name))
    values = np.array([found[name] for name in names]).reshape(len(names), len(series.doses_um))
    return _curves(reader, series, tuple(names), values)


def _series(reader: DoseReader, drug: str) -> DoseSeries:
    series = reader.series(drug)
    if series is None:
        found = f"no {reader.change} change of it is known there"
        raise NotFoundError(f"doses of {drug} in {reader.cell_line}", found, "Choose another line.")
    return series


def _curves(
    reader: DoseReader, series: DoseSeries, names: tuple[str, ...], values: FloatArray
) -> DoseCurves:
    enough = len(series.doses_um) >= FEWEST_DOSES
    fits = tuple(fit_hill(series.doses_um, row) if enough else None for row in values)
    return DoseCurves(reader.cell_line, series.drug, series.doses_um, names, values, fits)
