"""Which published form a path holds, if any."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.sources.forms import Form
from lgr_core.atlas.sources.gct import recognise_gct
from lgr_core.atlas.sources.h5ad_forms import recognise_h5ad
from lgr_core.atlas.sources.l1000 import recognise_l1000
from lgr_core.atlas.sources.rhaister import recognise_rhaister
from lgr_core.atlas.sources.table_limits import refuse_wide_parquet
from lgr_core.atlas.sources.tahoe_cells import recognise_shards
from lgr_core.atlas.sources.tahoe_contrasts import recognise_contrasts

_FORMS = (
    recognise_rhaister,
    recognise_shards,
    recognise_contrasts,
    recognise_l1000,
    recognise_gct,
    recognise_h5ad,
)


def recognise(path: Path) -> Form | None:
    """The published form that ``path`` (a file or a folder) is in; None: it is like any other.

    Raises
    ------
    InputError
        It cannot be read, or has more columns than are read.
    """
    refuse_wide_parquet(path)
    return next((form for look in _FORMS if (form := look(path)) is not None), None)
