"""Similarity kernels over the drugs of an atlas, from names and structures alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.domain import CandidatePool, Condition, FloatArray, IntArray, Selector
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import NotFoundError, ServiceError
from lgr_core.retrieval.checked_reader import NoDeltas
from lgr_core.retrieval.condition_index import ConditionIndex

LLM, CHEMISTRY, MECHANISM = "llm", "chemistry", "mechanism"
KERNELS = (LLM, CHEMISTRY, MECHANISM)

DIFFUSION = 0.95
"""How far likeness spreads along a language model's lists, from 0 (not at all) to below 1."""

ASKED = 10
"""Neighbours that a selector is asked for to make a list."""

FADING = 6
"""The rank at which a named neighbour counts half as much as the first."""


@dataclass(frozen=True, slots=True)
class UnmeasuredDrug:
    """A drug that was measured nowhere: its fingerprint (2048,), and what is stored of it."""

    drug: str
    fingerprint: NDArray[np.uint8]
    annotation: Mapping[str, Any]


class DrugKernels:
    """Kernels by name, each (n_drugs, n_drugs), ones on its diagonal.

    The drugs are those of ``labels``, then the newcomers; :meth:`numbers` finds their places.
    Made when first asked for, from names, structures, annotations and a language model's lists:
    no measurement is in them. A drug of which a source knows nothing is like no other.
    """

    def __init__(
        self,
        labels: ConditionIndex,
        selectors: Callable[[str], Selector],
        unmeasured: Sequence[UnmeasuredDrug] = (),
    ) -> None:
        self._labels, self._selectors, self._unmeasured_drugs = labels, selectors, unmeasured
        self._names = pd.Index([*labels.drugs, *(new.drug for new in unmeasured)])
        self._made: dict[str, FloatArray] = {}

    def numbers(self, drugs: Sequence[str]) -> IntArray:
        """Places of drugs in the kernels, -1 where there is none of that name."""
        return self._names.get_indexer(list(drugs))

    def knows(self, name: str, drug: str) -> bool:
        """Whether a kernel likens this drug to any other."""
        place = int(self.numbers([drug])[0])
        return place >= 0 and int(np.count_nonzero(self.of(name)[place])) > 1

    def mixed(self, shares: Mapping[str, float]) -> FloatArray:
        """The weighted sum of kernels; what is missing of a share goes to no likeness at all."""
        n = len(self._names)
        total = np.zeros((n, n))
        for name, share in shares.items():
            if share:
                total += share * self.of(name)
        np.fill_diagonal(total, 1.0)
        return total

    def of(self, name: str) -> FloatArray:
        """One of ``KERNELS``."""
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def says(self, name: str) -> bool:
        """Whether a kernel likens any two drugs."""
        kernel = self.of(name)
        return bool((kernel - np.diag(np.diag(kernel))).any())

    def _make(self, name: str) -> FloatArray:
        labels, new = self._labels, self._unmeasured_drugs
        if name == CHEMISTRY:
            return cosine(np.vstack([labels.fingerprints, *(one.fingerprint for one in new)]))
        if name == MECHANISM:
            stored = [*labels.annotations, *(one.annotation for one in new)]
            return _mechanisms(self._names, stored)
        lists = _lists(labels, self._selectors(LLM))
        return diffused(np.pad(lists, (0, len(new))), DIFFUSION)


def cosine(features: FloatArray) -> FloatArray:
    """(n, n) cosine of rows; a row of zeros is like itself alone."""
    values = features.astype(np.float64)
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    unit = np.divide(values, norm, out=np.zeros_like(values), where=norm > 0)
    kernel = unit @ unit.T
    np.fill_diagonal(kernel, 1.0)
    return kernel


def diffused(lists: FloatArray, spread: float) -> FloatArray:
    """(n, n) likeness over the graph of who names whom, the regularised Laplacian's kernel.

    ``lists``, (n, n), weighs who is named by each. With W its symmetric part, normalised by
    degrees, the kernel is ``(I - spread W)^-1`` (Smola and Kondor 2003), scaled to a diagonal of 1.
    """
    graph = lists + lists.T
    np.fill_diagonal(graph, 0)
    degree = graph.sum(axis=1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    kernel = np.linalg.inv(np.eye(len(graph)) - spread * graph * np.outer(scale, scale))
    size = np.sqrt(np.diag(kernel))
    return kernel / np.outer(size, size)


def _mechanisms(drugs: Iterable[str], stored: Sequence[Mapping[str, Any]]) -> FloatArray:
    book = MechanismAnnotations.load()
    notes = [
        book.annotate(drug, moa=known.get("moa"), targets=known.get("targets"))
        for drug, known in zip(drugs, stored, strict=True)
    ]
    kernel = np.eye(len(notes))
    for i, note in enumerate(notes):
        for j in range(i):
            kernel[i, j] = kernel[j, i] = book.similarity(note, notes[j])
    return kernel


def _lists(labels: ConditionIndex, selector: Selector) -> FloatArray:
    """(n, n) weights of who is named by each drug, by rank; zeros where nobody was asked."""
    named = np.zeros((len(labels.drugs), len(labels.drugs)))
    for i, pool in enumerate(_pools(labels)):
        places = [] if pool is None else _named(labels, selector, pool)
        for rank, place in enumerate(places):
            named[i, place] = 1 / (1 + rank / FADING)
    return named


def _named(labels: ConditionIndex, selector: Selector, pool: CandidatePool) -> list[int]:
    try:
        selection = selector.select(pool, ASKED, NoDeltas())
    except (NotFoundError, ServiceError):  # nobody was asked about this drug
        return []
    found = [labels.catalog.find(proposal.text).drug for proposal in selection.proposals]
    return labels.drug_numbers([drug for drug in found if drug in pool.drugs]).tolist()


def _pools(labels: ConditionIndex) -> list[CandidatePool | None]:
    """For every drug, the candidates of a line and dose with most of them; None without any."""
    places = np.stack([labels.line, np.unique(labels.doses, return_inverse=True)[1].ravel()])
    _, which, counts = np.unique(places, axis=1, return_inverse=True, return_counts=True)
    fullest = np.argsort(-counts[which.ravel()], kind="stable")
    rows = fullest[np.unique(labels.drug[fullest], return_index=True)[1]]
    pools = []
    for drug, row in zip(labels.drugs, rows, strict=True):
        line = labels.lines[labels.line[row]]
        dose = None if np.isnan(labels.doses[row]) else float(labels.doses[row])
        twins = {drug, *labels.catalog.related(drug)}
        others = tuple(name for name in labels.measured(line, dose)[0] if name not in twins)
        pools.append(CandidatePool(Condition(line, drug, dose), others) if others else None)
    return pools
