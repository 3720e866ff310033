"""The records and protocols that all packages share.

Records are frozen and validated at birth; protocols stand where one part can be swapped for
another. NumPy only: nothing here knows how anything is stored, retrieved or shown.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import lt
from types import MappingProxyType
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lgr_core.errors import EmptyPoolError, InputError, UsageError

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]

EMPTY: Mapping[str, Any] = MappingProxyType({})
"""An empty, read-only mapping: the default of every provenance."""


SharedWells = Literal["yes", "no", "unknown"]
"""Whether the cell lines of a well are one pooled sample, as in Tahoe-100M."""


class ValueKind(StrEnum):
    """What a delta's numbers are. Two kinds never share an atlas."""

    LOGNORM_DELTA = "lognorm_delta"
    LOG2FC = "log2fc"
    ZSCORE = "zscore"
    RANK_SCORE = "rank_score"

    @property
    def label(self) -> str:
        """The axis title, with its unit."""
        return _VALUE_LABELS[self]

    @property
    def has_effect_size(self) -> bool:
        """Whether magnitudes are amounts of change, or only an order of genes."""
        return self is not ValueKind.RANK_SCORE


_VALUE_LABELS = {
    ValueKind.LOGNORM_DELTA: "change in log-normalised expression (ln)",
    ValueKind.LOG2FC: "log2 fold change",
    ValueKind.ZSCORE: "z-score",
    ValueKind.RANK_SCORE: "rank score (order and sign, no effect size)",
}


class Change(StrEnum):
    """Which change is predicted and scored: the total one, or the specific one.

    The total change is the delta as measured against vehicle. The specific change is what remains
    when the mean over the plate's other parents in the same line is taken off.
    """

    TOTAL = "total"
    SPECIFIC = "specific"


class WellScope(StrEnum):
    """Whose wells a query may read, beside what its regime opens.

    ``OTHER_WELLS`` closes the query drug's own wells in every line: the same drug at the same dose
    on one of its plates. ``OTHER_PLATES`` closes everything that stands on one of its plates.
    """

    ANY = "any"
    OTHER_WELLS = "other_wells"
    OTHER_PLATES = "other_plates"


class Evidence(StrEnum):
    """What a predictor declares that it reads.

    ``REPLICATE`` opens other measurements of the query's own parent compound in its line: on
    another plate, of another form, or at another dose.
    """

    TRAIN = "train"
    TARGET_POOL = "target_pool"
    CONTROLS = "controls"
    REPLICATE = "replicate"
    TRUTH = "truth"


