"""HDF5 files opened for reading, and why one cannot be read: damage is the last guess."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from mmap import ACCESS_READ, mmap
from pathlib import Path

import h5py

from lgr_core.errors import InputError

with suppress(ImportError):
    # Optional: registers the compression filters that HDF5 does not bring itself.
    import_module("hdf5plugin")

DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What readers raise on a file whose bytes are not what its format promises."""

_LAYOUT = (AttributeError, LookupError, NotImplementedError, TypeError)
"""What a reader raises on a sound file that holds other things, or under other names."""

_HEAP = b"GCOL\x01\x00\x00\x00"
"""How a global heap begins: HDF5 keeps texts of any length there."""

_MOST_SEARCHED = 1_000_000_000

_NO_LOCKS = frozenset({errno.EAGAIN, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
_FETCH = "It is cut off or damaged: fetch or write it again."
_FIRST_BYTES = (
    (b"\x1f\x8b", "it is packed with gzip", "Unpack it with gunzip; its name must end in .gz."),
    (b"PK\x03\x04", "it is a zip archive", "Unpack it and give the file inside."),
    (b"<", "it is a web page or XML, not HDF5", "The download failed: fetch it again."),
    (b"version https://git-lfs", "it is a Git LFS pointer, not the file", "Run: git lfs pull"),
)
"""How other files begin that end up under the name of an HDF5 file."""


@contextmanager
def reading(path: Path, form: str = "h5ad") -> Iterator[None]:
    """Translate what a reader of ``path`` raises.

    Raises
    ------
    InputError
        With the cause: a lock, missing rights, a missing filter, another format, or damage.
    """
    try:
        yield
    except DAMAGE as err:
        raise unreadable(path, err, form) from err


@contextmanager
def open_hdf5(path: Path, form: str = "h5ad") -> Iterator[h5py.File]:
    """An HDF5 file, read-only; raises as :func:`reading`."""
    with reading(path, form):
        found = path.stat()
        _check_heaps(path, found.st_size, found.st_mtime_ns)
        with h5py.File(path) as file:
            yield file


@lru_cache(maxsize=64)
def _check_heaps(path: Path, size: int, _: int) -> None:
    """Raise ValueError where an object of a global heap has no length.

    HDF5 2.0 and older never comes back from such a heap, so that nothing could stop a reader.
    Larger files than a gigabyte are believed: looking through them would take longer.
    """
    if not 0 < size <= _MOST_SEARCHED:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as held:
        at = held.find(_HEAP)
        while at >= 0:
            end = min(at + int.from_bytes(held[at + 8 : at + 16], "little"), size)
            place = at + 16
            while place + 16 <= end:
                number = int.from_bytes(held[place : place + 2], "little")
                length = int.from_bytes(held[place + 8 : place + 16], "little")
                if number == 0 and length == 0:
                    msg = f"global heap at byte {at:,} is damaged"
                    raise ValueError(msg)
                place += length if number == 0 else 16 + -(-length // 8) * 8
            at = held.find(_HEAP, at + 8)


def unreadable(path: Path, err: Exception, form: str = "h5ad") -> InputError:
    """The error of a file that cannot be read as HDF5, by its cause."""
    found, do = _cause(path, err, form)
    return InputError(f"file {path}", found, do)


def _cause(path: Path, err: Exception, form: str) -> tuple[str, str]:
    """What was found, and what to do about it."""
    known = _cause_outside(err) or _cause_by_first_bytes(path)
    if known is not None:
        return known
    missing = _missing_filters(path)
    if missing:
        do = "Install it: pip install hdf5plugin. Or write the file again with compression='gzip'."
        return f"it is compressed with {missing}, a filter that is not installed", do
    words = " ".join(str(err).split())[:300]
    if isinstance(err, _LAYOUT) and _opens(path):
        do = f"Write it once more as {form}, with anndata; if that fails, it is damaged."
        return f"it is HDF5, but not laid out as {form} ({words})", do
    return f"it cannot be read as {form} ({words})", _FETCH


def _cause_outside(err: Exception) -> tuple[str, str] | None:
    """A cause that lies in this machine and not in the file."""
    locked = isinstance(err, OSError) and err.errno in _NO_LOCKS and "lock" in str(err)
    if isinstance(err, BlockingIOError) or locked:
        do = "Close it there; on a drive that cannot lock files set HDF5_USE_FILE_LOCKING=FALSE."
        return "another program has it open for writing (it is locked)", do
    for kind, found, do in (
        (PermissionError, "this user may not read it", "Change its permissions."),
        (FileNotFoundError, "it does not exist", "Check the path."),
        (MemoryError, "it does not fit into memory", "Give fewer rows or genes."),
    ):
        if isinstance(err, kind):
            return found, do
    return None


def _cause_by_first_bytes(path: Path) -> tuple[str, str] | None:
    with suppress(OSError):
        with path.open("rb") as file:
            start = file.read(64)
        return next(
            ((found, do) for sign, found, do in _FIRST_BYTES if start.startswith(sign)), None
        )
    return None


def _opens(path: Path) -> bool:
    """Whether HDF5 finds its way through the whole file; what it holds is not read."""
    try:
        with h5py.File(path) as file:
            file.visititems(lambda _, __: None)
    except DAMAGE:
        return False
    return True


def _missing_filters(path: Path) -> str:
    """Names of the filters that the file needs and HDF5 does not find here; empty if none."""
    names: set[str] = set()

    def note(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        created = item.id.get_create_plist()
        for place in range(created.get_nfilters()):
            code, _, _, label = created.get_filter(place)
            if not h5py.h5z.filter_avail(code):
                name = label.decode(errors="replace").split(";")[0].strip()
                names.add(f"{name} ({code})" if name else f"filter {code}")

    with suppress(*DAMAGE), h5py.File(path) as file:
        file.visititems(note)
    return ", ".join(sorted(names))
