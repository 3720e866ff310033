"""Tables of untreated expression: a row a line or a row a gene, or a row a line and gene."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.control_profiles import (
    ControlProfiles,
    ProfileUnits,
    as_logarithms,
    units_of,
)
from lgr_core.atlas.sources.count_matrix import open_matrix
from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.atlas.sources.delta_files import suffix_of
from lgr_core.atlas.sources.h5ad_tables import read_table
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.atlas.sources.wide_table import split_wide
from lgr_core.domain import FloatArray
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import InputError

FORMS = "Give a table of a row a cell line and a column a gene, or the other way round."
_FEWEST_GENES = 2
_VALUE = "__value__"
_LONG = (
    ("cell_line", "cell_line_id", "Cell_ID_Cellosaur"),
    ("feature", "gene", "gene_name", "gene_symbol"),
    ("ref_mean", "mean", "mean_expression"),
)
"""Line, gene and value as published tables of a row a line, plate and gene call them."""

_VERSION = re.compile(r"(ENS[A-Z]*G\d+)\.\d+\Z")
_SYMBOL = re.compile(r"(.*?) \(\d+\)\Z")
"""Genes as DepMap writes them: the symbol and the Entrez id in brackets."""


@dataclass(frozen=True, slots=True)
class _Table:
    """``labels`` (columns that name rows), ``columns`` and ``numbers`` (n_rows, n_columns)."""

    labels: pd.DataFrame
    columns: list[str]
    numbers: FloatArray


class GeneNames:
    """The genes of an atlas by symbol, symbol in any case, or Ensembl id."""

    def __init__(self, genes: pd.DataFrame) -> None:
        self._of: dict[str, str] = {}
        for name, ensembl in zip(genes["gene"], genes["ensembl_id"], strict=True):
            for key in (str(ensembl), str(name).casefold(), str(name)):
                if key:
                    self._of[key] = name

    def find(self, text: str) -> str | None:
        """The atlas's name of a gene, None if it has none such."""
        text = text.strip()
        for pattern in (_VERSION, _SYMBOL):
            match = pattern.match(text)
            text = match[1] if match else text
        return self._of.get(text, self._of.get(text.casefold()))

    def count(self, texts: Iterable[str]) -> int:
        """How many of these the atlas has."""
        return sum(self.find(text) is not None for text in texts)


def read_profiles(
    path: Path,
    genes: pd.DataFrame,
    lines: CellLineCatalog | None,
    *,
    units: ProfileUnits | None = None,
) -> ControlProfiles:
    """Read untreated expression from a CSV, TSV, parquet or h5ad.

    Parameters
    ----------
    path
        A table of a row a line or a row a gene, or of a row a line (and plate) and gene. Several
        rows of one line are averaged.
    genes
        The atlas's: ``gene`` and ``ensembl_id``. Other genes keep the names that they have.
    lines
        The atlas's; rows of others are left out and counted. None: every row is a line, by the
        name that it has.
    units
        What the values are; None: guessed from them.

    Raises
    ------
    InputError
        The file cannot be read or placed, no line or gene of it is known, or a value is no number.
    """
    names = GeneNames(genes)
    table = _whole(_read(path), names, lines, path)
    by_line = _named_lines(table, names, lines, path)
    frame, notes = _by_gene(by_line, names, path)
    values = frame.to_numpy(np.float64)
    found = units_of(values) if units is None else ProfileUnits(units)
    notes = {
        **notes,
        "genes": frame.shape[1],
        "genes_of_the_atlas": names.count(frame.columns),
        "units_guessed": units is None,
    }
    return ControlProfiles(
        tuple(frame.index),
        frame.columns.to_numpy(object),
        as_logarithms(values, found),
        str(found),
        path.name,
        notes,
    )


def _read(path: Path) -> _Table:
    suffix = suffix_of(path)
    if suffix == ".h5ad":
        with open_hdf5(path) as file:
            matrix = open_matrix(file, "X", by_gene_too=True)
            values = matrix.read(0, matrix.shape[0]).toarray()
            obs, var = read_table(file, "obs"), read_table(file, "var")
        labels = obs.reset_index(names="__row__").astype(str)
        return _Table(labels, [str(name) for name in var.index], values)
    if suffix == ".parquet":
        try:
            table = pq.read_table(path)
        except (OSError, ValueError) as err:
            found = f"it cannot be read ({' '.join(str(err).split())})"
            raise InputError(f"file {path}", found, "Check the file.") from err
        table = _averaged(table)
    else:
        table = read_delimited(path, lambda name: name == "")
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    wide = split_wide(table, path, {"", *texts[:1]})
    return _Table(wide.obs.astype(str), wide.genes, wide.deltas)


