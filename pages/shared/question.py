"""The question that a page shows, as its link spells it, and the nearest one that has an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from lgr_core.answer.default_change import default_change
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.unseen_drug import UnseenDrug
from lgr_core.domain import Change, Condition
from lgr_core.errors import AmbiguousError, LgrError, NotFoundError, UsageError, unknown
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.selectors import SELECTORS
from pages.shared.words import at_dose, dose_words, offered, selector_words

FIELDS = ("atlas", "cell_line", "drug", "dose", "selector", "k", "once")
"""The fields of a link, which are also the keys of the pickers."""

NOVEL = ("new", "smiles", "moa")
"""Further fields, of a drug that the atlas does not hold: that it is one, structure, mechanism."""

EDITS = ("drop", "add")
"""Further fields, of neighbours edited by hand: names, between bars."""

DEMO = "demo"
POOLED = "pooled"
EVERY = "all"
"""How a link spells every dose, or every cell line."""

K_DEFAULT, K_MAX = 10, 50
FAMILIAR_LINES = ("A549", "LoVo")
FAMILIAR_DRUGS = ("Trametinib", "Idarubicin", "Panobinostat")
"""Examples, in this order: the first whose specific change is defined, else the first measured."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, every part of it known to the atlas.

    With ``once``, of two neighbours that are forms of one compound the better-ranked one counts.
    """

    atlas: str
    cell_line: str
    drug: str
    dose_um: float | None
    selector: str
    k: int
    novel: UnseenDrug | None = None
    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    once: bool = False

    @property
    def edited(self) -> bool:
        """Whether neighbours were dropped or added by hand."""
        return bool(self.drop or self.add)

    def link(self) -> dict[str, str]:
        """The query parameters that ask this question again; an empty one is left out of it."""
        return {
            "atlas": self.atlas,
            "cell_line": self.cell_line,
            "drug": self.drug,
            "dose": spell_dose(self.dose_um),
            "selector": self.selector,
            "k": str(self.k),
            "new": "" if self.novel is None else "1",
            "smiles": "" if self.novel is None else self.novel.smiles,
            "moa": "" if self.novel is None else self.novel.moa,
            "drop": joined(self.drop),
            "add": joined(self.add),
            "once": "1" if self.once else "",
        }

    def __str__(self) -> str:
        return f"{self.drug} in {self.cell_line} {at_dose(self.dose_um)}"


@dataclass(frozen=True, slots=True)
class Mended:
    """A part of what was asked that is not to be had, and what stands in its place."""

    error: LgrError
    instead: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The nearest question that has an answer, and where it differs from what was asked."""

    question: Question
    mended: tuple[Mended, ...] = ()
    notes: tuple[str, ...] = ()


def spell_dose(dose_um: float | None) -> str:
    """A dose as a link spells it."""
    return POOLED if dose_um is None else f"{dose_um:g}"


def joined(names: Iterable[str]) -> str:
    """Names as one field of a link, between bars."""
    return "|".join(name.replace("%", "%25").replace("|", "%7C") for name in names)


def parted(field: str | None) -> tuple[str, ...]:
    """The names in a field of a link, each once."""
    parts = (part.replace("%7C", "|").replace("%25", "%") for part in (field or "").split("|"))
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def novel_drug(asked: Mapping[str, str]) -> UnseenDrug | None:
    """The drug beyond the atlas that is asked for, if one is.

    Raises
    ------
    LgrError
        If what is said of it is refused.
    """
    if not asked.get("new"):
        return None
    return UnseenDrug(asked.get("drug", ""), asked.get("smiles", ""), asked.get("moa", ""))


def default_atlas(
    names: list[str], uploaded: Callable[[str], bool], *, answered: Callable[[str], bool]
) -> str:
    """The atlas of who names none: with recorded answers, else ingested here, else the demo.

    Everybody may choose what a visitor has ``uploaded``, but while another atlas is there it is
    nobody's default. ``answered`` says whether a language model's answers for an atlas are
    recorded; it is asked where there is a choice.
    """
    ours = [name for name in names if name != DEMO and not uploaded(name)]
    if len(ours) > 1:
        return next((name for name in ours if answered(name)), ours[0])
    return ours[0] if ours else DEMO if DEMO in names else names[0]


def one_of(
    kind: str, asked: str | None, names: Iterable[str], default: str, where: str = "this page"
) -> tuple[str, NotFoundError | None]:
    """The name asked for, or the default; an unknown one is the nearest that its error names."""
    if asked is None:
        return default, None
    known = list(names)
    if asked in known:
        return asked, None
    error = unknown(kind, asked, known, where)
    return next(iter(error.nearest), default), error


def settle_atlas(
    asked: str | None,
    names: list[str],
    uploaded: Callable[[str], bool],
    *,
    answered: Callable[[str], bool],
) -> tuple[str, list[Mended]]:
    """The atlas asked for, else the nearest by name, else the default."""
    if asked in names:
        return asked, []
    default = default_atlas(names, uploaded, answered=answered)
    name, error = one_of("atlas", asked, names, default, "this app")
    return name, [] if error is None else [Mended(error, f"the atlas {name}")]


