"""Folds over an atlas: which conditions are read, tested and scored.

A fold separates whole units over all doses and replicates: parents in unseen drugs, lines in unseen
lines, (line, parent) pairs in the open world. Two forms of one compound stay on one side. Where an
atlas has combinations, what shares a drug with a fold's test or validation rows, in their lines in
the open world, is not trained on: to hold out all that combinations connect, as one unit, would
leave nothing to separate where every drug was combined with one other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import EMPTY, BoolArray, Evidence, IntArray
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation.regimes import Regime

_BY_LINE = frozenset({Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT})
"""Regimes whose units are lines, which no combination connects."""


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Numbers of each condition's line, drug and parent, from 0 in order of name; (n_conditions,).

    They are what folds are made of, so that a fold can be parted again without the atlas. ``parts``
    (n_parents, n_parts) says which compounds each parent is made of; None: each of one of its own.
    """

    line: IntArray
    drug: IntArray
    parent: IntArray
    parts: csr_array | None = None

    @classmethod
    def of(cls, store: AtlasStore) -> Axes:
        """The axes of an atlas's conditions."""
        names = (store.conditions["cell_line"], store.conditions["drug"], store.parent_of_row)
        line, drug, parent = (np.asarray(name, dtype=object) for name in names)
        number, parents = pd.factorize(parent, sort=True)
        parts = _parts(parents, store.drug_catalog.parents.parts)
        return cls(_numbered(line), _numbered(drug), number, parts)

    def units(self, regime: Regime) -> IntArray:
        """(n_conditions,) a number for what the regime holds out as a whole."""
        if regime == Regime.UNSEEN_DRUG:
            return self.parent
        if regime == Regime.OPEN_WORLD:
            return self.line * (self.parent.max() + 1) + self.parent
        return self.line

    def sharing(self, regime: Regime, rows: BoolArray, others: BoolArray) -> BoolArray:
        """Those of ``rows`` that share their unit with one of the others; masks (n_conditions,).

        A combination shares it with each of its drugs, and with all other combinations of them.
        """
        if self.parts is None or regime in _BY_LINE:
            return rows & _in_any(self.units(regime), others)
        place = self.line if regime == Regime.OPEN_WORLD else np.zeros_like(self.line)
        of_parent = (np.ones(others.sum()), (place[others], self.parent[others]))
        held = csr_array(of_parent, shape=(place.max() + 1, self.parts.shape[0]))
        touched = (held @ self.parts @ self.parts.T).tocsr()
        return rows & (touched[place, self.parent] > 0)


@dataclass(frozen=True, slots=True)
class FoldKey:
    """Names the result of a fold: ``REGIME-FOLD``, or ``REGIME-FOLD-METHOD`` for one method's.

    As text it names a folder in a run, and what was fitted in the run's config. ``part`` numbers
    the parts of a fold whose queries may not read the same wells: ``REGIME-FOLD.PART``.
    """

    regime: Regime
    fold: int
    method: str | None = None
    part: int | None = None

    @classmethod
    def parse(cls, text: str) -> FoldKey:
        """The key that :meth:`__str__` wrote."""
        regime, number, *method = text.split("-", 2)
        fold, *part = number.split(".")
        return cls(
            Regime(regime),
            int(fold),
            method[0] if method else None,
            int(part[0]) if part else None,
        )

    def __str__(self) -> str:
        part = "" if self.part is None else f".{self.part}"
        fold = f"{self.regime}-{self.fold}{part}"
        return fold if self.method is None else f"{fold}-{self.method}"


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """What is read and what is tested once; masks (n_conditions,), not to be written to.

    ``validation`` lies inside ``train``: tuning fits on the rest and scores there, and the last
    fit before the test reads both. No unit stands in two of fitted, validation and test rows.
    ``readable_rows`` are the rows that TRAIN and TARGET_POOL open to a query (see ``RowGuard``),
    ``notes`` say in words what was decided.

    Raises
    ------
    UsageError
        If masks do not fit each other or the axes, or nothing is trained on or tested.
    InputError
        If a unit stands on two sides.
    """

    regime: Regime
    number: int
    axes: Axes = field(repr=False)
    train: BoolArray = field(repr=False)
    validation: BoolArray = field(repr=False)
    test: BoolArray = field(repr=False)
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    readable_rows: Mapping[Evidence, BoolArray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "regime", Regime(self.regime))
        for name in ("train", "validation", "test"):
            object.__setattr__(self, name, _sealed(getattr(self, name)))
        self._check_masks()
        self._check_units()
        readable_rows = {
            Evidence.TRAIN: self._train_rows(),
            Evidence.TARGET_POOL: self._pool_rows(),
        }
        object.__setattr__(self, "readable_rows", MappingProxyType(readable_rows))

    @property
    def in_line(self) -> bool:
        """Whether neighbours are drawn from the query's own line, not from training lines."""
        return self.regime is not Regime.UNSEEN_CELL_LINE_STRICT

    @property
    def fitted(self) -> BoolArray:
        """(n_conditions,) training rows that are not for validation."""
        return self.train & ~self.validation

    def inner_folds(self) -> list[Fold]:
        """Folds inside this one that together test its training rows; none of a single unit."""
        units = np.unique(self.axes.units(self.regime)[self.train])
        return nested(self) if len(units) > 1 else []

    def _train_rows(self) -> BoolArray:
        open_world = self.regime is Regime.OPEN_WORLD
        return _sealed(self.train | self.test) if open_world else self.train

    def _pool_rows(self) -> BoolArray:
        if self.regime is Regime.UNSEEN_DRUG:
            return self.train
        if self.regime is Regime.UNSEEN_CELL_LINE_STRICT:
            return _sealed(_none(self.train))
        known = self.train | self.test
        if self.regime is Regime.UNSEEN_CELL_LINE:
            known &= _in_any(self.axes.drug, self.train)
        return _sealed(known)

    def _check_masks(self) -> None:
        shape = self.axes.line.shape
        if any(mask.shape != shape for mask in (self.train, self.validation, self.test)):
            raise UsageError("fold", "its masks are of other lengths", "Give one flag a condition.")
        if (self.validation & ~self.train).any():
            raise UsageError("fold", "validation rows outside training", "Take them from training.")
        if not (self.fitted.any() and self.test.any()):
            found = f"{self.fitted.sum():,} rows to fit on, {self.test.sum():,} to test"
            raise UsageError(f"fold ({self.regime})", found, "Part other data, or in fewer folds.")

    def _check_units(self) -> None:
        sides = (("train", self.train, self.test), ("fitted", self.fitted, self.validation))
        for name, rows, others in sides:
            shared = self.axes.sharing(self.regime, rows, others)
            if shared.any():
                held = self.regime.held_out
                found = f"{shared.sum():,} {name} rows share {held} with rows held out from them"
                raise InputError(f"fold ({self.regime})", found, f"Hold out whole {held}.")


