"""Which run the benchmark page shows, and what of it: the pickers, bound to the page's link."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from lgr_core.config import Settings
from lgr_core.domain import Change, ValueKind, WellScope
from lgr_core.errors import LgrError
from lgr_core.evaluation.config import headline
from lgr_core.evaluation.figures import Group, method_style, ordered
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.report import regimes
from lgr_core.evaluation.run_catalog import RunFolder, run_folders, variants
from lgr_core.evaluation.run_store import Run
from lgr_core.metrics import EVERY_METRIC
from pages.benchmark import run_state
from pages.shared import links, pieces, state, widgets
from pages.shared.pickers import picker, usual_atlas
from pages.shared.question import DEMO, one_of
from pages.shared.widgets import html

STYLE = Path(__file__).with_name("benchmark.css")
FIELDS = ("run", "regime", "metric", "scored", "rival", "by")
"""The fields of the page's link: none that another page reads in its own sense."""

SLICES: Mapping[str, str] = {
    "drug": "drug",
    "cell_line": "cell line",
    "mechanism": "mechanism",
    "organ": "organ",
    "effect": "strength of the measured change, in thirds",
    "n_cells": "number of cells, in thirds",
    "twin_in_training": "whether another form of the compound was in training",
}
"""By what conditions can be told apart, and how that is named."""

_RIVALS = ("pool_mean", "random_k", "drug_mean", "cell_mean")

EMPTY = (
    "There is no benchmark run here yet. A run scores every method on every measured condition, "
    "with the controls beside them, and is kept as a folder. Start one in a shell:"
)


@dataclass(frozen=True, slots=True)
class View:
    """What of a run is shown; every part of it is in the run."""

    run: str
    regime: Regime
    metric: str
    scored: str
    rival: str
    by: str

    def link(self) -> dict[str, str]:
        """The query parameters that show this view again."""
        return {name: str(getattr(self, name)) for name in FIELDS}


class Shown(NamedTuple):
    """A loaded run, what of it is shown, and the runs of the same build that ask otherwise."""

    run: Run
    view: View
    folder: RunFolder
    variants: tuple[RunFolder, ...]

    @property
    def kind(self) -> ValueKind:
        """What the run's deltas are."""
        return ValueKind(self.run.config["value_kind"])

    @property
    def change(self) -> Change:
        """Which change the run predicts."""
        return self.folder.change

    @property
    def others(self) -> dict[tuple[Change, WellScope], Run]:
        """All finished variants by change and wells, this run among them."""
        found = {}
        for folder in self.variants:
            try:
                found[folder.change, folder.evidence] = run_state.run(folder.name)
            except LgrError:
                continue  # not finished
        return found


def choose() -> Shown | None:
    """Draw the pickers and load the run, or None after the page has said why there is none.

    No atlas is needed: the shipped results are whole without one.
    """
    st.html(widgets.STYLE)
    st.html(STYLE)
    wishes, linked = links.wishes(FIELDS)
    first = st.query_params.get("atlas") or _asked_atlas()
    folders = run_folders(Settings.from_environment(), first)
    if not folders:
        _empty(state.atlases())
        return None
    desk = _Desk(wishes, linked=linked)
    by_name = {folder.name: folder for folder in folders}
    name = desk.pick("run", list(by_name))
    picker("Run", "run", list(by_name), name, {each.name: each.label for each in folders})
    try:
        run = run_state.run(name)
        scored = scored_metrics(run)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    view = _settle(run, name, scored, desk)
    html("".join(map(pieces.error_box, desk.errors)))
    _pickers(view, scored)
    if not desk.errors:
        links.remember(view.link())
    return Shown(run, view, by_name[name], tuple(variants(by_name[name], folders)))


def tabs(shown: Shown) -> AbstractContextManager:
    """The regimes as tabs; what is shown goes into the open one."""
    names = {REGIME_LABELS[regime].label: regime for regime in regimes(shown.run.config["regimes"])}
    st.session_state["tab"] = REGIME_LABELS[shown.view.regime].label
    st.session_state["regime"] = str(shown.view.regime)

    def turned() -> None:
        st.session_state["regime"] = str(names[st.session_state["tab"]])
        links.picked()

    made = st.tabs(list(names), key="tab", on_change=turned)
    return made[list(names.values()).index(shown.view.regime)]


def _asked_atlas() -> str | None:
    """The atlas that another page asks about."""
    return st.session_state.get("question", {}).get("atlas")


def _empty(atlases: list[str]) -> None:
    html(pieces.title("Benchmark") + pieces.caption(EMPTY))
    atlas = _asked_atlas()
    name = atlas if atlas in atlases else usual_atlas(atlases or [DEMO])
    st.code(f"lgr benchmark --atlas {name}", language="shell")
    now = "Score the simulated demo atlas now"
    if name == DEMO and st.button(now, icon=":material/play_arrow:"):
        bar = st.progress(0.0)
        run_state.run_demo(lambda stage, done, total: bar.progress(done / total, stage))
        st.rerun()


def _settle(run: Run, name: str, scored: list[str], desk: _Desk) -> View:
    regime = desk.pick("regime", regimes(run.config["regimes"]))
    metric = desk.pick("metric", scored, headline(run.config))
    have = _methods(name, regime, metric)
    best = [method for method in have if method_style(method).group is Group.RETRIEVAL]
    method = desk.pick("scored", have, *best)
    others = [other for other in have if other != method]
    rival = desk.pick("rival", others, *_RIVALS)
    by = desk.pick("by", _slices(name, regime, metric))
    return View(name, Regime(regime), metric, method, rival, by)


class _Desk:
    """Reads what is asked, field by field; of a link it keeps account what is not to be had."""

    def __init__(self, wishes: Mapping[str, str], *, linked: bool) -> None:
        self.wishes, self.linked = wishes, linked
        self.errors: list[LgrError] = []

    def pick(self, field: str, options: list[str], *defaults: str) -> str:
        """What was asked if it is there, else the first default that is, else the first.

        A link that asks for a name that is not there leads to the nearest.
        """
        default = next((name for name in defaults if name in options), options[0])
        name, error = one_of(field, self.wishes.get(field), options, default)
        if error is None or not self.linked:
            return name if error is None else default
        self.errors.append(error)
        return name


def _pickers(view: View, scored: list[str]) -> None:
    have = _methods(view.run, view.regime, view.metric)
    labels = {method: method_style(method).label for method in have}
    metrics = {metric: EVERY_METRIC[metric].label for metric in scored}
    picker("Metric", "metric", list(metrics), view.metric, metrics)
    picker("Method", "scored", have, view.scored, labels)
    others = [method for method in have if method != view.scored]
    picker("Compared with", "rival", others, view.rival, labels)
    slices = _slices(view.run, view.regime, view.metric)
    by = {name: SLICES[name].capitalize() for name in slices}
    picker("Conditions told apart by", "by", list(by), view.by, by)


def scored_metrics(run: Run) -> list[str]:
    """The metrics on which the run has scores of single conditions, in the order of tables."""
    have = set(run.scores["metric"].unique())
    return [metric for metric in EVERY_METRIC if metric in have]


def _methods(run: str, regime: str, metric: str) -> list[str]:
    """Those that have a score there, as far as there are two to compare."""
    scores = run_state.run_scores(run, regime, metric)
    told = ordered(scores.loc[scores["value"].notna(), "method"].unique())
    return told if len(told) > 1 else ordered(scores["method"].unique())


def _slices(run: str, regime: str, metric: str) -> list[str]:
    scores = run_state.run_scores(run, regime, metric)
    return [name for name in SLICES if scores[name].notna().any()]
