"""Direction claims in prose: "lowers DUSP6 and SPRY2/4" says that expression falls.

A gene list counts beside a word of direction, with nothing but a kind of gene between
(``inducing p53 targets CDKN1A and MDM2``). What is said of a protein is no claim about expression:
its activity, signalling, phosphorylation or targets, and the loss of a drug's own target.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lgr_core.audit.claims import Claim, ClaimedDirection, ClaimKind, StatedReason
from lgr_core.audit.lexicon import CLASHING, GENE_LIST, SYMBOLS, drug_words, split_symbols

_UP_VERB = (
    r"(?:induc|rais|elevat|increas|upregulat|up-regulat|derepress|boost|lift)"
    r"(?:e|es|ing|ed|s)?"
)
_DOWN_VERB = (
    r"(?:lower|reduc|decreas|downregulat|down-regulat|suppress|repress|diminish|trim|dampen)"
    r"(?:e|es|ing|ed|s|ming|med)?"
)
_UP_NOUN = (
    r"(?:induction|inducer|upregulation|up-regulation|increases?|rises?|elevation|derepression)"
)
_DOWN_NOUN = (
    r"(?:loss|repression|suppression|reduction|downregulation|down-regulation|decreases?|decline"
    r"|falls?|drops?|lowering)"
)
_UP_STATE = rf"(?:rising|up|{_UP_VERB}|{_UP_NOUN})"
_DOWN_STATE = rf"(?:falling|declining|down|lost|{_DOWN_VERB}|{_DOWN_NOUN})"
_DEGREE = r"(?:(?:mild|modest|slight|weak|strong|moderate|partial|clear)(?:ly)? )?"
_OF_RNA = r"(?:(?:gene|mRNA|transcript|expression) )?"
_KIND = (
    r"(?:(?!(?:through|via|by|in|on|as|that|which|with|and|of|without)\b)[\w\u2013/'-]+ ){0,4}"
    r"(?:targets|genes|transcripts|outputs?|markers|enzymes|factors|programmes?|response|axis)"
    r"(?: such as| including| like)?,? ?[(:]? ?"
)
_GAP = rf"(?:{_KIND}|(?:[\w-]+ly |the |its |both |basal |identical |hepatic |same ){{0,2}})"
_CHANGES = tuple(
    (direction, re.compile(rf"(?<![\w/-])(?i:{before})(?P<genes>{genes}){after}"))
    for direction, verb, noun, state in (
        (ClaimedDirection.UP, _UP_VERB, _UP_NOUN, _UP_STATE),
        (ClaimedDirection.DOWN, _DOWN_VERB, _DOWN_NOUN, _DOWN_STATE),
    )
    for before, genes, after in (
        (rf"(?:{verb}|{noun} of) {_GAP}", GENE_LIST, ""),
        (rf"{noun} ?\(", GENE_LIST, ""),
        (
            "",
            GENE_LIST,
            rf" {_DEGREE}{_OF_RNA}(?P<state>{state})(?![\w-])",
        ),
        ("", SYMBOLS, rf"-{verb}(?= )"),
    )
)
_PROTEIN = re.compile(
    r"(?: and \S+ (?:activity|signalling|phosphorylation|proteins?)\b)"
    r"|[ \u2013-](?:signal\w*|activ\w+|phosphor\w+|outputs?|pathways?|proteins?|targets?"
    r"|genes?|program\w*|responses?|ax[ie]s|kinases?|inhibit\w*|block\w*|stabili[sz]\w+|degrad\w+"
    r"|stress|inputs?|branch\w*|feedback|functions?|nuclear|driven|dependen\w+|translation|family"
    r"|levels? of protein|enzym\w+|sub-?units?|iron|trapping|poison\w*|receptor\w*|agonis\w+)"
)
_EXPRESSION = re.compile(r" (?:transcripts?|mRNA|expression|upregulation|downregulation)\b")
_ITEMS = re.compile(r", and |, | and | plus ")
_LONG = 3
"""Items from which a list names genes by themselves, whatever follows its last."""
_DENIED = re.compile(
    r"\b(?:not|no|without|lack\w*|rather than|instead of|unlike|fail\w*|nor|neither|if)\b[^,;]*$"
    r"|\b(?:block|prevent|oppos|blunt|revers|counter|limit|abolish|antagoni[sz])(?:e?s|ing|ed)?"
    r" (?:the |its )?$",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:resembl\w+|match\w*|overlap\w*|parallel\w*|mimic\w*|like|as|akin to|similar to"
    r"|comparable to|adjacent to) (?!(?:the )?same )[\w\u2019'/-]+ "
)
_GIVEN = re.compile(r"\b(?:by|despite|given) $")
"""What stands before a state of the cell line, such as a lost tumour suppressor."""
_OF_ANOTHER = re.compile(r"^ (?:caused |seen |produced |found )(?:by|under|with|in|after)\b")
_CLAUSE = re.compile(r"[,;:.]\s|[,;] | while | whereas ")
_LIKENESS = re.compile(r"\b(?:like|unlike|than|to|alike|resembl\w+|beyond) $", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DirectionReader:
    """Reads direction claims; a word is a gene if it is one of ``symbols``."""

    symbols: Collection[str]

    def read(self, reason: StatedReason, targets: Collection[str]) -> Iterator[Claim]:
        """The direction claims of a reason, in the order of the patterns; none twice.

        ``targets`` are the annotated targets of query and neighbour: their loss is the drug's
        effect on a protein.
        """
        seen: set[tuple[str, str]] = set()
        for direction, pattern in _CHANGES:
            for match in pattern.finditer(reason.text):
                subject = _subject(reason, match)
                for gene in self._genes(match, direction, targets):
                    if subject is not None and (subject, gene) not in seen:
                        seen.add((subject, gene))
                        quote = match.group().strip()
                        yield Claim(
                            ClaimKind.DIRECTION, subject, gene, direction=direction, quote=quote
                        )

    def _genes(
        self, match: re.Match[str], direction: ClaimedDirection, targets: Collection[str]
    ) -> Iterator[str]:
        """The known genes of a match, without those that stand for a protein."""
        listed = match["genes"]
        symbols = split_symbols(listed)
        if "state" in match.groupdict() and symbols[-1] not in self.symbols:
            return  # "CDKN1A, MDM2 and E2F loss": only the last is lost
        protein = _meant_as_protein(match, symbols)
        expressed = _EXPRESSION.match(match.string, match.end("genes"))
        for symbol in symbols:
            own_target = direction is ClaimedDirection.DOWN and symbol in targets
            abbreviation = symbol in CLASHING and not expressed
            if symbol in self.symbols and not (symbol in protein or own_target or abbreviation):
                yield symbol


def _meant_as_protein(match: re.Match[str], symbols: tuple[str, ...]) -> Collection[str]:
    """The symbols whose activity, targets or protein the list speaks of: its last, or both of two.

    ``HMOX1, GDF15 and ATF4 targets`` are HMOX1, GDF15, and targets; ``ATF4 and CHOP targets``
    are targets alone.
    """
    if not _PROTEIN.match(match.string, match.end("genes")):
        return ()
    items = _ITEMS.split(match["genes"])
    return symbols if len(items) < _LONG else split_symbols(items[-1])


def _subject(reason: StatedReason, match: re.Match[str]) -> str | None:
    """The drug whose change is meant; None where it is denied or another's."""
    text = match.string
    before = _CLAUSE.split(text[: match.start()])[-1]
    after = text[match.end() :]
    if _DENIED.search(before) or _GIVEN.search(before):
        return None
    query = drug_words([reason.query])
    if _OF_ANOTHER.match(after):
        return reason.query if query.match(after.split(maxsplit=2)[-1]) else None
    named = query.search(before)
    if named:
        owner = before.startswith("'s", named.end())
        if owner or not _LIKENESS.search(before[: named.start()]):
            return reason.query
    return None if _COMPARED.search(before) else reason.neighbor
