"""A file's metadata in our words: line, drug, dose, plate and which rows are vehicle."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from lgr_core.atlas.count_source import USUAL, ReadOptions
from lgr_core.atlas.sources.clean_names import (
    are_lines,
    blank,
    check_readable_names,
    clean_text,
    name_lines,
    named,
    one_spelling,
    recode,
    warn_of_doubtful,
    warn_of_lines,
)
from lgr_core.atlas.sources.columns import ColumnMap, read_flag
from lgr_core.atlas.sources.dose_column import DoseGroups, group_doses, quoted, read_doses
from lgr_core.atlas.sources.doses import parse_literal
from lgr_core.atlas.sources.samples import plates_of, read_samples
from lgr_core.atlas.sources.timepoints import pick_time
from lgr_core.domain import EMPTY, BoolArray, FloatArray
from lgr_core.drugs.combinations import without_vehicle
from lgr_core.drugs.vehicles import KNOWN_CONTROLS
from lgr_core.errors import InputError, unknown
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

UNNAMED_VEHICLE = "unnamed vehicle"
"""What a row is called that is flagged as a control and names no drug."""

CELL_LINE_FACTS = ("organ", "cellosaurus", "depmap_id")
DRUG_FACTS = ("smiles", "moa", "target", "pubchem_cid")


@dataclass(frozen=True, slots=True)
class Observations:
    """The rows of a file that can be used.

    ``frame`` is indexed 0..n-1 and has ``cell_line``, ``drug`` and ``plate`` (categories; plate
    ``""`` where none is known, names joined by ``;`` where a row stands on several), ``dose_um``
    (NaN where the file has none; the name of a group of measured doses) and ``is_control``; where
    doses were grouped, ``measured_um`` too, the doses as measured.
    ``kept`` are their row numbers in the file, ascending. ``labels`` are the control labels in
    the order in which they are preferred, ``dropped`` counts the rows that were left out, by why.
    ``at_zero`` are drugs, not known as controls, that were left out for a dose of 0 or less.
    ``time`` is the one time after which all rows were taken, as the file writes it; None: unknown.
    ``unreadable`` are doses of treatments that cannot be read, ``vehicles_at`` the times of
    vehicles where none is left at that one time. ``notes`` are what provenance says of groups of
    doses and of the file of samples.
    """

    frame: pd.DataFrame
    kept: np.ndarray
    labels: tuple[str, ...]
    dropped: dict[str, int]
    at_zero: tuple[str, ...] = ()
    time: str | None = None
    unreadable: tuple[str, ...] = ()
    vehicles_at: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def record(self) -> dict[str, Any]:
        """What provenance says of the rows: time, rows left out, dose groups, samples."""
        time = {} if self.time is None else {"time": self.time}
        return {**time, "dropped": self.dropped, **self.notes}

    @property
    def why_dropped(self) -> str:
        """What was left out and why, to end a message with; empty if nothing was."""
        reasons = _listed(self.dropped, self.unreadable)
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
    those chosen. A line named by its Cellosaurus id gets its name, spellings of one name that
    differ in case become one, and vehicles need neither dose, unit nor time. Measured doses within
    10 % of each other become one, unless ``choices.exact_doses``; plates are those of the file,
    else of ``choices.samples``.

    Raises
    ------
    InputError
        A dose has no unit or an unknown one, the rows are of several times or none of the one
        chosen, or no row is left.
    NotFoundError
        A control label, or a line that was chosen, does not occur.
    """
    drug, literal_dose = _drug(frame, columns, choices.controls)
    line = name_lines(clean_text(frame[columns.columns["cell_line"]], choices.lines))
    flag = _flag(frame, columns)
    if flag is not None:
        drug = named(drug, UNNAMED_VEHICLE, flag)
    drug = one_spelling(drug, "drugs", [*choices.controls, *KNOWN_CONTROLS])
    line = one_spelling(line, "cell lines", choices.lines)
    is_control, labels = mark_controls(drug, flag, choices.controls)
    doses = read_doses(frame, columns, is_control)
    dose = literal_dose if doses is None else doses.um
    plates = columns.get("plate")
    plate = blank(len(frame)) if plates is None else named(clean_text(frame[plates]), "")
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
        left_out = np.logical_or.reduce([*reasons.values(), is_control])
        reasons["of another dose"] = ~is_control & ~_at_doses(dose, left_out, choices)
    others = np.logical_or.reduce(list(reasons.values()))
    one_time = pick_time(frame, columns, choices.time, others, is_control)
    if one_time is not None:
        reasons["of another time"] = one_time.others
    unreadable = () if doses is None else doses.unreadable
    if unreadable:
        log.warning("doses that cannot be read: %s", quoted(unreadable))
    kept, dropped = _keep(reasons, len(frame), unreadable)
    warn_of_lines(line[kept].remove_unused_categories().categories)
    used = np.isin(np.arange(len(frame)), kept)
    warn_of_doubtful(line, "cell lines", used)
    warn_of_doubtful(drug, "drugs", used & ~is_control)
    used_dose = np.full(len(kept), np.nan) if dose is None else dose[kept]
    table = pd.DataFrame(
        {
            "cell_line": line[kept].remove_unused_categories(),
            "drug": drug[kept].remove_unused_categories(),
            "dose_um": used_dose,
            "plate": plate[kept].remove_unused_categories(),
            "is_control": is_control[kept],
        }
    )
    notes = _group_rows(table, choices, has_plates=plates is not None)
    for name, what in (("cell_line", "cell line"), ("drug", "drug"), ("plate", "plate")):
        check_readable_names(table[name].cat.categories, what)
    said = None if one_time is None else one_time.value
    vehicles_at = () if one_time is None else one_time.vehicles_at
    return Observations(table, kept, labels, dropped, at_zero, said, unreadable, vehicles_at, notes)


