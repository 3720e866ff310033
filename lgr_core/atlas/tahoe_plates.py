"""The files of Tahoe-100M to fetch: deltas by plate, and metadata tables."""

from __future__ import annotations

from collections.abc import Sequence

from lgr_core.atlas.download import RemoteFile, list_files
from lgr_core.atlas.sources.tahoe_deltas import FOLDER, MAIN_DOSES
from lgr_core.atlas.sources.tahoe_halves import HALVES, NAME, folder_of
from lgr_core.atlas.sources.tahoe_tables import FOLDER as TABLES_FOLDER
from lgr_core.atlas.sources.tahoe_tables import TABLES
from lgr_core.errors import NotFoundError, UsageError

DELTAS = ("tahoebio/tahoe-de-rhaister", "c7963cf334bec0683225d41c9586d900ca6303a2")
CELLS = ("tahoebio/Tahoe-100M", "2dc57900b7981cfcf5e211527169a0b006546a95")
"""Repository and pinned commit; both are CC0-1.0."""

PROFILES = {
    "all": "zeroshot/control_expression.parquet",
    "hvg": "zeroshot/cell_line_centroids_dmso_hvg.parquet",
}
"""Untreated expression of the lines by plate: of all genes (186 MB), or of the variable ones."""


def choose_plates(plates: Sequence[float], doses: Sequence[float]) -> list[int]:
    """The plates asked for, or those made for one of ``doses`` (micromolar), or all.

    Raises
    ------
    UsageError
        There is no such plate or dose, or no plate is both.
    """
    known = {dose for of_plate in MAIN_DOSES.values() for dose in of_plate}
    strange = [f"plate {plate:g}" for plate in plates if plate not in MAIN_DOSES]
    strange += [f"dose {dose:g}" for dose in doses if dose not in known]
    if strange:
        known_doses = ", ".join(f"{dose:g}" for dose in sorted(known))
        do = f"Plates are 1 to {len(MAIN_DOSES)}, doses {known_doses} uM."
        raise UsageError("lgr fetch tahoe", f"there is no {', '.join(strange)}", do)
    chosen = [
        plate
        for plate in sorted(MAIN_DOSES)
        if (not plates or plate in plates) and (not doses or set(doses) & set(MAIN_DOSES[plate]))
    ]
    if not chosen:
        found = "none of those plates was made for that dose"
        raise UsageError("lgr fetch tahoe", found, "Leave out --plates or --doses.")
    return chosen


def tahoe_files(plates: Sequence[int], profiles: str | None = None) -> list[RemoteFile]:
    """The metadata tables, the ready deltas of these plates, and one of ``PROFILES``."""
    untreated = [] if profiles is None else [RemoteFile(*DELTAS, PROFILES[profiles])]
    deltas = [RemoteFile(*DELTAS, f"{FOLDER}/plate_plate{n}.parquet") for n in plates]
    return _tables() + untreated + deltas


def half_files(plates: Sequence[int], *, endpoint: str | None = None) -> list[RemoteFile]:
    """The metadata tables, and both published halves of these plates, as the hub lists them.

    Raises
    ------
    NotFoundError
        A half of a plate is not listed.
    ServiceError
        The hub cannot be reached.
    """
    found = []
    for half in HALVES:
        folder = folder_of(half)
        listed = {
            int(match[1]): path
            for path in list_files(*DELTAS, folder, endpoint=endpoint)
            if (match := NAME.match(path.rpartition("/")[2]))
        }
        if missing := [n for n in plates if n not in listed]:
            there = ", ".join(map(str, sorted(listed))) or "none"
            asked = f"half {half} of plate {missing[0]}"
            do = f"Name others with --plates; listed are {there}."
            raise NotFoundError(asked, f"{folder} of {DELTAS[0]} does not list it", do)
        found += [RemoteFile(*DELTAS, listed[n]) for n in plates]
    return _tables() + found


def _tables() -> list[RemoteFile]:
    return [RemoteFile(*CELLS, f"{TABLES_FOLDER}/{name}") for name in TABLES]
