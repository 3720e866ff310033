"""What a benchmark says of a regime in a few sentences: winner, repeat, plate, retrieval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from lgr_core.domain import Change, WellScope
from lgr_core.evaluation.config import headline
from lgr_core.evaluation.figures import Group, against, better, method_style, number
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.run_store import Run
from lgr_core.metrics import EVERY_METRIC

REPEATS = ("replicate_plate", "replicate_twin", "replicate_dose")
PLATES = ("plate_mean", "pool_mean")
"""What the plate alone scores; where plates are not known, the pool of the line."""

_RETRIEVAL, _RANDOM = "lgr_llm", "random_k"
_RANKED = frozenset({Group.RETRIEVAL, Group.BASELINE, Group.EXTERNAL})
_PLATE_WORDS = {
    "plate_mean": "The mean of the plate's other drugs alone",
    "pool_mean": "The mean of the line's other drugs alone (a control)",
}
_REPEAT_WORDS = {
    "replicate_plate": "the same on another plate",
    "replicate_twin": "another form of the compound, in another well",
    "replicate_dose": "the neighbouring dose, in another well: a lower bound",
}


@dataclass(frozen=True, slots=True)
class MethodEstimate:
    """A mean or a difference with its 95 % limits, NaN where there are none."""

    method: str
    value: float
    low: float
    high: float
    n: int

    @property
    def words(self) -> str:
        """The number with its interval."""
        if not math.isfinite(self.low):
            return number(self.value)
        return f"{number(self.value)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True, slots=True)
class RegimeVerdict:
    """The answer of one regime of a run.

    ``second`` is the next best method, if the paired interval cannot tell it from the winner.
    ``apart`` is the winner's mean where the query's own wells are closed. ``gain`` is what the
    language model's neighbours add to random ones in the specific change; None where no run has it,
    and a NaN value where nothing can be separated from its plate. ``over_plate`` is what they add
    to the ``plate`` mean in this run's own change.
    """

    metric: str
    winner: MethodEstimate
    second: str | None
    apart: MethodEstimate | None
    repeat: MethodEstimate | None
    plate: MethodEstimate | None
    gain: MethodEstimate | None
    over_plate: MethodEstimate | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Plain text, the winner first."""
        return (_best(self), *_references(self), _gain(self))


def regime_verdict(
    run: Run, regime: Regime, *, others: dict[tuple[Change, WellScope], Run]
) -> RegimeVerdict | None:
    """The verdict of a regime, by the run's first metric; None where no method has a score.

    ``others`` are runs of the same atlas by the change and the wells that they ask for.
    """
    metric = headline(run.config)
    means = _means(run, regime, metric)
    ranked = [one for one in means.values() if method_style(one.method).group in _RANKED]
    ranked.sort(key=lambda one: one.value, reverse=True)
    if not ranked:
        return None
    winner = ranked[0]
    change = Change(run.config.get("change", Change.TOTAL))
    wells = WellScope(run.config.get("evidence", WellScope.ANY))
    apart = others.get((change, WellScope.OTHER_WELLS)) if wells is WellScope.ANY else None
    plate = next((means[name] for name in PLATES if name in means), None)
    return RegimeVerdict(
        metric,
        winner,
        _second(run, regime, metric, ranked),
        None if apart is None else _means(apart, regime, metric).get(winner.method),
        next((means[name] for name in REPEATS if name in means), None),
        plate,
        _gain_of(others, regime),
        None if plate is None else _pair(run, regime, metric, _RETRIEVAL, plate.method),
    )


_SCOPES = (WellScope.OTHER_WELLS, WellScope.ANY)


def _means(run: Run, regime: Regime, metric: str) -> dict[str, MethodEstimate]:
    """The defined means of a regime on a metric, by method."""
    table = run.summary
    rows = table[(table["regime"] == regime) & (table["metric"] == metric)]
    rows = rows[rows["mean"].notna()]
    return {
        row.method: MethodEstimate(
            row.method, row.mean, row.low, row.high, row.n_queries - row.n_undefined
        )
        for row in rows.itertuples()
    }


