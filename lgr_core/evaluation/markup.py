"""Pieces of a benchmark as HTML, for report and page alike. What comes from data is escaped here.

Colours are the variables ``--lgr-...`` of whoever shows them; classes are named ``lgr-...`` too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from lgr_core.domain import Evidence, ValueKind
from lgr_core.evaluation.figures import (
    CONTROL,
    EXTERNAL,
    NEUTRAL,
    Group,
    against,
    better,
    method_style,
    number,
    ordered,
)
from lgr_core.evaluation.labels import KINDS, READING, REGIME_LABELS, UNEQUAL, who_reads
from lgr_core.evaluation.regimes import RULES, UNKNOWN, Regime, reads_of
from lgr_core.evaluation.table_labels import (
    Choice,
    choices,
    clusters,
    config_words,
    coverage,
    notes,
    outcomes,
    plain,
)
from lgr_core.figures.prediction import TRUTH
from lgr_core.metrics import METRICS, Direction

_BOX = "width:1.2rem;height:1.2rem;border-radius:.2rem;box-sizing:border-box;flex:none;"
_LOOK = {
    "query": "background:var(--lgr-query);color:var(--lgr-ground);text-align:center;"
    "font:700 .9rem/1.2rem inherit",
    "train": "background:var(--lgr-train)",
    "pool": "background:var(--lgr-pool)",
    "both": "background:linear-gradient(135deg,var(--lgr-train) 50%,var(--lgr-pool) 50%)",
    "closed": "border:1px dashed var(--lgr-soft)",
}
SIMULATED = "Simulated data: not a measurement"


def badge(config: Mapping[str, Any]) -> str:
    """Where the numbers come from: simulated or measured data, the atlas, what its numbers are."""
    kind = "simulated" if config["simulated"] else "real"
    words = SIMULATED if config["simulated"] else "Measured data"
    about = [str(config["atlas"]), ValueKind(config["value_kind"]).label]
    spans = "".join(f"<span>{escape(part)}</span>" for part in about)
    return f'<div class="lgr-badge"><span class="lgr-tag lgr-{kind}">{words}</span>{spans}</div>'


def asks(words: str) -> str:
    """The question of a regime."""
    return f'<p class="lgr-asks">{escape(words)}</p>'


def unequal() -> str:
    """What must be said wherever the regime of unseen lines is shown."""
    return f'<p class="lgr-unequal">{escape(UNEQUAL)}</p>'


def who_diagram(regime: Regime) -> str:
    """The small atlas of :func:`who_reads` as a drawing with its legend."""
    fields = who_reads(regime)
    keys = "".join(
        f"<li>{_field(kind)}{escape(words)}</li>"
        for kind, words in KINDS.items()
        if any(kind in row for row in fields)
    )
    rule = RULES[regime]
    reads = facts([("training", rule.train), ("pool", rule.target_pool)])
    return f'<div class="lgr-who">{_atlas(fields)}<ul>{keys}</ul><div>{reads}</div></div>'


def _atlas(fields: Sequence[Sequence[str]]) -> str:
    """Rows are cell lines, columns drugs."""
    grid = f"display:grid;gap:.18rem;grid-template-columns:repeat({len(fields[0])},1.2rem)"
    cells = "".join(_field(kind) for row in fields for kind in row)
    drawing = (
        f'<div role="img" aria-label="Cell lines by drugs, coloured by who may read what" '
        f'style="{grid}">{cells}</div>'
    )
    return f'<div><span class="lgr-words">drugs across, cell lines down</span>{drawing}</div>'


def _field(kind: str) -> str:
    mark = "?" if kind == "query" else ""
    return f'<i style="display:block;font-style:normal;{_BOX}{_LOOK[kind]}">{mark}</i>'


def legend(config: Mapping[str, Any], methods: Iterable[str]) -> str:
    """What the colours of the panels of some methods mean."""
    groups = {method_style(method).group for method in set(methods)}
    bar = "border-radius:0;height:1rem;"
    items = [_key("background:var(--lgr-pool)", "in colour: retrieval")]
    if Group.EXTERNAL in groups:
        items.append(_key(f"background:{EXTERNAL}", "stars: predictions of others"))
    draws = f"{config['k']} random drugs, range of {config['random_seeds']} draws"
    items += [
        _key(f"background:{NEUTRAL}", "the paper's baselines"),
        _key(f"border:2px solid {CONTROL}", "controls, hollow"),
        _key(f"background:{CONTROL};opacity:.5;{bar}", draws),
        _key(f"border-left:2px dashed {TRUTH};width:0;{bar}", "oracle, reads the answer"),
        _key("display:none", "(fallback): another answers for it throughout"),
    ]
    return f'<ul class="lgr-keys">{"".join(items)}</ul>'


def _key(style: str, words: str) -> str:
    return f'<li><i style="{style}"></i><span>{escape(words)}</span></li>'


def mean_table(summary: pd.DataFrame, metrics: Iterable[str], kind: ValueKind) -> str:
    """One regime's means with their intervals, a row a method; the best that is no control is bold.

    ``summary`` has the regime's rows of the run's table of that name.
    """
    columns = [name for name in metrics if (summary["metric"] == name).any()]
    cells = summary.set_index(["method", "metric"])
    best = {name: _best(summary, name) for name in columns}
    rows = [
        [named(method)] + [_mean(cells.loc[(method, name)], best[name]) for name in columns]
        for method in ordered(summary["method"].unique())
    ]
    return table(["method", *(_head(name, kind) for name in columns)], rows)


def method_table(summary: pd.DataFrame, evidence: pd.DataFrame, scores: pd.DataFrame) -> str:
    """What stands behind each method's means in one regime: evidence, coverage, k, fallbacks.

    ``scores`` are the regime's rows of one metric or more, read for the queries without a score.
    """
    reads, unanswered = evidence.set_index("method"), outcomes(scores)
    rows = []
    for method in ordered(summary["method"].unique()):
        own = summary[summary["method"] == method]
        covered, others = coverage(own)
        remarks = notes(method, own, evidence) + others + unanswered.get(method, [])
        rows.append(
            [
                named(method),
                _reads(reads.loc[method]) if method in reads.index else "not recorded",
                covered,
                f"{own['n_queries'].max():,}",
                escape(clusters(plain(own["clusters"].iloc[own["n_clusters"].argmax()]))),
                _number(own["k_used"].max(), ".1f"),
                _number(own["fallback_share"].max(), ".0%"),
                "<br>".join(map(escape, remarks)),
            ]
        )
    head = ["method", "reads", "coverage", "conditions", "clusters", "mean k used", "fallback"]
    return table([*head, "note"], rows, texts=("reads", "clusters", "note"))


def gap_table(pairs: pd.DataFrame, rival: str, metrics: Iterable[str], kind: ValueKind) -> str:
    """One regime's paired gaps to a rival, a row a method, with win rates and common conditions."""
    rows = against(pairs, rival)
    columns = [name for name in metrics if (rows["metric"] == name).any()]
    cells = rows.set_index(["a", "metric"])
    body = [
        [named(method)] + [_gap(cells.loc[(method, name)]) for name in columns]
        for method in ordered(rows["a"].unique())
    ]
    return table(["method", *(_head(name, kind) for name in columns)], body)


