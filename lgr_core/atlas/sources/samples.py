"""Samples: a table of the plates that drugs and doses stand on, for files that do not say it.

A CSV with columns ``drug``, a dose (``dose_um``, ``dose_nM``), ``plate`` and, where lines stand on
different plates, ``cell_line``. ``well`` and columns of numbers (an order, a quality) are kept
beside the plates.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.delta_table import PLATE_COLUMNS, PLATE_SEPARATOR
from lgr_core.atlas.sources.column_names import plain
from lgr_core.atlas.sources.csv_reader import check_unique_columns, read_delimited
from lgr_core.atlas.sources.dose_column import GROUP_RATIO, quoted
from lgr_core.atlas.sources.doses import parse_dose, split_unit
from lgr_core.domain import FloatArray
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

_KEYS = ("cell_line", "drug", "dose_um", "plate")
_WELL = "well"
_SAME = 1 + 1e-6
"""Doses that differ by no more are equal: files write them as float32 or as text."""


@dataclass(frozen=True, slots=True)
class Samples:
    """A table of samples: ``cell_line`` (``""``: any), ``drug``, ``dose_um`` (NaN: any), ``plate``.

    ``frame`` has further columns beside these: ``well`` as text and ``qualities``, numbers.
    """

    name: str
    frame: pd.DataFrame
    qualities: tuple[str, ...] = ()

    @property
    def further(self) -> tuple[str, ...]:
        """The columns that are kept beside the plates."""
        return (*((_WELL,) if _WELL in self.frame else ()), *self.qualities)


def read_samples(path: Path) -> Samples:
    """Read a CSV of samples.

    Raises
    ------
    InputError
        The file cannot be read, has no column of drugs or of plates, or holds an unreadable dose.
    """
    table = read_delimited(path, lambda _: True).to_pandas()
    check_unique_columns([plain(name) for name in table.columns], path)
    columns = {plain(name): name for name in table.columns}
    missing = [name for name in ("drug", "plate") if name not in columns]
    if missing:
        found = f"it has no column {' or '.join(missing)}; columns found: {', '.join(columns)}"
        raise InputError(f"samples {path}", found, "Name them drug, dose_um, plate, cell_line.")
    text = {name: table[column].map(_cleaned) for name, column in columns.items()}
    frame = pd.DataFrame({name: text.get(name, "") for name in ("cell_line", "drug", "plate")})
    frame["dose_um"] = _doses(text, path)
    if _WELL in text:
        frame[_WELL] = text[_WELL]
    qualities = []
    for name, values in text.items():
        if name in {*_KEYS, *PLATE_COLUMNS, _WELL} or split_unit(name)[0] == "dose":
            continue
        numbers = pd.to_numeric(values.replace("", np.nan), errors="coerce")
        if numbers.notna().any() and numbers.notna().sum() == (values != "").sum():
            frame[name] = numbers.astype(float)
            qualities.append(name)
    whole = (frame["drug"] != "") & (frame["plate"] != "")
    return Samples(path.name, frame[whole].reset_index(drop=True), tuple(qualities))


def plates_of(
    rows: pd.DataFrame, samples: Samples, *, exact: bool
) -> tuple[pd.Categorical, dict[str, object]]:
    """The plates of each row (n,), joined by ``;`` and ``""`` where unknown, and what was counted.

    ``rows`` has ``cell_line``, ``drug``, ``dose_um`` and ``is_control``. Names are matched as in a
    query; a dose means the nearest one of the file within 10 %, or the equal one if ``exact``.
    """
    keys = rows[["cell_line", "drug", "dose_um", "is_control"]].drop_duplicates()
    keys = keys.astype({"cell_line": str, "drug": str}).reset_index(drop=True)
    matched = _match(samples.frame, keys, exact=exact)
    texts = pd.Series("", index=keys.index, dtype=object)
    joined = matched.groupby("key")["plate"].agg(lambda names: PLATE_SEPARATOR.join(_once(names)))
    texts[joined.index] = joined
    number = keys.assign(key=keys.index)
    plain_rows = rows.astype({"cell_line": str, "drug": str})
    places = plain_rows.merge(number, on=list(number.columns[:-1]), how="left")["key"].to_numpy()
    without = int(((texts == "") & ~keys["is_control"]).sum())
    counts = {
        "file": samples.name,
        "rows": len(samples.frame),
        "rows_unmatched": len(samples.frame) - int(matched["sample"].nunique()),
        "conditions_without_plate": without,
    }
    _warn(samples, matched["sample"], counts)
    codes, names = pd.factorize(texts.to_numpy(dtype=object))
    return pd.Categorical.from_codes(codes[places], categories=names), counts


def with_samples(plates: pd.DataFrame, conditions: pd.DataFrame, samples: Samples) -> pd.DataFrame:
    """``plates`` with the further columns of ``samples``: wells joined, numbers averaged.

    ``plates`` has ``condition`` (the row in ``conditions``) and ``plate``.
    """
    if not samples.further:
        return plates
    keys = conditions[["cell_line", "drug", "dose_um"]].astype({"cell_line": str, "drug": str})
    keys = keys.iloc[plates["condition"].to_numpy(dtype=int)].reset_index(drop=True)
    places = plates["plate"].astype(str).to_numpy()
    matched = _match(samples.frame, keys.assign(is_control=False), exact=False)
    matched = matched[matched["plate"].to_numpy() == places[matched["key"].to_numpy(dtype=int)]]
    groups = matched.groupby("key")
    added = {}
    for name in samples.further:
        how = _joined if name == _WELL else "mean"
        found = groups[name].agg(how).reindex(range(len(plates)))
        added[name] = (found.fillna("") if name == _WELL else found).to_numpy()
    return plates.assign(**added)


def _match(samples: pd.DataFrame, keys: pd.DataFrame, *, exact: bool) -> pd.DataFrame:
    """Pairs of a sample and a key of the file, with the sample's columns, in the samples' order.

    ``sample`` and ``key`` are row numbers.
    """
    drugs, lines = DrugCatalog(keys["drug"].unique()), CellLineCatalog(keys["cell_line"].unique())
    named = samples.assign(
        sample=np.arange(len(samples)),
        drug=samples["drug"].map(
            {name: drugs.find(name).drug for name in samples["drug"].unique()}
        ),
        line=samples["cell_line"].map({n: lines.find(n) for n in samples["cell_line"].unique()}),
    )
    numbered = keys.assign(key=np.arange(len(keys))).rename(columns={"dose_um": "dose_of_file"})
    pairs = named.merge(numbered, on="drug", suffixes=("_of_sample", ""))
    fits = (pairs["cell_line_of_sample"] == "") | (pairs["line"] == pairs["cell_line"])
    pairs = pairs[fits]
    near = _nearness(pairs["dose_um"].to_numpy(float), pairs["dose_of_file"].to_numpy(float))
    near[pairs["is_control"].to_numpy(dtype=bool)] = 1.0
    pairs = pairs.assign(near=near)
    best = pairs.groupby(["sample", "cell_line"])["near"].transform("min")
    limit = _SAME if exact else GROUP_RATIO * _SAME
    return pairs[(pairs["near"] == best) & (pairs["near"] <= limit)].sort_values(["sample", "key"])


def _nearness(asked: FloatArray, measured: FloatArray) -> FloatArray:
    """How many times one dose is the other (n,), 1 or more; 1 where either is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.maximum(asked / measured, measured / asked)
    return np.where(np.isnan(asked) | np.isnan(measured), 1.0, ratio)


