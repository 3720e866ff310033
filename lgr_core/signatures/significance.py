"""Significance of scores under two null hypotheses, random genes and other drugs.

random genes
    Would as many genes drawn blindly from the panel score so high? With w and each x centred and
    of norm 1, and m the mean of a drug's x, its score is w.m. Over all permutations of the gene
    labels, the same in every line, r = w.m / |m| has mean 0 and variance 1 / (n - 1) exactly; its
    tail is taken as Student's t with n - 2 degrees of freedom (Pitman 1937, doi:10.2307/2983647).
    Genes move together and the drugs of a plate share its vehicle, so a whole change passes this
    test easily.
other changes
    Would the measured change of an unrelated compound find drugs that score so high? The signature
    is replaced by up to a thousand measured changes, cut to as many genes up and down as it has
    itself, and each is scored with every drug; pairs of one compound or of one programme of
    mechanisms are left out, as is the signature's own compound. p is the share of these pairs that
    reach the score. Its FDR is then the number of drugs that another change finds on average over
    the number that this one found. If the signature is one more such change, at most one of twenty
    finds twenty times as many as the average at a given score (Markov's inequality): that is what
    an FDR of 0.05 promises. Compounds that are alike without being annotated so stay among the
    pairs: the test errs to the safe side.

Beside them stands a percentile: where the score of a drug stands among its own scores with the
atlas's other compounds, so that a drug which scores high with everything is seen to.

FDRs are of Benjamini and Hochberg (1995).
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from lgr_core.domain import BoolArray, FloatArray

SMALLEST = 1e-300

FEWEST_COMPOUNDS = 20
"""With fewer changes of other compounds to compare with, a drug has no percentile."""

_TIE = 1e-6


def permuted_gene_p_value(r: FloatArray, n_genes: int) -> FloatArray:
    """P-values of correlations with random genes, (n,): Student's t, n_genes - 2.

    Never below 1e-300: so far out the tail is a figure of speech.
    """
    freedom = max(n_genes - 2, 1)
    with np.errstate(divide="ignore"):
        t = r * np.sqrt(freedom / (1 - r**2))
    return np.maximum(stdtr(freedom, -t), SMALLEST)


def other_drugs_p_value(score: FloatArray, others: FloatArray) -> FloatArray:
    """P-values from the k scores of other pairs, (m,): (1 + number at least as high) / (1 + k).

    ``score`` (m,) are those of the signature, ``others`` (k,) those of other changes with drugs;
    higher is more extreme.
    """
    below = np.searchsorted(np.sort(others), score - _TIE)
    return (1 + len(others) - below) / (1 + len(others))


def compound_percentiles(score: FloatArray, others: FloatArray, counted: BoolArray) -> FloatArray:
    """Percentiles of drugs against the atlas's own compounds, -100 to 100, (m,).

    As CLUE's tau (Subramanian et al. 2017, doi:10.1016/j.cell.2017.10.049), of a drug d with score
    s and scores s_i with the n changes of other compounds::

        percentile = sign(s) * 100 / n * sum over i of [abs(s_i) < abs(s)]

    98 says that 2 in 100 other compounds are as like d or as opposite to it as the signature is.
    ``score`` is (m,); ``others`` and ``counted``, which of them count, are (m, n_sample). NaN where
    fewer than ``FEWEST_COMPOUNDS`` count.
    """
    weaker = (np.abs(others) < np.abs(score)[:, None] - _TIE) & counted
    n = counted.sum(axis=1)
    share = weaker.sum(axis=1) / np.maximum(n, 1)
    return np.where(n < FEWEST_COMPOUNDS, np.nan, np.sign(score) * 100 * share)
