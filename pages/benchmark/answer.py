"""The answer of a regime in one look: a few sentences, six panels, and files of the figure."""

from __future__ import annotations

from html import escape

import streamlit as st

from lgr_core.evaluation import fragments
from lgr_core.evaluation.figures.print_panels import SHEETS, print_panels
from lgr_core.evaluation.figures.six_panels import SixPanels, six_panels
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regime_verdict import regime_verdict
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.report import of_regime, reads_pool
from pages.benchmark.view import Shown
from pages.shared import pieces
from pages.shared.widgets import html

NOTHING = "No method has a score in this regime: nothing here can be separated from its plate."


def answer(shown: Shown) -> None:
    """The question of the regime, what came out, the six metrics, and buttons to take them home."""
    regime = shown.view.regime
    found = regime_verdict(shown.run, regime, others=shown.others)
    asks = fragments.asks(REGIME_LABELS[regime].asks)
    if found is None:
        html(asks + pieces.lead([NOTHING]))
        return
    others = map(escape, found.sentences[1:])
    html(asks + pieces.lead([f"{pieces.strong(found.sentences[0])} {' '.join(others)}"]))
    figure = _figure(shown)
    html(fragments.six_panels(figure))
    _files(shown, figure, found.sentences[0])
    html(fragments.unequal() if regime is Regime.UNSEEN_CELL_LINE else "")


def _figure(shown: Shown) -> SixPanels:
    run, regime = shown.run, shown.view.regime
    summary = of_regime(run.summary, regime)
    n = int(summary["n_queries"].max())
    about = f"{run.config.get('title') or run.config['atlas']}, {n:,} conditions"
    return six_panels(
        summary,
        regime,
        shown.change,
        kind=shown.kind,
        about=about,
        apart=reads_pool(summary) if regime is Regime.UNSEEN_CELL_LINE else [],
    )


def _files(shown: Shown, figure: SixPanels, sentence: str) -> None:
    """A button a format; each file is made when it is asked for."""
    with st.container(horizontal=True, gap="small"):
        for name, sheet in SHEETS.items():
            st.download_button(
                sheet.label,
                lambda name=name: print_panels(figure, name, sentence=sentence),
                file_name=f"{figure.file}_{shown.view.run}_{name}.{sheet.ending}",
                mime=sheet.mime,
                key=f"panels_{name}",
                on_click="ignore",
                icon=":material/download:",
            )
