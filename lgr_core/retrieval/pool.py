"""Who may be retrieved, and who may read what: candidate pools and views that refuse leaks.

A predictor never holds the store. It is handed a :class:`View` of exactly what its declared
evidence allows for that query; a read beyond it raises ``LeakageError``. The held-out unit of a
query is its (cell line, parent compound) over all doses and replicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, CandidatePool, Condition, Evidence, FloatArray, IntArray
from lgr_core.errors import LeakageError


def candidate_pool(
    store: AtlasStore, query: Condition, *, keep_twins: bool = False
) -> CandidatePool:
    """P_c without d: the drugs measured in the query's line at its dose, without the query's twins.

    ``query.drug`` need not be measured there, but must be a drug of the atlas. With ``keep_twins``
    other forms of the same parent stay in, as in the paper.

    Raises
    ------
    EmptyPoolError
        If nothing else is measured there.
    NotFoundError
        If the line, or the dose in that line, is not in the atlas.
    """
    measured = store.measured_drugs(query.cell_line, query.dose_um)
    forms = set() if keep_twins else set(store.drug_catalog.twins(query.drug))
    left_out = forms | {query.drug}
    drugs = tuple(sorted(drug for drug in measured if drug not in left_out))
    twins = tuple(sorted(forms & set(measured)))
    controls = tuple(store.provenance.get("control_labels", ()))
    return CandidatePool(query, drugs, twins, controls)


def held_out(store: AtlasStore, query: Condition) -> BoolArray:
    """(n_conditions,) true for every row of the query's (line, parent), at any dose."""
    in_line = store.conditions["cell_line"].to_numpy() == query.cell_line
    return in_line & (store.parent_of_row == store.drug_catalog.parent(query.drug))


class View:
    """What a predictor may read for one query; it is a ``DeltaReader``.

    In the open world, TRAIN is everything but the query's held-out unit, TARGET_POOL the rest of
    the query's line, and TRUTH the query's own row.
    """

    def __init__(self, store: AtlasStore, query: Condition, evidence: Iterable[Evidence]) -> None:
        self.query = query
        self.evidence = frozenset(evidence)
        self._store = store
        self._allowed = _allowed(store, query, self.evidence)

    def rows(self, cell_line: str, drugs: Sequence[str], dose_um: float | None) -> IntArray:
        """Row numbers of these drugs in that line at that dose; numbers alone tell nothing."""
        return self._store.rows(cell_line, drugs, dose_um)

    def deltas(self, rows: IntArray, *, all_genes: bool = False) -> FloatArray:
        """Measured deltas (n_rows, n_genes) of rows that the evidence covers.

        Raises
        ------
        LeakageError
            If a row lies outside what was declared; the message names it.
        """
        rows = np.asarray(rows)
        refused = rows[~self._allowed[rows]]
        if len(refused):
            self._refuse(str(self._store.condition(int(refused[0]))), len(refused))
        return self._store.deltas(rows, all_genes=all_genes)

    def control_profile(self, cell_line: str) -> FloatArray | None:
        """Mean vehicle profile of a line, (n_genes,), weighted by cells or wells; None if unknown.

        Raises
        ------
        LeakageError
            If CONTROLS is not declared.
        """
        if Evidence.CONTROLS not in self.evidence:
            self._refuse(f"vehicle profiles of {cell_line}", 1)
        profiles, labels = self._store.control_profiles, self._store.controls
        if profiles is None:
            return None
        rows = np.flatnonzero((labels["cell_line"] == cell_line).to_numpy())
        if not len(rows):
            return None
        weights = labels["n_cells"].fillna(labels["n_replicates"]).to_numpy(float)[rows]
        return np.average(profiles[rows], axis=0, weights=weights).astype(np.float32)

    def _refuse(self, what: str, n: int) -> None:
        declared = ", ".join(sorted(self.evidence)) or "nothing"
        found = f"it reaches {n} row(s) beyond its evidence ({declared}), e.g. {what}"
        raise LeakageError(f"a read for {self.query}", found, "Declare the evidence or leave it.")


def _allowed(store: AtlasStore, query: Condition, evidence: frozenset[Evidence]) -> BoolArray:
    unit = held_out(store, query)
    allowed = np.zeros(len(unit), dtype=bool)
    if Evidence.TRAIN in evidence:
        allowed |= ~unit
    if Evidence.TARGET_POOL in evidence:
        allowed |= ~unit & (store.conditions["cell_line"].to_numpy() == query.cell_line)
    row = store.row(query)
    if Evidence.TRUTH in evidence and row is not None:
        allowed[row] = True
    return allowed
