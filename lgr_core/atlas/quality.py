"""Quality report of an atlas: rows left out, cells, vehicles, doses, plates, replicates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.plate_population import describe_plates, plate_summary
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray, IntArray
from lgr_core.drugs.normalise import normalise_name, without_separators

_UNITS = ("cells", "wells")
_MATCHED_SCOPES = ("plate", "cell_line")
"""Whose vehicle a condition was compared with here; a publisher's is not known."""

_LEFT_OUT = {
    "cells_without_counts_left_out": "cells without counts",
    "wells_without_counts_left_out": "wells without counts",
    "rows_of_lower_doses_left_out": "rows of lower doses",
    "groups_without_control": "groups of a line without any vehicle",
    "controls_unused": "vehicles that nothing was compared with",
    "genes_not_in_every_contrast": "genes not in every contrast",
    "inferred_genes_left_out": "inferred genes",
}
"""What provenance counts as left out, and what it is called."""


def quality_report(store: AtlasStore) -> dict[str, Any]:
    """The report as JSON types, by section; ``lines`` of ``replicates`` is the noise ceiling.

    Unknown numbers (cells of ready changes) are None, never 0.
    """
    return {
        "rows": _rows(store.provenance),
        "conditions": _conditions(store),
        "vehicles": _vehicles(store),
        "plates": plate_summary(store),
        "doses": _doses(store),
        "drugs": _drugs(store),
        "replicates": _replicates(store),
    }


def noise_ceiling(store: AtlasStore) -> pd.DataFrame:
    r"""The agreement of a condition's plates, per line: an upper limit for any method's score.

    With :math:`r` the mean Pearson correlation over the panel between two plates of a condition,
    averaged over the line's conditions that stand on several, and :math:`k` the mean number of
    their plates, the reliability of what is stored (the average over plates) is
    :math:`k r / (1 + (k - 1) r)` (Spearman and Brown). A prediction of the true change without any
    error correlates with the measured one by its square root, the ceiling. Two things bend it:
    what two plates share (a layout, the cells' batch) raises :math:`r`, and a prediction made from
    drugs of the very plates it is scored on shares their vehicle's error, so that it may pass.

    Returns
    -------
    DataFrame
        ``cell_line``, ``n_conditions``, ``n_plates`` (k), ``replicate_r``, ``reliability`` and
        ``ceiling`` (both NaN where r is not positive), for lines with such a condition.
    """
    columns = ["cell_line", "n_conditions", "n_plates", "replicate_r", "reliability", "ceiling"]
    if store.plate_deltas is None:
        return pd.DataFrame(columns=columns)
    line_of_plate = store.conditions["cell_line"].to_numpy()[store.plates["condition"].to_numpy()]
    found = []
    for line, rows in pd.Series(np.arange(len(line_of_plate))).groupby(line_of_plate):
        codes = store.plates["condition"].to_numpy()[rows]
        repeated = pd.Series(codes).duplicated(keep=False).to_numpy()
        if not repeated.any():
            continue
        places = rows.to_numpy()[repeated]
        r, plates = plate_agreement(store.plate_deltas[places, : store.n_panel], codes[repeated])
        if len(r):
            found.append((line, len(r), plates.mean(), r.mean()))
    table = pd.DataFrame(found, columns=columns[:4])
    r, k = table["replicate_r"], table["n_plates"]
    table["reliability"] = (k * r / (1 + (k - 1) * r)).where(r > 0)
    table["ceiling"] = np.sqrt(table["reliability"])
    return table


def plate_agreement(deltas: FloatArray, codes: IntArray) -> tuple[FloatArray, IntArray]:
    """Mean Pearson r between two rows of one code, and rows a code, for codes of two or more.

    ``deltas`` is (n_rows, n_genes), ``codes`` (n_rows,). A constant row agrees with none and is
    left out. With rows z of mean 0 and norm 1 the mean over the k (k - 1) / 2 pairs of a code is
    (norm(sum of z)^2 - k) / (k (k - 1)).
    """
    centered = deltas - deltas.mean(axis=1, keepdims=True, dtype=np.float64)
    norms = np.linalg.norm(centered, axis=1)
    varies = norms > 0
    rows = centered[varies] / norms[varies, np.newaxis]
    _, groups, sizes = np.unique(codes[varies], return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), deltas.shape[1]))
    np.add.at(sums, groups, rows)
    several = sizes > 1
    k = sizes[several]
    return (np.square(sums[several]).sum(axis=1) - k) / (k * (k - 1)), k


