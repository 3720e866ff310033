"""What columns are called, and which are no genes."""

import pytest

from lgr_core.atlas.sources.column_names import (
    is_metadata_name,
    is_role_name,
    likeness,
    name_in_tiers,
)

DOSES = [
    "Dose (uM)",
    "dose_\N{MICRO SIGN}M",
    "dose_\N{GREEK SMALL LETTER MU}M",
    "dose_mM",
    "Dose.uM",
    "Concentration [uM]",
    "conc. (nM)",
    "concentration_nM",
    "dose in uM",
    "conc (umol/L)",
    "Dose (micromolar)",
    "dose_pM",
    "dose_M",
    "DRUG_CONC_NM",
]


@pytest.mark.parametrize("name", DOSES)
def test_doses_are_known_with_any_unit(name):
    """Brackets, dots, case and both letters micro are no hindrance."""
    assert is_role_name(name)
    bare = name_in_tiers(name, "dose")
    assert bare in {"dose", "concentration", "conc", "drug_conc"}


@pytest.mark.parametrize("name", ["time", "Time (h)", "time_point", "timepoint_hr", "hours"])
def test_times_are_known(name):
    """With and without their unit."""
    assert is_role_name(name)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("log10_dose", "dose"),
        ("dose (ug/ml)", "dose"),
        ("FinalConc", "dose"),
        ("time since treatment", "time"),
        ("pert_itime", "time"),
        ("Day", "time"),
        ("um", "dose"),
        ("\N{MICRO SIGN}M", "dose"),
        ("nM", "dose"),
        ("micromolar", "dose"),
        ("Sodium", None),
        ("UMPS", None),
        ("TIMELESS", None),
        ("CONCORDANCE", None),
        ("genotype", None),
    ],
)
def test_strange_names_of_doses_and_times_are_noticed(name, like):
    """They are asked about, where names of genes are not."""
    assert likeness(name) == like


@pytest.mark.parametrize(
    "name",
    [
        "time_h",
        "n_umis",
        "pvalue",
        "P.Value",
        "padj",
        "adj.P.Val",
        "n_counts",
        "total_counts",
        "pct_counts_mt",
        "nCount_RNA",
        "FDR",
        "sample_id",
        "log1p_total_counts",
        "q-value",
        "",
        "temperature",
        "Temperature (C)",
        "temp",
        "viability",
        "cell viability [%]",
        "passage",
        "passage_number",
        "OD",
        "OD600",
        "pH",
        "confluence",
        "seeding density",
        "batch",
        "replicate",
        "well",
        "row",
        "col",
        "n",
    ],
)
def test_numbers_about_rows_are_no_genes(name):
    """Counts, p-values and ids."""
    assert is_metadata_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "TP53",
        "HLA-A",
        "MT-ND1",
        "NKX2-1",
        "PVALB",
        "H1-0",
        "HR",
        "TIMM8A",
        "NUMB",
        "IDH1",
        "NA",
        "PADI4",
        "RPL3",
        "TRAV1-2",
        "ENSG00000141510.17",
        "CONC1",
        "MIR-9",
        "N4BP2",
        "DUSP6",
        "PHB1",
        "ODC1",
        "AGER",
        "COL1A1",
        "ROR1",
        "TEMPS",
    ],
)
def test_genes_are_no_metadata(name):
    """Symbols that come near to a word of metadata."""
    assert not is_metadata_name(name)
