"""Small files of exactly the forms in which public atlases are published."""

import h5py
import numpy as np
import pandas as pd

from tests.support.count_files import write_h5ad

LINES = {"CVCL_0023": "A549", "CVCL_1098": "HepG2/C3A", "CVCL_0399": "LoVo"}
GENES = [f"GENE{i}" for i in range(12)]
DRUGS = ("Infigratinib", "Trametinib", "Trametinib (DMSO_TF solvate)", "Sacubitril/Valsartan")


def literal(drug, dose):
    """Tahoe's treatment: ``[('Infigratinib', 0.05, 'uM')]``."""
    return str([(drug, dose, "uM")])


def rhaister_plate(plate, dose, *, odd=("Adagrasib", 0.05), seed=0):
    """The ready deltas of one plate: every line and drug at one dose, and one odd well."""
    rng = np.random.default_rng([seed, plate])
    treatments = [literal(drug, dose) for drug in DRUGS]
    treatments += [] if odd is None else [literal(*odd)]
    rows = [(line, text) for line in LINES for text in treatments]
    frame = pd.DataFrame(rows, columns=["cell_line", "treatment"])
    return frame.join(pd.DataFrame(rng.normal(size=(len(rows), len(GENES))), columns=GENES))


def tahoe_tables(folder):
    """Write the four metadata tables, with their traps, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    drugs = pd.DataFrame(
        {
            "drug": [*DRUGS, "Adagrasib", "Verteporfin"],
            "targets": ["FGFR1", "MAP2K1", "MAP2K1", "", "KRAS", ""],
            "moa-broad": "inhibitor/antagonist",
            "moa-fine": ["FGFR inhibitor", "MEK inhibitor", "MEK inhibitor", *["unclear"] * 3],
            "human-approved": "yes",
            "clinical-trials": "yes",
            "gpt-notes-approval": "",
            "canonical_smiles": ["CCO", "CCN", "CCN.CS(=O)C", "CCC", "CCCl", None],
            "pubchem_cid": ["1.0", "11707110.0", "11707110.0", "4.0", "5.0", "6.0"],
        }
    )
    drugs.to_parquet(folder / "drug_metadata.parquet")
    lines = pd.DataFrame(
        {
            "cell_name": ["A549", "A549", "HepG2/C3A", "LoVo", "Unused"],
            "Cell_ID_DepMap": ["ACH-000681", "ACH-000681", "NA", "ACH-000950", "ACH-000001"],
            "Cell_ID_Cellosaur": ["CVCL_0023", "CVCL_0023", "CVCL_1098", "CVCL_0399", "CVCL_9999"],
            "Organ": ["Lung", "Lung", "Liver", "Bowel", "Skin"],
            "Driver_Gene_Symbol": ["CDKN2A", "KRAS", "", "APC", ""],
        }
    )
    lines.to_parquet(folder / "cell_line_metadata.parquet")
    samples = pd.DataFrame(
        {
            "sample": ["smp_1", "smp_2", "smp_3", "smp_4", "smp_5"],
            "plate": ["plate1", "plate1", "plate1", "plate3", "plate3"],
            "drug": ["Infigratinib ", "DMSO_TF", DRUGS[2], "DMSO_TF", "Infigratinib"],
            "drugname_drugconc": [
                literal("Infigratinib ", 0.05),
                literal("DMSO_TF", 0.0),
                literal(DRUGS[2], 0.05),
                literal("DMSO_TF", 0.0),
                literal("Infigratinib", 5.0),
            ],
        }
    )
    samples.to_parquet(folder / "sample_metadata.parquet")
    genes = pd.DataFrame({"gene_symbol": GENES, "token_id": np.arange(3, 3 + len(GENES))})
    genes["ensembl_id"] = [f"ENSG{i:011d}" for i in range(len(GENES))]
    genes.to_parquet(folder / "gene_metadata.parquet")
    return folder


def rhaister_folder(folder, plates):
    """Write what ``lgr fetch tahoe`` leaves: plates ({number: dose}) and tables."""
    (folder / "cell_eval").mkdir(parents=True)
    for plate, dose in plates.items():
        path = folder / "cell_eval" / f"plate_plate{plate}.parquet"
        rhaister_plate(plate, dose).to_parquet(path, index=False)
    tahoe_tables(folder / "metadata")
    return folder


def expression_shard(path, cells, *, ids=float, marker=True):
    """Write cells (sample, drug, line id, plate, {gene number: count}) as a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(cells, columns=["sample", "drug", "cell_line_id", "plate", "counts"])
    counts = frame.pop("counts")
    first = ([1], [-2.0]) if marker else ([], [])
    frame.insert(0, "genes", [[ids(t) for t in (*first[0], *(g + 3 for g in c))] for c in counts])
    frame.insert(1, "expressions", [[*first[1], *map(float, c.values())] for c in counts])
    frame["BARCODE_SUB_LIB_ID"] = [f"cell{i}" for i in range(len(frame))]
    frame["moa-fine"], frame["canonical_smiles"], frame["pubchem_cid"] = "unclear", "CCO", "1.0"
    frame.to_parquet(path, row_group_size=2, index=False)
    return path


