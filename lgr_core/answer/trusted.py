"""How far an answer may be trusted, by the newest benchmark run that calibrated its method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lgr_core.answer.record import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Evidence, Retrieval
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.calibration_files import Calibrated, newest_calibration
from lgr_core.evaluation.methods import CONTROLS
from lgr_core.prediction.explained import METHODS as WEIGHTED
from lgr_core.prediction.trust import Trust, trust_of
from lgr_core.retrieval.blocks import FoldReader
from lgr_core.retrieval.gate import Basis


def trusted(
    store: AtlasStore, answer: Answer, runs: Path, *, reader: FoldReader | None = None
) -> Answer:
    """The answer with its trust, else with a note that says why there is none.

    ``runs`` is the folder of benchmark runs; ``reader`` one of this store's in the open world.
    """
    method, how = answer.prediction.method, answer.provenance["aggregate"]
    if method in CONTROLS:
        return replace(answer, trust_note=f"{method} is a control: nothing is expected of it.")
    if how not in {"mean", "weighted sum"}:
        note = f"Trust is calibrated for uniform means, not for {how}."
        return replace(answer, trust_note=note)
    try:
        found = newest_calibration(runs, store, answer.prediction.query, method)
    except NotFoundError as err:
        return replace(answer, trust_note=f"Not known: {err.found}. {err.do}")
    reader = FoldReader(store) if reader is None else reader
    return replace(
        answer,
        trust=_trust(reader, answer, found),
        calibrated=found,
        trust_note=_other_k(answer, found),
    )


def _trust(reader: FoldReader, answer: Answer, found: Calibrated) -> Trust:
    query, prediction = answer.prediction.query, answer.prediction
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    evidence = frozenset(map(Evidence, answer.provenance["evidence"]))
    delta = prediction.delta[None, : answer.n_panel].astype(float)
    used = _used(block.gate(evidence).names(Basis.LINE), answer)
    (trust,) = trust_of(block, evidence, delta, found.calibration, used)
    return replace(trust, reasons=(*trust.reasons, *_consistency(answer.retrieval)))


def _used(names: tuple[str, ...], answer: Answer) -> BoolArray | None:
    """(1, n_names) the neighbours that are averaged; None where all conditions are weighed."""
    if answer.prediction.method in WEIGHTED or not answer.retrieval.neighbors:
        return None
    return np.isin(names, answer.retrieval.drugs)[None, :]


def _consistency(retrieval: Retrieval) -> tuple[str, ...]:
    """How often a model that was asked several times named those who stand."""
    said = retrieval.provenance
    shares = [said.get("agreement", {}).get(drug, 0.0) for drug in retrieval.drugs]
    if not shares or int(said.get("samples", 1)) < 2:  # noqa: PLR2004 - several were asked
        return ()
    mean = float(np.mean(shares))
    words = f"Asked {said['samples']} times, the model named each of these neighbours in "
    return (f"{words}{mean:.0%} of its answers on average.",)


def _other_k(answer: Answer, found: Calibrated) -> str | None:
    k = answer.retrieval.k
    if answer.prediction.method in WEIGHTED or k == found.k:
        return None
    return f"Trust was calibrated with k = {found.k}, and k = {k} was asked for."