def describe(report: Mapping[str, Any]) -> list[str]:
    """The report as sentences, one per line, mostly counts."""
    rows, conditions, vehicles = report["rows"], report["conditions"], report["vehicles"]
    doses, drugs, replicates = report["doses"], report["drugs"], report["replicates"]
    kept = "unknown" if rows["kept"] is None else f"{rows['kept']:,}"
    sentences = [f"{rows['unit']} kept: {kept}"]
    sentences += [f"left out: {count:,} ({reason})" for reason, count in rows["left_out"].items()]
    few = conditions["under_minimum"]
    counted = conditions["total"] - conditions["cells_unknown"]
    sentences.append(
        f"conditions under {conditions['min_cells']} cells: {few:,} of {counted:,} with known cells"
    )
    sentences.append(_vehicle_sentence(vehicles))
    sentences += describe_plates(report["plates"])
    sentences.append(_dose_sentence(doses))
    sentences.append(f"drugs without a structure: {len(drugs['without_structure'])}")
    if drugs["combinations"]:
        combined = len(drugs["combinations"])
        sentences.append(f"combinations, of which none is in the pools of its drugs: {combined}")
    sentences += [f"forms of one compound: {', '.join(names)}" for names in drugs["twins"]]
    sentences += [
        f"names that differ in signs alone: {', '.join(names)}" for names in drugs["alike"]
    ]
    if not replicates["lines"]:
        return [
            *sentences,
            "replicate agreement: of no condition are changes on several plates known",
        ]
    sentences.append(f"conditions on several plates: {replicates['conditions']:,}")
    return sentences + [_ceiling_sentence(line) for line in replicates["lines"]]


def _rows(provenance: Mapping[str, Any]) -> dict[str, Any]:
    unit = next((unit for unit in _UNITS if unit in provenance), "rows")
    return {"unit": unit, "kept": provenance.get(unit), "left_out": left_out(provenance)}


def left_out(provenance: Mapping[str, Any]) -> dict[str, int]:
    """What was read but not used: reason -> number of rows, cells or groups, without zeros."""
    found = {str(k): int(n) for k, n in dict(provenance.get("dropped", {})).items()}
    for label, n in dict(provenance.get("control_rows_left_out", {})).items():
        found[f"controls called {label}"] = int(n)
    for kind, n in dict(provenance.get("signatures_left_out", {})).items():
        found[f"signatures: {kind}"] = int(n)
    for kind, n in dict(provenance.get("features_left_out", {})).items():
        found[f"features: {kind}"] = int(n)
    found |= {sentences: int(provenance.get(key, 0)) for key, sentences in _LEFT_OUT.items()}
    return {reason: n for reason, n in found.items() if n}


def _conditions(store: AtlasStore) -> dict[str, Any]:
    return {
        "total": len(store.conditions),
        "min_cells": store.provenance.get("min_cells"),
        "under_minimum": int(store.conditions["underpowered"].sum()),
        "cells_unknown": int(store.conditions["n_cells"].isna().sum()),
    }


def _vehicles(store: AtlasStore) -> dict[str, Any]:
    """Plates whose own vehicle is missing for a line, and vehicles of few cells."""
    lines = store.conditions["cell_line"].to_numpy()
    plates = store.plates.assign(cell_line=lines[store.plates["condition"].to_numpy(dtype=int)])
    lacking = plates[plates["control"] == "cell_line"]
    by_plate = lacking.groupby("plate", observed=True)["cell_line"].agg(
        lambda names: sorted(set(names))
    )
    minimum = store.provenance.get("min_cells")
    few = 0 if minimum is None else int((store.controls["n_cells"] < minimum).sum())
    return {
        "compared_by": "here" if plates["control"].isin(_MATCHED_SCOPES).any() else "publisher",
        "plates_without": by_plate.to_dict(),
        "profiles": len(store.controls),
        "under_minimum": few,
    }