def settle(store: AtlasStore, asked: Mapping[str, str], novel: UnseenDrug | None = None) -> Settled:
    """Read what was asked of this atlas; a part that was not asked for takes its default.

    A ``novel`` drug is one that the store was widened with. Without it, a drug beyond the atlas
    that is remembered from another page is no wish of this one.
    """
    desk = _Desk(store)
    line = desk.cell_line(asked.get("cell_line"))
    beyond = novel is None and bool(asked.get("new"))
    wished = asked.get("drug") if novel is None else novel.drug
    drug = desk.drug(None if beyond else wished, line)
    question = Question(
        store.name,
        line,
        drug,
        desk.dose(asked.get("dose"), line, drug),
        desk.selector(asked.get("selector")),
        desk.k(asked.get("k")),
        novel,
    )
    question = replace(
        question,
        drop=desk.drugs(parted(asked.get("drop"))),
        add=desk.drugs(parted(asked.get("add"))),
        once=bool(asked.get("once")),
    )
    return Settled(question, tuple(desk.mended), tuple(desk.notes))


def default_dose(store: AtlasStore, cell_line: str, drug: str) -> float | None:
    """The highest dose at which the drug was measured in the line, else the line's highest."""
    return (store.doses(cell_line, drug) or store.doses(cell_line))[0]


class _Desk:
    """Reads one field after the other and keeps account of what had to be mended."""

    def __init__(self, store: AtlasStore) -> None:
        self.store = store
        self.mended: list[Mended] = []
        self.notes: list[str] = []

    def cell_line(self, asked: str | None) -> str:
        names = sorted(self.store.cell_lines["cell_line"])
        default = next((line for line in FAMILIAR_LINES if line in names), names[0])
        return self._name(asked, default, self.store.cell_line_catalog.resolve)

    def drug(self, asked: str | None, line: str) -> str:
        default = "" if asked in self.store.drug_catalog else self._example(line)
        return self._name(asked, default, self.store.drug_catalog.resolve)

    def _example(self, line: str) -> str:
        """A familiar drug of the line that shows most, else the first that was measured there."""
        store = self.store
        readings = [store.drug_catalog.find(name).candidates for name in FAMILIAR_DRUGS]
        familiar = [name for names in readings for name in names if store.doses(line, name)]
        if not familiar:
            return store.measured_drugs(line, store.doses(line)[0])[0]
        labels = ConditionIndex(store) if len(familiar) > 1 else None
        for name in familiar if len(familiar) > 1 else ():
            query = Condition(line, name, default_dose(store, line, name))
            if default_change(store, query, labels)[0] is Change.SPECIFIC:
                return name
        return familiar[0]

    def drugs(self, asked: Iterable[str]) -> tuple[str, ...]:
        """Names of an edited set; one that the atlas lacks is left out, which is said."""
        names = []
        for name in asked:
            try:
                names.append(self.store.drug_catalog.resolve(name))
            except LgrError as err:
                self.mended.append(Mended(err, "the set without it"))
        return tuple(dict.fromkeys(names))

    def dose(self, asked: str | None, line: str, drug: str) -> float | None:
        default = default_dose(self.store, line, drug)
        doses = {spell_dose(dose): dose for dose in self.store.doses(line)}
        if asked is None or asked in doses:
            return default if asked is None else doses[asked]
        wished = _positive(asked)
        known = [dose for dose in doses.values() if dose is not None]
        same = [d for d in known if wished is not None and math.isclose(d, wished, rel_tol=1e-6)]
        if same:
            return same[0]
        if wished is not None and known:
            default = min(known, key=lambda dose: abs(math.log(dose / wished)))
        found = f"measured there: {', '.join(dose_words(dose) for dose in doses.values())}"
        error = NotFoundError(f"dose {asked!r} in {line}", found, "Choose one of these.")
        return self._mend(error, default, f"the dose {dose_words(default)}")

    def selector(self, asked: str | None) -> str:
        names = offered(SELECTORS)
        name, error = one_of("selector", asked, names, names[0], "this app")
        if error is None:
            return name
        return self._mend(error, name, f"the selector {selector_words(name).label}")

    def k(self, asked: str | None) -> int:
        if asked is None:
            return K_DEFAULT
        wished = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None  # noqa: PLR2004
        if wished is not None and 1 <= wished <= K_MAX:
            return wished
        nearest = K_DEFAULT if wished is None else min(max(wished, 1), K_MAX)
        found = f"a whole number from 1 to {K_MAX} is needed"
        error = UsageError(f"k = {asked!r}", found, "Choose how many neighbours are averaged.")
        return self._mend(error, nearest, f"k = {nearest}")

    def _name(self, asked: str | None, default: str, resolve: Callable[[str], str]) -> str:
        if asked is None:
            return default
        try:
            name = resolve(asked)
        except AmbiguousError as err:
            return self._mend_name(err, err.candidates, default)
        except NotFoundError as err:
            return self._mend_name(err, err.nearest, default)
        if name != asked.strip():
            self.notes.append(f"{asked!r} was read as {name!r}.")
        return name

    def _mend_name(self, error: LgrError, names: Iterable[str], default: str) -> str:
        """The first name that the error gives, so that what is said is what is opened."""
        name = next(iter(names), default)
        return self._mend(error, name, name)

    def _mend(self, error: LgrError, value: Value, instead: str) -> Value:
        self.mended.append(Mended(error, instead))
        return value


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
