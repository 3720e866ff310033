"""Write the small table of a benchmark run that the Methods page shows.

``python benchmarks/shipped_table.py runs/tahoe data/benchmark_tahoe_rank.csv``
"""

import sys
from pathlib import Path

from lgr_core.evaluation.reference_results import shipped_table

if __name__ == "__main__":
    run, out = map(Path, sys.argv[1:])
    shipped_table(run).to_csv(out, index=False, float_format="%.4f")
