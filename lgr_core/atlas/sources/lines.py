"""Cell lines that a file names by Cellosaurus id, called by the names that are known here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.delimited import read_delimited
from lgr_core.config import SHIPPED


@cache
def known_lines() -> Mapping[str, str]:
    """Cellosaurus id -> name, of the lines that ship with the checkout."""
    table = read_delimited(SHIPPED / "cell_lines.csv", lambda _: True).to_pandas()
    return dict(zip(table["cellosaurus"], table["cell_line"], strict=True))


def name_lines(lines: pd.Categorical) -> pd.Categorical:
    """``lines`` with known Cellosaurus ids as names; a name and its id become one line."""
    names = known_lines()
    if not any(name in names for name in lines.categories):
        return lines
    renamed = [names.get(name, name) for name in lines.categories]
    wanted = pd.Index(sorted(set(renamed)), dtype=object)
    places = np.append(wanted.get_indexer(renamed), -1)
    return pd.Categorical.from_codes(places[lines.codes], categories=wanted)
