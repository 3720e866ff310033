"""Specific changes of an atlas's conditions by name, as the audit of reasons asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.audit.drug_similarities import DrugSimilarities
from lgr_core.domain import Condition, FloatArray
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.single_slot_cache import SingleSlotCache
from lgr_core.retrieval.specific_change import SpecificChanges, specific_changes


@dataclass(frozen=True)
class PlateCentredChanges:
    """Specific changes of the panel genes; an instance is called like a ``SpecificChange``."""

    store: AtlasStore
    _last: SingleSlotCache[DrugSimilarities] = field(default_factory=SingleSlotCache, repr=False)

    def __call__(self, cell_line: str, drug: str, dose_um: float | None) -> FloatArray | None:
        """The specific change (n_panel,); None if it was not measured or has no plate of use."""
        row = self.store.row(Condition(cell_line, drug, dose_um))
        if row is None or self._changes is None:
            return None
        found = self._changes.of(np.array([row]))[0]
        return None if np.isnan(found[0]) else found

    def similarities(self, cell_line: str, dose_um: float | None) -> DrugSimilarities:
        """How alike the specific changes of a line's drugs at a dose are; the last one is kept."""
        return self._last.get((cell_line, dose_um), partial(self._compare, cell_line, dose_um))

    def _compare(self, cell_line: str, dose_um: float | None) -> DrugSimilarities:
        drugs = self.store.measured_drugs(cell_line, dose_um)
        found = {drug: self(cell_line, drug, dose_um) for drug in drugs}
        return DrugSimilarities.of({drug: x for drug, x in found.items() if x is not None})

    @cached_property
    def _changes(self) -> SpecificChanges | None:
        """None where the atlas does not name plates."""
        labels = ConditionIndex(self.store)
        return None if labels.plate_index.is_empty else specific_changes(self.store, labels)
