"""A source of counts in many shards, and an ingest of it in a process that can be killed."""

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from lgr_core.atlas import shards
from lgr_core.atlas.executors import ExecutorConfig
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from tests.support.count_files import write_h5ad

N_CELLS, N_GENES = 600, 50


def write_source(path, seed=0):
    """Random counts of two lines, two plates and four treatments, in random order."""
    rng = np.random.default_rng(seed)
    counts = sparse.csr_matrix(rng.poisson(0.6, (N_CELLS, N_GENES)).astype(np.float32))
    obs = {
        name: rng.choice(values, N_CELLS)
        for name, values in {
            "cell_line": ["A549", "LoVo"],
            "drug": ["DMSO", "Talc", "Zinc", "Chalk"],
            "plate": ["p1", "p2"],
        }.items()
    }
    return write_h5ad(path, counts, obs)


def many_shards(patch=setattr):
    """Shards of some 15 cells, whatever the source; the constants of this process only."""
    patch(shards, "_LEAST", 300)
    patch(shards, "_USUAL", 300)


def run(path, folder, **options):
    """Ingest as the command does, in many shards; another process may be started with it."""
    many_shards()
    ingest(
        path, folder, options=IngestOptions(**options), overwrite=True, executor=ExecutorConfig(2)
    )


@dataclass
class Deadly:
    """A shard that ends the process which reads it, as the system does where memory is full."""

    shard: Any

    def blocks(self):
        """No blocks."""
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Slow:
    """A shard that takes its time."""

    shard: Any

    def blocks(self):
        """The shard's own."""
        time.sleep(0.1)
        return self.shard.blocks()
