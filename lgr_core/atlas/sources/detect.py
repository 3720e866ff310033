"""Which published form a path holds, if any."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gct import detect_gct
from lgr_core.atlas.sources.l1000 import detect_l1000
from lgr_core.atlas.sources.published_h5ad import detect_h5ad
from lgr_core.atlas.sources.table_limits import check_parquet_width
from lgr_core.atlas.sources.tahoe_cells import detect_shards
from lgr_core.atlas.sources.tahoe_contrasts import detect_contrasts
from lgr_core.atlas.sources.tahoe_deltas import detect_tahoe_deltas
from lgr_core.atlas.sources.tahoe_halves import detect_halves

_FORMS = (
    detect_tahoe_deltas,
    detect_halves,
    detect_shards,
    detect_contrasts,
    detect_l1000,
    detect_gct,
    detect_h5ad,
)


def detect_format(path: Path) -> Form | None:
    """The published form that ``path`` (a file or a folder) is in; None: it is like any other.

    Raises
    ------
    InputError
        It cannot be read, or has more columns than are read.
    """
    check_parquet_width(path)
    return next((form for detect in _FORMS if (form := detect(path)) is not None), None)
