"""Write the tables of a run's regimes anew in a document, between their marks.

Run: ``python benchmarks/result_tables.py [docs/benchmarks.md]``. A table stands between
``<!-- run NAME, REGIME -->`` and ``<!-- end of run -->``; the run is opened by name, as
``lgr_core.open_run`` does.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pandas as pd

import lgr_core as lgr

METRICS = ("pearson_delta", "mse_delta", "sign_accuracy", "pearson_vs_line_mean")
DIGITS = 3
PLACE = re.compile(r"(<!-- run (\S+), (\S+) -->\n).*?(<!-- end of run -->)", re.DOTALL)
CONTROLS = ("truth",)
NOT_DEFINED = "\N{EN DASH}"


def main() -> None:
    """Replace every marked table of the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("document", nargs="?", type=Path, default=Path("docs/benchmarks.md"))
    document = parser.parse_args().document
    text, n = PLACE.subn(_replaced, document.read_text(encoding="utf-8"))
    document.write_text(text, encoding="utf-8")
    print(f"{n} tables in {document}")


def _replaced(found: re.Match[str]) -> str:
    start, run, regime, end = found.groups()
    return f"{start}\n{table(lgr.open_run(run).summary, regime)}\n\n{end}"


def table(summary: pd.DataFrame, regime: str) -> str:
    """One row a method, the best in Pearson first; a dash where a metric is not defined."""
    rows = summary[(summary["regime"] == regime) & ~summary["method"].isin(CONTROLS)]
    first = rows[rows["metric"] == METRICS[0]].sort_values("mean", ascending=False, kind="stable")
    by = rows.set_index(["method", "metric"])
    lines = [f"| method | reads | {' | '.join(METRICS)} |", f"|{'---|' * (2 + len(METRICS))}"]
    for method, reads in zip(first["method"], first["evidence"], strict=True):
        cells = [_cell(by, method, metric, limits=metric == METRICS[0]) for metric in METRICS]
        lines.append(f"| `{method}` | {_reads(reads)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _reads(evidence: object) -> str:
    names = [] if pd.isna(evidence) else sorted(re.split(r"[;,+ ]+", str(evidence).strip()))
    return " + ".join(name for name in names if name) or "none"


def _cell(by: pd.DataFrame, method: str, metric: str, *, limits: bool) -> str:
    if (method, metric) not in by.index:
        return NOT_DEFINED
    row = by.loc[(method, metric)]
    if pd.isna(row["mean"]):
        return NOT_DEFINED
    shown = f"{row['mean']:.{DIGITS}f}"
    if limits and not pd.isna(row["low"]):
        shown += f" [{row['low']:.{DIGITS}f}, {row['high']:.{DIGITS}f}]"
    return shown


if __name__ == "__main__":
    main()