def reading() -> str:
    """What the numbers mean, heading by heading."""
    parts = "".join(
        f"<div><h3>{escape(title)}</h3><p>{escape(words)}</p></div>"
        for title, words in READING.items()
    )
    return f'<div class="lgr-reading">{parts}</div>'


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: Collection[str] = ()
) -> str:
    """A table that scrolls sideways where it does not fit; head and cells are HTML.

    Columns are aligned as numbers, those whose heads are in ``texts`` as text.
    """
    kinds = [' class="lgr-left"' if cell in texts else "" for cell in head]

    def row(tag: str, cells: Sequence[str]) -> str:
        each = zip(kinds, cells, strict=True)
        return f"<tr>{''.join(f'<{tag}{kind}>{cell}</{tag}>' for kind, cell in each)}</tr>"

    body = "".join(row("td", cells) for cells in rows)
    return (
        '<div class="lgr-scroll"><table class="lgr-table lgr-wide">'
        f"<thead>{row('th', head)}</thead><tbody>{body}</tbody></table></div>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as a table of two columns."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs
    )
    return f'<table class="lgr-table lgr-facts"><tbody>{rows}</tbody></table>'


def config_facts(config: Mapping[str, Any]) -> str:
    """What the run's config records, and what methods chose on training rows."""
    chosen = choices(config.get("fitted", {}))
    shown = [regime for regime in REGIME_LABELS if any(regime in each for each in chosen.values())]
    heads = [f"chosen most often: {escape(REGIME_LABELS[regime].label)}" for regime in shown]
    rows = [
        [named(method), *(_choice(chosen[method].get(regime)) for regime in shown)]
        for method in ordered(chosen)
    ]
    fitted = table(["method", *heads], rows, texts=heads) if rows else ""
    return facts(config_words(config)) + fitted


