"""Output of the commands on one query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.answer import Answer, retrieval_dict
from lgr_core.answer.export import table_csv
from lgr_core.atlas.store import AtlasStore
from lgr_core.cli.common import echo, print_json
from lgr_core.domain import Change, FloatArray, IntArray, Rejected, Retrieval
from lgr_core.errors import UsageError
from lgr_core.retrieval.answer_source import source_words
from lgr_core.retrieval.expected_drugs import ExpectedDrug
from lgr_core.retrieval.recorded import choice_words, other_line, said_of
from lgr_core.signatures.expected import ExpectedSignature

_SHOWN = 3
"""Conditions named of each term."""


_SHOWN_METRICS = {
    Change.TOTAL: ("pearson_delta", "cosine", "mae_delta", "sign_accuracy"),
    Change.SPECIFIC: ("pearson_specific", "sign_specific_top50", "overlap_specific_at_50"),
}
"""The metrics that lines show, by change."""


def show_retrieval(retrieval: Retrieval, *, as_json: bool) -> None:
    """Print a retrieval, as lines or as the JSON of an answer without a prediction."""
    if as_json:
        empty = dict.fromkeys(("fallback", "genes", "delta", "metrics"))
        provenance = {"selector": dict(retrieval.provenance)}
        print_json({**retrieval_dict(retrieval), **empty, "provenance": provenance})
    else:
        print(_neighbor_lines(retrieval, "neighbours"))


def warn_of_departures(retrieval: Retrieval) -> None:
    """Warn on standard error which settings a recorded answer does not honour."""
    provenance = said_of(retrieval.provenance)
    if provenance is not None:
        echo(f"lgr: {provenance}")


def _neighbor_lines(retrieval: Retrieval, kind: str) -> str:
    head = f"{retrieval.query}: {retrieval.k_used} of {retrieval.k} {kind}"
    source = source_words(retrieval.provenance)
    who = retrieval.selector if source is None else f"{retrieval.selector}, {source}"
    asked = other_line(retrieval.provenance, retrieval.query.cell_line)
    who += "" if asked is None else f", asked for {asked}"
    lines = [f"{head} from {retrieval.pool_size} candidates ({who})"]
    choice = choice_words(retrieval.provenance, retrieval.query.cell_line)
    lines += [] if choice is None else [f"  this answer: {choice}"]
    for n in retrieval.neighbors:
        lines.append(f"  {n.rank:2d}. {n.drug}: {n.rationale}")
        if n.structured is not None:
            stated = (f"{label}: {value}" for label, value in n.structured.in_words())
            lines.append(f"      {'; '.join(stated)}")
    lines += [f"  refused: {r.text} ({_why(r)})" for r in retrieval.rejected]
    return "\n".join(lines)


def _why(rejected: Rejected) -> str:
    hint = "" if rejected.suggestion is None else f"; perhaps {rejected.suggestion}?"
    return f"{rejected.reason}{hint}"


def answer_lines(store: AtlasStore, answer: Answer) -> str:
    """An answer as lines: method, predicted change, trust and scores."""
    simulated = ["SIMULATED data: not a measurement."] if store.simulated else []
    kind = "heaviest other drugs here" if answer.is_linear else "neighbours"
    named = _neighbor_lines(answer.retrieval, kind)
    lines = [*simulated, named, *answer.notes, *_term_lines(answer)]
    table = answer.top_genes(10)
    specific = answer.change is Change.SPECIFIC
    for title, sign in (("up", 1), ("down", -1)):
        genes = table[table["predicted"] * sign > 0]
        pairs = zip(genes["gene"], genes["predicted"], strict=True)
        values = ", ".join(f"{gene} {value:+.2f}" for gene, value in pairs)
        unit = f"{answer.change} {store.value_kind.label}" if specific else store.value_kind.label
        lines.append(f"predicted {title} ({unit}): {values}")
    lines += _trust_lines(answer)
    if answer.plate_note is not None:
        lines.append(f"measured, but it {answer.plate_note}: no metrics")
    elif answer.metrics is None:
        lines.append("not measured: no metrics")
    else:
        shown = _SHOWN_METRICS[answer.change]
        scores = (f"{name} {answer.metrics[name]:.3f}" for name in shown)
        lines.append(f"against the measured change: {', '.join(scores)}")
    return "\n".join(lines)


def expected_lines(left_out: Sequence[ExpectedDrug], stated: ExpectedSignature | None) -> list[str]:
    """Drugs of the query's mechanism that were not chosen, and how strong the model expects it."""
    lines = []
    if left_out:
        first = "; ".join(f"{one.drug} ({', '.join(one.mechanisms)})" for one in left_out[:_SHOWN])
        more = len(left_out) - _SHOWN
        rest = f" and {more:,} more" if more > 0 else ""
        sources = " / ".join(sorted({one.source for one in left_out}))
        lines.append(f"same mechanism, not chosen: {first}{rest} [{sources}]")
    if stated is not None and stated.label is not None:
        lines.append(f"{stated.label} ({stated.source})")
    return lines


def _term_lines(answer: Answer) -> list[str]:
    """What a method that weighs everything stands on, term by term."""
    if not answer.is_linear:
        return []
    lines = [f"stands on {answer.retrieval.provenance['why']}"]
    for term in answer.terms:
        first = ", ".join(f"{one} {weight:+.3f}" for one, weight in term.conditions[:_SHOWN])
        more = len(term.conditions) - _SHOWN
        rest = f" and {more:,} more" if more > 0 else ""
        lines.append(f"  {term.share:.0%} of the weight, {term.term.label}: {first}{rest}")
    return lines


def _trust_lines(answer: Answer) -> list[str]:
    """The trust level with its reasons, or the note where there is none."""
    trust, by = answer.trust, answer.calibrated
    lines = [] if answer.trust_note is None else [f"trust: {answer.trust_note}"]
    if trust is None or by is None:
        return lines
    head = f"trust: {trust.light}, expected Pearson r {trust.expected:.2f} (90 % interval "
    head += f"{trust.low:.2f} to {trust.high:.2f}), calibrated on {by.calibration.n:,} held-out "
    return [f"{head}conditions of run {by.run}", *(f"  {why}" for why in trust.reasons), *lines]


def write_csv(table: pd.DataFrame, path: Path | None, what: str) -> None:
    """Write the table of an answer that is no ordinary one, where ``--out`` names a file.

    Raises
    ------
    UsageError
        If the file is no CSV; ``what`` says of which answer no other is written.
    """
    if path is None:
        return
    if path.suffix != ".csv":
        found = f"the ending {path.suffix!r} is not written for {what}"
        raise UsageError(f"output {path}", found, "Name a .csv file.")
    path.write_text(table_csv(table), encoding="utf-8")


def gene_words(
    genes: NDArray[np.object_],
    delta: FloatArray,
    places: IntArray,
    half_width: FloatArray | None = None,
) -> str:
    """Some genes with their changes, and the half-width of each one's interval if it is known."""
    return ", ".join(
        f"{genes[i]} {delta[i]:+.2f}" + ("" if half_width is None else f" +/- {half_width[i]:.2f}")
        for i in places
    )
