"""What a mechanism, an annotated drug and a signature are, and the shipped files they stand in."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lgr_core.errors import InputError

NO_SOURCE = "no annotation"


class Signature(NamedTuple):
    """Genes that rise and genes that fall when a programme becomes more active."""

    up: tuple[str, ...]
    down: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A fine-grained mechanism: its programme, and the signatures that it raises and lowers.

    ``targets`` are genes whose inhibition means this tag; ``terms`` matches its names elsewhere.
    """

    tag: str
    label: str
    programme: str
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    terms: re.Pattern[str] = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is known of a drug, and who says so. No tags: its mechanism is not known."""

    drug: str
    tags: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    source: str = NO_SOURCE


def read_mechanisms(path: Path) -> dict[str, Mechanism]:
    """The mechanisms of ``mechanisms.csv`` by tag."""
    return {row["tag"]: _mechanism(row) for row in _rows(path)}


def read_annotations(path: Path) -> dict[str, Annotation]:
    """The drugs of ``drugs.csv`` by name."""
    return {row["drug"]: _annotation(row) for row in _rows(path)}


def read_signatures(path: Path) -> dict[str, Signature]:
    """Signatures of a GMT file whose sets are named ``<signature>|up`` and ``<signature>|down``."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in _text(path).splitlines():
        name, _source, *genes = line.split("\t")
        signature, _, side = name.partition("|")
        if side not in {"up", "down"}:
            do = "Name it <signature>|up or <signature>|down."
            raise InputError(f"set {name!r} of {path.name}", "it has no side", do)
        found.setdefault(signature, {})[side] = tuple(genes)
    return {
        name: Signature(sides.get("up", ()), sides.get("down", ())) for name, sides in found.items()
    }


def split_terms(text: str, separators: str = ";") -> list[str]:
    """The parts of a text between any of the separators, trimmed, without empty ones."""
    return [part for part in map(str.strip, re.split(f"[{separators}]", text)) if part]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(path).splitlines()))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as err:
        found = f"it is not in {path.parent}"
        raise InputError(f"file {path.name}", found, "Restore the data folder.") from err


def _mechanism(row: Mapping[str, str]) -> Mechanism:
    up, down, targets = (tuple(split_terms(row[name])) for name in ("up", "down", "targets"))
    patterns = "|".join(f"(?:{pattern})" for pattern in split_terms(row["patterns"]))
    terms = re.compile(f"(?:{patterns})s?" if patterns else r"(?!)", re.IGNORECASE)
    return Mechanism(row["tag"], row["label"], row["programme"], up, down, targets, terms)


def _annotation(row: Mapping[str, str]) -> Annotation:
    tags, targets = (tuple(split_terms(row[name])) for name in ("mechanisms", "targets"))
    return Annotation(row["drug"], tags, targets, row["mechanism_source"])