class Reason(StrEnum):
    """Why a proposal was refused."""

    OUT_OF_POOL = "out_of_pool"
    NOT_IN_SPLIT = "not_in_split"
    SELF = "self"
    TWIN = "twin"
    DUPLICATE = "duplicate"
    AMBIGUOUS = "ambiguous"
    BEYOND_K = "beyond_k"


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One measured or queried unit: a drug in a cell line at a dose.

    ``dose_um`` is in micromolar; ``None`` means pooled over doses.
    """

    cell_line: str
    drug: str
    dose_um: float | None = None

    def __post_init__(self) -> None:
        for role, value in (("cell line", self.cell_line), ("drug", self.drug)):
            if not value.strip():
                raise InputError(role, "the name is empty", "Give a name.")
        if self.dose_um is not None and not (math.isfinite(self.dose_um) and self.dose_um > 0):
            found = f"{self.dose_um} is not a positive number of micromolar"
            raise InputError("dose", found, "Give a positive dose in uM, or none.")

    def __str__(self) -> str:
        dose = "" if self.dose_um is None else f" at {self.dose_um:g} uM"
        return f"{self.drug} in {self.cell_line}{dose}"


@dataclass(frozen=True, slots=True)
class CandidatePool:
    """The drugs that may be retrieved for a query: P_c without d, sorted.

    ``twins`` are the forms of the query's own parent compound: measured, but left out. ``withheld``
    are drugs measured in the query's line that the split keeps from it.
    """

    query: Condition
    drugs: tuple[str, ...]
    twins: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.drugs:
            found = f"no other drug is measured there; twins left out: {len(self.twins)}"
            found += f", withheld by the split: {len(self.withheld)}" if self.withheld else ""
            raise EmptyPoolError(f"candidates for {self.query}", found, "Choose another dose.")
        if not all(map(lt, self.drugs, self.drugs[1:])):
            raise UsageError("candidate pool", "drugs unsorted or repeated", "Sort them once.")
        left_out = {self.query.drug, *self.twins, *self.controls, *self.withheld}
        refused = left_out.intersection(self.drugs)
        if refused:
            names = ", ".join(sorted(refused))
            found = f"it holds the query, a twin, a control or a withheld drug: {names}"
            raise UsageError("candidate pool", found, "Leave them out.")


class ExpectedDirection(StrEnum):
    """How a neighbour's effect is expected to relate to the query's."""

    SAME = "same"
    OPPOSITE = "opposite"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class StructuredReason:
    """What a language model states of a neighbour in fields, beside its sentence; each optional.

    ``shared_targets`` are of both drugs, ``shared_pathway`` is a pathway or programme of both,
    ``why_in_line`` why this holds in the query's cell line. ``stated_confidence``, from 0 to 1, is
    the model's own and is not calibrated.
    """

    shared_targets: tuple[str, ...] = ()
    shared_pathway: str = ""
    expected_direction: ExpectedDirection | None = None
    why_in_line: str = ""
    stated_confidence: float | None = None

    def __post_init__(self) -> None:
        stated = self.stated_confidence
        if stated is not None and not 0 <= stated <= 1:
            raise InputError("stated confidence", f"{stated} is not from 0 to 1", "Give a share.")

    def in_words(self) -> tuple[tuple[str, str], ...]:
        """Label and value of each field that is there."""
        direction, stated = self.expected_direction, self.stated_confidence
        fields = (
            ("shared targets", ", ".join(self.shared_targets)),
            ("shared pathway", self.shared_pathway),
            ("expected direction", "" if direction is None else str(direction)),
            ("why in this line", self.why_in_line),
            ("stated confidence", "" if stated is None else f"{stated:.2f}"),
        )
        return tuple((label, value) for label, value in fields if value)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a selector said, before anyone believes it."""

    text: str
    rationale: str = ""
    score: float | None = None
    structured: StructuredReason | None = None


def require_k(k: int) -> None:
    """Raise ``UsageError`` unless at least one neighbour is wanted."""
    if k < 1:
        raise UsageError(f"k = {k}", "at least one neighbour is needed", "Give k of 1 or more.")


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector's ranked proposals, best first, with the raw answer where there is one.

    ``shown`` are drugs beyond the pool that the selector was offered all the same (a list made for
    another line or split): naming one of them is no mistake of its own.
    """

    proposals: tuple[Proposal, ...]
    raw: str | None = None
    shown: frozenset[str] = frozenset()
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A believed proposal: a measured drug.

    ``same_parent_as`` flags another form of a better-ranked neighbour's compound.
    """

    drug: str
    rank: int
    score: float | None = None
    rationale: str = ""
    same_parent_as: str | None = None
    structured: StructuredReason | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A proposal that was refused, and why."""

    text: str
    reason: Reason
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The realised neighbours of a query, and all that was refused on the way."""

    query: Condition
    selector: str
    k: int
    pool_size: int
    neighbors: tuple[Neighbor, ...]
    rejected: tuple[Rejected, ...] = ()
    raw: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    @property
    def k_used(self) -> int:
        """How many neighbours are averaged: at most ``k``."""
        return len(self.neighbors)

    @property
    def drugs(self) -> tuple[str, ...]:
        """The neighbours' names, best first."""
        return tuple(neighbor.drug for neighbor in self.neighbors)