def tahoe_obs(rows):
    """``obs`` of a Tahoe plate file from (drug, dose, line id, pass_filter, plate) tuples."""
    columns = ["drug", "dose", "cell_line", "pass_filter", "plate"]
    obs = pd.DataFrame(rows, columns=columns)
    pairs = zip(obs["drug"], obs.pop("dose"), strict=True)
    obs["drugname_drugconc"] = [literal(drug, dose) for drug, dose in pairs]
    obs["drug"] = obs["drug"].str.strip()
    obs["cell_name"] = obs["cell_line"].map(LINES)
    obs["sample"], obs["sublibrary"], obs["phase"] = "smp_1", "lib_1", "G1"
    obs["gene_count"], obs["tscp_count"], obs["pcnt_mito"] = 2, 10, 0.01
    names = obs.select_dtypes(object).columns
    return obs.astype(dict.fromkeys(names, "category"))


def contrast_shard(path, line, rows):
    """Write (drug, concentration, plate, {gene: (base mean, log2 change)}) of a line as a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    long = [
        (gene, level, change, drug, concentration, plate)
        for drug, concentration, plate, genes in rows
        for gene, (level, change) in genes.items()
    ]
    columns = ["gene_name", "baseMean", "log2FoldChange", "drug", "concentration", "plate"]
    frame = pd.DataFrame(long, columns=columns).astype({"concentration": "float32"})
    frame["lfcSE"], frame["stat"], frame["pvalue"], frame["padj"] = 0.1, 1.0, 0.5, np.nan
    frame["n_cells_trt"], frame["n_cells_ctrl"] = 40, 3_000
    frame["Cell_ID_Cellosaur"], frame["Cell_ID_DepMap"] = line, "NA"
    frame["concentration_unit"], frame["Cell_Name_Vevo"] = "uM", LINES[line]
    frame.to_parquet(path, row_group_size=3, index=False)
    return path


def sciplex_file(path, *, shifted=False):
    """Write sci-Plex as scPerturb does: dose in nM, ``control``; shifted as before its v1.4."""
    obs = pd.DataFrame(
        {
            "perturbation": ["Talc", "control", "Talc", "control"],
            "dose_value": [100.0, 0.0, 10.0, 0.0],
            "dose_unit": "nM",
            "cell_line": ["A549", "A549", "K562", "K562"],
            "celltype": "alveolar", "tissue_type": "cell_line", "organism": "human",
            "perturbation_type": "drug", "ncounts": 4.0, "time": 24.0, "replicate": "rep1",
            "plate": "plate1",
        }
    )  # fmt: skip
    symbols, ids = ["nan", "G1", "G2"], ["id gene_short_name", "ENSG00000000003", "ENSG00000000005"]
    if not shifted:
        symbols, ids = ["G1", "G2", "G3"], [*ids[1:], "ENSG00000000419"]
    var = pd.DataFrame({"ensembl_id": ids}, index=pd.Index(symbols, name="gene_symbol"))
    return write_h5ad(path, [[4, 0, 0], [1, 1, 0], [0, 2, 0], [3, 1, 0]], obs, var)


def op3_counts(path):
    """Write OP3's single cells: layer counts, ``Dimethyl Sulfoxide``, two positive controls."""
    names = ["Dimethyl Sulfoxide", "Dabrafenib", "Belinostat", "Talc"]
    obs = pd.DataFrame(
        {
            "sm_name": names, "cell_type": "NK cells", "dose_uM": [14.1, 1.0, 1.0, 1.0],
            "timepoint_hr": 24.0, "well": ["A1", "A2", "A3", "A4"], "plate_name": "plate_0",
            "donor_id": "donor_0", "split": "train", "container_format": "96",
            "raw_cell_id": "x", "hashtag_id": "Human-HTO-1", "row": "A", "col": "1",
        }
    )  # fmt: skip
    counts = np.array([[1, 1], [3, 1], [1, 3], [9, 1]], dtype=np.float32)
    return write_h5ad(path, counts * 0.5, obs, layers={"counts": counts})


def op3_contrasts(path):
    """Write OP3's contrasts: layers of limma, a flag on the positive controls."""
    names = ["Dabrafenib", "Belinostat", "Talc"]
    obs = pd.DataFrame(
        {
            "cell_type": "NK cells", "sm_name": names, "sm_lincs_id": ["LSM-1", "LSM-2", "LSM-3"],
            "SMILES": ["CCO", "CCN", "CCC"], "split": ["control", "control", "train"],
            "control": [True, True, False],
        }
    )  # fmt: skip
    change = np.array([[1, -1], [2, 0], [-3, 1]], dtype=np.float32)
    layers = {"logFC": change, "P.Value": abs(change), "clipped_sign_log10_pval": change * 4}
    return write_h5ad(path, None, obs, layers=layers)


