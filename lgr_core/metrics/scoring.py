"""Scoring by many metrics at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, Change
from lgr_core.errors import UsageError, unknown
from lgr_core.metrics.discrimination import ReferenceSet
from lgr_core.metrics.moments import SHARED, Moments
from lgr_core.metrics.registry import Metric, metrics_of
from lgr_core.metrics.row_kernels import ScoreArray, pair


def score(
    predicted: ArrayLike,
    measured: ArrayLike,
    *,
    line_mean: ArrayLike | None = None,
    references: ReferenceSet | None = None,
    exclude: BoolArray | None = None,
    metrics: Iterable[str] | None = None,
    change: Change = Change.TOTAL,
) -> dict[str, ScoreArray]:
    """Many metrics at once, each (n,), in the order asked; one pass serves all that are moments.

    ``change`` says which change ``predicted`` and ``measured`` are, both (n, genes) in one unit.
    ``metrics`` are ids of its table (:func:`metrics_of`); unset, all that the context given allows.
    ``line_mean`` is the m of :func:`pearson_vs_line_mean`; ``references``, changes of the same kind
    as ``measured``, and ``exclude`` are those of :func:`discrimination_score_cosine`.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    NotFoundError
        A metric is not in the table.
    UsageError
        A metric is asked for without the context it needs, or is of the other change.
    """
    supplied = {"line_mean": line_mean, "references": references, "exclude": exclude}
    context = {name: value for name, value in supplied.items() if value is not None}
    x, y = pair(predicted, measured)
    context["measured"] = y
    selected = _selected(metrics, context.keys(), change)
    formulas = [metric.formula_of or metric.id for metric in selected]
    shared = Moments.of(x, y) if SHARED.keys() & formulas else None
    scores = {}
    for metric, formula in zip(selected, formulas, strict=True):
        if shared is not None and formula in SHARED:
            scores[metric.id] = SHARED[formula](shared)
        else:
            scores[metric.id] = metric.compute(x, **{name: context[name] for name in metric.needs})
    return scores


def _selected(
    metrics: Iterable[str] | None, context: Iterable[str], change: Change
) -> list[Metric]:
    have, table = set(context), metrics_of(change)
    if metrics is None:
        return [metric for metric in table.values() if have.issuperset(metric.needs)]
    selected = []
    for name in metrics:
        _require(name, table, change)
        if lacking := sorted(set(table[name].needs) - have):
            found = f"{' and '.join(lacking)} not given"
            raise UsageError(f"metric {name!r}", found, "Pass it, or leave the metric out.")
        selected.append(table[name])
    return selected


def _require(name: str, table: Mapping[str, Metric], change: Change) -> None:
    """Raise unless the metric is in the table of its change."""
    if name in table:
        return
    other = next((one for one in Change if name in metrics_of(one)), None)
    if other is None:
        raise unknown("metric", name, table, "the table of metrics")
    found = f"it scores the {other} change, and the {change} change is given"
    todo = f"Pass the {other} change with change={other.value!r}, or choose of: {', '.join(table)}."
    raise UsageError(f"metric {name!r}", found, todo)
