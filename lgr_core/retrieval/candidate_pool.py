"""Who may be retrieved, and who may read what: candidate pools and views that refuse leaks.

A predictor never holds the store. It is handed a :class:`QueryView` of exactly what its declared
evidence allows for that query, or a :class:`TrainingView` to be fitted with; a read beyond it
raises ``LeakageError``. The held-out unit of a query is its (cell line, parent compound) over all
doses and replicates. Without a fold it is all that is held out: the open world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, filterfalse
from typing import Protocol

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, CandidatePool, Condition, Evidence, FloatArray, IntArray
from lgr_core.errors import LeakageError, UsageError


class Split(Protocol):
    """What is read and what is tested, as masks (n_conditions,); ``evaluation.Fold`` is one.

    ``validation`` lies inside ``train``. ``readable_rows`` says which rows TRAIN and TARGET_POOL open,
    before the line is picked and the query's own unit closed. The pool of a query is what
    TARGET_POOL reaches in its line; without ``in_line``, what training lines measured at its dose.
    """

    regime: str
    in_line: bool
    train: BoolArray
    validation: BoolArray
    test: BoolArray
    readable_rows: Mapping[Evidence, BoolArray]

    def inner_folds(self) -> Sequence[Split]:
        """Splits inside this one that together test its training rows; perhaps none."""
        ...


def candidate_pool(
    store: AtlasStore,
    query: Condition,
    *,
    fold: Split | None = None,
    offered: Sequence[str] | None = None,
) -> CandidatePool:
    """P_c without d: the drugs measured in the query's line at its dose, without the query's twins.

    ``query.drug`` need not be measured there, but must be a drug of the atlas. A ``fold`` leaves
    the drugs that its regime opens; what it withholds is listed, and the query must be one of its
    test rows. ``offered``, from :func:`offered_drugs`, need not be looked up for every query.

    Raises
    ------
    EmptyPoolError
        If nothing else is measured there, or all of it is withheld.
    NotFoundError
        If the line, or the dose in that line, is not in the atlas.
    UsageError
        If the fold does not test the query, or belongs to another atlas.
    """
    measured = store.measured_drugs(query.cell_line, query.dose_um)
    if fold is not None:
        _check_tested(store, query, fold)
    if offered is None:
        offered = offered_drugs(store, query.cell_line, query.dose_um, fold)
    forms = store.drug_catalog.twins(query.drug)
    left_out = {query.drug, *forms}
    drugs = tuple(filterfalse(left_out.__contains__, offered))
    twins = tuple(form for form in forms if form in measured or form in offered)
    listed = left_out.union(drugs)
    withheld = tuple(filterfalse(listed.__contains__, measured))
    controls = tuple(store.provenance.get("control_labels", ()))
    return CandidatePool(query, drugs, twins, controls, withheld)


def held_out(store: AtlasStore, query: Condition) -> BoolArray:
    """(n_conditions,) true for every row of the query's (line, parent), at any dose."""
    return _in_unit(store, query, np.arange(len(store.conditions)))


class GuardedReader:
    """Reads deltas of allowed rows and vehicle profiles; a subclass says which rows those are."""

    def __init__(self, store: AtlasStore, evidence: Iterable[Evidence], what: str) -> None:
        self.evidence = frozenset(evidence)
        self._store = store
        self._what = what

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
        rows = np.arange(len(self._store.conditions))[rows]
        refused = rows[~self._allows(rows)]
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

    def _allows(self, rows: IntArray) -> BoolArray:
        raise NotImplementedError

    def _refuse(self, what: str, n: int) -> None:
        declared = ", ".join(sorted(self.evidence)) or "nothing"
        found = f"it reaches {n} row(s) beyond its evidence ({declared}), e.g. {what}"
        raise LeakageError(self._what, found, "Declare the evidence or leave it.")


