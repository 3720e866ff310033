"""A file's metadata in our words: line, drug, dose, plate and which rows are vehicle."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lgr_core.atlas.count_source import USUAL, ReadOptions
from lgr_core.atlas.sources.columns import ColumnMap, read_flag
from lgr_core.atlas.sources.doses import parse_dose, parse_literal
from lgr_core.atlas.sources.lines import are_lines, name_lines
from lgr_core.atlas.sources.times import pick_time
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError, unknown
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

KNOWN_CONTROLS = (
    "DMSO_TF",
    "DMSO",
    "Dimethyl Sulfoxide",
    "dimethyl sulfoxide",
    "Vehicle",
    "vehicle",
    "Control",
    "control",
    "ctrl",
    "Media",
    "Untreated",
    "untreated",
)
"""Control labels that are known, matched exactly; where several stand, in this order."""

UNNAMED_VEHICLE = "unnamed vehicle"
"""What a row is called that is flagged as a control and names no drug."""

CELL_LINE_FACTS = ("organ", "cellosaurus", "depmap_id")
DRUG_FACTS = ("smiles", "moa", "target", "pubchem_cid")


@dataclass(frozen=True, slots=True)
class Observations:
    """The rows of a file that can be used.

    ``frame`` is indexed 0..n-1 and has ``cell_line``, ``drug`` and ``plate`` (categories; plate
    ``""`` where the file has none), ``dose_um`` (NaN where the file has none) and ``is_control``.
    ``kept`` are their row numbers in the file, ascending. ``labels`` are the control labels in
    the order in which they are preferred, ``dropped`` counts the rows that were left out, by why.
    ``at_zero`` are drugs, not known as controls, that were left out for a dose of 0 or less.
    ``time`` is the one time after which all rows were taken, as the file writes it; None: unknown.
    """

    frame: pd.DataFrame
    kept: np.ndarray
    labels: tuple[str, ...]
    dropped: dict[str, int]
    at_zero: tuple[str, ...] = ()
    time: str | None = None

    @property
    def why_dropped(self) -> str:
        """What was left out and why, to end a message with; empty if nothing was."""
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in self.dropped.items())
        return f" (rows left out: {reasons})" if reasons else ""


def read_observations(
    frame: pd.DataFrame,
    columns: ColumnMap,
    choices: ReadOptions = USUAL,
) -> Observations:
    """Translate a file's metadata.

    A row is a control if its drug equals a chosen control, to the letter; where none is chosen,
    if it is flagged or its drug is one of :data:`KNOWN_CONTROLS`. Rows without a line or a drug,
    rows that did not pass the file's own filter and treatments without a readable positive dose
    (where doses are given) are dropped and counted. So are rows of another time than the one
    chosen; where none is, all rows must be of one time; and rows of other lines and doses than
    those chosen. A line named by its Cellosaurus id gets its name.

    Raises
    ------
    InputError
        A dose has no unit or an unknown one, the rows are of several times or none of the one
        chosen, or no row is left.
    NotFoundError
        A control label, or a line that was chosen, does not occur.
    """
    drug, literal_dose = _drug(frame, columns)
    line = name_lines(clean_text(frame[columns.columns["cell_line"]]))
    dose = _dose(frame, columns, literal_dose)
    flag = _flag(frame, columns)
    if flag is not None:
        drug = _named(drug, UNNAMED_VEHICLE, flag)
    is_control, labels = mark_controls(drug, flag, choices.controls)
    plates = columns.get("plate")
    plate = blank(len(frame)) if plates is None else _named(clean_text(frame[plates]), "")
    reasons = {"no cell line": line.codes < 0, "no drug": drug.codes < 0}
    passed = columns.get("pass_filter")
    if passed is not None:
        reasons["pass_filter is not full"] = (frame[passed] != "full").to_numpy(dtype=bool)
    at_zero: tuple[str, ...] = ()
    if dose is not None:
        at_zero = tuple(drug[~is_control & (dose <= 0)].remove_unused_categories().categories)
        reasons["no readable dose"] = ~is_control & np.isnan(dose)
        reasons["dose not positive"] = ~is_control & (dose <= 0)
    if choices.lines:
        reasons["of another cell line"] = ~are_lines(line, choices.lines)
    if choices.doses and dose is not None:
        reasons["of another dose"] = ~is_control & ~np.isin(dose, list(choices.doses))
    others = np.logical_or.reduce(list(reasons.values()))
    one_time = pick_time(frame, columns, choices.time, others)
    if one_time is not None:
        reasons["of another time"] = one_time.others
    kept, dropped = _keep(reasons, len(frame))
    table = pd.DataFrame(
        {
            "cell_line": line[kept].remove_unused_categories(),
            "drug": drug[kept].remove_unused_categories(),
            "dose_um": np.full(len(kept), np.nan) if dose is None else dose[kept],
            "plate": plate[kept].remove_unused_categories(),
            "is_control": is_control[kept],
        }
    )
    table.loc[table["is_control"], "dose_um"] = np.nan
    said = None if one_time is None else one_time.value
    return Observations(table, kept, labels, dropped, at_zero, said)


def clean_text(values: pd.Series) -> pd.Categorical:
    """Text as categories, stripped; only null and empty are missing, ``NA`` is a name."""
    raw = values if isinstance(values.dtype, pd.CategoricalDtype) else values.astype("category")
    return _recode(raw.cat.codes.to_numpy(), [str(text) for text in raw.cat.categories])


def _recode(codes: IntArray, texts: Sequence[str]) -> pd.Categorical:
    """Categories for ``texts[code]``; texts that are the same once stripped become one."""
    stripped = pd.Index([text.strip() for text in texts], dtype=object)
    names = pd.Index(sorted(set(stripped) - {""}), dtype=object)
    table = np.append(names.get_indexer(stripped), -1)
    return pd.Categorical.from_codes(table[codes], categories=names)


def _named(names: pd.Categorical, name: str, where: BoolArray | None = None) -> pd.Categorical:
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


def mark_controls(
    drug: pd.Categorical, flag: BoolArray | None, controls: Sequence[str] = ()
) -> tuple[BoolArray, tuple[str, ...]]:
    """Which rows are controls (n,), and their labels in the order of preference.

    Raises
    ------
    NotFoundError
        A label in ``controls`` does not occur.
    """
    names = list(drug.categories)
    for label in controls:
        if label not in names:
            raise unknown("control label", label, names, "the drug column")
    wanted = tuple(controls) or KNOWN_CONTROLS
    present = [label for label in wanted if label in names]
    is_control = np.isin(drug.codes, drug.categories.get_indexer(present))
    if flag is not None and not controls:
        is_control |= flag
        flagged = drug[flag].remove_unused_categories().categories
        strange = [label for label in flagged if label not in present]
        if strange:
            # OP3 flags its positive controls, which are treatments.
            said = ", ".join(strange)
            remedy = Remedy(Fix.NO_FLAG, "is_control")
            log.warning("flagged as controls: %s (%s)", said, remedy)
        present += strange
    return is_control, tuple(present)


def known_facts(
    obs: pd.DataFrame, seen: Observations, columns: ColumnMap, key: Literal["cell_line", "drug"]
) -> pd.DataFrame:
    """What the file says of each line (organ, ids) or drug (SMILES, MoA, target): one row a name.

    The first value of a name stands; controls are no drugs. Without such a column: no rows.
    """
    facts = CELL_LINE_FACTS if key == "cell_line" else DRUG_FACTS
    found = {role: column for role in facts if (column := columns.get(role)) is not None}
    if not found:
        return pd.DataFrame(columns=[key])
    rows = seen.frame if key == "cell_line" else seen.frame[~seen.frame["is_control"]]
    table = pd.DataFrame({key: rows[key]})
    for role, column in found.items():
        table[role] = clean_text(obs[column])[seen.kept[rows.index]]
    table = table.drop_duplicates().astype(object)
    return table.groupby(key, sort=True, as_index=False).first().fillna("")


def _drug(frame: pd.DataFrame, columns: ColumnMap) -> tuple[pd.Categorical, FloatArray | None]:
    """Drug names (n,), and doses (n,) where the file writes both into one text."""
    literal = columns.get("drug_dose")
    named = columns.get("drug", literal)
    text = clean_text(frame[named])
    parsed = [parse_literal(name) for name in text.categories]
    if not any(parsed):
        return text, None if literal is None else _literal_doses(clean_text(frame[literal]))
    pairs = zip(text.categories, parsed, strict=True)
    names = [name if pair is None else pair.drug for name, pair in pairs]
    return _recode(text.codes, names), _literal_doses(text)


def _literal_doses(text: pd.Categorical) -> FloatArray:
    parsed = [parse_literal(name) for name in text.categories]
    return np.array([np.nan if p is None else p.dose_um for p in parsed] + [np.nan])[text.codes]


def _dose(frame: pd.DataFrame, columns: ColumnMap, literal: FloatArray | None) -> FloatArray | None:
    """Dose in micromolar (n,), NaN where it cannot be read; None where the file has none."""
    column = columns.get("dose")
    if column is None:
        return literal
    codes, doses = pd.factorize(frame[column])
    unit_column = columns.get("dose_unit")
    units = blank(len(frame)) if unit_column is None else clean_text(frame[unit_column])
    known = [columns.dose_unit if unit_column is None else name for name in units.categories]
    n_units = len(known) + 1  # the last stands for a missing unit, code -1
    pairs, inverse = np.unique(codes * n_units + units.codes % n_units, return_inverse=True)
    table = [
        np.nan if dose < 0 else parse_dose(doses[dose], [*known, None][unit])
        for dose, unit in (divmod(int(pair), n_units) for pair in pairs)
    ]
    return np.array(table, dtype=float)[inverse]


def _flag(frame: pd.DataFrame, columns: ColumnMap) -> BoolArray | None:
    column = columns.get("is_control")
    if column is None:
        return None
    flag = read_flag(frame[column])
    if flag is None:
        found = f"column {column!r} holds {', '.join(map(str, frame[column].unique()[:5]))}"
        raise InputError("control flag", found, "It should hold true and false, or 1 and 0.")
    return flag


def _keep(reasons: dict[str, BoolArray], n: int) -> tuple[np.ndarray, dict[str, int]]:
    """Row numbers to keep, and how many fell to each reason (the first that applies)."""
    good, dropped = np.ones(n, dtype=bool), {}
    for reason, bad in reasons.items():
        count = int((good & bad).sum())
        if count:
            dropped[reason] = count
            log.warning("%s of %s rows left out: %s", f"{count:,}", f"{n:,}", reason)
        good &= ~bad
    if n == 0:
        raise InputError("rows", "the file has none", "Give one row a cell, well or condition.")
    if not good.any():
        found = ", ".join(f"{reason}: {count:,}" for reason, count in dropped.items())
        raise InputError("rows", f"none is left of {n:,} ({found})", "Check the columns chosen.")
    return np.flatnonzero(good), dropped
