"""A benchmark run as one file of HTML that opens anywhere, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from lgr_core.domain import ValueKind
from lgr_core.evaluation import figures, markup
from lgr_core.evaluation.figures import Figure, embed, k_curves, method_style, metric_panel
from lgr_core.evaluation.fold_task import MIN_NEIGHBOR_SHARE
from lgr_core.evaluation.labels import PAPER_ORDER, REGIME_LABELS, RegimeLabels
from lgr_core.evaluation.markup_trust import (
    NOT_CALIBRATED,
    WHAT_TRUST_IS,
    calibrated,
    half_words,
    trust_table,
)
from lgr_core.evaluation.rankers import rankers
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.run_store import Run
from lgr_core.metrics import METRICS

_TEMPLATE = Path(__file__).with_name("report.html")
_RIVALS = ("pool_mean", "random_k", "cell_mean")
_CURVES = ("pearson_delta", "mse_delta", "sign_accuracy")
WHERE_CURVES_END = (
    f"A point stands only where at least {100 * MIN_NEIGHBOR_SHARE:.0f} % of the k neighbours were found, on "
    "average: a selector that names fewer drugs has a line that ends early, a lone point, or none. "
    "Random k is a single draw here."
)
"""What must be said beside a figure of other numbers of neighbours."""


def write_report(run: Run, path: Path) -> None:
    """Write :func:`report_html` to ``path``; folders that are not there are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(run), encoding="utf-8")


def report_html(run: Run) -> str:
    """The report: per regime who may read what, the six metrics, tables, gaps, sensitivity to k.

    Figures are drawn by a script that the file holds; tables say the same without it.
    """
    drawn: dict[str, Figure] = {}
    parts = [_head(run)]
    parts += [_Chapter(run, regime, drawn).html() for regime in regimes(run.config["regimes"])]
    parts += [
        '<h2 id="reading">What the numbers mean</h2>',
        markup.reading(),
        '<h2 id="config">How this run was made</h2>',
        markup.config_facts(run.config),
    ]
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"Benchmark of {run.config['atlas']}"),
        body="\n".join(parts),
        scripts=embed.scripts(drawn),
    )


def regimes(names: Iterable[str]) -> list[Regime]:
    """The regimes of a run in the order in which they are shown."""
    have = {Regime(name) for name in names}
    return [regime for regime in REGIME_LABELS if regime in have]


def _head(run: Run) -> str:
    config = run.config
    links = [(regime, REGIME_LABELS[regime].label) for regime in regimes(config["regimes"])]
    links += [("reading", "What the numbers mean"), ("config", "How this run was made")]
    nav = "".join(f'<a href="#{name}">{escape(words)}</a>' for name, words in links)
    return (
        f"<div>{markup.badge(config)}</div>"
        f"<h1>Benchmark of {escape(str(config['atlas']))}</h1>"
        f"<p>Methods predict conditions that were measured, without reading them, and are scored "
        f"against the measurement. k = {escape(str(config['k']))} neighbours.</p><nav>{nav}</nav>"
    )


