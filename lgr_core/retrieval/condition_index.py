"""The conditions of an atlas by number, and queries placed among them; nothing measured is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Condition, IntArray
from lgr_core.errors import UsageError
from lgr_core.retrieval.plate_index import UNKNOWN, PlateIndex


class ConditionIndex:
    """Everything an atlas says of its conditions but what was measured: no evidence is in it.

    Lines, drugs and parent compounds are numbered in sorted order; after the parents of conditions
    come those of drugs that were measured in none.
    """

    def __init__(self, store: AtlasStore, n_genes: int | None = None) -> None:
        conditions = store.conditions
        self.n_genes = store.n_panel if n_genes is None else n_genes
        self.doses = conditions["dose_um"].to_numpy(float)
        self._of_line = _Numbered(conditions["cell_line"])
        self._of_drug = _Numbered(conditions["drug"])
        self.catalog = store.drug_catalog
        self._of_parent = _Numbered(store.parent_of_row, self.catalog.parents.of.values())
        self._plates = store.plates
        self._at_dose = store.at_dose
        self.n_cells = conditions["n_cells"].to_numpy(float)
        self.has_vehicle_profiles = store.control_profiles is not None
        self._measured, self._rows, self._row = store.measured_drugs, store.rows, store.row
        self._fingerprints = lambda: store.fingerprints
        self._names = store.drugs["drug"]
        self._annotations = lambda: store.annotations
        self._cell_lines = store.cell_lines

    def with_genes(self, n_genes: int) -> ConditionIndex:
        """The same conditions, of which so many genes are read."""
        other = copy(self)
        other.n_genes = n_genes
        return other

    @property
    def line(self) -> IntArray:
        """(n_conditions,) the place of each condition's cell line in ``lines``."""
        return self._of_line.numbers

    @property
    def lines(self) -> NDArray[np.object_]:
        """The cell lines of all conditions, sorted."""
        return self._of_line.names

    @property
    def drug(self) -> IntArray:
        """(n_conditions,) the place of each condition's drug in ``drugs``."""
        return self._of_drug.numbers

    @property
    def drugs(self) -> NDArray[np.object_]:
        """The drugs of all conditions, sorted."""
        return self._of_drug.names

    @property
    def parent(self) -> IntArray:
        """(n_conditions,) the place of each condition's parent compound in ``parents``."""
        return self._of_parent.numbers

    @property
    def parents(self) -> NDArray[np.object_]:
        """The parent compounds of all conditions, sorted, then those of other drugs."""
        return self._of_parent.names

    @cached_property
    def plate_index(self) -> PlateIndex:
        """Where the conditions stand."""
        return PlateIndex(self._plates, len(self.doses))

    @cached_property
    def fingerprints(self) -> NDArray[np.uint8]:
        """Morgan bits (n_drugs, 2048) beside ``drugs``; all zero without a structure."""
        place = pd.Index(self._names).get_indexer(self.drugs)
        return self._fingerprints()[place]

    @cached_property
    def annotations(self) -> list[Mapping[str, Any]]:
        """What the atlas stores of each drug beside ``drugs``: names, mechanism, targets."""
        stored = self._annotations()
        return [stored[drug] for drug in self.drugs]

    @cached_property
    def line_annotations(self) -> dict[str, dict[str, Any]]:
        """What the atlas stores of each cell line: organ, driver genes, ids."""
        return {row["cell_line"]: row for row in self._cell_lines.to_dict("records")}

    @cached_property
    def parent_of_drug(self) -> IntArray:
        """(n_drugs,) the number of each drug's parent."""
        parents = np.empty(len(self.drugs), dtype=np.intp)
        parents[self.drug] = self.parent
        return parents

    def related(self, parents: IntArray, others: IntArray) -> BoolArray:
        """Whether two parents, by number, are one or share a drug; of shapes that broadcast."""
        same = parents == others
        if not len(self._sharing):  # an atlas without combinations
            return same
        return same | np.isin(parents * len(self.parents) + others, self._sharing)

    @cached_property
    def _sharing(self) -> IntArray:
        """Each pair (p, q) of different parents that share a drug, as p * n_parents + q."""
        number = {parent: i for i, parent in enumerate(self.parents)}
        pairs = [
            number[parent] * len(number) + number[other]
            for parent in self.parents
            for other in self.catalog.sharing(parent)
            if other != parent and other in number
        ]
        return np.array(pairs, dtype=np.intp)

    def at_dose(self, dose_um: float | None) -> BoolArray:
        """(n_conditions,) rows that stand for their drug and line at that dose."""
        return self._at_dose(dose_um)

    def measured(self, cell_line: str, dose_um: float | None) -> tuple[tuple[str, ...], IntArray]:
        """The drugs measured in a line at a dose, sorted, and their rows."""
        drugs = self._measured(cell_line, dose_um)
        return drugs, self._rows(cell_line, drugs, dose_um)

    def row(self, condition: Condition) -> int:
        """The row of a condition, -1 if it was not measured."""
        row = self._row(condition)
        return -1 if row is None else row

    def line_number(self, cell_line: str) -> int:
        """The place of a line in ``lines``, -1 where the atlas has none of that name."""
        return int(self._of_line.places([cell_line])[0])

    def drug_numbers(self, drugs: Sequence[str]) -> IntArray:
        """Their places in ``drugs``, -1 where the atlas has none of that name."""
        return self._of_drug.places(list(drugs))

    def parent_numbers(self, drugs: Sequence[str]) -> IntArray:
        """Their parents' places in ``parents``."""
        return self._of_parent.places([self.catalog.parent(drug) for drug in drugs])


