"""Neighbour files together: the records that they hold for a drug in a cell line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import line_key
from lgr_core.drugs.normalise import normalise_name
from lgr_core.retrieval.neighbor_files import NeighborRecord, read_neighbors, read_or_warn


class Found(NamedTuple):
    """A record, the name of its file, and whether the user named that file for this question.

    ``place`` is the file's place among those named, else its folder's: 0 goes first. ``listed`` are
    the drugs that the file names in the record's line, as questions or as neighbours: the candidate
    list that its answers were chosen from, as far as it can be read back.
    """

    record: NeighborRecord
    file: str
    named: bool
    place: int = 0
    listed: frozenset[str] = frozenset()


_FileRecords = list[tuple[float, Found]]
"""The records of one file, each with the moment that decides which of two is newer."""


class NeighborBook:
    """Neighbour files by cell line and drug.

    Files that the user named go first, in their order; then folder by folder, the newest answer
    first (by its own date, else by its file's). A file of a folder that cannot be read is left out
    with a warning. Lines and drugs are matched by their closest reading, against the drugs of one
    atlas; a line need not be in it, so that one line's ranking can be reused in others.
    :func:`~lgr_core.retrieval.recorded.find_recorded` decides which of the records answers.

    Raises
    ------
    InputError
        If a named file cannot be read.
    """

    def __init__(
        self, files: Iterable[Path], catalog: DrugCatalog, *, named: Iterable[Path] = ()
    ) -> None:
        self._catalog = catalog
        self._names: dict[str, str] = {}
        self._found: dict[tuple[str, str], list[Found]] = defaultdict(list)
        self._lines: dict[str, dict[str, str]] = defaultdict(dict)
        for place, path in enumerate(named):
            self._add(self._with_lists([_undated(path.name, read_neighbors(path), place)]))
        for place, (_, folder) in enumerate(groupby(files, key=lambda path: path.parent)):
            dated = [_dated(path, place) for path in folder]
            self._add(self._with_lists(dated))

    def _with_lists(self, files: Sequence[_FileRecords]) -> list[Found]:
        """The records of files, the oldest first, each with the list of its file and line."""
        listed: dict[tuple[int, str], set[str]] = defaultdict(set)
        for number, of_file in enumerate(files):
            for _, found in of_file:
                record = found.record
                names = {self._read(text) for text in (record.drug, *_texts(record))}
                listed[number, line_key(record.cell_line)] |= names
        frozen = {key: frozenset(names) for key, names in listed.items()}
        every = [
            (at, found._replace(listed=frozen[number, line_key(found.record.cell_line)]))
            for number, of_file in enumerate(files)
            for at, found in of_file
        ]
        return [found for _, found in sorted(every, key=lambda pair: pair[0])]

    def _read(self, text: str) -> str:
        """The drug of the atlas that a name means, else the name itself in its plain form."""
        if text not in self._names:
            drug = self._catalog.find(text).drug
            self._names[text] = normalise_name(text) if drug is None else drug
        return self._names[text]

    def _add(self, oldest_first: Sequence[Found]) -> None:
        for found in reversed(oldest_first):
            drug = self._catalog.find(found.record.drug).drug
            if drug is not None:
                key = line_key(found.record.cell_line)
                self._found[key, drug].append(found)
                self._lines[drug].setdefault(key, found.record.cell_line)

    def answers(self, cell_line: str, drug: str) -> Sequence[Found]:
        """The records for a drug in a line, the one that goes first at the front."""
        return self._found.get((line_key(cell_line), drug), ())

    def lines(self, drug: str) -> tuple[str, ...]:
        """The cell lines with a record for a drug, sorted by name."""
        return tuple(sorted(self._lines.get(drug, {}).values()))


def _texts(record: NeighborRecord) -> Iterator[str]:
    return (proposal.text for proposal in record.proposals)


def _undated(file: str, records: Iterable[NeighborRecord], place: int) -> _FileRecords:
    """A named file: of its records the last goes first."""
    return [(0.0, Found(record, file, named=True, place=place)) for record in records]


def _dated(path: Path, place: int) -> _FileRecords:
    records = read_or_warn(path)
    of_file = path.stat().st_mtime if records else 0.0
    return [
        (_moment(r.at, of_file), Found(r, path.name, named=False, place=place)) for r in records
    ]


def _moment(text: str, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return otherwise
