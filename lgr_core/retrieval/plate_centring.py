"""The specific change: what is taken away of a delta is the mean of its plate's other parents.

For a condition of parent compound a in line c on plate p::

    s = x - m,    m = mean of the other parents on p in c,

each parent once, at its dose nearest to the condition's on a log scale, and two forms of a parent
at that dose averaged. Of a condition on several plates it is the mean over them, weighted as its
delta averages them. On fewer than ``MIN_OTHERS`` other parents no mean is taken: such a plate
does not count, and a condition without another plate has no specific change.

Everything here is linear in what was measured, so a weighted sum of specific changes is a weighted
sum of deltas: :meth:`LinePlates.centre` turns the weights of the one into those of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from lgr_core.atlas.plate_population import MIN_OTHERS
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.retrieval.condition_index import ConditionIndex

_AT_ONCE = 8
"""Rows from which plates' means are taken at a time."""


class _Factors(NamedTuple):
    """What makes specific changes of deltas: ``own @ x - (of_plates @ plate_means @ x)[which]``.

    ``own`` (m, u) is a condition's delta, its own parent put back into what is taken away;
    ``plate_means`` (n_means, u) sums parents, plate by plate and dose by dose; ``of_plates``
    (n_distinct, n_means) weighs those sums, and ``which`` (m,) says by which row of it.
    """

    own: csr_array
    of_plates: csr_array
    which: IntArray
    plate_means: csr_array


