"""The command search: measured drugs that mimic or reverse a measured change."""

from __future__ import annotations

import argparse

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import DEMO, Commands, command, positive_int, print_json
from lgr_core.config import Settings
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.retrieval.parse_query import read_query
from lgr_core.retrieval.specific_change import View, changes_of, measured_change
from lgr_core.signatures.gene_lists import whole_change
from lgr_core.signatures.search import SignatureLibrary, find_drugs


def add(commands: Commands) -> None:
    """Add the command."""
    found = command(commands, "search", _search)
    flag = found.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--cell-line", required=True, metavar="NAME")
    flag("--drug", required=True, metavar="NAME", help="whose measured change is searched for")
    flag("--dose", type=float, metavar="UM")
    what = "total, specific (less the plate's other drugs), or relative_to_pool (plate and all)"
    flag("--change", choices=[*View], default=View.TOTAL, help=what)
    flag("--reverse", action="store_true", help="drugs with the opposite change")
    flag("--top", type=positive_int, default=10, metavar="N", help="how many drugs to name")


def _search(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    query, notes = read_query(store, options.cell_line, options.drug, options.dose)
    view = View(options.change)
    signature = whole_change(measured_change(store, query, view), drug=query.drug)
    library = SignatureLibrary.read(
        store,
        MechanismAnnotations.load(),
        cell_line=query.cell_line,
        doses=[query.dose_um],
        changes=changes_of(store, view),
    )
    hits = find_drugs(store, signature, library, reverse=options.reverse)
    table = hits.drugs[hits.drugs["relation"] == ""]
    table = table.sort_values("score", ascending=options.reverse, kind="stable")
    table = table.head(options.top)[["drug", "dose_um", "score", "fdr"]]
    if options.json:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        print_json({"query": str(query), "change": str(view), "notes": list(notes), "drugs": rows})
        return
    print("\n".join(notes)) if notes else None
    kind = "opposite to" if options.reverse else "like"
    print(f"{query}, {_WORDS[view]}: drugs that act {kind} it, by Pearson r")
    for row in table.itertuples():
        print(f"  {row.drug:<40} {row.score:+.2f}  FDR {row.fdr:.2g}")


_WORDS = {
    View.TOTAL: "total change",
    View.SPECIFIC: "specific change",
    View.RELATIVE_TO_POOL: "change less the mean of the line's other drugs (its plate is in it)",
}
