"""Whether a language model should select or predict: measured, from the results that ship."""

from __future__ import annotations

import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import SHIPPED_RUNS
from lgr_core.domain import ValueKind
from lgr_core.evaluation import figures
from lgr_core.evaluation.figures import method_style, number
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.report import of_regime
from lgr_core.evaluation.run_store import load_run
from pages.methods.word_tables import word_table
from pages.shared import pieces
from pages.shared.charts import chart
from pages.shared.widgets import html

RUN = "tahoe_specific_other_wells"
METRIC = "pearson_specific"
SELECTS, PREDICTS, BLIND = "lgr_llm", "llm_genes", "random_k"
SHOWN = ("best_evidence", SELECTS, "lgr_mechanism", PREDICTS, BLIND)

WHAT = {
    "best_evidence": "All measured changes, weighted; the model's lists are one of its sources.",
    SELECTS: "The language model names ten measured drugs; their mean is the prediction.",
    "lgr_mechanism": "The same by mechanism tags, without asking a model about the drug.",
    PREDICTS: "The language model itself names the genes that should go up and down.",
    BLIND: "Ten drugs drawn blindly: what no knowledge gives.",
}
ASKED = (
    "The model was asked both ways about the same drugs: which measured drugs act alike, and which "
    "genes of the panel go up and down. Both were scored on the specific change of conditions "
    "whose compound was held out, with nothing read from their own wells."
)
WHY = (
    "A model knows from text what drugs do, not how much each gene moves. Its list of neighbours "
    "turns the first into the second by measurements, so this app asks it to select."
)


def show(_: AtlasStore) -> None:
    """The answer in a sentence, the scores with their intervals, and what each of them is."""
    rows = measured()
    html(
        pieces.section("Selector or predictor?")
        + pieces.lead([answer(rows)])
        + pieces.caption(ASKED)
    )
    run = load_run(SHIPPED_RUNS / RUN)
    kind = ValueKind(run.config["value_kind"])
    seeds = of_regime(run.seeds, Regime.UNSEEN_DRUG)
    panel = figures.metric_panel(rows, seeds, METRIC, kind=kind)
    chart(
        panel,
        "selector_or_predictor",
        "Specific Pearson r of each, with its 95 % interval; random picks as a band.",
    )
    table = [
        (method_style(name).label, WHAT[name], interval(rows.loc[name]))
        for name in SHOWN
        if name in rows.index
    ]
    word_table("selector_or_predictor", ("method", "what it is", "specific Pearson r"), table)
    html(pieces.caption(WHY))


def measured() -> pd.DataFrame:
    """Means of the shipped run with their 95 % limits, by method, of drugs never measured."""
    summary = load_run(SHIPPED_RUNS / RUN).summary
    kept = (summary["regime"] == Regime.UNSEEN_DRUG) & (summary["metric"] == METRIC)
    rows = summary[kept & summary["method"].isin(SHOWN)].set_index("method", drop=False)
    rows.index.name = None
    return rows.loc[[name for name in SHOWN if name in rows.index]]


def answer(rows: pd.DataFrame) -> str:
    """The answer in one sentence of HTML, with both numbers and that of blind draws."""
    own, genes, blind = (interval(rows.loc[name]) for name in (SELECTS, PREDICTS, BLIND))
    n = int(rows.loc[SELECTS, "n_queries"] - rows.loc[SELECTS, "n_undefined"])
    return (
        f"{pieces.strong('A selector')}: the model's list of neighbours predicts the specific "
        f"change with a mean Pearson r of <b>{own}</b>, the genes that it expects itself with "
        f"<b>{genes}</b>, ten random picks with {blind} (n = {n:,} conditions)."
    )


def interval(row: pd.Series) -> str:
    """A mean with its 95 % limits."""
    if pd.isna(row["low"]):
        return number(row["mean"])
    return f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
