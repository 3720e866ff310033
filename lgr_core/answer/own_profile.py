"""A line of one's own: untreated expression from a table, beside an atlas's control profiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.control_profiles import ControlProfiles, ProfileUnits
from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import InputError, UsageError
from lgr_core.prediction.line_features import LineFacts
from lgr_core.prediction.profile_distance import on_scale_of
from lgr_core.prediction.profile_ridge import NewLine

TEMPLATE_GENES = 20
"""Genes that a template lists; a table of one's own may hold any."""


def read_new_line(
    store: AtlasStore,
    name: str,
    profile: Path | None = None,
    *,
    organ: str = "",
    drivers: Sequence[str] = (),
    units: ProfileUnits | None = None,
) -> NewLine:
    """A line of one's own: its untreated expression from a file, its organ and driver genes.

    Of a file of several lines the row of this name is taken.

    Raises
    ------
    UsageError
        If the atlas has measurements of the line, or a profile is given and it has none to compare.
    InputError
        If the file is refused, or has several lines and none of this name.
    """
    from lgr_core.atlas.sources.profile_tables import (  # noqa: PLC0415 - slow to load
        read_profiles,
    )

    facts = LineFacts.parse(organ, ";".join(drivers))
    check_unmeasured(store, name)
    if profile is None:
        return NewLine(name, None, facts)
    own = read_profiles(profile, profile_genes(store), None, units=units)
    return placed_line(store, name, own, _row_of(own, name, profile), facts)


def check_unmeasured(store: AtlasStore, name: str) -> None:
    """Raise UsageError if the atlas has measurements of a line of that name."""
    if (known := store.cell_line_catalog.find(name)) is not None:
        found = f"atlas {store.name!r} has measurements of it as {known}"
        raise UsageError(f"line {name!r}", found, f"Ask for it: --cell-line {known!r}.")


def placed_line(
    store: AtlasStore, name: str, own: ControlProfiles, row: int, facts: LineFacts
) -> NewLine:
    """The line of one row of a table, over the genes of the atlas's profiles and on their scale.

    The scale is theirs by :func:`~lgr_core.prediction.profile_distance.on_scale_of`.

    Raises
    ------
    UsageError
        If the atlas has no control profiles.
    """
    theirs = _profiles(store)
    place = pd.Index(own.genes).get_indexer(theirs.genes)
    values = np.where(place >= 0, own.expression[row, np.maximum(place, 0)], np.nan)
    return NewLine(name, on_scale_of(values, theirs.expression), facts)


def profile_genes(store: AtlasStore) -> pd.DataFrame:
    """Names and Ensembl ids of an atlas's genes, and of those of its profiles beyond them.

    Raises
    ------
    UsageError
        If the atlas has no control profiles.
    """
    own = store.genes[["gene", "ensembl_id"]]
    more = sorted(set(_profiles(store).genes) - set(own["gene"]))
    return pd.concat([own, pd.DataFrame({"gene": more, "ensembl_id": ""})], ignore_index=True)


def template(store: AtlasStore) -> pd.DataFrame:
    """A table to fill in: genes of the atlas's profiles, and one column of untreated expression."""
    genes = _profiles(store).genes[:TEMPLATE_GENES]
    return pd.DataFrame({"gene": genes, "my_line_tpm": 0.0})


def _profiles(store: AtlasStore) -> ControlProfiles:
    theirs = store.line_profiles
    if theirs is None:
        found = "it has no control profiles to compare one's own with"
        do = f"Give it some: lgr profiles {store.name} FILE."
        raise UsageError(f"atlas {store.name!r}", found, do)
    return theirs


def _row_of(own: ControlProfiles, name: str, path: Path) -> int:
    if len(own.cell_lines) == 1:
        return 0
    if name in own.cell_lines:
        return own.cell_lines.index(name)
    found = f"it holds {len(own.cell_lines)} lines: {', '.join(own.cell_lines[:5])} ..."
    raise InputError(f"profile {path}", found, "Say --line-name as one of them is called.")