def _doses(store: AtlasStore) -> dict[str, Any]:
    """Whether doses are confounded with plates, as where each plate has one dose."""
    keys = store.conditions[["cell_line", "drug", "dose_um"]]
    table = keys.iloc[store.named_plates["condition"].to_numpy(dtype=int)].assign(
        plate=store.named_plates["plate"].to_numpy()
    )
    table = table.dropna(subset="dose_um")
    if table["dose_um"].nunique() < 2 or table["plate"].nunique() < 2:  # noqa: PLR2004 - several
        return {"confounded": None, "plates": int(table["plate"].nunique())}
    share = table.groupby("plate")["dose_um"].agg(lambda d: d.value_counts().iloc[0] / len(d))
    weight = table["plate"].value_counts()
    pairs = table.groupby(["cell_line", "drug"], observed=True)["dose_um"].nunique()
    on_one = table.groupby(["cell_line", "drug", "plate"], observed=True)["dose_um"].nunique()
    several = int((pairs > 1).sum())
    together = len({key[:2] for key in on_one.index[on_one > 1]})
    return {
        "confounded": several > 0 and together == 0,
        "plates": len(share),
        "share_at_the_main_dose_of_their_plate": float((share * weight).sum() / weight.sum()),
        "pairs_at_several_doses": several,
        "with_two_doses_on_one_plate": together,
    }


def _drugs(store: AtlasStore) -> dict[str, Any]:
    """Drugs without a structure, combinations, forms of one compound, names that look alike."""
    drugs = store.drugs
    parents = drugs.groupby("parent")["drug"].agg(sorted)
    keys = drugs["drug"].map(lambda name: without_separators(normalise_name(name)))
    alike = drugs.groupby(keys)["drug"].agg(sorted)
    return {
        "total": len(drugs),
        "without_structure": sorted(drugs.loc[drugs["smiles"] == "", "drug"]),
        "combinations": list(store.drug_catalog.combinations),
        "twins": [names for names in parents if len(names) > 1],
        "alike": [names for names in alike if len(names) > 1],
    }


def _replicates(store: AtlasStore) -> dict[str, Any]:
    table = noise_ceiling(store)
    lines = table.astype(object).where(table.notna(), None).to_dict("records")
    return {"conditions": int(table["n_conditions"].sum()), "lines": lines}


def _vehicle_sentence(vehicles: Mapping[str, Any]) -> str:
    if vehicles["compared_by"] == "publisher":
        return "vehicles: the publisher compared with them; which is not known here"
    lacking = ", ".join(
        f"{plate} ({len(lines)} lines)" for plate, lines in vehicles["plates_without"].items()
    )
    few = f"; {vehicles['under_minimum']:,} of {vehicles['profiles']:,} vehicles of few cells"
    return f"plates without a vehicle of their own: {lacking or 'none'}{few}"


def _dose_sentence(doses: Mapping[str, Any]) -> str:
    if doses["confounded"] is None:
        return "dose and plate: one dose or one plate, nothing to tell apart"
    share = doses["share_at_the_main_dose_of_their_plate"]
    verdict = "confounded" if doses["confounded"] else "not wholly confounded"
    return (
        f"dose and plate are {verdict}: {share:.0%} stand at the main dose of their plate, "
        f"{doses['with_two_doses_on_one_plate']:,} of {doses['pairs_at_several_doses']:,} drugs in "
        "a line have two doses on one plate"
    )


def _ceiling_sentence(line: Mapping[str, Any]) -> str:
    ceiling = "none" if line["ceiling"] is None else f"{line['ceiling']:.2f}"
    reliability = "none" if line["reliability"] is None else f"{line['reliability']:.2f}"
    return (
        f"noise ceiling in {line['cell_line']}: {ceiling} (r {line['replicate_r']:.2f} between "
        f"plates, reliability {reliability} of {line['n_plates']:.1f} plates by Spearman-Brown; "
        f"{line['n_conditions']:,} conditions)"
    )