def bridge_file(path):
    """Write Chem-PerturBridge's common schema: counts summed over cells, lines by Cellosaurus."""
    wells = [("A1", "Talc", False, 10.0), ("A2", "Zinc", False, 0.01), ("A3", "dmso", True, 0.0)]
    rows = [(*well, line) for line in ("CVCL_0023", "CVCL_0399") for well in wells]
    columns = ["well", "perturbagen", "is_control", "pert_dose_uM", "cell_type"]
    obs = pd.DataFrame(rows, columns=columns).assign(plate="plate9")
    obs["is_control"] = obs["is_control"].astype("category")
    obs["pert_type"], obs["pert_time_h"], obs["pubchem_cid"] = "compound", 24.0, [*"123123"]
    obs["dataset"], obs["assay"], obs["tissue"] = "srivatsan20_sciplex3", "sci-Plex", "lung"
    obs["psbulk_cells"], obs["psbulk_counts"] = [12, 30, 200] * 2, 40
    var = pd.DataFrame({"symbol": ["TP53", "MYC"]}, index=["ENSG00000141510", "ENSG00000136997"])
    return write_h5ad(path, [[30, 10], [10, 30], [20, 20]] * 2, obs, var)


def bridge_contrasts(path):
    """Write Chem-PerturBridge's contrasts of a line: layers of limma, the plate of one sample."""
    obs = pd.DataFrame({"perturbagen": ["Talc", "Zinc"], "pert_dose_uM": [10.0, 0.01]})
    obs["cell_type"], obs["pert_time_h"], obs["is_control"] = "CVCL_0023", 24.0, False
    obs["plate"], obs["well"], obs["psbulk_cells"] = "plate9", ["A1", "A2"], [1, 2]
    change = np.array([[1, -1], [2, 0]], dtype=np.float32)
    var = pd.DataFrame({"symbol": ["TP53", "MYC"]}, index=["ENSG00000141510", "ENSG00000136997"])
    return write_h5ad(path, None, obs, var, layers={"logFC": change, "AveExpr": abs(change)})


L1000_ROWS = [
    # id, drug, line, type, dose, unit, nominal dose, replicates
    ("S1", "Talc", "A549", "trt_cp", "10.0", "um", "10 um", "a|b"),
    ("S2", "DMSO", "A549", "ctl_vehicle", "-666.0", "-666", "-666", "c"),
    ("S3", "Zinc", "A549", "trt_cp", "300.0|300.000000", "nM", "-666", "-666"),
    ("S4", "TP53", "A549", "trt_sh", "1.5", "ul", "1.5 ul", "e"),
    ("S5", "Iron", "A549", "trt_cp", "5", "um", "5 um", "f"),
    ("S6", "Gold", "A549", "trt_cp", "-666", "-666", "-666", "g"),
    ("S7", "Talc", "MCF7", "trt_cp", "9.9", "um", "10 um", "h|i|j"),
    ("S8", "-666", "MCF7", "trt_cp", "1", "um", "1 um", "k"),
]
L1000_SCORES = np.array(
    [[1, 2, 9], [0, 0, 0], [-1, 1, 9], [5, 5, 5], [-666, 1, 9], [2, 2, 9], [3, -3, 9], [1, 1, 1]],
    np.float32,
)


def l1000_folder(folder, *, beta=False):
    """Write a level-5 gctx and its tables, as GEO has them or (``beta``) as CMap 2020."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "level5.gctx", "w") as file:
        file["0/DATA/0/matrix"] = L1000_SCORES
        file["0/META/ROW/id"] = np.array([b"7157", b"4609", b"1"])
        file["0/META/COL/id"] = np.array([row[0].encode() for row in L1000_ROWS])
    names = ["sig_id", "pert_iname", "cell_id", "pert_type", "pert_dose", "pert_dose_unit"]
    names += ["pert_idose", "distil_id"]
    signatures = pd.DataFrame(L1000_ROWS, columns=names).assign(pert_time="24", pert_id="BRD-1")
    genes = pd.DataFrame({"pr_gene_id": ["4609", "7157", "1"], "pr_is_lm": ["1", "1", "0"]})
    genes["pr_gene_symbol"] = ["MYC", "TP53", "A1BG"]
    drugs = pd.DataFrame({"pert_iname": ["Talc", "Zinc"], "canonical_smiles": ["CCO", "-666"]})
    if beta:
        signatures = signatures.rename(columns={"pert_iname": "cmap_name", "cell_id": "cell_iname"})
        genes["feature_space"] = ["landmark", "landmark", "inferred"]
        genes = genes.drop(columns="pr_is_lm")
        genes = genes.rename(columns={"pr_gene_id": "gene_id", "pr_gene_symbol": "gene_symbol"})
        drugs = drugs.rename(columns={"pert_iname": "cmap_name"})
    tables = ("siginfo_beta", "geneinfo_beta", "compoundinfo_beta")
    geo = ("GSE92742_Broad_LINCS_sig_info", "GSE_gene_info", "GSE_pert_info")
    for name, table in zip(tables if beta else geo, (signatures, genes, drugs), strict=True):
        table.to_csv(folder / f"{name}.txt{'' if beta else '.gz'}", sep="\t", index=False)
    return folder
