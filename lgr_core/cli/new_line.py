"""``lgr predict`` for a line of one's own: its flags, and how the answer is printed."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lgr_core.answer.new_line import NewLineAnswer, predict_new_line, with_line_trust
from lgr_core.answer.own_profile import read_new_line
from lgr_core.atlas.store import AtlasStore
from lgr_core.cli.common import print_json
from lgr_core.cli.output import gene_words, write_csv
from lgr_core.cli.profiles import add_units_flag, units_of_flags
from lgr_core.domain import Selector
from lgr_core.errors import UsageError

_SHOWN = 5


def add_new_line_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that describe a line which the atlas does not hold."""
    flag = parser.add_argument
    flag("--line-name", metavar="NAME", help="a line of your own, in the place of --cell-line")
    what = "its untreated expression (CSV, TSV, parquet, h5ad); the atlas needs control profiles"
    flag("--profile", type=Path, metavar="FILE", help=what)
    add_units_flag(parser)
    flag("--organ", default="", metavar="ORGAN", help="of a line of your own, e.g. lung")
    flag("--drivers", default="", metavar="G,G", help="its driver genes, e.g. KRAS,STK11")


def is_new_line(options: argparse.Namespace) -> bool:
    """Whether a line of one's own is asked for.

    Raises
    ------
    UsageError
        If no line is named, or both an atlas's line and one's own.
    """
    own = options.line_name is not None
    if not own and (options.profile is not None or options.organ or options.drivers):
        found = "a line of your own is described and not named"
        raise UsageError("--profile, --organ, --drivers", found, "Say --line-name NAME too.")
    if own == (options.cell_line is not None):
        found = "both are given" if own else "no line is named"
        do = "Say --cell-line C for a line of the atlas, or --line-name NAME for one of your own."
        raise UsageError("--cell-line or --line-name", found, do)
    return own


def predict_own(
    options: argparse.Namespace, store: AtlasStore, selector: str | Selector
) -> NewLineAnswer:
    """The answer for the line that the flags describe."""
    line = read_new_line(
        store,
        options.line_name,
        options.profile,
        organ=options.organ,
        drivers=options.drivers.split(","),
        units=units_of_flags(options),
    )
    answer = predict_new_line(
        store,
        line=line,
        drug=options.drug,
        dose_um=options.dose,
        change=options.change,
        selector=selector,
        k=options.k,
    )
    return with_line_trust(store, answer)


def show_own(answer: NewLineAnswer, options: argparse.Namespace) -> None:
    """Print the answer, and write its table where ``--out`` says.

    Raises
    ------
    UsageError
        If the output is no CSV.
    """
    write_csv(answer.table(), options.out, "a line of your own")
    if options.json:
        print_json(answer.to_dict())
        return
    dose = "" if answer.dose_um is None else f" at {answer.dose_um:g} uM"
    print(f"{answer.drug}{dose} in {answer.line.name}, which nobody has treated:")
    order = np.argsort(-answer.delta, kind="stable")
    for way, places in (("up", order[:_SHOWN]), ("down", order[::-1][:_SHOWN])):
        print(f"  {way}: {gene_words(answer.genes, answer.delta, places)}")
    weights = ", ".join(f"{name} {weight:+.3f}" for name, weight in answer.leans_on[:_SHOWN])
    print(f"  leans on: {weights or 'all lines alike'}")
    if answer.distance is not None:
        near = answer.distance
        print(f"  nearest: {near.lines[0]}, {near.distances[0]:.2f} away (limit {near.limit:.2f})")
    if answer.neighbor_lines:
        print(f"  beside it, LGR in the lines most alike: {', '.join(answer.neighbor_lines)}")
    if (trust := answer.trust) is not None:
        limits = f"{trust.expected:.2f} [{trust.low:.2f}, {trust.high:.2f}]"
        known = "not known" if np.isnan(trust.expected) else f"{trust.light}, expected r {limits}"
        print(f"  trust: {known}. {' '.join(trust.reasons)}")
    for note in answer.notes:
        print(f"  {note}")
