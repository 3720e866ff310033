"""Gene names, made unique."""

import pandas as pd
import pytest

from lgr_core.atlas.sources.features import name_genes
from lgr_core.errors import AmbiguousError


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
