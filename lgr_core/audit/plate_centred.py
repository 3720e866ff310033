"""Specific changes of an atlas's conditions by name, as the audit of reasons asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition, FloatArray
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.specific_change import SpecificChanges, specific_changes


@dataclass(frozen=True)
class PlateCentredChanges:
    """Specific changes of the panel genes; an instance is called like a ``SpecificChange``."""

    store: AtlasStore

    def __call__(self, cell_line: str, drug: str, dose_um: float | None) -> FloatArray | None:
        """The specific change (n_panel,); None if it was not measured or has no plate of use."""
        row = self.store.row(Condition(cell_line, drug, dose_um))
        if row is None or self._changes is None:
            return None
        found = self._changes.of(np.array([row]))[0]
        return None if np.isnan(found[0]) else found

    @cached_property
    def _changes(self) -> SpecificChanges | None:
        """None where the atlas does not name plates."""
        labels = ConditionIndex(self.store)
        return None if labels.plate_index.is_empty else specific_changes(self.store, labels)
