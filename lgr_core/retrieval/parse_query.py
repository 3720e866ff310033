"""What the words of a question mean in an atlas."""

from __future__ import annotations

import math

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError


def read_query(
    store: AtlasStore, cell_line: str, drug: str, dose_um: float | None = None
) -> tuple[Condition, tuple[str, ...]]:
    """The condition that the words mean in this atlas, and notes on how they were read.

    Names are matched by their closest reading. Without a dose, the highest at which the drug was
    measured in the line is taken (the line's highest if it never was), and the note says so.

    Raises
    ------
    NotFoundError
        If the line, the drug, or the dose in that line is unknown.
    AmbiguousError
        If a name reads as two.
    """
    line = store.cell_line_catalog.resolve(cell_line)
    name = store.drug_catalog.resolve(drug)
    notes = [
        f"{given!r} was read as {found!r}."
        for given, found in ((cell_line, line), (drug, name))
        if given.strip() != found
    ]
    line_doses = store.doses(line)
    if dose_um is None:
        doses = store.doses(line, name)
        dose_um = doses[0] if doses else line_doses[0]
        if len(doses) > 1 or (not doses and len(line_doses) > 1):
            notes.append(f"No dose was given: the highest, {dose_um:g} uM, is taken.")
    else:
        dose_um = _measured_dose(line, dose_um, line_doses)
    return Condition(line, name, dose_um), tuple(notes)


def _measured_dose(line: str, asked: float, doses: tuple[float | None, ...]) -> float | None:
    for dose in doses:
        if dose is not None and math.isclose(dose, asked, rel_tol=1e-6):
            return dose
    shown = ", ".join("pooled" if dose is None else f"{dose:g} uM" for dose in doses)
    do = "Choose one of these." if doses != (None,) else "Leave the dose out."
    raise NotFoundError(f"dose {asked:g} uM in {line}", f"measured there: {shown}", do)
