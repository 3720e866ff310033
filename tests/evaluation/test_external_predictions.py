"""Someone else's predictions: each condition once, each gene once, whatever they are called."""

from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Condition
from lgr_core.errors import InputError
from lgr_core.evaluation.external_predictions import read_external_predictions
from lgr_core.prediction.method import Status
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.toy_atlas import build_toy, toy_table


@pytest.fixture
def names(toy):
    """Line, drug and dose of every condition."""
    frame = toy.conditions[["cell_line", "drug", "dose_um"]].reset_index(drop=True)
    return frame.astype({"cell_line": str, "drug": str})


@pytest.fixture
def write(toy, tmp_path):
    """Write predictions as a CSV: for these conditions, and genes called as these."""

    def run(conditions, genes=None):
        called = toy.gene_names[: toy.n_panel] if genes is None else genes
        values = np.linspace(-1, 1, len(conditions) * len(called)).reshape(-1, len(called))
        table = pd.DataFrame(values, columns=called)
        path = tmp_path / "theirs.csv"
        pd.concat([conditions.reset_index(drop=True), table], axis=1).to_csv(path, index=False)
        return path

    return run


def h5ad(path, conditions, var):
    """Write predictions as an h5ad with a table of genes."""
    obs = conditions.set_axis(conditions.index.astype(str))
    values = np.ones((len(obs), len(var)), dtype=np.float32)
    anndata.AnnData(values, obs=obs, var=var).write_h5ad(path)
    return path


def test_what_the_file_holds_is_read_by_the_atlases_names(toy, write, names):
    """Another spelling of a condition that stands once is welcome."""
    guest = read_external_predictions(toy, write(names.assign(drug=names["drug"].str.upper())))
    block = next(EvidenceReader(toy).blocks(np.arange(len(names))))
    assert set(guest.predict(block).status) == {Status.OK}


@pytest.mark.parametrize(
    "again",
    [{"cell_line": "a-549"}, {"drug": "GSK1120212"}, {"cell_line": "A 549", "drug": "gsk1120212"}],
    ids=["line", "drug", "both"],
)
def test_a_condition_under_two_spellings_is_refused(toy, write, names, again):
    """Neither row is better than the other; the condition is named."""
    row = names[(names["cell_line"] == "A549") & (names["drug"] == "Trametinib")].iloc[[0]]
    said = Condition("A549", "Trametinib", float(row["dose_um"].item()))
    path = write(pd.concat([names, row.assign(**again)]))
    with pytest.raises(InputError, match=f"1 rows repeat a condition .*e.g. {said}. Give each"):
        read_external_predictions(toy, path)


@pytest.mark.parametrize("ids", [False, True], ids=["names alone", "Ensembl ids too"])
def test_a_gene_that_stands_twice_is_refused_by_name(toy, tmp_path, names, ids):
    """Which of the two is meant, nobody knows."""
    genes = list(toy.gene_names)
    var = pd.DataFrame(index=[*genes, genes[1]])
    if ids:
        var["ensembl_id"] = [f"ENSG{i:011d}" for i in range(len(var))]
    path = h5ad(tmp_path / "twice.h5ad", names, var)
    with pytest.raises(InputError, match=f"gene '{genes[1]}' more than once"):
        read_external_predictions(toy, path)


def test_a_csv_with_a_gene_twice_is_refused_too(toy, write, names):
    """As an h5ad is."""
    genes = [*toy.gene_names, toy.gene_names[0]]
    with pytest.raises(InputError, match="more than once"):
        read_external_predictions(toy, write(names, genes))


def test_a_gene_twice_that_is_not_of_the_panel_does_no_harm(toy, write, names):
    """Nothing of it is read."""
    last = toy.gene_names[-1]
    assert last not in toy.gene_names[: toy.n_panel]
    read_external_predictions(toy, write(names, [*toy.gene_names, last, "OTHER", "OTHER"]))


def single_dose(conditions):
    """The conditions at 5 uM."""
    return conditions[conditions["dose_um"] == 5.0]


def test_columns_are_named_by_role(toy, write, names):
    """Of two columns that could be the drug, the one that is named counts."""
    table = names.rename(columns={"drug": "agent_tested"})
    with pytest.raises(InputError, match="--column drug="):
        read_external_predictions(toy, write(table))
    guest = read_external_predictions(toy, write(table), {"drug": "agent_tested"})
    block = next(EvidenceReader(toy).blocks(np.arange(len(names))))
    assert set(guest.predict(block).status) == {Status.OK}


@pytest.mark.parametrize("repeated", [False, True], ids=["once", "a row a dose"])
def test_missing_doses_are_said(toy, write, names, repeated):
    """The atlas has two doses, so a file without any means none of its conditions."""
    table = names if repeated else single_dose(names)
    with pytest.raises(InputError, match=r"no doses.*several \(0.5, 5 uM\).*--column dose=NAME"):
        read_external_predictions(toy, write(table.drop(columns="dose_um")))


def test_the_atlases_one_dose_needs_no_naming(tmp_path, write):
    """Where every condition was measured at 5 uM, a file without doses is read at 5 uM."""
    table = toy_table()
    keep = (table.conditions["dose_um"] == 5.0).to_numpy()
    fields = {
        "conditions": table.conditions[keep].reset_index(drop=True),
        "deltas": table.deltas[keep],
        "plates": table.plates.iloc[:0],
        "plate_deltas": None,
    }
    build_toy(tmp_path / "atlases" / "one", replace(table, **fields))
    one = open_atlas("one", tmp_path / "atlases")
    guest = read_external_predictions(one, write(one.conditions[["cell_line", "drug"]].astype(str)))
    block = next(EvidenceReader(one).blocks(np.arange(len(one.conditions))))
    assert set(guest.predict(block).status) == {Status.OK}
