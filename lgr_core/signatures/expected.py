"""Expected signatures: the genes that a language model expects a drug to change, as recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lgr_core.config import SHIPPED
from lgr_core.domain import FloatArray
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import InputError

FOLDER = SHIPPED / "expected_signatures"
"""The recorded files that ship."""

MAX_STRENGTH = 3
LITTLE_EFFECT = "little effect expected, says the model"
"""How a recorded strength of 0 is labelled; it is the model's opinion, and no evidence."""

_NO_RECORD = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class ExpectedSignature:
    """The genes that a model expects a drug to raise and to lower, and how strongly (0 to 3)."""

    drug: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    strength: int
    why: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= MAX_STRENGTH:
            found = f"strength {self.strength} is not from 0 to {MAX_STRENGTH}"
            raise InputError(f"expected signature of {self.drug}", found, "Give 0 to 3.")

    @property
    def label(self) -> str | None:
        """What the strength says in words, where it is 0; else None."""
        return LITTLE_EFFECT if self.strength == 0 else None

    def vector(self, genes: Sequence[str]) -> FloatArray:
        """+1 at the genes expected up, -1 at those down, else 0: (n_genes,) float32.

        A gene that is named both ways is 0. The strength is no part of it: correlations would not
        change, and the model's scale from 0 to 3 is in no unit of expression.
        """
        values = np.zeros(len(genes), dtype=np.float32)
        place = {gene: i for i, gene in enumerate(genes)}
        for sign, names in ((1, self.up), (-1, self.down)):
            values[[place[name] for name in dict.fromkeys(names) if name in place]] += sign
        return values

    def to_dict(self) -> dict[str, Any]:
        """What an answer's JSON says of it: strength, label and source, without the genes."""
        return {"strength": self.strength, "label": self.label, "source": self.source}


class ExpectedSignatures:
    """Recorded expected signatures, by the drugs of one atlas; of several the last counts."""

    def __init__(self, catalog: DrugCatalog, records: Iterable[ExpectedSignature]) -> None:
        self._of: dict[str, ExpectedSignature] = {}
        for record in records:
            drug = catalog.find(record.drug).drug
            if drug is not None:
                self._of[drug] = record

    @classmethod
    def load(cls, catalog: DrugCatalog, folder: Path = FOLDER) -> ExpectedSignatures:
        """The records of every file of a folder.

        Raises
        ------
        InputError
            If a line of a file is no record.
        """
        paths = sorted(folder.glob("*.jsonl"))
        return cls(catalog, [record for path in paths for record in read_expected(path)])

    def of(self, drug: str) -> ExpectedSignature | None:
        """The record of a drug of the atlas; None without one."""
        return self._of.get(drug)


def read_expected(path: Path) -> list[ExpectedSignature]:
    """The records of a file, one JSON object a line.

    Raises
    ------
    InputError
        If the file cannot be read, or a line is no record.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"file {path}", str(err), "Give a JSONL file.") from err
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(_record(json.loads(line)))
        except _NO_RECORD as err:
            found = f"line {number} is no expected signature ({type(err).__name__}: {err})"
            do = 'Each line needs {"drug", "strength", "up": [], "down": []}.'
            raise InputError(f"file {path}", found, do) from err
    return records


def _record(data: Mapping[str, Any]) -> ExpectedSignature:
    return ExpectedSignature(
        drug=str(data["drug"]),
        up=tuple(str(gene) for gene in data["up"]),
        down=tuple(str(gene) for gene in data["down"]),
        strength=int(data["strength"]),
        why=str(data.get("why", "")),
        source=str(data.get("source", "")),
    )