# -- cells -----------------------------------------------------------------------------------------


def named(method: str) -> str:
    """A method as the first cell of a row."""
    found = method_style(method)
    mark = f'<i class="lgr-dot" style="background:{found.colour}"></i>'
    own = (
        "" if found.group is Group.EXTERNAL else f'<span class="lgr-words">{escape(method)}</span>'
    )
    return f"{mark}{escape(found.label)}{own}"


def _head(metric: str, kind: ValueKind) -> str:
    found = METRICS[metric]
    unit = f", {kind.label}" if found.scale_dependent else ""
    return f'{escape(found.label)}<span class="lgr-words">{escape(better(found) + unit)}</span>'


def _mean(row: pd.Series, best: float) -> str:
    if not math.isfinite(row["mean"]):
        return f'<span class="lgr-none" title="{escape(plain(row["note"]))}">none</span>'
    mean = escape(number(row["mean"]))
    mean = f"<b>{mean}</b>" if mean == escape(number(best)) and not _control(row.name[0]) else mean
    return mean + _limits(row)


def _gap(row: pd.Series) -> str:
    if not row["n_common"]:
        return '<span class="lgr-none">none in common</span>'
    wins = f"wins {row['win_rate']:.0%} of {row['n_common']:,}"
    gap = escape(number(row["difference"], "+"))
    return f'{gap}{_limits(row)}<span class="lgr-words">{wins}</span>'


def _limits(row: pd.Series) -> str:
    known = math.isfinite(row["low"])
    words = escape(f"{number(row['low'])} to {number(row['high'])}") if known else "no interval"
    return f'<span class="lgr-words">{words}</span>'


def _best(summary: pd.DataFrame, metric: str) -> float:
    rows = summary[summary["metric"] == metric]
    means = rows.loc[[not _control(method) for method in rows["method"]], "mean"].dropna()
    if means.empty:
        return math.nan
    match METRICS[metric].direction:
        case Direction.HIGHER:
            return means.max()
        case Direction.LOWER:
            return means.min()
        case Direction.NEAREST:
            return means.loc[(means - METRICS[metric].best).abs().idxmin()]


def _control(method: str) -> bool:
    return method_style(method).group is Group.CONTROL


def _reads(row: pd.Series) -> str:
    """Of the run's table of evidence: what a method declares, in the words of today."""
    if row["evidence"] == UNKNOWN:
        return escape(row["reads"])
    declared = [kind for kind in Evidence if kind in row["evidence"]]
    return escape(reads_of(Regime(row["regime"]), declared))


def _choice(found: Choice | None) -> str:
    if found is None:
        return ""
    return f'{escape(found.words)}<span class="lgr-words">{found.n} of {found.folds} folds</span>'


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else ""
