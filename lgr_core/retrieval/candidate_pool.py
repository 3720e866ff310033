"""Candidate pools: the drugs that may be retrieved for a query, and what a fit may read.

The held-out unit of a query is its (cell line, parent compound) over all doses and replicates, with
the combinations of drugs that share a parent with it. Without a fold it is all that is held out:
the open world. A method that is fitted never holds the store, but a :class:`TrainingView`; a read
beyond it raises ``LeakageError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, filterfalse
from typing import Protocol

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import (
    BoolArray,
    CandidatePool,
    Change,
    Condition,
    Evidence,
    FloatArray,
    IntArray,
    WellScope,
)
from lgr_core.errors import UsageError
from lgr_core.retrieval.checked_reader import CheckedReader
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.specific_change import SpecificChanges


class Split(Protocol):
    """What is read and what is tested, as masks (n_conditions,); ``evaluation.Fold`` is one.

    ``validation`` lies inside ``train``. ``readable_rows`` says which rows TRAIN and TARGET_POOL
    open, before the line is picked and the query's own unit closed. The pool of a query is what
    TARGET_POOL reaches in its line; without ``in_line``, what training lines measured at its dose.
    """

    @property
    def regime(self) -> str:
        """What it holds out."""
        ...

    @property
    def in_line(self) -> bool:
        """Whether neighbours are drawn from the query's own line."""
        ...

    @property
    def train(self) -> BoolArray:
        """Rows that are trained on."""
        ...

    @property
    def validation(self) -> BoolArray:
        """Training rows that tuning scores on."""
        ...

    @property
    def test(self) -> BoolArray:
        """Rows that are asked for."""
        ...

    @property
    def readable_rows(self) -> Mapping[Evidence, BoolArray]:
        """Rows that TRAIN and TARGET_POOL open."""
        ...

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

    Nor is there any combination that holds its drug, or shares one with it; they count as twins.

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
        _check_query(store, query, fold)
    if offered is None:
        offered = offered_drugs(store, query.cell_line, query.dose_um, fold)
    forms = store.drug_catalog.related(query.drug)
    left_out = {query.drug, *forms}
    drugs = tuple(filterfalse(left_out.__contains__, offered))
    twins = tuple(form for form in forms if form in measured or form in offered)
    listed = left_out.union(drugs)
    withheld = tuple(filterfalse(listed.__contains__, measured))
    controls = tuple(store.provenance.get("control_labels", ()))
    return CandidatePool(query, drugs, twins, controls, withheld)


class TrainingView(CheckedReader):
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
    change
        Which change is fitted. Rows without a specific change are no training rows then, and the
        means of their plates are over rows that are open to the fit.
    wells, closed
        Whose wells a query may read, and (n_conditions,) the rows that are closed to one of the
        queries that will be asked: they are not fitted on.

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
        change: Change = Change.TOTAL,
        wells: WellScope = WellScope.ANY,
        closed: BoolArray | None = None,
    ) -> None:
        super().__init__(store, evidence, f"a read for fitting ({fold.regime})")
        check_size(store, fold)
        self.fold, self.change, self.wells, self._validation = fold, change, wells, validation
        self.closed = np.zeros(len(store.conditions), dtype=bool) if closed is None else closed
        open_rows = fold.train if validation else fold.train & ~fold.validation
        self._open = open_rows & ~self.closed & store.present & (Evidence.TRAIN in self.evidence)
        self._held = fold.validation
        self._changes = None
        if change is Change.SPECIFIC:
            self._changes = SpecificChanges(store, ConditionIndex(store), self._open)

    @property
    def training_rows(self) -> IntArray:
        """Numbers of all rows that may be read and are defined, ascending."""
        if self._changes is None:
            return np.flatnonzero(self._open)
        return np.flatnonzero(self._open & self._changes.defined)

    @property
    def validation_rows(self) -> IntArray:
        """Those of ``training_rows`` that tuning scores on and must not fit on, ascending."""
        rows = self.training_rows
        return rows[self._held[rows]]

    def of_new_experiment(self) -> TrainingView:
        """The same for the specific change with the query's own wells closed, where it is defined.

        What is chosen by it is chosen for an experiment that was not done. Itself where the atlas
        does not name plates, or no training row can be separated from its plate.
        """
        labels, wells = ConditionIndex(self._store), self.wells
        if labels.plate_index.is_empty:
            return self
        if wells is WellScope.ANY:
            wells = WellScope.OTHER_WELLS
        view = TrainingView(
            self._store,
            self.fold,
            validation=self._validation,
            evidence=self.evidence,
            change=Change.SPECIFIC,
            wells=wells,
            closed=self.closed,
        )
        return view if len(view.training_rows) else self

    def _allows(self, rows: IntArray) -> BoolArray:
        return self._open[rows]

    def _read(self, rows: IntArray, *, all_genes: bool) -> FloatArray:
        if self._changes is None:
            return super()._read(rows, all_genes=all_genes)
        return self._changes.of(rows)


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
    at_dose = store.at_dose(dose_um)
    opened = store.conditions["drug"].to_numpy()[at_dose & fold.readable_rows[Evidence.TRAIN]]
    return tuple(sorted(set(opened)))


def check_tested(fold: Split, rows: IntArray, queries: Sequence[Condition]) -> None:
    """Raise ``UsageError`` unless a fold tests every query; their ``rows`` are -1 for no row.

    One that is not tested has its unit, or its whole parent or line, in training.
    """
    untested = np.flatnonzero((rows < 0) | ~fold.test[rows])
    if len(untested):
        found = f"it is not among the {int(fold.test.sum()):,} test rows of this fold"
        asked = f"{queries[untested[0]]} ({fold.regime})"
        raise UsageError(asked, found, "Take the fold that tests it.")


def check_size(store: AtlasStore, fold: Split) -> None:
    """Raise ``UsageError`` unless a fold was made of this atlas."""
    if len(fold.test) != len(store.conditions):
        found = f"it has {len(fold.test):,} rows, the atlas {len(store.conditions):,}"
        raise UsageError("fold", found, "Make folds of this atlas.")


def _check_query(store: AtlasStore, query: Condition, fold: Split) -> None:
    check_size(store, fold)
    row = store.row(query)
    check_tested(fold, np.array([-1 if row is None else row]), [query])
