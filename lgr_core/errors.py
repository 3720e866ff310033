"""The exception hierarchy.

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

Every message says what was asked, what was found and what to do. What a caller decides by is a
field (the nearest names, the readings of an ambiguous one, the option concerned, the remedy): no
caller reads a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any, Self

from lgr_core.nearest import nearest
from lgr_core.remedies import Option, Remedy

FEW = 12
"""Names that are so few are all listed where none is near."""

LISTED = "Choose one that is listed there."


class LgrError(Exception):
    """Root of the tree: ``asked``, ``found`` and ``do`` make one message.

    ``option`` is the option that was asked for, ``remedy`` what mends the request; both are None
    where the message is all there is to say.
    """

    exit_code = 1

    def __init__(self, asked: str | Option, found: str, do: str | Remedy) -> None:
        self.asked, self.found, self.do = str(asked), found, str(do)
        self.option = asked if isinstance(asked, Option) else None
        self.remedy = do if isinstance(do, Remedy) else None
        super().__init__(f"{self.asked}: {found}. {self.do}")

    @property
    def role(self) -> str:
        """The role of the column concerned; empty where none is."""
        said = (part.role for part in (self.option, self.remedy) if part is not None)
        return next(filter(None, said), "")

    def reworded(self, words: Callable[[str], str]) -> Self:
        """A copy without traceback, every part of whose message has passed through ``words``."""
        said = copy(self).with_traceback(None)
        said.__cause__ = said.__context__ = None  # their frames would hold what the caller held
        said.asked, said.found, said.do = map(words, (self.asked, self.found, self.do))
        said.args = (f"{said.asked}: {said.found}. {said.do}",)
        return said

    def __reduce__(self) -> tuple[type[LgrError], tuple[Any, ...], dict[str, Any]]:
        return type(self), (self.asked, self.found, self.do), dict(vars(self))


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
    """A name matches several candidates equally well; ``candidates`` and the message name them."""

    def __init__(
        self,
        asked: str | Option,
        found: str,
        do: str | Remedy,
        *,
        candidates: Sequence[str] = (),
    ) -> None:
        super().__init__(asked, found, do)
        self.candidates = tuple(candidates)


class NotCountsError(InputError):
    """Raw counts were asked for; negative, fractional or missing values were found."""


class SchemaError(InputError):
    """A store was written by another version; the message holds the command that rebuilds it."""


class NotFoundError(LgrError):
    """No such name; ``nearest`` are suggestions, the likeliest first."""

    exit_code = 4

    def __init__(
        self, asked: str | Option, found: str, do: str | Remedy, *, nearest: Sequence[str] = ()
    ) -> None:
        super().__init__(asked, found, do)
        self.nearest = tuple(nearest)


class EmptyPoolError(NotFoundError):
    """No other drug is measured in that cell line at that dose."""


class NotSeparableError(NotFoundError):
    """A condition's own effect cannot be told from that of its plate."""


class ServiceError(LgrError):
    """A service outside this process failed."""

    exit_code = 5


class AccessError(ServiceError):
    """The service refuses the key, the account or the model: no further request fares better."""


class BadReplyError(ServiceError):
    """The answer cannot be used.

    ``raw`` is its text as it came, for the log, with secrets blotted out; ``usage`` is what the
    service says it used, None where it does not say.
    """

    def __init__(
        self, asked: str, found: str, do: str, raw: str = "", usage: object | None = None
    ) -> None:
        super().__init__(asked, found, do)
        self.raw, self.usage = raw, usage


class NoAnswerError(ServiceError):
    """The answer came too late or was cut off; whether the service charges for it is unknown."""


class StoppedError(ServiceError):
    """The user stopped before the request was sent; nothing was charged for it."""

    exit_code = 130


class LeakageError(LgrError):
    """A predictor asked for data that its declared evidence does not cover."""


def unknown(
    kind: str,
    name: str,
    known: Iterable[str],
    where: str,
    *,
    near: Sequence[str] | None = None,
    listing: str | Remedy | None = None,
) -> NotFoundError:
    """The error for an unknown name, with the nearest known names.

    Parameters
    ----------
    kind, name, known, where
        What was asked for, and the names of the place that was searched.
    near
        The names to offer, by a rule of their own; otherwise those of
        :func:`~lgr_core.nearest.nearest`.
    listing
        How the names are listed, said where none is near; a few are listed at once.
    """
    names = list(known)
    near = nearest(name, names) if near is None else near
    found = f"{where} has no such {kind} among its {len(names):,}"
    if near:
        return NotFoundError(
            f"{kind} {name!r}", found, f"Nearest: {', '.join(near)}.", nearest=near
        )
    if 0 < len(names) <= FEW:
        listing = f"Choose one of: {', '.join(names)}."
    return NotFoundError(f"{kind} {name!r}", found, LISTED if listing is None else listing)
