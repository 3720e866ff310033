"""Gene set enrichment of a predicted or measured change: GSEA's prerank over the panel, offline.

gseapy does the arithmetic; it is loaded when it is first needed, since that takes seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from lgr_core.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import SHIPPED
from lgr_core.domain import Condition, FloatArray
from lgr_core.errors import InputError, NotFoundError, unknown
from lgr_core.retrieval.specific_change import View, measured_change

GeneSets = Mapping[str, tuple[str, ...]]
"""Genes by the name of their set."""

BUILT_IN = "programmes"
"""The name of the sets that ship."""

FOLDER = "gene_sets"
"""Where an installation keeps GMT files of its own, inside its home."""

FEWEST, MOST = 5, 500
"""A set with fewer genes in the panel, or with more, is left out and counted."""

PERMUTATIONS = 1_000
MOST_SETS = 20_000

COLUMNS = ("set", "nes", "p", "fdr", "genes", "in_panel", "leading")


@dataclass(frozen=True)
class Enrichment:
    """Gene sets at the ends of a change, as :func:`prerank` has them, and of which change."""

    query: Condition
    change: View
    predicted: bool
    table: pd.DataFrame

    @property
    def label(self) -> str:
        """Which change was ranked, for headings and files."""
        return f"{'predicted' if self.predicted else 'measured'} {self.change} change"


def enrich_prediction(
    answer: Answer, sets: GeneSets, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Enrichment:
    """Enrichment of an answer's predicted change over the panel, total or specific as asked.

    Raises
    ------
    InputError
        If the change is constant or not finite.
    NotFoundError
        If no set fits the genes.
    """
    genes, delta = answer.genes[: answer.n_panel], answer.prediction.delta[: answer.n_panel]
    table = prerank(genes.tolist(), delta, sets, permutations=permutations, seed=seed)
    return Enrichment(answer.prediction.query, View(answer.change), predicted=True, table=table)


def enrich_measured(
    store: AtlasStore,
    query: Condition,
    sets: GeneSets,
    *,
    change: View = View.TOTAL,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Enrichment:
    """Enrichment of a measured change over the panel.

    Raises
    ------
    NotFoundError
        If the condition was not measured, or no set fits the genes.
    NotSeparableError
        If its specific change is asked for and cannot be separated from its plate.
    InputError
        If the change is constant.
    """
    view = View(change)
    genes = store.gene_names[: store.n_panel].tolist()
    delta = measured_change(store, query, view)
    table = prerank(genes, delta, sets, permutations=permutations, seed=seed)
    return Enrichment(query, view, predicted=False, table=table)


def read_gmt(text: str, name: str = "gene sets") -> GeneSets:
    """The sets of a GMT file: a name, a description and genes a line, between tabs.

    Raises
    ------
    InputError
        If a line has no gene, a set stands twice, or there is no set at all, or too many.
    """
    sets: dict[str, tuple[str, ...]] = {}
    do = "Give one set a line: name, description, genes, with tabs between."
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip():
            continue
        title, *rest = (part.strip() for part in line.split("\t"))
        genes = tuple(dict.fromkeys(gene.split(",")[0] for gene in rest[1:] if gene))
        if not (title and genes):
            raise InputError(name, f"line {number} names no set with genes", do)
        if title in sets:
            raise InputError(name, f"set {title!r} stands twice (line {number})", "Keep one.")
        sets[title] = genes
    if not sets:
        raise InputError(name, "it holds no gene set", do)
    if len(sets) > MOST_SETS:
        found = f"{len(sets):,} sets, more than {MOST_SETS:,}"
        raise InputError(name, found, "Give a smaller collection.")
    return MappingProxyType(sets)


def collections(home: Path) -> Mapping[str, Path]:
    """GMT files by name: the shipped programmes, then those of ``home/gene_sets``, sorted."""
    folder = home / FOLDER
    own = sorted(folder.glob("*.gmt")) if folder.is_dir() else []
    return {BUILT_IN: SHIPPED / "programs.gmt"} | {path.stem: path for path in own}


def load_collection(home: Path, name: str) -> GeneSets:
    """The gene sets of that name.

    Raises
    ------
    NotFoundError
        If there is no such collection; the nearest names are offered.
    InputError
        If its file cannot be read as GMT.
    """
    known = collections(home)
    if name not in known:
        raise unknown("gene set collection", name, known, str(home / FOLDER))
    try:
        text = known[name].read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        found, do = str(err), "Give a GMT file in UTF-8."
        raise InputError(f"gene sets {known[name].name}", found, do) from err
    return read_gmt(text, f"gene sets {known[name].name}")


def prerank(
    genes: Sequence[str],
    delta: FloatArray,
    sets: GeneSets,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """Gene sets at the upper or lower end of a change, the strongest first.

    Parameters
    ----------
    genes
        (n_genes,) names: they are the background, whatever else a set holds.
    delta
        (n_genes,) the change that ranks them.
    sets
        Genes by set. Symbols are compared without regard to case.
    permutations, seed
        Of genes, for the p-values.

    Returns
    -------
    DataFrame
        ``set``, ``nes`` (normalised enrichment score, above zero: goes up), nominal ``p`` (never
        below 1 in permutations + 1), ``fdr``, ``genes`` of the set, how many of them are
        ``in_panel``, and the ``leading`` ones, joined by ``;``.

    Raises
    ------
    InputError
        If the change is constant or not finite.
    NotFoundError
        If no set has from 5 to 500 of these genes.
    """
    ranking = np.asarray(delta, dtype=np.float64)
    if ranking.shape != (len(genes),) or not np.isfinite(ranking).all() or not np.ptp(ranking) > 0:
        found = "it is constant, not finite, or not one number a gene"
        raise InputError("ranking of genes", found, "Choose another change.")
    spelled = {gene.upper(): gene for gene in reversed(genes)}
    inside = {
        name: list(dict.fromkeys(spelled[g.upper()] for g in members if g.upper() in spelled))
        for name, members in sets.items()
    }
    fitting = {name: found for name, found in inside.items() if FEWEST <= len(found) <= MOST}
    if not fitting:
        found = f"none of {len(sets):,} has {FEWEST} to {MOST} of the {len(genes):,} genes ranked"
        raise NotFoundError(
            "gene sets", found, "Choose sets of gene symbols as the atlas has them."
        )
    table = _gseapy(pd.Series(ranking, index=list(genes)), fitting, permutations, seed)
    table["genes"] = [len(sets[name]) for name in table["set"]]
    table["in_panel"] = [len(fitting[name]) for name in table["set"]]
    order = table["nes"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order, list(COLUMNS)].reset_index(drop=True)


def _gseapy(
    ranking: pd.Series, sets: Mapping[str, list[str]], permutations: int, seed: int
) -> pd.DataFrame:
    import gseapy  # noqa: PLC0415 - seconds, for this call only

    ranking = _untied(ranking[~ranking.index.duplicated()])
    made = gseapy.prerank(
        rnk=ranking,
        gene_sets=dict(sets),
        min_size=1,
        max_size=len(ranking),
        permutation_num=permutations,
        seed=seed,
        threads=1,
        outdir=None,
        no_plot=True,
        verbose=False,
    )
    # It keeps a logger a call, and Python keeps every logger.
    logging.Logger.manager.loggerDict.pop(made._logger.name, None)  # noqa: SLF001
    table = made.res2d
    return pd.DataFrame(
        {
            "set": table["Term"].astype(str),
            "nes": table["NES"].astype(float),
            "p": table["NOM p-val"].astype(float).clip(lower=1 / (permutations + 1)),
            "fdr": table["FDR q-val"].astype(float),
            "leading": table["Lead_genes"].astype(str),
        }
    )


def _untied(ranking: pd.Series) -> pd.Series:
    """In falling order, equal values by name: parted by less than a rounding, so that none tie."""
    ordered = ranking.sort_index().sort_values(ascending=False, kind="stable")
    return ordered - np.arange(len(ordered)) * np.ptp(ordered.to_numpy()) * 1e-12