class _Chapter:
    """One regime of a run; its figures are added to ``drawn``, those of the file."""

    def __init__(self, run: Run, regime: Regime, drawn: dict[str, Figure]) -> None:
        self.run, self.regime, self.drawn = run, regime, drawn
        self.kind = ValueKind(run.config["value_kind"])
        self.summary = of_regime(run.summary, regime)
        self.words: RegimeLabels = REGIME_LABELS[regime]

    def html(self) -> str:
        evidence = of_regime(self.run.evidence, self.regime)
        scores = of_regime(self.run.scores, self.regime)
        one = scores[scores["metric"] == scores["metric"].iloc[0]]
        rest = [name for name in METRICS if name not in PAPER_ORDER]
        about = f"{self.regime.description} ({self.words.figure})"
        parts = [
            f'<h2 id="{self.regime}">{escape(self.words.label)}</h2>',
            markup.asks(self.words.asks),
            f'<p class="lgr-soft">{escape(about)}</p>',
            markup.who_diagram(self.regime),
        ]
        if self.regime is Regime.UNSEEN_CELL_LINE:
            parts.append(markup.unequal())
        parts += [
            markup.legend(self.run.config, self.summary["method"]),
            *(f"<p>{escape(said)}</p>" for said in rankers(one)),
            self._panels(),
            "<h3>The same in numbers</h3>",
            markup.mean_table(self.summary, PAPER_ORDER, self.kind),
            _folded("Further metrics", markup.mean_table(self.summary, rest, self.kind)),
            "<h3>Who reads what, coverage and fallbacks</h3>",
            markup.method_table(self.summary, evidence, scores),
            "<h3>Paired gaps</h3>",
            *self._gaps(),
            "<h3>Sensitivity to k</h3>",
            self._curves(),
            "<h3>How far trust can be trusted</h3>",
            *self._trust(),
        ]
        return "\n".join(parts)

    def _panels(self) -> str:
        seeds = of_regime(self.run.seeds, self.regime)
        apart = reads_pool(self.summary) if self.regime is Regime.UNSEEN_CELL_LINE else []
        return self._drawn(
            (name, metric_panel(self.summary, seeds, name, kind=self.kind, apart=apart))
            for name in PAPER_ORDER
        )

    def _gaps(self) -> Sequence[str]:
        """A table for each rival that has scores in this regime."""
        pairs = of_regime(self.run.pairs, self.regime)
        return [
            _folded(
                f"Minus {method_style(rival).label}",
                markup.gap_table(pairs, rival, PAPER_ORDER, self.kind),
            )
            for rival in _RIVALS
            if figures.against(pairs, rival)["n_common"].any()
        ]

    def _curves(self) -> str:
        curve = of_regime(self.run.k_curve, self.regime)
        drawn = [name for name in _CURVES if (curve["metric"] == name).any()]
        if not drawn:
            return "<p>Not run with other numbers of neighbours.</p>"
        k = self.run.config["k"]
        curves = ((f"k-{name}", k_curves(curve, name, k, kind=self.kind)) for name in drawn)
        return f"<p>{WHERE_CURVES_END}</p>{self._drawn(curves)}"

    def _trust(self) -> Sequence[str]:
        """Reliability, what abstaining gains, coverage; a sentence where nothing was calibrated."""
        tables = [
            of_regime(table, self.regime)
            for table in (self.run.intervals, self.run.reliability, self.run.risk_coverage)
        ]
        shown = calibrated(tables[0], ("best_evidence",))
        if not shown:
            return [f"<p>{NOT_CALIBRATED}</p>"]
        drawn = (
            ("reliability", figures.reliability(tables[1], shown)),
            ("risk", figures.risk_coverage(tables[2], shown)),
        )
        words = " ".join(half_words(tables[2], name) for name in shown)
        return [
            f"<p>{WHAT_TRUST_IS} {escape(words)}</p>",
            self._drawn(drawn),
            trust_table(*tables),
        ]

    def _drawn(self, named: Iterable[tuple[str, Figure]]) -> str:
        places = []
        for name, figure in named:
            place = f"{self.regime}-{name}"
            self.drawn[place] = figure
            places.append(embed.place(place, figure.layout.height))
        return f'<div class="lgr-panels">{"".join(places)}</div>'


def of_regime(table: pd.DataFrame, regime: Regime) -> pd.DataFrame:
    """The rows of one regime; an empty table is as it is."""
    return table if table.empty else table[table["regime"] == regime]


def reads_pool(summary: pd.DataFrame) -> list[str]:
    """The methods of a summary that read the pool of the query's line."""
    reads = summary["evidence"].astype(str).str.contains("target_pool", regex=False)
    return sorted(summary.loc[reads, "method"].unique())


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"
