"""Measured changes as AnnData: the right numbers beside the right names."""

import numpy as np
import pytest

from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.toy_atlas import DRUGS, LINES, toy_delta


def test_every_condition_is_an_observation(noted):
    """Its change stands in its row, gene by gene."""
    adata = noted.to_anndata(all_genes=True)
    assert adata.shape == (23, 8)
    assert adata.var_names[:6].tolist() == ["EGR1", "CDKN1A", "MDM2", "FOS", "SOCS3", "HMGCS1"]
    row = adata["Vorinostat in A549 at 0.5 uM"]
    expected = toy_delta("A549", "Vorinostat", 0.5)
    assert row[:, "HMGCS1"].X.item() == pytest.approx(expected[6])
    assert row[:, "DUSP6"].X.item() == pytest.approx(expected[0])
    assert row.obs["n_cells"].item() == 50
    assert row.obs["plates"].item() == "p1"
    assert row.obs["smiles"].item() == DRUGS["Vorinostat"]
    assert adata.uns["value_kind"] == "lognorm_delta"


def test_conditions_are_chosen_by_line_drug_and_dose(noted):
    """Names are read as everywhere else; the panel is the default."""
    adata = noted.to_anndata(cell_line="a549", drugs=["trametinib", "Vorinostat"], dose_um=0.5)
    assert adata.obs["drug"].tolist() == ["Trametinib", "Vorinostat"]
    assert adata.n_vars == 6
    assert noted.to_anndata(drugs="Cobimetinib").obs["cell_line"].tolist() == list(LINES)


def test_specific_changes_leave_out_what_cannot_be_separated(plated, noted):
    """The others are as the atlas has them; of seven drugs on a plate none can be separated."""
    adata = plated.to_anndata(cell_line="L1", change="specific")
    rows = [plated.row(Condition("L1", f"D{b:02}", 1.0)) for b in range(26)]
    np.testing.assert_array_equal(adata.X, specific_changes(plated).of(np.array(rows)))
    assert adata.uns["not_separable"] == []
    few = noted.to_anndata(cell_line="LoVo", change="specific")
    assert few.n_obs == 0
    assert len(few.uns["not_separable"]) == 7


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"cell_line": "A54"}, NotFoundError),
        ({"cell_line": 549}, UsageError),
        ({"drugs": [1, 2]}, UsageError),
        ({"dose_um": "5"}, UsageError),
        ({"dose_um": 7.0}, NotFoundError),
        ({"change": "net"}, UsageError),
        ({"all_genes": "yes"}, UsageError),
    ],
)
def test_what_cannot_be_read_is_an_error_of_ours(noted, asked, error):
    """Never a TypeError from inside."""
    with pytest.raises(error):
        noted.to_anndata(**asked)
