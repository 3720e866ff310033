"""Gene names, made unique."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.pseudobulk import pseudobulk
from lgr_core.atlas.quality import left_out
from lgr_core.atlas.sources import open_counts, read_deltas
from lgr_core.atlas.sources.gene_names import find_genes, name_genes
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.domain import ValueKind
from lgr_core.errors import AmbiguousError, InputError
from tests.support.count_files import write_h5ad


def test_repeated_symbols_carry_their_ensembl_id():
    """The first keeps the symbol; versions of the ids are cut."""
    var = pd.DataFrame(
        {"gene_symbol": ["TBCE", "TBCE", "MATR3"], "ensembl_id": ["ENSG1.5", "ENSG2.1", "ENSG3"]}
    )
    genes = name_genes(var)
    assert genes["gene"].tolist() == ["TBCE", "TBCE_ENSG2", "MATR3"]
    assert genes["ensembl_id"].tolist() == ["ENSG1", "ENSG2", "ENSG3"]


def test_the_index_names_genes_where_no_column_does():
    """Without ids, copies are numbered."""
    genes = name_genes(pd.DataFrame(index=["A", "A", "A", "A_2"]))
    assert genes["gene"].tolist() == ["A", "A_3", "A_4", "A_2"]
    assert genes["ensembl_id"].tolist() == [""] * 4


def test_an_index_of_ensembl_ids_is_kept_beside_the_symbols():
    """CELLxGENE's form: ids as the index, symbols in feature_name, some missing."""
    var = pd.DataFrame({"feature_name": ["TP53", None]}, index=["ENSG00000141510.9", "ENSG2"])
    genes = name_genes(var)
    assert genes["gene"].tolist() == ["TP53", "ENSG2"]
    assert genes["ensembl_id"].tolist() == ["ENSG00000141510", "ENSG2"]


def test_na_is_a_gene_name():
    """The text NA is a name."""
    assert name_genes(pd.DataFrame({"gene_name": ["NA", "TP53"]}))["gene"].tolist() == [
        "NA",
        "TP53",
    ]


def test_overrides_settle_two_symbol_columns():
    """Two symbol columns that differ are ambiguous until one is named."""
    var = pd.DataFrame({"gene_symbol": ["A"], "gene_name": ["B"]})
    with pytest.raises(AmbiguousError, match="--column gene=gene_symbol"):
        name_genes(var)
    assert name_genes(var, {"gene": "gene_name"})["gene"].tolist() == ["B"]


def test_types_of_features_tell_genes_from_antibodies():
    """Gene Expression alone is genes, whatever the others are called; each other type counts."""
    types = ["Antibody Capture", "Gene Expression", "Antibody Capture", "Custom", None]
    var = pd.DataFrame({"feature_types": types}, index=["CD4", "HTO_gene", "CD8A", "x", "TP53"])
    found = find_genes(var, "file x")
    assert found.columns.tolist() == [1, 4]
    assert found.left_out == {"Antibody Capture": 2, "Custom": 1}


def test_biotypes_are_no_types_of_features():
    """CELLxGENE's ``feature_type`` holds protein_coding and the like: all are genes."""
    var = pd.DataFrame({"feature_type": ["protein_coding", "lncRNA"]}, index=["TP53", "MALAT1"])
    assert find_genes(var, "file x") == (None, {})


NO_GENES = [
    "HTO_1",
    "HTO-A0251",
    "Hashtag1",
    "hashtag_2",
    "CMO301",
    "ADT_CD3",
    "ADT-CD4",
    "CD8-ADT",
]
NO_GENES += [
    "CD3_TotalSeqB",
    "TotalSeqC_CD4",
    "Hash-tag 3",
    "ERCC-00002",
    "sgRNA_TP53",
    "KRAS_gRNA",
]
NO_GENES += ["Antibody_CD3"]


def test_names_tell_genes_from_the_rest_where_no_type_does():
    """Hashtags, antibodies, guides and spike-ins; genes of similar names stay."""
    genes = ["ERCC1", "HTR1A", "ADTRP", "HTOR", "ADT", "GUIDE1L", "HTT", "CD4", "CMOS", "ADAT1"]
    var = pd.DataFrame(index=[*genes, *NO_GENES])
    found = find_genes(var, "file x")
    assert found.columns.tolist() == list(range(len(genes)))
    assert sum(found.left_out.values()) == len(NO_GENES)


def test_symbols_count_as_names_too():
    """The index may hold identifiers alone."""
    var = pd.DataFrame({"gene_symbol": ["TP53", "HTO_1"]}, index=["ENSG1", "f2"])
    assert find_genes(var, "file x").left_out == {"hashtags": 1}


def test_a_file_of_antibodies_alone_is_refused():
    """There is nothing left to read."""
    var = pd.DataFrame({"feature_types": ["Antibody Capture"] * 2}, index=["CD4", "CD8A"])
    with pytest.raises(InputError, match="no feature is a gene \\(Antibody Capture: 2\\)"):
        find_genes(var, "file x")


COUNTS = np.array([[1, 9, 0], [3, 1, 90], [2, 8, 0], [4, 2, 50]])
TREATED = {"cell_line": ["A"] * 4, "drug": ["DMSO", "Talc"] * 2}


@pytest.mark.parametrize("typed", [True, False])
def test_hashtags_do_not_count_towards_the_total(tmp_path, typed):
    """The atlas of a file with hashtags is that of the same file without."""
    var = pd.DataFrame(index=["G0", "G1", "HTO_1"])
    if typed:
        var["feature_types"] = ["Gene Expression"] * 2 + ["Antibody Capture"]
    both = write_h5ad(tmp_path / "both.h5ad", COUNTS, TREATED, var)
    genes = write_h5ad(tmp_path / "genes.h5ad", COUNTS[:, :2], TREATED, var.iloc[:2])
    tables = [pseudobulk(open_counts(path), min_cells=1) for path in (both, genes)]
    np.testing.assert_array_equal(tables[0].deltas[:], tables[1].deltas[:])
    assert tables[0].genes["gene"].tolist() == ["G0", "G1"]
    kind = "Antibody Capture" if typed else "hashtags"
    assert tables[0].provenance["features_left_out"] == {kind: 1}
    assert left_out(tables[0].provenance) == {f"features: {kind}": 1}
    assert inspect_file(both).genes == 2


def test_deltas_of_hashtags_are_left_out(tmp_path):
    """Of an h5ad and of a table."""
    obs = {"cell_line": ["A", "A"], "drug": ["Talc", "Zinc"]}
    X = [[1.0, 5.0, -1.0], [-2.0, 5.0, 0.5]]
    var = pd.DataFrame(index=["G0", "HTO_1", "G1"])
    table = pd.DataFrame({**obs, **dict(zip(var.index, np.transpose(X), strict=True))})
    table.to_csv(tmp_path / "t.csv", index=False)
    for path in (write_h5ad(tmp_path / "t.h5ad", X, obs, var), tmp_path / "t.csv"):
        found = read_deltas(path, value_kind=ValueKind.LOG2FC)
        assert found.genes["gene"].tolist() == ["G0", "G1"]
        np.testing.assert_array_equal(found.deltas, [[1.0, -1.0], [-2.0, 0.5]])
        assert found.provenance["features_left_out"] == {"hashtags": 1}
