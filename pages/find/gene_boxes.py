"""Genes that a visitor pastes: two boxes, what became of each name, and names to replace."""

from __future__ import annotations

import re

import streamlit as st

from lgr_core.signatures.gene_lists import MatchedGenes, read_genes, split_genes
from pages.find.finding import LONGEST_LIST, Wanted
from pages.shared import links, pieces, state
from pages.shared.widgets import html
from pages.shared.words import count, literal

EXAMPLE = "mek_inhibitor"
PASTE = (
    "Paste the genes that go up, the genes that go down, or both. The drugs whose measured change "
    "is most like that, or most unlike it, are found among all that this atlas holds."
)

_OFFERED = 8
"""Replacements that are offered as buttons."""


def boxes(wanted: Wanted) -> None:
    """One box for the genes that go up, one for those that go down."""
    st.session_state["up"], st.session_state["down"] = wanted.up, wanted.down
    with st.form("genes", border=False):
        up, down = st.columns(2)
        hint = "Symbols or Ensembl ids, between spaces, commas or lines"
        for column, key, label in ((up, "up", "Genes up"), (down, "down", "Genes down")):
            column.text_area(label, key=key, height=110, max_chars=LONGEST_LIST, placeholder=hint)
        st.form_submit_button("Find drugs", type="primary", on_click=links.picked)


def empty() -> None:
    """What to paste, and a button that fills the boxes with what MEK inhibitors should do."""
    html(pieces.title("Find drugs by genes") + pieces.lead([PASTE]))
    st.button("Show an example", key="example", on_click=_show_example)


def readings(wanted: Wanted) -> None:
    """What became of each pasted gene, and other names of genes to accept."""
    if wanted.source != "genes":
        return
    read = {
        way: read_genes(wanted.store, split_genes(text))
        for way, text in (("up", wanted.up), ("down", wanted.down))
    }
    _replacements(wanted, read)
    n_used = sum(len(one.used) for one in read.values())
    n_all = sum(len(split_genes(text)) for text in (wanted.up, wanted.down))
    with st.expander(f"{n_used:,} of {count(n_all, 'name')} used"):
        for column, (way, reading) in zip(st.columns(2), read.items(), strict=True):
            with column:
                html(pieces.facts(_pile_words(way, reading)))


def _replacements(wanted: Wanted, read: dict[str, MatchedGenes]) -> None:
    """A button for each other name of a gene; nothing is replaced before it is clicked."""
    offers = [
        (way, name, gene)
        for way, reading in read.items()
        for name, genes in reading.suggestions
        for gene in genes
    ]
    if not offers:
        return
    html(pieces.caption("Left out, but known as another name of a gene. Do you mean:"))
    with st.container(horizontal=True, gap="small"):
        for way, name, gene in offers[:_OFFERED]:
            st.button(
                literal(f"{gene} for {name}"),
                key=f"use_{way}_{name}_{gene}",
                on_click=_replace,
                args=({"up": wanted.up, "down": wanted.down}, way, name, gene),
            )


def _replace(texts: dict[str, str], way: str, name: str, gene: str) -> None:
    """Write a gene in the place of a name, as a whole word."""
    word = rf"(?<![\w.-]){re.escape(name)}(?![\w.-])"
    links.keep({"from": "genes", way: re.sub(word, lambda _: gene, texts[way])})


def _show_example() -> None:
    expected = state.book().expected([EXAMPLE])
    links.keep({"from": "genes", "up": " ".join(expected.up), "down": " ".join(expected.down)})


def _pile_words(way: str, reading: MatchedGenes) -> list[tuple[str, str]]:
    piles = (
        (f"{way}: used", reading.used),
        ("measured, but outside the panel that is searched", reading.outside),
        ("known, but not measured here", reading.not_measured),
        ("unknown", reading.unknown),
        ("read as", tuple(f"{name} → {gene}" for name, gene in reading.read_as)),
    )
    shown = [(f"{words} ({len(genes):,})", genes) for words, genes in piles if genes]
    none = [(f"{way}: used", ("none",))] if not reading.used else []
    return [(words, ", ".join(genes)) for words, genes in (*none, *shown)]
