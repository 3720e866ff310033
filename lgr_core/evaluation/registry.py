"""The methods of a benchmark by id: what each is, what it reads, how it is made.

Adding one is a class with the ``Method`` protocol and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from lgr_core.domain import Evidence, Selector
from lgr_core.errors import LgrError, UsageError
from lgr_core.evaluation.regimes import UNKNOWN, Regime, reads_of
from lgr_core.prediction.additive import Additive
from lgr_core.prediction.best_evidence import BestEvidence, Imputation
from lgr_core.prediction.chem_knn import ChemKNN
from lgr_core.prediction.drug_kernels import DrugKernels
from lgr_core.prediction.hybrid import Hybrid, Shrunken, Tuned
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.lgr_controls import Oracle, RandomK
from lgr_core.prediction.llm_genes import LLMGenes
from lgr_core.prediction.mean_baselines import (
    CellMean,
    DrugMean,
    GlobalMean,
    NotApplicable,
    PlateMean,
    PoolMeans,
    Truth,
    Zero,
)
from lgr_core.prediction.method import Method
from lgr_core.prediction.pca_ridge import PCARidge
from lgr_core.prediction.profile_ridge import ProfileRidge
from lgr_core.prediction.replicate import Replicate, ReplicateKind
from lgr_core.prediction.rhaister import Rhaister
from lgr_core.prediction.rhaister_o import RhaisterO
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.selectors import OracleSelector, RandomSelector
from lgr_core.signatures.expected import ExpectedSignatures


class Group(StrEnum):
    """What a method is in a benchmark."""

    RETRIEVAL = "retrieval"
    BASELINE = "baseline"
    CONTROL = "control"
    REPLICATE = "replicate"
    EXTERNAL = "external"


_KINDS: Mapping[type[Selector], type[LGR]] = {
    OracleSelector: Oracle,
    RandomSelector: RandomK,
}


@dataclass(frozen=True)
class MethodContext:
    """What methods are made with for one fold.

    ``selectors`` gives the selector of a name; ``in_line`` says whether neighbours are drawn from
    the query's own line. ``checkpoint`` is a file that a long training may go on from.
    """

    labels: ConditionIndex
    selectors: Callable[[str], Selector]
    regime: Regime
    k: int = 10
    random_seeds: int = 20
    one_per_parent: bool = False
    checkpoint: Path | None = None
    _made: dict[Selector, LGR] = field(default_factory=dict, init=False, repr=False)

    @property
    def in_line(self) -> bool:
        """Whether the regime opens the query's own line to retrieval."""
        return self.regime is not Regime.UNSEEN_CELL_LINE_STRICT

    @cached_property
    def kriging(self) -> Kriging:
        """Kriging in the pool: one, that all who build on it share."""
        return Kriging(self._kernels, in_line=self.in_line)

    @property
    def imputing(self) -> Kriging:
        """The same, tuned in the query's own wells."""
        return Kriging(self._kernels, in_line=self.in_line, same_wells=True)

    @cached_property
    def _kernels(self) -> DrugKernels:
        return DrugKernels(self.labels, self.selectors)

    def lgr(self, selector: Selector) -> LGR:
        """LGR with that selector; one for all methods, so that it retrieves once for them."""
        if selector not in self._made:
            self._made[selector] = _KINDS.get(type(selector), LGR)(
                selector,
                self.labels.catalog,
                self.k,
                in_line=self.in_line,
                one_per_parent=self.one_per_parent,
            )
        return self._made[selector]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the registry.

    ``make`` gives the method for a fold, or several whose scores are averaged. ``about`` is one
    sentence for users. A ``slow`` one is a task of its own in every fold, and so is one that is
    ``apart``: it alone has as much to score as the others together. ``unavailable`` says why the
    method cannot run here for want of an optional package, and what to install, or None.
    """

    id: str
    label: str
    group: Group
    about: str
    make: Callable[[MethodContext], Sequence[Method]]
    slow: bool = False
    apart: bool = False
    unavailable: Callable[[], LgrError | None] = lambda: None


def _lgr(name: str) -> Callable[[MethodContext], Sequence[Method]]:
    return lambda setting: [setting.lgr(setting.selectors(name))]


def _random(setting: MethodContext) -> Sequence[Method]:
    return [setting.lgr(RandomSelector(seed)) for seed in range(setting.random_seeds)]


def _replicate(kind: ReplicateKind, setting: MethodContext) -> Sequence[Method]:
    del setting
    return [Replicate(kind)]


def _chemcpa(setting: MethodContext) -> Sequence[Method]:
    from lgr_core.prediction import chemcpa  # noqa: PLC0415 - an optional package

    method = chemcpa.ChemCPAMethod(setting.labels, checkpoint=setting.checkpoint)
    if setting.regime in {Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT}:
        why = f"{chemcpa.LABEL} has no embedding of an unseen line"
        return [NotApplicable(method.name, method.evidence, why)]
    if (error := chemcpa.unavailable()) is not None:
        return [NotApplicable(method.name, method.evidence, str(error))]
    return [method]


def _chemcpa_unavailable() -> LgrError | None:
    from lgr_core.prediction import chemcpa  # noqa: PLC0415 - an optional package

    return chemcpa.unavailable()


_TABLE = (
    Entry(
        "lgr_llm",
        "LGR, language model",
        Group.RETRIEVAL,
        "Mean of the k drugs that a language model ranks first.",
        _lgr("llm"),
    ),
    Entry(
        "lgr_mechanism",
        "LGR, mechanism",
        Group.RETRIEVAL,
        "Mean of the k drugs that share most mechanism tags and targets.",
        _lgr("mechanism"),
    ),
    Entry(
        "lgr_chemistry",
        "LGR, chemistry",
        Group.RETRIEVAL,
        "Mean of the k drugs of the line with the most similar fingerprints.",
        _lgr("chemistry"),
    ),
    Entry(
        "lgr_llm_shrunken",
        "LGR, language model, shrunken",
        Group.RETRIEVAL,
        "The language model's neighbours drawn towards the pool mean; k and strength tuned.",
        lambda setting: [Shrunken(setting.lgr(setting.selectors("llm")))],
    ),
    Entry(
        "lgr_llm_tuned",
        "LGR, language model, tuned",
        Group.RETRIEVAL,
        "The language model's neighbours; k and weights (uniform or 1/rank) tuned.",
        lambda setting: [Tuned(setting.lgr(setting.selectors("llm")))],
    ),
    Entry(
        "hybrid",
        "Hybrid",
        Group.RETRIEVAL,
        "The language model's neighbours where many stand and agree, else chemistry's, labelled.",
        lambda setting: [
            Hybrid(*(setting.lgr(setting.selectors(name)) for name in ("llm", "chemistry")))
        ],
    ),
    Entry(
        "kriging",
        "Kriging",
        Group.RETRIEVAL,
        "The line's drugs, weighted by how alike they should act; far from all, their mean.",
        lambda setting: [setting.kriging],
    ),
    Entry(
        "best_evidence",
        "Best evidence",
        Group.RETRIEVAL,
        "The drug in other lines, corrected by how this line's drugs depart; else kriging.",
        lambda setting: [BestEvidence(setting.kriging)],
    ),
    Entry(
        "impute",
        "Imputation, same wells",
        Group.RETRIEVAL,
        "Best evidence tuned to fill a gap among the same wells, not for a new experiment.",
        lambda setting: [Imputation(setting.imputing)],
    ),
    Entry(
        "cell_mean",
        "Cell mean",
        Group.BASELINE,
        "Mean of the line's training drugs; in an unseen line, the global mean.",
        lambda _: [CellMean()],
    ),
    Entry(
        "drug_mean",
        "Drug mean",
        Group.BASELINE,
        "Mean of the drug over training lines; for an unseen drug, the global mean.",
        lambda _: [DrugMean()],
    ),
    Entry(
        "pca_ridge",
        "PCA and ridge",
        Group.BASELINE,
        "Ridge from fingerprints to principal components of the training deltas.",
        lambda setting: [PCARidge(setting.labels)],
    ),
    Entry(
        "chem_knn",
        "Chemistry kNN",
        Group.BASELINE,
        "Mean of the training drug means of the k most similar fingerprints, whatever the line.",
        lambda setting: [ChemKNN(setting.k)],
    ),
    Entry(
        "chemcpa",
        "chemCPA (re-implementation)",
        Group.BASELINE,
        "A compositional autoencoder that reads fingerprints; undefined in unseen lines.",
        _chemcpa,
        slow=True,
        unavailable=_chemcpa_unavailable,
    ),
    Entry(
        "additive",
        "Line + drug",
        Group.BASELINE,
        "Mean plus an effect of the line and one of the drug; what is unseen has none.",
        lambda _: [Additive()],
    ),
    Entry(
        "rhaister",
        "Rhaister (re-implementation)",
        Group.BASELINE,
        "The drug as a ridge combination of those measured in the line, drawn to line + drug.",
        lambda _: [Rhaister()],
    ),
    Entry(
        "profile_ridge",
        "Profile ridge",
        Group.BASELINE,
        "The drug's mean, moved by slopes on the line's untreated expression or its drivers.",
        lambda _: [ProfileRidge()],
    ),
    Entry(
        "rhaister_o",
        "Rhaister-O (re-implementation)",
        Group.BASELINE,
        "The drug's denoised mean, moved by shrunken slopes on the line's untreated expression.",
        lambda _: [RhaisterO()],
    ),
    Entry(
        "truth",
        "Truth",
        Group.CONTROL,
        "The measured change: every metric must find it perfect.",
        lambda _: [Truth()],
    ),
    Entry("zero", "No change", Group.CONTROL, "Zero for every gene.", lambda _: [Zero()]),
    Entry(
        "global_mean",
        "Global mean",
        Group.CONTROL,
        "Mean of all training deltas.",
        lambda _: [GlobalMean()],
    ),
    Entry(
        "pool_mean",
        "Pool mean",
        Group.CONTROL,
        "Mean of all candidates in the line: retrieval that chooses nobody.",
        lambda _: [PoolMeans()],
    ),
    Entry(
        "plate_mean",
        "Plate mean",
        Group.CONTROL,
        "Mean of the line's other drugs on the query's plates: the technical share of a score.",
        lambda _: [PlateMean()],
    ),
    *(
        Entry(
            f"replicate_{kind}",
            f"Replicate, {label}",
            Group.REPLICATE,
            f"A control that reads the truth's twin: {kind.label}.",
            partial(_replicate, kind),
        )
        for kind, label in (
            (ReplicateKind.PLATE, "other plate"),
            (ReplicateKind.TWIN, "twin"),
            (ReplicateKind.DOSE, "neighbouring dose"),
        )
    ),
    Entry(
        "llm_genes",
        "Language model's own genes",
        Group.CONTROL,
        "The genes that a language model expects to change: its prediction, not its retrieval.",
        lambda setting: [LLMGenes(ExpectedSignatures.load(setting.labels.catalog))],
    ),
    Entry(
        "random_k",
        "Random k",
        Group.CONTROL,
        "Mean of k drugs of the pool drawn at random; scores averaged over the seeds.",
        _random,
        apart=True,
    ),
    Entry(
        "oracle_k",
        "Oracle k",
        Group.CONTROL,
        "Mean of the k candidates most like the truth: the reference for uniform-mean retrieval.",
        _lgr("oracle"),
    ),
)
REGISTRY: Mapping[str, Entry] = MappingProxyType({entry.id: entry for entry in _TABLE})
"""Methods by id, in the order in which tables show them."""

CONTROLS = tuple(entry.id for entry in _TABLE if entry.group is Group.CONTROL)
"""They stand in every run, whatever is asked for."""


def chosen_methods(names: Sequence[str] | None) -> tuple[str, ...]:
    """The methods of a run in the registry's order: those named and the controls; None for all.

    Of all, those that are unavailable here stay, as not applicable.

    Raises
    ------
    UsageError
        If a name is not in the registry, or its method is unavailable here.
    """
    wanted = set(REGISTRY) if names is None else {*names, *CONTROLS}
    if unknown := sorted(wanted - set(REGISTRY)):
        known = ", ".join(REGISTRY)
        raise UsageError(f"method {unknown[0]!r}", "unknown", f"Choose among: {known}.")
    for name in names or ():
        if (error := REGISTRY[name].unavailable()) is not None:
            raise error
    return tuple(name for name in REGISTRY if name in wanted)


def declared(setting: MethodContext) -> dict[str, frozenset[Evidence]]:
    """What every method of the registry declares that it reads."""
    return {name: entry.make(setting)[0].evidence for name, entry in REGISTRY.items()}


def evidence_of(methods: Mapping[str, frozenset[Evidence]], regime: Regime) -> pd.DataFrame:
    """What each method may read in a regime, one row a method: ``reads`` in words.

    Of an external method, which is not in the registry, only its author knows.
    """
    rows = [
        {
            "regime": str(regime),
            "method": name,
            "evidence": " + ".join(sorted(evidence)) or "none" if name in REGISTRY else UNKNOWN,
            "reads": reads_of(regime, evidence)
            if name in REGISTRY
            else "not known: made elsewhere",
        }
        for name, evidence in methods.items()
    ]
    return pd.DataFrame(rows)
