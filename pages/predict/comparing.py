"""The sections of the page that holds a prediction against the truth and its rivals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.answer.baselines import (
    BaselineComparison,
    BaselineResult,
    share_below,
    strips_of,
    top_agreement,
)
from lgr_core.domain import FloatArray
from lgr_core.evaluation.registry import REGISTRY
from lgr_core.figures import comparison as compare_figures
from lgr_core.figures import prediction as figures
from lgr_core.metrics import EVERY_METRIC, Direction
from lgr_core.prediction.significance import direction
from pages.predict import fit, sections
from pages.predict.taking import figure_downloads
from pages.shared import evidence_state, links, pieces
from pages.shared.asking import Answered
from pages.shared.browsing import download, metric_column, predict_link, spelled
from pages.shared.charts import chart
from pages.shared.method_words import METHOD_WORDS
from pages.shared.question import POOLED
from pages.shared.widgets import html
from pages.shared.words import at_dose, count, literal, selector_words, share

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

OURS = "This prediction"
_ORACLE = "oracle_k"
_READS_THE_DRUG = frozenset({"best_evidence", "drug_mean"})
"""Methods that read the query's drug itself, in other lines."""
_TOP = 50
_LINES = 40


class Contest(NamedTuple):
    """A prediction, all its rivals, and the one it is held against."""

    view: Answered
    found: BaselineComparison
    rival: BaselineResult

    @property
    def strips(self) -> tuple[str, ...]:
        """The metrics that all are scored on, the correlation first."""
        return strips_of(self.view.answer.change)

    @property
    def ours(self) -> str:
        """What the prediction is called."""
        answer = self.view.answer
        name = answer.prediction.method
        by = METHOD_WORDS[name] if answer.is_linear else selector_words(answer.retrieval.selector)
        return f"{by.label} (this prediction)"

    @property
    def theirs(self) -> str:
        """What its rival is called."""
        return REGISTRY[self.rival.method].label


def contest(view: Answered) -> Contest | None:
    """All that answers the question, scored; None where nothing was measured."""
    asked, answer = view.asked, view.answer
    found = evidence_state.baselines(asked.store, answer)
    if found is None:
        return None
    others = {
        name: rival for name, rival in found.baselines.items() if name != answer.prediction.method
    }
    wished = asked.view["rival"]
    rival = others.get(wished, others["pool_mean"])
    return Contest(view, replace(found, baselines=others), rival)


def unmeasured(view: Answered) -> None:
    """There is no truth here: where there is one, and what can be seen without it."""
    store, question = view.asked.store, view.asked.question
    rows = store.conditions[store.conditions["drug"] == question.drug]
    words = f"{question} was not measured, so nothing tells whether the prediction is right."
    if rows.empty:
        html(pieces.lead([pieces.strong(words)]))
        html(
            pieces.caption(
                f"{question.drug} was measured nowhere in this atlas. Its neighbours can be looked "
                "at under Reasons; choose a drug of the atlas to see how such predictions fare."
            )
        )
        return
    html(pieces.lead([pieces.strong(words), "It was measured here:"]))
    with st.container(horizontal=True, gap="small"):
        for row in rows.head(_LINES).itertuples():
            dose = spelled(row.dose_um)
            where = f"{row.cell_line} {at_dose(None if dose == POOLED else float(dose))}"
            address = predict_link(store, question.drug, row.cell_line, dose)
            st.link_button(literal(where), f"{address}&look=truth")


def headline(contest: Contest) -> None:
    """Whether it was right, and whether anything else does better, in sentences."""
    asked, answer = contest.view.asked, contest.view.answer
    ours, r = answer.correlation, contest.strips[0]
    better = sorted(
        (rival for rival in contest.found.baselines.values() if _beats(rival, ours, r)),
        key=lambda rival: -rival.scores[r],
    )
    names = [f"{REGISTRY[rival.method].label} ({rival.scores[r]:.2f})" for rival in better]
    told = (
        f"Better here: {pieces.strong(', '.join(names))}."
        if names
        else "No rival does better here."
    )
    same = [REGISTRY[rival.method].label for rival in better if rival.method in _READS_THE_DRUG]
    if same and asked.store.shared_wells == "yes":
        told += (
            f" All lines of these data share their wells, so {' and '.join(same)} read this drug's "
            "own wells in other lines; of a new experiment their scores say little."
        )
    oracle = contest.found.baselines.get(_ORACLE)
    if oracle is not None and oracle.scores:
        best = oracle.scores[r]
        told += f" The best picks, chosen with the truth in sight, reach {best:.2f}."
    blind = share_below(contest.found.random[r], ours)
    luck = (
        f"Of {len(contest.found.random[contest.strips[0]]):,} random picks from the same pool, it "
        f"beats <b>{share(blind)}</b>."
        if math.isfinite(blind)
        else ""
    )
    lead = f"Pearson r with the measured change <b>{ours:.2f}</b> (n = {answer.n_panel:,} genes)."
    html(pieces.lead([f"{lead} {luck}", told]) + sections.remarks(asked, answer))


def strips(contest: Contest) -> Figure:
    """A strip a metric: this prediction, its rivals, and the band of blind picks."""
    n_draws = len(contest.found.random[contest.strips[0]])
    html(
        pieces.section(
            "Every metric",
            "Each strip runs from the worst to the best score shown. The grey band holds 95 % of "
            f"{count(n_draws, 'random pick')} of as many drugs from the same pool.",
        )
    )
    answer = contest.view.answer
    marks: dict[str, list[float]] = {OURS: [answer.metrics[name] for name in contest.strips]}
    for rival in contest.found.baselines.values():
        if rival.scores:
            label = REGISTRY[rival.method].label
            marks[label] = [rival.scores[name] for name in contest.strips]
    figure = compare_figures.strips(
        [EVERY_METRIC[name].label for name in contest.strips],
        marks,
        [contest.found.random[name] for name in contest.strips],
        [EVERY_METRIC[name].best for name in contest.strips],
        ours=OURS,
        other=contest.theirs if contest.rival.scores else None,
    )
    chart(figure, "strips", f"Scores of all methods for {_question(contest)}.")
    return figure