class Term(StrEnum):
    """What a group of conditions does in a weighted sum."""

    DRUG_OTHER_LINES = "drug_elsewhere"
    NEIGHBORS_HERE = "neighbors_here"
    NEIGHBORS_OTHER_LINES = "neighbors_elsewhere"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _TERM_LABELS[self]


_TERM_LABELS = {
    Term.DRUG_OTHER_LINES: "the drug itself in other cell lines",
    Term.NEIGHBORS_HERE: "other drugs in this cell line",
    Term.NEIGHBORS_OTHER_LINES: "other drugs in other cell lines",
}


@dataclass(frozen=True, slots=True)
class TermSupport:
    """One term of a prediction: the measured conditions it stands on.

    ``conditions`` with their signed weights, heaviest first: all ``n`` of them, or as many as were
    asked for. ``share`` is the term's part of all absolute weights.
    """

    term: Term
    share: float
    conditions: tuple[tuple[Condition, float], ...]
    n: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted delta, (n_genes,) in the atlas's gene order, and where it came from.

    ``terms`` are the measured conditions whose weighted sum the delta is. ``weights`` are those of
    ``retrieval.neighbors``, beside them. ``fallback`` names the method that answered when nothing
    was found; never silent.
    """

    query: Condition
    method: str
    delta: FloatArray
    retrieval: Retrieval | None = None
    weights: tuple[float, ...] = ()
    fallback: str | None = None
    terms: tuple[TermSupport, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        if self.delta.ndim != 1:
            raise UsageError(
                "prediction", f"delta has shape {self.delta.shape}", "Give (n_genes,)."
            )


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """One question to a language model, with everything that can change its answer.

    ``temperature`` 0 is sent as 0, ``None`` is not sent; ``effort`` likewise ("none" is a value).
    With ``schema`` (a strict JSON schema) the answer is asked for as JSON, else as text.
    """

    prompt: str
    model: str
    temperature: float | None = 0.0
    effort: str | None = "none"
    max_output_tokens: int = 4_000
    schema: Mapping[str, Any] | None = None

    def key(self, provider: str) -> str:
        """SHA-256 of the provider and every field: equal requests have equal keys, others not."""
        data = {"provider": provider, **{f: getattr(self, f) for f in self.__slots__}}
        text = json.dumps(data, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LLMUsage:
    """Tokens of one or more answers; ``cached`` are part of ``input``."""

    input: int = 0
    cached: int = 0
    output: int = 0
    requests: int = 0

    def __add__(self, other: LLMUsage) -> LLMUsage:
        return LLMUsage(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))


@dataclass(frozen=True, slots=True)
class LLMReply:
    """A model's answer as it came, what it used, and how it was asked.

    ``provenance`` holds the API, the model that answered, the finish reason, ids, and every
    departure from the request (e.g. ``temperature: "not sent"``).
    """

    text: str
    usage: LLMUsage = LLMUsage()
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


@runtime_checkable
class DeltaReader(Protocol):
    """Read access to measured deltas: the whole store, or the part that evidence allows."""

    def rows(self, cell_line: str, drugs: Sequence[str], dose_um: float | None) -> IntArray:
        """Row numbers of these drugs in that line at that dose, in the order given."""
        ...

    def deltas(self, rows: IntArray, *, all_genes: bool = False) -> FloatArray:
        """Measured deltas (n_rows, n_genes), float32; the metric panel unless ``all_genes``."""
        ...


@runtime_checkable
class Selector(Protocol):
    """Names the drugs of a pool that should act most like the query."""

    name: str
    evidence: frozenset[Evidence]

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:
        """Ranked proposals for ``pool.query``, best first; ``k`` is how many will be used."""
        ...


@runtime_checkable
class LLMClient(Protocol):
    """Answers requests; ``provider`` names the service for cache keys and records."""

    provider: str

    def complete(self, request: LLMRequest) -> LLMReply:
        """The model's answer; raises ServiceError where none can be had."""
        ...