def make_folds(store: AtlasStore, regime: Regime, n_folds: int = 5, seed: int = 0) -> list[Fold]:
    """Folds that test every condition once; the same for the same atlas and seed, always.

    The next fold's test rows are a fold's validation rows, where there are three folds or more.
    Both regimes of unseen lines have the same folds. With fewer units than folds, each is one.

    Raises
    ------
    UsageError
        If the regime is unknown, or fewer than two folds are asked for or can be made.
    """
    axes = Axes.of(store)
    return _part(axes, Regime(regime), np.ones(len(axes.line), dtype=bool), n_folds, seed)


def by_parent(folds: Iterable[Fold]) -> list[Fold]:
    """Folds of the open world that hold out whole parents, made of folds of unseen drugs.

    Whatever stands in the wells of what is tested is not trained on then, in any line.
    """
    return [replace(fold, regime=Regime.OPEN_WORLD) for fold in folds]


def nested(fold: Fold, n_folds: int = 5, seed: int = 0) -> list[Fold]:
    """Folds inside a fold's training rows, for tuning: together they test each of them once.

    Raises
    ------
    UsageError
        If fewer than two folds are asked for or can be made.
    """
    return _part(fold.axes, fold.regime, fold.train, n_folds, seed)


def queries(
    store: AtlasStore,
    folds: Sequence[Fold],
    *,
    lines: Sequence[str] | None = None,
    drugs: Sequence[str] | None = None,
    min_drugs: int | None = None,
    max_queries: int | None = None,
    seed: int = 0,
) -> list[IntArray]:
    """Rows that are scored, one ascending array a fold; what is read stays as it is.

    Parameters
    ----------
    store, folds
        The atlas and the folds whose test rows are scored.
    lines, drugs
        Only these; names are matched by their closest reading.
    min_drugs
        Only lines with at least so many drugs.
    max_queries
        No more than so many over all folds, drawn at random by ``seed``.

    Raises
    ------
    NotFoundError
        If a name is unknown, or nothing is left to score; for lines with too few drugs, the error
        names the most that one has.
    """
    scored = np.logical_or.reduce([fold.test for fold in folds])
    line, drug = store.conditions["cell_line"], store.conditions["drug"]
    if lines is not None:
        scored &= line.isin([store.cell_line_catalog.resolve(name) for name in lines]).to_numpy()
    if drugs is not None:
        scored &= drug.isin([store.drug_catalog.resolve(name) for name in drugs]).to_numpy()
    if min_drugs is not None:
        scored &= _with_drugs(store, scored, min_drugs)
    if max_queries is not None:
        order = np.random.default_rng(seed).permutation(len(scored))
        scored[order[scored[order]][max_queries:]] = False
    if not scored.any():
        raise NotFoundError("queries", "no tested condition is left", "Ask for more of them.")
    return [np.flatnonzero(fold.test & scored) for fold in folds]


