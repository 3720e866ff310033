"""Small files of exactly the forms in which public atlases are published."""

import numpy as np
import pandas as pd

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
