"""The command that says which drugs to test next in a line."""

from __future__ import annotations

import argparse
from pathlib import Path

from lgr_core.answer.export import table_csv
from lgr_core.answer.plan import PanelPlan, plan_tests
from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import DEMO, Commands, command, positive_int, print_json
from lgr_core.config import Settings


def add(commands: Commands) -> None:
    """Add ``lgr plan``."""
    parser = command(commands, "plan", _plan)
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--k", type=positive_int, default=10, help="how many drugs")
    flag("--cell-line", metavar="C", help="of the atlas; none: a line of which nothing is measured")
    flag("--dose", type=float, metavar="UM", help="the most frequent if not given")
    flag("--seed", type=int, default=0, help="of the random panels beside")
    flag("--out", type=Path, metavar="FILE", help="also write the curve as CSV")


def _plan(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    plan = plan_tests(
        store,
        k=options.k,
        cell_line=options.cell_line,
        dose_um=options.dose,
        seed=options.seed,
    )
    if options.out is not None:
        options.out.write_text(table_csv(plan.curve), encoding="utf-8")
    if options.json:
        print_json(plan.to_dict())
        return
    print("\n".join(_lines(plan)))


def _lines(plan: PanelPlan) -> list[str]:
    where = "a line of which nothing is measured" if plan.cell_line is None else plan.cell_line
    dose = "" if plan.dose_um is None else f" at {plan.dose_um:g} uM"
    said = [f"to test next in {where}{dose}:"]
    said += [f"  {i}. {drug}" for i, drug in enumerate(plan.drugs, start=1)]
    for scope, words in plan.scopes.items():
        said.append(f"gain in Pearson r over the drugs' means, {scope}: {words}")
        of_scope = plan.curve[plan.curve["scope"] == scope]
        said += [
            f"  {row.size:>3} {row.panel:<7} {row.gain:+.3f} [{row.low:+.3f}, {row.high:+.3f}], "
            f"r {row.r:.3f} in {row.lines} lines"
            for row in of_scope.itertuples(index=False)
        ]
    return said