def notes_of(folds: Iterable[Fold]) -> dict[str, dict[str, Any]]:
    """What was decided when folds were made or read, by regime, as JSON has it.

    Each regime has ``notes``, in words and each once, and the ``provenance`` of its folds.
    """
    found: dict[str, dict[str, Any]] = {}
    for fold in folds:
        entry = found.setdefault(str(fold.regime), {"notes": [], "provenance": {}})
        entry["notes"] += [note for note in fold.notes if note not in entry["notes"]]
        entry["provenance"] |= fold.provenance
    return found


def _with_drugs(store: AtlasStore, scored: BoolArray, least: int) -> BoolArray:
    """(n_conditions,) those whose line has so many drugs; refused if none that is scored has."""
    line, drug = store.conditions["cell_line"], store.conditions["drug"]
    n_drugs = drug.groupby(line, observed=True).transform("nunique").to_numpy()
    most = n_drugs[scored].max(initial=0)
    if scored.any() and most < least:
        found = f"no tested condition is left; no line of them has more than {most:,}"
        asked = f"queries in lines with {least:,} drugs or more"
        raise NotFoundError(asked, found, "Ask for fewer drugs.")
    return n_drugs >= least


def _part(axes: Axes, regime: Regime, rows: BoolArray, n_folds: int, seed: int) -> list[Fold]:
    units = axes.units(regime)
    present = np.unique(units[rows])
    n = min(n_folds, len(present))
    if n < 2:  # noqa: PLR2004 - one side to fit on, one to test
        found = f"{n_folds} asked for, {len(present)} {regime.held_out} to separate"
        raise UsageError(f"folds ({regime})", found, "Two of each are needed, or another regime.")
    place = np.zeros(units.max() + 1, dtype=np.intp)
    place[present] = np.random.default_rng(seed).permutation(len(present)) % n
    fold_of = np.where(rows, place[units], -1)
    notes = () if n == n_folds else (f"{n} folds, not {n_folds}: there are no more to separate.",)
    provenance = {"folds": n, "seed": seed, "n_units": len(present)}
    masks = [_apart(axes, regime, *_masks(fold_of, i, n)) for i in range(n)]
    lost = sum(int((rows & ~train & ~test).sum()) for train, _, test in masks)
    if lost:
        said = f"rows that share a drug with rows held out are not trained on: {lost / n:,.0f}"
        notes = (*notes, f"{said} of {rows.sum():,} a fold.")
    return [
        Fold(regime, i, axes, *mask, notes=notes, provenance=provenance)
        for i, mask in enumerate(masks)
    ]


Masks = tuple[BoolArray, BoolArray, BoolArray]
"""Train, validation and test rows."""


def _masks(fold_of: IntArray, i: int, n: int) -> Masks:
    """Train, validation and test rows of fold ``i`` of ``n``; -1 is in no fold."""
    test = fold_of == i
    validation = (fold_of == (i + 1) % n) & (n > 2)  # noqa: PLR2004 - else none is left to fit
    return (fold_of >= 0) & ~test, validation, test


def _apart(
    axes: Axes, regime: Regime, train: BoolArray, validation: BoolArray, test: BoolArray
) -> Masks:
    """The masks, no row of one side in a unit of another: units of combinations overlap.

    Validation rows that would leave nothing to fit on are fitted on instead.
    """
    train = train & ~axes.sharing(regime, train, test)
    fitted = train & ~validation
    fitted &= ~axes.sharing(regime, fitted, validation & train)
    if not fitted.any():
        return train, np.zeros_like(train), test
    return fitted | (validation & train), validation & train, test


def _parts(parents: NDArray[np.object_], parts: Mapping[str, frozenset[str]]) -> csr_array | None:
    """(n_parents, n_parts) which compounds each parent is made of; None without combinations."""
    if not any(parent in parts for parent in parents):
        return None
    pairs = [(i, part) for i, p in enumerate(parents) for part in parts.get(p, {p})]
    rows, names = zip(*pairs, strict=True)
    columns = _numbered(np.array(names, dtype=object))
    return csr_array((np.ones(len(rows)), (np.array(rows), columns)))


def _numbered(names: NDArray[np.object_]) -> IntArray:
    return pd.factorize(names, sort=True)[0]


def _in_any(numbers: IntArray, rows: BoolArray) -> BoolArray:
    """Where a number stands that also stands in one of ``rows``; both (n_conditions,)."""
    present = np.zeros(numbers.max() + 1, dtype=bool)
    present[numbers[rows]] = True
    return present[numbers]


def _none(like: BoolArray) -> BoolArray:
    return np.zeros(like.shape, dtype=bool)


def _sealed(mask: BoolArray) -> BoolArray:
    """A copy that cannot be written to."""
    copy = np.array(mask, dtype=bool)
    copy.flags.writeable = False
    return copy
