"""What columns are called: the conventions in use, and names that are metadata by their look.

Names are compared without regard to case, spaces, brackets and ``-._/``, with one letter for both
Unicode forms of micro; a unit that ends the name of a dose or a time is set apart. Each role has
tiers of names, the most telling first. Known conventions: Tahoe-100M (``cell_name`` before
``cell_line`` where that holds Cellosaurus ids, ``drugname_drugconc``, ``plate``), scPerturb's
sci-Plex (``perturbation``, ``dose_value``, ``dose_unit``, ``time``), OP3 (``sm_name``, ``dose_uM``,
``timepoint_hr``, ``cell_type``, ``plate_name``), chemCPA (``condition``, ``dose``, ``cell_type``,
``control``) and our own (``cell_line``, ``drug``, ``dose``, ``dose_unit``, ``is_control``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from lgr_core.atlas.sources.doses import split_unit

Roles = Mapping[str, tuple[tuple[str, ...], ...]]

ROLES: Roles = MappingProxyType(
    {
        "cell_line": (
            ("cell_line",),
            ("cell_name", "cell_line_name", "cell_iname", "cell_name_vevo"),
            ("cell_type",),
            ("cell_id_cellosaur", "cell_line_id", "cell_line"),
        ),
        "drug": (
            ("drug", "drug_name"),
            ("perturbation", "sm_name", "treatment", "compound", "pert_iname", "cmap_name"),
            ("condition",),
        ),
        "drug_dose": (("drugname_drugconc",),),
        "dose": (
            ("dose", "drug_dose"),
            ("dose_value", "concentration", "drug_concentration"),
            ("conc", "drug_conc", "pert_dose"),
        ),
        "dose_unit": (
            ("dose_unit", "dose_units"),
            ("concentration_unit", "concentration_units", "conc_unit", "conc_units"),
            ("pert_dose_unit",),
        ),
        "time": (
            ("time", "timepoint", "time_point", "hours"),
            ("treatment_time", "treatment_duration", "exposure_time", "incubation_time"),
            ("duration", "pert_time"),
        ),
        "plate": (("plate",), ("plate_name", "plate_id"), ("plates", "plate_names")),
        "well": (("well",), ("well_id",)),
        "is_control": (("is_control",), ("control",)),
        "n_cells": (("n_cells",), ("n_cells_trt", "cell_count")),
        "n_replicates": (("n_replicates",),),
        "pass_filter": (("pass_filter",),),
        "cellosaurus": (
            ("cellosaurus", "cellosaurus_id"),
            ("cell_id_cellosaur", "cell_line_id"),
            ("cell_line",),
        ),
        "depmap_id": (("depmap_id",), ("cell_id_depmap",)),
        "organ": (("organ",), ("tissue",)),
        "smiles": (("smiles",), ("canonical_smiles",)),
        "moa": (("moa",), ("moa_fine",)),
        "target": (("target",), ("targets",)),
        "pubchem_cid": (("pubchem_cid",), ("cid",)),
    }
)
"""Role -> tiers of column names, the most telling first; doses and times without their unit."""

GENE_ROLES: Roles = MappingProxyType(
    {
        "gene": (("gene_symbol", "gene_name"), ("symbol", "feature_name"), ("gene",)),
        "ensembl_id": (("ensembl_id", "ensembl"), ("gene_id", "gene_ids")),
    }
)
"""The same for the table of genes; without a match, the index names the genes."""

VALUE_ROLE = "value"
"""The column of changes in a table of one row a gene; it plays no role in any other."""

REPLICATE_NAME = re.compile(
    r"(\A|_)(replicates?|rep|batch|donor|sample|barcode|id|index|row|col|lane|library|run)(_|\Z)"
)
"""Columns that number replicates or name single rows: to average over them is what is asked."""

_TIME_UNIT = re.compile(r"_(h|hrs?|hours?|min|mins|minutes|d|days?)\Z")
_LIKE_DOSE = re.compile(r"dose|dosage|concentration|molarity|conc(_|\Z)|\A[munp]m\Z|molar\Z")
_LIKE_TIME = re.compile(r"(\A|_)(i?time|time_?points?|hours?|duration|days?)(_|\Z)")
_NO_GENES = frozenset(
    {"index", "id", "replicate", "rep", "sample", "batch", "split", "donor", "score"}
    | {"row", "col", "column", "lane", "library", "run", "barcode"}
    | {"level_0", "index_level_0", "unnamed:_0", "", "n", "pval", "padj", "qval", "fdr", "lfdr"}
    | {"basemean", "base_mean", "lfcse", "lfc_se", "stat", "statistic", "stats", "wald", "lr"}
    | {"aveexpr", "ave_expr", "avg_expr", "logcpm", "log_cpm", "se", "stderr", "std_err", "sd"}
    | {"logfc", "log_fc", "lfc", "log2fc", "log2_fc", "avg_logfc", "avg_log2fc", "avg_diff"}
    | {"log2foldchange", "log2_fold_change", "logfoldchange", "logfoldchanges", "log_fold_change"}
    | {"fold_change", "foldchange", "percent_change", "target_mean", "reference_mean"}
    | {"p_value", "pvalues", "scores", "zscore", "z_score", "rank_score", "delta", "value"}
    | {"pvals_adj", "adj_p_value", "pct_1", "pct_2", "size_factors", "size_factor", "sizefactor"}
    | {"sizefactors", "norm_factors", "lib_size", "auc", "aac", "auroc", "emax", "einf", "hill"}
    | {"ncounts", "ngenes", "numis", "ncells", "ncount_rna", "nfeature_rna", "library_size"}
)
_COVARIATE = re.compile(
    r"(.*_)?(temperature|viability|confluen(ce|cy)|density|humidity|passage)(_.*)?\Z"
    r"|temp|ph|od(_?\d+)?|co2|age|generation"
)
_STATISTICS = frozenset({"B", "F", "t"})
"""limma and edgeR call statistics so, to the letter; no human or mouse gene is."""

_NO_GENE = re.compile(
    r"(n|num|number|no|total|pct|percent|percentage|frac|fraction|median|mean|log1p)_"
    r"|.*_(id|idx|index|number|pval|pvalue|padj|fdr|counts?|umis?|score)\Z"
    r"|.*_(frac|fraction|pct|percent|ratio|diff|difference|size_factors?)\Z"
    r"|(x_)?(umap|t_?sne|pca?|lsi|harmony|phate|diffmap|mds)_\d+\Z|(umap|t_?sne|pc)\d+\Z"
    r"|(p|log_|log10_)?(ic|ec|gi|ed|cc|ac)_?50(_.*)?\Z|gr(50|_?max|_?aoc)(_.*)?\Z"
    r"|(adj(usted)?_)?[pq]_?val(ue)?s?(_.*)?\Z|(p|q)_?adj(_.*)?\Z|adj_p(_.*)?\Z"
)


def plain(name: str) -> str:
    """A column name as it is compared: lower case, ``_`` for spaces, brackets, dashes and dots."""
    text = unicodedata.normalize("NFKC", str(name)).replace("\N{GREEK SMALL LETTER MU}", "u")
    return re.sub(r"[\s\-._/()\[\]{}]+", "_", text).strip("_").casefold()


def name_in_tiers(column: str, role: str) -> str:
    """A column's plain name as the tiers of ``role`` have it: a dose or a time without its unit."""
    name = plain(column)
    if role == "dose":
        return split_unit(name)[0]
    return _TIME_UNIT.sub("", name) if role == "time" else name


