"""Simulated cells in the two forms in which Tahoe-100M is published: plate h5ad and parquet shards.

Run: ``python benchmarks/tahoe_cells.py DIR --cells 1000000 --form h5ad`` (or ``parquet``). The
design is Tahoe's: 14 plates of one dose each, 379 drugs at three doses (one plate's drugs twice),
50 lines on every plate, the vehicle on every plate, cells of a plate in random order. A cell has
800 of 62,710 genes, some in every cell, most in few. Names and numbers are invented.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

GENES, NONZEROS, LINES, DRUGS = 62_710, 800, 50, 379
DOSE_OF_PLATE = {1: 0.05, 4: 0.05, 7: 0.05, 10: 0.05, 13: 0.05, 2: 0.5, 5: 0.5, 8: 0.5, 11: 0.5}
DOSE_OF_PLATE |= {3: 5.0, 6: 5.0, 9: 5.0, 12: 5.0, 14: 5.0}
VEHICLE, VEHICLE_SHARE = "DMSO_TF", 0.023
LINE_NAMES = [f"CVCL_S{i:03d}" for i in range(LINES)]
IN_SHARD, IN_GROUP = 28_000, 1_000


class Plate(NamedTuple):
    """Cells of one plate: each one's sample (a drug's place among the plate's) and line."""

    number: int
    drugs: list[str]
    sample: np.ndarray
    line: np.ndarray


def literal(drug: str, dose: float) -> str:
    """A treatment as Tahoe writes it."""
    return str([(drug, dose, "uM")])


def plates(n_cells: int) -> list[Plate]:
    """The cells of each plate, equally many on all."""
    rng = np.random.default_rng(0)
    names = [f"Drug {i:03d}" for i in range(DRUGS)]
    found = []
    for dose in (0.05, 0.5, 5.0):
        numbers = [n for n, d in DOSE_OF_PLATE.items() if d == dose and n != 14]
        for number, part in zip(numbers, np.array_split(names, len(numbers)), strict=True):
            found.append((number, [VEHICLE, *part.tolist()]))
    found.append((14, dict(found)[6]))
    made = []
    for number, drugs in sorted(found):
        n = n_cells // len(found)
        sample = rng.integers(1, len(drugs), n)
        sample[rng.random(n) < VEHICLE_SHARE] = 0
        made.append(Plate(number, drugs, sample, rng.integers(0, LINES, n)))
    return made


