"""chemCPA (re-implementation) on unseen drugs: what it learns, how fast, and beside which means.

    python benchmarks/chemcpa.py ATLAS [--folds 2] [--mode profiles] [--set adversary_drug=1 ...]

The folds are those of the benchmark (``unseen_drug``, over parents). For each: seconds an epoch,
the learning curve on the fold's validation drugs, and mean Pearson r of deltas on its test drugs
beside the global mean and the line's mean of the training rows. Options are chosen on validation
and tested once. Other work slows all: the load is printed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import lgr_core as lgr
from lgr_core.evaluation.folds import Axes, Fold, make_folds
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.chemcpa.model import ChemCPA
from lgr_core.prediction.chemcpa.options import ChemCPAOptions, Epoch


@dataclass(frozen=True)
class Arrays:
    """An atlas as the model takes it."""

    deltas: np.ndarray
    axes: Axes
    dose_um: np.ndarray
    fingerprints: np.ndarray
    controls: np.ndarray | None

    @classmethod
    def of(cls, atlas: lgr.AtlasStore, mode: str) -> Arrays:
        """Deltas of the panel; each line's vehicle profiles averaged where they are asked for."""
        axes = Axes.of(atlas)
        names = sorted(atlas.conditions["drug"].unique())
        place = pd.Index(atlas.drugs["drug"]).get_indexer(names)
        controls = None
        if mode == "profiles":
            if atlas.control_profiles is None:
                raise SystemExit("this atlas has no vehicle profiles: --mode deltas")
            profiles = pd.DataFrame(atlas.control_profiles[:, : atlas.n_panel])
            means = profiles.groupby(atlas.controls["cell_line"].to_numpy()).mean()
            lines = sorted(atlas.conditions["cell_line"].unique())
            controls = means.reindex(lines).to_numpy(dtype=np.float32)
        return cls(
            np.asarray(atlas.deltas(np.arange(len(atlas.conditions)))),
            axes,
            atlas.conditions["dose_um"].to_numpy(dtype=float),
            atlas.fingerprints[place],
            controls,
        )

    def columns(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Line, drug and dose of some rows."""
        return {
            "line": self.axes.line[rows],
            "drug": self.axes.drug[rows],
            "dose_um": self.dose_um[rows],
        }


def fitted(arrays: Arrays, fold: Fold, options: ChemCPAOptions) -> tuple[ChemCPA, float]:
    """A model fitted on the fold's training rows, its curve printed, and seconds an epoch."""
    line, n_genes = arrays.axes.line, arrays.deltas.shape[1]
    model = ChemCPA(arrays.fingerprints, int(line.max()) + 1, n_genes, options)
    base = 0 if arrays.controls is None else arrays.controls[line[fold.train]]

    def show(epoch: Epoch) -> None:
        if epoch.validation is not None and epoch.number % (5 * options.check_every) == 0:
            print(
                f"  epoch {epoch.number:4}  rebuilt {epoch.rebuilt:7.3f}  adversaries "
                f"{epoch.drug:6.2f} {epoch.line:6.2f}  validation r {epoch.validation:.3f}"
            )

    start = time.perf_counter()
    history = model.fit(
        arrays.deltas[fold.train] + base,
        **arrays.columns(fold.train),
        validation=fold.validation[fold.train],
        controls=arrays.controls,
        progress=show,
    )
    return model, (time.perf_counter() - start) / len(history.epochs)


def scores(arrays: Arrays, fold: Fold, model: ChemCPA) -> pd.DataFrame:
    """Mean Pearson r of the model and two means, on validation and on test rows."""
    line, deltas = arrays.axes.line, arrays.deltas
    of_line = pd.DataFrame(deltas[fold.fitted]).groupby(line[fold.fitted]).mean()
    table = {}
    for name, rows in (("validation", fold.validation), ("test", fold.test)):
        predicted = {
            "chemCPA (re-implementation)": model.predict(**arrays.columns(rows)),
            "line mean": of_line.reindex(line[rows]).to_numpy(),
            "global mean": np.broadcast_to(deltas[fold.fitted].mean(axis=0), deltas[rows].shape),
        }
        known = np.isfinite(predicted["chemCPA (re-implementation)"]).all(axis=1)
        table[name] = {
            method: np.nanmean(pearson_delta(what[known], deltas[rows][known]))
            for method, what in predicted.items()
        }
    return pd.DataFrame(table)


def read_options(pairs: Sequence[str]) -> ChemCPAOptions:
    """Options from NAME=VALUE, each as the type of its default."""
    default = ChemCPAOptions()
    said = dict(pair.split("=", 1) for pair in pairs)
    return ChemCPAOptions(**{k: type(getattr(default, k))(v) for k, v in said.items()})


def main() -> None:
    """Fit, score and print fold by fold, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("atlas")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--mode", choices=("profiles", "deltas"), default="profiles")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five to run")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    given = parser.parse_args()
    atlas = lgr.open_atlas(given.atlas, given.home)
    arrays, options = Arrays.of(atlas, given.mode), read_options(given.set)
    print(f"{given.atlas}: {len(arrays.deltas):,} conditions, {given.mode}; {options}")
    print(f"load of the machine {os.getloadavg()[0]:.2f} of {os.cpu_count()} cores")
    tables = []
    for fold in make_folds(atlas, "unseen_drug")[: given.folds]:
        print(f"fold {fold.number}: {fold.fitted.sum():,} rows fitted, {fold.test.sum():,} tested")
        model, seconds = fitted(arrays, fold, options)
        history = model.history
        print(f"  best epoch {history.best} of {len(history.epochs)}, {seconds:.2f} s an epoch")
        tables.append(scores(arrays, fold, model))
        print(tables[-1].round(3).to_string())
    print(f"mean of {len(tables)} folds, Pearson r of deltas")
    print((sum(tables) / len(tables)).round(3).to_string())


if __name__ == "__main__":
    main()
