"""Write the compact copy of a benchmark run that ships in ``data/benchmark_runs``.

``python benchmarks/ship_run.py runs/tahoe data/benchmark_runs/tahoe --title Tahoe-100M``
"""

import argparse
from pathlib import Path

from lgr_core.evaluation.compact_run import write_compact
from lgr_core.evaluation.config import headline
from lgr_core.evaluation.run_store import load_run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--title", required=True, help="the data, as readers know them")
    parser.add_argument("--metrics", help="whose scores of single conditions are kept")
    options = parser.parse_args()
    run = load_run(options.run)
    metrics = [headline(run.config)] if options.metrics is None else options.metrics.split(",")
    write_compact(run, options.out, title=options.title, metrics=metrics)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")
