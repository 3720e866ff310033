"""What a reason says of a drug's mechanism, held against what is annotated."""

from __future__ import annotations

import re
from functools import lru_cache

from lgr_core.drugs.mechanisms import Annotation, MechanismAnnotations

_DENIED = re.compile(
    r"\b(?:not|no|non|unlike|than|without)(?:\s+an?|\s+the)?[\s-]*$", re.IGNORECASE
)


def mechanisms_named(book: MechanismAnnotations, text: str) -> tuple[str, ...]:
    """The tags whose terms stand in a text as words of their own, but for those it denies.

    ``unlike MEK inhibitors`` names none. A term inside a longer one that is named too does not
    count: ``HDAC inhibitor`` in ``class I HDAC inhibitor``, where both are known.
    """
    found = [
        (match.start(), match.end(), tag)
        for tag in book.mechanisms
        for match in _term(book.mechanisms[tag].terms.pattern).finditer(text)
        if not _DENIED.search(text[: match.start()])
    ]
    outer = [
        tag
        for start, end, tag in found
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in found)
    ]
    return tuple(dict.fromkeys(outer))


def contradicts(book: MechanismAnnotations, reason: str, annotation: Annotation) -> tuple[str, ...]:
    """The mechanisms that a reason names though none of them is near the drug's annotated ones.

    Near is a shared tag or a shared programme. Empty where the drug has no annotation, or the
    reason names no known mechanism: then nothing can be said.
    """
    named = mechanisms_named(book, reason)
    if not (annotation.tags and named):
        return ()
    programmes = set(book.programmes(annotation.tags))
    if set(named) & set(annotation.tags) or programmes & set(book.programmes(named)):
        return ()
    return named


@lru_cache(maxsize=1024)
def _term(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
