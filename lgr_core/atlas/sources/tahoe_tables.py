"""The metadata tables of Tahoe-100M, as its publisher lays them out: ``metadata/*.parquet``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.errors import InputError

FOLDER = "metadata"
DRUGS, LINES = "drug_metadata.parquet", "cell_line_metadata.parquet"
SAMPLES, GENES = "sample_metadata.parquet", "gene_metadata.parquet"

TABLES: dict[str, tuple[str, ...]] = {
    DRUGS: ("drug", "canonical_smiles", "pubchem_cid", "moa-fine", "targets"),
    LINES: ("cell_name", "Cell_ID_Cellosaur", "Cell_ID_DepMap", "Organ"),
    SAMPLES: ("sample", "plate", "drug", "drugname_drugconc"),
    GENES: ("gene_symbol", "ensembl_id", "token_id"),
}
"""Table -> the columns that are read of it."""


def find_tables(path: Path) -> Path | None:
    """The folder of metadata tables that belongs to ``path``: in it, or beside or above it."""
    above = [path, *path.absolute().parents[:3]]
    places = [place / FOLDER for place in above]
    return next((place for place in places if (place / DRUGS).is_file()), None)


def read_tahoe_table(folder: Path, name: str) -> pd.DataFrame:
    """One of :data:`TABLES`; a row repeated once a driver variant stands once, ``NA`` is a text.

    Raises
    ------
    InputError
        It is missing, cannot be read, or lacks a column.
    """
    path, columns = folder / name, list(TABLES[name])
    try:
        found = pq.read_schema(path).names
        missing = [column for column in columns if column not in found]
        if missing:
            said = f"it has no column {', '.join(missing)}; columns found: {', '.join(found)}"
            raise InputError(f"table {path}", said, "Fetch it again: lgr fetch tahoe --metadata.")
        table = pq.read_table(path, columns=columns).to_pandas()
    except (OSError, pa.ArrowException) as err:
        said = f"it cannot be read ({' '.join(str(err).split())})"
        raise InputError(f"table {path}", said, "Fetch it: lgr fetch tahoe --metadata.") from err
    return table.drop_duplicates(ignore_index=True)


def known_drugs(path: Path) -> pd.DataFrame:
    """What the publisher says of each drug; no rows where ``path`` has no tables with it."""
    folder = find_tables(path)
    return pd.DataFrame(columns=["drug"]) if folder is None else read_tahoe_table(folder, DRUGS)


def known_cell_lines(path: Path) -> pd.DataFrame:
    """What the publisher says of each line; no rows where ``path`` has no tables with it."""
    folder = find_tables(path)
    if folder is None or not (folder / LINES).is_file():
        return pd.DataFrame(columns=["cell_line"])
    return read_tahoe_table(folder, LINES)
