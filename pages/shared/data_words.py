"""What the page that takes data calls roles, kinds and options, and how it says errors."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lgr_core.domain import ValueKind
from lgr_core.errors import LgrError

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

_SAYS: tuple[tuple[str, str], ...] = (
    (r"Say --column dose_unit=uM \(or nM, mM, M\)\.", "Choose the unit of the dose above."),
    (r"Say --column (\w+)=NAME\.", r"Choose the column «\1» above."),
    (
        r"Say --column (\w+)=.+?, or --column \w+= if it is none\.",
        r"Choose it as the column «\1» above, or say there that the file has none.",
    ),
    (
        r"Say --time (\S+) or another of them, or --column time= if .+\.",
        "Choose one of them above, or say there that the file has no column «time».",
    ),
    (r"Say --column \w+=.+? or --column (\w+)=.+\.", r"Choose the column «\1» above."),
    (r"For ready deltas say --value-kind .+\.", "Say above what kind of change the numbers are."),
    (
        r"Say --value-kind if these are ready deltas, else give a file of raw counts\.",
        "Say what kind of change the numbers are, else give a file of raw counts.",
    ),
    (
        r"Name the layer of raw counts with --layer (.+?)\. ",
        r"Choose the layer of raw counts above (\1). ",
    ),
    (
        r"Leave out --value-kind to have them read as counts\.",
        "Say above that they are raw counts; these are read from h5ad.",
    ),
    (r"or say --unsigned if these are changes", "or tick «Changes may all be positive» above"),
    (r"Name the vehicle.* with --control.*\.", "Choose the vehicle above."),
    (r"name the control labels with --control", "choose the vehicle above"),
    (r"(Name|Leave out) (.*?)(with )?--layer\.", "Choose the layer above."),
    (r"or name another --layer", "or choose another layer above"),
    (r"\(keep as drugs: --column is_control=\)", "(drugs? say that the file has no such column)"),
    (r"Say --unit .+\.", "Ingest it on the server with lgr ingest."),
    (r"--column (\w+)=(\S+)", r"column «\1»: \2"),
    (r"--time (\S+)", r"time \1"),
    (r"--value-kind (\S+)", r"kind of numbers: \1"),
)
"""What the command line's words are on this page, where everything is chosen and not typed."""


def plainly(error: LgrError) -> LgrError:
    """The error in the words of this page."""
    return type(error)(*(in_words(part) for part in (error.asked, error.found, error.do)))


def in_words(text: str) -> str:
    """A sentence of the core in the words of this page."""
    for pattern, words in _SAYS:
        text = re.sub(pattern, words, text)
    return re.sub(r"«(\w+)»", lambda found: f"«{_role(found[1])}»", text)


def _role(name: str) -> str:
    return {**ROLES, **MORE_ROLES}.get(name, name)
