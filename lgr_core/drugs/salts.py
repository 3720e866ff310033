"""The form a drug comes in (salt, hydrate, solvate) and the name without it.

Only words of a known vocabulary are taken off, in brackets or bare, from the end of a name; an
ester or conjugate that merely ends in such a word is another compound and keeps it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lgr_core.drugs.normalise import fold

_SALTS = (
    "acetate adipate ammonium arginine ascorbate benzathine benzoate besylate bromide calcium "
    "camsylate carbonate chloride citrate diolamine edisylate erbumine esylate formate fumarate "
    "gluceptate gluconate glucuronate hyclate hydrobromide hydrochloride hydroiodide iodide "
    "isethionate lactate lactobionate lithium lysine magnesium malate maleate meglumine mesylate "
    "methylsulfate napsylate nitrate olamine orotate oxalate pamoate phosphate potassium sodium "
    "stearate succinate sulfate tartrate tosylate trifluoroacetate tromethamine xinafoate"
)
_SOLVATES = "dmso ethanolate hydrate methanolate propanediol solvate"
_SPELLINGS = {
    "1,2-propanediol": "propanediol",
    "2,2,2-trifluoroacetate": "trifluoroacetate",
    "benzenesulfonate": "besylate",
    "besilate": "besylate",
    "bisulfate": "sulfate",
    "bitartrate": "tartrate",
    "dmso_tf": "dmso",
    "embonate": "pamoate",
    "ethanesulfonate": "esylate",
    "h2o": "hydrate",
    "hbr": "hydrobromide",
    "hcl": "hydrochloride",
    "hydrogensulfate": "sulfate",
    "isetionate": "isethionate",
    "mesilate": "mesylate",
    "methanesulfonate": "mesylate",
    "metilsulfate": "methylsulfate",
    "sulphate": "sulfate",
    "tfa": "trifluoroacetate",
    "toluenesulfonate": "tosylate",
    "tosilate": "tosylate",
    "trometamol": "tromethamine",
}
_FORMS = {word: word for word in f"{_SALTS} {_SOLVATES}".split()} | _SPELLINGS | {"anhydrous": ""}

_PAIRS = {
    "citric acid": "citrate",
    "formic acid": "formate",
    "free acid": "",
    "free base": "",
    "fumaric acid": "fumarate",
    "hydrobromic acid": "hydrobromide",
    "hydrochloric acid": "hydrochloride",
    "malic acid": "malate",
    "maleic acid": "maleate",
    "methanesulfonic acid": "mesylate",
    "nitric acid": "nitrate",
    "oxalic acid": "oxalate",
    "propylene glycol": "propanediol",
    "succinic acid": "succinate",
    "sulfuric acid": "sulfate",
    "tartaric acid": "tartrate",
    "toluenesulfonic acid": "tosylate",
    "trifluoroacetic acid": "trifluoroacetate",
} | {f"{solvent} solvate": "solvate" for solvent in ("acetone", "ethanol", "methanol", "dmf")}

_NO_ESTERS = (
    "besylate calcium esylate hydrate hydrobromide hydrochloride hydroiodide maleate mesylate "
    "potassium sodium tartrate tosylate trifluoroacetate"
)
"""Forms that come off behind a sign, too (``imatinib-mesylate``): no ester is written so."""

_ENDINGS = frozenset(words[-3:] for words in (*_FORMS, *_PAIRS))
"""The last letters of every form: most names are done after one look at theirs."""

_RADICALS = (
    "aluminium aluminum antimony arsenic barium benzyl butyl cadmium choline cobalt copper cupric "
    "diammonium diethyl dimethyl dipotassium disodium diroximel ethyl ethylene ferric ferrous gold "
    "hydrogen iron isopropyl lanthanum lead manganese mercuric mercury methyl methylene monomethyl "
    "monosodium nickel phenyl platinum propyl propylene silver strontium trisodium vinyl zinc"
)
_NO_DRUG = frozenset(_FORMS) | frozenset(_RADICALS.split())
"""Words that name no drug when they are all that is left: sodium citrate stays whole."""

_ESTERS_OF = {
    "acetate": "abiraterone chlormadinone cortisone cyproterone dexamethasone fludrocortisone "
    "hydrocortisone medroxyprogesterone megestrol methylprednisolone nomegestrol norethindrone "
    "norethisterone prednisolone prednisone retinol testosterone tocopherol ulipristal",
    "benzoate": "estradiol",
    "citrate": "ixazomib",
    "diacetate": "ethynodiol menadiol triamcinolone",
    "diphosphate": "adenosine cytidine guanosine thymidine uridine",
    "phosphate": "adenosine betamethasone clindamycin dexamethasone estramustine fludarabine "
    "prednisolone pyridoxal tedizolid",
    "succinate": "chloramphenicol hydrocortisone methylprednisolone prednisolone tocopherol",
    "sulfate": "dehydroepiandrosterone dhea estrone pregnenolone",
}
_ESTERS = frozenset(
    f"{drug} {ester}" for ester, drugs in _ESTERS_OF.items() for drug in drugs.split()
)
"""Compounds of their own, though their last word could be a salt."""

_NEVER = frozenset(
    "dinitrate monophosphate mononitrate tetrachloride triacetate trinitrate triphosphate".split()  # noqa: SIM905
)
_STEREO = re.compile(r"^(?:\(?(?:[±+-]|[0-9]*[rs]|dl|d|l|p)\)?-)+(?=.)")
_COUNT = re.compile(r"^(?:[0-9]+|[xn])(?=h(?:cl|br|2o|ydr))")
_GLUED = re.compile(r"(.{3,})[-._/+*]([^-._/+* ()]+)")
_ACID = re.compile(r"(.*\w{3,})(hcl|hbr)")
_MULTIPLE = re.compile(
    r"^(?:hemi|sesqui|mono|di|bis|tri|tris|tetra|penta|hexa|hepta|octa|nona|deca)+(?=.{3})"
)


class DrugForm(NamedTuple):
    """A folded name without its form, and the words of the form (``hydrochloride``)."""

    base: str
    words: frozenset[str]


def strip_form(name: str) -> str:
    """The folded name without salt, hydrate or solvate.

    ``Tofacitinib (citrate)`` is ``tofacitinib``. Stereo descriptors stay; a leading cation
    (``Sodium Salicylate``) is left to the structure. Empty only for an empty name.
    """
    return split_form(name).base


@lru_cache(maxsize=16384)
def split_form(name: str) -> DrugForm:
    """The name in two: what it is, and the form it comes in."""
    base, words = fold(name), set()
    while base not in _ESTERS and (cut := _bracketed(base) or _bare(base) or _glued(base)):
        base, found = cut
        words |= found
    return DrugForm(base, frozenset(words))


def is_only_form(folded: str) -> bool:
    """Whether a folded name holds nothing but words of forms: it names no drug."""
    return _NO_DRUG.issuperset(folded.split())


def bracket(name: str) -> tuple[str, str]:
    """A folded name before its closing bracket, and what the bracket holds; empty if there is none.

    ``cerdulatinib (prt062070, prt2070)`` gives ``cerdulatinib`` and ``prt062070, prt2070``.
    """
    if not name.endswith((")", "]")):
        return name, ""
    depth = 0
    for i in range(len(name) - 1, -1, -1):
        depth += (name[i] in ")]") - (name[i] in "([")
        if depth == 0:
            return name[:i].rstrip(" ,;-"), name[i + 1 : -1].strip()
    return name, ""


def _bracketed(name: str) -> tuple[str, set[str]] | None:
    outer, inner = bracket(name)
    if not (outer and inner):
        return None
    tokens = inner.replace(", ", " ").split()
    words: set[str] = set()
    while tokens and (cut := _last_form(tokens)):
        count, word = cut
        tokens = tokens[:-count]
        words |= {word} - {""}
    return None if tokens else (outer, words)


def _bare(name: str) -> tuple[str, set[str]] | None:
    tokens = name.split()
    cut = _last_form(tokens)
    if cut is None:
        return None
    count, word = cut
    return _without(" ".join(tokens[:-count]), word)


def _glued(name: str) -> tuple[str, set[str]] | None:
    """The cut of ``foo-hcl``, ``foo.2hcl``, ``foo_mesylate`` and ``foohcl``."""
    if name[-3:] not in _ENDINGS:
        return None
    if behind_sign := _GLUED.fullmatch(name):
        rest, word = behind_sign[1], _form_word(behind_sign[2])
        if word in _NO_ESTERS.split():
            return _without(rest, word)
    acid = _ACID.fullmatch(name)
    return _without(acid[1], _FORMS[acid[2]]) if acid else None


def _without(rest: str, word: str) -> tuple[str, set[str]] | None:
    """What is left of a name beside its form; None if that names no drug."""
    rest = rest.rstrip(" ,;-+.*")
    if is_only_form(rest):
        return None
    return rest, {word} - {""}


def _last_form(tokens: list[str]) -> tuple[int, str] | None:
    """How many tokens at the end name one form, and its word; None if they name none."""
    salt = len(tokens) > 1 and tokens[-1] == "salt"
    rest = tokens[:-1] if salt else tokens
    if not rest or rest[-1].rstrip(",;")[-3:] not in _ENDINGS:
        return None
    pair = " ".join(_STEREO.sub("", token) for token in rest[-2:])
    word = _PAIRS[pair] if pair in _PAIRS else _form_word(rest[-1])
    if word is None:
        return None
    count = 2 if pair in _PAIRS else 1
    hydrogen = rest[-count - 1 : -count] == ["hydrogen"]
    return count + hydrogen + salt, word


def _form_word(token: str) -> str | None:
    """The usual spelling of a form word: ``2hcl`` and ``dihydrochloride`` are ``hydrochloride``."""
    if token in _NEVER:
        return None
    plain = _COUNT.sub("", _STEREO.sub("", token.rstrip(",;")))
    return _FORMS[plain] if plain in _FORMS else _FORMS.get(_MULTIPLE.sub("", plain))