def _group_rows(
    table: pd.DataFrame, choices: ReadOptions, *, has_plates: bool
) -> dict[str, object]:
    """Name doses by their group, and plates by the samples; returns what was done, for provenance.

    Vehicles lose their dose.
    """
    measured = table["dose_um"].to_numpy()
    groups = _group(measured, table["is_control"].to_numpy(), choices)
    table["dose_um"] = groups.um
    if groups.members:
        table["measured_um"] = measured
    notes = groups.record()
    if choices.samples is not None and not has_plates:
        samples = read_samples(choices.samples)
        table["plate"], notes["samples"] = plates_of(table, samples, exact=choices.exact_doses)
    return notes


def _at_doses(dose: FloatArray, left_out: BoolArray, choices: ReadOptions) -> BoolArray:
    """Whether a row (n,) has a dose that is asked for, by its measured value or its group's."""
    asked = list(choices.doses)
    return np.isin(dose, asked) | np.isin(_group(dose, left_out, choices).um, asked)


def _group(um: FloatArray, left_out: BoolArray, choices: ReadOptions) -> DoseGroups:
    """Doses (n,) of the rows that are not left out, in groups unless they are asked for exactly."""
    used = np.where(left_out, np.nan, um)
    return DoseGroups(used) if choices.exact_doses else group_doses(used)


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


def _drug(
    frame: pd.DataFrame, columns: ColumnMap, controls: Sequence[str]
) -> tuple[pd.Categorical, FloatArray | None]:
    """Drug names (n,), and doses (n,) where the file writes both into one text.

    What was given with a vehicle is a drug alone: ``Trametinib+ctrl`` is Trametinib.
    """
    literal = columns.get("drug_dose")
    column = columns.get("drug", literal)
    text = clean_text(frame[column], controls)
    parsed = [parse_literal(name) for name in text.categories]
    labels = {*KNOWN_CONTROLS, *controls}
    names = [
        (name if name in labels else without_vehicle(name, labels)) if pair is None else pair.drug
        for name, pair in zip(text.categories, parsed, strict=True)
    ]
    drug = recode(text.codes, names)
    if any(parsed):
        return drug, _literal_doses(text)
    return drug, None if literal is None else _literal_doses(clean_text(frame[literal]))


def _literal_doses(text: pd.Categorical) -> FloatArray:
    parsed = [parse_literal(name) for name in text.categories]
    return np.array([np.nan if p is None else p.dose_um for p in parsed] + [np.nan])[text.codes]


def _flag(frame: pd.DataFrame, columns: ColumnMap) -> BoolArray | None:
    column = columns.get("is_control")
    if column is None:
        return None
    flag = read_flag(frame[column])
    if flag is None:
        found = f"column {column!r} holds {', '.join(map(str, frame[column].unique()[:5]))}"
        raise InputError("control flag", found, "It should hold true and false, or 1 and 0.")
    return flag


def _listed(dropped: dict[str, int], unreadable: Sequence[str]) -> str:
    """The reasons with their counts, and the doses that could not be read."""
    said = [f"{reason}: {count:,}" for reason, count in dropped.items()]
    return ", ".join(said) + (f"; doses such as {quoted(unreadable)}" if unreadable else "")


def _keep(
    reasons: dict[str, BoolArray], n: int, unreadable: Sequence[str]
) -> tuple[np.ndarray, dict[str, int]]:
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
        found = f"none is left of {n:,} ({_listed(dropped, unreadable)})"
        raise InputError("rows", found, "Check the columns chosen.")
    return np.flatnonzero(good), dropped