class LinePlates:
    """The conditions of one line that may be read, on their plates: m of them, u units.

    Parameters
    ----------
    labels
        Of the atlas.
    line
        Its place in ``labels.lines``.
    readable
        (n_conditions,) the rows that a plate's mean may hold.

    Attributes
    ----------
    rows
        (m,) the conditions of the line with a known plate, ascending, readable or not.
    units
        (u,) their places among the units of ``labels.plate_index``.
    """

    def __init__(self, labels: ConditionIndex, line: int, readable: BoolArray) -> None:
        index = labels.plate_index
        self.units = np.flatnonzero(labels.line[index.condition] == line)
        self.rows, self._row = np.unique(index.condition[self.units], return_inverse=True)
        self._share = index.share[self.units]
        _, self._plate = np.unique(index.plate[self.units], return_inverse=True)
        self.parents, self._parent = np.unique(labels.parent[self.rows], return_inverse=True)
        self._readable = readable[self.rows]
        self._dose = labels.doses[self.rows]
        self.n_plates = int(self._plate.max(initial=-1)) + 1

    @cached_property
    def n_others(self) -> IntArray:
        """(m,) other readable parents on a condition's plate, the most of its plates."""
        most = np.zeros(len(self.rows), dtype=np.intp)
        np.maximum.at(most, self._row, self._others)
        return most

    @cached_property
    def defined(self) -> BoolArray:
        """(m,) which conditions have a specific change, where all that is readable may be read."""
        return self.n_others >= MIN_OTHERS

    def changes(self, deltas: FloatArray) -> FloatArray:
        """Specific changes, (m, genes) float32, NaN where there is none; ``deltas`` (u, genes)."""
        return self._centred(deltas, self._factors)

    def changes_of_averages(self, deltas: FloatArray) -> FloatArray:
        """The same where only averages over plates are known: ``deltas`` (m, genes)."""
        return self._centred(deltas, self._factors_of_averages)

    def _centred(self, deltas: FloatArray, factors: _Factors) -> FloatArray:
        taken = factors.of_plates @ (factors.plate_means @ deltas)
        found: FloatArray = factors.own @ deltas
        for first in range(0, len(found), _AT_ONCE):  # another array of this size costs more
            here = slice(first, first + _AT_ONCE)
            found[here] -= taken[factors.which[here]]
        found[~self.defined] = np.nan
        return found

    @property
    def condition_of_unit(self) -> IntArray:
        """(u,) the row of each unit's condition."""
        return self.rows[self._row]

    def unit_changes(self, deltas: FloatArray) -> FloatArray:
        """The specific change of each unit on its own plate, (u, genes) float32.

        NaN where the plate has fewer than ``MIN_OTHERS`` other parents; ``deltas`` (u, genes).
        """
        found = np.array(deltas, dtype=np.float32)
        group, n_groups = self._groups
        for at_dose, means in self._means():
            weighted = means[:, None].astype(np.float32) * deltas
            of_plate = _by_group(self._plate, self.n_plates).astype(np.float32) @ weighted
            of_parent = _by_group(group, n_groups).astype(np.float32) @ weighted
            here = np.flatnonzero(at_dose)
            taken = of_plate[self._plate[here]] - of_parent[group[here]]
            found[here] -= taken / np.maximum(self._others[here], 1)[:, None].astype(np.float32)
        found[self._others < MIN_OTHERS] = np.nan
        return found

    def centre(
        self, weights: FloatArray, closed: BoolArray, *, rescale: bool
    ) -> tuple[FloatArray, BoolArray]:
        """Weights on deltas of a weighted sum of specific changes, query by query.

        Parameters
        ----------
        weights
            (n, m) on the specific changes of the conditions.
        closed
            (n, n_parents) the parents that a query may not read: none of their rows is in a mean.
        rescale
            Whether weights on conditions without a specific change go to the others, so that the
            sum of a query's weights stays as it is; else they are dropped.

        Returns
        -------
        weights : (n, u)
            On the deltas of the units; zeros of a query whose every weight was dropped.
        lost : (n,)
            Whether a query had weights and all were dropped.
        """
        open_here = ~closed[:, self._parent[self._row]]
        others = (~closed).astype(float) @ self._present
        others = others[:, self._plate] - (open_here & self._own_present)
        ok = others >= MIN_OTHERS
        share = ok * self._share
        stands = _by_group(self._row, len(self.rows))
        total = share @ stands.T
        usable = total > 0
        kept = np.where(usable, weights, 0.0)
        if rescale:
            before, after = weights.sum(axis=1), kept.sum(axis=1)
            kept *= np.divide(before, after, out=np.ones_like(after), where=after != 0)[:, None]
        share = share / np.where(usable, total, 1.0)[:, self._row]
        on_units = kept[:, self._row] * share
        taken = np.divide(on_units, others, out=np.zeros_like(on_units), where=ok)
        found = on_units
        for at_dose, means in self._means():
            found = found - self._taken_away(np.where(at_dose, taken, 0.0), means) * open_here
        lost: BoolArray = np.any(weights, axis=1) & ~np.any(kept, axis=1)
        return found, lost

    def _taken_away(self, taken: FloatArray, means: FloatArray) -> FloatArray:
        """(n, u) what the plates' means weigh, the means of each condition's own parent left out.

        ``taken`` (n, u) is the weight of one parent in the mean that each unit's change needs.
        """
        of_plate = taken @ _by_group(self._plate, self.n_plates).T
        group, n_groups = self._groups
        of_parent = taken @ _by_group(group, n_groups).T
        return (of_plate[:, self._plate] - of_parent[:, group]) * means

    @cached_property
    def _groups(self) -> tuple[IntArray, int]:
        """(u,) numbers of (plate, parent), and how many there are."""
        pairs = self._plate * max(len(self.parents), 1) + self._parent[self._row]
        names, number = np.unique(pairs, return_inverse=True)
        return number, len(names)

    @cached_property
    def _others(self) -> IntArray:
        """(u,) other readable parents on a unit's plate."""
        return (self._present.sum(axis=0)[self._plate] - self._own_present).astype(np.intp)

    @cached_property
    def _present(self) -> FloatArray:
        """(n_parents, n_plates) 1 where a readable condition of a parent stands on a plate."""
        stands = np.zeros((len(self.parents), max(self.n_plates, 1)))
        read = self._readable[self._row]
        stands[self._parent[self._row[read]], self._plate[read]] = 1
        return stands

    @property
    def _own_present(self) -> BoolArray:
        """(u,) whether a unit's own parent is among the readable ones of its plate."""
        return self._present[self._parent[self._row], self._plate] > 0

    def _means(self) -> Iterator[tuple[BoolArray, FloatArray]]:
        """Units at each dose, (u,), and what each unit weighs in its parent's mean there, (u,)."""
        doses = self._dose[self._row]
        for dose in np.unique(doses):  # NaN, pooled over doses, once
            at_dose = np.isnan(doses) if np.isnan(dose) else doses == dose
            yield at_dose, self._nearest(doses, float(dose))

    def _nearest(self, doses: FloatArray, dose: float) -> FloatArray:
        """(u,) one over the number of a parent's units on a plate nearest to a dose, else 0."""
        group, n_groups = self._groups
        with np.errstate(invalid="ignore"):
            far = np.abs(np.log(doses) - np.log(dose))
        far = np.where(self._readable[self._row], np.nan_to_num(far, nan=0.0), np.inf)
        nearest = np.full(n_groups, np.inf)
        np.minimum.at(nearest, group, far)
        chosen = np.isfinite(far) & (far <= nearest[group])
        return chosen / np.maximum(np.bincount(group[chosen], minlength=n_groups), 1)[group]

    # -- of all conditions at once: sparse matrices, so that a line costs few passes ---------------

    @cached_property
    def _factors_of_averages(self) -> _Factors:
        """The factors where the deltas of units are those of their conditions, read once each."""
        condition = _by_group(self._row, len(self.rows)).T
        factors = self._factors
        return factors._replace(
            own=_narrow(factors.own @ condition),
            plate_means=_narrow(factors.plate_means @ condition),
        )

    @cached_property
    def _factors(self) -> _Factors:
        ok = self._others >= MIN_OTHERS
        share = np.where(ok, self._share, 0.0)
        total = np.bincount(self._row, weights=share, minlength=len(self.rows))
        share = share / np.where(total > 0, total, 1.0)[self._row]
        taken = np.divide(share, self._others, out=np.zeros_like(share), where=ok)
        group, n_groups = self._groups
        every = np.arange(len(self._row))
        own = csr_array((share, (self._row, every)), shape=(len(self.rows), len(every)))
        of_plates, sums = [], []
        for at_dose, means in self._means():
            weight = np.where(at_dose, taken, 0.0)
            by_group = csr_array((weight, (self._row, group)), shape=(len(self.rows), n_groups))
            own = own + by_group @ (_by_group(group, n_groups) * means[None, :])
            place = (self._row, self._plate)
            of_plates.append(csr_array((weight, place), shape=(len(self.rows), self.n_plates)))
            sums.append(_by_group(self._plate, self.n_plates) * means[None, :])
        distinct, which = _distinct_rows(_narrow(hstack(of_plates)))
        return _Factors(_narrow(own), distinct, which, _narrow(vstack(sums)))


def _by_group(group: IntArray, n: int) -> csr_array:
    """(n, n_units) what sums units by group."""
    ones = np.ones(len(group))
    return csr_array((ones, (group, np.arange(len(group)))), shape=(n, len(group)))


def _narrow(matrix: csr_array) -> csr_array:
    """In float32, as deltas are, without stored zeros."""
    matrix = csr_array(matrix)
    matrix.eliminate_zeros()
    return matrix.astype(np.float32)


def _distinct_rows(matrix: csr_array) -> tuple[csr_array, IntArray]:
    """The different rows of a sparse matrix, and which of them each row, (m,), is."""
    matrix.sort_indices()
    numbers: dict[bytes, int] = {}
    which = np.empty(matrix.shape[0], dtype=np.intp)
    first: list[int] = []
    for row, (start, stop) in enumerate(pairwise(matrix.indptr)):
        key = matrix.indices[start:stop].tobytes() + matrix.data[start:stop].tobytes()
        which[row] = numbers.setdefault(key, len(numbers))
        if which[row] == len(first):
            first.append(row)
    return matrix[first], which
