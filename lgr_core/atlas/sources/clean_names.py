"""Names as a file writes them: missing ones, spellings of one name, ids, and unreadable names."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.config import SHIPPED
from lgr_core.domain import BoolArray, IntArray
from lgr_core.drugs.cell_lines import CellLineCatalog, line_key
from lgr_core.drugs.normalise import is_missing, normalise_name
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

_DOUBTFUL = frozenset(
    {"unassigned", "unknown", "undetermined", "ambiguous", "negative", "doublet", "doublets"}
    | {"multiplet", "multiplets", "singlet", "unmapped", "other", "filtered"}
)
"""What demultiplexers write where they name nothing; some files call a drug or a line so."""

_MOST_SAID = 10

LONGEST = 300
"""Letters of the longest name that is taken; systematic names of compounds stay below."""

_CONTROLS = frozenset({"Cc", "Cs"})
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
_SHOWN = 40


def clean_text(values: pd.Series, names: Collection[str] = ()) -> pd.Categorical:
    """Text as categories, stripped. Null, empty and text that stands for it (``nan``) are missing.

    ``NA`` is a name, and so is what ``names`` has.
    """
    raw = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
    texts = [str(text).strip() for text in raw.cat.categories]
    known = ["" if is_missing(text) and text not in names else text for text in texts]
    return recode(raw.cat.codes.to_numpy(), known)


def recode(codes: IntArray, texts: Sequence[str]) -> pd.Categorical:
    """Categories for ``texts[code]`` that some row has; texts equal once stripped become one."""
    stripped = pd.Index([text.strip() for text in texts], dtype=object)
    carried = stripped[np.unique(codes[codes >= 0])]
    names = pd.Index(sorted(set(carried) - {""}), dtype=object)
    table = np.append(names.get_indexer(stripped), -1)
    return pd.Categorical.from_codes(table[codes], categories=names)


def named(names: pd.Categorical, name: str, where: BoolArray | None = None) -> pd.Categorical:
    """``names`` with ``name`` in the missing places, or only in those that are ``where``."""
    missing = names.codes < 0
    if where is not None:
        missing &= where
    if not missing.any():
        return names
    table = [*names.categories, name]
    return pd.Categorical.from_codes(np.where(missing, len(table) - 1, names.codes), table)


def blank(n: int) -> pd.Categorical:
    """``n`` empty names: the plate of a file that knows no plates."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), categories=[""])


def one_spelling(names: pd.Categorical, what: str, first: Sequence[str] = ()) -> pd.Categorical:
    """Names that differ in case, spaces or the form of a letter alone, as one; warned of.

    As the first of ``first`` has it, else as most rows do, else as comes first in order.
    """
    counts = np.bincount(names.codes[names.codes >= 0], minlength=len(names.categories))
    rank = {name: place for place, name in reversed(list(enumerate(first)))}
    order = sorted(
        range(len(counts)),
        key=lambda i: (rank.get(names.categories[i], len(first)), -counts[i], names.categories[i]),
    )
    best: dict[str, str] = {}
    for i in order:
        best.setdefault(normalise_name(names.categories[i]), names.categories[i])
    chosen = [best[normalise_name(name)] for name in names.categories]
    pairs = [
        f"{name!r} as {kept!r}"
        for name, kept in zip(names.categories, chosen, strict=True)
        if name != kept
    ]
    if not pairs:
        return names
    log.warning("%s: spellings of one name are read as one: %s", what, _listed(pairs))
    return recode(names.codes, chosen)


def warn_of_lines(lines: Iterable[str]) -> None:
    """Warn of lines whose names differ in signs alone; two lines may be called so (KM-H2, KMH2)."""
    by_key: dict[str, list[str]] = {}
    for line in lines:
        by_key.setdefault(line_key(line), []).append(line)
    pairs = [" and ".join(map(repr, alike)) for alike in by_key.values() if len(alike) > 1]
    if pairs:
        said = "cell lines whose names differ in signs alone, and which are read as different: %s"
        log.warning(said, _listed(pairs))


def warn_of_doubtful(names: pd.Categorical, what: str, used: BoolArray) -> None:
    """Warn of names that may be none: ``unassigned``, ``doublet``, with the rows that have them."""
    codes, counts = np.unique(names.codes[used], return_counts=True)
    found = {names.categories[i]: n for i, n in zip(codes, counts, strict=True) if i >= 0}
    said = [
        f"{name!r} ({n:,} rows)" for name, n in found.items() if normalise_name(name) in _DOUBTFUL
    ]
    if said:
        log.warning("%s: read as names; leave them out if they are none: %s", what, _listed(said))


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MOST_SAID:,} more" if len(texts) > _MOST_SAID else ""
    return ", ".join(texts[:_MOST_SAID]) + more


def check_readable_names(names: Iterable[str], what: str) -> None:
    """Refuse names with control characters, without any visible one, or of over 300 letters.

    Raises
    ------
    InputError
        With the first such name, escaped, and what is wrong with it.
    """
    for name in names:
        wrong = _wrong(name)
        if wrong is not None:
            shown = ascii(name[:_SHOWN]) + ("..." if len(name) > _SHOWN else "")
            raise InputError(f"{what} {shown}", wrong, "Rename it in the file.")


def _wrong(name: str) -> str | None:
    """What is wrong with a name; None: nothing."""
    if len(name) > LONGEST:
        return f"its name has {len(name):,} letters, more than {LONGEST}"
    if name.isascii() and name.isprintable():
        return None
    kinds = [unicodedata.category(letter) for letter in name]
    if not _CONTROLS.isdisjoint(kinds) or not _DIRECTIONS.isdisjoint(name):
        return "its name holds control characters"
    if name and _INVISIBLE.issuperset(kinds):
        return "its name has no visible character"
    return None


@cache
def known_lines() -> Mapping[str, str]:
    """Cellosaurus id -> name, of the lines that ship with the checkout."""
    table = read_delimited(SHIPPED / "cell_lines.csv", lambda _: True).to_pandas()
    return dict(zip(table["cellosaurus"], table["cell_line"], strict=True))


def name_lines(lines: pd.Categorical) -> pd.Categorical:
    """``lines`` with known Cellosaurus ids as names; a name and its id become one line."""
    names = known_lines()
    if not any(name in names for name in lines.categories):
        return lines
    renamed = [names.get(name, name) for name in lines.categories]
    wanted = pd.Index(sorted(set(renamed)), dtype=object)
    places = np.append(wanted.get_indexer(renamed), -1)
    return pd.Categorical.from_codes(places[lines.codes], categories=wanted)


def are_lines(lines: pd.Categorical, asked: Sequence[str]) -> BoolArray:
    """Whether each line (n,) is one of those asked for, by any spelling or Cellosaurus id.

    Raises
    ------
    NotFoundError
        One that is asked for does not occur.
    """
    names = list(lines.categories)
    ids = {name: [key] for key, name in known_lines().items() if name in names}
    catalog = CellLineCatalog(names, ids, where="the file")
    return np.isin(lines, [catalog.resolve(name) for name in asked])