def _second(run: Run, regime: Regime, metric: str, ranked: list[MethodEstimate]) -> str | None:
    """The next best method, unless the paired interval tells it from the winner."""
    if len(ranked) == 1:
        return None
    winner, second = ranked[0].method, ranked[1].method
    gap = _pair(run, regime, metric, winner, second)
    return second if gap is None or not gap.low > 0 else None


def _gain_of(others: dict[tuple[Change, WellScope], Run], regime: Regime) -> MethodEstimate | None:
    """What the model's neighbours add to random ones, by the first specific run of the regime."""
    runs = [others[key] for scope in _SCOPES if (key := (Change.SPECIFIC, scope)) in others]
    specific = next((run for run in runs if regime in run.config["regimes"]), None)
    if specific is None:
        return None
    metric = headline(specific.config)
    found = _pair(specific, regime, metric, _RETRIEVAL, _RANDOM)
    return MethodEstimate(_RETRIEVAL, math.nan, math.nan, math.nan, 0) if found is None else found


def _pair(run: Run, regime: Regime, metric: str, method: str, rival: str) -> MethodEstimate | None:
    """The paired difference of two methods; None where they have no condition in common."""
    table: pd.DataFrame = run.pairs
    rows = against(table[(table["regime"] == regime) & (table["metric"] == metric)], rival)
    rows = rows[(rows["a"] == method) & (rows["n_common"] > 0)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    return MethodEstimate(method, row["difference"], row["low"], row["high"], int(row["n_common"]))


def _best(found: RegimeVerdict) -> str:
    metric = EVERY_METRIC[found.metric]
    words = f"{method_style(found.winner.method).label} predicts best"
    if found.second is not None:
        words += f", not told apart from {method_style(found.second).label}"
    words += f": {metric.label} {found.winner.words}, {better(metric)}"
    if found.apart is not None:
        words += f"; {number(found.apart.value)} when the drug's own wells may not be read"
    return f"{words}."


def _references(found: RegimeVerdict) -> list[str]:
    """What the plate alone and a repeat of the experiment score."""
    words = []
    if found.plate is not None:
        words.append(f"{_PLATE_WORDS[found.plate.method]} scores {number(found.plate.value)}")
    elif EVERY_METRIC[found.metric].change is Change.SPECIFIC:
        words.append("The plate alone scores 0 by construction")
    if found.repeat is None:
        words.append("what a repeat of the experiment scores is not known here")
    else:
        kind = _REPEAT_WORDS[found.repeat.method]
        words.append(
            f"a repeat scores {number(found.repeat.value)} ({kind}; {found.repeat.n:,} conditions)"
        )
    text = "; ".join(words)
    return [f"{text[0].upper()}{text[1:]}."]


def _gain(found: RegimeVerdict) -> str:
    """What retrieval by the language model adds, to random drugs or else to the plate."""
    who = "the language model's neighbours"
    if found.gain is not None and not math.isfinite(found.gain.value):
        return f"Beyond the plate, what {who} add to random ones is not separable in this atlas."
    if found.gain is not None:
        return f"Beyond the plate, {who} {_compared(found.gain, 'random ones')}."
    if found.over_plate is not None:
        mean = "the plate's mean" if _is_plate(found.plate) else "the line's mean"
        return f"T{who[1:]} {_compared(found.over_plate, mean)}."
    return f"No run here says what {who} add beyond the plate."


def _is_plate(found: MethodEstimate | None) -> bool:
    return found is not None and found.method == PLATES[0]


def _compared(gap: MethodEstimate, rival: str) -> str:
    """Whether a paired difference adds to a rival, with its interval."""
    if not math.isfinite(gap.low):
        return f"differ from {rival} by {number(gap.value, '+')} (no interval)"
    if gap.low <= 0 <= gap.high:
        interval = f"{number(gap.value, '+')} ({number(gap.low, '+')} to {number(gap.high, '+')})"
        return f"cannot be told apart from {rival}: {interval}"
    low, high = sorted((abs(gap.low), abs(gap.high)))
    way = "higher" if gap.low > 0 else "lower"
    return f"score {number(abs(gap.value))} {way} than {rival} ({number(low)} to {number(high)})"
