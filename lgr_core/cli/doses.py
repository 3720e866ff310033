"""Doses on the command line: curves over them, and how a dose between measured ones is printed."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lgr_core.answer.between_doses import BetweenDoses, predict_between
from lgr_core.answer.dose_curves import DoseCurves, DoseReader, gene_curves, programme_curves
from lgr_core.answer.export import table_csv
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.cli.common import DEMO, Commands, command, positive_int, print_json
from lgr_core.cli.output import gene_words, write_csv
from lgr_core.config import Settings
from lgr_core.domain import Change, Selector
from lgr_core.prediction.hill import STEEPEST

_SHOWN = 5


def add(commands: Commands) -> None:
    """Add ``lgr doses``."""
    parser = command(commands, "doses", _doses)
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--cell-line", required=True, metavar="C")
    flag("--drug", required=True, metavar="D")
    flag("--genes", default="", metavar="G,G", help="those that change most if not given")
    flag("--n", type=positive_int, default=6, help="how many genes and programmes")
    flag("--change", choices=[*Change], default=Change.TOTAL, help="total or specific change")
    flag("--out", type=Path, metavar="FILE", help="also write the curves of genes as CSV")


def _doses(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    line = store.cell_line_catalog.resolve(options.cell_line)
    drug = store.drug_catalog.resolve(options.drug)
    reader = DoseReader(store, line, Change(options.change))
    wanted = [gene.strip() for gene in options.genes.split(",") if gene.strip()]
    genes = gene_curves(reader, drug, wanted, options.n)
    programmes = programme_curves(reader, drug)
    if options.out is not None:
        options.out.write_text(table_csv(genes.table()), encoding="utf-8")
    if options.json:
        print_json({"genes": genes.to_dict(), "programmes": programmes.to_dict()})
        return
    print(f"{drug} in {line}, {store.value_kind.label}")
    for title, curves in (("genes", genes), ("programmes", programmes)):
        print(f"{title}:")
        print("\n".join(_lines(curves)[: options.n]))


def _lines(curves: DoseCurves) -> list[str]:
    found = []
    for name, values, fit in zip(curves.names, curves.changes, curves.fits, strict=True):
        at = ", ".join(
            f"{dose:g} uM {value:+.2f}" for dose, value in zip(curves.doses_um, values, strict=True)
        )
        ending = ""
        if fit is not None:
            ec50 = "not known" if fit.ec50_um is None else f"{fit.ec50_um:.3g} uM"
            slope = (
                f"{fit.slope:.2f}" if fit.slope < 0.99 * STEEPEST else f"{STEEPEST:g} or steeper"
            )
            ending = f"; EC50 {ec50}, Hill slope {slope}, R2 {fit.r2:.2f}"
        found.append(f"  {name}: {at}{ending}")
    return found


def predict_at_dose(
    options: argparse.Namespace, store: AtlasStore, selector: str | Selector
) -> BetweenDoses:
    """The answer of ``lgr predict`` at a dose between the measured ones."""
    return predict_between(
        store,
        cell_line=options.cell_line,
        drug=options.drug,
        dose_um=options.dose,
        change=options.change,
        selector=selector,
        k=options.k,
        all_genes=options.all_genes,
    )


def show_at_dose(answer: BetweenDoses, options: argparse.Namespace) -> None:
    """Print the answer, and write its table where ``--out`` says.

    Raises
    ------
    UsageError
        If the output is no CSV.
    """
    write_csv(answer.table(), options.out, "a dose between")
    if options.json:
        print_json(answer.to_dict())
        return
    print(f"{answer.drug} at {answer.dose_um:g} uM in {answer.cell_line}, between measured doses:")
    order = np.argsort(-answer.delta, kind="stable")
    width = answer.learned.half_width
    up, down = order[:_SHOWN], order[::-1][:_SHOWN]
    for way, places in (("up", up[answer.delta[up] > 0]), ("down", down[answer.delta[down] < 0])):
        print(f"  {way}: {gene_words(answer.genes, answer.delta, places, width)}")
    weights = ", ".join(f"{dose:g} uM {weight:+.2f}" for dose, weight in answer.weights.items())
    print(f"  weights of its measured doses: {weights}")
    if answer.neighbor_doses:
        print(f"  beside it, the neighbours at that dose: {', '.join(answer.neighbor_doses)}")
    for note in answer.notes:
        print(f"  {note}")
