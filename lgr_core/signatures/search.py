"""Measured drugs that mimic or reverse a signature, with p-values.

The score of a condition is Pearson's r over the panel between the signature's weights w and the
measured change x. For a gene list it is the difference of two means (genes up less genes down) in
units of its standard deviation over random genes, divided by sqrt(n - 1). The score of a drug at a
dose is the mean over its lines.

With ``u(x) = (x - mean x) / |x - mean x|``, r is the product ``u(w).u(x)``. A product is linear, so
the mean over a drug's lines is ``u(w).m`` with ``m = mean of u(x)``: ``m`` is computed once for a
library, and a signature then costs one product per drug. The score of a condition needs no centred
x either, since u(w) sums to zero: ``u(w).u(x) = u(w).x / |x - mean x|``, with the norms from the
library.

Two null hypotheses are tested: see :mod:`lgr_core.signatures.significance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray
from lgr_core.signatures.gene_lists import Signature
from lgr_core.signatures.library import SignatureLibrary, row_slices
from lgr_core.signatures.significance import (
    compound_percentiles,
    other_drugs_p_value,
    permuted_gene_p_value,
)

N_OTHER_CHANGES = 1_000
"""At most so many measured changes replace the signature in the test against other drugs."""

SIGNIFICANT = 0.05
"""FDR up to which a drug is said to mimic or reverse a signature."""

_SEED = 0


@dataclass(frozen=True, slots=True)
class DrugHits:
    """The results of a search, by condition and by drug.

    ``conditions``, best score first: cell_line, drug, dose_um, score, p_genes, fdr_genes, rank and
    ``of`` (its place among the drugs of its line and dose). ``drugs``, one row a drug and dose,
    lowest FDR first, then best score: drug, dose_um, n_lines, score (mean over the lines), lowest,
    highest, p_genes, p_others, percentile (see :func:`compound_percentiles`), relation ("self",
    "twin" or empty), fdr_genes, fdr_others and fdr, the larger of the two. FDRs are over all rows
    of a table except the signature's own compound, which is not a result: it has no FDR, and comes
    first, or last in a search for the reverse.
    ``n_undefined`` conditions change no gene and have no score.
    """

    conditions: pd.DataFrame
    drugs: pd.DataFrame
    reverse: bool
    n_undefined: int

    @property
    def significant(self) -> pd.DataFrame:
        """The drugs that mimic the signature, or reverse it, beyond chance.

        FDR at most ``SIGNIFICANT``, and a score above zero, or below zero in a search for the
        reverse: what is merely unlike a signature does not reverse it.
        """
        drugs = self.drugs
        right_way = drugs["score"] < 0 if self.reverse else drugs["score"] > 0
        return drugs[right_way & (drugs["fdr"] <= SIGNIFICANT)].reset_index(drop=True)


def find_drugs(
    store: AtlasStore, signature: Signature, library: SignatureLibrary, *, reverse: bool = False
) -> DrugHits:
    """Rank the drugs of a library by the evidence that they mimic (or reverse) a signature.

    With ``reverse`` the opposite change is searched for: lower scores are better, and p-values are
    of the lower tail.
    """
    sign = -1.0 if reverse else 1.0
    unit = _unit(signature.weights[None])[0]
    # u(w) sums to zero, so the changes need not be centred here, only divided by centred norms.
    score = _products(library, unit) / library.norms
    score = score.clip(-1, 1)
    table = library.table.assign(score=score)
    block = table.groupby(["cell_line", "dose_um"], dropna=False, sort=False, observed=True)
    table["rank"] = block["score"].rank(method="min", ascending=reverse).astype(int)
    table["of"] = block["score"].transform("size").astype(int)
    table["p_genes"] = permuted_gene_p_value(sign * score, len(unit))
    table["fdr_genes"] = false_discovery_control(table["p_genes"])
    drugs = _drugs(store, signature, library, sign)
    by_drug = pd.Series(score).groupby(library.drug)
    drugs["lowest"], drugs["highest"] = by_drug.min().to_numpy(), by_drug.max().to_numpy()
    return DrugHits(
        table.sort_values("score", ascending=reverse, kind="stable", ignore_index=True),
        drugs.sort_values(
            ["fdr", "score"],
            ascending=[True, reverse],
            na_position="last" if reverse else "first",
            ignore_index=True,
        ),
        reverse,
        library.n_undefined,
    )


def drug_scores(signature: Signature, library: SignatureLibrary) -> FloatArray:
    """The score of each drug of a library with a signature, (m,): the mean over its lines."""
    return (library.means @ _unit(signature.weights[None])[0]).astype(np.float64)


def _products(library: SignatureLibrary, unit: FloatArray) -> FloatArray:
    """The product of the weights (n_panel,) with each row's change, (n_rows,)."""
    products = np.empty(len(library.rows))
    for here in row_slices(0, len(products)):
        products[here] = library.changes(library.rows[here]) @ unit
    return products


