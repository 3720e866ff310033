"""The key that all ways to write one compound share: isomers, labelled and repeated ones too.

Looser than any reading: ``(S)-X``, ``d3-X``, ``Sodium X-ate`` and ``X_rep2`` are no answer to who
asks for X, but each is its twin and no neighbour of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lgr_core.drugs.normalise import fold
from lgr_core.drugs.salts import is_only_form, strip_form

_LOOK_ALIKES = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d",
    "abekmhopctyxsijhldqw",
)
"""Cyrillic letters that print like Latin ones."""

_NOUNS = (
    "agent coenzyme compound control cpd cmpd dmso drug factor inhibitor ligand molecule pert "
    "perturbation plate prostaglandin sample stock treatment vehicle vitamin well"
)
"""Nouns that need a letter or number to name anything: vitamin K is no salt of vitamin."""

_CENTRES = r"\d*[a-z]?[rsez]\*?(?:[,.]\d*[a-z]?[rsez]\*?)*"
_SIGN = rf"(?:±|\+/-|\+-|[+-]|rac|meso|rs|sr|dl|[dl]|cis|trans|{_CENTRES})"
_ISOTOPE = r"(?:2h|3h|11c|13c|14c|15n|18f|18o|35s)\d{0,2}"
_CATION = "(?:sodium|potassium|calcium|magnesium|lithium|ammonium)"
_GAP = r"[-\s._,]"
_BARE_SIGN = (
    r"±|\+/-|\+|rac|racemic|meso|dl|[dlrs]|\d[rs](?:,\d[rs])*|(?:(?:all|\d+)-)?(?:cis|trans)"
)
_REPEAT = "replicate|repeat|rep|batch|lot|run|plate|duplicate|dup|aliquot|stock"
_ISOMER = r"racemate|racemic(?: mixture)?|(?:stereo)?isomers?|enantiomers?|diastereo(?:iso)?mers?"

_CUTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^[\s\"*†‡#^]+|[\s\"*†‡#^,;:]+$",
        rf"^[(\[.]+{_SIGN}[)\].]+{_GAP}*(?=.)",
        rf"^(?:{_BARE_SIGN}){_GAP}+(?=[(\[]|[a-z]{{2}})",
        rf"^[(\[]?d[1-9]\d?[)\]]?{_GAP}+(?=[(\[]?[a-z]{{2}})",
        rf"^(?:[(\[]{_ISOTOPE}(?:,{_ISOTOPE})*[)\]]{_GAP}*|{_ISOTOPE}{_GAP}+)(?=[a-z]{{2}})",
        rf"^(?:deuterated|deuterio|deutero){_GAP}+",
        rf"{_GAP}*[(\[.]+{_SIGN}[)\].]+-?$",
        rf"[-\s._,(\[]+(?:[(\[]?[rsez+±-][)\]]?[-\s]+)?(?:{_ISOMER})[)\]]*$",
        rf"[-\s._,#(\[]+(?:{_REPEAT})(?:[-\s._#:]*[a-z]?\d+[a-z]?|[-\s._#:]+[a-z])?[)\]]*$",
        rf"(?<!vitamin)(?<!glandin)(?<!resolvin)(?<!protectin){_GAP}+[(\[]?d[1-9]\d?[)\]]?$",
        rf"{_GAP}+[(\[]?(?:2h|13c|15n|18o)\d\d?(?:[,\s-]*(?:2h|13c|15n|18o)\d\d?)*[)\]]?$",
    )
)
"""What comes off either end of a name and leaves the same compound."""

_SALT_CUTS = (
    re.compile(rf"^(?:mono|di|tri|hemi)?{_CATION}{_GAP}+(?=.)"),
    re.compile(
        r"(?:[\s._,+*(\[]+|-(?=na\b))(?:\d|di|tri)?(?:na|li|ca|cl|br|h?\d?so4|hno3)\d?[)\]]?$"
    ),
)
"""What comes off only if it leaves the name of a drug, not just another ion."""

_TIMES = re.compile(r"(.+\w)\s+x\s+(\S+)")
_INNER_SIGN = re.compile(r"(?<=[a-z)])-(?:dl|[dl])-(?=[a-z]{2})")
_ESCAPED_START = re.compile(r"^x(?=[.\d])")
_ISOMER_STEM = re.compile(r"^(?:levo|dextro|dex|es|ar(?=formoterol|modafinil))(?=[a-z]{6})")
_ACID = re.compile(r"(?<=[a-z])ic[\s._-]+acid$")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)(?:[^\w']|_)+(?=\d)")
_PUNCTUATION = re.compile(r"(?!(?<=\d)-(?=\d))(?:[^\w']|_)")


def compound_key(name: str) -> str:
    """One key for the names of one compound, whatever signs stand in them.

    Isomers, isotopes, salts and repeats are one; so are an acid and its anion (``valproic acid``,
    ``valproate``). Between two digits a sign still tells names apart. Empty only for an empty name.
    """
    base = _ISOMER_STEM.sub("", _INNER_SIGN.sub("-", strip_variant(name)))
    base = _THOUSANDS.sub("", _ACID.sub("ate", base))
    return _PUNCTUATION.sub("", _BETWEEN_DIGITS.sub("-", base)) or base


@lru_cache(maxsize=16384)
def strip_variant(name: str) -> str:
    """The folded name without form, cation, isomer, isotope, number of a repeat, and marks."""
    text = fold(name).translate(_LOOK_ALIKES)
    text = text[1:-1] if len(text) > len("''") and text[0] == text[-1] == "'" else text
    before = None
    while text != before:
        before = text
        text = strip_form(_without_times(_ESCAPED_START.sub("", text)))
        for cut in _CUTS:
            text = _kept(cut.sub("", text), text)
        for cut in _SALT_CUTS:
            shorter = _kept(cut.sub("", text), text)
            text = text if is_only_form(shorter) else shorter
    return text


def _kept(shorter: str, text: str) -> str:
    """The shorter text, or the whole one where nothing that names a drug would be left."""
    left = "".join(sign for sign in shorter if sign.isalnum())
    return shorter if left and left not in _NOUNS.split() else text


def _without_times(text: str) -> str:
    """The drug of ``drug x hcl``; of ``compound x hcl``, compound x."""
    match = _TIMES.fullmatch(text)
    if match is None:
        return text
    drug, form = match.groups()
    is_form = strip_form(f"{drug} {form}") == strip_form(drug)
    return _kept(drug, text) if is_form else text
