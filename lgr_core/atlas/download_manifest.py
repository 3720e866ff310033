"""What was fetched, written down beside it: so that a file cut or changed since is found out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgr_core.errors import InputError

NAME = "fetched.json"

_WHOLE_HASH_LIMIT = 2 * 2**30
_AT_ONCE = 2**24


def write_manifest(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Add ``files`` (path in the folder -> bytes, sha256, repository, revision) to the list."""
    listed = {**_read(folder), **files}
    text = json.dumps({"files": dict(sorted(listed.items()))}, indent=1)
    aside = folder / f".{NAME}.part"
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(folder / NAME)


def check_manifest(files: Mapping[Path, str]) -> dict[str, Any]:
    """Compare files (path -> SHA-256 as it is now) with what was fetched; what the list says.

    Returns
    -------
    dict
        ``repositories`` (name@revision) of files that were fetched; empty if none was.

    Raises
    ------
    InputError
        A file is not the one that was fetched.
    """
    repositories = set()
    for file, digest in files.items():
        entry = _entry(file)
        if entry is None:
            continue
        if entry["sha256"] != digest:
            size = file.stat().st_size
            found = f"it is not what was fetched: {size:,} bytes, {entry['bytes']:,} then"
            do = "Fetch it again (lgr fetch), or work on a copy elsewhere."
            raise InputError(f"file {file}", found, do)
        repositories.add(f"{entry['repository']}@{entry['revision']}")
    return {"repositories": sorted(repositories)} if repositories else {}


def sha256(path: Path) -> tuple[str, str]:
    """The hash of a file and what it covers; over 2 GiB the first and last GiB."""
    size, digest = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        if size <= _WHOLE_HASH_LIMIT:
            while block := file.read(_AT_ONCE):
                digest.update(block)
            return digest.hexdigest(), "whole file"
        for start in (0, size - 2**30):
            file.seek(start)
            for _ in range(2**30 // _AT_ONCE):
                digest.update(file.read(_AT_ONCE))
    return digest.hexdigest(), "first and last GiB"


def _entry(file: Path) -> Mapping[str, Any] | None:
    """What the list in a folder above says of the file."""
    for folder in file.absolute().parents[:2]:
        listed = _read(folder)
        name = file.absolute().relative_to(folder).as_posix()
        if name in listed:
            return listed[name]
    return None


def _read(folder: Path) -> dict[str, Any]:
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        found = f"it cannot be read ({err})"
        raise InputError(f"list {path}", found, "Remove it and fetch again.") from err
