"""The HTML of a benchmark that the report and the page share, rendered by jinja2.

Its autoescape is the only place where values from data are escaped: views hold plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from lgr_core.domain import ValueKind
from lgr_core.evaluation.figures import CONTROL, EXTERNAL, NEUTRAL, Group, method_style
from lgr_core.evaluation.figures.six_panels import KEYS, SixPanels
from lgr_core.evaluation.labels import KINDS, READING, UNEQUAL, who_reads
from lgr_core.evaluation.regimes import RULES, Regime
from lgr_core.evaluation.table_labels import config_words
from lgr_core.evaluation.tables import Table, fitted_table
from lgr_core.figures.prediction import TRUTH

SIMULATED = "Simulated data: not a measurement"


@dataclass(frozen=True, slots=True)
class Badge:
    """Where the numbers come from: simulated or measured data, the atlas, what its numbers are."""

    simulated: bool
    label: str
    about: tuple[str, ...]

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Badge:
        """The badge of a run with that config."""
        simulated = bool(config["simulated"])
        label = SIMULATED if simulated else "Measured data"
        return cls(simulated, label, (str(config["atlas"]), ValueKind(config["value_kind"]).label))


@dataclass(frozen=True, slots=True)
class WhoReads:
    """A regime as a small atlas: kinds of fields by line and drug, their keys, the rules."""

    fields: tuple[tuple[str, ...], ...]
    keys: tuple[tuple[str, str], ...]
    reads: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, regime: Regime) -> WhoReads:
        """The diagram of a regime."""
        fields, rule = who_reads(regime), RULES[regime]
        present = {kind for row in fields for kind in row}
        keys = tuple((kind, words) for kind, words in KINDS.items() if kind in present)
        return cls(fields, keys, (("training", rule.train), ("pool", rule.target_pool)))


def legend_keys(config: Mapping[str, Any], methods: Iterable[str]) -> list[tuple[str, str]]:
    """The style and meaning of each mark in the panels of some methods."""
    groups = {method_style(method).group for method in set(methods)}
    line = "border-radius:0;height:1rem;"
    stars = [(f"background:{EXTERNAL}", "stars: predictions of others")]
    draws = f"{config['k']} random drugs, range of {config['random_seeds']} draws"
    return [
        ("background:var(--lgr-pool)", "in colour: retrieval"),
        *(stars if Group.EXTERNAL in groups else []),
        (f"background:{NEUTRAL}", "the paper's baselines"),
        (f"border:2px solid {CONTROL}", "controls, hollow"),
        (f"background:{CONTROL};opacity:.5;{line}", draws),
        (f"border-left:2px dashed {TRUTH};width:0;{line}", "oracle, reads the answer"),
        ("display:none", "(fallback): another answers for it throughout"),
    ]


@cache
def environment() -> Environment:
    """The templates of this package; whatever they print is escaped."""
    found = Environment(
        loader=PackageLoader("lgr_core.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(READING=READING, UNEQUAL=UNEQUAL)
    found.filters["percent"] = "{:.2%}".format
    return found


def badge(config: Mapping[str, Any]) -> str:
    """The badge of a run."""
    return _fragment("badge", Badge.of(config))


def asks(question: str) -> str:
    """The question of a regime."""
    return _fragment("asks", question)


def unequal() -> str:
    """What must be said wherever the regime of unseen lines is shown."""
    return _fragment("unequal")


def six_panels(figure: SixPanels) -> str:
    """The figure of a regime as bars that fit any width, with what their colours mean."""
    return _fragment("six_panels", figure, KEYS)


def who_diagram(regime: Regime) -> str:
    """The small atlas of :func:`who_reads` as a drawing with its legend."""
    return _fragment("who_diagram", WhoReads.of(regime))


def legend(config: Mapping[str, Any], methods: Iterable[str]) -> str:
    """What the colours of the panels of some methods mean."""
    return _fragment("legend", legend_keys(config, methods))


def table(view: Table) -> str:
    """A table that scrolls sideways where it does not fit."""
    return _fragment("table", view)


def config_facts(config: Mapping[str, Any]) -> str:
    """What the run's config records, and what methods chose on training rows."""
    return _fragment("config_facts", config_words(config), fitted_table(config))


def reading() -> str:
    """What the numbers mean, heading by heading."""
    return _fragment("reading")


def _fragment(name: str, *args: object) -> str:
    """A macro's output as a plain string: to add one to markup would escape the other."""
    macros = environment().get_template("fragments.html").module
    return str(getattr(macros, name)(*args))
