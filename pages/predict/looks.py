"""Three looks at one prediction: its genes, its pathways, and a list of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lgr_core.answer import Answer
from lgr_core.atlas.uploads import READERS
from lgr_core.enrichment import (
    BUILT_IN,
    FEWEST,
    MOST,
    PERMUTATIONS,
    GeneSets,
    read_gmt,
)
from lgr_core.errors import InputError, LgrError
from lgr_core.figures import comparison as compare_figures
from lgr_core.processes import ProcessLimits
from lgr_core.signatures.gene_lists import MatchedGenes, read_genes, split_genes
from pages.predict import gene_figures
from pages.shared import links, pieces, state, uploading
from pages.shared.browsing import P_VALUE, SCORE, download
from pages.shared.charts import chart
from pages.shared.job_queue import READING, shown_turn
from pages.shared.pickers import Asked, switch
from pages.shared.widgets import html
from pages.shared.words import count, listed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FIELDS = {"tab": "genes", "sets": BUILT_IN, "mine": ""}
"""The fields of the link: which look, whose gene sets, which genes; and their defaults."""

TABS = {"genes": "Genes", "pathways": "Pathways", "mine": "My genes"}

LONGEST_LINK = 1_500
LONGEST_LIST = 60_000
UPLOADED = "uploaded"
_UPLOAD_MB = 20
_SHOWN = 12


def show(asked: Asked, answer: Answer) -> dict[str, Figure]:
    """The look that the link names, and the figures it drew."""
    tab = asked.view["tab"] if asked.view["tab"] in TABS else "genes"
    switch("Look at", "tab", TABS, tab)
    if tab == "pathways":
        return _pathways(asked, answer)
    return _mine(asked, answer) if tab == "mine" else gene_figures.against_truth(asked, answer)


# -- pathways --------------------------------------------------------------------------------------


def _pathways(asked: Asked, answer: Answer) -> dict[str, Figure]:
    html(
        pieces.section(
            "Pathways",
            f"Which gene sets lie at the upper or the lower end of the predicted change: GSEA "
            f"prerank, the n = {answer.n_panel:,} genes of the panel as background, "
            f"{PERMUTATIONS:,} permutations of genes. Sets with {FEWEST} to {MOST} genes in the "
            "panel.",
        )
    )
    try:
        name, sets = _sets(asked)
        table = state.pathways(
            answer.genes[: answer.n_panel].tolist(),
            answer.prediction.delta[: answer.n_panel],
            sets,
        )
    except LgrError as err:
        html(pieces.error_box(err))
        return {}
    few = len(sets) - len(table)
    html(
        pieces.lead([_strongest(table)])
        + pieces.caption(
            f"{count(few, 'set')} of {len(sets):,} left out for their size in this panel. A set "
            "named “…|down” holds genes that fall when the programme is active."
        )
    )
    shown = table.rename(columns={"in_panel": "in panel", "leading": "leading genes"})
    st.dataframe(
        shown,
        hide_index=True,
        height=min(420, 35 * (len(shown) + 1) + 3),
        column_config={"nes": SCORE, "p": P_VALUE, "fdr": P_VALUE},
        key="pathways",
    )
    download(shown, f"pathways {asked.question} {name}")
    return {}


def _strongest(table: pd.DataFrame) -> str:
    lead = table.iloc[0]
    way = "up" if lead["nes"] > 0 else "down"
    return (
        f"Strongest of {count(len(table), 'set')}: {pieces.genes([lead['set']], way)} goes {way} "
        f"(NES {lead['nes']:+.2f}, FDR {lead['fdr']:.2g})."
    )


def _sets(asked: Asked) -> tuple[str, GeneSets]:
    """The collection that was picked, else the one just uploaded."""
    known = list(state.gene_set_collections())
    file = _uploaded_sets() if uploading.allowed() else None
    if file is not None:
        return UPLOADED, _read_sets(file)
    wished = asked.view["sets"]
    sets = state.gene_sets(wished)
    if len(known) > 1:
        st.session_state["sets"] = wished
        st.selectbox("Gene sets", known, key="sets", on_change=links.picked)
    return wished, sets


def _uploaded_sets() -> UploadedFile | None:
    return st.file_uploader(
        "Gene sets of your own (GMT)",
        type=["gmt"],
        key="gmt",
        max_upload_size=_UPLOAD_MB,
        help="One set a line: name, description, genes, with tabs between. Kept for this visit "
        "only. Files in the folder gene_sets of LGR_HOME are offered to everyone.",
    )


def _read_sets(file: UploadedFile) -> GeneSets:
    """The gene sets of a file, read once in a limited process and kept for the visit."""
    kept = st.session_state.get("gmt_read")
    if kept is None or kept[0] != file.file_id:
        what = f"gene sets {file.name}"
        if file.size > _UPLOAD_MB * 1_000_000:
            found = f"it has {file.size / 1e6:,.0f} MB; the limit is {_UPLOAD_MB} MB"
            raise InputError(what, found, "Give fewer sets.")
        text = _text(file.getvalue())
        with shown_turn(READING):
            sets = READERS.call(what, ProcessLimits.of_uploads(), read_gmt, text, what)
        kept = (file.file_id, sets)
        st.session_state["gmt_read"] = kept
    return kept[1]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise InputError("gene sets", "the file is not UTF-8 text", "Give a GMT file.") from err


# -- a list of one's own ---------------------------------------------------------------------------


def _mine(asked: Asked, answer: Answer) -> dict[str, Figure]:
    text = asked.view["mine"] or st.session_state.get("mine_kept", "")
    html(pieces.section("My genes", "Where the genes of a list lie in the predicted change."))
    st.session_state["mine"] = text
    st.text_area(
        "Genes: symbols or Ensembl ids, in any order",
        key="mine",
        max_chars=LONGEST_LIST,
        height=120,
        placeholder="DUSP6 EGR1 CCND1 …",
        on_change=_keep_mine,
    )
    names = split_genes(text)
    if not names:
        html(pieces.caption("Paste genes, one a line or with spaces or commas between."))
        return {}
    found = read_genes(asked.store, names)
    html(_read(found))
    if not found.used:
        return {}
    place = {gene: i for i, gene in enumerate(answer.genes[: answer.n_panel].tolist())}
    rows = np.array([place[gene] for gene in found.used])
    delta = answer.prediction.delta[: answer.n_panel]
    html(pieces.lead([_where(answer, rows)]))
    figure = compare_figures.ranked_genes(
        answer.genes, delta, rows, title=f"predicted change<br>{asked.store.value_kind.label}"
    )
    chart(figure, "my_genes", f"Where {len(rows)} genes lie among {len(delta):,}.")
    rank = np.empty(len(delta), dtype=np.intp)
    rank[np.argsort(-delta, kind="stable")] = np.arange(1, len(delta) + 1)
    table = answer.table().iloc[rows].assign(rank=rank[rows])
    columns = [name for name in ("gene", "rank", "predicted", "measured") if name in table]
    table = table[columns].sort_values("rank")
    st.dataframe(table, hide_index=True, height=min(420, 35 * (len(table) + 1) + 3), key="genes")
    download(table, f"my genes {asked.question}")
    return {"My genes": figure}


def _keep_mine() -> None:
    """A list too long for an address is kept for the visit, and the link goes without it."""
    text = str(st.session_state["mine"])
    st.session_state["mine_kept"] = text
    if len(text) > LONGEST_LINK:
        st.session_state["mine"] = ""
    links.picked()


def _read(found: MatchedGenes) -> str:
    """How the names were read: used, measured but not in the panel, not measured, unknown."""
    piles = (
        ("used", found.used),
        ("measured, but not in the panel", found.outside),
        ("known, but not measured here", found.not_measured),
        ("unknown", found.unknown),
    )
    return pieces.facts(
        (f"{words} ({len(names)})", _some(names)) for words, names in piles if names
    )


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return listed([*names[:_SHOWN], f"{more} more"] if more > 0 else names)


def _where(answer: Answer, rows: np.ndarray) -> str:
    """The list's mean change beside that of all genes, and how many go each way."""
    delta = answer.prediction.delta[: answer.n_panel]
    mine = delta[rows]
    up, down = int((mine > 0).sum()), int((mine < 0).sum())
    share = float((delta[:, None] < mine[None, :]).mean())
    return (
        f"Of {count(len(rows), 'gene')}, <b>{up}</b> are predicted to go up and <b>{down}</b> "
        f"down; their mean predicted change is <b>{mine.mean():+.3f}</b> (all genes: "
        f"{delta.mean():+.3f}). On average a gene of the list stands above {share:.0%} of all."
    )
