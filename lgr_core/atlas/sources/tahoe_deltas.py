"""Tahoe-100M's ready deltas: one parquet a plate, a row a line and treatment, a column a gene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.atlas.sources.doses import parse_literal
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.tahoe_tables import known_cell_lines, known_drugs
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError

FOLDER = "cell_eval"
KEYS = ("cell_line", "treatment")
NORMALISATION = "mean log1p minus the plate's DMSO_TF, scaled by the publisher (not to 10,000)"

MAIN_DOSES = {
    **dict.fromkeys((1, 4, 7, 10), (0.05,)),
    **dict.fromkeys((2, 5, 8, 11), (0.5,)),
    **dict.fromkeys((3, 6, 9, 12, 14), (5.0,)),
    13: (0.05, 0.5, 5.0),
}
"""Plate -> the doses (micromolar) that it was made for."""

_EVERYWHERE = 0.05
"""One well of every plate of a higher dose holds this one."""

_NAME = re.compile(r"plate_plate(\d+)\.parquet\Z")
_AGAIN = "Fetch it again: lgr fetch tahoe (the revision it reads is pinned)."


def detect_tahoe_deltas(path: Path) -> Form | None:
    """The form, if ``path`` is one of its plates, a folder of them or what was fetched."""
    inside = path / FOLDER if (path / FOLDER).is_dir() else path
    found = [path] if path.is_file() else sorted(inside.iterdir()) if inside.is_dir() else []
    files = tuple(sorted((p for p in found if _NAME.match(p.name)), key=_plate))
    if not files:
        return None
    return Form(
        "tahoe-de-rhaister",
        files,
        ValueKind.LOGNORM_DELTA,
        columns={"drug": "treatment", "cell_line": "cell_line", "plate": "plate"},
        read=lambda _: read_tahoe_deltas(files),
        notes={"normalisation": NORMALISATION},
        shared_wells="yes",
    )


def read_tahoe_deltas(files: Sequence[Path]) -> DeltaFile:
    """Read the plates, one after the other into one matrix.

    Raises
    ------
    InputError
        A file cannot be read, a column is missing, added or no number, or a treatment's dose is
        none of its plate's.
    """
    schemas = [_schema(file) for file in files]
    genes = [name for name in schemas[0].names if name not in KEYS]
    deltas = np.empty((sum(_rows(file) for file in files), len(genes)), dtype=np.float32)
    parts, start = [], 0
    for file, schema in zip(files, schemas, strict=True):
        _check_columns(file, schema, genes, files[0])
        table = _read(file)
        for column, gene in enumerate(genes):
            deltas[start : start + table.num_rows, column] = table.column(gene).to_numpy()
        start += table.num_rows
        parts.append(table.select(list(KEYS)).to_pandas().assign(plate=f"plate{_plate(file)}"))
    obs = pd.concat(parts, ignore_index=True)
    odd = sum(_check_doses(file, part) for file, part in zip(files, parts, strict=True))
    notes = {"files": len(files), "rows_off_the_main_dose_of_their_plate": odd}
    named = name_genes(pd.DataFrame(index=pd.Index(genes, dtype=object)))
    return DeltaFile(
        obs,
        deltas,
        named,
        None,
        notes,
        drugs=known_drugs(files[0].parent),
        cell_lines=known_cell_lines(files[0].parent),
    )


def _plate(file: Path) -> int:
    match = _NAME.match(file.name)
    return int(match[1]) if match else 0


def _rows(file: Path) -> int:
    return pq.read_metadata(file).num_rows


def _schema(file: Path) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (OSError, pa.ArrowException) as err:
        raise _unreadable(file, err) from err


def _read(file: Path) -> pa.Table:
    try:
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as err:
        raise _unreadable(file, err) from err


def _unreadable(file: Path, err: Exception) -> InputError:
    found = f"it cannot be read, cut off perhaps ({' '.join(str(err).split())})"
    return InputError(f"file {file}", found, _AGAIN)


def _check_columns(file: Path, schema: pa.Schema, genes: list[str], first: Path) -> None:
    names = [name for name in schema.names if name not in KEYS]
    missing = [key for key in KEYS if key not in schema.names]
    if missing:
        found = f"it has no column {', '.join(missing)}; the first are {', '.join(names[:5])}"
        raise InputError(f"file {file}", found, _AGAIN)
    if set(names) != set(genes) or len(names) != len(genes):
        odd = sorted(set(names) ^ set(genes))
        found = f"its genes differ from those of {first.name}, {len(odd)} of them: "
        raise InputError(f"file {file}", found + ", ".join(odd[:5]), _AGAIN)
    for name in genes:
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise InputError(f"file {file}", f"column {name!r} holds {kind}, no numbers", _AGAIN)


def _check_doses(file: Path, obs: pd.DataFrame) -> int:
    """Refuse a treatment without a dose, or of none of its plate's; count those off the main one.

    The dose is written in the treatment; that the plate says the same is how a swapped file shows.
    """
    main = MAIN_DOSES.get(_plate(file), ())
    odd = 0
    for text, rows in obs["treatment"].value_counts().items():
        said = parse_literal(str(text))
        if said is None:
            found = f"treatment {text!r} is not written as [('DRUG', 0.05, 'uM')]"
            raise InputError(f"file {file}", found, _AGAIN)
        if main and said.dose_um not in {*main, _EVERYWHERE, 0.0}:
            doses = ", ".join(f"{dose:g}" for dose in main)
            found = f"{said.drug} at {said.dose_um:g} uM, on a plate of {doses} uM"
            raise InputError(f"file {file}", found, _AGAIN)
        odd += rows if said.dose_um not in main else 0
    return odd
