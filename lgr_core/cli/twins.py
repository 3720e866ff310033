"""The commands twins and halves: one compound in two wells, one well in two halves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import DEMO, Commands, ProgressBars, command, print_json
from lgr_core.config import Settings
from lgr_core.domain import Change
from lgr_core.evaluation.halves import half_table
from lgr_core.evaluation.twins import SOURCES, twin_table

_WORDS = {
    "two_way": "two-way regression",
    "measured": "measured in its own well",
    "plate_mean": "mean of the plate's other drugs",
}


def add(commands: Commands) -> None:
    """Add the command."""
    found = command(commands, "twins", _twins)
    found.add_argument("--atlas", default=DEMO, metavar="NAME")
    found.add_argument("--out", type=Path, metavar="CSV", help="write the whole table")
    halves = command(commands, "halves", _halves)
    halves.add_argument("atlases", nargs=2, metavar="ATLAS", help="one half of the cells each")
    halves.add_argument("--out", type=Path, metavar="CSV", help="write r of every condition")


def _twins(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    with ProgressBars() as progress:
        table = twin_table(store, progress)
    if options.out is not None:
        table.to_csv(options.out, index=False)
    if options.json:
        print_json(table.astype(object).where(table.notna(), None).to_dict("records"))
    else:
        print("\n".join(_lines(table)))


def _lines(table: pd.DataFrame) -> Iterator[str]:
    if table.empty:
        yield "No compound was measured in two forms in one line."
        return
    yield "Mean Pearson r over cell lines, in brackets of the specific change."
    for row in table.to_dict("records"):
        plates = "on the same plates" if row["same_plates"] else "on different plates"
        strength = row["expected_strength"]
        expected = "" if pd.isna(strength) else f"; a model expects strength {strength:g} of 3"
        yield f"{row['drugs']}: {row['n_lines']} lines, {plates}{expected}"
        for source in SOURCES:
            for well in ("own", "other"):
                if source != "two_way" and well == "own":
                    continue
                name = f"{source}_{well}"
                score, specific = row[name], row[f"{name}_specific"]
                bracket = "" if pd.isna(specific) else f" ({specific:.3f})"
                shown = "undefined" if pd.isna(score) else f"{score:.3f}{bracket}"
                yield f"  {_WORDS[source]} -> {well} well: {shown}"


def _halves(options: argparse.Namespace, settings: Settings) -> None:
    table = half_table(*(open_atlas(name, settings.atlases) for name in options.atlases))
    if options.out is not None:
        table.to_csv(options.out, index=False)
    changes = [str(change) for change in Change]
    found = {"n_conditions": len(table), **table[changes].mean().to_dict()}
    if options.json:
        print_json({name: None if pd.isna(value) else value for name, value in found.items()})
        return
    print(f"{len(table):,} conditions; mean Pearson r of two halves of the cells of one well:")
    for change in changes:
        known = int(table[change].notna().sum())
        shown = f"{found[change]:.3f} ({known:,} conditions)" if known else "undefined"
        print(f"  {change} change: {shown}")
