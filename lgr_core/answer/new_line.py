"""Predictions for a cell line that no atlas holds, from its untreated expression or what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.answer.arguments import change_of, check_question
from lgr_core.answer.new_line_trust import (
    HeldOutLines,
    NewLineTrust,
    hold_lines_out,
    trust_in_line,
)
from lgr_core.answer.predict import predict
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, FloatArray, Retrieval, Selector
from lgr_core.errors import EmptyPoolError, NotFoundError
from lgr_core.prediction.method import Status
from lgr_core.prediction.profile_distance import ProfileDistance, profile_distance
from lgr_core.prediction.profile_ridge import LineBasis, LineShift, NewLine, ProfileRidge
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.sums import MeanOver

ALIKE = 5
"""Lines most alike in which neighbours are averaged."""


@dataclass(frozen=True, eq=False)
class NewLineAnswer:
    """The answer for a line without measurements, over ``genes`` (n_genes,).

    ``delta`` is the prediction, ``drug_mean`` the part that knows nothing of the line. ``shift``
    says what moves it and by which lines. ``distance`` is None where no expression was compared.
    ``neighbors``, (n_genes,), is the mean of LGR's answers in the lines of ``retrievals``, those
    most alike that hold the dose; None without any. ``trust`` is None until
    :func:`with_line_trust` adds it.
    """

    line: NewLine
    drug: str
    dose_um: float | None
    genes: NDArray[np.object_]
    delta: FloatArray
    drug_mean: FloatArray
    shift: LineShift
    distance: ProfileDistance | None
    neighbors: FloatArray | None
    retrievals: Mapping[str, Retrieval] = field(default_factory=dict)
    trust: NewLineTrust | None = None
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def too_far(self) -> bool:
        """Whether the line lies outside of what slopes were learned on: do not believe them."""
        return self.distance is not None and self.distance.too_far

    @property
    def neighbor_lines(self) -> tuple[str, ...]:
        """The lines in which neighbours are averaged, the most alike first."""
        return tuple(self.retrievals)

    @property
    def neighbor_drugs(self) -> tuple[str, ...]:
        """The drugs that are averaged in any of them, each once."""
        every = (drug for one in self.retrievals.values() for drug in one.drugs)
        return tuple(dict.fromkeys(every))

    @property
    def leans_on(self) -> tuple[tuple[str, float], ...]:
        """The lines whose weights move the drug's mean, the heaviest first."""
        weights = [(name, weight) for name, weight in self.shift.lines.items() if weight]
        return tuple(sorted(weights, key=lambda one: (-abs(one[1]), one[0])))

    def table(self) -> pd.DataFrame:
        """One row a gene: the prediction, the drug's mean, and LGR in the lines most alike."""
        found = {"gene": self.genes, "predicted": self.delta, "drug_mean": self.drug_mean}
        if self.neighbors is not None:
            found["lgr_in_similar_lines"] = self.neighbors
        return pd.DataFrame(found)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON types."""
        columns = self.table().drop(columns="gene").astype(float)
        return {
            "cell_line": self.line.name,
            "drug": self.drug,
            "dose_um": self.dose_um,
            "method": ProfileRidge.name,
            "stands_on": str(self.shift.basis),
            "signal": {"shared": self.shift.signal[0], "of_the_drug": self.shift.signal[1]},
            "leans_on": [{"cell_line": name, "weight": w} for name, w in self.leans_on],
            "distance": None if self.distance is None else self.distance.to_dict(),
            "too_far": self.too_far,
            "trust": None if self.trust is None else self.trust.to_dict(),
            "neighbor_lines": list(self.neighbor_lines),
            "neighbor_drugs": list(self.neighbor_drugs),
            "notes": list(self.notes),
            "provenance": self.provenance,
            "genes": self.genes.tolist(),
            **{name: columns[name].tolist() for name in columns},
        }


def predict_new_line(
    store: AtlasStore,
    *,
    line: NewLine,
    drug: str,
    dose_um: float | None = None,
    change: str = Change.TOTAL,
    selector: str | Selector = "mechanism",
    k: int = 10,
) -> NewLineAnswer:
    """Predict a drug's effect on a line without measurements, with what the answer stands on.

    The drug must have been measured in other lines. Beside it stands LGR: the neighbours that the
    selector ranks, averaged in the lines most alike.

    Raises
    ------
    LgrError
        If a name, the dose or an option is refused; the message says what to do.
    """
    check_question(store, line.name, drug, dose_um)
    name = store.drug_catalog.resolve(drug)
    dose, notes = _dose(store, name, dose_um)
    reader = EvidenceReader(store, change=change_of(change))
    block = reader.block(line.name, dose, [name])
    method = ProfileRidge(line)
    guard = block.guard(method.evidence)
    (status,) = (found := method.predict(block)).status
    if status is not Status.OK:
        raise NotFoundError(f"{name} in {line.name}", str(found.detail[0]), "Choose another drug.")
    shift = method.shift(block, guard)
    distance = _distance(store, line)
    alike = _most_alike(store, shift, distance, dose)
    answers = _in_lines(reader, alike, name, dose, selector=selector, k=k)
    return NewLineAnswer(
        line=line,
        drug=name,
        dose_um=dose,
        genes=store.gene_names[: store.n_panel],
        delta=found.delta[0],
        drug_mean=guard.mean(MeanOver.DRUG)[0][0],
        shift=shift,
        distance=distance,
        neighbors=np.mean([delta for delta, _ in answers.values()], axis=0) if answers else None,
        retrievals={name: retrieval for name, (_, retrieval) in answers.items()},
        notes=(*notes, *_said(shift, distance)),
        provenance={
            "atlas": store.name,
            "build_id": store.build_id,
            "change": str(reader.change),
            "value_kind": str(store.value_kind),
        },
    )


def with_line_trust(
    store: AtlasStore, answer: NewLineAnswer, held_out: HeldOutLines | None = None
) -> NewLineAnswer:
    """The answer with its trust, learned from the atlas's lines, each held out.

    ``held_out`` are these for the answer's dose, change and basis; computed where they are None.
    """
    basis, change = answer.shift.basis, change_of(answer.provenance["change"])
    if basis is LineBasis.NOTHING:
        return answer
    if held_out is None:
        held_out = hold_lines_out(EvidenceReader(store, change=change), answer.dose_um, basis)
    trust = trust_in_line(
        held_out, answer.drug, answer.distance, change=change, shared_wells=store.shared_wells
    )
    return replace(answer, trust=trust)


def _dose(
    store: AtlasStore, drug: str, asked: float | None
) -> tuple[float | None, tuple[str, ...]]:
    """The dose at which the drug is read, and a note where several were measured."""
    of_drug = store.conditions["drug"] == drug
    doses = sorted(store.conditions.loc[of_drug, "dose_um"].dropna().unique().tolist())
    if asked is None:
        note = f"No dose was given: the highest, {doses[-1]:g} uM, is taken." if doses else ""
        return (doses[-1] if doses else None), (note,) if len(doses) > 1 else ()
    near = [dose for dose in doses if np.isclose(dose, asked, rtol=1e-6)]
    if not near:
        found = f"measured: {', '.join(f'{dose:g} uM' for dose in doses) or 'pooled'}"
        raise NotFoundError(f"{drug} at {asked:g} uM", found, "Choose one of these.")
    return near[0], ()


def _distance(store: AtlasStore, line: NewLine) -> ProfileDistance | None:
    profiles = store.line_profiles
    if profiles is None or line.profile is None:
        return None
    return profile_distance(line.profile, profiles.expression, profiles.cell_lines)


def _most_alike(
    store: AtlasStore, shift: LineShift, distance: ProfileDistance | None, dose: float | None
) -> list[str]:
    """The lines most alike that hold the dose: by expression, else by what is known of them."""
    ranked: Sequence[str] = ()
    if distance is not None:
        ranked = distance.lines
    elif shift.basis is LineBasis.FACTS:
        ranked = sorted(shift.lines, key=lambda name: (-shift.lines[name], name))
    return [name for name in ranked if dose in store.doses(name)][:ALIKE]


def _in_lines(
    reader: EvidenceReader,
    lines: Sequence[str],
    drug: str,
    dose: float | None,
    *,
    selector: str | Selector,
    k: int,
) -> dict[str, tuple[FloatArray, Retrieval]]:
    """LGR's answer in each line that has one, and the drugs that it averages."""
    answers = {}
    for name in lines:
        try:
            found = predict(
                reader.store,
                cell_line=name,
                drug=drug,
                dose_um=dose,
                selector=selector,
                k=k,
                change=reader.change,
                reader=reader,
            )
        except EmptyPoolError:
            continue
        answers[name] = found.prediction.delta, found.retrieval
    return answers


def _said(shift: LineShift, distance: ProfileDistance | None) -> tuple[str, ...]:
    """What stands behind the answer, in sentences."""
    notes = [f"The prediction stands on {shift.basis.label}."]
    if distance is not None and distance.too_far:
        notes.append(
            f"Too far: the nearest line, {distance.lines[0]}, is {distance.distances[0]:.2f} away, "
            f"and no line of the atlas is more than {distance.limit:.2f} from its nearest. "
            "Do not believe what the slopes add; the drug's mean stands beside it."
        )
    return tuple(notes)
