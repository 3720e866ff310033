"""The sections of the benchmark page, in the order in which they are read."""

from __future__ import annotations

import shlex

import pandas as pd
import streamlit as st

from lgr_core.evaluation import figures, fragments
from lgr_core.evaluation.figures import method_style
from lgr_core.evaluation.labels import REGIME_LABELS, panel_metrics
from lgr_core.evaluation.rankers import rankers
from lgr_core.evaluation.report import WHERE_CURVES_END, of_regime, report_html
from lgr_core.evaluation.run_store import TRUST
from lgr_core.evaluation.tables import gap_table, mean_table, method_table
from lgr_core.metrics import EVERY_METRIC, Direction, metrics_of
from pages.benchmark import run_state
from pages.benchmark.view import Shown
from pages.shared import pieces, state
from pages.shared.charts import chart
from pages.shared.method_words import METHOD_WORDS
from pages.shared.question import K_MAX, spell_dose
from pages.shared.widgets import html

SELECTORS = {
    "lgr_llm": "llm",
    "lgr_mechanism": "mechanism",
    "lgr_chemistry": "chemistry",
    "random_k": "random",
    "oracle_k": "oracle",
}
"""The selector that makes a method's prediction on the page Predict."""

_WAY = "Click one to open it in Predict, which reads all that was measured: scores may differ"


def heading(shown: Shown) -> None:
    """Where the numbers come from, and the page's title."""
    config = shown.run.config
    html(
        fragments.badge(config)
        + pieces.title(f"Benchmark of {config.get('title') or config['atlas']}")
    )


def who_reads(shown: Shown) -> None:
    """What the regime holds out, who may read what, and what each method's numbers rest on."""
    run, regime = shown.run, shown.view.regime
    summary = of_regime(run.summary, regime)
    evidence = of_regime(run.evidence, regime)
    html(
        pieces.caption(f"{regime.description} ({REGIME_LABELS[regime].figure})")
        + fragments.who_diagram(regime)
        + "".join(map(pieces.caption, rankers(_scores(shown))))
        + fragments.table(method_table(summary, evidence, _scores(shown)))
    )


def in_numbers(shown: Shown) -> None:
    """The six metrics and all others as tables."""
    summary = of_regime(shown.run.summary, shown.view.regime)
    every = metrics_of(shown.change)
    six = panel_metrics(shown.change)
    rest = [name for name in every if name not in six]
    html(
        fragments.table(mean_table(summary, six, shown.kind))
        + pieces.section("Further metrics")
        + fragments.table(mean_table(summary, rest, shown.kind))
    )


def gaps(shown: Shown) -> None:
    """The paired gap of every method to the rival."""
    view, kind = shown.view, shown.kind
    rival, pairs = method_style(view.rival).label, of_regime(shown.run.pairs, view.regime)
    metric = EVERY_METRIC[view.metric]
    nearest = metric.direction is Direction.NEAREST
    html(
        pieces.section(
            f"Paired gap to {rival}",
            "On the conditions that both answer. A bar that does not touch zero tells two "
            f"methods apart ({figures.better(metric)}"
            + ("; the sign says who is higher, not who is better)." if nearest else ")."),
        )
    )
    figure = figures.gaps(figures.against(pairs, view.rival), view.rival, view.metric, kind=kind)
    chart(
        figure, "gaps", f"{EVERY_METRIC[view.metric].label} of each method minus that of {rival}."
    )
    html(fragments.table(gap_table(pairs, view.rival, panel_metrics(shown.change), kind)))


def conditions_and_spread(shown: Shown) -> None:
    """Every condition as a point that leads to its prediction, and how each method spreads."""
    left, right = st.columns(2, gap="large")
    with left:
        _conditions(shown)
    with right:
        label = EVERY_METRIC[shown.view.metric].label
        html(
            pieces.section(
                f"{label} over the conditions",
                "Boxes hold the middle half of the conditions, whiskers reach from 5 to 95 %.",
            )
        )
        spread = figures.distributions(_scores(shown), shown.view.metric, kind=shown.kind)
        chart(spread, "spread", f"Quartiles of {label} for each method.")


