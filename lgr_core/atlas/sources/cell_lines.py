"""Cell lines: a Cellosaurus id becomes a name, and some of them may be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.config import SHIPPED
from lgr_core.domain import BoolArray
from lgr_core.drugs.cell_lines import CellLineCatalog


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


def are_lines(lines: pd.Categorical, asked: Sequence[str]) -> BoolArray:
    """Whether each line (n,) is one of those asked for, by any spelling or Cellosaurus id.

    Raises
    ------
    NotFoundError
        One that is asked for does not occur.
    """
    names = list(lines.categories)
    ids = {name: [key] for key, name in known_lines().items() if name in names}
    catalog = CellLineCatalog(names, ids, where="the file")
    return np.isin(lines, [catalog.resolve(name) for name in asked])