def counts_of(plate: Plate, at_once: int = IN_SHARD) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Genes (n, NONZEROS), ascending, and counts, some cells at a time."""
    rng = np.random.default_rng(plate.number)
    # Runs of genes, one gene of each in a cell: the first of one gene, the last of hundreds.
    ends = np.geomspace(NONZEROS, GENES, NONZEROS).astype(np.int64)
    ends = np.maximum(ends - ends[0] + 1, np.arange(1, NONZEROS + 1))
    ends[-1] = GENES
    starts = np.concatenate([[0], ends[:-1]])
    for first in range(0, len(plate.line), at_once):
        shape = min(at_once, len(plate.line) - first), NONZEROS
        genes = (starts + rng.random(shape, dtype=np.float32) * (ends - starts)).astype(np.int32)
        np.minimum(genes, ends - 1, out=genes)
        yield genes, rng.geometric(0.5, shape).astype(np.float32)


def write_h5ad(folder: Path, plate: Plate) -> None:
    """A plate file, uncompressed."""
    n, dose = len(plate.line), DOSE_OF_PLATE[plate.number]
    doses = [0.0, *[dose] * (len(plate.drugs) - 1)]
    texts = [literal(*pair) for pair in zip(plate.drugs, doses, strict=True)]
    obs = pd.DataFrame(
        {
            "drug": pd.Categorical.from_codes(plate.sample, plate.drugs),
            "drugname_drugconc": pd.Categorical.from_codes(plate.sample, texts),
            "cell_line": pd.Categorical.from_codes(plate.line, LINE_NAMES),
            "plate": pd.Categorical.from_codes(np.zeros(n, int), [f"plate{plate.number}"]),
            "pass_filter": pd.Categorical.from_codes(np.zeros(n, int), ["full"]),
        },
        index=np.arange(n).astype(str),
    )
    var = pd.DataFrame({"gene_name": [f"GENE{i}" for i in range(GENES)]})
    var.index = var.index.astype(str)
    with h5py.File(folder / f"plate{plate.number:02d}_filt.h5ad", "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        anndata.io.write_elem(file, "obs", obs)
        anndata.io.write_elem(file, "var", var)
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = n, GENES
        group["indptr"] = np.arange(n + 1, dtype=np.int64) * NONZEROS
        data = group.create_dataset("data", n * NONZEROS, np.float32)
        indices = group.create_dataset("indices", n * NONZEROS, np.int32)
        at = 0
        for genes, counts in counts_of(plate):
            data[at : at + counts.size] = counts.ravel()
            indices[at : at + genes.size] = genes.ravel()
            at += counts.size


def write_tables(folder: Path, made: list[Plate]) -> None:
    """The metadata that shards need."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (f"smp_{plate.number}_{i}", f"plate{plate.number}", drug, literal(drug, dose if i else 0.0))
        for plate in made
        for dose in [DOSE_OF_PLATE[plate.number]]
        for i, drug in enumerate(plate.drugs)
    ]
    columns = ["sample", "plate", "drug", "drugname_drugconc"]
    pd.DataFrame(rows, columns=columns).to_parquet(folder / "sample_metadata.parquet")
    genes = pd.DataFrame({"gene_symbol": [f"GENE{i}" for i in range(GENES)], "ensembl_id": ""})
    genes["token_id"] = np.arange(3, 3 + GENES)
    genes.to_parquet(folder / "gene_metadata.parquet")
    drugs = pd.DataFrame({"drug": [f"Drug {i:03d}" for i in range(DRUGS)], "targets": ""})
    drugs["moa-fine"], drugs["canonical_smiles"], drugs["pubchem_cid"] = "unclear", "", ""
    drugs.to_parquet(folder / "drug_metadata.parquet")
    lines = pd.DataFrame({"cell_name": LINE_NAMES, "Cell_ID_Cellosaur": LINE_NAMES})
    lines["Cell_ID_DepMap"], lines["Organ"], lines["Driver_Gene_Symbol"] = "", "", ""
    lines.to_parquet(folder / "cell_line_metadata.parquet")


def write_shards(folder: Path, plate: Plate) -> None:
    """Parquet shards of a plate: token lists with the leading marker, row groups of 1,000 cells."""
    for number, (genes, counts) in enumerate(counts_of(plate)):
        n, first = len(genes), number * IN_SHARD
        tokens = np.ones((n, NONZEROS + 1), dtype=np.int64)
        tokens[:, 1:] = genes + 3
        values = np.full((n, NONZEROS + 1), -2.0, dtype=np.float32)
        values[:, 1:] = counts
        bounds = pa.array(np.arange(n + 1, dtype=np.int32) * (NONZEROS + 1))
        samples = plate.sample[first : first + n]
        names = [f"smp_{plate.number}_{i}" for i in range(len(plate.drugs))]
        table = pa.table(
            {
                "genes": pa.ListArray.from_arrays(bounds, tokens.ravel()),
                "expressions": pa.ListArray.from_arrays(bounds, values.ravel()),
                "drug": np.array(plate.drugs)[samples],
                "sample": np.array(names)[samples],
                "cell_line_id": np.array(LINE_NAMES)[plate.line[first : first + n]],
                "plate": [f"plate{plate.number}"] * n,
            }
        )
        path = folder / f"train-{plate.number:02d}{number:03d}.parquet"
        pq.write_table(table, path, row_group_size=IN_GROUP)


def main() -> None:
    """Write one form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--plates", type=int, default=14, help="the first so many of them alone")
    parser.add_argument("--form", choices=["h5ad", "parquet"], default="h5ad")
    options = parser.parse_args()
    made = plates(options.cells)[: options.plates]
    inner = options.folder if options.form == "h5ad" else options.folder / "data"
    inner.mkdir(parents=True, exist_ok=True)
    if options.form == "parquet":
        write_tables(options.folder / "metadata", made)
    for plate in made:
        (write_h5ad if options.form == "h5ad" else write_shards)(inner, plate)


if __name__ == "__main__":
    main()
