"""Mechanism and target claims in prose: "Covalent EGFR inhibitor" says what a drug acts on.

Only what is said of the neighbour itself counts: the first clause, up to where a comparison begins
(``resembling MEK inhibition`` is about another drug).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from lgr_core.audit.claims import Claim, ClaimKind, StatedReason
from lgr_core.audit.lexicon import CLASHING, drug_words
from lgr_core.drugs.mechanisms import MechanismAnnotations

_DENIED = re.compile(
    r"\b(?:not|no|non|unlike|than|without)(?:\s+an?|\s+the)?[\s-]*$", re.IGNORECASE
)
_OTHER_KIND = re.compile(
    r"\b(?:bacteri|prokaryot)[\w-]* [\w-]+(?: inhibitors?)?$"
    r"|\bmitochondrial translation inhibitors?$",
    re.IGNORECASE,
)
"""What acts on bacteria or mitochondria only, and is named like a mechanism of the cell."""
_COMPARISON = re.compile(
    r"[,;:]|\b(?:that|which|whose|as|like|unlike|than|while|whereas|both|near|beside|towards?|along"
    r"|match\w*|resembl\w*|overlap\w*|shar\w+|similar|adjacent|analogue|counterpart|akin|close\w*"
    r"|parallel\w*|mimic\w*|approach\w*|meet\w*|reach\w*|partly|relative|neighbour\w*|neighbor\w*"
    r"|approximat\w*|mirror\w*|aligned|synerg\w+|seen|induced by|programme|program|reported"
    r"|comparable|analogous|related|in line with|converg\w*|acts? on|downstream|upstream"
    r"|beneath|below|above|instead|versus|vs)\b",
    re.IGNORECASE,
)
_ACTS = (
    r"(?:inhibit(?:or|ion)s?|antagonis[tm]s?|agonis[tm]s?|block(?:er|ade)?s?|degraders?|poisons?)"
)
_ACTING = r"(?:(?:inhibit|block|bind|antagoni[sz]|degrad)(?:s|ing|es)|targeting)"


def mechanisms_named(book: MechanismAnnotations, text: str) -> tuple[str, ...]:
    """The tags whose terms stand in a text as words of their own, but for those it denies.

    ``unlike MEK inhibitors`` names none. A term inside a longer one that is named too does not
    count: ``HDAC inhibitor`` in ``class I HDAC inhibitor``, where both are known.
    """
    found = [
        (match.start(), match.end(), tag)
        for tag in book.mechanisms
        for match in _term(book.mechanisms[tag].terms.pattern).finditer(text)
        if not _DENIED.search(text[: match.start()]) and not _OTHER_KIND.search(text[: match.end()])
    ]
    outer = [
        tag
        for start, end, tag in found
        if not any(s <= start and end <= e and e - s > end - start for s, e, _ in found)
    ]
    return tuple(dict.fromkeys(outer))


def own_words(reason: StatedReason) -> str:
    """The beginning of a reason that is about the neighbour alone: up to a comparison or the query.

    A word of comparison that opens the sentence ends nothing. Empty where the neighbour is named
    later on: then the beginning is about another drug.
    """
    ends = [m.start() for m in _COMPARISON.finditer(reason.text) if m.start()]
    neighbor = drug_words([reason.neighbor])
    query = drug_words([reason.query]).search(reason.text)
    if query and not neighbor.fullmatch(query.group()):
        ends.append(query.start())
    end = min(ends, default=len(reason.text))
    return "" if neighbor.search(reason.text, end) else reason.text[:end]


def read_mechanisms(
    reason: StatedReason, book: MechanismAnnotations, symbols: Collection[str]
) -> Iterator[Claim]:
    """The mechanisms, then the targets that a reason says the neighbour has.

    A target beside a word of action (``inhibits EGFR``, ``EGFR blocker``) counts where ``symbols``
    know it as a gene.
    """
    words = own_words(reason)
    for tag in mechanisms_named(book, words):
        yield Claim(ClaimKind.MECHANISM, reason.neighbor, tag, quote=words.strip())
    for match in _ACTED_ON.finditer(words):
        gene = match["before"] or match["after"]
        denied = _DENIED.search(words[: match.start()])
        if gene in symbols and gene not in CLASHING and not denied:
            yield Claim(ClaimKind.TARGET, reason.neighbor, gene, quote=match.group())


_ACTED_ON = re.compile(
    rf"(?<![\w/\u2013-])(?P<before>[A-Z][A-Z0-9]+) (?:kinase )?{_ACTS}(?!\w)"
    rf"|(?<!\w)(?i:{_ACTING}) (?:the |wild-type )?(?P<after>[A-Z][A-Z0-9]+)(?![\w/\u2013-])"
    r"(?! (?:signal|traffic|output|pathway|target|gene))"
)


@lru_cache(maxsize=1024)
def _term(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
