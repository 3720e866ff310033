"""Neighbour files: the paper's JSONL, one line a query.

``{"target_cell_type", "target_molecule", "neighbors": [{"molecule", "score"}]}`` is all that a file
needs; ours add the dose, each justification, what was rejected and the raw answer.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgr_core.domain import Proposal, Retrieval
from lgr_core.drugs.identity import DrugCatalog
from lgr_core.drugs.lines import line_key
from lgr_core.errors import InputError
from lgr_core.retrieval.jsonl import append_line

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NeighborRecord:
    """One line of a neighbour file: ranked proposals for a drug in a cell line, and by whom."""

    cell_line: str
    drug: str
    proposals: tuple[Proposal, ...]
    dose_um: float | None = None
    source: str = ""


def neighbor_line(retrieval: Retrieval, source: str = "") -> str:
    """A retrieval as one JSON line, without the newline; ``source`` says who ranked."""
    query = retrieval.query
    record = {
        "target_cell_type": query.cell_line,
        "target_molecule": query.drug,
        "neighbors": [
            {"molecule": n.drug, "score": n.score, "justification": n.rationale}
            for n in retrieval.neighbors
        ],
        "dose_um": query.dose_um,
        "selector": retrieval.selector,
        "k": retrieval.k,
        "k_used": retrieval.k_used,
        "pool_size": retrieval.pool_size,
        "rejected": [{"text": r.text, "reason": str(r.reason)} for r in retrieval.rejected],
        "raw": retrieval.raw,
        "provenance": dict(retrieval.provenance),
        "source": source or retrieval.selector,
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def append_neighbors(path: Path, retrieval: Retrieval, *, source: str = "") -> None:
    """Append one retrieval to a neighbour file; safe with several processes appending."""
    append_line(path, neighbor_line(retrieval, source))


def read_neighbors(path: Path) -> Iterator[NeighborRecord]:
    """Every record of a neighbour file, ours or anyone's.

    A line that cannot be read is skipped with a warning if it is the last one (a writer was cut
    off), and refused anywhere else.

    Raises
    ------
    InputError
        If the file is missing, or a line other than the last is not a neighbour record.
    """
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"neighbour file {path}", str(err), "Give a JSONL file.") from err
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _record(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            if number < len(lines):
                found = f"line {number} is no neighbour record ({type(err).__name__}: {err})"
                raise InputError(f"neighbour file {path}", found, _FORM) from err
            log.warning("%s: the last line is cut off and was skipped", path)


_FORM = 'Each line needs {"target_cell_type", "target_molecule", "neighbors": [{"molecule"}]}.'


def _record(data: dict[str, Any]) -> NeighborRecord:
    proposals = tuple(
        Proposal(str(item["molecule"]), str(item.get("justification") or ""), item.get("score"))
        for item in data["neighbors"]
    )
    dose = data.get("dose_um")
    return NeighborRecord(
        cell_line=str(data["target_cell_type"]),
        drug=str(data["target_molecule"]),
        proposals=proposals,
        dose_um=None if dose is None else float(dose),
        source=str(data.get("source") or ""),
    )


class NeighborBook:
    """Neighbour files by cell line and drug; of several answers the first file's counts.

    Lines and drugs are matched by their closest reading, against the drugs of one atlas; a line
    need not be in it, so that one line's ranking can be reused in others.
    """

    def __init__(self, files: Iterable[Path], catalog: DrugCatalog) -> None:
        self._found: dict[tuple[str, str], tuple[NeighborRecord, str]] = {}
        for path in files:
            for record in read_neighbors(path):
                drug = catalog.find(record.drug).drug
                if drug is not None:
                    self._found.setdefault((line_key(record.cell_line), drug), (record, path.name))

    def find(self, cell_line: str, drug: str) -> tuple[NeighborRecord, str] | None:
        """The record for a drug in a line and the name of its file; None if there is none."""
        return self._found.get((line_key(cell_line), drug))

    def lines(self) -> frozenset[str]:
        """The keys of the lines that have answers (see ``line_key``)."""
        return frozenset(line for line, _ in self._found)


def neighbor_files(*folders: Path) -> list[Path]:
    """The neighbour files in these folders, folder by folder, each sorted by name."""
    return [path for folder in folders for path in sorted(folder.glob("*.jsonl"))]