@dataclass(frozen=True, eq=False)
class Queries:
    """Queries of one line at one dose, at least one, and where they stand in an atlas; n of them.

    They differ in the drug alone, so most of what one of them may read all of them may read.
    """

    labels: ConditionIndex = field(repr=False)
    queries: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if len({(query.cell_line, query.dose_um) for query in self.queries}) != 1:
            raise UsageError("block", "several lines or doses, or none", "Make one of each.")

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def cell_line(self) -> str:
        """The line of all queries."""
        return self.queries[0].cell_line

    @property
    def dose_um(self) -> float | None:
        """Their dose in micromolar; None is pooled over doses."""
        return self.queries[0].dose_um

    @cached_property
    def drugs(self) -> tuple[str, ...]:
        """The queries' drugs."""
        return tuple(query.drug for query in self.queries)

    @cached_property
    def measured(self) -> tuple[tuple[str, ...], IntArray]:
        """The drugs measured in their line at their dose, sorted, and the rows of these."""
        return self.labels.measured(self.cell_line, self.dose_um)

    @cached_property
    def line(self) -> int:
        """The place of their line in ``labels.lines``, -1 where the atlas has no such line."""
        return self.labels.line_number(self.cell_line)

    @cached_property
    def parents(self) -> IntArray:
        """(n,) the parents of the queries' drugs, by number."""
        return self.labels.parent_numbers(self.drugs)

    @cached_property
    def plate_sets(self) -> IntArray:
        """(n,) the numbers of the queries' sets of plates; ``UNKNOWN`` without one."""
        sets = self.labels.plate_index.set_of
        return np.where(self.rows >= 0, sets[self.rows], UNKNOWN)

    @cached_property
    def rows(self) -> IntArray:
        """(n,) each query's own row, -1 where it was not measured; a number is no evidence."""
        return np.array([self.labels.row(query) for query in self.queries], dtype=np.intp)


def require_plates(labels: ConditionIndex, store: AtlasStore) -> None:
    """Raise ``UsageError`` unless the atlas says on which plates its conditions stand."""
    if labels.plate_index.is_empty:
        found = "the atlas does not say on which plates its conditions stand"
        do = "Ingest it again with --samples CSV (drug, dose_um, plate)."
        raise UsageError(f"specific changes or other wells of {store.name}", found, do)


class _Numbered:
    """Names of conditions by number, worked out when they are first asked for.

    ``others`` are names that no condition need have; those that none has are numbered last.
    """

    def __init__(self, names: Iterable[str], others: Iterable[str] = ()) -> None:
        self._names, self._others = names, others

    @cached_property
    def _found(self) -> tuple[IntArray, NDArray[np.object_]]:
        numbers, names = pd.factorize(np.asarray(self._names, dtype=object), sort=True)
        without = sorted(set(self._others).difference(names))
        return numbers, np.array([*names, *without], dtype=object)

    @property
    def numbers(self) -> IntArray:
        """(n_conditions,) the place of each condition's name in ``names``."""
        return self._found[0]

    @property
    def names(self) -> NDArray[np.object_]:
        """Each name once, sorted: those of conditions, then the others."""
        return self._found[1]

    def places(self, names: Sequence[str]) -> IntArray:
        """The places of these in ``names``, -1 for one that is not there."""
        place = self._place_of
        return np.array([place.get(name, -1) for name in names], dtype=np.intp)

    @cached_property
    def _place_of(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.names.tolist())}
