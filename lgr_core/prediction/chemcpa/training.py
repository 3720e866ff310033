"""Training of chemCPA (re-implementation): three optimisers, taking turns; a state to resume from.

Every ``adversary_steps``-th step teaches the adversaries to read drug and line off the basal state;
the others rebuild the profiles and unteach them. One seed, one stream of random numbers: the same
steps on one processor, in one run or in two.
"""

from __future__ import annotations

import copy
import pickle
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import InputError
from lgr_core.prediction.chemcpa.network import Network, Output, Rows
from lgr_core.prediction.chemcpa.options import LABEL, ChemCPAOptions

State = dict[str, Any]

VERSION = str(torch.__version__)
_NLL = nn.GaussianNLLLoss()
_PREDICTED_AT_ONCE = 4_096


@contextmanager
def _one_thread() -> Iterator[None]:
    """On networks of this size a second thread waits more than it helps, the more so on busy cores.

    Measured on two: 1.2 s an epoch with one thread, 1.4 with two, 3.2 in each of two processes.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Training:
    """A network and all that a step depends on: optimisers, rates, random numbers, steps done."""

    def __init__(
        self, fingerprints: FloatArray, n_lines: int, n_genes: int, options: ChemCPAOptions
    ) -> None:
        self.options = options
        self.device = _device(options.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            network = Network(torch.from_numpy(fingerprints), n_lines, n_genes, options)
        self.network = network.to(self.device)
        self._parts = network.parts()
        self._optimisers = {name: self._adam(name) for name in self._parts}
        self._random = torch.Generator().manual_seed(options.seed)
        self._steps = self._epochs = 0
        self._best: State | None = None

    def _adam(self, name: str) -> torch.optim.Adam:
        o = self.options
        rate, decay = (o.lr, o.weight_decay)
        if name == "adversary":
            rate, decay = (o.adversary_lr, o.adversary_weight_decay)
        return torch.optim.Adam(self._parts[name], lr=rate, weight_decay=decay)

    @_one_thread()
    def epoch(self, rows: Rows) -> tuple[float, float, float]:
        """All rows once, in batches; mean losses of rebuilding and of both adversaries."""
        self.network.train()
        n = len(rows.line)
        order = torch.randperm(n, generator=self._random)
        batches = order.tensor_split(max(1, n // self.options.batch))
        losses = torch.stack([self._step(rows.take(places).to(self.device)) for places in batches])
        self._slow_down()
        rebuilt, drug, line = losses.mean(dim=0).tolist()
        return rebuilt, drug, line

    def _slow_down(self) -> None:
        """Lower all rates when their time has come."""
        self._epochs += 1
        if self._epochs % self.options.lr_step == 0:
            for adam in self._optimisers.values():
                for group in adam.param_groups:
                    group["lr"] *= self.options.lr_decay

    def _step(self, rows: Rows) -> Tensor:
        output = self.network(rows)
        drug_logits, line_logits = self.network.accuse(output.basal)
        drug = functional.cross_entropy(drug_logits, rows.drug)
        line = functional.cross_entropy(line_logits, rows.line)
        rebuilt = _NLL(output.mean, rows.profiles, output.variance)
        if self._steps % self.options.adversary_steps == 0:
            penalty = sum(_slope(logits, output) for logits in (drug_logits, line_logits))
            self._descend(drug + line + self.options.adversary_penalty * penalty, "adversary")
        else:
            hidden = self.options.adversary_drug * drug + self.options.adversary_line * line
            self._descend(rebuilt - hidden, "autoencoder", "doser")
        self._steps += 1
        return torch.stack([rebuilt, drug, line]).detach()

    def _descend(self, loss: Tensor, *names: str) -> None:
        self.network.zero_grad(set_to_none=True)
        loss.backward()
        for name in names:
            nn.utils.clip_grad_norm_(self._parts[name], max_norm=1.0)
            self._optimisers[name].step()

    @_one_thread()
    @torch.no_grad()
    def predict(self, controls: FloatArray, rows: Rows) -> FloatArray:
        """Deltas (m, n_genes): controls (n_lines, n_genes) under the rows' drugs, less controls.

        The rows' profiles are not read.
        """
        self.network.eval()
        vehicle = torch.from_numpy(controls).to(self.device)
        basal = self.network.encoder(vehicle) + self.network.lines.weight
        deltas = []
        for places in torch.arange(len(rows.line)).split(_PREDICTED_AT_ONCE):
            some = rows.take(places).to(self.device)
            effect = self.network.perturbation(some.drug, some.dose)
            mean, _ = self.network.decode(basal[some.line] + effect)
            deltas.append((mean - vehicle[some.line]).cpu())
        return torch.cat(deltas).numpy()

    def keep_best(self) -> None:
        """Remember the weights as they are."""
        self._best = copy.deepcopy(self.network.state_dict())

    def restore_best(self) -> None:
        """Go back to the remembered weights, if there are any."""
        if self._best is not None:
            self.network.load_state_dict(self._best)

    def state(self) -> State:
        """All that the next step depends on, as tensors, numbers and strings."""
        return {
            "network": self.network.state_dict(),
            "optimisers": {name: adam.state_dict() for name, adam in self._optimisers.items()},
            "random": self._random.get_state(),
            "steps": self._steps,
            "epochs": self._epochs,
            "best": self._best,
        }

    def restore(self, state: State) -> None:
        """Go on where a state was taken."""
        self.network.load_state_dict(state["network"])
        for name, adam in self._optimisers.items():
            adam.load_state_dict(state["optimisers"][name])
        self._random.set_state(state["random"])
        self._steps, self._epochs = state["steps"], state["epochs"]
        self._best = state["best"]


def _slope(logits: Tensor, output: Output) -> Tensor:
    """Mean square of the logits' slope over the basal state: it keeps adversaries smooth."""
    (slope,) = torch.autograd.grad(logits.sum(), output.basal, create_graph=True)
    return slope.square().mean()


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def make_rows(profiles: FloatArray, line: IntArray, drug: IntArray, dose: FloatArray) -> Rows:
    """Rows of arrays; doses become float32."""
    return Rows(*map(torch.from_numpy, (profiles, line, drug, dose.astype(np.float32))))


def write(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, arrays, numbers and strings to a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        tensors = {
            k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in state.items()
        }
        torch.save(tensors, aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(path: Path) -> State:
    """What ``write`` wrote. Loads no code: a file from elsewhere cannot run any.

    Raises
    ------
    InputError
        If the file is missing or not one of ours.
    """
    asked, do = f"{LABEL}: {path}", "Name another file, or fit the model."
    if not path.is_file():
        raise InputError(asked, "there is no such file", do)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as err:
        raise InputError(asked, "it is damaged, or no model of ours", do) from err
    if not isinstance(state, dict) or "training" not in state:
        raise InputError(asked, "it is no model of ours", do)
    return {k: v.numpy() if isinstance(v, Tensor) else v for k, v in state.items()}
