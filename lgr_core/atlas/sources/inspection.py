"""A file looked at before it is read: its columns, what each may be, and what its numbers are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import sparse

from lgr_core.atlas.sources.column_names import ROLES
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.count_matrix import check_counts, open_matrix
from lgr_core.atlas.sources.counts_place import PLACES, usable_layers
from lgr_core.atlas.sources.delta_files import DeltaFile, read_delta_file, suffix_of
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.sources.doses import UNITS, parse_literal
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gene_names import find_genes
from lgr_core.atlas.sources.h5ad_tables import read_table
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.atlas.sources.untrusted_hdf5 import check_unpacked_size
from lgr_core.domain import EMPTY, ValueKind
from lgr_core.errors import AmbiguousError, InputError, LgrError

MOST_VALUES = 500_000_000
"""Ready changes are held in memory: 2 GB of them, and no more."""

MOST_LETTERS = 1_000_000_000
"""Of all texts of a parquet: it may store one that is repeated just once."""

_ROWS_SHOWN, _ROWS_LOOKED_AT = 6, 200
_MOST_LEVELS = 2_000
_OTHERS = 20
"""Columns of numbers, genes as it seems, that may be given a role all the same: the first ones."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds, as far as it can be told without being told anything.

    ``rows`` and ``genes`` are its size, ``form`` is the published form that it is in (``""``:
    none known), and ``settled`` says that this form's reader knows its columns. ``columns`` may
    play a role, ``guesses`` (role -> column) are believed to; ``doubts`` says why a role has no
    guess although columns of that name are there. ``sample`` has the first rows of ``columns``,
    ``levels`` the values of each, the most frequent first. ``layers`` are those of an h5ad.
    ``counts`` says whether raw counts were found, ``value_kind`` what the form's changes are, and
    ``recognised`` in sentences how the table is laid out and in which unit its doses are.
    """

    rows: int
    genes: int
    form: str = ""
    settled: bool = False
    columns: tuple[str, ...] = ()
    guesses: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    doubts: tuple[str, ...] = ()
    sample: pd.DataFrame = field(default_factory=pd.DataFrame)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)
    h5ad: bool = False
    layers: tuple[str, ...] = ()
    counts: bool = False
    value_kind: ValueKind | None = None
    recognised: tuple[str, ...] = ()


def inspect_file(path: Path) -> Inspection:
    """Inspection at an h5ad, parquet or CSV/TSV.

    Raises
    ------
    InputError
        It cannot be read, is no table of that kind, or is larger than can be held.
    """
    form = detect_format(path)
    suffix = suffix_of(path)
    if form is not None and (form.read is not None or form.open is not None):
        rows = pq.read_metadata(path).num_rows
        check_size(f"file {path}", rows, 1)
        kind, name = form.value_kind, form.name
        return Inspection(rows, 0, name, settled=True, counts=kind is None, value_kind=kind)
    if suffix == ".h5ad":
        check_unpacked_size(path)
        return _inspect_h5ad(path, form)
    if suffix == ".parquet":
        _check_parquet_size(path)
    return _inspect_table(read_delta_file(path, EMPTY, None))


def suggest(
    frame: pd.DataFrame, known: Mapping[str, str] = EMPTY
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Role -> column, each role for itself, and why a role is left open that could be played.

    A role that is ``known`` keeps its column, an empty one leaves it open.
    """
    guesses, doubts = {}, []
    for role, tiers in ROLES.items():
        try:
            found = guess_columns(frame, roles={role: tiers}, required=())
        except AmbiguousError as err:
            if err.role not in known:
                doubts.append(f"{err.asked}: {err.found}")
        else:
            guesses.update(found.columns)
            if found.dose_unit is not None:
                guesses["dose_unit"] = found.dose_unit
    played = {role: column for role, column in {**guesses, **known}.items() if column}
    return played, tuple(doubts)


def _inspect_table(file: DeltaFile) -> Inspection:
    values = file.deltas[:_ROWS_LOOKED_AT]
    whole = bool((values >= 0).all() and (values == np.rint(values)).all())
    others = file.genes["gene"].tolist()[:_OTHERS]
    shown = pd.DataFrame(file.deltas[:, : len(others)], columns=others)
    frame = pd.concat([file.obs.reset_index(drop=True), shown], axis=1)
    guesses, doubts = suggest(file.obs)
    return Inspection(
        *file.deltas.shape,
        columns=tuple(map(str, frame.columns)),
        guesses=guesses,
        doubts=doubts,
        sample=frame.head(_ROWS_SHOWN),
        levels=_levels(file.obs),
        counts=whole and bool(values.any()),
        recognised=(_layout_words(file.notes), *_unit_words(guesses)),
    )


