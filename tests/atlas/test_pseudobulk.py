"""From counts to deltas, against plain dense arithmetic."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from h5ads import Counts, log_normalised, observed, write_h5ad
from scipy import sparse

from lgr_core.atlas.pseudobulk import find_groups, pseudobulk
from lgr_core.atlas.sources import open_counts
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, UsageError

OBS = observed(
    [
        ("A549", "DMSO", 0, "p1"),
        ("A549", "DMSO", 0, "p1"),
        ("A549", "Talc", 5, "p1"),
        ("A549", "Talc", 5, "p1"),
        ("A549", "Talc", 5, "p2"),
        ("A549", "DMSO", 0, "p2"),
        ("A549", "Talc", 0.5, "p2"),
        ("K562", "DMSO", 0, "p1"),
        ("K562", "Talc", 5, "p2"),
        ("HeLa", "Talc", 5, "p1"),
    ]
)
X = np.random.default_rng(7).poisson(2.0, (len(OBS), 6)).astype(float)
Y = log_normalised(X)


def logged(rows):
    """Counts of these rows summed, normalised and logged, as for one cell."""
    return log_normalised(X[rows].sum(axis=0, keepdims=True))[0]


def test_cells_are_normalised_then_averaged():
    """Each plate's mean minus its own vehicle's, plates weighted by cells (2 and 1)."""
    table = pseudobulk(Counts(X, OBS))
    on_p1 = Y[[2, 3]].mean(axis=0) - Y[[0, 1]].mean(axis=0)
    on_p2 = Y[4] - Y[5]
    expected = {
        ("A549", "Talc", 0.5): Y[6] - Y[5],
        ("A549", "Talc", 5.0): (2 * on_p1 + on_p2) / 3,
        ("K562", "Talc", 5.0): Y[8] - Y[7],
    }
    keys = list(
        table.conditions[["cell_line", "drug", "dose_um"]].itertuples(index=False, name=None)
    )
    assert keys == list(expected)
    np.testing.assert_allclose(table.deltas, list(expected.values()), atol=1e-5)
    assert table.deltas.dtype == np.float32
    assert table.value_kind is ValueKind.LOGNORM_DELTA
    assert table.conditions["n_cells"].tolist() == [1, 3, 1]
    assert table.conditions["n_replicates"].tolist() == [1, 2, 1]
    assert table.conditions["underpowered"].all()
    np.testing.assert_allclose(table.plate_deltas[1:3], [on_p1, on_p2], atol=1e-5)
    assert table.plates["plate"].tolist() == ["p2", "p1", "p2", "p2"]
    assert table.plates["control"].tolist() == ["plate", "plate", "plate", "cell_line"]


def test_counts_are_summed_then_normalised():
    """Appendix B's order, with the vehicle summed in the same way."""
    table = pseudobulk(Counts(X, OBS), order="pseudobulk")
    on_p1, on_p2 = logged([2, 3]) - logged([0, 1]), logged([4]) - logged([5])
    np.testing.assert_allclose(table.deltas[1], (2 * on_p1 + on_p2) / 3, atol=1e-5)
    np.testing.assert_allclose(table.control_profiles[0], logged([0, 1]), atol=1e-5)
    assert table.genes["within_variance"].isna().all()


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_the_lines_pooled_vehicle(order):
    """control_scope=cell_line: all three vehicle cells of A549, on either plate."""
    table = pseudobulk(Counts(X, OBS), order=order, control_scope="cell_line")
    vehicle = Y[[0, 1, 5]].mean(axis=0) if order == "cells" else logged([0, 1, 5])
    treated = Y[6] if order == "cells" else logged([6])
    np.testing.assert_allclose(table.deltas[0], treated - vehicle, atol=1e-5)
    assert set(table.plates["control"]) == {"cell_line"}


def test_vehicle_profiles_per_line_and_plate():
    """Mean log-normalised expression of the vehicle, with its cells."""
    table = pseudobulk(Counts(X, OBS))
    assert table.controls.drop(columns="n_replicates").to_numpy().tolist() == [
        ["A549", "p1", "DMSO", 2],
        ["A549", "p2", "DMSO", 1],
        ["K562", "p1", "DMSO", 1],
    ]
    np.testing.assert_allclose(
        table.control_profiles, [Y[[0, 1]].mean(axis=0), Y[5], Y[7]], rtol=1e-5
    )


