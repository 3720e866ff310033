"""The command that gives an atlas the untreated expression of its lines."""

from __future__ import annotations

import argparse
from pathlib import Path

from lgr_core.atlas.build import with_profiles
from lgr_core.atlas.control_profiles import ProfileUnits
from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import Commands, command, print_json
from lgr_core.config import Settings


def add(commands: Commands) -> None:
    """Add ``lgr profiles``."""
    parser = command(commands, "profiles", _profiles)
    parser.add_argument("atlas", metavar="ATLAS")
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, TSV, parquet or h5ad")
    add_units_flag(parser)
    about = "deal the profiles to the lines at random: a control, of which nothing can be learned"
    parser.add_argument("--permute", type=int, metavar="SEED", help=about)


def add_units_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--profile-units``."""
    kinds = [str(kind) for kind in ProfileUnits]
    about = "what the values of profiles are; guessed from them if not given"
    parser.add_argument("--profile-units", choices=kinds, help=about)


def units_of_flags(options: argparse.Namespace) -> ProfileUnits | None:
    """What ``--profile-units`` says, None if nothing."""
    return None if options.profile_units is None else ProfileUnits(options.profile_units)


def _profiles(options: argparse.Namespace, settings: Settings) -> None:
    from lgr_core.atlas.sources.profile_tables import (  # noqa: PLC0415 - slow to load
        read_profiles,
    )

    store = open_atlas(options.atlas, settings.atlases)
    units = units_of_flags(options)
    profiles = read_profiles(options.file, store.genes, store.cell_line_catalog, units=units)
    if options.permute is not None:
        profiles = profiles.permuted(options.permute)
    with_profiles(store.folder, profiles)
    found = open_atlas(options.atlas, settings.atlases).info()["control_profiles"]
    if options.json:
        print_json({"atlas": store.name, **found})
        return
    print(f"{store.name}: control profiles of {profiles.source}")
    for key, value in found.items():
        print(f"  {key.replace('_', ' ')}: {value}")
