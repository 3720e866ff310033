"""Which run the benchmark page shows, and what of it: the pickers, bound to the page's link."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from lgr_core.domain import ValueKind
from lgr_core.errors import LgrError
from lgr_core.evaluation.figures import Group, method_style, ordered
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.report import regimes
from lgr_core.evaluation.run_store import Run
from lgr_core.metrics import METRICS
from pages.benchmark import run_state
from pages.benchmark.runs import run_folders
from pages.shared import links, pieces
from pages.shared.pickers import picker, uploaded
from pages.shared.question import DEMO, default_atlas, one_of
from pages.shared.widgets import html, start

STYLE = Path(__file__).with_name("benchmark.css")
FIELDS = ("run", "regime", "metric", "scored", "rival", "by")
"""The fields of the page's link: none that another page reads in its own sense."""

SLICES: Mapping[str, str] = {
    "cell_line": "cell line",
    "mechanism": "mechanism",
    "organ": "organ",
    "effect": "strength of the measured change, in thirds",
    "n_cells": "number of cells, in thirds",
    "twin_in_training": "whether another form of the compound was in training",
}
"""By what conditions can be told apart, and how that is named."""

_METRIC, _RIVALS = "pearson_delta", ("pool_mean", "drug_mean", "cell_mean", "random_k")

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
    """A loaded run and what of it is shown."""

    run: Run
    view: View

    @property
    def kind(self) -> ValueKind:
        """What the run's deltas are."""
        return ValueKind(self.run.config["value_kind"])


def choose() -> Shown | None:
    """Draw the pickers and load the run, or None after the page has said why there is none."""
    atlases = start()
    st.html(STYLE)
    wishes, linked = links.wishes(FIELDS)
    folders = run_folders(st.query_params.get("atlas") or _asked_atlas())
    if not folders:
        _empty(atlases)
        return None
    desk = _Desk(wishes, linked=linked)
    labels = {folder.name: folder.label for folder in folders}
    name = desk.pick("run", list(labels))
    picker("Run", "run", list(labels), name, labels)
    try:
        run = run_state.run(name)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    view = _settle(run, name, desk)
    html("".join(map(pieces.error_box, desk.errors)))
    _pickers(run, view)
    if not desk.errors:
        links.remember(view.link())
    return Shown(run, view)


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
    name = atlas if atlas in atlases else default_atlas(atlases or [DEMO], uploaded)
    st.code(f"lgr benchmark --atlas {name}", language="shell")
    now = "Score the simulated demo atlas now"
    if name == DEMO and st.button(now, icon=":material/play_arrow:"):
        bar = st.progress(0.0)
        run_state.run_demo(lambda stage, done, total: bar.progress(done / total, stage))
        st.rerun()


def _settle(run: Run, name: str, desk: _Desk) -> View:
    regime = desk.pick("regime", regimes(run.config["regimes"]))
    metric = desk.pick("metric", _metrics(run), _METRIC)
    have = _methods(run, regime, metric)
    best = [method for method in have if method_style(method).group is Group.RETRIEVAL]
    scored = desk.pick("scored", have, *best)
    others = [other for other in have if other != scored]
    rival = desk.pick("rival", others, *_RIVALS)
    by = desk.pick("by", _slices(name, regime, metric))
    return View(name, Regime(regime), metric, scored, rival, by)


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


def _pickers(run: Run, view: View) -> None:
    have = _methods(run, view.regime, view.metric)
    labels = {method: method_style(method).label for method in have}
    metrics = {metric: METRICS[metric].label for metric in _metrics(run)}
    picker("Metric", "metric", list(metrics), view.metric, metrics)
    picker("Method", "scored", have, view.scored, labels)
    others = [method for method in have if method != view.scored]
    picker("Compared with", "rival", others, view.rival, labels)
    slices = _slices(view.run, view.regime, view.metric)
    by = {name: SLICES[name].capitalize() for name in slices}
    picker("Conditions told apart by", "by", list(by), view.by, by)


def _methods(run: Run, regime: str, metric: str) -> list[str]:
    """Those that have a score there, as far as there are two to compare."""
    table = run.summary
    here = table[(table["regime"] == regime) & (table["metric"] == metric)]
    told = ordered(here.loc[here["mean"].notna(), "method"])
    return told if len(told) > 1 else ordered(table["method"].unique())


def _metrics(run: Run) -> list[str]:
    have = set(run.summary["metric"])
    return [metric for metric in METRICS if metric in have]


def _slices(run: str, regime: str, metric: str) -> list[str]:
    scores = run_state.run_scores(run, regime, metric)
    return [name for name in SLICES if scores[name].notna().any()]
