"""Neighbour files of the installation: taken in, listed, forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lgr_core.errors import InputError, NotFoundError
from lgr_core.files import atomic_write
from lgr_core.llm.locked_jsonl import remove_lines
from lgr_core.retrieval.neighbor_files import (
    NeighborRecord,
    line_id,
    neighbor_files,
    read_neighbors,
    read_or_warn,
)


def take_file(file: Path, folder: Path, *, overwrite: bool = False) -> tuple[Path, int]:
    """Copy a neighbour file into the folder; where it is now, and how many answers it holds.

    Raises
    ------
    InputError
        If it holds no answer or a line that is none, is not called ``.jsonl``, or is there already.
    """
    target = folder / file.name
    if target.suffix != ".jsonl":
        raise InputError(f"file {file}", "its name does not end in .jsonl", "Rename it.")
    count = sum(1 for _ in read_neighbors(file))
    if not count:
        raise InputError(f"file {file}", "no line is a neighbour record", "Give another file.")
    if target.exists() and not overwrite:
        raise InputError(f"file {target}", "it exists already", "Rename it, or add --overwrite.")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as aside:
        shutil.copyfile(file, aside)
    return target, count


def imported(folder: Path) -> list[tuple[str, NeighborRecord]]:
    """Every imported answer with the name of its file; unreadable files are left out, and said."""
    return [(path.name, r) for path in neighbor_files(folder) for r in read_or_warn(path)]


def forget(folder: Path, names: Iterable[str]) -> int:
    """Remove imported answers, by the first signs of their key, or whole files by name.

    Returns how many answers were removed; a file that cannot be read counts for one.

    Raises
    ------
    NotFoundError
        If a name is neither a file nor the key of one answer; nothing is removed then.
    """
    files = {path.name: path for path in neighbor_files(folder)}
    answers = imported(folder)
    asked = list(names)
    whole = [name for name in asked if name in files]
    keys = {_key_of(name, answers) for name in asked if name not in files}
    count = sum(max(1, sum(file == name for file, _ in answers)) for name in whole)
    for name in whole:
        files[name].unlink()
    holding = {name for name, r in answers if r.key in keys} - set(whole)
    return count + sum(
        remove_lines(files[name], lambda line: line_id(line) in keys) for name in sorted(holding)
    )


def _key_of(name: str, answers: Iterable[tuple[str, NeighborRecord]]) -> str:
    keys = {record.key for _, record in answers if name and record.key.startswith(name)}
    if len(keys) != 1:
        found = f"{len(keys)} imported answers have such a key, and no file has that name"
        raise NotFoundError(f"imported answer {name!r}", found, "See them with: lgr cache ls.")
    return keys.pop()
