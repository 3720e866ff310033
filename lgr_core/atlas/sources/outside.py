"""HDF5 can name other files as its own contents: a file from a stranger must not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.errors import InputError


def refuse_outside(path: Path) -> None:
    """Refuse an HDF5 file that would have other files of this machine read as a part of it.

    Raises
    ------
    InputError
        It holds a link to another file, or a data set whose values lie in one; or it is no HDF5.
    """
    with open_hdf5(path) as file:
        strange = next(_outside(file), None)
    if strange is not None:
        found = f"its part {strange!r} lies in another file"
        raise InputError(f"file {path}", found, "Write one h5ad that holds all of its values.")


def _outside(file: h5py.File) -> Iterator[str]:
    """The names of what lies elsewhere; each group is looked into once, whoever links to it."""
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield f"{group.name}/{name}"
            elif isinstance(link, h5py.HardLink):
                item = group[name]
                address = h5py.h5o.get_info(item.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if isinstance(item, h5py.Group):
                    waiting.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    yield item.name