def side_by_side(contest: Contest) -> dict[str, Figure]:
    """Predicted against measured, of this prediction and of the rival that is picked."""
    answer = contest.view.answer
    ours, theirs = st.columns(2, gap="large")
    with theirs:
        names = {name: REGISTRY[name].label for name in contest.found.baselines}
        st.session_state["rival"] = contest.rival.method
        st.selectbox(
            "Held against", list(names), key="rival", format_func=names.get, on_change=links.picked
        )
    panel = answer.prediction.delta[: answer.n_panel]
    directions = direction(panel, answer.separable_neighbors[:, : answer.n_panel])
    with ours:
        st.text_input(OURS, contest.ours, disabled=True, key="ours")
        first = _scatter(contest, panel, directions, "scatter_ours", contest.ours)
    with theirs:
        delta = contest.rival.delta
        if delta is None:
            html(pieces.caption(f"{contest.theirs} has no answer: {contest.rival.why}."))
            return {OURS: first}
        signs = np.sign(delta).astype(np.intp)
        second = _scatter(contest, delta, signs, "scatter_theirs", contest.theirs)
    return {OURS: first, "Rival": second}


def strongest_genes(contest: Contest) -> None:
    """What became of the genes that changed most: right, wrong way, missed."""
    answer = contest.view.answer
    html(
        pieces.section(
            f"The {_TOP} genes that changed most",
            "Right: among the strongest predicted, with the right sign. Wrong direction: among "
            "them, with the other sign. Missed: not among them.",
        )
    )
    sides = [(contest.ours, answer.prediction.delta[: answer.n_panel])]
    sides += [] if contest.rival.delta is None else [(contest.theirs, contest.rival.delta)]
    for column, (name, delta) in zip(st.columns(2, gap="large"), sides, strict=False):
        with column:
            _top(contest, name, delta)


def table(contest: Contest) -> None:
    """Every score as numbers, and why a method has none."""
    html(pieces.section("All methods", _reads(contest)))
    scores = _scores(contest)
    columns = {EVERY_METRIC[name].label: metric_column(name) for name in contest.strips}
    columns["note"] = st.column_config.TextColumn(width="large")
    st.dataframe(
        scores,
        hide_index=True,
        height=35 * (len(scores) + 1) + 3,
        column_config=columns,
        key="methods",
    )
    download(scores, f"methods {_question(contest)}")


def take_home(contest: Contest, drawn: Mapping[str, Figure]) -> None:
    """The figures as files, and how the comparison was made."""
    figure_downloads(drawn)
    fit.provenance(contest.view.asked, contest.view.answer)


# -- pieces ----------------------------------------------------------------------------------------


def _beats(rival: BaselineResult, ours: float, metric: str) -> bool:
    fair = rival.method != _ORACLE
    return bool(rival.scores) and fair and rival.scores[metric] > ours


def _scatter(
    contest: Contest, delta: FloatArray, directions: FloatArray, key: str, name: str
) -> Figure:
    asked, answer = contest.view.asked, contest.view.answer
    figure = figures.predicted_vs_measured(
        answer.genes[: answer.n_panel],
        delta,
        contest.found.measured,
        directions,
        kind=asked.store.value_kind,
        misses=True,
    )
    chart(figure, key, f"{name}: predicted against measured change of {len(delta):,} genes.")
    return figure


def _top(contest: Contest, name: str, delta: FloatArray) -> None:
    found = top_agreement(delta, contest.found.measured, _TOP)
    genes = contest.view.answer.genes
    parts = (
        ("right", found.right, "right"),
        ("wrong direction", found.wrong, "wrong"),
        ("missed", found.missed, "missed"),
    )
    html(
        f"<p>{pieces.strong(name)}</p>"
        + pieces.bar([(words, len(places), kind) for words, places, kind in parts])
    )
    with st.expander("Which genes"):
        html(
            pieces.facts((words, ", ".join(genes[places]) or "none") for words, places, _ in parts)
        )


def _scores(contest: Contest) -> pd.DataFrame:
    answer, found = contest.view.answer, contest.found
    rows = [
        {
            "method": contest.ours,
            **{name: answer.metrics[name] for name in contest.strips},
            "note": "",
        }
    ]
    for rival in found.baselines.values():
        note = rival.why or (f"answered by {rival.fallback}" if rival.fallback else "")
        label = REGISTRY[rival.method].label
        rows.append({"method": label, **rival.scores, "note": note})
    middle = {name: _median(found.random[name]) for name in contest.strips}
    rows.append({"method": "random picks, median", **middle, "note": ""})
    frame = pd.DataFrame(rows)[["method", *contest.strips, "note"]]
    return frame.rename(columns={name: EVERY_METRIC[name].label for name in contest.strips})


def _median(scores: FloatArray) -> float:
    known = scores[np.isfinite(scores)]
    return float(np.median(known)) if len(known) else math.nan


def _reads(contest: Contest) -> str:
    lower = [
        EVERY_METRIC[m].label
        for m in contest.strips
        if EVERY_METRIC[m].direction is Direction.LOWER
    ]
    but = f" but for {', '.join(lower)}" if lower else ""
    return (
        f"Higher is better{but}. Pool mean and Cell mean are the same unless "
        "a line is new. Oracle k reads the truth: a reference, no prediction."
    )


def _question(contest: Contest) -> str:
    return str(contest.view.asked.question)
