"""Annotations of an atlas's drugs and cell lines, each from the first source that has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from lgr_core.atlas.sources.csv_reader import check_unique_columns, read_delimited
from lgr_core.config import SHIPPED
from lgr_core.drugs.catalog import DrugCatalog, Resolution
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.drugs.chemistry import parent_key
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError

DRUG_FIELDS = {
    "smiles": ("smiles", "canonical_smiles"),
    "pubchem_cid": ("pubchem_cid", "cid"),
    "moa": ("moa", "moa-fine", "moa_fine", "mechanism"),
    "targets": ("targets", "target"),
}
"""What is kept of a drug, and the column names it goes by."""

LINE_FIELDS = {
    "cellosaurus": ("cellosaurus", "cell_id_cellosaur", "cellosaurus_id", "rrid"),
    "depmap_id": ("depmap_id", "cell_id_depmap", "depmap"),
    "organ": ("organ", "tissue", "tissue_type"),
    "driver_genes": ("driver_genes", "drivers"),
}
"""What is kept of a cell line, and the column names it goes by."""

_UNKNOWN = {"na", "unclear", "unknown"}


def read_table(path: Path) -> pd.DataFrame:
    """A CSV of annotations, every cell as text ("NA" stays "NA").

    Raises
    ------
    InputError
        If the file cannot be read as CSV, or two columns have one name.
    """
    table = read_delimited(path, lambda _: True).to_pandas()
    check_unique_columns(list(table.columns), path)
    return table


def annotate_drugs(names: Sequence[str], sources: Iterable[pd.DataFrame | None]) -> pd.DataFrame:
    """One row a drug: parent, smiles, pubchem_cid, moa, targets and where each came from.

    ``sources`` are asked in order, then the shipped ``drugs.csv``; the first that knows a field
    fills it. A structure that cannot be read counts as none; a combination has none: its largest
    fragment would be drawn and compared in its place.
    """
    shipped = read_table(SHIPPED / "drugs.csv")
    frame = _fill(names, "drug", DRUG_FIELDS, [*sources, shipped], DrugCatalog)
    frame["pubchem_cid"] = frame["pubchem_cid"].str.removesuffix(".0")
    keys = {row.drug: parent_key(row.smiles) if row.smiles else None for row in frame.itertuples()}
    catalog = DrugCatalog(names, keys)
    readable = frame["drug"].map(keys).notna() & ~frame["drug"].isin(catalog.combinations)
    frame["smiles"] = frame["smiles"].where(readable, "")
    frame["parent"] = frame["drug"].map(catalog.parents.of)
    return frame


def annotate_lines(names: Sequence[str], sources: Iterable[pd.DataFrame | None]) -> pd.DataFrame:
    """One row a cell line: ids, organ, drivers; sources as for drugs, then ``cell_lines.csv``."""
    shipped = read_table(SHIPPED / "cell_lines.csv")
    return _fill(names, "cell_line", LINE_FIELDS, [*sources, shipped], CellLineCatalog)


def _fill(
    names: Sequence[str],
    key: str,
    fields: dict[str, tuple[str, ...]],
    sources: Iterable[pd.DataFrame | None],
    catalog: type[DrugCatalog | CellLineCatalog],
) -> pd.DataFrame:
    frame = pd.DataFrame({key: list(names), **dict.fromkeys(fields, "")})
    for source in sources:
        if source is None or source.empty:
            continue
        _fill_from(frame, source, key, fields, catalog)
    return frame


def _fill_from(
    frame: pd.DataFrame,
    source: pd.DataFrame,
    key: str,
    fields: dict[str, tuple[str, ...]],
    catalog: type[DrugCatalog | CellLineCatalog],
) -> None:
    columns = {column.lower(): column for column in source.columns}
    name_column = next((columns[c] for c in (key, "name", "cell_name") if c in columns), None)
    if name_column is None:
        found = f"columns {', '.join(source.columns)}"
        raise InputError(f"annotations by {key}", found, f"Name one column {key!r}.")
    source = source.assign(**{name_column: source[name_column].str.strip()})
    source = source.drop_duplicates(name_column).set_index(name_column)
    known = catalog(source.index)
    found_in = (known.find(name) for name in frame[key])
    rows = [one.drug if isinstance(one, Resolution) else one for one in found_in]
    for field, aliases in fields.items():
        column = next((columns[a] for a in aliases if a in columns), None)
        if column is None or column == name_column:
            continue
        values = source[column].astype(str)
        for i, row in enumerate(rows):
            value = "" if row is None else values[row].strip()
            stated = not is_missing(value) and value.lower() not in _UNKNOWN
            if stated and not frame.at[i, field]:
                frame.at[i, field] = value
