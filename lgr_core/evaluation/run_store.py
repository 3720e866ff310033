"""A run folder: what it holds, written from its parts and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import call
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import union_categoricals

from lgr_core.domain import Evidence
from lgr_core.errors import InputError
from lgr_core.evaluation.calibration import cross_fitted
from lgr_core.evaluation.calibration_curves import intervals, reliability, risk_coverage
from lgr_core.evaluation.calibration_store import CALIBRATION, write_calibrations
from lgr_core.evaluation.cell_eval import CELL_EVAL, write_cell_eval
from lgr_core.evaluation.config import read_config, write_config
from lgr_core.evaluation.fold_task import MIN_NEIGHBOR_SHARE, FoldResult
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import evidence_of
from lgr_core.evaluation.summary import compare_all, summarise
from lgr_core.prediction.method import Status

TRUST = ("reliability", "risk_coverage", "intervals")
TABLES = ("summary", "pairs", "k_curve", "seeds", "evidence")
"""CSV files beside ``scores.parquet``."""

NAMES = frozenset(
    {
        *("regime", "method", "metric", "cell_line", "drug", "parent", "mechanism"),
        *("status", "detail", "fallback"),
    }
)
"""Columns of the scores that hold names, kept as categories."""


@dataclass(frozen=True)
class Run:
    """A finished run: its config and its tables, each read when first asked for."""

    folder: Path
    config: Mapping[str, Any]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a regime, method, query and metric.

        Raises
        ------
        InputError
            As for every table, if the file is damaged.
        """
        return self._read("scores.parquet", pd.read_parquet)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a regime, method and metric: mean, interval, coverage, evidence."""
        return self._table("summary")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Paired differences of any two methods."""
        return self._table("pairs")

    @cached_property
    def k_curve(self) -> pd.DataFrame:
        """Mean scores of the methods that retrieve, at several k."""
        return self._table("k_curve")

    @cached_property
    def seeds(self) -> pd.DataFrame:
        """Mean scores of ``random_k``, one a seed."""
        return self._table("seeds")

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """What each method may read in each regime."""
        return self._table("evidence")

    @cached_property
    def reliability(self) -> pd.DataFrame:
        """Expected and observed Pearson r by tenths of the expected."""
        return self._table("reliability")

    @cached_property
    def risk_coverage(self) -> pd.DataFrame:
        """Mean Pearson r of the most trusted share of conditions."""
        return self._table("risk_coverage")

    @cached_property
    def intervals(self) -> pd.DataFrame:
        """How many genes lie in their 90 % intervals."""
        return self._table("intervals")

    def _table(self, name: str) -> pd.DataFrame:
        if name in TRUST and not (self.folder / f"{name}.csv").exists():
            return pd.DataFrame()  # a run without methods that say how far to trust them
        read = partial(pd.read_csv, keep_default_na=False, na_values=[""])
        return self._read(f"{name}.csv", read)

    def _read(self, name: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
        try:
            return read(self.folder / name)
        except (OSError, ValueError) as err:  # arrow's errors, too
            do = "Start the run again with the same flags: its parts are kept."
            raise InputError(f"benchmark run {self.folder}", f"{name}: {err}", do) from err


def load_run(folder: Path) -> Run:
    """Open a run folder.

    Raises
    ------
    InputError
        If it holds no finished run.
    """
    config = read_config(folder)
    lacking = [f"{name}.csv" for name in TABLES if not (folder / f"{name}.csv").exists()]
    if lacking or not (folder / "scores.parquet").exists():
        found = "the run is not finished"
        do = "Start it again with the same flags: it goes on where it was left."
        raise InputError(f"benchmark run {folder}", found, do)
    return Run(folder, config)


Tables = dict[str, pd.DataFrame]
Job = Callable[[], Tables]
Each = Callable[[Callable[[Job], Tables], Iterable[Job]], Iterable[Tables]]


def assemble(
    folder: Path,
    parts: Mapping[Path, Regime],
    evidence: Mapping[Regime, Mapping[str, frozenset[Evidence]]],
    *,
    config: Mapping[str, Any],
    each: Each = map,
) -> Run:
    """Write the tables of a run from its parts; the order of the parts is of no account.

    ``each`` computes the statistics of the regimes: ``map``, or that of an executor.
    """
    for name in TABLES:  # without them a run is not finished, should this be the last it does
        (folder / f"{name}.csv").unlink(missing_ok=True)
    seed, paths = config["seed"], sorted(parts)
    reads = pd.concat([evidence_of(methods, regime) for regime, methods in evidence.items()])
    jobs = []
    for regime in sorted(set(parts.values())):
        here = [path for path in paths if parts[path] is regime]
        jobs += [partial(_scored, here, reads, seed), partial(_trusted, here, seed)]
    computed = each(call, jobs)  # an executor begins at once, beside what follows
    loaded = [FoldResult.load(path) for path in paths]
    scores = _together([part.scores for part in loaded])
    scores.to_parquet(folder / "scores.parquet")
    write_cell_eval(folder / CELL_EVAL, scores)
    write_calibrations(folder / CALIBRATION, _stacked([part.trust for part in loaded]))
    tables = {
        "k_curve": _curve([part.curve for part in loaded]),
        "seeds": _seeds([part.seeds for part in loaded]),
        "evidence": reads,
        **_joined(list(computed)),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    fitted = {path.name: part.fitted for path, part in zip(paths, loaded, strict=True)}
    before = read_config(folder)
    write_config(folder, {**before, **config, "fitted": fitted})
    return load_run(folder)


def _scored(parts: Sequence[Path], reads: pd.DataFrame, seed: int) -> Tables:
    """What the scores of one regime's parts come to."""
    scores = _together([FoldResult.table(part, "scores") for part in parts])
    return {"summary": _summary(scores, reads, seed), "pairs": compare_all(scores, seed=seed)}


def _trusted(parts: Sequence[Path], seed: int) -> Tables:
    """The tables of ``TRUST``; every condition as calibrated without its line and parent."""
    expectations = cross_fitted(
        _stacked([FoldResult.table(part, "trust") for part in parts]), seed=seed
    )
    return {
        "reliability": reliability(expectations, seed=seed),
        "risk_coverage": risk_coverage(expectations),
        "intervals": intervals(expectations, seed=seed),
    }


def _joined(found: Sequence[Tables]) -> Tables:
    """The tables of the same name, one below the other."""
    names = dict.fromkeys(name for tables in found for name in tables)
    return {name: _stacked([tables[name] for tables in found if name in tables]) for name in names}


def _together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table, its names as categories, as parquet's dictionaries are."""
    columns = {}
    for name in parts[0]:
        pieces = [part[name] for part in parts]
        if name in NAMES:
            columns[name] = union_categoricals([_category(piece) for piece in pieces])
        else:
            columns[name] = pd.concat(pieces, ignore_index=True).array
    return pd.DataFrame(columns, copy=False)


def _category(names: pd.Series) -> pd.Categorical:
    """As categories of one type; a column of nothing comes out of a file without any."""
    values = names.astype("category").array
    return values.rename_categories(values.categories.astype(object))


def _summary(scores: pd.DataFrame, reads: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Means with intervals; what each method read, averaged, fell back on; how it was answered."""
    table = summarise(scores, seed=seed)
    keys = ["regime", "method"]
    first = scores["metric"] == scores["metric"].iloc[0]
    each = scores.loc[first, [*keys, "fallback", "k_used", "status"]].groupby(keys, observed=True)
    counted = pd.DataFrame(
        {
            "fallback_share": each["fallback"].agg(lambda names: names.notna().mean()),
            "k_used": each["k_used"].mean(),
            "status": each["status"].agg(_status),
        }
    ).reset_index()
    counted = counted.astype(dict.fromkeys(keys, str))
    expectations = reads[[*keys, "evidence"]]
    return table.merge(expectations, on=keys, how="left").merge(counted, on=keys, how="left")


def _status(each: pd.Series) -> str:
    """Whether any query was answered, else what was said of most."""
    return str(Status.OK if (each == Status.OK).any() else each.value_counts().index[0])


def _curve(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    keys = ["regime", "method", "k", "metric"]
    table = _stacked(parts).groupby(keys, as_index=False, sort=False).sum()
    table["mean"] = table["total"] / table["n"]
    table["k_used"] = table["k_used"] / table["n_queries"]
    # The whole pool, where it is smaller than k, is all that there is.
    table = table[table["k_used"] >= MIN_NEIGHBOR_SHARE * table["k"]]
    return table[[*keys, "mean", "k_used", "n_queries"]].sort_values(keys)


def _seeds(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    keys = ["regime", "method", "seed", "metric"]
    table = _stacked(parts).groupby(keys, as_index=False, sort=False).sum()
    table["mean"] = table["total"] / table["n"]
    return table[[*keys, "mean"]].sort_values(keys)


def _stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of the parts that hold anything."""
    return pd.concat([part for part in parts if len(part)] or parts[:1])
