"""Long tables of differential expression become wide ones, or are refused with what to name."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources import read_deltas
from lgr_core.atlas.sources.inspection import inspect_file
from lgr_core.domain import ValueKind
from lgr_core.errors import AmbiguousError, InputError

CONTRASTS = [("A549", "Talc", 1.0), ("A549", "Zinc", 1.0), ("K562", "Talc", 1.0)]
GENES = [f"GENE{i}" for i in range(25)]
CHANGES = np.random.default_rng(0).normal(size=(3, 25)).astype(np.float32).round(3)


def long_frame(gene="gene", value="logFC", **statistics):
    """Three contrasts of 25 genes, gene by gene as DESeq2's users stack them."""
    rows = [
        {
            "cell_line": line,
            "drug": drug,
            "dose_uM": dose,
            gene: name,
            value: CHANGES[row, column],
            **statistics,
        }
        for column, name in enumerate(GENES)
        for row, (line, drug, dose) in enumerate(CONTRASTS)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def read(tmp_path):
    """Write a frame and read it as deltas."""

    def read(frame, kind=ValueKind.LOG2FC, name="long.csv", **columns):
        path = tmp_path / name
        frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
        choices = ReadOptions(overrides=columns)
        return read_deltas(path, value_kind=kind, choices=choices, min_cells=1)

    return read


STATISTICS = [
    "baseMean",
    "lfcSE",
    "stat",
    "AveExpr",
    "t",
    "B",
    "F",
    "logCPM",
    "LR",
    "logFC",
    "log2FoldChange",
    "avg_log2FC",
    "PValue",
    "FDR",
    "pct.1",
    "p_val_adj",
    "UMAP_1",
    "X_umap_2",
    "tSNE_1",
    "PC1",
    "PC_10",
    "size_factors",
    "sizeFactor",
    "ic50",
    "pIC50",
    "IC50_uM",
    "AUC",
    "S.Score",
    "percent.mt",
    "doublet_score",
    "total_counts_mt",
    "viability_score",
    "cell_cycle_diff",
    "mito_frac",
    "nCount_RNA",
    "logfoldchanges",
    "pvals_adj",
    "gr50",
    "fold_change",
]

WRITERS = {
    "DESeq2": ("gene", "log2FoldChange", {"baseMean": 80.0, "lfcSE": 0.1, "stat": 1.0, "padj": 1}),
    "edgeR": ("gene", "logFC", {"logCPM": 5.0, "F": 3.0, "PValue": 0.01, "FDR": 0.02}),
    "limma": ("", "logFC", {"AveExpr": 5.0, "t": 2.0, "P.Value": 0.1, "adj.P.Val": 1, "B": -1.0}),
    "Seurat": ("gene", "avg_log2FC", {"p_val": 0.01, "pct.1": 0.5, "pct.2": 0.4, "p_val_adj": 1}),
    "scanpy": ("names", "logfoldchanges", {"scores": 2.0, "pvals": 0.1, "pvals_adj": 0.2}),
    "pertpy": ("variable", "log_fc", {"p_value": 0.1, "adj_p_value": 0.2, "logCPM": 2.0}),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["long.csv", "long.parquet"])
def test_results_of_each_program_are_turned_into_contrasts(read, writer, name):
    """Every change is at its contrast and gene; statistics are no genes."""
    gene, value, statistics = WRITERS[writer]
    table = read(long_frame(gene, value, **statistics), name=name)
    found = table.conditions[["cell_line", "drug", "dose_um"]]
    assert list(found.itertuples(index=False, name=None)) == CONTRASTS
    assert table.genes["gene"].tolist() == GENES
    np.testing.assert_array_equal(table.deltas, CHANGES)
    assert table.provenance["long_table"] == {"gene": gene, "value": value}


def test_the_kind_chooses_among_columns(read):
    """A z-score is never read from a fold change, nor a log2 from a natural logarithm's name."""
    frame = long_frame(value="log2FoldChange").assign(stat=lambda f: f["log2FoldChange"] * 10)
    table = read(frame, ValueKind.ZSCORE)
    np.testing.assert_allclose(table.deltas, CHANGES * 10, rtol=1e-5)
    with pytest.raises(InputError, match=r"no column is called like.*--column value=NAME"):
        read(frame, ValueKind.LOGNORM_DELTA)
    table = read(frame, ValueKind.LOGNORM_DELTA, value="log2FoldChange")
    np.testing.assert_array_equal(table.deltas, CHANGES)


def test_two_columns_of_changes_are_told_apart_by_the_caller(read):
    """Shrunken and raw fold changes: which is meant nobody knows."""
    frame = long_frame(value="log2FoldChange", logFC=0.5)
    with pytest.raises(AmbiguousError, match="--column value=log2FoldChange"):
        read(frame)
    np.testing.assert_array_equal(read(frame, value="log2FoldChange").deltas, CHANGES)


def test_genes_without_a_number_in_some_contrast_are_left_out(read, caplog):
    """``NA`` of DESeq2, and a gene that one contrast does not list."""
    frame = long_frame(value="log2FoldChange").astype({"log2FoldChange": object})
    frame.loc[frame["gene"].eq("GENE3") & frame["drug"].eq("Zinc"), "log2FoldChange"] = "NA"
    frame = frame.drop(frame.index[frame["gene"].eq("GENE7") & frame["drug"].eq("Zinc")])
    table = read(frame)
    kept = [i for i in range(25) if i not in {3, 7}]
    np.testing.assert_array_equal(table.deltas, CHANGES[:, kept])
    assert table.provenance["genes_not_in_every_contrast"] == 2
    assert "left out: 2" in caplog.text
    one_each = pd.concat([frame.iloc[[0]], frame.iloc[[4]], frame.iloc[[8]]] * 1)
    one_each = pd.concat([one_each, frame.iloc[[9]]])
    with pytest.raises(InputError, match="none of 4 genes has a number in each of 3 contrasts"):
        read(one_each, gene="gene")


def test_a_gene_twice_in_a_contrast_is_refused(read):
    """Until a column is named that tells the rows apart."""
    frame = pd.concat([long_frame(batch=1), long_frame(batch=2)])
    with pytest.raises(InputError, match=r"'GENE0' stands more than once.*--column plate=NAME"):
        read(frame)
    table = read(frame, plate="batch")
    np.testing.assert_array_equal(table.deltas, CHANGES)
    assert table.plates["plate"].nunique() == 2


def test_missing_roles_are_asked_for_by_their_flag(read):
    """Scanpy calls the drug ``group``; the flag that names it makes the file readable."""
    frame = long_frame("names", "logfoldchanges").rename(columns={"drug": "group"})
    with pytest.raises(InputError, match=r"'group'.*--column drug=NAME") as caught:
        read(frame)
    assert "cell_line" not in caught.value.do
    np.testing.assert_array_equal(read(frame, drug="group").deltas, CHANGES)


@pytest.mark.parametrize(
    "columns",
    [
        ("names", "scores", "logfoldchanges", "pvals", "pvals_adj"),
        ("", "baseMean", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj"),
    ],
)
def test_one_contrast_without_line_and_drug_says_what_it_lacks(read, columns):
    """The results of one comparison, as scanpy and DESeq2 write them."""
    frame = pd.DataFrame(CHANGES[0, :, np.newaxis].repeat(len(columns), 1), columns=list(columns))
    frame[columns[0]] = GENES
    with pytest.raises(InputError, match="--column cell_line=NAME --column drug=NAME"):
        read(frame)
    table = read(frame.assign(cell_line="A549", drug="Talc"))
    np.testing.assert_array_equal(table.deltas, CHANGES[:1])


def test_results_of_cell_eval_are_refused_with_what_to_name(read):
    """A ratio is not taken for its logarithm; nothing says which line it is."""
    frame = long_frame("feature", "fold_change", p_value=0.1, statistic=2.0)
    frame = frame.rename(columns={"drug": "target"}).drop(columns=["cell_line", "dose_uM"])
    frame = frame.drop_duplicates(["target", "feature"])
    with pytest.raises(InputError, match="--column value=NAME"):
        read(frame)
    with pytest.raises(InputError, match="--column cell_line=NAME --column drug=NAME"):
        read(frame, value="fold_change")


def test_genes_under_an_unknown_name_are_asked_for(read):
    """Twenty and more texts, each once in a condition, are no replicates."""
    frame = long_frame("locus", "logFC")
    with pytest.raises(InputError, match="--column gene='locus'"):
        read(frame)
    np.testing.assert_array_equal(read(frame, gene="locus").deltas, CHANGES)


def test_a_wide_table_with_a_column_called_gene_stays_wide(read):
    """A gene that was silenced in each row is metadata: the rows are conditions."""
    frame = pd.DataFrame(CHANGES, columns=GENES)
    frame.insert(0, "gene", ["TP53", "MYC", "TP53"])
    frame.insert(0, "drug", ["Talc", "Talc", "Zinc"])
    frame.insert(0, "cell_line", "A549")
    assert read(frame).genes["gene"].tolist() == GENES


def test_the_preview_shows_contrasts(tmp_path):
    """Rows and genes as they will be; roles may be open."""
    path = tmp_path / "long.csv"
    long_frame(pvalue=0.5).to_csv(path, index=False)
    found = inspect_file(path)
    assert (found.rows, found.genes, found.guesses["drug"]) == (3, 25, "drug")
    long_frame(pvalue=0.5).rename(columns={"drug": "group"}).to_csv(path, index=False)
    found = inspect_file(path)
    assert (found.rows, found.genes) == (3, 25)
    assert "group" in found.columns


@pytest.mark.parametrize(
    "name",
    STATISTICS,
)
def test_statistics_are_no_genes(read, name):
    """A column of numbers of this name is metadata of a wide table."""
    frame = pd.DataFrame({"cell_line": "A549", "drug": ["Talc", "Zinc"], "TP53": [0.5, -1.0]})
    table = read(frame.assign(**{name: [3.0, 4.0]}), dose="")
    assert table.genes["gene"].tolist() == ["TP53"]


@pytest.mark.parametrize("name", ["PCA3", "MDS2", "PC", "T", "STAT1", "SCD", "AR", "ICOS", "ACE2"])
def test_genes_of_similar_names_stay(read, name):
    """Official symbols that look like statistics, coordinates or potencies."""
    frame = pd.DataFrame({"cell_line": "A549", "drug": ["Talc", "Zinc"], "TP53": [0.5, -1.0]})
    assert name in read(frame.assign(**{name: [3.0, 4.0]})).genes["gene"].tolist()


def test_a_transposed_table_is_recognised(read):
    """One row a gene and one column a sample."""
    frame = pd.DataFrame(CHANGES.T, columns=["A549_Talc", "A549_Zinc", "K562_Talc"])
    frame.insert(0, "gene", GENES)
    with pytest.raises(InputError, match="it seems transposed: a row a gene"):
        read(frame)


TURNED = pd.DataFrame(
    {"cell_line": ["A549", "A549", "K562"], "drug": ["Talc", "Zinc", "Talc"], "dose_um": [1, 5, 5]}
).assign(TP53=[0.5, -1.0, 0.25], MDM2=[1.5, 2.0, -0.75])


@pytest.mark.parametrize("header", ["samples", "numbers", "lines"])
def test_a_transposed_table_that_names_lines_and_drugs_is_turned(read, header):
    """Whatever its header is: names of samples, numbers, or the lines themselves."""
    turned = TURNED.T.rename_axis("name")
    if header == "samples":
        turned.columns = ["s1", "s2", "s3"]
    if header == "lines":
        turned = TURNED.set_index("cell_line").T.rename_axis("cell_line")
    frame = turned.reset_index()
    found = read(frame)
    assert found.genes["gene"].tolist() == ["TP53", "MDM2"]
    assert found.conditions["drug"].tolist() == ["Talc", "Zinc", "Talc"]
    assert found.conditions["cell_line"].tolist() == ["A549", "A549", "K562"]
    assert found.conditions["dose_um"].tolist() == [1.0, 5.0, 5.0]
    np.testing.assert_allclose(found.deltas, TURNED[["TP53", "MDM2"]].to_numpy())
    assert found.provenance["transposed"] is True


def test_what_is_odd_in_a_table_is_warned_of(read, caplog):
    """Columns that stand twice, dates for genes, changes of a million times."""
    frame = pd.DataFrame({"cell_line": "A549", "drug": ["Talc", "Zinc"], "TP53": [0.5, -31.0]})
    read(frame.assign(**{"TP53.1": [0.5, -1.0], "1-Mar": 1.0, "2-Sep": 0.5, "AC0123.4": 0.1}))
    assert "stand several times: TP53.1" in caplog.text
    assert "AC0123.4" not in caplog.text
    assert "spreadsheets write them: 1-Mar, 2-Sep" in caplog.text
    assert "1 changes are 20 or more (-31 for TP53)" in caplog.text
    caplog.clear()
    read(frame.replace(-31.0, -19.0), ValueKind.LOG2FC)
    read(frame, ValueKind.ZSCORE)
    assert caplog.text == ""
