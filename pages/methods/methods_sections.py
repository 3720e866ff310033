"""The parts about methods. What can go stale is read from the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.reference_results import METRICS as SHIPPED_METRICS
from lgr_core.evaluation.reference_results import SOURCE, shipped_results
from lgr_core.evaluation.regimes import RULES, Regime
from lgr_core.evaluation.registry import REGISTRY, Entry, MethodContext, declared
from lgr_core.glossary import glossary
from lgr_core.metrics import METRICS, Direction
from lgr_core.prediction.best_evidence import Route
from lgr_core.prediction.trust import FEATURES, OF_REPEAT, SURELY, WITHOUT_REPEAT
from lgr_core.retrieval.selectors import SELECTORS
from pages.methods import methods_text as text
from pages.methods import selector_or_predictor
from pages.methods.word_tables import word_table
from pages.shared import pieces, state
from pages.shared.widgets import html
from pages.shared.words import EVIDENCE_WORDS, METRIC_WORDS, listed, offered, selector_words

DOCS = Path(__file__).resolve().parents[2] / "docs"
FULL_TEXT = {
    "science.md": "Every definition, and what the paper leaves open",
    "benchmarks.md": "Measured numbers, with the commands that made them",
    "experiments.md": "Methods of our own: what was tried, what did not work",
}
"""Documents that ship with the app."""

ATLAS = "tahoe_rank"

_BETTER = {
    Direction.HIGHER: "higher is better",
    Direction.LOWER: "lower is better",
    Direction.NEAREST: "nearer is better",
}


def start(_: AtlasStore) -> None:
    """How to read all this in two minutes."""
    html(pieces.title("Methods in two minutes") + pieces.lead(text.START))


def prediction(_: AtlasStore) -> None:
    """From counts to the predicted change."""
    html(pieces.section("Measured change", text.DELTA_WORDS))
    st.latex(text.DELTA)
    html(pieces.section("Who may be a neighbour", text.POOL_WORDS))
    html(pieces.section("Predicted change", text.MEAN_WORDS))
    st.latex(text.MEAN)
    rows = [
        (words.title, words.line, name)
        for name, words in ((name, selector_words(name)) for name in offered(SELECTORS))
    ]
    html(pieces.section("Selectors", "Who names the neighbours."))
    word_table("selectors", ("selector", "how it chooses", "in links and commands"), rows)


def evidence(_: AtlasStore) -> None:
    """What methods declare, and what each regime opens."""
    html(pieces.section("The contract", text.CONTRACT))
    word_table("evidence", ("declared", "opens"), [(str(e), w) for e, w in EVIDENCE_WORDS.items()])
    html(pieces.section("Regimes: what is held out", text.UNEQUAL))
    rows = [
        (REGIME_LABELS[regime].label, rule.description, rule.train, rule.target_pool)
        for regime, rule in RULES.items()
    ]
    word_table("regimes", ("regime", "held out", "train opens", "target_pool opens"), rows)


def methods(store: AtlasStore) -> None:
    """Every method of a benchmark, with what it declares that it reads."""
    setting = MethodContext(
        state.reader(store).labels, lambda name: state.selector(name, store), Regime.OPEN_WORLD
    )
    reads = declared(setting)
    rows = [
        (entry.id, str(entry.group), _about(entry), listed(sorted(reads[name])) or "nothing")
        for name, entry in REGISTRY.items()
    ]
    html(
        pieces.section(
            "Methods and baselines",
            "All that lgr benchmark scores. Controls stand in every run. What a method reads is "
            "what it declares in the open world.",
        )
    )
    word_table("methods", ("method", "kind", "predicts", "reads"), rows)


def _about(entry: Entry) -> str:
    """What a method predicts, and what to install where it is unavailable."""
    error = entry.unavailable()
    return (
        entry.about
        if error is None
        else f"{entry.about} Unavailable here: {error.found}. {error.do}"
    )


def metrics(_: AtlasStore) -> None:
    """Every metric, with its formula."""
    rows = [
        (
            f"{metric.label}{' (paper)' if metric.paper else ''}",
            METRIC_WORDS[metric.id],
            metric.formula,
            f"{metric.best:g}, {_BETTER[metric.direction]}"
            + ("; depends on the scale" if metric.scale_dependent else ""),
        )
        for metric in METRICS.values()
    ]
    html(
        pieces.section(
            "Metrics",
            "x is the predicted change, y the measured one, over the genes of the panel. A formula "
            "that divides by zero is undefined, never 0. Means are over defined queries, with "
            "their number.",
        )
    )
    word_table("metrics", ("metric", "what it asks", "formula", "best"), rows)


def good(_: AtlasStore) -> None:
    """Means on real data, read from the table that ships."""
    results = shipped_results()
    html(
        pieces.section(text.PARTS["good"], text.RESULTS_WORDS.format(atlas=ATLAS))
        + pieces.lead([text.RESULTS_HOW])
    )
    for regime, words in REGIME_LABELS.items():
        part = results[results["regime"] == str(regime)]
        if part.empty:
            continue
        n = int(part["n_queries"].max())
        html(pieces.section(words.label, f"{words.asks} n = {n:,} conditions."))
        cells = {
            metric: {row.method: _cell(row) for row in rows.itertuples()}
            for metric, rows in part.groupby("metric")
        }
        first = part[part["metric"] == SHIPPED_METRICS[0]]["method"]
        order = dict.fromkeys([*first, *part["method"]])
        rows = [
            (name, *(cells.get(metric, {}).get(name, "undefined") for metric in SHIPPED_METRICS))
            for name in order
        ]
        head = ("method", *(METRICS[metric].label for metric in SHIPPED_METRICS))
        word_table(f"results {regime}", head, rows)
    html(pieces.caption("Made by the command below; the file in data/ holds these means."))
    st.code(SOURCE, language="shell")


def trust(_: AtlasStore) -> None:
    """The two routes of best evidence, and what a trust light means."""
    routes = [(str(route), route.label) for route in Route]
    html(
        pieces.section("Best evidence", "One method for every question: what can be read decides.")
    )
    word_table("routes", ("route", "what is summed"), routes)
    html(pieces.section("Drug measured in other lines", text.TWO_WAY_WORDS))
    st.latex(text.TWO_WAY)
    html(pieces.section("Drug never measured", text.KRIGING_WORDS))
    st.latex(text.KRIGING)
    html(pieces.section("How far to trust it", text.TRUST_WORDS))
    st.latex(text.TRUST)
    html(
        pieces.caption(
            f"Green: the lower limit of the expected specific r is above {SURELY:g}, and at least "
            f"{OF_REPEAT:.0%} of what a repeat reaches is expected ({WITHOUT_REPEAT:g} where no "
            "repeat is known). Yellow: the lower limit is above 0. Grey: not known, or not "
            "separable from the plate. It is learned by lgr calibrate."
        )
    )
    word_table("features", ("feature", "what it says"), list(FEATURES.items()))


def terms(_: AtlasStore) -> None:
    """Every term, by section: what the tooltips of all pages say."""
    html(pieces.section(text.PARTS["glossary"], text.GLOSSARY_WORDS))
    rows = [(entry.term, entry.words, entry.section) for entry in glossary()]
    word_table("glossary", ("term", "what it means", "about"), rows)


def limits(_: AtlasStore) -> None:
    """What it cannot do, whom to cite, where all of it stands."""
    html(pieces.section("Limits") + pieces.notes(text.LIMITS))
    html(pieces.section("Citation", text.CITATION_WORDS))
    st.code(text.CITATION, language=None, wrap_lines=True)
    html(pieces.section("The full text", "As it ships with this app, in the folder docs."))
    for name, words in FULL_TEXT.items():
        if (DOCS / name).is_file():
            with st.expander(f"{words} ({name})"):
                st.markdown((DOCS / name).read_text(encoding="utf-8"))


SHOW: Mapping[str, Callable[[AtlasStore], None]] = {
    "start": start,
    "selector": selector_or_predictor.show,
    "prediction": prediction,
    "evidence": evidence,
    "methods": methods,
    "metrics": metrics,
    "good": good,
    "trust": trust,
    "glossary": terms,
    "limits": limits,
}
"""What draws each part."""


def _cell(row: object) -> str:
    """A mean with its limits."""
    if pd.isna(row.low):
        return f"{row.mean:.3f}"
    return f"{row.mean:.3f} [{row.low:.3f}, {row.high:.3f}]"
