"""What vehicles and untreated controls are called."""

from __future__ import annotations

KNOWN_CONTROLS = (
    "DMSO_TF",
    "DMSO",
    "Dimethyl Sulfoxide",
    "dimethyl sulfoxide",
    "Vehicle",
    "vehicle",
    "Control",
    "control",
    "ctrl",
    "Media",
    "Untreated",
    "untreated",
)
"""Control labels that are known, matched exactly; where several stand, in this order."""
