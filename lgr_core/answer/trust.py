"""Trust in answers, from the newest benchmark run that calibrated their method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from lgr_core.answer.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, Evidence, FloatArray, Retrieval
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.calibration_store import CalibrationSource, newest_calibration, regime_of
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import CONTROLS
from lgr_core.prediction.trust import Trust, trust_of
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.plate_centring import MIN_OTHERS
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.specific_change import not_separable, specific_changes


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
    if method in CONTROLS:
        note = f"{method} is a control: nothing is expected of it."
    elif how not in {"mean", "weighted sum"}:
        note = f"Trust is calibrated for uniform means, not for {how}."
    else:
        return _calibrated(reader, answers, runs)
    return [replace(answer, trust_note=note) for answer in answers]


def _calibrated(reader: EvidenceReader, answers: Sequence[Answer], runs: Path) -> list[Answer]:
    """The answers with what is expected of their specific change, else of the total one alone."""
    of = partial(_newest, reader, answers[0], runs)
    total = None if answers[0].change is Change.SPECIFIC else of(Change.TOTAL)
    own = None if reader.labels.plate_index.is_empty else of(Change.SPECIFIC)
    if isinstance(own, CalibrationSource):
        found = _specific_trust(reader, answers, own)
        if isinstance(total, CalibrationSource):
            widths = [trust.half_width for trust in _trust(reader, answers, total)]
            found = [
                one if one.trust is None else replace(one, trust=replace(one.trust, half_width=w))
                for one, w in zip(found, widths, strict=True)
            ]
        return found
    if isinstance(total, CalibrationSource):
        unknown = _not_known(own)
        notes = [
            " ".join(filter(None, (unknown, _other_k(answer, total)))) or None for answer in answers
        ]
        return [
            replace(answer, trust=trust, calibrated=total, trust_note=note)
            for answer, trust, note in zip(
                answers, _trust(reader, answers, total), notes, strict=True
            )
        ]
    note = _not_known(total if own is None else own)
    return [replace(answer, trust_note=note) for answer in answers]


def _newest(
    reader: EvidenceReader, answer: Answer, runs: Path, change: Change
) -> CalibrationSource | NotFoundError:
    prediction = answer.prediction
    try:
        return newest_calibration(runs, reader.store, prediction.query, prediction.method, change)
    except NotFoundError as err:
        return err


def _not_known(why: CalibrationSource | NotFoundError | None) -> str | None:
    return f"Not known: {why.found}. {why.do}" if isinstance(why, NotFoundError) else None


def _specific_trust(
    reader: EvidenceReader, answers: Sequence[Answer], found: CalibrationSource
) -> list[Answer]:
    """The answers with trust in their specific change; where it is not defined, a note says why."""
    notes = [_not_separable(reader, answer) for answer in answers]
    defined = [answer for answer, note in zip(answers, notes, strict=True) if note is None]
    trusts = _trust(reader.specific, defined, found) if defined else iter(())
    result = []
    for answer, unknown in zip(answers, notes, strict=True):
        if unknown is not None:
            result.append(replace(answer, trust_note=unknown))
            continue
        trust, note = next(trusts), _other_k(answer, found)
        if answer.change is Change.TOTAL:  # these widths are of the specific change
            trust = replace(trust, half_width=None)
        result.append(replace(answer, trust=trust, calibrated=found, trust_note=note))
    return result


def _not_separable(reader: EvidenceReader, answer: Answer) -> str | None:
    """Why nothing can be expected of the specific change of a query, if so."""
    query = answer.prediction.query
    row = reader.store.row(query)
    if row is not None:
        changes = specific_changes(reader.store, reader.labels)
        plates = changes.line(int(reader.labels.line[row]))
        n_others = int(plates.n_others[np.flatnonzero(plates.rows == row)].sum())
        if n_others < MIN_OTHERS:
            return f"Not known: {query} {not_separable(query, n_others).found}."
    if answer.specific is None:
        return f"Not known: nothing that is averaged for {query} can be separated from its plate."
    return None


def _trust(
    reader: EvidenceReader, answers: Sequence[Answer], found: CalibrationSource
) -> Iterator[Trust]:
    """The trust in each answer, of the change that the reader reads."""
    first, query = answers[0], answers[0].prediction.query
    drugs = [answer.prediction.query.drug for answer in answers]
    block = reader.block(query.cell_line, query.dose_um, drugs)
    evidence = frozenset(map(Evidence, first.provenance["evidence"]))
    delta = np.array([_predicted(answer, reader.change) for answer in answers], dtype=float)
    used = None
    if not first.is_linear:
        names = block.guard(evidence).names(VectorBasis.LINE)
        used = np.array([np.isin(names, answer.retrieval.drugs) for answer in answers])
    each = trust_of(block, evidence, delta, found.calibration, used)
    for answer, trust in zip(answers, each, strict=True):
        yield replace(trust, reasons=(*trust.reasons, *_consistency(answer.retrieval)))


def _predicted(answer: Answer, change: Change) -> FloatArray:
    """What an answer predicts of a change, (n_panel,)."""
    if change is Change.SPECIFIC and answer.specific is not None:
        return answer.specific
    return answer.prediction.delta[: answer.n_panel]


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