class QueryView(GuardedReader):
    """What a predictor may read for one query; it is a ``DeltaReader``.

    In the open world, TRAIN is everything but the query's held-out unit, TARGET_POOL the rest of
    the query's line, and TRUTH the query's own row. A ``fold`` narrows TRAIN and TARGET_POOL to
    what its regime opens; it must test the query.

    Raises
    ------
    UsageError
        If the fold does not test the query, or belongs to another atlas.
    """

    def __init__(
        self,
        store: AtlasStore,
        query: Condition,
        evidence: Iterable[Evidence],
        fold: Split | None = None,
    ) -> None:
        regime = "" if fold is None else f" ({fold.regime})"
        super().__init__(store, evidence, f"a read for {query}{regime}")
        self.query = query
        self._own = store.row(query)
        self._reach: Mapping[Evidence, BoolArray] = {}
        if fold is not None:
            _check_tested(store, query, fold)
            self._reach = fold.readable_rows

    def _allows(self, rows: IntArray) -> BoolArray:
        allowed = np.zeros(len(rows), dtype=bool)
        if Evidence.TRAIN in self.evidence:
            allowed |= self._reached(Evidence.TRAIN, rows)
        if Evidence.TARGET_POOL in self.evidence:
            in_line = _in_line(self._store, self.query, rows)
            allowed |= in_line & self._reached(Evidence.TARGET_POOL, rows)
        allowed &= ~_in_unit(self._store, self.query, rows)
        if Evidence.TRUTH in self.evidence and self._own is not None:
            allowed |= rows == self._own
        return allowed

    def _reached(self, evidence: Evidence, rows: IntArray) -> BoolArray:
        return self._reach[evidence][rows] if self._reach else np.ones(len(rows), dtype=bool)


class TrainingView(GuardedReader):
    """What a method may read while it is fitted: training rows of one fold, no others.

    Parameters
    ----------
    store, fold
        The atlas and the fold whose test rows stay closed.
    validation
        False while something is tuned on the validation rows, which then stay closed too; True
        for the last fit before the test.
    evidence
        What the method declares; fitting reads TRAIN, and CONTROLS if they are named.

    Attributes
    ----------
    fold
        The fold, of which masks can be read and no measurement.

    Raises
    ------
    UsageError
        If the fold belongs to another atlas.
    """

    def __init__(
        self,
        store: AtlasStore,
        fold: Split,
        *,
        validation: bool,
        evidence: Iterable[Evidence] = (Evidence.TRAIN,),
    ) -> None:
        super().__init__(store, evidence, f"a read for fitting ({fold.regime})")
        _check_size(store, fold)
        self.fold = fold
        open_rows = fold.train if validation else fold.train & ~fold.validation
        self._open = open_rows & (Evidence.TRAIN in self.evidence)
        self._held = fold.validation

    @property
    def training_rows(self) -> IntArray:
        """Numbers of all rows that may be read, ascending."""
        return np.flatnonzero(self._open)

    @property
    def validation_rows(self) -> IntArray:
        """Those of ``training_rows`` that tuning scores on and must not fit on, ascending."""
        return np.flatnonzero(self._open & self._held)

    def _allows(self, rows: IntArray) -> BoolArray:
        return self._open[rows]


def offered_drugs(
    store: AtlasStore, cell_line: str, dose_um: float | None, fold: Split | None
) -> tuple[str, ...]:
    """The drugs that a fold opens to queries of a line at a dose, their own among them; sorted."""
    measured = store.measured_drugs(cell_line, dose_um)
    if fold is None:
        return measured
    if fold.in_line:
        rows = store.rows(cell_line, measured, dose_um)
        return tuple(compress(measured, fold.readable_rows[Evidence.TARGET_POOL][rows]))
    doses = store.conditions["dose_um"].to_numpy(float)
    at_dose = np.isnan(doses) if dose_um is None else doses == dose_um
    opened = store.conditions["drug"].to_numpy()[at_dose & fold.readable_rows[Evidence.TRAIN]]
    return tuple(sorted(set(opened)))


def _in_line(store: AtlasStore, query: Condition, rows: IntArray) -> BoolArray:
    return store.conditions["cell_line"].to_numpy()[rows] == query.cell_line


def _in_unit(store: AtlasStore, query: Condition, rows: IntArray) -> BoolArray:
    parent = store.drug_catalog.parent(query.drug)
    return _in_line(store, query, rows) & (store.parent_of_row[rows] == parent)


def _check_tested(store: AtlasStore, query: Condition, fold: Split) -> None:
    """A query that is not tested has its unit, or its whole parent or line, in training."""
    _check_size(store, fold)
    row = store.row(query)
    if row is None or not fold.test[row]:
        found = f"it is not among the {int(fold.test.sum()):,} test rows of this fold"
        raise UsageError(f"{query} ({fold.regime})", found, "Take the fold that tests it.")


def _check_size(store: AtlasStore, fold: Split) -> None:
    if len(fold.test) != len(store.conditions):
        found = f"it has {len(fold.test):,} rows, the atlas {len(store.conditions):,}"
        raise UsageError("fold", found, "Make folds of this atlas.")
