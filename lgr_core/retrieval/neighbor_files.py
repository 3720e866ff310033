"""Neighbour files: the paper's JSONL, one line a query.

``{"target_cell_type", "target_molecule", "neighbors": [{"molecule", "score"}]}`` is all that a file
needs; ours add the dose, each justification, what was rejected, the raw answer and how it was
asked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lgr_core.domain import EMPTY, Proposal, Retrieval
from lgr_core.errors import InputError
from lgr_core.llm.locked_jsonl import append_line
from lgr_core.llm.parsing.reason_fields import as_fields, fields_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NeighborRecord:
    """One line of a neighbour file: ranked proposals for a drug in a cell line, and by whom.

    A dose or an atlas that the file does not name is any. ``asked`` holds how the question was put
    (model, temperature, effort, template, samples), as far as the file says; ``key`` is the line's.
    """

    cell_line: str
    drug: str
    proposals: tuple[Proposal, ...]
    dose_um: float | None = None
    source: str = ""
    atlas: str = ""
    at: str = ""
    asked: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    key: str = ""


def neighbor_line(retrieval: Retrieval, source: str = "", atlas: str = "") -> str:
    """A retrieval as one JSON line, without the newline; ``source`` says who ranked.

    With ``atlas`` it is dated, and answers in the atlas of that name alone.
    """
    query, provenance = retrieval.query, retrieval.provenance
    record = {
        "target_cell_type": query.cell_line,
        "target_molecule": query.drug,
        "neighbors": [
            {
                "molecule": n.drug,
                "score": n.score,
                "justification": n.rationale,
                **as_fields(n.structured),
            }
            for n in retrieval.neighbors
        ],
        "dose_um": query.dose_um,
        "selector": retrieval.selector,
        "k": retrieval.k,
        "k_used": retrieval.k_used,
        "pool_size": retrieval.pool_size,
        "rejected": [{"text": r.text, "reason": str(r.reason)} for r in retrieval.rejected],
        "raw": retrieval.raw,
        "provenance": dict(provenance),
        "source": source
        or provenance.get("source")
        or provenance.get("model")
        or retrieval.selector,
    }
    if atlas:
        record |= {"atlas": atlas, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def append_neighbors(
    path: Path, retrieval: Retrieval, *, source: str = "", atlas: str = ""
) -> None:
    """Append one retrieval to a neighbour file; safe with several processes appending."""
    append_line(path, neighbor_line(retrieval, source, atlas))


def read_neighbors(path: Path) -> Iterator[NeighborRecord]:
    """Every record of a neighbour file, ours or anyone's.

    A last line without its end that cannot be read (a writer was cut off) is skipped with a
    warning; any other such line is refused.

    Raises
    ------
    InputError
        If the file is missing, or a line is not a neighbour record.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"neighbour file {path}", str(err), "Give a JSONL file.") from err
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield record_of_line(line)
        except _NO_RECORD as err:
            if number < len(lines) or not isinstance(err, json.JSONDecodeError):
                found = f"line {number} is no neighbour record ({type(err).__name__}: {err})"
                raise InputError(f"neighbour file {path}", found, _FORM) from err
            log.warning("%s: the last line is cut off and was skipped", path)


_NO_RECORD = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
_FORM = 'Each line needs {"target_cell_type", "target_molecule", "neighbors": [{"molecule"}]}.'


def line_id(line: str) -> str:
    """The key of a line: the first signs of the SHA-256 of its text."""
    return hashlib.sha256(line.strip().encode()).hexdigest()[:16]


def record_of_line(line: str) -> NeighborRecord:
    """The record in one JSON line.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If the line is none.
    """
    data = json.loads(line)
    proposals = tuple(
        Proposal(
            _name(item["molecule"]),
            str(item.get("justification") or ""),
            _score(item),
            fields_of(item),
        )
        for item in data["neighbors"]
    )
    return NeighborRecord(
        cell_line=_name(data["target_cell_type"]),
        drug=_name(data["target_molecule"]),
        proposals=proposals,
        dose_um=_number(data.get("dose_um"), "dose_um"),
        source=str(data.get("source") or ""),
        atlas=str(data.get("atlas") or ""),
        at=str(data.get("at") or ""),
        asked=_asked(data),
        key=line_id(line),
    )


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        msg = f"{value!r} is no name"
        raise ValueError(msg)
    return value


def _score(item: Mapping[str, Any]) -> float | None:
    return _number(item.get("score"), "score")


def _number(value: object, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{what} {value!r} is no number"
        raise ValueError(msg)
    return float(value)


def _asked(data: Mapping[str, Any]) -> dict[str, Any]:
    """How the question was put, from the record of our cache or of our own neighbour files."""
    provenance = {**(data.get("provenance") or {}), **(data.get("request") or {})}
    names = ("model", "temperature", "effort", "template", "samples")
    return {name: provenance[name] for name in names if provenance.get(name) is not None}


def read_or_warn(path: Path) -> list[NeighborRecord]:
    """The records of a file of the installation; none, with a warning, if it cannot be read."""
    try:
        return list(read_neighbors(path))
    except InputError as err:
        log.warning("%s This file is left out.", err)
        return []


def neighbor_files(*folders: Path) -> list[Path]:
    """The neighbour files in these folders, folder by folder, each sorted by name."""
    return [path for folder in folders for path in sorted(folder.glob("*.jsonl"))]
