"""Damaged files: 300 mutations of seven containers end in a table or in one line, never else."""

import random
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_plan import plan_ingest
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.cli import main
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, LgrError
from tests.support.count_files import write_h5ad
from tests.support.gct_files import write_gct, write_gctx

OBS = {
    "cell_line": ["A549", "K562"] * 10,
    "drug": ["DMSO", "DMSO", "Talc", "Zinc", "Gold"] * 4,
    "dose_uM": [1.0] * 20,
    "plate": ["p1"] * 10 + ["p2"] * 10,
}
COUNTS = np.random.default_rng(0).poisson(3, (20, 12)).astype(np.float32)
CHANGES = np.random.default_rng(1).normal(size=(20, 12)).round(3)
MUTATIONS = {
    "cells.h5ad": 60,
    "by_gene.h5ad": 50,
    "changes.h5ad": 50,
    "wide.csv": 40,
    "long.csv": 30,
    "wide.parquet": 40,
    "x.gct": 15,
    "x.gctx": 15,
}


def make(path):
    """An intact file of that name, and what its values are."""
    if path.name in {"cells.h5ad", "by_gene.h5ad"}:
        form = sparse.csr_matrix if path.name == "cells.h5ad" else sparse.csc_matrix
        write_h5ad(path, form(COUNTS), dict(OBS))
        return None
    if path.name == "changes.h5ad":
        write_h5ad(path, CHANGES, dict(OBS))
    elif path.suffix.startswith(".gct"):
        (write_gct if path.suffix == ".gct" else write_gctx)(path)
        return ValueKind.ZSCORE
    else:
        genes = pd.DataFrame(CHANGES, columns=[f"GENE{i}" for i in range(12)])
        frame = pd.concat([pd.DataFrame(OBS), genes], axis=1)
        if path.name == "long.csv":
            frame = frame.iloc[2:5].melt(id_vars=list(OBS), var_name="gene", value_name="logFC")
        frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return ValueKind.LOG2FC


def mutated(held, chance):
    """Bytes cut off, changed, zeroed or put in twice."""
    held, kind = bytearray(held), chance.randrange(5)
    at = chance.randrange(len(held))
    if kind == 0:
        del held[at:]
    elif kind == 1:
        for _ in range(chance.randrange(1, 20)):
            held[chance.randrange(len(held))] = chance.randrange(256)
    elif kind == 2:
        size = chance.randrange(1, 200)
        held[at : at + size] = bytes(len(held[at : at + size]))
    elif kind == 3:
        held[at:at] = held[at : at + chance.randrange(1, 60)]
    else:
        held[at % 2048 % len(held)] ^= 1 << chance.randrange(8)
    return bytes(held)


def read(path, kind):
    """Read all that an ingest and a preview read."""
    plan = plan_ingest(path, IngestOptions(value_kind=kind, min_cells=1))
    if plan.ready_kind is None:
        for shard in plan.open_counts().shards(60):
            list(shard.blocks())
    else:
        plan.read_deltas(plan.ready_kind)
    if not path.suffix.startswith(".gct"):
        inspect_file(path)


def test_there_are_three_hundred():
    """Over all containers."""
    assert sum(MUTATIONS.values()) == 300


@pytest.mark.parametrize("name", MUTATIONS)
def test_damage_is_a_table_or_an_error_of_ours(tmp_path, name):
    """No other exception, no warning of a library, and one line."""
    path = tmp_path / name
    kind = make(path)
    read(path, kind)
    held, said = path.read_bytes(), []
    for seed in range(MUTATIONS[name]):
        path.write_bytes(mutated(held, random.Random(f"{name} {seed}")))  # noqa: S311 - no secret
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                read(path, kind)
        except LgrError as err:
            said.append(str(err))
    assert said
    assert [text for text in said if "\n" in text] == []


@pytest.mark.parametrize("name", ["cells.h5ad", "wide.parquet", "wide.csv", "x.gctx"])
def test_the_command_line_says_one_line(tmp_path, monkeypatch, capsys, name):
    """Half of a file: exit code 3."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    path = tmp_path / name
    kind = make(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    flags = [] if kind is None else ["--value-kind", str(kind)]
    assert main(["ingest", str(path), "--name", "x", *flags]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_heap_that_hdf5_never_leaves_is_refused(tmp_path):
    """An object without number and length in a global heap: HDF5 would read it for ever."""
    path = tmp_path / "cells.h5ad"
    make(path)
    held = bytearray(path.read_bytes())
    at = held.index(b"GCOL") + 16
    held[at : at + 16] = bytes(16)
    path.write_bytes(held)
    with pytest.raises(InputError, match="global heap"), open_hdf5(path):
        pass
