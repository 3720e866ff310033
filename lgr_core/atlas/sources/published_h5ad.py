"""Published h5ad files, known by their columns: what each column is, and which layer holds what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lgr_core.atlas.count_source import Unit
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.h5ad_tables import column_names
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.domain import SharedWells, ValueKind
from lgr_core.errors import InputError


class _Known(NamedTuple):
    """A form and the columns and layers by which it is known; the rest as of :class:`Form`.

    ``folder`` says that a folder of such files is one set.
    """

    name: str
    obs: frozenset[str]
    columns: Mapping[str, str]
    layers: frozenset[str] = frozenset()
    value_kind: ValueKind | None = None
    layer: str | None = None
    unit: Unit | None = None
    shared_wells: SharedWells = "unknown"
    folder: bool = False


_OP3 = {"drug": "sm_name", "cell_line": "cell_type", "is_control": ""}
"""Its flag marks positive controls, which are treatments: the vehicle goes by its name."""

_BRIDGE = {"drug": "perturbagen", "cell_line": "cell_type", "dose": "pert_dose_uM"}
"""Of its contrasts plate and well are those of one sample among many: they play no role there."""

_KNOWN = (
    _Known(
        "scPerturb",
        frozenset({"perturbation", "dose_value", "dose_unit"}),
        {"drug": "perturbation", "dose": "dose_value", "dose_unit": "dose_unit"},
    ),
    _Known(
        "OP3 differential expression",
        frozenset({"sm_name", "cell_type"}),
        _OP3,
        frozenset({"logFC"}),
        ValueKind.LOG2FC,
        "logFC",
    ),
    _Known("OP3", frozenset({"sm_name", "cell_type"}), _OP3),
    _Known(
        "Chem-PerturBridge differential expression",
        frozenset({"perturbagen", "cell_type", "pert_dose_uM"}),
        {**_BRIDGE, "plate": "", "well": ""},
        frozenset({"logFC"}),
        ValueKind.LOG2FC,
        "logFC",
    ),
    _Known(
        "Chem-PerturBridge",
        frozenset({"perturbagen", "cell_type", "pert_dose_uM", "is_control", "psbulk_counts"}),
        _BRIDGE,
        unit="well",
    ),
    _Known(
        "Tahoe-100M plate files",
        frozenset({"drugname_drugconc", "sample", "cell_line"}),
        {},
        shared_wells="yes",
        folder=True,
    ),
)


def detect_h5ad(path: Path) -> Form | None:
    """The form, if ``path`` is an h5ad with the columns of one that is published.

    A folder of h5ad files is recognised where the form comes in several files, one per plate.
    """
    files = sorted(path.glob("*.h5ad")) if path.is_dir() else [path]
    if not files or files[0].suffix.casefold() != ".h5ad" or not files[0].is_file():
        return None
    try:
        with open_hdf5(files[0]) as file:
            obs, layers = set(column_names(file)), set(file.get("layers", {}))
    except InputError:  # said by whoever reads it
        return None
    for known in _KNOWN:
        if known.obs <= obs and known.layers <= layers and (known.folder or not path.is_dir()):
            return Form(
                known.name,
                tuple(files),
                known.value_kind,
                {role: name for role, name in known.columns.items() if name in {"", *obs}},
                known.layer,
                known.unit,
                shared_wells=known.shared_wells,
            )
    return None
