"""Resolution of cell line names and ids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from lgr_core.drugs.normalise import is_missing, normalise_name
from lgr_core.errors import AmbiguousError, unknown
from lgr_core.remedies import Remedy

_NO_ID = {"-", "na", "unknown"}
_SIGNS = re.compile(r"[\s/._-]")


class CellLineCatalog:
    """The cell lines of one atlas, by name or by Cellosaurus or DepMap id.

    Parameters
    ----------
    names
        The lines as the atlas gives them; trimmed, they are the canonical names. ``NA`` is a name.
    ids
        The ids of each name; ``NA``, ``None`` and empty ones count as none.
    where
        What error messages call the place that was searched.
    listing
        How its names are listed: what an error says where no name is near.
    """

    def __init__(
        self,
        names: Iterable[str],
        ids: Mapping[str, Sequence[str]] | None = None,
        *,
        where: str = "this atlas",
        listing: str | Remedy | None = None,
    ) -> None:
        self.names = tuple(sorted({name.strip() for name in names} - {""}))
        self.where, self.listing = where, listing
        self._names = frozenset(self.names)
        self._index: dict[str, set[str]] = defaultdict(set)
        for name in self.names:
            self._index[line_key(name)].add(name)
        for name, its_ids in ({} if ids is None else ids).items():
            for text in its_ids:
                unknown_id = is_missing(str(text)) or normalise_name(str(text)) in _NO_ID
                if name.strip() in self._names and not unknown_id:
                    self._index[line_key(str(text))].add(name.strip())

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def candidates(self, text: str) -> tuple[str, ...]:
        """The lines that the text may mean, sorted: an exact name alone, else all readings."""
        if text.strip() in self._names:
            return (text.strip(),)
        return tuple(sorted(self._index.get(line_key(text), ())))

    def find(self, text: str) -> str | None:
        """The line that the text means, or None if it means none or several."""
        found = self.candidates(text)
        return found[0] if len(found) == 1 else None

    def resolve(self, text: str) -> str:
        """The canonical name that the text means.

        Raises
        ------
        AmbiguousError
            If it reads as two lines.
        NotFoundError
            If nothing answers to it; the nearest names are offered.
        """
        found = self.candidates(text)
        if len(found) > 1:
            readings = f"it can be read as {' or '.join(found)}"
            do = "Give the exact name of one."
            raise AmbiguousError(f"cell line {text!r}", readings, do, candidates=found)
        if not found:
            raise unknown("cell line", text, self.names, self.where, listing=self.listing)
        return found[0]


def catalog_of(cell_lines: pd.DataFrame, listing: str | Remedy | None = None) -> CellLineCatalog:
    """The catalog of a table of cell lines, by the ids that it has beside ``cell_line``."""
    columns = [c for c in ("cellosaurus", "depmap_id") if c in cell_lines]
    ids = {row.cell_line: [getattr(row, c) for c in columns] for row in cell_lines.itertuples()}
    return CellLineCatalog(cell_lines["cell_line"], ids=ids, listing=listing)


def line_key(text: str) -> str:
    """The name without case, spaces and ``-_/.``: ``hepg2c3a``; if nothing is left, normalised."""
    folded = normalise_name(text)
    return _SIGNS.sub("", folded) or folded
