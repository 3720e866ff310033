"""A benchmark run as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from lgr_core.domain import Change, ValueKind
from lgr_core.evaluation import figures
from lgr_core.evaluation.calibration_tables import (
    NOT_CALIBRATED,
    WHAT_TRUST_IS,
    calibrated,
    half_words,
    trust_table,
)
from lgr_core.evaluation.figures import Figure, embed, k_curves, method_style, metric_panel
from lgr_core.evaluation.fold_task import MIN_NEIGHBOR_SHARE
from lgr_core.evaluation.fragments import Badge, WhoReads, environment, legend_keys
from lgr_core.evaluation.labels import REGIME_LABELS, panel_metrics
from lgr_core.evaluation.rankers import rankers
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.retrieval_table import WHAT_RETRIEVAL_IS, retrieval_table
from lgr_core.evaluation.run_store import Run
from lgr_core.evaluation.table_labels import config_words
from lgr_core.evaluation.tables import Table, fitted_table, gap_table, mean_table, method_table
from lgr_core.metrics import metrics_of

_RIVALS = ("pool_mean", "random_k", "cell_mean")
_CURVES = {
    Change.TOTAL: ("pearson_delta", "mse_delta", "sign_accuracy"),
    Change.SPECIFIC: ("pearson_specific", "mse_specific", "sign_specific_top50"),
}
WHERE_CURVES_END = (
    f"A point stands only where at least {100 * MIN_NEIGHBOR_SHARE:.0f} % "
    f"of the k neighbours were found, on "
    "average: a selector that names fewer drugs has a line that ends early, a lone point, or none. "
    "Random k is a single draw here."
)
"""What must be said beside a figure of other numbers of neighbours."""

Places = list[tuple[str, int]]
"""Names and heights in pixels of the figures that a script draws."""


def write_report(run: Run, path: Path) -> None:
    """Write :func:`report_html` to ``path``; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(run), encoding="utf-8")


def report_html(run: Run) -> str:
    """The report: per regime who may read what, the six metrics, tables, gaps, sensitivity to k.

    Figures are drawn by a script that the file holds; tables say the same without it.
    """
    config = run.config
    chapters = [_Chapter(run, regime) for regime in regimes(config["regimes"])]
    views = [chapter.view() for chapter in chapters]
    drawn = {name: figure for chapter in chapters for name, figure in chapter.drawn.items()}
    return (
        environment()
        .get_template("report.html")
        .render(
            title=f"Benchmark of {config['atlas']}",
            badge=Badge.of(config),
            k=config["k"],
            chapters=views,
            where_curves_end=WHERE_CURVES_END,
            what_trust_is=WHAT_TRUST_IS,
            what_retrieval_is=WHAT_RETRIEVAL_IS,
            not_calibrated=NOT_CALIBRATED,
            retrieval=retrieval_table(run.retrieval),
            config=config_words(config),
            fitted=fitted_table(config),
            plotly_js=embed.plotly_js(),
            figures_json=embed.figures_json(drawn),
        )
    )


def regimes(names: Iterable[str]) -> list[Regime]:
    """The regimes of a run in the order in which they are shown."""
    present = {Regime(name) for name in names}
    return [regime for regime in REGIME_LABELS if regime in present]


class _Chapter:
    """One regime of a run; ``drawn`` are its figures by the name of their place."""

    def __init__(self, run: Run, regime: Regime) -> None:
        self.run, self.regime = run, regime
        self.drawn: dict[str, Figure] = {}
        self.kind = ValueKind(run.config["value_kind"])
        self.change = Change(run.config.get("change", Change.TOTAL))
        self.six = panel_metrics(self.change)
        self.summary = of_regime(run.summary, regime)

    def view(self) -> dict[str, Any]:
        """What the template shows."""
        labels, summary, kind = REGIME_LABELS[self.regime], self.summary, self.kind
        scores = of_regime(self.run.scores, self.regime)
        one_metric = scores[scores["metric"] == scores["metric"].iloc[0]]
        further = [name for name in metrics_of(self.change) if name not in self.six]
        return {
            "regime": str(self.regime),
            "label": labels.label,
            "asks": labels.asks,
            "about": f"{self.regime.description} ({labels.figure})",
            "who": WhoReads.of(self.regime),
            "unequal": self.regime is Regime.UNSEEN_CELL_LINE,
            "legend": legend_keys(self.run.config, summary["method"]),
            "rankers": rankers(one_metric),
            "panels": self._panels(),
            "means": mean_table(summary, self.six, kind),
            "further": mean_table(summary, further, kind),
            "methods": method_table(summary, of_regime(self.run.evidence, self.regime), scores),
            "gaps": self._gaps(),
            "curves": self._curves(),
            "trust": self._trust(),
        }

    def _panels(self) -> Places:
        seeds = of_regime(self.run.seeds, self.regime)
        apart = reads_pool(self.summary) if self.regime is Regime.UNSEEN_CELL_LINE else []
        return self._places(
            (name, metric_panel(self.summary, seeds, name, kind=self.kind, apart=apart))
            for name in self.six
        )

    def _gaps(self) -> list[tuple[str, Table]]:
        """A table for each rival that has scores in this regime."""
        pairs = of_regime(self.run.pairs, self.regime)
        return [
            (
                f"Minus {method_style(rival).label}",
                gap_table(pairs, rival, self.six, self.kind),
            )
            for rival in _RIVALS
            if figures.against(pairs, rival)["n_common"].any()
        ]

    def _curves(self) -> Places:
        curve, k = of_regime(self.run.k_curve, self.regime), self.run.config["k"]
        return self._places(
            (f"k-{name}", k_curves(curve, name, k, kind=self.kind))
            for name in _CURVES[self.change]
            if (curve["metric"] == name).any()
        )

    def _trust(self) -> dict[str, Any] | None:
        """Reliability, the gain of abstaining, coverage; None where nothing was calibrated."""
        intervals, reliability, risk_coverage = (
            of_regime(table, self.regime)
            for table in (self.run.intervals, self.run.reliability, self.run.risk_coverage)
        )
        shown = calibrated(intervals, ("best_evidence",))
        if not shown:
            return None
        drawn = (
            ("reliability", figures.reliability(reliability, shown)),
            ("risk", figures.risk_coverage(risk_coverage, shown)),
        )
        return {
            "sentences": [half_words(risk_coverage, name) for name in shown],
            "places": self._places(drawn),
            "table": trust_table(intervals, reliability, risk_coverage),
        }

    def _places(self, named: Iterable[tuple[str, Figure]]) -> Places:
        places = []
        for name, figure in named:
            place = f"{self.regime}-{name}"
            self.drawn[place] = figure
            places.append((place, figure.layout.height))
        return places


def of_regime(table: pd.DataFrame, regime: Regime) -> pd.DataFrame:
    """The rows of one regime; an empty table is as it is."""
    return table if table.empty else table[table["regime"] == regime]


def reads_pool(summary: pd.DataFrame) -> list[str]:
    """The methods of a summary that read the pool of the query's line."""
    reads = summary["evidence"].astype(str).str.contains("target_pool", regex=False)
    return sorted(summary.loc[reads, "method"].unique())
