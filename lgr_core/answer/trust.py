"""Trust in answers, from the newest benchmark run that calibrated their method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lgr_core.answer.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, Evidence, Retrieval
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.calibration_store import CalibrationSource, newest_calibration, regime_of
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import CONTROLS
from lgr_core.prediction.trust import Trust, trust_of
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.query_block import EvidenceReader


def with_trust(
    store: AtlasStore, answer: Answer, runs: Path, *, reader: EvidenceReader | None = None
) -> Answer:
    """The answer with its trust, else with a note that says why there is none.

    ``runs`` is the folder of benchmark runs; ``reader`` one of this store's in the open world.
    """
    reader = EvidenceReader(store) if reader is None else reader
    return with_trust_together(reader, [answer], runs)[0]


def with_trust_together(
    reader: EvidenceReader, answers: Sequence[Answer], runs: Path
) -> list[Answer]:
    """Trust for answers that differ in the drug alone; what they share is read once."""
    store, results = reader.store, list(answers)
    kinds = [_kind(store, answer) for answer in answers]
    for kind in dict.fromkeys(kinds):
        places = [place for place, other in enumerate(kinds) if other == kind]
        alike = [answers[place] for place in places]
        for place, answer in zip(places, _of_kind(reader, alike, runs), strict=True):
            results[place] = answer
    return results


def _kind(store: AtlasStore, answer: Answer) -> tuple[str, str, Regime]:
    """What a calibration hangs on: the method, how it combines, and the kind of question."""
    prediction, how = answer.prediction, str(answer.provenance["aggregate"])
    return prediction.method, how, regime_of(store, prediction.query)


def _of_kind(reader: EvidenceReader, answers: Sequence[Answer], runs: Path) -> list[Answer]:
    """The answers, all of one kind, with their trust or with the same note."""
    method, how, _ = _kind(reader.store, answers[0])
    if answers[0].change is Change.SPECIFIC:
        note = "Trust is calibrated for total changes only."
    elif method in CONTROLS:
        note = f"{method} is a control: nothing is expected of it."
    elif how not in {"mean", "weighted sum"}:
        note = f"Trust is calibrated for uniform means, not for {how}."
    else:
        try:
            found = newest_calibration(runs, reader.store, answers[0].prediction.query, method)
        except NotFoundError as err:
            note = f"Not known: {err.found}. {err.do}"
        else:
            return [
                replace(answer, trust=trust, calibrated=found, trust_note=_other_k(answer, found))
                for answer, trust in zip(answers, _trust(reader, answers, found), strict=True)
            ]
    return [replace(answer, trust_note=note) for answer in answers]


def _trust(
    reader: EvidenceReader, answers: Sequence[Answer], found: CalibrationSource
) -> Iterator[Trust]:
    first, query = answers[0], answers[0].prediction.query
    drugs = [answer.prediction.query.drug for answer in answers]
    block = reader.block(query.cell_line, query.dose_um, drugs)
    evidence = frozenset(map(Evidence, first.provenance["evidence"]))
    panel = slice(None, first.n_panel)
    delta = np.array([answer.prediction.delta[panel] for answer in answers], dtype=float)
    used = None
    if not first.is_linear:
        names = block.guard(evidence).names(VectorBasis.LINE)
        used = np.array([np.isin(names, answer.retrieval.drugs) for answer in answers])
    each = trust_of(block, evidence, delta, found.calibration, used)
    for answer, trust in zip(answers, each, strict=True):
        yield replace(trust, reasons=(*trust.reasons, *_consistency(answer.retrieval)))


def _consistency(retrieval: Retrieval) -> tuple[str, ...]:
    """How often a model that was asked several times named those who stand."""
    provenance = retrieval.provenance
    shares = [provenance.get("agreement", {}).get(drug, 0.0) for drug in retrieval.drugs]
    if not shares or int(provenance.get("samples", 1)) < 2:  # noqa: PLR2004 - several were asked
        return ()
    mean = float(np.mean(shares))
    words = f"Asked {provenance['samples']} times, the model named each of these neighbours in "
    return (f"{words}{mean:.0%} of its answers on average.",)


def _other_k(answer: Answer, found: CalibrationSource) -> str | None:
    k = answer.retrieval.k
    if answer.is_linear or k == found.k:
        return None
    return f"Trust was calibrated with k = {found.k}, and k = {k} was asked for."
