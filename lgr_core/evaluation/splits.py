"""Reads train, validation and test splits from files, and writes them.

A split is Arrow files of (cell_type, molecule, dose_um), as the paper's: ``train.arrow``,
``val.arrow`` and ``test.arrow`` in a folder, or one file with a column ``split``. The TOML files of
arcinstitute/state are read too. Names are read by the atlas's catalogs; whatever is not found, left
out or moved is counted in the fold's notes.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.evaluation.folds import Axes, Fold
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.split_reader import SUBSETS, SplitMasks, add_state_toml, subset_of

log = logging.getLogger(__name__)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cell_line": ("cell_type", "cell_line"),
    "drug": ("molecule", "drug"),
    "dose_um": ("dose_um", "dose"),
    "split": ("split",),
}
"""Our column and its names in files, the one that is written first; doses are in micromolar."""

_FORM = "Give train.arrow, val.arrow and test.arrow in a folder, or one file with a column split."
_SHOWN = 3


def write_split(store: AtlasStore, fold: Fold, path: Path) -> None:
    """Write a fold: as one file if the path ends in ``.arrow``, else as a folder of three."""
    masks = {"train": fold.fitted, "val": fold.validation, "test": fold.test}
    frames = {subset: _pairs(store, mask) for subset, mask in masks.items()}
    about = {"regime": str(fold.regime), "number": fold.number, "build_id": store.build_id}
    if path.suffix == ".arrow":
        whole = pd.concat([frame.assign(split=subset) for subset, frame in frames.items()])
        _write(path, whole, about)
    else:
        for subset, frame in frames.items():
            _write(path / f"{subset}.arrow", frame, about)


def read_split(
    store: AtlasStore,
    path: Path,
    regime: Regime | str | None = None,
    *,
    drop_overlap: bool = False,
) -> Fold:
    """The fold that a file or folder describes.

    A pair without a dose means every dose. Conditions that it does not name are neither read nor
    tested; if it names no training pairs at all, all conditions are that share no unit with a
    tested one. Validation conditions that are tested too count as tested; those whose unit is also
    fitted count as fitted.

    Parameters
    ----------
    store, path
        The atlas, and what to read.
    regime
        What is unseen; files of :func:`write_split` say it themselves.
    drop_overlap
        Leave training conditions out whose unit is tested too (another dose, a twin; where drugs
        or lines are unseen, any condition of theirs), instead of refusing the split.

    Raises
    ------
    UsageError
        If no regime is known, or nothing is left to fit on.
    InputError
        If it cannot be read, or a unit is both trained on and tested; both are named.
    NotFoundError
        If none of its test pairs is in the atlas.
    """
    masks = SplitMasks(store)
    about, sha256 = _read_into(masks, path)
    if regime is None and "regime" not in about:
        do = f"Name one of: {', '.join(Regime)}."
        raise UsageError(f"split {path}", "it does not say what is unseen", do)
    if not masks.by_subset["test"].any():
        found = f"none of its test pairs is in atlas {store.name!r}"
        raise NotFoundError(f"split {path}", found, "Use names and doses of that atlas.")
    chosen = Regime(about["regime"] if regime is None else regime)
    cut = _Cut(store, chosen, masks, path, drop_overlap=drop_overlap)
    fold = cut.fold(int(about.get("number", 0)), sha256)
    for note in fold.notes:
        log.warning("Split %s: %s", path, note)
    return fold


class _Cut:
    """Makes the subsets of a split disjoint by unit and notes every change."""

    def __init__(
        self,
        store: AtlasStore,
        regime: Regime,
        masks: SplitMasks,
        path: Path,
        *,
        drop_overlap: bool,
    ) -> None:
        self.store, self.regime, self.masks, self.path = store, regime, masks, path
        self.drop_overlap = drop_overlap
        self.held = regime.held_out
        self.axes = Axes.of(store)
        self.notes: list[str] = []

    def fold(self, number: int, sha256: str) -> Fold:
        """The fold, with notes in words and counts in its provenance."""
        self._note_names()
        test = self.masks.by_subset["test"]
        train = self._train(test)
        validation = self.masks.by_subset["val"] & train
        fitted = self._fitted(validation, train)
        note = f"Validation conditions that share {self.held} with fitted ones, and count as fitted"
        self._note(note, fitted)
        self._note("Conditions that are neither read nor tested", ~(train | test))
        masks = (train, validation & ~fitted, test)
        about = {"split": self.path.name, "sha256": sha256, **self._counts()}
        return Fold(
            self.regime, number, self.axes, *masks, notes=tuple(self.notes), provenance=about
        )

    def _fitted(self, validation: BoolArray, train: BoolArray) -> BoolArray:
        """Validation rows that share a unit with fitted ones, or with others that do."""
        fitted = np.zeros_like(validation)
        while True:
            known = train & (~validation | fitted)
            more = self.axes.sharing(self.regime, validation & ~fitted, known)
            if not more.any():
                return fitted
            fitted |= more

    def _train(self, test: BoolArray) -> BoolArray:
        """Training and validation rows, without those whose unit is tested."""
        train, validation = self.masks.by_subset["train"], self.masks.by_subset["val"]
        note = "Validation conditions that are tested too, and count as tested"
        self._note(note, validation & test)
        both = train | (validation & ~test)
        if not train.any():
            note = f"all conditions are that share no {self.held} with tested ones"
            self.notes.append(f"No training pairs are named: {note}.")
            both = np.ones_like(test)
        shared = self.axes.sharing(self.regime, both, test)
        if train.any() and shared.any():
            self._overlap(shared, test)
        return both & ~shared

    def _overlap(self, shared: BoolArray, test: BoolArray) -> None:
        """Refuse training conditions that share a unit with tested ones, or note them."""
        units, examples, rows = self.axes.units(self.regime), [], np.arange(len(test))
        _, first = np.unique(np.where(shared, units, -1), return_index=True)
        for row in first[shared[first]][:_SHOWN]:
            other = np.flatnonzero(self.axes.sharing(self.regime, test, rows == row))[0]
            examples.append(
                f"{self.store.condition(row)} (trained) and {self.store.condition(other)}"
            )
        if not self.drop_overlap:
            found = f"{shared.sum():,} training conditions share {self.held} with tested ones"
            do = "Part whole units, or leave these out of training with --drop-overlap."
            raise InputError(f"split {self.path}", f"{found}, e.g. {'; '.join(examples)}", do)
        note = f"Training conditions left out, since they share {self.held} with tested ones"
        self._note(note, shared, examples)

    def _note(self, what: str, mask: BoolArray, examples: Sequence[str] = ()) -> None:
        self._count(what, int(mask.sum()), examples)

    def _note_names(self) -> None:
        for subset, names in self.masks.missing.items():
            self._count(f"Pairs of {subset} that are not in the atlas", len(names), names)
        self._count("Pairs that are vehicle, passed over", self.masks.vehicles)

    def _count(self, what: str, n: int, examples: Sequence[str] = ()) -> None:
        shown = "; ".join(dict.fromkeys(examples[:_SHOWN]))
        if n:
            self.notes.append(f"{what}: {n:,}{f', e.g. {shown}' if shown else ''}.")

    def _counts(self) -> dict[str, Any]:
        missing = {subset: len(names) for subset, names in self.masks.missing.items()}
        return {"named": self.masks.named, "vehicles": self.masks.vehicles, "not_in_atlas": missing}


def _read_into(masks: SplitMasks, path: Path) -> tuple[Mapping[str, Any], str]:
    """Read what is there; what our own files say of themselves, and a digest of all of it."""
    about: Mapping[str, Any] = {}
    digest = hashlib.sha256()
    files = _folder(path) if path.is_dir() else [(None, path)]
    for subset, file in files:
        if file.suffix == ".toml":
            add_state_toml(masks, file)
        else:
            frame, about = _read(file)
            _add_frame(masks, subset, frame, file)
        digest.update(file.read_bytes())
    return about, digest.hexdigest()


def _folder(path: Path) -> list[tuple[str, Path]]:
    """The files of each subset: ``test.arrow``, or a folder ``test`` as data sets are saved."""
    found = [
        (subset, file)
        for subset, names in SUBSETS.items()
        for name in names
        for file in (*sorted(path.glob(f"{name}.arrow")), *sorted(path.glob(f"{name}/*.arrow")))
    ]
    if "test" not in dict(found):
        raise InputError(f"split {path}", "there is no test.arrow", _FORM)
    return found


def _add_frame(masks: SplitMasks, subset: str | None, frame: pd.DataFrame, file: Path) -> None:
    if subset is not None:
        masks.add_pairs(subset, frame)
        return
    if "split" not in frame:
        raise InputError(f"split {file}", "it has no column 'split'", _FORM)
    for name, pairs in frame.groupby("split", sort=False):
        masks.add_pairs(subset_of(file, str(name)), pairs)


def _pairs(store: AtlasStore, mask: BoolArray) -> pd.DataFrame:
    names = {ours: theirs[0] for ours, theirs in COLUMNS.items()}
    columns = ["cell_line", "drug", "dose_um"]
    return store.conditions.loc[mask, columns].rename(columns=names)


def _write(path: Path, frame: pd.DataFrame, about: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"lgr": json.dumps(about)})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    """Our columns of an Arrow file or stream, and what it says of itself if it is our own."""
    table = _table(path)
    frame = {}
    for ours, names in COLUMNS.items():
        name = next((name for name in names if name in table.column_names), None)
        if name is not None:
            kind = float if ours == "dose_um" else str
            frame[ours] = _column(path, table, name, kind)
    lost = [" or ".join(COLUMNS[name]) for name in ("cell_line", "drug") if name not in frame]
    if lost:
        found = f"it has no column {', '.join(lost)}; found: {', '.join(table.column_names)}"
        raise InputError(f"split {path}", found, "Name the columns cell_type and molecule.")
    metadata = table.schema.metadata
    about = None if metadata is None else metadata.get(b"lgr")
    return pd.DataFrame(frame), {} if about is None else json.loads(about)


def _column(path: Path, table: pa.Table, name: str, kind: type) -> pd.Series:
    column = table.column(name)
    if kind is str and column.null_count:
        found = f"column {name!r} is empty in {column.null_count:,} rows"
        raise InputError(f"split {path}", found, "Fill it in or leave those rows out.")
    try:
        return column.to_pandas().astype(kind)
    except (TypeError, ValueError) as err:
        raise InputError(f"split {path}", f"column {name!r}: {err}", "Give doses in uM.") from err


def _table(path: Path) -> pa.Table:
    try:
        content = path.read_bytes()
        try:
            return pa.ipc.open_file(content).read_all()
        except pa.ArrowInvalid:
            return pa.ipc.open_stream(content).read_all()
    except (OSError, pa.ArrowException) as err:
        raise InputError(f"split {path}", f"it is no Arrow file ({err})", _FORM) from err
