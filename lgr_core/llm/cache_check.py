"""What a line of the answer cache must hold, and what is wrong in a whole file of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lgr_core.llm.prompt_templates import TEMPLATE_VERSION

VERSION = 1
"""The version of a record's form; a record without one is of the first."""

_NEEDED: Mapping[str, type | tuple[type, ...]] = {"key": str, "at": str, "raw": str, "reply": dict}
_OPTIONAL: Mapping[str, type | tuple[type, ...]] = {
    "target_cell_type": str,
    "target_molecule": str,
    "dose_um": (int, float),
    "neighbors": list,
    "rejected": list,
    "request": dict,
    "usage": dict,
    "k": int,
    "k_used": int,
    "cost_usd": (int, float),
}
_QUERY = ("target_cell_type", "target_molecule", "dose_um")
_ASKED = ("provider", "model", "temperature", "effort", "template")
_OTHER_TEMPLATES = ("tags",)


@dataclass(slots=True)
class CacheReport:
    """What is wrong with a cache, in words.

    ``wrong`` lines are passed over by every command. ``conflicts`` are keys under which different
    questions stand. ``repeated`` counts answers that a later line of their key replaces;
    ``versions`` counts answers to prompts that this version does not ask, by template.
    """

    wrong: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    repeated: int = 0
    versions: dict[str, int] = field(default_factory=dict)


def record_of(line: bytes) -> dict[str, Any]:
    """The record in a line of the cache.

    Raises
    ------
    ValueError
        If it is none, or of a later version; the message says why.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise ValueError(f"not readable ({type(err).__name__})") from None
    if not isinstance(record, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of error for all lines
    missing = _NEEDED.keys() - record.keys()
    if missing:
        raise ValueError(f"without {', '.join(sorted(missing))}")
    version = record.get("version", VERSION)
    if version != VERSION:
        raise ValueError(f"of version {version!r}; this program reads {VERSION}")
    odd = [name for name, kind in {**_NEEDED, **_OPTIONAL}.items() if not _is(record, name, kind)]
    if not _are_named(record.get("neighbors") or []):
        odd.append("neighbors")
    if odd:
        raise ValueError(f"{', '.join(odd)} of another shape")
    return record


def _is(record: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> bool:
    value = record.get(name)
    if value is None:
        return name not in _NEEDED
    return isinstance(value, kind) and not isinstance(value, bool)


def _are_named(neighbors: Iterable[Any]) -> bool:
    return all(isinstance(n, dict) and isinstance(n.get("molecule"), str) for n in neighbors)


def fault(line: bytes) -> str | None:
    """Why a line is passed over, None if it is a record."""
    try:
        record_of(line)
    except ValueError as err:
        return str(err)
    return None


def verify(path: Path) -> CacheReport:
    """Read every line of a cache."""
    report, known = CacheReport(), {}
    if not path.exists():
        return report
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = record_of(line)
            except ValueError as err:
                report.wrong.append(f"line {number}: {err}")
            else:
                _compare(record, number, known, report)
    return report


def _compare(
    record: dict[str, Any],
    number: int,
    known: dict[str, tuple[int, tuple[Any, ...]]],
    report: CacheReport,
) -> None:
    """Note a line that answers another question than its key did before, or another version's."""
    key, asked = record["key"], _asked(record)
    before = known.get(key)
    if before is not None:
        report.repeated += 1
    if before is not None and before[1] != asked:
        text = f"lines {before[0]} and {number}: different questions under key {key[:12]}"
        report.conflicts.append(text)
    known[key] = (number, asked)
    template = str((record.get("request") or {}).get("template", ""))
    if template and not _is_asked_now(template):
        report.versions[template] = report.versions.get(template, 0) + 1


def _asked(record: Mapping[str, Any]) -> tuple[Any, ...]:
    request = record.get("request") or {}
    return tuple(record.get(name) for name in _QUERY) + tuple(request.get(n) for n in _ASKED)


def _is_asked_now(template: str) -> bool:
    name = template.partition("+")[0]
    return name in TEMPLATE_VERSION.values() or name.partition("/")[0] in _OTHER_TEMPLATES
