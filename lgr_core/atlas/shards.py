"""How the counts of a source are shared out: shards of a size that depends on nothing but them."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.count_source import CountBlocks
from lgr_core.atlas.partial_sums import ShardTask
from lgr_core.atlas.shard_sums import Order
from lgr_core.domain import IntArray

_LEAST, _USUAL, _MOST = 2_000_000, 64_000_000, 512_000_000
_FEW, _MANY = 4, 256


def shard_nonzeros(total: int) -> int:
    """Stored counts in a shard, given those in all.

    80,000 cells of 800 genes, a few seconds' work. A small source is cut into four, so that all
    cores have some; a large one into 256, up to 640,000 cells a shard: where groups are mixed, each
    shard leaves sums of nearly every gene in every group, and more shards leave more of them.
    """
    few = min(max(total // _FEW, _LEAST), _USUAL)
    return max(few, min(total // _MANY, _MOST))


def plan_tasks(
    source: CountBlocks, codes: IntArray, folder: Path, *, target_sum: float, order: Order
) -> list[ShardTask]:
    """One task a shard, in order; ``codes`` (n_cells,) is the group of each row of ``obs``."""
    shards = source.shards(shard_nonzeros(source.nonzeros()))
    return [
        ShardTask(
            shard,
            codes[shard.start : shard.stop],
            len(source.genes),
            target_sum,
            order,
            folder / f"{number:06d}.sums",
        )
        for number, shard in enumerate(shards)
    ]
