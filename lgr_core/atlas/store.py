"""An atlas, opened: a DuckDB index and memory-mapped matrices, both read-only.

The index is read into memory and every matrix is mapped when an atlas is opened (row ids come from
DuckDB, vectors from the maps); any number of threads and processes may share one store, and a newer
build renamed into its place is only seen by those who open it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.atomic_folder import DELTAS, INDEX, PANEL, PROFILES, read_consistent
from lgr_core.atlas.control_profiles import ControlProfiles, vehicle_profiles
from lgr_core.atlas.delta_table import count_plates
from lgr_core.atlas.plate_averages import PlateAverages
from lgr_core.atlas.reader import read_files
from lgr_core.display import facts_table
from lgr_core.domain import BoolArray, Condition, FloatArray, IntArray, SharedWells, ValueKind
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import CellLineCatalog, catalog_of
from lgr_core.errors import NotFoundError, UsageError, unknown
from lgr_core.remedies import Fix, Remedy

Key = tuple[str, float | None]

_MOST = 0.5
"""More than this share of drugs with a single dose are most."""


class AtlasStore:
    """Measured deltas of one atlas. Open it with :func:`open_atlas`.

    ``controls`` has one row a vehicle profile (cell line, plate, label, cells) and ``plates`` one a
    condition and plate it stands on, ``""`` where the plate's name is not known; columns of a table
    of samples stand beside. ``control_profiles`` (len(controls), n_genes) and ``plate_deltas``
    (len(plates), n_genes) are None where the source has none. ``shared_wells`` says whether the
    lines of a well are one pooled sample.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        files = read_files(folder)
        self._meta, tables = files.meta, files.tables
        self.value_kind = ValueKind(self._meta["value_kind"])
        self.simulated: bool = self._meta["simulated"]
        self.build_id: str = self._meta["build_id"]
        self.provenance: Mapping[str, Any] = self._meta["provenance"]
        self.shared_wells: SharedWells = self.provenance.get("shared_wells", "unknown")
        self.conditions: pd.DataFrame = tables["conditions"]
        self.genes: pd.DataFrame = tables["genes"]
        self.drugs: pd.DataFrame = tables["drugs"]
        self.cell_lines: pd.DataFrame = tables["cell_lines"]
        self.controls: pd.DataFrame = tables["controls"]
        self.plates: pd.DataFrame = tables["plates"]
        self.n_panel = int(self.genes["in_panel"].sum())
        self.plate_deltas: FloatArray | None = files.matrices.get("plate_deltas")
        self.control_profiles: FloatArray | None = files.matrices.get("controls")
        self._profiles: FloatArray | None = files.matrices.get(PROFILES)
        self._deltas: FloatArray | PlateAverages = files.matrices[DELTAS]
        self._panel: FloatArray | PlateAverages = files.matrices.get(PANEL, files.matrices[DELTAS])
        self.present: BoolArray = np.ones(len(self.conditions), dtype=bool)
        self._packed_bits = files.matrices["fingerprints"]
        self._drug = self.conditions["drug"].to_numpy()
        self._blocks = _blocks(self.conditions)
        self._row_of: dict[Key, dict[str, int]] = {}
        self._standing: dict[Key, dict[str, int]] = {}
        self._nearest: dict[float, BoolArray] = {}
        self._drugs_at: dict[float | None, frozenset[str]] = {}
        self.unseen_drug_key: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Measured or simulated, its size and kind, in one line."""
        kind = "simulated" if self.simulated else "measured"
        size = f"{len(self.conditions):,} conditions x {len(self.genes):,} genes"
        return f"{kind}, {size}, {self.value_kind}"

    def __repr__(self) -> str:
        return f"<atlas {self.name!r}: {self.summary}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the size of the atlas and what it holds."""
        rows = {
            "conditions": f"{len(self.conditions):,}",
            "genes": f"{len(self.genes):,}, of them {self.n_panel:,} in the panel",
            "cell lines": f"{self.conditions['cell_line'].nunique():,}",
            "drugs": f"{self.conditions['drug'].nunique():,}",
            "plates": f"{count_plates(self.plates):,}",
            "values": self.value_kind.label,
        }
        kind = "simulated" if self.simulated else "measured"
        return facts_table(f"Atlas {self.name} ({kind})", rows)

    # -- names ---------------------------------------------------------------------------------

    @cached_property
    def drug_catalog(self) -> DrugCatalog:
        """Resolves drug names, parents and twins."""
        parents = dict(zip(self.drugs["drug"], self.drugs["parent"], strict=True))
        return DrugCatalog(self.drugs["drug"], parents=parents, listing=self._listing)

    @cached_property
    def cell_line_catalog(self) -> CellLineCatalog:
        """Resolves cell line names and ids."""
        return catalog_of(self.cell_lines, self._listing)

    @property
    def _listing(self) -> Remedy:
        """The provenance of the lists of drugs and cell lines."""
        return Remedy(Fix.LIST_NAMES, values=(self.name,))

    @cached_property
    def parent_of_row(self) -> np.ndarray:
        """(n_conditions,) the parent compound of each condition's drug."""
        parents = {drug: self.drug_catalog.parent(drug) for drug in self.drugs["drug"]}
        return np.array([parents[drug] for drug in self._drug], dtype=object)

    @cached_property
    def named_plates(self) -> pd.DataFrame:
        """The rows of ``plates`` whose plate has a name; their index is that of ``plates``."""
        return self.plates[self.plates["plate"] != ""]

    @cached_property
    def annotations(self) -> dict[str, dict[str, Any]]:
        """The stored annotations of each drug, by name."""
        return {row["drug"]: row for row in self.drugs.to_dict("records")}

    @cached_property
    def gene_names(self) -> np.ndarray:
        """(n_genes,) names in column order, the panel first."""
        return self.genes["gene"].to_numpy()

    @cached_property
    def line_profiles(self) -> ControlProfiles | None:
        """The control profile of each line that has one; None where no line has.

        Those of a table of untreated expression, where one was given; else the means of the
        atlas's own vehicle cells.
        """
        if self._profiles is not None:
            return ControlProfiles.from_dict(self._meta[PROFILES], np.asarray(self._profiles))
        return self.vehicle_profiles

    @cached_property
    def vehicle_profiles(self) -> ControlProfiles | None:
        """The mean vehicle profile of each line; None where the atlas was not made of counts."""
        if self.control_profiles is None:
            return None
        return vehicle_profiles(self.controls, self.control_profiles, self.gene_names)

    # -- what is measured ----------------------------------------------------------------------

    def doses(self, cell_line: str, drug: str | None = None) -> tuple[float | None, ...]:
        """Doses measured in that line (of that drug), highest first; None is pooled over doses."""
        keys = [key for key in self._blocks if key[0] == cell_line]
        if drug is not None:
            keys = [key for key in keys if drug in self._rows_by_drug(key)]
        return tuple(sorted((key[1] for key in keys), key=lambda d: -(d or 0.0)))

    @cached_property
    def one_dose_a_drug(self) -> bool:
        """Whether most drugs of a line have one dose, and not all the same: pools cross doses."""
        doses = self.conditions.groupby(["cell_line", "drug"], observed=True)["dose_um"]
        low, high = doses.min(), doses.max()
        alone = low[low == high]
        return bool(len(alone) > _MOST * doses.ngroups and _several(alone))

    def at_dose(self, dose_um: float | None) -> BoolArray:
        """(n_conditions,) rows that stand for their drug and line at a dose.

        Those of that dose. Where most drugs have one dose (:attr:`one_dose_a_drug`), each drug's
        at its dose nearest to that, on a log scale; of two as near, the lower.
        """
        if dose_um is None or not self.one_dose_a_drug:
            doses = self.conditions["dose_um"].to_numpy(float)
            exact = np.isnan(doses) if dose_um is None else doses == dose_um
            return exact & self.present
        if dose_um not in self._nearest:
            self._nearest[dose_um] = self._nearest_to(dose_um)
        return self._nearest[dose_um]

    def _nearest_to(self, dose_um: float) -> BoolArray:
        doses = self.conditions["dose_um"].to_numpy(float)
        far = pd.Series(np.abs(np.log(doses) - np.log(dose_um)))[self.present].dropna()
        keys = self.conditions.loc[far.index, ["cell_line", "drug"]]
        nearest = far.groupby([keys["cell_line"], keys["drug"]], observed=True, sort=False).idxmin()
        standing = np.zeros(len(doses), dtype=bool)
        standing[nearest.to_numpy(np.intp)] = True
        return standing

    def measured_drugs(self, cell_line: str, dose_um: float | None) -> tuple[str, ...]:
        """Drugs of which a row stands in that line for that dose, sorted; see :meth:`at_dose`."""
        return tuple(self._standing_rows((cell_line, dose_um)))

    def drugs_at(self, dose_um: float | None) -> frozenset[str]:
        """Drugs measured at that dose in any line."""
        if dose_um not in self._drugs_at:
            keys = [key for key in self._blocks if key[1] == dose_um]
            drugs = (drug for key in keys for drug in self._rows_by_drug(key))
            self._drugs_at[dose_um] = frozenset(drugs)
        return self._drugs_at[dose_um]

    def row(self, condition: Condition) -> int | None:
        """The row of a condition, None if it was not measured."""
        key = (condition.cell_line, condition.dose_um)
        return self._rows_by_drug(key).get(condition.drug) if key in self._blocks else None

    def rows(self, cell_line: str, drugs: Sequence[str], dose_um: float | None) -> IntArray:
        """Row numbers of these drugs in that line for that dose, in the order given."""
        place = self._standing_rows((cell_line, dose_um))
        try:
            return np.fromiter((place[drug] for drug in drugs), dtype=np.intp, count=len(drugs))
        except KeyError:
            missing = next(drug for drug in drugs if drug not in place)
            where = f"{cell_line} at {'pooled doses' if dose_um is None else f'{dose_um:g} uM'}"
            catalog, listing = self.drug_catalog, self._listing
            near = () if missing in catalog else catalog.nearest(missing, among=place)
            raise unknown("drug", missing, place, where, near=near, listing=listing) from None

    def condition(self, row: int) -> Condition:
        """The condition of a row."""
        record = self.conditions.iloc[row]
        dose = None if pd.isna(record["dose_um"]) else float(record["dose_um"])
        return Condition(record["cell_line"], record["drug"], dose)

    def _rows_by_drug(self, key: Key) -> dict[str, int]:
        if key not in self._row_of:
            if key not in self._blocks:
                raise _no_block(self, *key)
            start, stop = self._blocks[key]
            self._row_of[key] = dict(zip(self._drug[start:stop], range(start, stop), strict=True))
        return self._row_of[key]

    def _standing_rows(self, key: Key) -> dict[str, int]:
        """The rows by drug that stand in a line for a dose; the drugs sorted."""
        if key not in self._standing:
            line, dose = key
            if self.one_dose_a_drug and dose is not None and self.doses(line):
                rows = np.flatnonzero(self.at_dose(dose) & self._in_line(line))
                found = zip(self._drug[rows].tolist(), rows.tolist(), strict=True)
                self._standing[key] = dict(sorted(found))
            else:
                every = self._rows_by_drug(key).items()
                self._standing[key] = {drug: row for drug, row in every if self.present[row]}
        return self._standing[key]

    def _in_line(self, cell_line: str) -> BoolArray:
        return (self.conditions["cell_line"] == cell_line).to_numpy()

    # -- vectors -------------------------------------------------------------------------------

    def deltas(self, rows: IntArray, *, all_genes: bool = False) -> FloatArray:
        """Measured deltas (n_rows, n_genes), float32; the metric panel unless ``all_genes``."""
        return self._deltas[rows] if all_genes else self._panel[rows, : self.n_panel]

    def unit_deltas(self, units: IntArray, *, all_genes: bool = False) -> FloatArray:
        """The deltas of rows of ``plates``, (n_units, n_genes) float32.

        Each on its own plate where they are kept by plate, else the condition's average.
        """
        if self.plate_deltas is None:
            rows = self.plates["condition"].to_numpy(np.intp)[units]
            return self.deltas(rows, all_genes=all_genes)
        genes = slice(None) if all_genes else slice(0, self.n_panel)
        return np.asarray(self.plate_deltas[self.plates.index.to_numpy(np.intp)[units], genes])

    def with_plates(self, kept: BoolArray) -> AtlasStore:
        """The same atlas, measured on some of its plates only; no file changes.

        ``kept`` flags rows of ``plates``. Conditions keep their numbers; those that stand on no
        plate that is kept are not ``present``.

        Raises
        ------
        UsageError
            If the atlas does not keep deltas by plate.
        """
        if self.plate_deltas is None:
            found = "its deltas are averages over plates"
            raise UsageError(f"atlas {self.name} by plate", found, "Ingest one row a plate.")
        view = copy(self)
        view.plates = self.plates[kept]
        averages = PlateAverages(self.plate_deltas, view.plates, len(self.conditions))
        view._deltas = view._panel = averages  # noqa: SLF001
        view.present, view._standing = averages.present, {}  # noqa: SLF001
        view._nearest = {}  # noqa: SLF001
        view.__dict__.pop("named_plates", None)
        return view

    def gene(self, gene: str) -> FloatArray:
        """One gene's delta in every condition, (n_conditions,)."""
        place = np.flatnonzero(self.gene_names == gene)
        if not len(place):
            raise unknown("gene", gene, self.gene_names, f"atlas {self.name!r}")
        held = self._panel if place[0] < self.n_panel else self._deltas
        if isinstance(held, PlateAverages):
            held = held[np.arange(len(self.conditions))]
        return np.ascontiguousarray(held[:, place[0]])

    @cached_property
    def fingerprints(self) -> np.ndarray:
        """Morgan bits (n_drugs, 2048) uint8 beside ``drugs``; all zero without a structure."""
        return np.unpackbits(self._packed_bits, axis=1)

    def with_drug(self, row: Mapping[str, Any], bits: np.ndarray) -> AtlasStore:
        """The same atlas with one more drug, which is not measured; no file changes.

        ``row`` has the columns of ``drugs``, ``bits`` (2048,) is the drug's fingerprint. Matrices
        and conditions are shared; what hangs on the drugs is made anew.
        """
        wider = copy(self)
        for name in ("drug_catalog", "parent_of_row", "annotations", "fingerprints"):
            wider.__dict__.pop(name, None)
        wider.drugs = pd.concat([self.drugs, pd.DataFrame([dict(row)])], ignore_index=True)
        wider.unseen_drug_key = (*self.unseen_drug_key, *map(str, row.values()))
        wider._packed_bits = np.vstack([self._packed_bits, np.packbits(bits)])  # noqa: SLF001
        return wider

    def _profile_facts(self) -> dict[str, Any] | None:
        """Where control profiles come from and what they cover, None without any."""
        if self._profiles is None:
            lines = sorted(set(self.controls["cell_line"]))
            about = {"source": "vehicle cells of the atlas", "lines": len(lines)}
            return None if self.control_profiles is None else about
        profiles = ControlProfiles.from_dict(self._meta[PROFILES], self._profiles)
        lines, panel = self.cell_lines["cell_line"], self.gene_names[: self.n_panel]
        return {
            "source": profiles.source,
            "units": profiles.units,
            **profiles.notes,
            "lines_of_the_atlas": len(lines),
            "lines_without_profile": sorted(set(lines) - set(profiles.cell_lines)),
            "genes_of_the_panel": int(np.isin(panel, profiles.genes).sum()),
            "panel": len(panel),
        }

    def info(self) -> dict[str, Any]:
        """A description of the atlas as JSON types."""
        doses = sorted(self.conditions["dose_um"].dropna().unique().tolist())
        return {
            "name": self.name,
            "value_kind": str(self.value_kind),
            "simulated": self.simulated,
            "n_conditions": len(self.conditions),
            "n_genes": len(self.genes),
            "n_panel": self.n_panel,
            "cell_lines": sorted(self.conditions["cell_line"].unique().tolist()),
            "drugs": sorted(self.conditions["drug"].unique().tolist()),
            "doses_um": doses,
            "plates": count_plates(self.plates),
            "shared_wells": self.shared_wells,
            "control_profiles": self._profile_facts(),
            "built_at": self._meta["built_at"],
            "build_id": self.build_id,
            "lgr_version": self._meta["lgr_version"],
            "provenance": dict(self.provenance),
        }


