"""What the page that takes data calls roles, kinds and options."""

from __future__ import annotations

from collections.abc import Mapping

from lgr_core.domain import ValueKind

ROLES: Mapping[str, str] = {
    "cell_line": "Cell line",
    "drug": "Drug",
    "dose": "Dose",
    "dose_unit": "Unit of the dose",
    "plate": "Plate",
    "time": "Time",
}
"""Roles that are asked for at once."""

MORE_ROLES: Mapping[str, str] = {
    "is_control": "Vehicle? (yes or no)",
    "drug_dose": "Drug and dose in one",
    "well": "Well",
    "n_cells": "Number of cells",
    "n_replicates": "Number of replicates",
    "pass_filter": "Passed the filter (full)",
    "smiles": "Structure (SMILES)",
    "moa": "Mechanism",
    "target": "Target",
    "pubchem_cid": "PubChem CID",
    "organ": "Organ",
    "cellosaurus": "Cellosaurus id",
    "depmap_id": "DepMap id",
}
"""Roles behind a click."""

COUNTS = "counts"
KINDS: Mapping[str, str] = {
    COUNTS: "Raw counts of cells or wells (h5ad)",
    ValueKind.LOGNORM_DELTA: "Changes in log-normalised expression (ln)",
    ValueKind.LOG2FC: "Log2 fold changes",
    ValueKind.ZSCORE: "z-scores",
    ValueKind.RANK_SCORE: "Rank scores (order and sign, no amount)",
}
"""What the numbers of a file can be."""

DOSES: Mapping[str, str] = {
    "per_dose": "Each dose for itself",
    "pool": "Averaged over doses",
    "max": "The highest dose of each drug alone",
}
"""What is made of several doses of a drug."""

UNITS = ("uM", "nM", "mM", "M")
"""Units that a dose can be said to have where no column says it."""
