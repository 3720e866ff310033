"""The configuration of a benchmark run: everything that decides its numbers."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, WellScope
from lgr_core.errors import InputError, UsageError
from lgr_core.evaluation.folds import Fold, by_parent, make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.source_digest import source_digest
from lgr_core.evaluation.splits import read_split
from lgr_core.files import atomic_write_text
from lgr_core.metrics import Metric, metrics_of

CONFIG = "config.json"
PACKAGES = ("numpy", "pandas", "scipy", "rdkit", "duckdb", "anndata", "pyarrow", "torch")
"""Whose versions are recorded, None where not installed: they can change a number."""

AGGREGATION = "mean"
"""How methods make one delta of neighbours, where their name does not say otherwise."""

_UNCOMPARED = frozenset({"versions", "started_at", "finished_at", "fitted", "splits"})
"""Fields of a recorded config that may differ when a run is resumed."""

_CODE = frozenset({"lgr_version", "code"})
"""Fields of a recorded config that name the code."""

_EXTERNAL_KEY = "guests"
"""The key of ``external`` in the file, which runs that were written before have too."""

_DEFAULTS = {
    "drop_overlap": False,
    "aggregation": AGGREGATION,
    "change": Change.TOTAL,
    "evidence": WellScope.ANY,
}
"""The values in runs whose config lacks the field."""


@dataclass(frozen=True, slots=True)
class BenchmarkConfig:
    """Everything that decides the numbers of a run.

    ``lines``, ``drugs``, ``max_queries`` and ``min_drugs`` restrict what is scored, never what is
    read. ``drop_overlap`` leaves training conditions of ``split`` out whose unit is tested too.
    ``curve_queries`` is how many queries of a regime the curve over k is drawn from.
    ``change`` is what is predicted and scored, ``evidence`` whose wells may be read for it.
    ``language_model`` says how a model is asked, ``external`` whose predictions are scored too.
    Regimes are kept in their usual order, each once.
    """

    regimes: tuple[Regime, ...]
    methods: tuple[str, ...]
    k: int = 10
    folds: int = 5
    seed: int = 0
    random_seeds: int = 20
    lines: tuple[str, ...] | None = None
    drugs: tuple[str, ...] | None = None
    max_queries: int | None = None
    min_drugs: int | None = None
    one_per_parent: bool = False
    split: Path | None = None
    drop_overlap: bool = False
    curve_queries: int = 1_000
    change: Change = Change.TOTAL
    evidence: WellScope = WellScope.ANY
    language_model: Mapping[str, Any] = field(default_factory=dict)
    external: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("k", "random_seeds"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} = {getattr(self, name)}", "too few", "Give 1 or more.")
        if self.seed < 0:
            raise UsageError(f"seed = {self.seed}", "below zero", "Give 0 or more.")
        if not self.regimes:
            raise UsageError("benchmark", "no regime", f"Name one of: {', '.join(Regime)}.")
        if self.drop_overlap and self.split is None:
            raise UsageError("--drop-overlap", "there is no split", "Give one with --split.")
        object.__setattr__(self, "change", Change(self.change))
        object.__setattr__(self, "evidence", WellScope(self.evidence))
        named = {Regime(regime) for regime in self.regimes}
        object.__setattr__(self, "regimes", tuple(regime for regime in Regime if regime in named))

    def folds_of(self, store: AtlasStore, regime: Regime) -> list[Fold]:
        """The folds of a regime; of a split that is given, the one that it describes."""
        if self.split is not None:
            return [read_split(store, self.split, regime, drop_overlap=self.drop_overlap)]
        if regime is Regime.OPEN_WORLD and self.evidence is not WellScope.ANY:
            return by_parent(make_folds(store, Regime.UNSEEN_DRUG, self.folds, self.seed))
        return make_folds(store, regime, self.folds, self.seed)

    def to_dict(self, store: AtlasStore) -> dict[str, Any]:
        """The config with the atlas and the versions it runs on, as JSON has it."""
        fields = {**asdict(self), "regimes": [str(regime) for regime in self.regimes]}
        fields[_EXTERNAL_KEY] = fields.pop("external")
        if self.split is not None:
            fields["folds"] = 1
        fields["split"] = None if self.split is None else digest(self.split)
        packages = {name: _version(name) for name in PACKAGES}
        return {
            "atlas": store.name,
            "build_id": store.build_id,
            "value_kind": str(store.value_kind),
            "simulated": store.simulated,
            "n_panel": store.n_panel,
            "aggregation": AGGREGATION,
            "metrics": {name: settings(each) for name, each in metrics_of(self.change).items()},
            "lgr_version": version("lgr-explorer"),
            "code": source_digest(),
            **json.loads(json.dumps(fields, default=list)),
            "versions": {"python": platform.python_version(), **packages},
        }


def settings(metric: Metric) -> dict[str, Any]:
    """What decides a metric's values and how they are read, for a config."""
    return {
        "formula": metric.formula,
        "best": metric.best,
        "direction": str(metric.direction),
        "needs": list(metric.needs),
    }


def headline(config: Mapping[str, Any]) -> str:
    """The metric that a run's change is scored by first."""
    return next(iter(metrics_of(Change(config.get("change", Change.TOTAL)))))


def check_same(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a folder that holds the results of another run.

    Raises
    ------
    InputError
        If it does, or holds files but no run; the first thing that differs is named.
    """
    path = folder / CONFIG
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"results {folder}", "it holds other files", "Give an empty folder.")
        return
    before = {**_DEFAULTS, **read_config(folder)}
    differs = [
        key for key in config if key not in _UNCOMPARED and before.get(key) != config.get(key)
    ]
    if not differs:
        return
    if differs[0] in _CODE:
        found = f"it holds results of other code: version {before.get('lgr_version')}, "
        found += f"source {before.get('code') or 'not recorded'} there, "
        found += f"version {config['lgr_version']}, source {config['code']} now"
        do = "Give another folder with --out, or finish the run with the code that began it."
        raise InputError(f"results {folder}", found, do)
    found = "it holds a run of another config: "
    found += _difference(differs[0], before.get(differs[0]), config[differs[0]])
    raise InputError(f"results {folder}", found, "Give another folder with --out.")


def _difference(key: str, before: object, now: object) -> str:
    """The first value that differs, in words; of two mappings, the first that differs in them."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        inner = next(name for name in {**before, **now} if before.get(name) != now.get(name))
        return _difference(f"{key}.{inner}", before.get(inner), now.get(inner))
    return f"{key} is {before!r} there, {now!r} now"


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a run folder.

    Raises
    ------
    InputError
        If there is none, or it cannot be read.
    """
    path = folder / CONFIG
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        do = "Give a folder that lgr benchmark wrote."
        raise InputError(f"benchmark run {folder}", f"no {CONFIG} to read: {err}", do) from err


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the config of a run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, indent=1, ensure_ascii=False, default=str)
    atomic_write_text(folder / CONFIG, text + "\n")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def digest(path: Path) -> dict[str, str]:
    """A file's or folder's name and the SHA-256 of all that is in it, in order of name."""
    found = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            found.update(str(file.relative_to(path)).encode())
            found.update(file.read_bytes())
    return {"name": path.name, "sha256": found.hexdigest()}