def open_atlas(name: str, folder: Path) -> AtlasStore:
    """Open the atlas ``name`` in the folder of atlases.

    Raises
    ------
    NotFoundError
        If there is no such atlas; the nearest names are offered.
    SchemaError
        If it was written by another schema version.
    InputError
        If one of its files is missing, damaged, or not the one that its index describes.
    """
    return read_consistent(folder / name, lambda: _open(name, folder))


def _open(name: str, folder: Path) -> AtlasStore:
    names = atlas_names(folder)
    if name in names:
        return AtlasStore(folder / name)
    if names:
        raise unknown("atlas", name, names, str(folder))
    do = "Build one: lgr demo, or lgr ingest PATH --name NAME."
    raise NotFoundError(f"atlas {name!r}", f"{folder} holds no atlas yet", do)


def atlas_names(folder: Path) -> list[str]:
    """The atlases built in a folder, sorted."""
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.name[0] != "." and _has_index(p))


def _has_index(folder: Path) -> bool:
    """Whether there is an atlas; an unreadable one counts, and opening it raises the error."""
    try:
        return (folder / INDEX).is_file()
    except PermissionError:
        return True


def _blocks(conditions: pd.DataFrame) -> dict[Key, tuple[int, int]]:
    """First and last row of every (cell line, dose): rows are sorted by them."""
    line, dose = conditions["cell_line"].to_numpy(), conditions["dose_um"].to_numpy(float)
    same_dose = (dose[1:] == dose[:-1]) | (np.isnan(dose[1:]) & np.isnan(dose[:-1]))
    edges = np.flatnonzero((line[1:] != line[:-1]) | ~same_dose) + 1
    starts = [0, *edges.tolist()]
    stops = [*edges.tolist(), len(conditions)]
    keys = [(line[s], None if np.isnan(dose[s]) else float(dose[s])) for s in starts]
    return dict(zip(keys, zip(starts, stops, strict=True), strict=True))


def _several(doses: pd.Series) -> bool:
    """Whether a line's drugs of one dose, by line and drug, have different ones."""
    of_line = doses.groupby(level="cell_line", observed=True)
    return bool((of_line.min() < of_line.max()).any())


def _no_block(store: AtlasStore, cell_line: str, dose_um: float | None) -> NotFoundError:
    doses = store.doses(cell_line)
    if not doses:
        names = sorted(set(store.conditions["cell_line"]))
        return unknown("cell line", cell_line, names, store.name)
    shown = ", ".join("pooled" if dose is None else f"{dose:g}" for dose in doses)
    asked = "pooled doses" if dose_um is None else f"{dose_um:g} uM"
    return NotFoundError(f"{asked} in {cell_line}", f"measured there: {shown} (uM)", "Choose one.")
