"""What lines are known by before anything is measured of them, as kernels. NumPy in, NumPy out.

A kernel over lines is centred on the lines with measured changes, so that weights which it gives
add up to 0: they move a prediction away from the drug's mean, and never its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lgr_core.domain import FloatArray

SCALES = (0.0, *np.geomspace(0.01, 100, 25).tolist())
"""Ratios of signal to noise that are tried; 0: the feature says nothing."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """The organ and the driver genes of a line; empty where they are not known."""

    organ: str = ""
    drivers: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, organ: str, drivers: str) -> LineFacts:
        """From text; genes by commas or semicolons."""
        genes = drivers.replace(",", ";").split(";")
        return cls(organ.strip().casefold(), frozenset(g.strip().upper() for g in genes) - {""})

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return bool(self.organ or self.drivers)


@dataclass(frozen=True, slots=True)
class LineKernel:
    """How alike m lines are, ``among`` (m, m), and how like a new line, ``own`` (m,); centred."""

    among: FloatArray
    own: FloatArray

    @classmethod
    def centred(cls, among: FloatArray, own: FloatArray) -> LineKernel:
        """Of likenesses as they stand; the mean of the diagonal is 1 afterwards."""
        # With features f, the kernel of f - mean f is H K H, H = I - 1/m, and that of a new line
        # with them is H (k - K 1/m).
        towards = own - among.mean(axis=1)
        towards = towards - towards.mean()
        inner = among - among.mean(axis=0) - among.mean(axis=1)[:, None] + among.mean()
        scale = np.trace(inner) / len(inner)
        if not scale > 0:
            return cls(np.zeros_like(inner), np.zeros_like(towards))
        return cls(inner / scale, towards / scale)

    def weights(self, scale: float) -> FloatArray:
        """(m,) weights on the lines' departures: ``k (K + I / scale)^-1``; zeros for scale 0."""
        if not scale:
            return np.zeros(len(self.own))
        return np.linalg.solve(self.among + np.eye(len(self.own)) / scale, self.own)

    def scale_of(self, products: FloatArray) -> float:
        """The ratio of signal to noise by which the lines' departures are likeliest.

        Empirical Bayes: with ``products`` (m, m) the mean products of departures over genes (and
        drugs), each of which is ``N(0, s (I + scale K))``, the scale in ``SCALES`` that maximises
        the marginal likelihood; s is replaced by its estimate.
        """
        values, vectors = np.linalg.eigh(self.among)
        values = np.maximum(values, 0)
        sizes = np.einsum("ij,ik,kj->j", vectors, products, vectors)
        if not sizes.sum() > 0:
            return 0.0
        # Along the constant there is neither kernel nor departure: m - 1 directions are left.
        free = len(values) - 1
        costs = []
        for scale in SCALES:
            spread = 1 + scale * values
            costs.append(np.log((sizes / spread).sum() / free) + np.log(spread).sum() / free)
        return SCALES[int(np.argmin(costs))]


def profile_kernel(own: FloatArray, others: FloatArray) -> LineKernel:
    """Lines by their standardised profiles: ``own`` (genes,), ``others`` (m, genes)."""
    z, z_own = standardised(own, others)
    return LineKernel.centred(z @ z.T / z.shape[1], z @ z_own / z.shape[1])


def facts_kernel(own: LineFacts, others: Sequence[LineFacts]) -> LineKernel:
    """Lines by driver genes and organ: the share of common drivers, and 1 for one organ, halved."""
    among = np.array([[_likeness(a, b) for b in others] for a in others])
    return LineKernel.centred(among, np.array([_likeness(own, other) for other in others]))


def _likeness(a: LineFacts, b: LineFacts) -> float:
    either = a.drivers | b.drivers
    drivers = len(a.drivers & b.drivers) / len(either) if either else 0.0
    return (drivers + bool(a.organ and a.organ == b.organ)) / 2


def standardised(own: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Profiles less the others' mean, over their deviation: (m, genes) and (genes,).

    A gene without deviation, or without a value in a line, is 0 in all.
    """
    mean, deviation = others.mean(axis=0), others.std(axis=0)
    usable = np.isfinite(mean) & np.isfinite(own) & (deviation > 0)
    safe = np.where(usable, deviation, 1)
    z = np.where(usable, (others - mean) / safe, 0)
    return z, np.where(usable, (own - mean) / safe, 0)