_PLAYED = {role: {name for tier in tiers for name in tier} for role, tiers in ROLES.items()}


def is_role_name(name: str) -> bool:
    """Whether a column of this name plays a role somewhere, and so is no gene."""
    text = plain(name)
    if any(text in names for names in _PLAYED.values()):
        return True
    return any(name_in_tiers(name, role) in _PLAYED[role] for role in ("dose", "time"))


def plays(name: str, role: str) -> bool:
    """Whether a column of this name may play that role."""
    return name_in_tiers(name, role) in _PLAYED[role]


def likeness(name: str) -> Literal["dose", "time"] | None:
    """Whether a name speaks of a dose or of a time, known as one here or not."""
    text = plain(name)
    if _LIKE_DOSE.search(text):
        return "dose"
    return "time" if _LIKE_TIME.search(text) else None


def is_covariate_name(name: str) -> bool:
    """Whether a column of this name holds a circumstance of a row: temperature, passage, ..."""
    return _COVARIATE.fullmatch(plain(name)) is not None


def is_metadata_name(name: str) -> bool:
    """Whether a numeric column of this name is no gene: a role, a dose, a count, a p-value, ..."""
    text = plain(name)
    known = text in _NO_GENES or _NO_GENE.match(text) is not None or name in _STATISTICS
    return known or is_covariate_name(name) or likeness(name) is not None or is_role_name(name)