def _cleaned(text: str) -> str:
    stripped = str(text).strip()
    return "" if is_missing(stripped) else stripped


def _doses(text: dict[str, pd.Series], path: Path) -> pd.Series | float:
    """The doses in micromolar; NaN without a column of them, or where a row has none."""
    names = [name for name in text if split_unit(name)[0] == "dose"]
    if not names:
        return np.nan
    if len(names) > 1:
        found = f"several columns hold doses: {', '.join(names)}"
        raise InputError(f"samples {path}", found, "Keep one of them, such as dose_um.")
    _, unit = split_unit(names[0])
    values = text[names[0]]
    doses = {value: _dose(value, unit or "uM") for value in values.unique() if value}
    unreadable = [value for value, dose in doses.items() if np.isnan(dose)]
    if unreadable:
        found = f"doses that cannot be read: {quoted(unreadable)}"
        raise InputError(f"samples {path}", found, "Write them as numbers in micromolar.")
    return values.map(doses).astype(float)


def _dose(text: str, unit: str) -> float:
    """A dose in micromolar; NaN where it cannot be read, as one in an unknown unit."""
    try:
        return parse_dose(text, unit)
    except InputError:
        return np.nan


def _warn(samples: Samples, matched: pd.Series, counts: dict[str, object]) -> None:
    """Warn of rows that name nothing in the file, and of conditions without a plate."""
    lost = samples.frame.drop(index=matched.unique())
    if len(lost):
        names = list(dict.fromkeys(lost["drug"]))
        said = "%s of %s rows of %s match nothing in the file: %s"
        log.warning(said, f"{len(lost):,}", f"{len(samples.frame):,}", samples.name, quoted(names))
    if counts["conditions_without_plate"]:
        said = "%s conditions of the file have no plate in %s"
        log.warning(said, f"{counts['conditions_without_plate']:,}", samples.name)


def _once(names: Sequence[str]) -> list[str]:
    """Names without repeats, in their order."""
    return list(dict.fromkeys(names))


def _joined(wells: pd.Series) -> str:
    return PLATE_SEPARATOR.join(_once([well for well in wells if well]))