def _layout_words(notes: Mapping[str, object]) -> str:
    """How a table of changes is laid out."""
    long = notes.get("long_table")
    if isinstance(long, Mapping):
        return (
            f"A long table, one row per gene and condition: genes in column {long['gene']!r}, "
            f"changes in column {long['value']!r}."
        )
    if notes.get("transposed"):
        return "A transposed table, one row per gene and one column per condition: it is turned."
    return "A wide table, one row per condition and one column per gene."


def _unit_words(guesses: Mapping[str, str]) -> Iterator[str]:
    """In which unit its doses are, if it has any."""
    if "dose" in guesses:
        unit = guesses.get("dose_unit")
        words = f"in {unit}" if unit in UNITS else f"in the unit of column {unit!r}"
        words = words if unit else "whose unit is not said"
        yield f"Doses in column {guesses['dose']!r}, {words}."


def _inspect_h5ad(path: Path, form: Form | None) -> Inspection:
    with open_hdf5(path) as file:
        obs = read_table(file, "obs").reset_index(drop=True)
        var = read_table(file, "var")
        layers = tuple(usable_layers(file))
        names = [*PLACES, *(f"layers/{layer}" for layer in layers)]
        counts = any(_holds_counts(file, name) for name in names if name in file)
    guesses, doubts = suggest(obs, EMPTY if form is None else form.columns)
    kind = None if form is None else form.value_kind
    left_out = sum(find_genes(var, f"file {path}").left_out.values())
    return Inspection(
        len(obs),
        len(var) - left_out,
        "" if form is None else form.name,
        columns=tuple(map(str, obs.columns)),
        guesses=guesses,
        doubts=doubts,
        sample=obs.head(_ROWS_SHOWN),
        levels=_levels(obs),
        h5ad=True,
        layers=layers,
        counts=counts and kind is None,
        value_kind=kind,
        recognised=tuple(_unit_words(guesses)),
    )


def _holds_counts(file: h5py.File, name: str) -> bool:
    try:
        matrix = open_matrix(file, name)
        rows = matrix.read(0, min(_ROWS_LOOKED_AT, matrix.shape[0]))
        check_counts(sparse.csr_array(rows), name)
    except LgrError:
        return False
    return bool(rows.nnz)


def _levels(obs: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The values of each column that has few enough to choose from, drugs without their dose."""
    return {
        str(name): tuple(dict.fromkeys(_named(counted)))
        for name in obs
        if len(counted := _counted(obs[name])) <= _MOST_LEVELS
    }


def _counted(values: pd.Series) -> pd.Index:
    """The values that some row has, the most frequent first."""
    counts = values.value_counts()
    return counts[counts > 0].index


def _named(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        parsed = parse_literal(str(value))
        yield str(value).strip() if parsed is None else parsed.drug


def _check_parquet_size(path: Path) -> None:
    """Refuse a parquet that unpacks to more than can be held, by its values or by its texts."""
    try:
        with pq.ParquetFile(path) as file:
            about, fields = file.metadata, file.schema_arrow
        check_size(f"file {path}", about.num_rows, about.num_columns)
        texts = [field.name for field in fields if _is_text(field.type)]
        letters = sum(_letters(path, texts)) if texts else 0
    except (OSError, ValueError) as err:
        found = f"it cannot be read as parquet ({' '.join(str(err).split())})"
        raise InputError(f"file {path}", found, "It is cut off or damaged.") from err
    if letters > MOST_LETTERS:
        found = f"its texts have {letters:,} letters; the limit is {MOST_LETTERS:,}"
        raise InputError(f"file {path}", found, "Leave out columns that are not needed.")


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return str(kind).endswith(("string", "binary"))


def _letters(path: Path, columns: Sequence[str]) -> Iterator[int]:
    """How long the texts of columns are, told without writing out those that are repeated."""
    with pq.ParquetFile(path, read_dictionary=list(columns)) as file:
        for batch in file.iter_batches(columns=list(columns)):
            for column in batch.columns:
                lengths = pc.binary_length(column.dictionary).cast("int64")
                yield pc.sum(lengths.take(column.indices)).as_py() or 0


def check_size(asked: str, rows: int, genes: int) -> None:
    """Refuse what has more values than are held in memory here.

    Raises
    ------
    InputError
        With its size and the limit.
    """
    if rows * genes > MOST_VALUES:
        found = f"{rows:,} x {genes:,} values; the limit is {MOST_VALUES:,}"
        do = "Give fewer genes or conditions, or ingest it on the server with lgr ingest."
        raise InputError(asked, found, do)
