"""Gene names of a file: symbols, made unique, with their Ensembl ids."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.names import GENE_ROLES
from lgr_core.domain import EMPTY
from lgr_core.errors import InputError

_HEADER = re.compile(r"\bgene_(?:short_name|symbol|name|id)\b", re.IGNORECASE)


def name_genes(var: pd.DataFrame, overrides: Mapping[str, str] = EMPTY) -> pd.DataFrame:
    """Unique gene names and Ensembl ids of a file's table of genes.

    Symbols come from a column named like one, else from the index; Ensembl ids lose their version
    and are ``""`` where unknown. A gene without a symbol is called by its Ensembl id. Of genes
    that share a symbol the first keeps it and each other becomes ``SYMBOL_ENSEMBL``, or
    ``SYMBOL_2``, ``SYMBOL_3`` where there is no Ensembl id, or it too stands twice.

    Raises
    ------
    InputError
        A header stands among the genes: all names are shifted by one against the counts.

    Returns
    -------
    DataFrame
        ``gene`` (unique) and ``ensembl_id``, one row a gene, in file order.
    """
    columns = guess_columns(var, overrides, roles=GENE_ROLES, required=())
    index = pd.Series(var.index, dtype=object)
    ids = _texts(var[columns.columns["ensembl_id"]] if columns.get("ensembl_id") else index)
    ids = ids.str.replace(r"^(ENS[A-Z]*G\d+)\.\d+$", r"\1", regex=True)
    if not columns.get("ensembl_id"):
        ids = ids.where(ids.str.match(r"ENS[A-Z]*G\d+"), "")
    symbols = _texts(var[columns.columns["gene"]] if columns.get("gene") else index)
    _refuse_header(symbols, ids)
    symbols = symbols.where(symbols != "", ids)
    return pd.DataFrame({"gene": _unique(symbols, ids), "ensembl_id": ids})


def _refuse_header(symbols: pd.Series, ids: pd.Series) -> None:
    """Refuse genes read from a table with its header, as in scPerturb's sci-Plex before v1.4."""
    for names in (symbols, ids):
        headers = names[names.str.contains(_HEADER)]
        if len(headers):
            found = f"gene {headers.index[0] + 1} is called {headers.iloc[0]!r}, a table's header: "
            found += "all names are shifted against the values"
            do = "Take a mended file (of scPerturb's sci-Plex: release 1.4 or later)."
            raise InputError("genes", found, do)


def _texts(values: pd.Series) -> pd.Series:
    missing = values.isna().to_numpy()
    texts = pd.Series(np.asarray(values, dtype=object)).astype(str).str.strip()
    return texts.mask(missing, "")


def _unique(symbols: pd.Series, ids: pd.Series) -> list[str]:
    """Each name once: the first of a symbol keeps it, the others carry their Ensembl id."""
    again = symbols.duplicated()
    candidates = symbols.where(~again | (ids == ""), symbols + "_" + ids)
    taken: set[str] = set(symbols)
    names: list[str] = []
    for name, repeated in zip(candidates, again, strict=True):
        unique, copy = name, 1
        while repeated and unique in taken:
            copy += 1
            unique = f"{name}_{copy}"
        taken.add(unique)
        names.append(unique)
    return names
