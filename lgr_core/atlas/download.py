"""Resumable, checksummed downloads of a pinned revision from the Hugging Face Hub.

The hub's own client finds the files and speaks HTTP. It keeps no part of a file that was cut off by
a kill, only warns of a full disk and checks no sums; those three are done here.
"""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

import httpx2
from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, FileMetadataError, HfHubHTTPError
from huggingface_hub.file_download import http_get

from lgr_core.atlas.download_manifest import write_manifest
from lgr_core.errors import InputError, NotFoundError, ServiceError
from lgr_core.files import try_lock

Progress = Callable[[str, int, int], None]

MB = 1_000_000
_MARGIN = 50 * MB
"""Bytes that are to stay free."""

_AT_ONCE = 2**24
_SHA256, _GIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_GO_ON = "Run the same command again: what has come is kept, and it goes on from there."


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a data set on the hub: its repository, the commit it is pinned to, its path."""

    repository: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class _Remote:
    """What the hub says of a file; ``etag`` is its SHA-256, or the SHA-1 of its git object."""

    wanted: RemoteFile
    url: str
    size: int
    etag: str


def fetch_files(
    files: Sequence[RemoteFile],
    folder: Path,
    *,
    endpoint: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Fetch ``files`` into ``folder`` under their own paths, and list them in its manifest.

    A file that is there with the right checksum is left alone, another one is replaced; a transfer
    that was cut off goes on where it ended. ``endpoint`` is a mirror of the hub.

    Raises
    ------
    NotFoundError
        The hub has no such file in that revision.
    ServiceError
        The hub cannot be reached, or what it sent is not what it announced.
    InputError
        The disk cannot hold the files, or may not be written to.
    """
    with _translated(f"folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    remotes = [_inspect(file, endpoint) for file in files]
    missing = [remote for remote in remotes if not _is_there(remote, folder)]
    _check_room(folder, missing)
    total = sum(remote.size for remote in remotes)
    report = _Report(progress, total, total - sum(remote.size for remote in missing))
    for remote in missing:
        _fetch(remote, folder, report)
    report.add(0)
    paths = [folder / file.path for file in files]
    listed = {
        remote.wanted.path: {
            "bytes": remote.size,
            "sha256": _digest(path, hashlib.sha256()),
            "repository": remote.wanted.repository,
            "revision": remote.wanted.revision,
        }
        for remote, path in zip(remotes, paths, strict=True)
    }
    write_manifest(folder, listed)
    return paths


def list_files(
    repository: str, revision: str, folder: str, *, endpoint: str | None = None
) -> list[str]:
    """The paths of the files in a folder of a data set, as the hub lists them.

    Raises
    ------
    NotFoundError
        The hub has no such folder in that revision.
    ServiceError
        The hub cannot be reached.
    """
    hub = HfApi(endpoint=endpoint)
    with _translated(f"folder {folder} of {repository}"):
        entries = hub.list_repo_tree(
            repository, folder, revision=revision, repo_type="dataset", token=False
        )
        return [entry.path for entry in entries]


class _Report:
    """Downloaded bytes, reported in whole megabytes."""

    def __init__(self, progress: Progress | None, total: int, done: int) -> None:
        self._progress, self._total, self._done = progress, total, done

    def add(self, n: int) -> None:
        """Count ``n`` bytes more."""
        self._done += n
        if self._progress is not None:
            self._progress("fetch, MB", self._done // MB, max(1, self._total // MB))


class _Bar:
    """The progress bar that the hub's client expects."""

    def __init__(self, report: _Report, **_: object) -> None:
        self._report = report

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be closed."""

    def update(self, n: int) -> None:
        """Pass on ``n`` bytes."""
        self._report.add(n)


def _inspect(file: RemoteFile, endpoint: str | None) -> _Remote:
    """Ask the hub for a file's size and checksum."""
    url = hf_hub_url(
        file.repository, file.path, repo_type="dataset", revision=file.revision, endpoint=endpoint
    )
    with _translated(f"{file.path} of {file.repository}"):
        remote = get_hf_file_metadata(url, endpoint=endpoint, retry_on_errors=True)
    if remote.commit_hash != file.revision or remote.size is None or remote.etag is None:
        found = f"{url} answers with commit {remote.commit_hash}, "
        found += f"{remote.size} bytes, tag {remote.etag}"
        do = "Check --mirror: it is no copy of the Hugging Face Hub."
        raise ServiceError(f"{file.path} at {file.revision}", found, do)
    return _Remote(file, url, remote.size, remote.etag)


def _is_there(remote: _Remote, folder: Path) -> bool:
    path = folder / remote.wanted.path
    return path.is_file() and path.stat().st_size == remote.size and _is_right(path, remote)


def _is_right(path: Path, remote: _Remote) -> bool:
    """Whether a file's bytes have the checksum that the hub announced."""
    if _SHA256.fullmatch(remote.etag):
        return _digest(path, hashlib.sha256()) == remote.etag
    if _GIT.fullmatch(remote.etag):
        header = hashlib.sha1(f"blob {remote.size}\0".encode(), usedforsecurity=False)
        return _digest(path, header) == remote.etag
    raise ServiceError(
        f"{remote.wanted.path} of {remote.wanted.repository}",
        f"its tag {remote.etag!r} is no checksum",
        "Check --mirror: it is no copy of the Hugging Face Hub.",
    )


def _digest(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while block := file.read(_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _part(remote: _Remote, folder: Path) -> Path:
    """The partial download, named by its checksum, so that no other file is ever continued."""
    path = folder / remote.wanted.path
    return path.with_name(f".{path.name}.{remote.etag[:16]}.part")


def _check_room(folder: Path, missing: Sequence[_Remote]) -> None:
    parts = [_part(remote, folder) for remote in missing]
    here = sum(part.stat().st_size for part in parts if part.is_file())
    needed = sum(remote.size for remote in missing) - here
    free = shutil.disk_usage(folder).free
    if missing and needed + _MARGIN > free:
        found = f"{needed / MB:,.0f} MB are still to come, {free / MB:,.0f} MB are free"
        raise InputError(f"disk of {folder}", found, "Make room, or say --out on another disk.")


def _fetch(remote: _Remote, folder: Path, report: _Report) -> None:
    part, asked = _part(remote, folder), f"{remote.wanted.path} of {remote.wanted.repository}"
    with _translated(asked):
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _lock(file, asked)
            here = file.tell()
            report.add(here)
            http_get(
                remote.url,
                file,
                headers={"Accept-Encoding": "identity"},
                resume_size=here,
                expected_size=remote.size,
                # The hub's client only calls it, though its annotation asks for a class.
                tqdm_class=partial(_Bar, report),  # type: ignore[arg-type]
            )
        if _is_right(part, remote):
            part.replace(folder / remote.wanted.path)
            return
        part.unlink()
    found = f"its checksum is not the one announced ({remote.etag}); what came was thrown away"
    raise ServiceError(asked, found, "Run the same command again.")


def _lock(file: BinaryIO, asked: str) -> None:
    """Lock the open file: two processes that write to it would corrupt it."""
    if not try_lock(file):
        found = "another run is fetching it into this folder"
        raise InputError(asked, found, "Wait for that one, or say --out elsewhere.")


@contextmanager
def _translated(asked: str) -> Iterator[None]:
    """Translate errors of the hub, the network and the disk."""
    try:
        yield
    except EntryNotFoundError as err:
        do = "The publisher may have withdrawn it; see whether a newer version of this program is."
        raise NotFoundError(asked, "the hub has no such file in that revision", do) from err
    except (HfHubHTTPError, FileMetadataError, httpx2.HTTPError) as err:
        raise ServiceError(asked, " ".join(str(err).split())[:300], _GO_ON) from err
    except OSError as err:
        if err.errno is None:
            raise ServiceError(asked, " ".join(str(err).split())[:300], _GO_ON) from err
        full = err.errno in {errno.ENOSPC, errno.EDQUOT}
        do = f"Make room there. {_GO_ON}" if full else "See to its rights, or say --out elsewhere."
        found = "the disk is full" if full else str(err)
        raise InputError(asked, found, do) from err
