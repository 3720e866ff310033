"""Files hold what the answer holds, in each form."""

import io
import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from lgr_core.answer import predict
from lgr_core.answer.export import (
    answer_adata,
    answer_csv,
    answer_rnk,
    table_csv,
    write_answer,
)
from lgr_core.domain import Change
from lgr_core.errors import UsageError
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.plated_atlas import ByName, plated_atlas


@pytest.fixture(scope="module")
def answer(toy):
    """Trametinib in A549 from two neighbours."""
    return predict(toy, cell_line="A549", drug="Trametinib", selector="chemistry", k=2)


def test_csv_reads_back(answer):
    """One row a gene, one column a vector."""
    table = pd.read_csv(io.StringIO(answer_csv(answer)))
    assert table["gene"].tolist() == answer.genes.tolist()
    np.testing.assert_allclose(table["predicted"], answer.prediction.delta, rtol=1e-5)
    assert list(table.columns[3:]) == list(answer.retrieval.drugs)


def test_parquet_reads_back(answer, tmp_path):
    """The same table, unrounded."""
    write_answer(answer, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), answer.table())


def test_h5ad_reads_back(answer, tmp_path):
    """One observation a vector, with its role and condition, and where it came from."""
    write_answer(answer, tmp_path / "a.h5ad")
    adata = ad.read_h5ad(tmp_path / "a.h5ad")
    assert adata.obs["role"].tolist() == ["predicted", "measured", "neighbor", "neighbor"]
    assert adata.obs["drug"].tolist() == ["Trametinib", "Trametinib", *answer.retrieval.drugs]
    np.testing.assert_array_equal(adata.X[0], answer.prediction.delta)
    assert json.loads(adata.uns["provenance"])["atlas"] == "toy"


def test_an_unknown_ending_is_refused(answer, tmp_path):
    """Nothing is written."""
    with pytest.raises(UsageError, match=".csv, .parquet, .h5ad or .rnk"):
        write_answer(answer, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_spreadsheet_runs_no_cell():
    """Text that begins as a formula is marked; numbers, inner signs and other text stay."""
    cells = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "a=b", "", None]
    table = pd.DataFrame({"=name": cells, "value": [-1.5, *range(8)]})
    read = pd.read_csv(io.StringIO(table_csv(table)), keep_default_na=False)
    assert list(read.columns) == ["'=name", "value"]
    marked = [f"'{cell}" for cell in cells[:5]]
    assert read["'=name"].tolist() == [*marked, "'\nx", "a=b", "", ""]
    assert read["value"].tolist() == [-1.5, *range(8)]


def test_files_of_a_specific_change_say_so(tmp_path):
    """In the columns, in each observation and in a comment; those of a total change are as ever."""
    store = plated_atlas(tmp_path / "plated", lines=2, drugs=24)
    asked = {"cell_line": "L1", "drug": "D03", "selector": ByName("llm"), "k": 2}
    reader = EvidenceReader(store, change=Change.SPECIFIC)
    specific = predict(store, **asked, change=Change.SPECIFIC, reader=reader)
    table = pd.read_csv(io.StringIO(answer_csv(specific)))
    drugs = [f"{drug}_specific" for drug in specific.retrieval.drugs]
    assert list(table) == ["gene", "predicted_specific", "measured_specific", *drugs]
    np.testing.assert_allclose(table["predicted_specific"], specific.prediction.delta, rtol=1e-5)
    assert answer_rnk(specific).splitlines()[0] == "# predicted specific change"
    assert set(answer_adata(specific).obs["change"]) == {"specific"}
    total = predict(store, **asked)
    assert list(pd.read_csv(io.StringIO(answer_csv(total))))[:3] == [
        "gene",
        "predicted",
        "measured",
    ]
    assert not answer_rnk(total).startswith("#")
    assert set(answer_adata(total).obs["change"]) == {"total"}
