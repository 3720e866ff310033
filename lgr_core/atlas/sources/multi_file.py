"""Several h5ad files of raw counts, such as one a plate, read as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from pandas.api.types import union_categoricals

from lgr_core.atlas.count_source import USUAL, CountBlocks, ReadOptions
from lgr_core.atlas.sources.containers import check_container
from lgr_core.atlas.sources.counts import CountSource, FileShard, open_counts
from lgr_core.atlas.sources.dose_column import DoseGroups, group_doses
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

_NAMES = ("cell_line", "drug", "plate")


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedSource(CountBlocks):
    """Sources one after the other."""

    parts: tuple[CountSource, ...]

    def nonzeros(self) -> int:
        """Values that all files store."""
        return sum(part.nonzeros() for part in self.parts)

    def shards(self, max_nonzeros: int) -> list[FileShard]:
        """The shards of each part, with rows counted through all of them."""
        found, before = [], 0
        for part in self.parts:
            found += [replace(shard, before=before) for shard in part.shards(max_nonzeros)]
            before += len(part.obs)
        return found


def open_folder(path: Path, choices: ReadOptions = USUAL) -> JoinedSource:
    """Open every h5ad of a folder by the same choices.

    A file that names no plates is one, named by its stem.

    Raises
    ------
    InputError
        There is none, one cannot be opened, or two differ in their genes or in what a row is.
    """
    check_container(path)
    files = sorted(path.glob("*.h5ad"))
    if not files:
        remedy = Remedy(Fix.VALUE_KIND)
        raise InputError(f"folder {path}", "it holds no h5ad of raw counts", remedy)
    parts = tuple(_open(file, choices) for file in files)
    for file, part in zip(files, parts, strict=True):
        if not part.genes.equals(parts[0].genes):
            found = f"its genes differ from those of {files[0].name}"
            raise InputError(f"file {file}", found, "Give files with the same genes in order.")
        if part.unit != parts[0].unit:
            found = f"a row of it is a {part.unit}, of {files[0].name} a {parts[0].unit}"
            raise InputError(f"file {file}", found, Remedy(Fix.UNIT))
    obs = _join([part.obs for part in parts])
    groups = DoseGroups(obs["dose_um"].to_numpy(float))
    if not choices.exact_doses:
        groups = group_doses(groups.um)
    return JoinedSource(
        parts=parts,
        obs=obs.assign(dose_um=groups.um),
        genes=parts[0].genes,
        labels=tuple(dict.fromkeys(label for part in parts for label in part.labels)),
        unit=parts[0].unit,
        drugs=_first(parts, "drugs", "drug"),
        cell_lines=_first(parts, "cell_lines", "cell_line"),
        provenance={
            **parts[0].provenance,
            "source": str(path),
            "files": len(files),
            "dropped": dict(
                sum((Counter(part.provenance["dropped"]) for part in parts), Counter())
            ),
            **groups.record(),
            **_samples(parts),
        },
    )


def _open(file: Path, choices: ReadOptions) -> CountSource:
    part = open_counts(file, choices)
    if list(part.obs["plate"].cat.categories) == [""]:
        part.obs["plate"] = part.obs["plate"].cat.rename_categories([file.stem])
    return part


def _join(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows one below the other, names still as categories."""
    columns = ["dose_um", "is_control"]
    joined = pd.concat([frame[columns] for frame in frames], ignore_index=True)
    names = {
        name: union_categoricals([frame[name] for frame in frames], sort_categories=True)
        for name in _NAMES
    }
    return joined.assign(**names)


def _samples(parts: tuple[CountSource, ...]) -> dict[str, dict[str, object]]:
    """Of the table of samples what holds for all files; which of its rows each needs differs."""
    found = [part.provenance["samples"] for part in parts if "samples" in part.provenance]
    if not found:
        return {}
    without = "conditions_without_plate"
    said = {**found[0], without: sum(one[without] for one in found)}
    return {"samples": {name: said[name] for name in ("file", "rows", without)}}


def _first(parts: tuple[CountSource, ...], table: str, key: str) -> pd.DataFrame:
    """What the first part that knows a drug or line says of it."""
    tables = [found for part in parts if len(found := getattr(part, table))]
    if not tables:
        return pd.DataFrame(columns=[key])
    return pd.concat(tables, ignore_index=True).drop_duplicates(key, ignore_index=True)