def test_everything_left_out_is_counted():
    """HeLa has no vehicle; K562's plate p2 has none of its own."""
    provenance = pseudobulk(Counts(X, OBS)).provenance
    assert provenance["groups_without_control"] == 1
    assert provenance["groups_against_line_vehicle"] == 1
    assert provenance["controls"] == {"DMSO": 4}
    assert provenance["plates_averaged"] == 1
    assert (provenance["cells"], provenance["unit"]) == (10, "cell")
    assert provenance["order"] == "cells"
    assert provenance["target_sum"] == 10_000


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_cells_without_counts_are_left_out(order):
    """An empty cell says nothing of its condition; a condition of empty cells is none."""
    empty = X.copy()
    empty[[3, 6]] = 0
    table = pseudobulk(Counts(empty, OBS), order=order)
    assert table.conditions["dose_um"].tolist() == [5.0, 5.0]
    assert table.conditions["n_cells"].tolist() == [2, 1]
    assert table.provenance["cells_without_counts_left_out"] == 2
    assert np.isfinite(table.deltas).all()


def test_several_control_labels():
    """DMSO alone, unless both are pooled."""
    obs = observed([("A", "DMSO", 0, "p"), ("A", "Media", 0, "p"), ("A", "Talc", 5, "p")])
    counts = Counts(X[:3], obs, labels=("DMSO", "Media"))
    first, pooled = pseudobulk(counts), pseudobulk(counts, pool_controls=True)
    np.testing.assert_allclose(first.deltas[0], Y[2] - Y[0], atol=1e-5)
    np.testing.assert_allclose(pooled.deltas[0], Y[2] - Y[:2].mean(axis=0), atol=1e-5)
    assert first.provenance["controls_unused"] == 1
    assert pooled.controls["label"].tolist() == ["DMSO + Media"]


def test_dose_policies():
    """pool: the mean over cells, three at 5 uM and one at 0.5; max: 5 uM alone; doses named."""
    per_dose, pooled, highest = (
        pseudobulk(Counts(X, OBS), dose=dose) for dose in ("per_dose", "pool", "max")
    )
    expected = (per_dose.deltas[0] + 3 * per_dose.deltas[1]) / 4
    np.testing.assert_allclose(pooled.deltas[0], expected, atol=1e-6)
    np.testing.assert_allclose(highest.deltas[0], per_dose.deltas[1], atol=1e-6)
    assert pooled.conditions["doses_um"].tolist() == ["0.5;5", "5"]
    assert highest.conditions["doses_um"].tolist() == ["5", "5"]
    assert pooled.conditions["dose_um"].isna().all()


def dosed(counts):
    """Cells as ``obs``: {(drug, dose, plate): n} of A549, and their counts of five genes."""
    keys = list(counts)
    obs = pd.DataFrame(keys, columns=["drug", "dose", "plate"]).loc[
        np.repeat(np.arange(len(keys)), list(counts.values()))
    ]
    obs = obs.reset_index(drop=True).assign(cell_line="A549", dose_unit="uM")
    rate = 1 + obs["dose"].to_numpy()[:, np.newaxis] * np.arange(5)
    return obs, np.random.default_rng(3).poisson(rate).astype(float) + 1


