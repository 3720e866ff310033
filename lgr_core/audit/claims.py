"""Claims: what a reason says that annotation or data can confirm or contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lgr_core.domain import ExpectedDirection


class ClaimKind(StrEnum):
    """What a claim is about, which decides what it is checked against."""

    MECHANISM = "mechanism"
    TARGET = "target"
    DIRECTION = "direction"
    EFFECT = "effect"


class ClaimOrigin(StrEnum):
    """Where in a reason a claim was read."""

    FIELD = "field"
    PROSE = "prose"


class ClaimedDirection(StrEnum):
    """Whether expression is said to rise or to fall."""

    UP = "up"
    DOWN = "down"

    @property
    def sign(self) -> int:
        """1 for a rise, -1 for a fall."""
        return 1 if self is ClaimedDirection.UP else -1


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement of a reason.

    ``subject`` is the drug it is about and ``what`` a mechanism tag or a gene symbol;
    ``direction`` is that of a direction claim. In an effect claim ``what`` is the other drug and
    ``relation`` how their effects are said to relate. ``quote`` are the words it was read from.
    """

    kind: ClaimKind
    subject: str
    what: str
    direction: ClaimedDirection | None = None
    origin: ClaimOrigin = ClaimOrigin.PROSE
    quote: str = ""
    relation: ExpectedDirection | None = None

    def rests_on_change_of(self, drug: str) -> bool:
        """Whether its verdict says something of this drug's measured change."""
        match self.kind:
            case ClaimKind.DIRECTION:
                return drug == self.subject
            case ClaimKind.EFFECT:
                return drug in (self.subject, self.what)
        return False

    def __str__(self) -> str:
        match self.kind:
            case ClaimKind.DIRECTION:
                verb = "raises" if self.direction is ClaimedDirection.UP else "lowers"
                return f"{self.subject} {verb} {self.what}"
            case ClaimKind.TARGET:
                return f"{self.subject} acts on {self.what}"
            case ClaimKind.EFFECT:
                return f"{self.subject} {_RELATIONS[self.relation]} {self.what}"
        return f"{self.subject}: {self.what}"


_RELATIONS = {
    ExpectedDirection.SAME: "acts like",
    ExpectedDirection.OPPOSITE: "acts opposite to",
    ExpectedDirection.PARTIAL: "acts in part like",
    None: "is compared with",
}


class ReasonFields(Protocol):
    """The fields of a structured reason that hold claims; any record that has them will do."""

    @property
    def shared_targets(self) -> Sequence[str]:
        """Targets that query and neighbour are said to share."""
        ...

    @property
    def shared_pathway(self) -> str:
        """The pathway or programme that they are said to share."""
        ...

    @property
    def expected_direction(self) -> ExpectedDirection | None:
        """How the neighbour's effect is expected to relate to the query's."""
        ...

    @property
    def why_in_line(self) -> str:
        """Why the two should act alike in the cell line, in words."""
        ...


@dataclass(frozen=True, slots=True)
class StatedReason:
    """A reason as a selector gave it: why ``neighbor`` should act like ``query``."""

    query: str
    neighbor: str
    text: str
    fields: ReasonFields | None = None
