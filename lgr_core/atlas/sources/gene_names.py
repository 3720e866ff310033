"""Which features of a file are genes, and their names: symbols, made unique, with Ensembl ids."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.clean_names import check_readable_names
from lgr_core.atlas.sources.column_names import GENE_ROLES, plain
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.domain import EMPTY, IntArray
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

_HEADER = re.compile(r"\bgene_(?:short_name|symbol|name|id)\b", re.IGNORECASE)

_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec"
_DATE = re.compile(
    rf"\d{{1,2}}-({_MONTH})|({_MONTH})-\d{{1,2}}|\d{{4}}-\d\d-\d\d([ T].*)?|\d\d?/\d\d?/\d{{2,4}}",
    re.IGNORECASE,
)
_GENE = "gene expression"
_TYPE_COLUMNS = ("feature_types", "feature_type")
_OTHER_TYPES = frozenset(
    {
        "antibody capture",
        "antigen capture",
        "chromatin accessibility",
        "crispr guide capture",
        "cut site",
        "custom",
        "multiplexing capture",
        "peaks",
    }
)
"""Types of features that 10x Genomics writes beside ``Gene Expression``."""

_NO_GENES = tuple(
    (kind, re.compile(rf"(?:{pattern})\Z", re.IGNORECASE))
    for kind, pattern in (
        ("hashtags", r"(hto|hash[-_ ]?tag|cmo|multiseq)([-_. ].*|\d+([-_. ].*)?)|hash[-_ ]?tag"),
        ("hashtags", r".*[-_. ](hto|hash[-_ ]?tag)s?"),
        (
            "antibodies",
            r"(adt|antibody|totalseq[-_]?[abcd]?)([-_. ].*|\d+)|.*[-_. ](adt|totalseq[-_]?[abcd]?)",
        ),
        ("guides", r"(sgrna|grna|guide)([-_. ].*|\d+)|.*[-_. ](sgrna|grna)"),
        ("spike-ins", r"ercc-\d{5}"),
    )
)
"""What features are called that are no genes, in files that do not say what each is."""


class Features(NamedTuple):
    """``columns`` of a matrix that are genes (None: all), and how many others there are by kind."""

    columns: IntArray | None
    left_out: dict[str, int]


def find_genes(var: pd.DataFrame, asked: str, overrides: Mapping[str, str] = EMPTY) -> Features:
    """Tell the genes of a table of features from antibodies, hashtags, guides and spike-ins.

    A column ``feature_types`` decides where it says ``Gene Expression`` or any other type that
    10x Genomics writes; without one the names do (``HTO_1``, ``ADT_CD3``, ``ERCC-00002``).

    Raises
    ------
    InputError
        No feature is a gene.
    """
    kinds = _types(var)
    if kinds is None:
        symbols = guess_columns(var, overrides, roles=GENE_ROLES, required=()).get("gene")
        names = [var.index] if symbols is None else [var.index, var[symbols]]
        kinds = [_kind(map(str, called)) for called in zip(*names, strict=True)]
    left_out = Counter(kind for kind in kinds if kind is not None)
    if not left_out:
        return Features(None, {})
    said = ", ".join(f"{kind}: {count:,}" for kind, count in left_out.items())
    columns = np.flatnonzero([kind is None for kind in kinds])
    if not len(columns):
        raise InputError(asked, f"no feature is a gene ({said})", "Give a file with its genes.")
    log.warning("features that are no genes are left out: %s", said)
    return Features(columns, dict(left_out))


def _types(var: pd.DataFrame) -> list[str | None] | None:
    """What each feature is, None for a gene; None where no column says so."""
    for name in var.columns:
        if plain(name) in _TYPE_COLUMNS:
            texts = _texts(var[name])
            if texts.str.casefold().isin({_GENE, *_OTHER_TYPES}).any():
                return [None if t.casefold() in {_GENE, ""} else t for t in texts]
    return None


def _kind(names: Iterable[str]) -> str | None:
    """What a feature of these names is; None: a gene."""
    texts = [name.strip() for name in names]
    return next(
        (kind for kind, pattern in _NO_GENES if any(map(pattern.match, texts))),
        None,
    )


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
    _check_header(symbols, ids)
    check_readable_names(symbols, "gene")
    _warn_of_dates(symbols)
    symbols = symbols.where(symbols != "", ids)
    return pd.DataFrame({"gene": _unique(symbols, ids), "ensembl_id": ids})


def _check_header(symbols: pd.Series, ids: pd.Series) -> None:
    """Refuse genes read from a table with its header, as in scPerturb's sci-Plex before v1.4."""
    for names in (symbols, ids):
        headers = names[names.str.contains(_HEADER)]
        if len(headers):
            found = f"gene {headers.index[0] + 1} is called {headers.iloc[0]!r}, a table's header: "
            found += "all names are shifted against the values"
            do = "Take a mended file (of scPerturb's sci-Plex: release 1.4 or later)."
            raise InputError("genes", found, do)


def _warn_of_dates(symbols: pd.Series) -> None:
    """Warn of symbols that a spreadsheet has turned into dates (``MARCHF1``, ``SEPTIN2``)."""
    dates = symbols[symbols.str.fullmatch(_DATE)]
    if len(dates):
        said = ", ".join(dates[:10])
        log.warning("genes called by dates, as spreadsheets write them: %s", said)


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