def neighbors(shown: Shown) -> None:
    """How many neighbours were averaged, and what other numbers would give."""
    view, k = shown.view, shown.run.config["k"]
    left, right = st.columns(2, gap="large")
    with left:
        html(
            pieces.section(
                "Neighbours averaged",
                f"{k} were asked for; a selector that knows fewer names fewer.",
            )
        )
        chart(figures.k_histogram(_scores(shown), k), "k_used", "Number of neighbours averaged.")
    with right:
        html(
            pieces.section(
                "Other numbers of neighbours",
                f"The dotted line is the number of this run. {WHERE_CURVES_END}",
            )
        )
        curve = of_regime(shown.run.k_curve, view.regime)
        if (curve["metric"] == view.metric).any():
            figure = figures.k_curves(curve, view.metric, k, kind=shown.kind)
            chart(figure, "k_curve", f"{EVERY_METRIC[view.metric].label} over k.")
        else:
            html(pieces.caption("Not run for this metric."))


def reading() -> None:
    """What the numbers mean, in plain words."""
    html(fragments.reading())


def provenance(shown: Shown) -> None:
    """How the run was made, and the run to take home."""
    folder = shown.run.folder
    html(fragments.config_facts(shown.run.config))
    html(pieces.caption("This page as one file, from a shell:"))
    command = ["lgr", "report", str(folder), "--out", "report.html"]
    st.code(shlex.join(command), language="shell")
    files = {"report.html": lambda: report_html(shown.run).encode()}
    tables = {name: getattr(shown.run, name) for name in ("summary", "pairs", *TRUST)}
    files |= {
        f"{name}.csv": lambda table=table: table.to_csv(index=False).encode()
        for name, table in tables.items()
        if not table.empty
    }
    with st.container(horizontal=True, gap="small"):
        for name, data in files.items():
            mime = "text/html" if name.endswith("html") else "text/csv"
            st.download_button(
                f"Download {name}",
                data,
                file_name=f"{folder.name}_{name}",
                mime=mime,
                key=f"download_{name}",
                on_click="ignore",
                icon=":material/download:",
            )


# -- pieces ----------------------------------------------------------------------------------------


def _conditions(shown: Shown) -> None:
    view, here = shown.view, shown.run.config["atlas"] in state.atlases()
    both = paired(_scores(shown), view.scored, view.rival)
    drawn = both.sample(min(len(both), figures.MOST_POINTS), random_state=0)
    drew = f"A draw of {len(drawn):,} of {len(both):,} conditions, each"
    some = drew if len(drawn) < len(both) else "Each condition"
    do = _WAY + ("." if _offered(shown) else ", here by LGR.")
    do = do if here else "Its atlas is not built here."
    html(
        pieces.section(
            f"{method_style(view.scored).label} against {method_style(view.rival).label}",
            f"{some} as a point; on the dotted line both are equal. {do}",
        )
    )
    figure = figures.duel(drawn, view.scored, view.rival, view.metric, kind=shown.kind)
    words = f"{EVERY_METRIC[view.metric].label} of two methods, one point a condition."
    if not here:
        chart(figure, "duel", words)
        return
    event = chart(figure, "duel", words, on_select="rerun", selection_mode="points")
    if event.selection.points:
        row = drawn.iloc[event.selection.points[0]["point_index"]]
        st.switch_page("pages/views/predict.py", query_params=predict_link(shown, row))


def _offered(shown: Shown) -> dict[str, str]:
    """How Predict makes the prediction of the method at hand, or its rival's; empty if neither."""
    view = shown.view
    if view.scored in METHOD_WORDS:
        return {"method": view.scored}
    known = [SELECTORS[name] for name in (view.scored, view.rival) if name in SELECTORS]
    return {"selector": known[0]} if known else {}


def paired(scores: pd.DataFrame, method: str, rival: str) -> pd.DataFrame:
    """The conditions for which both have a score: line, drug, dose and a column of each method."""
    key = ["cell_line", "drug", "dose_um"]
    one, other = (
        scores.loc[scores["method"] == name, [*key, "value"]].rename(columns={"value": name})
        for name in (method, rival)
    )
    return one.merge(other, on=key).dropna(subset=[method, rival])


def predict_link(shown: Shown, row: pd.Series) -> dict[str, str]:
    """The link that opens a condition in Predict, with the method at hand or its selector."""
    dose = None if pd.isna(row["dose_um"]) else float(row["dose_um"])
    return {
        "atlas": shown.run.config["atlas"],
        "cell_line": row["cell_line"],
        "drug": row["drug"],
        "dose": spell_dose(dose),
        "k": str(min(shown.run.config["k"], K_MAX)),
        **_offered(shown),
    }


def _scores(shown: Shown) -> pd.DataFrame:
    view = shown.view
    return run_state.run_scores(view.run, view.regime, view.metric)
