"""Thirty million conditions: what an index of them costs, and a line's changes as Parquet.

Run: ``python benchmarks/past_one_atlas.py``. It writes to a temporary folder (1 GB): an index of
10,000 drugs x 1,000 lines x 3 doses in DuckDB, and the changes of one line (30,000 conditions x
2,000 genes) as a map and as Parquet of two sizes of row groups, and prints sizes and medians.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from store import anonymous_mb, median_ms

LINES, DRUGS, DOSES, GENES = 1_000, 10_000, (0.05, 0.5, 5.0), 2_000


def index(folder: Path) -> None:
    """All conditions, sorted as an atlas sorts them; looked up without an index of their own."""
    path = folder / "index.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute(
            f"CREATE TABLE conditions AS SELECT 'L' || lpad(line::VARCHAR, 4, '0') AS cell_line, "
            f"'D' || lpad(drug::VARCHAR, 5, '0') AS drug, dose AS dose_um FROM range({LINES}) "
            f"l(line), unnest({list(DOSES)}) d(dose), range({DRUGS}) r(drug) ORDER BY 1, 3, 2"
        )
    print(f"index of {LINES * DRUGS * len(DOSES):,} conditions: {path.stat().st_size / 1e6:.0f} MB")
    before = anonymous_mb()
    with duckdb.connect(str(path), read_only=True) as found:
        of_line = "SELECT rowid, drug FROM conditions WHERE cell_line = ? AND dose_um = ?"
        of_drug = "SELECT rowid FROM conditions WHERE drug = ?"
        pool = median_ms(lambda i: found.execute(of_line, [f"L{i * 37 % LINES:04d}", 5.0]).df(), 30)
        drug = median_ms(lambda i: found.execute(of_drug, [f"D{i * 37 % DRUGS:05d}"]).df(), 10)
        print(f"  a line's pool ({DRUGS:,}): {pool:.1f} ms; a drug everywhere: {drug:.0f} ms")
        print(f"  anonymous memory {anonymous_mb() - before:.0f} MB more")


def line(folder: Path) -> None:
    """One line's changes, read as pools of named drugs and as one gene."""
    n = DRUGS * len(DOSES)
    deltas = np.random.default_rng(0).standard_normal((n, GENES), dtype=np.float32)
    np.save(folder / "line.npy", deltas)
    plain = np.load(folder / "line.npy", mmap_mode="r")
    rng = np.random.default_rng(1)
    some = [np.sort(rng.choice(n, 10, replace=False)) for _ in range(64)]
    ten, gene = (
        median_ms(lambda i: plain[some[i % 64]]),
        median_ms(lambda i: plain[:, i].copy(), 60),
    )
    size = (folder / "line.npy").stat().st_size / 1e6
    print(f"map, {size:.0f} MB: ten conditions {ten:.3f} ms, one gene {gene:.2f} ms")
    column = pa.FixedSizeListArray.from_arrays(deltas.ravel(), GENES)
    table = pa.table({"row": np.arange(n), "delta": column})
    for rows in (1_000, 10):
        path = folder / f"line{rows}.parquet"
        pq.write_table(table, path, row_group_size=rows, compression="zstd", use_dictionary=False)
        with duckdb.connect() as found:
            what = f"SELECT delta FROM '{path}' WHERE row IN (SELECT unnest(?))"
            ten = median_ms(
                lambda i, c=found, q=what: c.sql(
                    q, params=[some[i % 64].tolist()]
                ).to_arrow_table(),
                20,
            )
            where = f"SELECT delta FROM '{path}' WHERE row BETWEEN ? AND ? + 378"
            pool = median_ms(
                lambda i, c=found, q=where: c.sql(q, params=[i * 379, i * 379]).to_arrow_table(), 20
            )
        size = path.stat().st_size / 1e6
        print(f"Parquet, {rows:,} a group, {size:.0f} MB: ten {ten:.1f} ms, 379 {pool:.1f} ms")


def main() -> None:
    """Print both."""
    with tempfile.TemporaryDirectory() as scratch:
        index(Path(scratch))
        line(Path(scratch))


if __name__ == "__main__":
    main()
