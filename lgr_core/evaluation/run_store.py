"""The folder of a benchmark run: assembled from the results of its folds, and read again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import call
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import union_categoricals

from lgr_core.domain import Change, Evidence
from lgr_core.errors import InputError
from lgr_core.evaluation.calibration import cross_fitted
from lgr_core.evaluation.calibration_curves import intervals, levels, reliability, risk_coverage
from lgr_core.evaluation.calibration_store import CALIBRATION, repeat_of, write_calibrations
from lgr_core.evaluation.cell_eval import CELL_EVAL, write_cell_eval
from lgr_core.evaluation.config import headline, read_config, write_config
from lgr_core.evaluation.fold_task import DAMAGE, MIN_NEIGHBOR_SHARE, FoldResult
from lgr_core.evaluation.folds import FoldKey
from lgr_core.evaluation.likeness import collapse_table
from lgr_core.evaluation.ranges import anchored, ranges
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import evidence_of
from lgr_core.evaluation.summary import compare_all, summarise
from lgr_core.files import remove
from lgr_core.prediction.method import Status

log = logging.getLogger(__name__)

DAMAGED = ".damaged-"
"""Before the name of a result that cannot be read."""

TRUST = ("reliability", "risk_coverage", "intervals", "levels")
TABLES = ("summary", "pairs", "k_curve", "seeds", "evidence")
"""CSV files beside ``scores.parquet``."""

OPTIONAL = (*TRUST, "ranges", "anchored", "collapse")
"""Those that a run may lack: they are newer than it, or none of its methods is asked for them."""

RETRIEVAL = "retrieval.csv"
"""The retrieval score, where the atlas has curated annotation."""

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

    def __repr__(self) -> str:
        methods, regimes = self.config.get("methods", ()), self.config.get("regimes", ())
        return f"<run {self.folder.name!r}: {len(methods)} methods, {', '.join(regimes)}>"

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

    @cached_property
    def levels(self) -> pd.DataFrame:
        """How many conditions and parents have each level of trust."""
        return self._table("levels")

    @cached_property
    def ranges(self) -> pd.DataFrame:
        """What a repeat gains over a mean baseline, by metric; empty where none is known."""
        return self._table("ranges")

    @cached_property
    def anchored(self) -> pd.DataFrame:
        """Methods on the scale from that baseline, 0, to a repeat, 1."""
        return self._table("anchored")

    @cached_property
    def collapse(self) -> pd.DataFrame:
        """How alike a method's predictions are beside how alike the truths are."""
        return self._table("collapse")

    @cached_property
    def retrieval(self) -> pd.DataFrame:
        """Recall of drugs of the query's curated mechanism or target; empty without annotation."""
        if not (self.folder / RETRIEVAL).exists():
            return pd.DataFrame()
        return self._table("retrieval")

    def _table(self, name: str) -> pd.DataFrame:
        if name in OPTIONAL and not (self.folder / f"{name}.csv").exists():
            return pd.DataFrame()
        read = partial(pd.read_csv, keep_default_na=False, na_values=[""])
        return self._read(f"{name}.csv", read)

    def _read(self, name: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
        try:
            return read(self.folder / name)
        except (OSError, ValueError) as err:  # arrow's errors, too
            do = "Start the run again with the same flags: the results of its folds are kept."
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


def has_result(place: Path) -> bool:
    """Whether the result of a fold is there, whole, and no query in it failed.

    A damaged one is named and set aside, so that the fold is computed again.
    """
    if not place.is_dir():
        return False
    try:
        status = FoldResult.load(place).scores["status"]
    except DAMAGE as err:
        aside = place.with_name(f"{DAMAGED}{place.name}")
        remove(aside)
        place.rename(aside)
        said = " ".join(str(err).split())[:200]
        log.warning("result %s is damaged (%s): set aside as %s", place.name, said, aside.name)
        return False
    return not (status == Status.FAILED).any()


def assemble(
    folder: Path,
    places: Iterable[Path],
    evidence: Mapping[Regime, Mapping[str, frozenset[Evidence]]],
    *,
    config: Mapping[str, Any],
    each: Each = map,
) -> Run:
    """Write the tables of a run from the saved results of its folds, whose order does not matter.

    Each result is loaded once. ``each`` computes the statistics of the regimes: ``map``, or that
    of an executor.
    """
    for name in TABLES:  # without them a run is not finished, should this be the last it does
        (folder / f"{name}.csv").unlink(missing_ok=True)
    seed = config["seed"]
    results = {FoldKey.parse(place.name): FoldResult.load(place) for place in sorted(places)}
    reads = pd.concat([evidence_of(methods, regime) for regime, methods in evidence.items()])
    scores_of, jobs = {}, []
    for regime in sorted({key.regime for key in results}):
        of_regime = [result for key, result in results.items() if key.regime is regime]
        every = _concat_scores([result.scores for result in of_regime])
        scores_of[regime] = _over_plates(every)
        trust = _concat([result.trust for result in of_regime])
        jobs += [
            partial(_score_tables, scores_of[regime], reads, seed, Change(config["change"])),
            partial(_trust_tables, trust, seed, _repeat(config, scores_of[regime])),
        ]
    computed = each(call, jobs)  # an executor begins at once, beside what follows
    scores = _concat_scores(list(scores_of.values()))
    scores.to_parquet(folder / "scores.parquet")
    write_cell_eval(folder / CELL_EVAL, scores)
    trust = _concat([result.trust for result in results.values()])
    write_calibrations(folder / CALIBRATION, trust, _repeat(config, scores))
    tables = {
        "k_curve": _curve([result.curve for result in results.values()]),
        "seeds": _seeds([result.seeds for result in results.values()]),
        "evidence": reads,
        "collapse": collapse_table(result.alike for result in results.values()),
        **_concat_by_name(list(computed)),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    fitted = {str(key): result.fitted for key, result in results.items()}
    before = read_config(folder)
    write_config(folder, {**before, **config, "fitted": fitted})
    return load_run(folder)


def _over_plates(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a method, query and metric: the mean over the plates on which its truth stands."""
    keys = ["method", "cell_line", "drug", "dose_um", "metric"]
    if not scores.duplicated(keys).any():
        return scores
    each = scores.groupby(keys, observed=True, dropna=False, sort=False)
    first = scores.loc[~scores.duplicated(keys)].reset_index(drop=True)
    means = each[["value", "k_used"]].mean().reset_index(drop=True)
    return first.assign(value=means["value"], k_used=means["k_used"])


def write_retrieval(folder: Path, table: pd.DataFrame) -> None:
    """Write the retrieval score into a run's folder; without one, none is left there."""
    (folder / RETRIEVAL).unlink(missing_ok=True)
    if len(table):
        table.to_csv(folder / RETRIEVAL, index=False)


def _score_tables(scores: pd.DataFrame, reads: pd.DataFrame, seed: int, change: Change) -> Tables:
    """The summary of one regime's scores, the paired comparisons, and what repeats make of them."""
    return {
        "summary": _summary(scores, reads, seed),
        "pairs": compare_all(scores, seed=seed),
        "ranges": ranges(scores, change),
        "anchored": anchored(scores, change),
    }


def _repeat(config: Mapping[str, Any], scores: pd.DataFrame) -> float | None:
    """What a repeat reaches, of the specific change: of the total one it is no measure."""
    return repeat_of(scores, headline(config)) if config["change"] == Change.SPECIFIC else None


def _trust_tables(trust: pd.DataFrame, seed: int, repeat: float | None) -> Tables:
    """The tables of ``TRUST``; every condition as calibrated without its line and parent."""
    expectations = cross_fitted(trust, seed=seed)
    return {
        "reliability": reliability(expectations, seed=seed),
        "risk_coverage": risk_coverage(expectations),
        "intervals": intervals(expectations, seed=seed),
        "levels": levels(expectations, repeat),
    }


def _concat_by_name(found: Sequence[Tables]) -> Tables:
    """The tables of the same name, one below the other."""
    names = dict.fromkeys(name for tables in found for name in tables)
    return {name: _concat([tables[name] for tables in found if name in tables]) for name in names}


def _concat_scores(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table, its names as categories, as parquet's dictionaries are."""
    columns = {}
    for name in tables[0]:
        each = [table[name] for table in tables]
        if name in NAMES:
            columns[name] = union_categoricals([_category(column) for column in each])
        else:
            columns[name] = pd.concat(each, ignore_index=True).array
    return pd.DataFrame(columns, copy=False)


def _category(names: pd.Series) -> pd.Categorical:
    """As categories of one type; an empty column comes out of a file without any."""
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
    """OK if any query was answered, else the most frequent status."""
    return str(Status.OK if (each == Status.OK).any() else each.value_counts().index[0])


def _curve(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    keys = ["regime", "method", "weights", "k", "metric"]
    table = _concat(tables).groupby(keys, as_index=False, sort=False).sum()
    table["mean"] = table["total"] / table["n"]
    table["k_used"] = table["k_used"] / table["n_queries"]
    # The whole pool, where it is smaller than k, is all that there is.
    table = table[table["k_used"] >= MIN_NEIGHBOR_SHARE * table["k"]]
    return table[[*keys, "mean", "k_used", "n_queries"]].sort_values(keys)


def _seeds(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    keys = ["regime", "method", "seed", "metric"]
    table = _concat(tables).groupby(keys, as_index=False, sort=False).sum()
    table["mean"] = table["total"] / table["n"]
    return table[[*keys, "mean"]].sort_values(keys)


def _concat(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of those that hold anything."""
    return pd.concat([table for table in tables if len(table)] or tables[:1])