def profile(x, order):
    """The mean log-normalised cell, or the log-normalised sum of the cells."""
    logged = log_normalised(x if order == "cells" else x.sum(axis=0, keepdims=True))
    return logged.mean(axis=0)


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_doses_are_pooled_over_cells(tmp_path, order):
    """90 cells at 0.1 uM and 10 at 10 uM: the profile of all 100 minus that of 50 vehicle cells."""
    obs, x = dosed({("DMSO", 0.0, "p"): 50, ("Talc", 0.1, "p"): 90, ("Talc", 10.0, "p"): 10})
    path = write_h5ad(tmp_path / "x.h5ad", x, obs)
    table = pseudobulk(open_counts(path), order=order, dose="pool")
    treated = (obs["drug"] == "Talc").to_numpy()
    expected = profile(x[treated], order) - profile(x[~treated], order)
    np.testing.assert_allclose(table.deltas, [expected], atol=1e-5)
    assert table.conditions["n_cells"].tolist() == [100]
    assert table.conditions["doses_um"].tolist() == ["0.1;10"]
    assert table.provenance["doses_averaged"] == 1
    assert table.provenance["replicates_averaged"] == 0


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_each_plates_pooled_change_is_weighted_by_its_cells(tmp_path, order):
    """Plate p has 50 treated cells and q 150, each against its own vehicle: weights 1 and 3."""
    obs, x = dosed(
        {
            ("DMSO", 0.0, "p"): 30,
            ("DMSO", 0.0, "q"): 20,
            ("Talc", 0.1, "p"): 40,
            ("Talc", 10.0, "p"): 10,
            ("Talc", 0.1, "q"): 50,
            ("Talc", 10.0, "q"): 100,
        }
    )
    path = write_h5ad(tmp_path / "x.h5ad", x, obs)
    table = pseudobulk(open_counts(path), order=order, dose="pool")
    treated, on_p = (obs["drug"] == "Talc").to_numpy(), (obs["plate"] == "p").to_numpy()
    on_plates = [
        profile(x[treated & here], order) - profile(x[~treated & here], order)
        for here in (on_p, ~on_p)
    ]
    expected = (on_plates[0] + 3 * on_plates[1]) / 4
    np.testing.assert_allclose(table.deltas, [expected], atol=1e-5)
    np.testing.assert_allclose(table.plate_deltas, on_plates, atol=1e-5)
    assert table.plates["n_cells"].tolist() == [50, 150]
    assert table.provenance["doses_averaged"] == 1


def test_wells_are_replicates():
    """Wells are counted as replicates; none is underpowered."""
    table = pseudobulk(Counts(X, OBS, unit="well"))
    assert table.conditions["n_cells"].isna().all()
    assert table.conditions["n_replicates"].tolist() == [1, 3, 1]
    assert not table.conditions["underpowered"].any()
    assert table.controls["n_replicates"].tolist() == [2, 1, 1]
    assert table.provenance["replicates_averaged"] == 1


def test_within_variance_is_the_pooled_variance_of_the_groups():
    """Ten cells in nine groups of which two hold two: the mean of their two variances."""
    table = pseudobulk(Counts(X, OBS))
    expected = (Y[[0, 1]].var(axis=0, ddof=1) + Y[[2, 3]].var(axis=0, ddof=1)) / 2
    np.testing.assert_allclose(table.genes["within_variance"], expected, rtol=1e-4, atol=1e-6)


def test_within_variance_of_single_cells_is_undefined():
    """Where no group has two cells there is no variance within groups."""
    obs = observed([("A", "DMSO", 0, "p"), ("A", "Talc", 5, "p")])
    assert pseudobulk(Counts(X[:2], obs)).genes["within_variance"].isna().all()


@pytest.mark.parametrize("seed", range(5))
def test_scanpys_means_and_genes(seed):
    """normalize_total, log1p, aggregate and highly_variable_genes on the same cells, to the gene.

    Bins of two genes always tie at +-0.707: which of them is in hangs on the last bit.
    """
    rng = np.random.default_rng(seed)
    X = rng.negative_binomial(1, rng.uniform(0.01, 0.9, 200), (400, 200))
    X = X * rng.integers(0, 2, 200)
    drugs = rng.choice(["DMSO", "Talc", "Zinc"], 400)
    obs = observed([("A", drug, 5, "p") for drug in drugs])
    table = pseudobulk(Counts(X, obs, block_rows=37))
    obs.index = obs.index.astype(str)
    adata = anndata.AnnData(sparse.csr_matrix(X.astype(np.float32)), obs=obs)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    means = sc.get.aggregate(adata, by="drug", func="mean").to_df("mean")
    np.testing.assert_allclose(
        table.deltas, means.loc[["Talc", "Zinc"]] - means.loc["DMSO"].to_numpy(), atol=1e-5
    )
    for n_top in (5, 13, 30, 50, 80):
        table = pseudobulk(Counts(X, obs, block_rows=37), n_hvg=n_top)
        sc.pp.highly_variable_genes(adata, flavor="seurat", n_top_genes=n_top)
        np.testing.assert_array_equal(table.genes["in_panel"], adata.var["highly_variable"])


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_the_file_and_the_blocks_do_not_matter(tmp_path, order):
    """CSR or dense on disk, any block size: the same table."""
    expected = pseudobulk(Counts(X, OBS), order=order)
    obs = OBS.drop(columns="is_control").assign(dose_unit="uM").rename(columns={"dose_um": "dose"})
    obs["dose"] = obs["dose"].fillna(0.0)
    for form in (X, sparse.csr_matrix(X)):
        source = open_counts(write_h5ad(tmp_path / "x.h5ad", form, obs))
        np.testing.assert_array_equal(pseudobulk(source, order=order).deltas, expected.deltas)
    for block_rows in (1, 4, 100):
        again = pseudobulk(Counts(X, OBS, block_rows=block_rows), order=order)
        np.testing.assert_allclose(again.deltas, expected.deltas, atol=1e-6)
        pd.testing.assert_frame_equal(again.conditions, expected.conditions)


