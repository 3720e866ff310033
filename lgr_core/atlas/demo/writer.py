"""A simulated atlas with planted mechanisms, written as raw counts and ingested like any other.

Real names of drugs, cell lines and genes; invented numbers. The biology stands in
``demo_biology.py``, the truth in ``demo_world.py``; here are the plates, the cells and the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.demo.parameters import DemoConstants
from lgr_core.atlas.demo.simulation import DemoDrug, DemoLine, DemoWorld, demo_drugs, demo_lines
from lgr_core.atlas.sources.h5ad_writer import write_counts
from lgr_core.domain import FloatArray, IntArray

VEHICLE = "DMSO_TF"
FILE_NAME = "simulated_counts.h5ad"
_BLOCK = 500
"""Cells drawn at a time: their dense counts stay within the processor's cache."""


@dataclass(frozen=True, slots=True)
class Well:
    """One drug at one dose on one plate, or the plate's vehicle (no drug); all lines share it."""

    plate: str
    drug: DemoDrug | None
    dose_um: float


def write_demo(
    folder: Path,
    *,
    seed: int = 0,
    lines: Sequence[DemoLine] | None = None,
    drugs: Sequence[DemoDrug] | None = None,
    constants: DemoConstants | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Simulate raw counts, write them to ``folder`` as h5ad and return the path.

    Parameters
    ----------
    folder
        Where the file goes.
    seed
        The same seed gives the same counts, on any number of processors.
    lines, drugs
        What is simulated; all of ``demo_lines()`` and ``demo_drugs()`` unless given.
    constants
        The numbers of the simulation; ``DemoConstants()`` unless given.
    progress
        Called with a stage, the lines done and the lines in all.
    """
    lines = demo_lines() if lines is None else lines
    drugs = demo_drugs() if drugs is None else drugs
    world = DemoWorld(seed, DemoConstants() if constants is None else constants)
    wells = plan_wells(drugs, world.constants.top_dose_plates)
    parts = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for part in pool.map(lambda line: simulate_line(world, line, wells), lines):
            parts.append(part)
            if progress is not None:
                progress("simulate", len(parts), len(lines))
    counts = sparse.vstack([counts for counts, _ in parts], format="csr")
    obs = _obs([table for _, table in parts])
    var = pd.DataFrame(index=pd.Index(world.genes, name="gene_symbol"))
    note = "simulated counts: names are real, numbers are not"
    uns = {"simulated": True, "note": note, "seed": seed, "constants": asdict(world.constants)}
    return write_counts(folder / FILE_NAME, counts, obs, var, uns=uns)


def plan_wells(drugs: Sequence[DemoDrug], top_dose_plates: int) -> list[Well]:
    """All wells, plate by plate, each plate with its vehicle.

    Each dose has plates of its own, as in Tahoe-100M. The drugs share ``top_dose_plates`` at their
    highest dose; a further plate repeats the drugs of the dose series there, for a noise ceiling.
    """
    series = [drug for drug in drugs if len(drug.doses_um) > 1]
    layout = [
        [(drug, max(drug.doses_um)) for drug in drugs[start::top_dose_plates]]
        for start in range(top_dose_plates)
    ]
    layout.append([(drug, max(drug.doses_um)) for drug in series])
    lower = sorted({dose for drug in series for dose in drug.doses_um[:-1]}, reverse=True)
    layout += [[(drug, dose) for drug in series if dose in drug.doses_um[:-1]] for dose in lower]
    wells = []
    for number, treated in enumerate(filter(None, layout), start=1):
        plate = f"plate{number}"
        wells.append(Well(plate, None, 0.0))
        wells += [Well(plate, drug, dose) for drug, dose in treated]
    return wells


def simulate_line(
    world: DemoWorld, line: DemoLine, wells: Sequence[Well]
) -> tuple[sparse.csr_matrix, pd.DataFrame]:
    """Counts (n_cells, n_genes) of one line in all wells, and one row a cell of what it is."""
    rng = world.rng("cells", line.name)
    sizes = _cells_per_well(world.constants, rng, wells)
    rates = _rates(world, line, wells)
    counts = sparse.vstack(list(_draw(rng, world.constants, rates, sizes)), format="csr")
    table = pd.DataFrame(
        {
            "cell_line": line.name,
            "drug": [VEHICLE if well.drug is None else well.drug.name for well in wells],
            "dose": [well.dose_um for well in wells],
            "dose_unit": "uM",
            "plate": [well.plate for well in wells],
            "is_control": [well.drug is None for well in wells],
            "simulated": True,
        }
    )
    return counts, table.loc[np.repeat(np.arange(len(wells)), sizes)]


def _cells_per_well(
    constants: DemoConstants, rng: np.random.Generator, wells: Sequence[Well]
) -> IntArray:
    treated = constants.cells_per_condition + rng.integers(0, constants.extra_cells + 1, len(wells))
    vehicle = np.array([well.drug is None for well in wells])
    return np.where(vehicle, constants.vehicle_cells, treated)


def _rates(world: DemoWorld, line: DemoLine, wells: Sequence[Well]) -> FloatArray:
    """Mean counts of a cell of mean depth in every well (n_wells, n_genes)."""
    c, n = world.constants, len(world.genes)
    base = c.counts_per_cell * world.abundance(line)
    plates = {well.plate for well in wells}
    shifts = {plate: world.rng("plate", plate).normal(0, c.plate_sd, n) for plate in plates}
    rates = np.empty((len(wells), n), dtype=np.float32)
    for rate, well in zip(rates, wells, strict=True):
        log = shifts[well.plate]
        if well.drug is not None:
            own = world.rng("well", well.plate, well.drug.name).normal(0, c.well_sd, n)
            log = log + own + world.effect(line, well.drug, well.dose_um)
        rate[:] = base * np.exp(log)
    return rates


def _draw(
    rng: np.random.Generator, constants: DemoConstants, rates: FloatArray, sizes: IntArray
) -> Iterator[sparse.csr_matrix]:
    """Poisson counts of every cell around its well's rates, cells differing in depth."""
    well = np.repeat(np.arange(len(sizes)), sizes)
    depth = np.exp(rng.normal(-(constants.depth_sd**2) / 2, constants.depth_sd, len(well)))
    for start in range(0, len(well), _BLOCK):
        block = slice(start, start + _BLOCK)
        counts = rng.poisson(rates[well[block]] * depth[block, None])
        yield sparse.csr_matrix(counts.astype(np.float32))


def _obs(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    obs = pd.concat(tables, ignore_index=True)
    texts = ["cell_line", "drug", "dose_unit", "plate"]
    obs[texts] = obs[texts].astype("category")
    obs.index = "cell" + obs.index.astype(str)
    return obs
