"""A drug at a dose between the measured ones: its curve there, with an interval and neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.answer.arguments import change_of, check_question
from lgr_core.answer.dose_curves import DoseReader
from lgr_core.answer.predict import retrieve
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, FloatArray, Selector
from lgr_core.errors import EmptyPoolError, NotFoundError
from lgr_core.prediction.dose_weights import (
    DoseSeries,
    LearnedCurve,
    curve_rule,
    curve_weights,
    learn_curve,
    nearest_weights,
)


@dataclass(frozen=True, eq=False)
class BetweenDoses:
    """A drug's change at a dose that was not measured, over ``genes`` (n_genes,).

    ``delta`` is the weighted sum of the drug's measured doses, ``weights`` by dose in micromolar,
    and ``learned`` says how strongly the curve follows the dose and how wide the interval is.
    ``neighbors``, (n_genes,), is the mean of the neighbours at the same dose, None without any;
    ``neighbor_doses`` are the doses at which each was read.
    """

    cell_line: str
    drug: str
    dose_um: float
    genes: NDArray[np.object_]
    delta: FloatArray
    weights: dict[float, float]
    learned: LearnedCurve
    neighbors: FloatArray | None
    neighbor_doses: dict[str, tuple[float, ...]]
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """One row a gene: the prediction with its 90 % interval, and the neighbours' mean."""
        found: dict[str, Any] = {"gene": self.genes, "predicted": self.delta}
        if self.learned.half_width is not None:
            found["low"] = self.delta - self.learned.half_width
            found["high"] = self.delta + self.learned.half_width
        if self.neighbors is not None:
            found["neighbors_at_dose"] = self.neighbors
        return pd.DataFrame(found)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON types."""
        columns = self.table().drop(columns="gene").astype(float)
        return {
            "cell_line": self.cell_line,
            "drug": self.drug,
            "dose_um": self.dose_um,
            "method": "dose_curve",
            "weights": [{"dose_um": dose, "weight": w} for dose, w in self.weights.items()],
            "strength": self.learned.strength,
            "held_out_doses": self.learned.n_held_out,
            "neighbors": [
                {"drug": drug, "doses_um": list(doses)}
                for drug, doses in self.neighbor_doses.items()
            ],
            "notes": list(self.notes),
            "provenance": self.provenance,
            "genes": self.genes.tolist(),
            **{name: columns[name].tolist() for name in columns},
        }


def is_between(store: AtlasStore, cell_line: str, drug: str, dose_um: float | None) -> bool:
    """Whether no drug of the line was measured at this dose, and this one below and above it."""
    if dose_um is None:
        return False
    line, name = store.cell_line_catalog.resolve(cell_line), store.drug_catalog.resolve(drug)
    if any(dose and np.isclose(dose, dose_um, rtol=1e-6) for dose in store.doses(line)):
        return False
    known = [dose for dose in store.doses(line, name) if dose]
    return bool(known) and min(known) < dose_um < max(known)


def predict_between(
    store: AtlasStore,
    *,
    cell_line: str,
    drug: str,
    dose_um: float,
    change: str = Change.TOTAL,
    selector: str | Selector = "mechanism",
    k: int = 10,
    all_genes: bool = False,
) -> BetweenDoses:
    """Predict a drug at a dose between those at which it was measured in the line.

    The curve over log dose is shrunken towards the mean of the drug's doses, as strongly as the
    inner doses of the line's other drugs ask for, each left out in turn. Beside it stand the
    neighbours at the same dose: those ranked at the line's nearest dose, each by its own curve, or
    at its nearest dose where that does not span the dose asked for.

    Raises
    ------
    NotFoundError
        If the dose does not lie between two measured ones.
    LgrError
        If a name or an option is refused.
    """
    check_question(store, cell_line, drug, dose_um)
    line, name = store.cell_line_catalog.resolve(cell_line), store.drug_catalog.resolve(drug)
    reader = DoseReader(store, line, change_of(change), all_genes=all_genes)
    series = reader.series(name)
    if series is None or not series.spans(dose_um):
        known = [] if series is None else [f"{dose:g}" for dose in series.doses_um]
        found = f"measured: {', '.join(known) or 'nothing'} uM"
        do = "Ask for a dose between two measured ones: none is predicted beyond them."
        raise NotFoundError(f"{name} at {dose_um:g} uM in {line}", found, do)
    learned = learn_curve(reader.others(name))
    weights = curve_weights(series.doses_um, dose_um, learned.strength)
    read = _neighbors(reader, name, dose_um, learned, selector=selector, k=k)
    return BetweenDoses(
        cell_line=line,
        drug=name,
        dose_um=dose_um,
        genes=reader.genes,
        delta=weights @ series.changes,
        weights=dict(zip(series.doses_um.tolist(), weights.tolist(), strict=True)),
        learned=learned,
        neighbors=np.mean([delta for delta, _ in read.values()], axis=0) if read else None,
        neighbor_doses={drug: doses for drug, (_, doses) in read.items()},
        notes=_notes(series, learned),
        provenance={
            "atlas": store.name,
            "build_id": store.build_id,
            "change": str(reader.change),
            "value_kind": str(store.value_kind),
        },
    )


def _neighbors(
    reader: DoseReader,
    drug: str,
    dose_um: float,
    learned: LearnedCurve,
    *,
    selector: str | Selector,
    k: int,
) -> dict[str, tuple[FloatArray, tuple[float, ...]]]:
    """Each neighbour's change at the dose, and the measured doses that it is made of."""
    doses = np.array(sorted(dose for dose in reader.store.doses(reader.cell_line) if dose))
    nearest = float(doses[nearest_weights(doses, dose_um).argmax()])
    try:
        retrieval = retrieve(
            reader.store,
            cell_line=reader.cell_line,
            drug=drug,
            dose_um=nearest,
            selector=selector,
            k=k,
        )
    except EmptyPoolError:
        return {}
    read: dict[str, tuple[FloatArray, tuple[float, ...]]] = {}
    for name in retrieval.drugs:
        series = reader.series(name)
        if series is None:
            continue
        rule = curve_rule(learned.strength) if series.spans(dose_um) else nearest_weights
        weights = rule(series.doses_um, dose_um)
        read[name] = weights @ series.changes, tuple(series.doses_um[weights != 0].tolist())
    return read


def _notes(series: DoseSeries, learned: LearnedCurve) -> tuple[str, ...]:
    shown = ", ".join(f"{dose:g}" for dose in series.doses_um)
    notes = [f"No drug of the line was measured at this dose: {series.drug} was at {shown} uM."]
    if learned.half_width is None:
        notes.append(
            f"Other drugs of the line have {learned.n_held_out} inner doses, too few to learn a "
            "curve or an interval from: the answer is the mean of the drug's doses."
        )
    elif not learned.strength:
        notes.append("At inner doses of other drugs the mean of their doses errs least: so here.")
    return tuple(notes)
