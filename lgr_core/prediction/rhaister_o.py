"""Rhaister-O, re-implemented: a drug in an unseen line from the line's untreated expression.

After Svensson et al. 2026 (bioRxiv 2026.06.09.731197), from its published description of the
expression deltas. Ours where that is silent: the variance of noise is that of the slope's
residuals, and the regression of slopes on what drugs respond has a ridge penalty.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, Evidence, FloatArray
from lgr_core.prediction.line_features import standardised
from lgr_core.prediction.method import Predictions, answered
from lgr_core.prediction.profile_ridge import COVERED, FEWEST_LINES
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.line_slopes import line_slopes
from lgr_core.retrieval.query_block import QueryBlock

RANK = 200
"""Of the singular value decomposition by which the drugs' means are denoised."""

PROJECTED = 0.3
"""Share of what the slopes add that is projected on the directions in which the drug acts."""

RESPONSES = 20
"""Principal components of the drugs' means that slopes are regressed on."""

_WITHOUT = (
    "it reads untreated expression of half of the genes, in this line and in eight others, "
    "and the drug in some of these"
)


class RhaisterO:
    """Means denoised by rank, and slopes on untreated expression shrunken to what is expected.

    With z the standardised untreated expression of the line c, t the drug::

        mu(t) + 0.7 gamma(t) z_c + 0.3 P_t [gamma(t) z_c]

    mu are the drugs' means over lines by a truncated singular value decomposition; gamma is, for
    each drug and gene, the least-squares slope, shrunken by ``signal / (signal + noise)`` towards
    what the drug's responses let expect; P_t projects softly on the drug's own responses, each
    direction by ``s / (s + q)``, s its singular value and q the lower quartile of these.
    """

    name = "rhaister_o"
    evidence = frozenset({Evidence.TRAIN, Evidence.CONTROLS})

    def __init__(self) -> None:
        self._view: TrainingView | None = None

    def fit(self, view: TrainingView) -> None:
        """Remember what may be read: the model of a dose is made when it is asked for."""
        self._view = view

    def predict(self, block: QueryBlock) -> Predictions:
        """The drugs' denoised means and shrunken slopes; not applicable without expression."""
        delta = np.full((len(block), block.labels.n_genes), np.nan, dtype=np.float32)
        if self._view is not None:
            self._answer(self._view, block, delta)
        return answered(delta, without=_WITHOUT)

    def _answer(self, view: TrainingView, block: QueryBlock, delta: FloatArray) -> None:
        labels = block.labels
        rows = view.training_rows
        rows = rows[labels.at_dose(block.dose_um)[rows] & (labels.line[rows] != block.line)]
        lines, line = np.unique(labels.line[rows], return_inverse=True)
        drugs, drug = np.unique(labels.drug[rows], return_inverse=True)
        features = _features(view, block, labels.lines[lines].tolist())
        if features is None:
            return
        z, own = features
        x = np.zeros((len(lines), len(drugs), labels.n_genes), dtype=np.float32)
        measured: BoolArray = np.zeros(x.shape[:2], dtype=bool)
        x[line, drug], measured[line, drug] = view.deltas(rows), True
        used: BoolArray = measured & np.all(np.isfinite(z), axis=1, keepdims=True)
        places = np.searchsorted(drugs, labels.drug_numbers(block.drugs))
        places = np.minimum(places, len(drugs) - 1)
        known = (drugs[places] == labels.drug_numbers(block.drugs)) & np.any(used, axis=0)[places]
        mean, gamma, centre = _fitted(x, used, z)
        moved = gamma[places] * (own - centre[places])
        for i in np.flatnonzero(known):
            responses = x[used[:, places[i]], places[i]]
            projected = _project(responses, moved[i])
            part = (1 - PROJECTED) * moved[i] + PROJECTED * projected
            delta[i] = mean[places[i]] + part


def _features(
    view: TrainingView, block: QueryBlock, names: list[str]
) -> tuple[FloatArray, FloatArray] | None:
    """Standardised expression (n_lines, genes), NaN without any, and the line's own (genes,)."""
    profiles = view.control_profiles()
    own = None if profiles is None else profiles.of(block.cell_line)
    if profiles is None or own is None:
        return None
    place = pd.Index(profiles.genes).get_indexer(block.gene_names)
    has = np.isin(names, profiles.cell_lines)
    if (place >= 0).mean() < COVERED or has.sum() < FEWEST_LINES:
        return None
    rows = [profiles.cell_lines.index(name) for name in np.array(names)[has]]
    z, z_own = standardised(own, profiles.expression[rows].astype(np.float64))
    every = np.full((len(names), len(place)), np.nan)
    every[has] = np.where(place >= 0, z[:, place], 0)
    return every, np.where(place >= 0, z_own[place], 0)


def _fitted(
    x: FloatArray, used: BoolArray, z: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Denoised means, shrunken slopes and the mean of z, each (n_drugs, genes)."""
    counts = np.maximum(used.sum(axis=0), 1)[:, None]
    mean = np.einsum("ld,ldg->dg", used.astype(np.float32), x) / counts
    left, sizes, right = np.linalg.svd(mean, full_matrices=False)
    denoised = (left[:, :RANK] * sizes[:RANK]) @ right[:RANK]
    slopes = line_slopes(x, used, z)
    raw = slopes.shared + slopes.own
    responses = np.hstack([np.ones((len(mean), 1)), left[:, :RESPONSES] * sizes[:RESPONSES]])
    expected = _expected(responses, raw)
    signal = np.maximum(np.mean(np.square(raw - expected) - slopes.own_noise, axis=0), 0)
    total = signal + slopes.own_noise
    share = np.divide(signal, total, out=np.zeros_like(total), where=total > 0)
    return denoised, expected + share * (raw - expected), slopes.centre


def _expected(responses: FloatArray, slopes: FloatArray) -> FloatArray:
    """Slopes that the drugs' responses let expect, by ridge: ``b_g + w_g . s_t``."""
    gram = responses.T @ responses
    penalty = np.eye(len(gram)) * np.trace(gram) / len(gram)
    penalty[0, 0] = 0
    return responses @ np.linalg.solve(gram + penalty, responses.T @ slopes)


def _project(responses: FloatArray, moved: FloatArray) -> FloatArray:
    """The part of ``moved``, (genes,), along the responses, (n_lines, genes), of a drug."""
    _, sizes, right = np.linalg.svd(responses, full_matrices=False)
    soft = sizes / np.maximum(sizes + np.quantile(sizes, 0.25), np.finfo(float).tiny)
    return (soft * (right @ moved)) @ right
