"""Options and training history of chemCPA (re-implementation); whether it can run. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.util import find_spec
from typing import Any, Literal

from lgr_core.domain import EMPTY
from lgr_core.errors import UsageError

LABEL = "chemCPA (re-implementation)"
INSTALL = (
    'Install the extra chemcpa: pip install "lgr-explorer[chemcpa]", or in a checkout '
    "pip install -r requirements-chemcpa.txt"
)
DECODERS = ("linear", "relu")
_MAY_BE_ZERO = (
    "adversary_drug",
    "adversary_line",
    "adversary_penalty",
    "seed",
    "weight_decay",
    "adversary_weight_decay",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChemCPAOptions:
    """Sizes and rates; the defaults are the published ones unless marked as ours.

    Published means ``config/model/hparams/default.yaml`` and its neighbours in theislab/chemCPA
    (Hetzel et al. 2022), rounded to four digits.

    Parameters
    ----------
    dim, width, depth
        Of the latent space and of encoder and decoder.
    drug_width, drug_depth, doser_width, doser_depth, adversary_width, adversary_depth
        Of the other networks.
    lr, weight_decay, adversary_lr, adversary_weight_decay
        Of Adam; encoder, decoder, drug encoder and doser share the first two.
    lr_step, lr_decay
        Every ``lr_step`` epochs the rates are multiplied by ``lr_decay``.
    adversary_steps, adversary_penalty, adversary_drug, adversary_line
        Every how many steps the adversaries learn, their gradient penalty, and how much the
        autoencoder is rewarded for deceiving each.
    batch, epochs
        Rows a step (at least, if there are so many) and passes at most.
    check_every, patience
        Validation is scored every ``check_every`` epochs; training ends after ``patience`` epochs
        without a better score. Both ours: published are checks every 50 epochs of far larger data.
    decoder
        "linear" means (published for sciplex), or "relu": never negative (published else).
    seed
        Of weights and batches; published.
    device
        "auto" takes CUDA if it is there, else the CPU; any other is handed to torch.
    """

    dim: int = 32
    width: int = 256
    depth: int = 4
    drug_width: int = 128
    drug_depth: int = 4
    doser_width: int = 64
    doser_depth: int = 3
    adversary_width: int = 128
    adversary_depth: int = 3
    lr: float = 1.575e-3
    weight_decay: float = 6.251e-7
    adversary_lr: float = 1.193e-3
    adversary_weight_decay: float = 9.847e-6
    lr_step: int = 6
    lr_decay: float = 0.9
    adversary_steps: int = 3
    adversary_penalty: float = 0.4550
    adversary_drug: float = 9.101
    adversary_line: float = 16.17
    batch: int = 256
    epochs: int = 201
    check_every: int = 5
    patience: int = 50
    decoder: Literal["linear", "relu"] = "linear"
    seed: int = 1337
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.decoder not in DECODERS:
            found, do = f"{self.decoder!r} is unknown", f"Choose one of: {', '.join(DECODERS)}."
            raise UsageError(f"{LABEL}: decoder", found, do)
        for option in fields(self):
            value = getattr(self, option.name)
            too_small = isinstance(value, int | float) and not (
                value > 0 or (value == 0 and option.name in _MAY_BE_ZERO)
            )
            if too_small:
                raise UsageError(f"{LABEL}: {option.name}", f"{value} is too small", "Give more.")
        if self.batch < 2:  # noqa: PLR2004 - batch normalisation has no spread of one row
            raise UsageError(f"{LABEL}: batch", "one row", "Give at least 2.")

    def is_check(self, number: int) -> bool:
        """Whether validation is scored after that epoch."""
        return number % self.check_every == 0 or number == self.epochs

    def ended(self, epochs: Sequence[Epoch]) -> bool:
        """Whether training is over: all epochs done, or none better within the patience."""
        done = len(epochs)
        stale = self.is_check(done) and done - best_epoch(epochs) >= self.patience
        return done >= self.epochs or stale


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the data: mean losses of its steps, and the validation score if one was made.

    ``rebuilt`` is the Gaussian negative log-likelihood, ``drug`` and ``line`` the adversaries'
    cross-entropies. ``validation`` is the mean Pearson r of predicted and measured deltas.
    """

    number: int
    rebuilt: float
    drug: float
    line: float
    validation: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """How training went. ``best`` is the epoch whose weights are used.

    ``mode`` is "profiles" or "deltas"; ``data`` a SHA-256 of all that went in; ``provenance`` holds
    counts, versions and options.
    """

    mode: Literal["profiles", "deltas"]
    data: str
    epochs: tuple[Epoch, ...]
    best: int
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


def best_epoch(epochs: Sequence[Epoch]) -> int:
    """Number of the epoch with the highest validation score; of the last where none was scored."""
    scored = [epoch for epoch in epochs if epoch.validation is not None]
    if not scored:
        return len(epochs)
    return max(scored, key=lambda epoch: (epoch.validation, -epoch.number)).number


def unavailable() -> UsageError | None:
    """Why chemCPA cannot run here, and what to install; None where it can."""
    if find_spec("torch") is not None:
        return None
    return UsageError(LABEL, "torch is not installed", INSTALL)
