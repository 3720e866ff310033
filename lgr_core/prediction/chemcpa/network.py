"""The networks of chemCPA (re-implementation). Only this file and the training know torch.

A profile x of line c under drug d at dose s is read as three parts that add up in a small space:
``z = encoder(x) + doser(f_d, s) * drug_encoder(f_d) + line_embedding(c)``, and
``mean, variance = decoder(z)``. The fingerprints f stand in a frozen table over all drugs, so that
a drug never trained on has a place in it. Two adversaries try to read drug and line off encoder(x).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lgr_core.prediction.chemcpa.options import ChemCPAOptions


class Rows(NamedTuple):
    """Profiles (n, n_genes) and what was done to them; (n,) each, drug ``n_drugs`` for vehicle."""

    profiles: Tensor
    line: Tensor
    drug: Tensor
    dose: Tensor

    def take(self, places: Tensor) -> Rows:
        """Some of the rows."""
        return Rows(*(part[places] for part in self))

    def to(self, device: torch.device) -> Rows:
        """The rows on a device."""
        return Rows(*(part.to(device) for part in self))


class Output(NamedTuple):
    """Mean and variance of every gene (n, n_genes), and the basal state (n, dim)."""

    mean: Tensor
    variance: Tensor
    basal: Tensor


class Network(nn.Module):
    """Encoder, decoder, drug encoder, doser, line embedding and both adversaries.

    Parameters
    ----------
    fingerprints
        (n_drugs, n_bits), 0 or 1.
    n_lines, n_genes
        How many lines have an embedding, and how many genes a profile has.
    options
        Sizes.
    """

    fingerprints: Tensor

    def __init__(
        self, fingerprints: Tensor, n_lines: int, n_genes: int, options: ChemCPAOptions
    ) -> None:
        super().__init__()
        n_drugs, n_bits = fingerprints.shape
        body = [options.width] * options.depth
        judge = [options.adversary_width] * options.adversary_depth
        table = torch.cat([fingerprints, torch.zeros(1, n_bits)])
        self.register_buffer("fingerprints", table, persistent=False)
        self.vehicle = n_drugs
        self.relu = options.decoder == "relu"
        self.encoder = mlp([n_genes, *body, options.dim])
        self.decoder = mlp([options.dim, *body, 2 * n_genes])
        self.drug_encoder = mlp([n_bits, *[options.drug_width] * options.drug_depth, options.dim])
        self.doser = mlp([n_bits + 1, *[options.doser_width] * options.doser_depth, 1])
        self.lines = nn.Embedding(n_lines, options.dim)
        self.drug_adversary = mlp([options.dim, *judge, n_drugs + 1])
        self.line_adversary = mlp([options.dim, *judge, n_lines])

    def forward(self, rows: Rows) -> Output:
        """Every row rebuilt from its own profile, line, drug and dose."""
        basal = self.encoder(rows.profiles)
        effect = self.perturbation(rows.drug, rows.dose)
        return Output(*self.decode(basal + effect + self.lines(rows.line)), basal)

    def perturbation(self, drug: Tensor, dose: Tensor) -> Tensor:
        """What a drug at a dose adds to the basal state, (n, dim); nothing for vehicle."""
        bits = self.fingerprints[drug]
        strength = self.doser(torch.cat([bits, dose[:, None]], dim=1))
        return strength * (drug != self.vehicle)[:, None] * self.drug_encoder(bits)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of every gene, (n, n_genes) each."""
        mean, variance = self.decoder(latent).chunk(2, dim=1)
        return mean.relu() if self.relu else mean, functional.softplus(variance)

    def accuse(self, basal: Tensor) -> tuple[Tensor, Tensor]:
        """The adversaries' logits: of drugs (n, n_drugs + 1) and of lines (n, n_lines)."""
        return self.drug_adversary(basal), self.line_adversary(basal)

    def parts(self) -> dict[str, list[nn.Parameter]]:
        """The parameters of each optimiser."""
        body = (self.encoder, self.decoder, self.drug_encoder, self.lines)
        judges = (self.drug_adversary, self.line_adversary)
        return {
            "autoencoder": [p for part in body for p in part.parameters()],
            "doser": list(self.doser.parameters()),
            "adversary": [p for part in judges for p in part.parameters()],
        }


def mlp(sizes: list[int]) -> nn.Sequential:
    """Linear layers with batch normalisation and ReLU between them; the last is linear alone."""
    layers: list[nn.Module] = []
    for wide_in, wide_out in pairwise(sizes[:-1]):
        layers += [nn.Linear(wide_in, wide_out), nn.BatchNorm1d(wide_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
