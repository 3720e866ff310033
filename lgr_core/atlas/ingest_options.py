"""The options of an ingest: how a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lgr_core.atlas.control_matching import ControlScope
from lgr_core.atlas.control_profiles import ProfileUnits
from lgr_core.atlas.count_source import ReadOptions, Unit
from lgr_core.atlas.replicates import DosePolicy
from lgr_core.atlas.shard_sums import Order
from lgr_core.domain import SharedWells, ValueKind
from lgr_core.errors import UsageError


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a file is read; every choice is recorded in the atlas's provenance.

    ``shared_wells`` says whether the lines of a well are one pooled sample; None: as the form is
    known to be, else unknown. ``profile_units`` are those of control profiles; None: guessed.
    """

    value_kind: ValueKind | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    pool_controls: bool = False
    control_scope: ControlScope = "plate"
    dose: DosePolicy = "per_dose"
    order: Order = "cells"
    unit: Unit | None = None
    layer: str | None = None
    target_sum: float = 10_000
    min_cells: int = 10
    n_hvg: int = 2_000
    time: str | None = None
    unsigned: bool = False
    lines: tuple[str, ...] = ()
    doses: tuple[float, ...] = ()
    exact_doses: bool = False
    samples: Path | None = None
    shared_wells: SharedWells | None = None
    profile_units: ProfileUnits | None = None

    def __post_init__(self) -> None:
        if self.n_hvg < 1:
            found = f"{self.n_hvg} genes make no panel"
            raise UsageError("n_hvg", found, "Give a number of 1 or more.")
        if self.min_cells < 0:
            found = f"{self.min_cells} is no number of cells"
            raise UsageError("min_cells", found, "Give a number of 0 or more.")

    @property
    def choices(self) -> ReadOptions:
        """How the file's rows and values are read."""
        return ReadOptions(
            overrides=self.columns,
            controls=self.controls,
            unit=self.unit,
            layer=self.layer,
            time=self.time,
            lines=self.lines,
            doses=self.doses,
            exact_doses=self.exact_doses,
            samples=self.samples,
        )
