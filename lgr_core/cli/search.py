"""The command search: measured drugs that mimic or reverse a measured change or a gene list."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.cli.common import DEMO, Commands, command, positive_int, print_json
from lgr_core.config import Settings
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import UsageError
from lgr_core.retrieval.parse_query import read_query
from lgr_core.retrieval.specific_change import View, changes_of, measured_change
from lgr_core.signatures.gene_lists import (
    MatchedGenes,
    Signature,
    gene_set,
    read_genes,
    split_genes,
    whole_change,
)
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.search import SIGNIFICANT, DrugHits, find_drugs


def add(commands: Commands) -> None:
    """Add the command."""
    found = command(commands, "search", _search)
    flag = found.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--cell-line", metavar="NAME", help="with a gene list: all lines unless given")
    flag("--drug", metavar="NAME", help="whose measured change is searched for")
    flag("--up", default="", metavar="G,G", help="a gene list instead of a drug: genes that rise")
    flag("--down", default="", metavar="G,G", help="and genes that fall")
    flag("--dose", type=float, metavar="UM")
    what = "total, specific (less the plate's other drugs), or relative_to_pool (plate and all)"
    flag("--change", choices=[*View], default=View.TOTAL, help=what)
    flag("--reverse", action="store_true", help="only drugs that reverse it beyond chance")
    flag("--top", type=positive_int, default=10, metavar="N", help="how many drugs to name")


class _Asked(NamedTuple):
    """What is searched for, in words, and where."""

    words: str
    signature: Signature
    cell_line: str | None
    dose_um: float | None
    notes: tuple[str, ...]
    suggestions: dict[str, list[str]]


def _search(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    view = View(options.change)
    asked = _asked(options, store, view)
    library = SignatureLibrary.read(
        store,
        MechanismAnnotations.load(),
        cell_line=asked.cell_line,
        doses=None if asked.dose_um is None and options.drug is None else [asked.dose_um],
        changes=changes_of(store, view),
    )
    hits = find_drugs(store, asked.signature, library, reverse=options.reverse)
    notes = [*asked.notes, *_without_hit(hits)]
    table = _shown(hits).head(options.top)[["drug", "dose_um", "score", "fdr", "percentile"]]
    if options.json:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        about = {"query": asked.words, "change": str(view), "reverse": options.reverse}
        print_json({**about, "suggestions": asked.suggestions, "notes": notes, "drugs": rows})
    else:
        print("\n".join([*notes, *_lines(asked, view, table, reverse=options.reverse)]))


def _asked(options: argparse.Namespace, store: AtlasStore, view: View) -> _Asked:
    """The signature of the flags: a measured change, or a gene list.

    Raises
    ------
    UsageError
        If there is neither a drug with a cell line nor a gene list, or both.
    """
    up, down = split_genes(options.up), split_genes(options.down)
    listed = bool(up or down)
    if listed == (options.drug is not None) or not (listed or options.cell_line):
        found = "both a drug and genes" if listed and options.drug else "no drug in a cell line"
        do = "Give --drug and --cell-line, or --up and --down."
        raise UsageError("search", found, do)
    if not listed:
        query, notes = read_query(store, options.cell_line, options.drug, options.dose)
        signature = whole_change(measured_change(store, query, view), drug=query.drug)
        return _Asked(str(query), signature, query.cell_line, query.dose_um, notes, {})
    line = options.cell_line
    line = None if line is None else store.cell_line_catalog.resolve(line)
    readings = read_genes(store, up), read_genes(store, down)
    suggestions = {name: list(genes) for reading in readings for name, genes in reading.suggestions}
    signature = gene_set(store, up, down)
    notes = (*signature.notes, *(note for each in readings for note in _gene_notes(each)))
    words = f"{len(up)} genes up, {len(down)} down, {line or 'all cell lines'}"
    return _Asked(words, signature, line, options.dose, notes, suggestions)


def _gene_notes(reading: MatchedGenes) -> Iterator[str]:
    """What became of names that could not be used."""
    proposed = dict(reading.suggestions)
    for name in (*reading.not_measured, *reading.unknown):
        if name in proposed:
            yield f"{name!r} was left out; you may mean {' or '.join(proposed[name])}."
        else:
            yield f"{name!r} was left out: no gene of this atlas has that name."
    if reading.outside:
        yield f"Measured, but not searched: {', '.join(reading.outside)}."


def _shown(hits: DrugHits) -> pd.DataFrame:
    """By score, the best first; in a search for the reverse those alone that are reversed."""
    table = hits.significant if hits.reverse else hits.drugs[hits.drugs["relation"] == ""]
    return table.sort_values("score", ascending=hits.reverse, kind="stable")


def _without_hit(hits: DrugHits) -> Iterator[str]:
    """What is said where nothing is significant."""
    others = hits.drugs[hits.drugs["relation"] == ""]
    if len(hits.significant) or others.empty:
        return
    first = others.sort_values("score", ascending=hits.reverse, kind="stable").iloc[0]
    what = "reversed" if hits.reverse else "significant"
    yield (
        f"Nothing is {what} at an FDR of {SIGNIFICANT:g}; nearest is {first['drug']} "
        f"(r {first['score']:+.2f}, FDR {first['fdr']:.2g})."
    )


def _lines(asked: _Asked, view: View, table: pd.DataFrame, *, reverse: bool) -> Iterator[str]:
    kind = "reverse it" if reverse else "act like it"
    if table.empty:
        return
    yield f"{asked.words}, {_WORDS[view]}: drugs that {kind}, by Pearson r"
    for row in table.itertuples():
        place = "" if pd.isna(row.percentile) else f"  percentile {row.percentile:+.0f}"
        yield f"  {row.drug:<40} {row.score:+.2f}  FDR {row.fdr:.2g}{place}"


_WORDS = {
    View.TOTAL: "total change",
    View.SPECIFIC: "specific change",
    View.RELATIVE_TO_POOL: "change less the mean of the line's other drugs (its plate is in it)",
}
