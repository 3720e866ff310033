"""The command that fetches a public atlas."""

from __future__ import annotations

import argparse
from pathlib import Path

from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.cli.atlas import build
from lgr_core.cli.common import Commands, ProgressBars, command, echo, print_json
from lgr_core.config import Settings
from lgr_core.errors import UsageError


def add(commands: Commands) -> None:
    """Add ``lgr fetch``."""
    flag = command(commands, "fetch", _fetch).add_argument
    flag("atlas", choices=["tahoe"], help="Tahoe-100M's ready deltas (CC0), about 70 MB a plate")
    flag("--plates", metavar="1,2", default="", help="1 to 14; none: all")
    flag("--doses", metavar="5", default="", help="plates made for these doses, in uM")
    flag("--metadata", action="store_true", help="the tables of drugs, lines, samples, genes alone")
    what = "both published halves of each condition's cells, in place of the whole"
    flag("--halves", action="store_true", help=what)
    what = "fetch untreated expression too: of variable genes, or of all (186 MB)"
    flag("--control-profiles", choices=["hvg", "all"], help=what)
    flag("--out", type=Path, metavar="DIR", help="where to; none: downloads/tahoe in LGR_HOME")
    flag("--mirror", metavar="URL", help="of the Hugging Face Hub")
    what = "build the atlas NAME from it at once; of halves NAME_half_a and NAME_half_b"
    flag("--ingest", metavar="NAME", help=what)
    flag("--drugs", type=Path, metavar="CSV", help="annotations of drugs")
    flag("--cell-lines", type=Path, metavar="CSV", help="annotations of cell lines")
    what = "control profiles: untreated expression, a row a line or a row a gene"
    flag("--profiles", type=Path, metavar="FILE", help=what)
    flag("--overwrite", action="store_true", help="replace an atlas of that name")


def _fetch(options: argparse.Namespace, settings: Settings) -> None:
    from lgr_core.atlas.download import fetch_files  # noqa: PLC0415 - a third of a second, here only
    from lgr_core.atlas.sources.tahoe_halves import HALVES, folder_of  # noqa: PLC0415 - as above
    from lgr_core.atlas.tahoe_plates import (  # noqa: PLC0415 - as above
        PROFILES,
        choose_plates,
        half_files,
        tahoe_files,
    )

    if options.control_profiles is not None and (options.profiles is not None or options.halves):
        found = "--profiles gives others" if options.profiles else "halves have none"
        raise UsageError("--control-profiles", found, "Leave out one of the two.")
    chosen = options.plates or options.doses or options.ingest or options.halves
    if options.metadata and chosen:
        found = "it fetches tables alone"
        raise UsageError("--metadata", found, "Leave out --plates, --doses, --halves, --ingest.")
    doses = tuple(_numbers(options.doses, "--doses"))
    plates = choose_plates(_numbers(options.plates, "--plates"), doses)
    folder = settings.home / "downloads" / "tahoe" if options.out is None else options.out
    if options.halves:
        wanted = half_files(plates, endpoint=options.mirror)
    else:
        wanted = tahoe_files([] if options.metadata else plates, options.control_profiles)
    with ProgressBars() as progress:
        files = fetch_files(wanted, folder, endpoint=options.mirror, progress=progress)
    sources = {"": folder}
    if options.halves:
        sources = {f"_half_{half.lower()}": folder / folder_of(half) for half in HALVES}
    if options.control_profiles is not None:
        options.profiles = folder / PROFILES[options.control_profiles]
    if options.ingest is not None:
        for suffix, source in sources.items():
            choices = IngestOptions(doses=doses)
            build(source, f"{options.ingest}{suffix}", choices, options, settings)
    elif options.json:
        print_json({"folder": str(folder), "files": [str(file) for file in files]})
    else:
        echo(f"{len(files)} files in {folder}")
        profiles = "" if options.profiles is None else f" --profiles {options.profiles}"
        for suffix, source in sources.items() if not options.metadata else ():
            echo(f"now: lgr ingest {source} --name tahoe{suffix}{profiles}")


def _numbers(text: str, flag: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError as err:
        raise UsageError(flag, f"{text!r} is no list of numbers", "E.g. 1,2") from err
