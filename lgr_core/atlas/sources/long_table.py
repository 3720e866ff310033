"""Long tables of differential expression, a row a gene and contrast, turned into wide ones.

scanpy, pertpy, DESeq2, edgeR, limma and Seurat write one row per gene with the change and its
statistics in columns. Such a table is recognised by a column of genes whose rows repeat each
condition; the change is the one column whose name says so, of the kind that is asked for.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa

from lgr_core.atlas.sources.column_names import (
    REPLICATE_NAME,
    VALUE_ROLE,
    is_metadata_name,
    is_role_name,
    plain,
)
from lgr_core.atlas.sources.columns import ColumnMap, guess_columns
from lgr_core.domain import FloatArray, ValueKind
from lgr_core.errors import AmbiguousError, InputError
from lgr_core.remedies import Fix, Option, Remedy

log = logging.getLogger(__name__)

_GENES = (
    ("gene_symbol", "gene_name", "gene_short_name", "symbol", "hgnc_symbol"),
    ("gene", "genes", "gene_id", "ensembl", "ensembl_id", "ensembl_gene_id", "geneid"),
    ("feature", "feature_name", "names", "variable", "var_names", "row_names", "rownames"),
    ("", "index", "unnamed:_0"),
)
"""What the column of genes is called, the most telling first; R leaves row names unnamed."""

_LOG2 = ("log2foldchange", "log2fc", "avg_log2fc", "log2_fc", "log2_fold_change")
_FOLD = ("logfc", "log_fc", "logfoldchange", "logfoldchanges", "avg_logfc", "log_fold_change")
_VALUES: Mapping[ValueKind, tuple[str, ...]] = MappingProxyType(
    {
        ValueKind.LOG2FC: (*_LOG2, *_FOLD, "lfc"),
        ValueKind.LOGNORM_DELTA: ("delta", "lognorm_delta", "avg_diff", *_FOLD, "lfc"),
        ValueKind.ZSCORE: ("zscore", "z_score", "z", "stat", "t", "scores", "score"),
        ValueKind.RANK_SCORE: ("rank_score", "score"),
    }
)
"""Kind of change -> names of its column; several of them in one table must be told apart."""

_MOST_NUMBERS = 20
"""A table of more columns of genes than this is wide, whatever text stands beside them."""

_FEWEST_LEVELS = 20
"""Values of a column of text from which it may be a list of genes under an unknown name."""


@dataclass(frozen=True, slots=True)
class LongTable:
    """One row a contrast (``obs``), its changes (n_rows, n_genes) float32, and the genes."""

    obs: pd.DataFrame
    deltas: FloatArray
    genes: list[str]
    notes: dict[str, object]


def read_long(
    table: pa.Table, path: Path, overrides: Mapping[str, str], kind: ValueKind | None
) -> LongTable | None:
    """The contrasts of a long table; None if it is a wide one.

    ``kind`` is what its changes are, None: it is only looked at, and roles may stay open. A gene
    without a number in some contrast is left out and counted.

    Raises
    ------
    InputError
        No column holds changes of that kind, a line or drug has no column, a gene stands twice in
        a contrast, no gene is in every contrast, or it seems long by a column of unknown name.
    AmbiguousError
        Several columns may hold the changes.
    """
    gene = _gene_column(table, path, overrides)
    if gene is None and overrides.get(VALUE_ROLE):
        found = f"no column lists the genes; columns found: {', '.join(table.column_names)}"
        raise InputError(f"file {path}", found, Remedy(Fix.COLUMN, "gene"))
    if gene is None:
        return None
    value = _value_column(table, path, gene, overrides, kind)
    frame = table.drop_columns(gene).to_pandas(ignore_metadata=True)
    roles = {role: name for role, name in overrides.items() if role not in {"gene", VALUE_ROLE}}
    columns = guess_columns(frame.drop(columns=value), roles, required=())
    missing = [role for role in ("cell_line", "drug") if not _plays(role, columns)]
    keys = [name for name in frame if name in set(columns.columns.values())]
    if missing and kind is not None:
        _check_named_rows(frame.drop(columns=value), missing, path, (gene, value))
    if missing:
        keys = [name for name in frame if name in keys or _is_text(table.column(name).type)]
    names = table.column(gene).to_pandas().astype(str).str.strip()
    return _pivot(frame[keys], names, _numbers(frame[value]), path, (gene, value))


def _plays(role: str, columns: ColumnMap) -> bool:
    return columns.get(role) is not None or (role == "drug" and "drug_dose" in columns.columns)


def _check_named_rows(
    frame: pd.DataFrame, missing: Sequence[str], path: Path, columns: Sequence[str]
) -> None:
    """Refuse a long table that does not say whose contrasts it holds."""
    others = ", ".join(repr(str(name)) for name in frame) or "none"
    found = f"it lists genes in {columns[0]!r} and changes in {columns[1]!r}, and no column is "
    found += f"called like a {' or a '.join(missing)}; other columns: {others}"
    raise InputError(f"file {path}", found, Remedy(Fix.MISSING_COLUMNS, values=tuple(missing)))


def _gene_column(table: pa.Table, path: Path, overrides: Mapping[str, str]) -> str | None:
    """The column that lists genes, if rows of one condition differ in it and little else is."""
    said = overrides.get("gene")
    if said is not None:
        if said and said not in table.column_names:
            found = f"there is no column {said!r}; columns found: {', '.join(table.column_names)}"
            raise InputError(Option("column", said, "gene"), found, "Name one of these.")
        return said or None
    named = {name for role, name in overrides.items() if role != VALUE_ROLE}
    times = Counter(table.column_names)
    once = [field for field in table.schema if times[field.name] == 1]
    texts = [f.name for f in once if f.name not in named and _is_list(f)]
    keys = [f.name for f in once if is_role_name(f.name) or f.name in named]
    listed = [name for tier in _GENES for name in texts if plain(name) in tier]
    if not keys and listed and any(map(_is_value_name, table.column_names)):
        return listed[0]
    if not (texts and keys) or _wide_columns(table, overrides) > _MOST_NUMBERS:
        return None
    conditions = table.select(keys).to_pandas(ignore_metadata=True)
    if not conditions.duplicated().any():
        return None
    if not listed:
        _check_named_roles(table, texts, conditions, path)
    return listed[0] if listed else None


def _check_named_roles(
    table: pa.Table, texts: Sequence[str], conditions: pd.DataFrame, path: Path
) -> None:
    """Refuse a column of many texts of which each stands once in a condition: genes, perhaps."""
    for name in texts:
        levels = table.column(name).to_pandas()
        shared = conditions.duplicated(keep=False).all() and levels.nunique() * 2 <= len(levels)
        if not shared or levels.nunique() < _FEWEST_LEVELS or REPLICATE_NAME.search(plain(name)):
            continue
        each = levels.groupby([conditions[key] for key in conditions], observed=True, dropna=False)
        if (each.nunique() == each.size()).all():
            found = f"rows of one condition differ in column {name!r} ({levels.nunique():,} values)"
            raise InputError(f"file {path}", found, Remedy(Fix.GENE_COLUMN, "gene", (name,)))


def _is_value_name(name: str) -> bool:
    return any(plain(name) in names for names in _VALUES.values())


def _is_list(field: pa.Field) -> bool:
    """Whether a column may list genes: text that plays no role."""
    return _is_text(field.type) and not is_role_name(field.name)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _wide_columns(table: pa.Table, overrides: Mapping[str, str]) -> int:
    """Columns of numbers whose names are no metadata: the genes of a wide table."""
    return sum(
        (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
        and field.name not in overrides.values()
        and not is_metadata_name(field.name)
        for field in table.schema
    )


def _value_column(
    table: pa.Table,
    path: Path,
    gene: str,
    overrides: Mapping[str, str],
    kind: ValueKind | None,
) -> str:
    """The column of changes."""
    said = overrides.get(VALUE_ROLE)
    asked = f"file {path}"
    if said:
        if said not in table.column_names:
            found = f"there is no column {said!r}; columns found: {', '.join(table.column_names)}"
            raise InputError(Option("column", said, VALUE_ROLE), found, "Name one of these.")
        return said
    kinds = list(_VALUES) if kind is None else [kind]
    for names in map(_VALUES.__getitem__, kinds):
        found = [name for name in table.column_names if plain(name) in names]
        if len(found) > 1 and kind is not None:
            what = f"{' and '.join(map(repr, found))} are equally plausible"
            remedy = Remedy(Fix.ONE_COLUMN, VALUE_ROLE, tuple(found))
            raise AmbiguousError("the column of changes", what, remedy, candidates=found)
        if found:
            return found[0]
    others = [name for name in table.column_names if name != gene and not is_role_name(name)]
    what = "changes" if kind is None else f"changes of kind {kind}"
    found = f"a row is one gene (column {gene!r}), and no column is called like {what}"
    found += f"; columns found: {', '.join(others)}"
    raise InputError(asked, found, Remedy(Fix.COLUMN, VALUE_ROLE))


def _numbers(values: pd.Series) -> FloatArray:
    """Numbers (n,), NaN for whatever is none: ``NA`` is how DESeq2 writes a gene without counts."""
    with np.errstate(over="ignore"):
        return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float32)


def _pivot(
    keys: pd.DataFrame, names: pd.Series, values: FloatArray, path: Path, columns: Sequence[str]
) -> LongTable:
    """Contrasts in the order in which they come, by genes in the order in which they come."""
    rows = keys.groupby(list(keys), sort=False, observed=True, dropna=False).ngroup().to_numpy()
    genes, labels = pd.factorize(names)
    once = pd.DataFrame({"row": rows, "gene": genes})
    again = once.duplicated().to_numpy()
    if again.any():
        at = int(np.argmax(again))
        where = ", ".join(map(str, keys.iloc[at]))
        found = f"gene {names.iloc[at]!r} stands more than once for {where}"
        do = "Say --column plate=NAME if a column tells these rows apart, else remove the copies."
        raise InputError(f"file {path}", found, do)
    deltas = np.full((rows.max() + 1, len(labels)), np.nan, dtype=np.float32)
    deltas[rows, genes] = values
    full = np.isfinite(deltas).all(axis=0)
    gene, value = columns
    lost = int((~full).sum())
    if not full.any():
        found = f"none of {len(labels):,} genes has a number in each of {len(deltas):,} contrasts"
        do = "Give the results of all genes, not of the significant ones alone."
        raise InputError(f"file {path}", found, do)
    if lost:
        log.warning("genes that are not in every contrast, left out: %s", f"{lost:,}")
    log.info("%s is a long table: genes in %r, changes in %r", path, gene, value)
    obs = keys[~pd.Series(rows).duplicated().to_numpy()].reset_index(drop=True)
    obs.index = pd.RangeIndex(1, len(obs) + 1)
    notes: dict[str, object] = {
        "long_table": {"gene": gene, "value": value},
        "genes_not_in_every_contrast": lost,
        "metadata_columns": list(map(str, keys)),
    }
    return LongTable(obs, deltas[:, full], [str(label) for label in labels[full]], notes)