def test_a_solvate_named_after_the_vehicle_is_compared_with_it(tmp_path):
    """Trametinib (DMSO_TF solvate) has a delta; the vehicle is DMSO_TF alone."""
    drugs = ["DMSO_TF", "Trametinib (DMSO_TF solvate)", "DMSO_TF"]
    path = write_h5ad(tmp_path / "x.h5ad", X[:3], {"cell_line": "A549", "drug": drugs})
    table = pseudobulk(open_counts(path))
    assert table.conditions["drug"].tolist() == ["Trametinib (DMSO_TF solvate)"]
    np.testing.assert_allclose(table.deltas[0], Y[1] - Y[[0, 2]].mean(axis=0), atol=1e-5)


def test_groups_of_rows():
    """One group a line, drug, dose and plate, with its rows; a missing dose is a value."""
    groups, codes = find_groups(OBS)
    assert len(groups) == 8
    assert groups["n"].sum() == len(OBS)
    for i, row in OBS.iterrows():
        group = groups.iloc[codes[i]]
        assert (group["cell_line"], group["drug"]) == (row["cell_line"], row["drug"])
        assert group["plate"] == row["plate"]
        np.testing.assert_equal(group["dose_um"], row["dose_um"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"order": "wells"}, "cells, pseudobulk"),
        ({"control_scope": "line"}, "plate, cell_line"),
        ({"dose": "mean"}, "per_dose, pool, max"),
        ({"target_sum": 0}, "not positive"),
    ],
)
def test_unknown_options_are_refused(option, message):
    """The message lists what there is, before the counts are read."""
    counts = Counts(X, OBS)
    counts.blocks = None
    with pytest.raises(UsageError, match=message):
        pseudobulk(counts, **option)


def test_no_vehicle_is_refused_before_the_counts_are_read():
    """Hours of reading are not spent on a mistake in the labels."""
    counts = Counts(X, OBS.assign(is_control=False))
    counts.blocks = None
    with pytest.raises(InputError, match=r"--control"):
        pseudobulk(counts)


@pytest.mark.real
def test_macpie_wells(real_data):
    """3 lines, 23 drugs, DMSO only: each line's own vehicle, by plain arithmetic."""
    path = real_data / "macpie_ovarian_raw" / "counts.h5ad"
    table = pseudobulk(open_counts(path))
    assert table.deltas.shape == (64, 26_236)
    assert table.conditions["drug"].nunique() == 23
    assert table.controls["label"].tolist() == ["DMSO"] * 3
    assert table.controls["n_replicates"].tolist() == [1, 4, 2]
    assert table.provenance["controls"] == {"DMSO": 7, "Media": 15}
    assert table.provenance["controls_unused"] == 15
    assert table.genes["in_panel"].sum() == 2_000
    adata = anndata.read_h5ad(path)
    logs = log_normalised(adata.X.toarray())
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, flavor="seurat", n_top_genes=2_000)
    np.testing.assert_array_equal(table.genes["in_panel"], adata.var["highly_variable"])
    obs = adata.obs.reset_index()
    for row in (0, 30, 63):
        condition = table.conditions.iloc[row]
        here = obs["cell_line"] == condition["cell_line"]
        treated = here & (obs["drug"] == condition["drug"]) & (obs["dose"] == condition["dose_um"])
        expected = logs[treated].mean(axis=0) - logs[here & (obs["drug"] == "DMSO")].mean(axis=0)
        np.testing.assert_allclose(table.deltas[row], expected, atol=1e-5)


def test_counts_that_are_all_zero_are_said():
    """It is not the vehicle's label that is wrong."""
    with pytest.raises(InputError, match="none of the 10 cells holds any"):
        pseudobulk(Counts(np.zeros_like(X), OBS))
