"""The simulated truth: how much of each gene a line has, and what a drug does to it there.

Every random number is drawn from the seed and the names it belongs to, so a smaller world (fewer
lines, fewer drugs) is a part of the larger one, gene for gene.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lgr_core.atlas.demo.parameters import DemoConstants, hill, line_factor
from lgr_core.config import SHIPPED
from lgr_core.domain import BoolArray, FloatArray
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import unknown


@dataclass(frozen=True, slots=True)
class DemoLine:
    """A simulated cell line; ``features`` are its driver genes and its organ."""

    name: str
    organ: str
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class DemoDrug:
    """A simulated drug, its mechanism tags and the doses it is given at, in micromolar."""

    name: str
    tags: tuple[str, ...]
    doses_um: tuple[float, ...]


def demo_lines(folder: Path = SHIPPED) -> tuple[DemoLine, ...]:
    """The cell lines marked in ``cell_lines.csv``, by name."""
    lines = (
        DemoLine(
            row["cell_line"],
            row["organ"],
            frozenset({*row["driver_genes"].split(";"), row["organ"]}),
        )
        for row in _rows(folder / "cell_lines.csv")
        if row["in_demo"] == "yes"
    )
    return tuple(sorted(lines, key=lambda line: line.name))


def demo_drugs(folder: Path = SHIPPED) -> tuple[DemoDrug, ...]:
    """The drugs of ``drugs.csv`` that have demo doses, by name."""
    drugs = (
        DemoDrug(
            row["drug"],
            tuple(filter(None, row["mechanisms"].split(";"))),
            tuple(map(float, row["demo_doses_um"].split(";"))),
        )
        for row in _rows(folder / "drugs.csv")
        if row["demo_doses_um"]
    )
    return tuple(sorted(drugs, key=lambda drug: drug.name))


@dataclass(frozen=True)
class DemoWorld:
    """Genes, their abundance and every drug's effect, for one seed."""

    seed: int = 0
    constants: DemoConstants = field(default_factory=DemoConstants)
    book: MechanismAnnotations = field(default_factory=MechanismAnnotations.load, repr=False)
    folder: Path = SHIPPED

    def __post_init__(self) -> None:
        background = {row["gene"]: row["group"] for row in _rows(self.folder / "demo_genes.csv")}
        signatures = self.book.signatures.values()
        planted = {gene for signature in signatures for gene in signature.up + signature.down}
        genes = tuple(sorted({*background, *planted}))
        keep = self.constants.always_expressed
        anchors = {gene for signature in signatures for gene in signature.up[:keep]}
        groups = [background.get(gene, "programme") for gene in genes]
        object.__setattr__(self, "genes", genes)
        object.__setattr__(self, "_place", {gene: i for i, gene in enumerate(genes)})
        object.__setattr__(self, "_anchored", np.array([gene in anchors for gene in genes]))
        object.__setattr__(self, "_groups", np.array(groups))

    genes: tuple[str, ...] = field(init=False, repr=False)
    _place: dict[str, int] = field(init=False, repr=False)
    _anchored: BoolArray = field(init=False, repr=False)
    _groups: np.ndarray = field(init=False, repr=False)

    def rng(self, *names: object) -> np.random.Generator:
        """The random numbers that belong to these names."""
        return np.random.default_rng([self.seed, *(zlib.crc32(str(n).encode()) for n in names)])

    def gene_index(self, gene: str) -> int:
        """The column of a gene; NotFoundError if the simulation has none of that name."""
        if gene not in self._place:
            raise unknown("gene", gene, self.genes, "the simulated atlas")
        return self._place[gene]

    def abundance(self, line: DemoLine) -> FloatArray:
        """Share of each gene in an untreated cell's counts (n_genes,), summing to 1."""
        c, n = self.constants, len(self.genes)
        log = self.rng("abundance").normal(0, c.abundance_sd, n)
        log += c.expressed_shift * np.isin(self._groups, ("housekeeping", "programme"))
        log += c.tissue_shift * (self._groups == "tissue")
        own_sd = np.sqrt(c.line_sd**2 - c.organ_sd**2)
        log += self.rng("organ", line.organ).normal(0, c.organ_sd, n)
        log += self.rng("line", line.name).normal(0, own_sd, n)
        share = np.exp(log) * ~self.silent(line)
        return share / share.sum()

    def silent(self, line: DemoLine) -> BoolArray:
        """Genes that the line does not express (n_genes,)."""
        c = self.constants
        chance = np.where(self._groups == "tissue", c.silent_tissue_share, c.silent_share)
        chance[self._anchored | (self._groups == "housekeeping")] = 0
        return self.rng("silent", line.name).random(len(self.genes)) < chance

    def is_inert(self, drug: DemoDrug) -> bool:
        """Whether no mechanism of the drug moves any signature."""
        return not any(
            self.book.mechanism(tag).up or self.book.mechanism(tag).down for tag in drug.tags
        )

    def effect(self, line: DemoLine, drug: DemoDrug, dose_um: float) -> FloatArray:
        """Natural-log fold change of every gene (n_genes,) under the drug at that dose.

        Sum over the drug's mechanisms and their signatures, and the drug's private genes, times
        the Hill response at its dose; flattened by ``limit * tanh(x / limit)``.
        """
        c = self.constants
        own = self.rng("drug", drug.name)
        strength, log_ec50 = np.exp(own.normal(0, c.drug_sd)), own.normal(0, c.ec50_sd)
        response = hill(dose_um, c.ec50_um * np.exp(log_ec50), c.hill)
        total = self._private(drug) + strength * self._programmes(line, drug)
        return c.effect_limit * np.tanh(response * total / c.effect_limit)

    def _programmes(self, line: DemoLine, drug: DemoDrug) -> FloatArray:
        """The strongest push of any mechanism on each signature, summed over signatures."""
        push: dict[str, float] = {}
        for tag in drug.tags:
            mechanism = self.book.mechanism(tag)
            for sign, names in ((1, mechanism.up), (-1, mechanism.down)):
                for name in names:
                    force = sign * line_factor(tag, name, line.features)
                    push[name] = max(push.get(name, 0.0), force, key=abs)
        total = np.zeros(len(self.genes))
        for name, force in push.items():
            mix = self.rng("mix", drug.name, name).normal(0, self.constants.drug_sd)
            total += force * np.exp(mix) * self._loading(line, name)
        return total

    def _loading(self, line: DemoLine, name: str) -> FloatArray:
        """Effect of the whole signature on every gene in that line (n_genes,)."""
        c, signature = self.constants, self.book.signature(name)
        places = [self.gene_index(gene) for gene in signature.up + signature.down]
        signs = np.repeat([1.0, -1.0], [len(signature.up), len(signature.down)])
        here = self.rng("loading", line.name, name)
        log = self.rng("loading", name).normal(0, c.gene_sd, len(places))
        log += here.normal(0, c.line_signature_sd) + here.normal(0, c.line_gene_sd, len(places))
        hears = here.random(len(places)) >= c.deaf_share
        loading = np.zeros(len(self.genes))
        loading[places] = c.effect * signs * np.exp(log) * hears
        return loading

    def _private(self, drug: DemoDrug) -> FloatArray:
        c, rng = self.constants, self.rng("private", drug.name)
        effect = np.zeros(len(self.genes))
        places = rng.choice(len(self.genes), c.private_genes, replace=False)
        effect[places] = rng.normal(0, c.private_sd, c.private_genes)
        return effect * (c.inert_scale if self.is_inert(drug) else 1.0)


def _rows(path: Path) -> Sequence[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