def _averaged(table: pa.Table) -> pa.Table:
    """A table of a row a line, plate and gene with its plates averaged; others as they are.

    Published tables of this form have tens of millions of rows and further numbers beside the mean.
    """
    found = [next((name for name in table.column_names if name in names), None) for names in _LONG]
    if None in found:
        return table
    line, gene, value = found
    means = table.group_by([line, gene]).aggregate([(value, "mean")])
    return means.select([line, gene, f"{value}_mean"])


def _whole(table: _Table, names: GeneNames, lines: CellLineCatalog | None, path: Path) -> _Table:
    """The table, turned so that a row is a line and a column a gene."""
    if not len(table.labels.columns):
        raise InputError(f"profiles {path}", "no column names its rows", FORMS)
    in_columns = names.count(table.columns)
    in_rows = {label: names.count(table.labels[label]) for label in table.labels}
    label = max(in_rows, key=lambda name: in_rows[name])
    if in_rows[label] <= in_columns:
        return table
    if table.labels[label].duplicated().any():
        return _from_long(table, label, lines, path)
    turned = pd.DataFrame({"line": table.columns})
    return _Table(turned, table.labels[label].tolist(), np.ascontiguousarray(table.numbers.T))


def _from_long(table: _Table, gene: str, lines: CellLineCatalog | None, path: Path) -> _Table:
    """A table of a row a line and gene; several rows of both (plates) are averaged."""
    others = [name for name in table.labels if name != gene]
    line = _line_label(table.labels[others], lines)
    if line is None or len(table.columns) != 1:
        found = f"several rows a gene, and columns {', '.join([*others, *table.columns]):.200}"
        raise InputError(f"profiles {path}", found, FORMS)
    long = table.labels[[line, gene]].assign(**{_VALUE: table.numbers[:, 0].astype(np.float64)})
    means = long.pivot_table(_VALUE, line, gene, aggfunc="mean")
    return _Table(pd.DataFrame({"line": means.index}), list(means.columns), means.to_numpy())


def _line_label(labels: pd.DataFrame, lines: CellLineCatalog | None) -> str | None:
    """The column that names lines: where most of them are the atlas's; None if none is."""
    if labels.empty:
        return None
    if lines is None:
        return str(labels.columns[0])
    known = {
        name: sum(lines.find(text) is not None for text in labels[name].unique()) for name in labels
    }
    label = max(known, key=lambda name: known[name])
    return str(label) if known[label] else None


def _named_lines(
    table: _Table, names: GeneNames, lines: CellLineCatalog | None, path: Path
) -> pd.DataFrame:
    """Rows by the name of their line, columns by that of their gene in the file."""
    if names.count(table.columns) < _FEWEST_GENES:
        found = f"the atlas has fewer than {_FEWEST_GENES} of its genes ({table.columns[:3]} ...)"
        do = "Give symbols or Ensembl ids as the atlas has them: lgr info NAME --json."
        raise InputError(f"profiles {path}", found, do)
    label = _line_label(table.labels, lines)
    if label is None:
        shown = ", ".join(table.labels.iloc[:3, 0])
        found = f"none of its {len(table.labels)} rows is a line of the atlas ({shown} ...)"
        do = "Name lines as the atlas does, or by Cellosaurus or DepMap id: lgr info NAME --json."
        raise InputError(f"profiles {path}", found, do)
    texts = table.labels[label].astype(str).str.strip()
    rows = texts if lines is None else texts.map(lambda text: lines.find(text) or "")
    return pd.DataFrame(table.numbers, index=rows.to_numpy(object), columns=table.columns)


def _by_gene(by_line: pd.DataFrame, names: GeneNames, path: Path) -> tuple[pd.DataFrame, Any]:
    """One row a line and one column a gene, and what was averaged and left out."""
    known = by_line[by_line.index != ""]
    if np.isinf(known.to_numpy()).any():
        raise InputError(f"profiles {path}", "a value is infinite", "Remove or replace it first.")
    complete = known.loc[:, known.notna().all()]
    if complete.shape[1] < _FEWEST_GENES:
        found = "hardly a gene of it has a value in every line"
        raise InputError(f"profiles {path}", found, "Fill the gaps, or remove such lines.")
    called = [names.find(text) or text.strip() for text in complete.columns]
    genes = complete.T.groupby(called, sort=False).mean().T
    lines = genes.groupby(level=0, sort=True).mean()
    notes: Mapping[str, Any] = {
        "lines": len(lines),
        "rows_averaged": len(known) - len(lines),
        "rows_of_other_lines_left_out": len(by_line) - len(known),
        "genes_with_gaps_left_out": known.shape[1] - complete.shape[1],
    }
    return lines, notes