def _unit(weights: FloatArray) -> FloatArray:
    """Rows (n, n_genes) centred and of norm 1, float32; a constant one is all zero."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0).astype(np.float32)


# -- drugs -----------------------------------------------------------------------------------------


def _drugs(
    store: AtlasStore,
    signature: Signature,
    library: SignatureLibrary,
    sign: float,
) -> pd.DataFrame:
    # The permutation test needs a correlation, r = u(w).m / |m|: |m| < 1 where lines disagree.
    # Other compounds are compared by the score itself, which is lower for such drugs.
    score = drug_scores(signature, library)
    norm = np.linalg.norm(library.means, axis=1)
    r = np.divide(score, norm, out=np.zeros_like(score), where=norm > 0).clip(-1, 1)
    drugs = library.drugs.assign(
        score=score, p_genes=permuted_gene_p_value(sign * r, len(signature.weights))
    )
    others, unrelated = _other_scores(store, signature, library)
    drugs["p_others"] = other_drugs_p_value(sign * score, sign * others[unrelated])
    drugs["percentile"] = compound_percentiles(score, others, unrelated)
    drugs["relation"] = _relations(store, signature.drug, drugs["drug"])
    tested = drugs["relation"] == ""
    for test in ("genes", "others"):
        drugs.loc[tested, f"fdr_{test}"] = false_discovery_control(drugs.loc[tested, f"p_{test}"])
    drugs["fdr"] = drugs[["fdr_genes", "fdr_others"]].max(axis=1)
    return drugs


def _other_scores(
    store: AtlasStore, signature: Signature, library: SignatureLibrary
) -> tuple[FloatArray, BoolArray]:
    """Scores of other compounds' changes with every drug, (m, n_sample), and which count, alike.

    Those of a pair of unrelated compounds, neither of them the signature's own, count.
    """
    n = min(N_OTHER_CHANGES, len(library.rows))
    sample = np.sort(np.random.default_rng(_SEED).choice(len(library.rows), n, replace=False))
    others = library.changes(library.rows[sample])
    if signature.sides is not None:
        others = _as_gene_list(others, *signature.sides)
    drug_of_change = library.drug[sample]
    unrelated = ~library.related[:, drug_of_change]
    if signature.drug is not None:
        closed = store.drug_catalog.sharing(store.drug_catalog.parent(signature.drug))
        other = ~library.drugs["parent"].isin(closed).to_numpy()
        unrelated &= other[:, None] & other[drug_of_change]
    return library.means @ _unit(others).T, unrelated


def _as_gene_list(changes: FloatArray, n_up: int, n_down: int) -> FloatArray:
    """Each change (n, n_genes) cut to a gene list: its strongest genes, weighted as in one.

    The ``n_down`` lowest genes weigh ``-1 / n_down``, the ``n_up`` highest ``1 / n_up``, all others
    0: a product with x is then the difference of two means. A partition at the two edges finds both
    ends without sorting all genes.
    """
    first_up = changes.shape[1] - n_up
    edges = [edge for edge in (n_down - 1, first_up) if 0 <= edge < changes.shape[1]]
    order = np.argpartition(changes, edges, axis=1)
    cut = np.zeros_like(changes)
    np.put_along_axis(cut, order[:, :n_down], -1 / max(n_down, 1), axis=1)
    np.put_along_axis(cut, order[:, first_up:], 1 / max(n_up, 1), axis=1)
    return cut


def _relations(store: AtlasStore, drug: str | None, names: pd.Series) -> list[str]:
    """Relation of each drug to the signature's: "self", "twin" (another form) or ""."""
    if drug is None:
        return [""] * len(names)
    twins = store.drug_catalog.related(drug)
    return ["self" if name == drug else "twin" if name in twins else "" for name in names]
