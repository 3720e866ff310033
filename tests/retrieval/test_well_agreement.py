"""Agreement between wells: each kind of second well by hand, and not known without one."""

from copy import copy

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.annotate import annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import UsageError
from lgr_core.retrieval.specific_change import specific_changes
from lgr_core.retrieval.well_agreement import drug_agreement, well_agreement
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas


def pearson(x, y):
    """As NumPy has it."""
    return np.corrcoef(x, y)[0, 1]


def test_twins_are_compared_in_each_line_and_lines_never(tmp_path):
    """D00 and D01 are forms of one parent; of all others nothing is known."""
    parents = ["P", "P", *(f"D{b:02}" for b in range(2, 24))]
    store = plated_atlas(tmp_path / "twins", lines=2, drugs=24, plates=1, parents=parents)
    table = well_agreement(store)
    specific = specific_changes(store).of(np.arange(48))
    for line, start in (("L0", 0), ("L1", 24)):
        pair = table[(table["cell_line"] == line) & table["drug"].isin(["D00", "D01"])]
        r = pearson(specific[start], specific[start + 1])
        assert pair["twin"].tolist() == pytest.approx([r, r], abs=1e-5)
        assert pair["agreement"].tolist() == pair["twin"].tolist()
        assert set(pair["kind"]) == {"twin"}
    rest = table[~table["drug"].isin(["D00", "D01"])]
    assert rest["agreement"].isna().all()
    assert set(rest["kind"]) == {""}
    by_drug = drug_agreement(table).set_index("drug")
    rs = [pearson(specific[start], specific[start + 1]) for start in (0, 24)]
    assert by_drug.loc["D00", "agreement"] == pytest.approx(np.median(rs), abs=1e-5)
    assert (by_drug.loc["D00", "n_lines"], by_drug.loc["D00", "kinds"]) == (2, "twin")
    assert np.isnan(by_drug.loc["D05", "agreement"])
    assert (by_drug.loc["D05", "n_lines"], by_drug.loc["D05", "kinds"]) == (0, "")


def test_plates_are_compared_where_deltas_are_kept_by_plate(tmp_path):
    """On each plate less the mean of the plate's other drugs; D25 stands on one plate alone."""
    store = plated_atlas(tmp_path / "plates", lines=1, drugs=26, plates=2, by_plate=True)
    table = well_agreement(store)
    deltas = store.unit_deltas(np.arange(len(store.plates)))
    plate = store.plates["plate"].to_numpy()
    own = store.plates["condition"].to_numpy()
    changes = [
        deltas[(plate == p) & (own == 3)][0] - deltas[(plate == p) & (own != 3)].mean(axis=0)
        for p in ("P0", "P1")
    ]
    row = table[table["drug"] == "D03"].iloc[0]
    assert row["plate"] == pytest.approx(pearson(*changes), abs=1e-5)
    assert row["kind"] == "plate"
    assert np.isnan(table[table["drug"] == "D25"]["agreement"].iloc[0])


def test_changes_by_plate_average_to_those_of_conditions(tmp_path):
    """Two plates of equal weight; a condition on one plate has the change of that one."""
    store = plated_atlas(tmp_path / "plates", lines=1, drugs=26, plates=2, by_plate=True)
    changes = specific_changes(store)
    plates = changes.line(0)
    by_unit = plates.unit_changes(changes.unit_deltas(plates))
    mean = pd.DataFrame(by_unit).groupby(plates.condition_of_unit).mean().to_numpy()
    np.testing.assert_allclose(mean, changes.of(np.arange(26)), atol=1e-5)


@pytest.fixture(scope="module")
def dosed(tmp_path_factory):
    """One plate: twelve drugs at 1 uM, and D00 at 0.1, 1 and 10 uM."""
    rng = np.random.default_rng(0)
    keys = [("L", "D00", 0.1), *(("L", f"D{b:02}", 1.0) for b in range(12)), ("L", "D00", 10.0)]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    plates = pd.DataFrame({"condition": range(len(keys)), "plate": "P"})
    names = sorted({drug for _, drug, _ in keys})
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(30)], "ensembl_id": ""})
    table = DeltaTable(
        conditions.assign(n_cells=np.nan, n_replicates=1.0, underpowered=False),
        rng.standard_normal((len(keys), 30)).astype(np.float32),
        genes.assign(in_panel=True, variability=1.0),
        ValueKind.LOG2FC,
        plates=plates.assign(n_cells=np.nan, n_replicates=1.0, control="publisher"),
    )
    about = {"drug": names, "parent": names, "smiles": "", "moa": "", "targets": ""}
    folder = tmp_path_factory.mktemp("dosed") / "dosed"
    build_atlas(
        table,
        folder,
        drugs=pd.DataFrame(about),
        cell_lines=annotate_lines(["L"], []),
        fingerprints=np.zeros((len(names), 256), dtype=np.uint8),
    )
    return open_atlas("dosed", folder.parent)


def test_a_dose_is_compared_with_its_neighbours(dosed):
    """The middle dose with both, by the mean; the outer ones with the middle one."""
    table = well_agreement(dosed)
    changes = specific_changes(dosed).of(np.arange(len(table)))
    rows = {
        dose: i
        for i, (drug, dose) in enumerate(zip(table["drug"], table["dose_um"], strict=True))
        if drug == "D00"
    }
    low, high = (pearson(changes[rows[1.0]], changes[rows[dose]]) for dose in (0.1, 10.0))
    found = table.loc[[rows[0.1], rows[1.0], rows[10.0]], "dose"]
    assert found.tolist() == pytest.approx([low, (low + high) / 2, high], abs=1e-5)
    assert table.loc[table["drug"] != "D00", "agreement"].isna().all()


def test_without_plates_nothing_is_claimed(tmp_path):
    """The atlas names none."""
    with pytest.raises(UsageError, match="plate"):
        well_agreement(build_world(tmp_path / "world"))


def test_a_line_without_plates_is_not_known_beside_one_with_them(tmp_path):
    """The plates of the first line are taken out of the table."""
    parents = ["P", "P", *(f"D{b:02}" for b in range(2, 24))]
    store = copy(plated_atlas(tmp_path / "p", lines=2, drugs=24, plates=1, parents=parents))
    store.plates = store.plates[store.plates["condition"] >= 24].reset_index(drop=True)
    table = well_agreement(store)
    assert table["agreement"].notna().tolist() == [False] * 24 + [True] * 2 + [False] * 22
