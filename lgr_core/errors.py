"""Everything that can go wrong, in one tree.

::

    LgrError
    ├── UsageError           the request itself makes no sense           (exit 2)
    │   ├── NoKeyError       a language model was asked for without a key
    │   └── BudgetError      the next question would overrun its budget  (exit 6)
    ├── InputError           a file or value was refused                 (exit 3)
    │   ├── AmbiguousError   it can be read in two ways: say which
    │   ├── NotCountsError   raw counts were asked for, other values found
    │   └── SchemaError      a store of another schema version
    ├── NotFoundError        unknown atlas, drug, line, dose or gene     (exit 4)
    │   └── EmptyPoolError   nothing measured that could be retrieved
    ├── ServiceError         an outside service failed                   (exit 5)
    │   ├── AccessError      key, account or model refused: asking again will not help
    │   ├── BadReplyError    an answer came that cannot be used; it holds the raw text
    │   ├── NoAnswerError    sent, but late or cut off; it may be charged all the same
    │   └── StoppedError     stopped by the user before it was sent      (exit 130)
    └── LeakageError         a predictor read what its evidence forbids  (exit 1)

Every message says what was asked, what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rapidfuzz import process

NEAR = 50
"""Similarity in percent from which a name is worth offering."""


class LgrError(Exception):
    """Root of the tree: ``asked``, ``found`` and ``do`` make one message."""

    exit_code = 1

    def __init__(self, asked: str, found: str, do: str) -> None:
        self.asked, self.found, self.do = asked, found, do
        super().__init__(f"{asked}: {found}. {do}")

    def __reduce__(self) -> tuple[type[LgrError], tuple[Any, ...]]:
        return type(self), (self.asked, self.found, self.do)


class UsageError(LgrError):
    """The request contradicts itself or names an option that does not exist."""

    exit_code = 2


class NoKeyError(UsageError):
    """A language model service needs a key, and none was given."""


class BudgetError(UsageError):
    """The next request would overrun its budget; it was not sent."""

    exit_code = 6


class InputError(LgrError):
    """A file or a value was read and refused; nothing was changed."""

    exit_code = 3


class AmbiguousError(InputError):
    """Two readings are equally good; the message names both."""


class NotCountsError(InputError):
    """Raw counts were asked for; negative, fractional or missing values were found."""


class SchemaError(InputError):
    """A store was written by another version; the message holds the command that rebuilds it."""


class NotFoundError(LgrError):
    """A name that nothing answers to; the nearest names are offered."""

    exit_code = 4


class EmptyPoolError(NotFoundError):
    """No other drug is measured in that cell line at that dose."""


class ServiceError(LgrError):
    """A service outside this process failed."""

    exit_code = 5


class AccessError(ServiceError):
    """The service refuses the key, the account or the model: no further request fares better."""


class BadReplyError(ServiceError):
    """An answer came that cannot be used.

    ``raw`` is its text as it came, for the log, with secrets blotted out; ``usage`` is what the
    service says it used, None where it does not say.
    """

    def __init__(
        self, asked: str, found: str, do: str, raw: str = "", usage: object | None = None
    ) -> None:
        super().__init__(asked, found, do)
        self.raw, self.usage = raw, usage

    def __reduce__(self) -> tuple[type[LgrError], tuple[Any, ...]]:
        return type(self), (self.asked, self.found, self.do, self.raw, self.usage)


class NoAnswerError(ServiceError):
    """The answer came too late or was cut off; whether the service charges for it is unknown."""


class StoppedError(ServiceError):
    """The user stopped before the request was sent; nothing was charged for it."""

    exit_code = 130


class LeakageError(LgrError):
    """A predictor asked for data that its declared evidence does not cover."""


def unknown(kind: str, name: str, known: Iterable[str], where: str) -> NotFoundError:
    """The error for a name that is not there, with the three nearest that are."""
    names = list(known)
    near = [hit for hit, score, _ in process.extract(name, names, limit=3) if score >= NEAR]
    found = f"{where} has no such {kind} among its {len(names):,}"
    do = f"Nearest: {', '.join(near)}." if near else "Choose one that is listed there."
    return NotFoundError(f"{kind} {name!r}", found, do)
