"""How far the untreated expression of a new line lies from that of an atlas's lines.

The space is that of the slopes: every gene standardised over the atlas's lines. Far is judged by
the atlas itself: each of its lines, left out, has a nearest other line; a new line that is farther
from all of them than any of these is from its nearest lies outside of what slopes were learned on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.line_features import standardised


@dataclass(frozen=True, eq=False)
class ProfileDistance:
    """Distances of a new line, root mean squares over genes of differences in deviations.

    ``lines``, nearest first, have their ``distances`` (n_lines,) and ``correlations`` (n_lines,),
    Pearson over the genes that both have. ``limit`` is the largest distance of a line of the atlas
    from its nearest other. ``n_genes`` genes are compared.
    """

    lines: tuple[str, ...]
    distances: FloatArray
    correlations: FloatArray
    limit: float
    n_genes: int

    @property
    def too_far(self) -> bool:
        """Whether no line of the atlas is as near as its own lines are to each other."""
        return bool(self.distances[0] > self.limit)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types, the nearest lines alone."""
        rows = zip(self.lines, self.distances, self.correlations, strict=True)
        return {
            "nearest": [
                {"cell_line": name, "distance": float(far), "pearson": float(r)}
                for name, far, r in list(rows)[:5]
            ],
            "limit": self.limit,
            "genes_compared": self.n_genes,
            "too_far": self.too_far,
        }


def profile_distance(
    own: FloatArray, others: FloatArray, lines: tuple[str, ...]
) -> ProfileDistance:
    """The distances of ``own`` (genes,), NaN where unknown, from ``others`` (n_lines, genes)."""
    known = np.isfinite(own)
    own, others = own[known].astype(np.float64), others[:, known].astype(np.float64)
    z, z_own = standardised(own, others)
    far = np.sqrt(np.square(z - z_own).mean(axis=1))
    order = np.argsort(far, kind="stable")
    alike = pearson_delta(np.broadcast_to(own, others.shape), others)
    limit = float(_nearest(z).max())
    names = tuple(lines[i] for i in order)
    return ProfileDistance(names, far[order], alike[order], limit, int(known.sum()))


def nearest_distances(profiles: FloatArray) -> FloatArray:
    """The distance of each of these lines (n_lines, genes) from its nearest other, (n_lines,)."""
    values = profiles.astype(np.float64)
    return _nearest(standardised(values[0], values)[0])


def _nearest(z: FloatArray) -> FloatArray:
    squares = np.square(z).sum(axis=1)
    among = np.maximum(squares[:, None] + squares - 2 * z @ z.T, 0) / z.shape[1]
    np.fill_diagonal(among, np.inf)
    return np.sqrt(among.min(axis=1))


def on_scale_of(own: FloatArray, others: FloatArray) -> FloatArray:
    """A profile, NaN where unknown, on the scale of others (n_lines, genes): ranks kept.

    Quantile normalisation: the value of rank i becomes the mean of the others' values of rank i,
    so that neither units nor the platform's range count.
    """
    known = np.isfinite(own)
    target = np.sort(others[:, known], axis=1).mean(axis=0)
    scaled = np.full(len(own), np.nan)
    ranks = np.argsort(np.argsort(own[known], kind="stable"), kind="stable")
    scaled[known] = target[ranks]
    return scaled
