"""Which conditions of an atlas a split's names mean, and what of it is not in the atlas."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.doses import parse_literal
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray
from lgr_core.errors import InputError

PARTS: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "val": ("val", "validation", "valid"),
    "test": ("test",),
}
"""A part of a split, and the names that files have for it."""

_STATE = (
    'Write [training] dataset = "train", [zeroshot] "dataset.cell_type" = "test" and '
    '[fewshot."dataset.cell_type"] test = ["drug"].'
)


class Parts:
    """Collects which conditions a split puts where.

    ``masks`` are the conditions of each part, (n_conditions,); ``missing`` what each part names
    that the atlas has not; ``named`` and ``vehicles`` count the pairs, and those that are vehicle.
    """

    def __init__(self, store: AtlasStore) -> None:
        self.store = store
        self.masks = {part: np.zeros(len(store.conditions), dtype=bool) for part in PARTS}
        self.missing: dict[str, list[str]] = {part: [] for part in PARTS}
        self.named = self.vehicles = 0

    def add_pairs(self, part: str, pairs: pd.DataFrame) -> BoolArray:
        """Put conditions in a part; returns their mask.

        ``pairs`` have texts ``cell_line`` and ``drug`` (or Tahoe's literal of drug and dose) and
        may have ``dose_um``; without a dose, every dose is meant. Repeated pairs count once.
        """
        pairs = pairs.drop_duplicates()
        asked = self._resolve(pairs)
        measured = self.store.conditions[["cell_line", "drug", "dose_um"]]
        both = asked.merge(measured.reset_index(names="row"), on=["cell_line", "drug"])
        said, known = both["asked_um"], both["dose_um"]
        both = both[said.isna() | known.isna() | np.isclose(said, known, rtol=1e-6, atol=0)]
        lost = ~(asked["vehicle"] | asked["pair"].isin(both["pair"]))
        names = pairs["drug"] + " in " + pairs["cell_line"]
        self.missing[part] += names[lost.to_numpy()].tolist()
        self.named += len(pairs)
        self.vehicles += int(asked["vehicle"].sum())
        return self._add(part, np.isin(np.arange(len(measured)), both["row"]))

    def add_line(self, part: str, text: str) -> BoolArray:
        """Put all conditions of a line in a part; returns their mask."""
        mask = self.line(text)
        self.named += int(mask.sum())
        if not mask.any():
            self.missing[part].append(f"cell line {text}")
        return self._add(part, mask)

    def line(self, text: str) -> BoolArray:
        """The conditions of the line that a text means, (n_conditions,)."""
        line = self.store.cell_line_catalog.find(text)
        return (self.store.conditions["cell_line"] == line).to_numpy()

    def _add(self, part: str, mask: BoolArray) -> BoolArray:
        self.masks[part] |= mask
        return mask

    def _resolve(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """Pairs in the atlas's names, each text read once; None where it means none or several."""
        texts = pairs["drug"].unique()
        literals = {text: parse_literal(text) for text in texts}
        name = {text: text if said is None else said.drug for text, said in literals.items()}
        dose = {text: np.nan if said is None else said.dose_um for text, said in literals.items()}
        drug = {text: self.store.drug_catalog.find(name[text]).drug for text in texts}
        line = {
            text: self.store.cell_line_catalog.find(text) for text in pairs["cell_line"].unique()
        }
        column = pairs["dose_um"] if "dose_um" in pairs else pd.Series(np.nan, pairs.index)
        labels = self.store.provenance.get("control_labels", ())
        asked = {
            "cell_line": pairs["cell_line"].map(line),
            "drug": pairs["drug"].map(drug),
            "asked_um": pairs["drug"].map(dose).astype(float).fillna(column),
            "vehicle": pairs["drug"].map(name).isin(labels),
        }
        return pd.DataFrame(asked).reset_index(drop=True).reset_index(names="pair")


def part_of(path: Path, name: str) -> str:
    """Our name of a part.

    Raises
    ------
    InputError
        If no part is called so.
    """
    for part, names in PARTS.items():
        if name.strip().casefold() in names:
            return part
    known = ", ".join(name for names in PARTS.values() for name in names)
    raise InputError(f"split {path}", f"it has a part {name!r}", f"Parts are: {known}.")


def add_state_toml(parts: Parts, path: Path) -> None:
    """Read a TOML file of arcinstitute/state.

    Lines of ``[zeroshot]`` are held out whole, lists of ``[fewshot]`` in their line, the rest of
    which is training; all lines of the ``[training]`` data sets that are in neither are, too.

    Raises
    ------
    InputError
        If it cannot be read, has another form, or holds out one line twice.
    """
    tables = _tables(path)
    held = np.zeros(len(parts.store.conditions), dtype=bool)
    for key, value in [*tables["zeroshot"].items(), *tables["fewshot"].items()]:
        text = _cell_type(path, key)
        line = parts.line(text)
        if (line & held).any():
            raise InputError(f"split {path}", f"{key!r} is a line named before", "Keep one.")
        held |= line
        if isinstance(value, str):
            parts.add_line(part_of(path, value), text)
        else:
            _add_fewshot(parts, path, text, value)
    if "train" in tables["training"].values():
        parts.masks["train"] |= ~held


def _add_fewshot(parts: Parts, path: Path, text: str, lists: Mapping[str, Sequence[str]]) -> None:
    """Some of a line's drugs; all its others are training."""
    held = np.zeros(len(parts.store.conditions), dtype=bool)
    for name, drugs in lists.items():
        pairs = pd.DataFrame({"drug": list(drugs)}, dtype=object).assign(cell_line=text)
        held |= parts.add_pairs(part_of(path, name), pairs)
    parts.masks["train"] |= parts.line(text) & ~held


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    """The three tables, each an empty one if missing, checked for their form."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise InputError(f"split {path}", f"it cannot be read ({err})", _STATE) from err
    tables = {name: content.get(name, {}) for name in ("training", "zeroshot", "fewshot")}
    if not _of_states_form(tables) or not any(tables.values()):
        raise InputError(f"split {path}", "its tables have another form than State's", _STATE)
    return tables


def _of_states_form(tables: Mapping[str, Any]) -> bool:
    """Whether texts stand by each key, and in ``fewshot`` tables of lists of texts."""
    if not all(isinstance(table, dict) for table in tables.values()):
        return False
    lists = [*tables["fewshot"].values()]
    if not all(isinstance(parts, dict) for parts in lists):
        return False
    drugs = [names for parts in lists for names in parts.values()]
    texts = [*tables["training"].values(), *tables["zeroshot"].values()]
    return all(isinstance(names, list) for names in drugs) and all(
        isinstance(text, str) for text in chain(texts, *drugs)
    )


def _cell_type(path: Path, key: str) -> str:
    _, dot, text = key.partition(".")
    if not dot:
        raise InputError(f"split {path}", f"{key!r} names no data set", _STATE)
    return text
