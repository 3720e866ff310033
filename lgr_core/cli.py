"""The command line: ``lgr`` and ``python -m lgr_core``.

Standard output carries the result alone (JSON with ``--json``), standard error all else.
Exit codes: 0 done, 2 wrong use, 3 input refused, 4 not found, 5 an outside service failed.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lgr_core.answer import Answer, predict, retrieval_dict, retrieve
from lgr_core.atlas.ingest import IngestOptions, Progress, ingest, ingest_demo
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import Settings
from lgr_core.doctor import diagnose
from lgr_core.domain import Retrieval, ValueKind
from lgr_core.errors import LgrError, UsageError
from lgr_core.export import write_answer
from lgr_core.prediction.aggregate import WEIGHTS
from lgr_core.prediction.predictors import FALLBACKS
from lgr_core.retrieval.neighbor_files import append_neighbors
from lgr_core.retrieval.selectors import SELECTORS

DEMO = "demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.WARNING, format="lgr: %(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        options.run(options, Settings.from_environment())
    except LgrError as err:
        print(f"lgr: {err}", file=sys.stderr)
        return err.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("lgr: stopped; nothing half-done was left behind", file=sys.stderr)
        return 130
    return 0


# -- commands --------------------------------------------------------------------------------------


def _ingest(options: argparse.Namespace, settings: Settings) -> None:
    choices = IngestOptions(
        value_kind=None if options.value_kind is None else ValueKind(options.value_kind),
        columns=_roles(options.column),
        controls=tuple(options.control),
        pool_controls=options.pool_controls,
        control_scope=options.control_scope,
        dose=options.dose,
        order=options.order,
        unit=options.unit,
        target_sum=options.target_sum,
        min_cells=options.min_cells,
        n_hvg=options.n_hvg,
    )
    with _Bars() as bars:
        ingest(
            options.path,
            settings.atlases / options.name,
            options=choices,
            drugs=options.drugs,
            cell_lines=options.cell_lines,
            overwrite=options.overwrite,
            progress=bars,
        )
    _show_info(open_atlas(options.name, settings.atlases), as_json=options.json)


def _demo(options: argparse.Namespace, settings: Settings) -> None:
    with _Bars() as bars:
        ingest_demo(settings.atlases / DEMO, overwrite=options.overwrite, progress=bars)
    _show_info(open_atlas(DEMO, settings.atlases), as_json=options.json)


def _info(options: argparse.Namespace, settings: Settings) -> None:
    _show_info(open_atlas(options.name, settings.atlases), as_json=options.json)


def _retrieve(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    retrieval = retrieve(
        store,
        cell_line=options.cell_line,
        drug=options.drug,
        dose_um=options.dose,
        selector=options.selector,
        k=options.k,
        seed=options.seed,
        one_per_parent=options.one_per_parent,
    )
    if options.out is not None:
        if options.out.suffix != ".jsonl":
            found = f"the ending {options.out.suffix!r} is unknown"
            raise UsageError(f"output {options.out}", found, "Neighbours are written as .jsonl.")
        append_neighbors(options.out, retrieval)
    if options.json:
        _print_json(_without_prediction(retrieval))
    else:
        print(_neighbor_lines(retrieval))


def _predict(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    answer = predict(
        store,
        cell_line=options.cell_line,
        drug=options.drug,
        dose_um=options.dose,
        selector=options.selector,
        k=options.k,
        aggregate=options.aggregate,
        fallback=options.fallback,
        seed=options.seed,
        one_per_parent=options.one_per_parent,
        all_genes=options.all_genes,
    )
    if options.out is not None:
        write_answer(answer, options.out)
    if options.json:
        _print_json(answer.to_dict())
    else:
        print(_answer_lines(store, answer))


def _doctor(options: argparse.Namespace, settings: Settings) -> None:
    report = diagnose(settings)
    if options.json:
        _print_json(report)
        return
    for section, rows in report.items():
        print(f"{section}:")
        items = rows.items() if isinstance(rows, dict) else ((row, "") for row in rows)
        for key, value in items:
            print(f"  {key}: {value}" if value != "" else f"  {key}")


# -- what is printed -------------------------------------------------------------------------------


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps(data, ensure_ascii=False, allow_nan=False, default=str))


def _show_info(store: AtlasStore, *, as_json: bool) -> None:
    info = store.info()
    if as_json:
        _print_json(info)
        return
    badge = "SIMULATED data" if info["simulated"] else "measured data"
    print(f"{info['name']}: {badge}, {store.value_kind.label}")
    counts = f"{info['n_conditions']:,} conditions: {len(info['cell_lines'])} cell lines x "
    print(f"  {counts}{len(info['drugs'])} drugs; doses (uM): {info['doses_um'] or 'pooled'}")
    print(f"  {info['n_genes']:,} genes, {info['n_panel']:,} in the metric panel")
    for key, value in info["provenance"].items():
        print(f"  {key}: {_plainly(value)}")


def _plainly(value: object) -> object:
    """Mappings and lists without their brackets."""
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _without_prediction(retrieval: Retrieval) -> dict[str, Any]:
    empty = {"fallback": None, "genes": None, "delta": None, "metrics": None}
    return {**retrieval_dict(retrieval), **empty, "provenance": dict(retrieval.provenance)}


def _neighbor_lines(retrieval: Retrieval) -> str:
    head = f"{retrieval.query}: {retrieval.k_used} of {retrieval.k} neighbours"
    lines = [f"{head} from {retrieval.pool_size} candidates ({retrieval.selector})"]
    lines += [f"  {n.rank:2d}. {n.drug}: {n.rationale}" for n in retrieval.neighbors]
    lines += [f"  rejected: {r.text} ({r.reason})" for r in retrieval.rejected]
    return "\n".join(lines)


def _answer_lines(store: AtlasStore, answer: Answer) -> str:
    simulated = ["SIMULATED data: not a measurement."] if store.simulated else []
    lines = [*simulated, _neighbor_lines(answer.retrieval), *answer.notes]
    table = answer.top_genes(10)
    for title, sign in (("up", 1), ("down", -1)):
        genes = table[table["predicted"] * sign > 0]
        values = (
            f"{gene} {value:+.2f}"
            for gene, value in zip(genes["gene"], genes["predicted"], strict=True)
        )
        lines.append(f"predicted {title} ({store.value_kind.label}): {', '.join(values)}")
    if answer.metrics is None:
        lines.append("not measured: no metrics")
    else:
        shown = ("pearson_delta", "cosine", "mae_delta", "sign_accuracy")
        scores = (f"{name} {answer.metrics[name]:.3f}" for name in shown)
        lines.append(f"against the measured change: {', '.join(scores)}")
    return "\n".join(lines)


class _Bars:
    """Progress bars on a terminal, one a stage; silent elsewhere."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def __enter__(self) -> Progress:
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._close()

    def _tell(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._close()
            self._stage = stage
            self._bar = tqdm(total=total, desc=stage, file=sys.stderr, disable=None)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


# -- the grammar -----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lgr", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_ingest(_command(commands, "ingest", _ingest, "build an atlas from counts or ready deltas"))
    demo = _command(commands, "demo", _demo, "build the simulated demo atlas")
    demo.add_argument("--overwrite", action="store_true", help="replace the one that is there")
    info = _command(commands, "info", _info, "what an atlas is and how it was made")
    info.add_argument("name", metavar="NAME")
    _add_query(_command(commands, "retrieve", _retrieve, "the neighbours of a drug in a cell line"))
    predict_command = _command(
        commands, "predict", _predict, "predict a drug's effect on a cell line"
    )
    _add_query(predict_command)
    predict_command.add_argument("--aggregate", choices=list(WEIGHTS), default="mean")
    predict_command.add_argument("--fallback", choices=FALLBACKS, default="pool_mean")
    predict_command.add_argument("--all-genes", action="store_true", help="not the panel alone")
    _command(
        commands, "doctor", _doctor, "what is installed, which atlases there are, what is missing"
    )
    return parser


def _command(
    commands: Any,  # noqa: ANN401 - argparse has no public name for it
    name: str,
    run: Callable[[argparse.Namespace, Settings], None],
    summary: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="JSON alone on standard output")
    return parser


def _add_ingest(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("path", type=Path, metavar="PATH", help="h5ad of counts; h5ad, parquet or CSV of deltas")
    add("--name", required=True, help="of the atlas")
    add(
        "--value-kind",
        choices=[str(kind) for kind in ValueKind],
        help="the file holds deltas of this kind",
    )
    add("--drugs", type=Path, metavar="CSV", help="annotations of drugs")
    add("--cell-lines", type=Path, metavar="CSV", help="annotations of cell lines")
    add(
        "--control",
        action="append",
        default=[],
        metavar="LABEL",
        help="vehicle label; may be repeated",
    )
    add("--pool-controls", action="store_true", help="pool several vehicle labels")
    add("--control-scope", choices=["plate", "cell_line"], default="plate")
    add("--dose", choices=["per_dose", "pool", "max"], default="per_dose")
    add(
        "--order",
        choices=["cells", "pseudobulk"],
        default="cells",
        help="log-normalise cells, or sums",
    )
    add("--unit", choices=["cell", "well"], help="what a row of counts is; guessed if not given")
    add("--target-sum", type=float, default=10_000, metavar="N", help="counts a cell is scaled to")
    add("--min-cells", type=int, default=10, metavar="N", help="fewer are flagged as underpowered")
    add("--n-hvg", type=int, default=2_000, metavar="N", help="genes in the metric panel")
    add("--column", action="append", default=[], metavar="ROLE=NAME", help="which column is what")
    add("--overwrite", action="store_true", help="replace an atlas of that name")


def _add_query(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--atlas", default=DEMO, metavar="NAME")
    add("--cell-line", required=True, metavar="C")
    add("--drug", required=True, metavar="D")
    add("--dose", type=float, metavar="UM", help="the highest measured if not given")
    add("--selector", choices=list(SELECTORS), default="mechanism")
    add("--k", type=int, default=10)
    add("--seed", type=int, default=0, help="of the random selector")
    add("--one-per-parent", action="store_true", help="keep one form of each parent compound")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="also write a file (.csv, .parquet, .h5ad; retrieve: .jsonl)",
    )


def _roles(pairs: Sequence[str]) -> dict[str, str]:
    roles = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if not (role and equals and name):
            raise UsageError(
                f"--column {pair}", "it is not role=name", "E.g. --column drug=compound."
            )
        roles[role.strip()] = name.strip()
    return roles
