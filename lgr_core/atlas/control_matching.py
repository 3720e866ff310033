"""Which treated group is compared with which vehicle: same line and plate, else same line."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.replicates import dose_text, join_doses
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

ControlScope = Literal["plate", "cell_line"]
CONTROL_SCOPES: tuple[ControlScope, ...] = ("plate", "cell_line")


class Contrasts(NamedTuple):
    """Treated groups, their vehicles, and the matrices that make deltas of group sums.

    A profile is a pool of groups: one for each row of ``treated``, then of ``vehicles`` (per line
    and plate), then one a line. ``pools`` (n_profiles, n_groups) holds ones; ``deltas``
    (n_treated, n_profiles) takes a vehicle's profile from a treated one. ``treated`` has
    ``cell_line``, ``drug``, ``dose_um`` (NaN if pooled), ``doses_um`` (as text), ``plate``, ``n``,
    ``n_groups`` and ``control`` (whose vehicle: "plate" or "cell_line"); ``vehicles`` has
    ``cell_line``, ``plate``, ``label`` and ``n``.
    """

    treated: pd.DataFrame
    vehicles: pd.DataFrame
    pools: sparse.csr_array
    deltas: sparse.csr_array
    counts: dict[str, Any]


def plan_contrasts(
    groups: pd.DataFrame,
    labels: Sequence[str],
    *,
    scope: ControlScope = "plate",
    pool_controls: bool = False,
    pool_doses: bool = False,
) -> Contrasts:
    """Find each treated group its vehicle.

    Of several control labels the first one present counts, per line and plate, and per line for
    the line's pooled vehicle, unless they are pooled. Where a plate has no vehicle for a line, the
    line's pooled vehicle stands in; a line without any is left out. All of it is counted.

    Parameters
    ----------
    groups
        One row a group: ``cell_line``, ``drug``, ``dose_um``, ``plate`` (``""``: none known),
        ``is_control`` and ``n``, its cells or wells; a group of none is left out.
    labels
        Control labels, best first.
    scope
        Compare within the ``plate``, or with the pooled vehicle of the ``cell_line``.
    pool_controls
        Pool all control labels.
    pool_doses
        Pool all doses of a line, drug and plate into one profile, so that every cell counts once.

    Raises
    ------
    UsageError
        The scope is unknown.
    InputError
        No line has both treatments and a vehicle.
    """
    if scope not in CONTROL_SCOPES:
        known = ", ".join(CONTROL_SCOPES)
        raise UsageError("control scope", f"{scope!r} is unknown", f"One of {known}.")
    filled = groups.assign(group=np.arange(len(groups)))[groups["n"].to_numpy() > 0]
    is_control = filled["is_control"].to_numpy(dtype=bool)
    controls = filled[is_control]
    on_plate = _vehicles(controls, ["cell_line", "plate"], labels, pool=pool_controls)
    in_line = _vehicles(controls, ["cell_line"], labels, pool=pool_controls)
    comparable = _comparable(filled[~is_control], in_line, controls)
    treated = _profiles(comparable, pool_doses=pool_doses)
    vehicle, own_plate = _match(treated, on_plate, in_line, scope)
    members = [*treated["members"], *on_plate["members"], *in_line["members"]]
    used = {group for match in set(vehicle + len(treated)) for group in members[match]}
    by_label = controls.groupby("drug", observed=True)["n"].sum()
    counts = {
        "controls": {str(label): int(n) for label, n in by_label.items()},
        "controls_unused": int(controls.loc[~controls["group"].isin(used), "n"].sum()),
        "groups_without_control": int((~is_control).sum()) - len(comparable),
        "groups_against_line_vehicle": int(treated["n_groups"].to_numpy()[~own_plate].sum()),
    }
    return Contrasts(
        treated.drop(columns="members").assign(control=np.where(own_plate, "plate", "cell_line")),
        on_plate[["cell_line", "plate", "label", "n"]],
        _pools(members, len(groups)),
        _differences(len(treated), vehicle + len(treated), len(members)),
        counts,
    )


def _vehicles(
    controls: pd.DataFrame, keys: list[str], labels: Sequence[str], *, pool: bool
) -> pd.DataFrame:
    """One row a vehicle: ``keys``, ``label``, ``n`` and its ``members`` (group numbers)."""
    rank = controls["drug"].map({label: i for i, label in enumerate(labels)}).astype(int)
    controls = controls.assign(rank=rank).sort_values([*keys, "rank", "group"])
    if not pool:
        best = controls.groupby(keys, observed=True)["rank"].transform("min")
        controls = controls[controls["rank"] == best]
    return (
        controls.groupby(keys, observed=True, sort=True)
        .agg(
            label=("drug", lambda names: " + ".join(dict.fromkeys(names))),
            n=("n", "sum"),
            members=("group", list),
        )
        .reset_index()
    )


def _comparable(
    treated: pd.DataFrame, in_line: pd.DataFrame, controls: pd.DataFrame
) -> pd.DataFrame:
    """The treated groups whose line has a vehicle."""
    has_vehicle = treated["cell_line"].isin(set(in_line["cell_line"]))
    if not has_vehicle.any():
        found = (
            f"{len(treated):,} treated groups in {treated['cell_line'].nunique()} lines, vehicle "
            f"cells in {controls['cell_line'].nunique()} lines, none in common"
        )
        raise InputError("vehicle controls", found, Remedy(Fix.VEHICLE))
    if not has_vehicle.all():
        lost = sorted(map(str, treated.loc[~has_vehicle, "cell_line"].unique()))
        log.warning("no vehicle, left out: %s", ", ".join(lost))
    return treated[has_vehicle].reset_index(drop=True)


def _profiles(treated: pd.DataFrame, *, pool_doses: bool) -> pd.DataFrame:
    """One row a treated profile, with its ``members`` (group numbers) and how many they are."""
    treated = treated.assign(doses_um=[dose_text(dose) for dose in treated["dose_um"]])
    if not pool_doses:
        return treated.assign(members=[[group] for group in treated["group"]], n_groups=1)
    pooled = treated.groupby(["cell_line", "drug", "plate"], observed=True, sort=True).agg(
        n=("n", "sum"),
        doses_um=("doses_um", join_doses),
        members=("group", list),
        n_groups=("group", "size"),
    )
    return pooled.reset_index().assign(dose_um=np.nan)


def _match(
    treated: pd.DataFrame, on_plate: pd.DataFrame, in_line: pd.DataFrame, scope: ControlScope
) -> tuple[np.ndarray, np.ndarray]:
    """Each treated group's vehicle and whether it is its plate's.

    Vehicles are numbered through the rows of ``on_plate`` and on through those of ``in_line``.
    """
    plates = {
        key: row
        for row, key in enumerate(zip(on_plate["cell_line"], on_plate["plate"], strict=True))
    }
    lines = {line: len(plates) + row for row, line in enumerate(in_line["cell_line"])}
    keys = list(zip(treated["cell_line"], treated["plate"], strict=True))
    own = np.array([scope == "plate" and key[1] != "" and key in plates for key in keys])
    found = [plates[key] if mine else lines[key[0]] for key, mine in zip(keys, own, strict=True)]
    return np.array(found, dtype=np.int64), own


def _pools(members: list[list[int]], n_groups: int) -> sparse.csr_array:
    """The matrix (n_profiles, n_groups) that adds up each profile's groups."""
    rows = np.repeat(np.arange(len(members)), [len(pool) for pool in members])
    columns = np.concatenate([np.asarray(pool) for pool in members])
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(members), n_groups))


def _differences(n_treated: int, vehicle: np.ndarray, n_profiles: int) -> sparse.csr_array:
    """The matrix (n_treated, n_profiles) of profile i minus profile ``vehicle[i]``."""
    rows = np.arange(n_treated)
    entries = np.repeat([1.0, -1.0], n_treated)
    places = (np.tile(rows, 2), np.concatenate([rows, vehicle]))
    return sparse.csr_array((entries, places), shape=(n_treated, n_profiles))
