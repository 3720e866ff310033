"""What the simulated atlas assumes: every constant, and where a mechanism bites.

None of it is fitted to measured data or to a benchmark's figures. Effect size, depth and the
abundance of programme genes were raised once after a look at a first simulation, so that a
condition of some twenty cells shows its planted programme above the counting noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class DemoConstants:
    """Every number of the simulation. Effects are natural-log fold changes."""

    cells_per_condition: int = 20
    """Fewest cells of a drug, dose and line on a plate."""
    extra_cells: int = 3
    """Up to so many cells more, drawn evenly."""
    vehicle_cells: int = 100
    """Vehicle cells of a line on a plate."""
    top_dose_plates: int = 3
    """Plates that the drugs share at the highest dose; one more repeats the dose series there."""
    counts_per_cell: float = 2_000.0
    """Mean counts of a cell; as many as Tahoe-100M reports."""
    depth_sd: float = 0.35
    """Spread of the log counts of cells."""

    abundance_sd: float = 1.1
    """Spread of the genes' log abundance, shared by all lines."""
    expressed_shift: float = 0.7
    """Log abundance that housekeeping and programme genes have more than other genes."""
    tissue_shift: float = -0.7
    """Log abundance that genes of tissue families have more (less, that is)."""
    line_sd: float = 0.6
    """Spread of a gene's log abundance between lines."""
    organ_sd: float = 0.4
    """The part of that which lines of one organ share."""
    silent_share: float = 0.08
    """Share of genes that a line does not express."""
    silent_tissue_share: float = 0.5
    """The same for genes of tissue families."""
    always_expressed: int = 8
    """First genes of each signature, which no line silences."""
    plate_sd: float = 0.10
    """A plate's log shift of every gene; vehicle and treated cells of the plate share it."""
    well_sd: float = 0.04
    """A well's log shift of every gene; all lines in that well share it."""

    effect: float = 1.3
    """Mean effect of a saturating mechanism on the genes of its signatures."""
    gene_sd: float = 0.35
    """Log spread of the genes of a signature about that mean."""
    line_gene_sd: float = 0.30
    """Log spread of the same gene's response between lines."""
    line_signature_sd: float = 0.30
    """Log spread of a whole signature's response between lines."""
    deaf_share: float = 0.15
    """Share of a signature's genes that do not respond in a line."""
    drug_sd: float = 0.25
    """Log spread of strength between drugs, and of the mix of signatures within one mechanism."""
    effect_limit: float = 3.0
    """Log fold changes flatten towards this limit."""

    ec50_um: float = 0.2
    """Median concentration of half effect."""
    ec50_sd: float = 0.8
    """Log spread of that concentration between drugs."""
    hill: float = 1.2
    """Slope of the dose response."""

    private_genes: int = 80
    """Genes that a drug moves on its own, outside its programmes, alike in all lines."""
    private_sd: float = 0.45
    """Spread of those effects."""
    inert_scale: float = 0.1
    """What is left of the private effects for inert drugs: 53 of the 110, without any programme."""


@dataclass(frozen=True, slots=True)
class DriverRule:
    """Where tags or signatures bite: one factor in lines with a driver or organ, one elsewhere."""

    names: frozenset[str]
    drivers: frozenset[str]
    there: float
    elsewhere: float


def _rule(names: str, drivers: str, there: float, elsewhere: float) -> DriverRule:
    return DriverRule(
        frozenset(names.split()), frozenset(drivers.split(",")), there=there, elsewhere=elsewhere
    )


RULES = (
    # MAPK output depends on RAS and RAF where they are mutated.
    _rule("mek_inhibitor erk_inhibitor ras_inhibitor", "KRAS,NRAS,HRAS,BRAF,NF1", 1.2, 0.6),
    # RAF inhibitors act on mutant BRAF; wild-type RAF dimers escape them.
    _rule("raf_inhibitor", "BRAF", 1.2, 0.2),
    # Signalling below the receptor no longer needs it in RAS and RAF mutants.
    _rule("egfr_inhibitor her2_inhibitor met_inhibitor", "KRAS,NRAS,HRAS,BRAF", 0.35, 1.0),
    _rule("egfr_inhibitor", "EGFR", 1.3, 1.0),
    _rule("her2_inhibitor", "ERBB2", 1.5, 0.7),
    _rule("fgfr_inhibitor", "FGFR1,FGFR2,FGFR3", 1.3, 0.3),
    # Kinases that few carcinoma lines depend on.
    _rule("bcr_abl_inhibitor trk_inhibitor flt3_inhibitor ret_inhibitor", "ABL1", 0.4, 0.25),
    _rule("vegfr_inhibitor pdgfr_kit_inhibitor", "KIT,PDGFRA", 1.0, 0.5),
    _rule("pi3k_inhibitor akt_inhibitor mtor_inhibitor", "PIK3CA,PTEN,PIK3R1,AKT2", 1.2, 0.8),
    # No p53, no p53 response, whatever the damage; and nothing for an MDM2 inhibitor to free.
    _rule("p53_response", "TP53", 0.1, 1.0),
    _rule("mdm2_inhibitor", "TP53", 0.05, 1.0),
    # Without RB1 the cell cycle no longer asks CDK4/6.
    _rule("cdk46_inhibitor", "RB1", 0.1, 1.0),
    _rule("parp_inhibitor", "BRCA2,ATM", 1.3, 0.6),
    # The WNT pathway is already on.
    _rule("gsk3_inhibitor", "APC,CTNNB1", 0.4, 1.0),
    # HIF is already stable.
    _rule("hypoxia", "VHL", 0.2, 1.0),
    # Receptors that only some organs have.
    _rule("estrogen_response", "Breast", 1.0, 0.05),
    _rule("androgen_response", "Prostate", 1.0, 0.05),
    _rule("glucocorticoid_response", "Lung,Liver,Kidney,Breast", 1.0, 0.4),
    _rule("pregnane_x ppar_response", "Liver,Bowel,Kidney", 1.0, 0.4),
    _rule("sterol_synthesis", "Liver", 1.2, 1.0),
)

STRENGTH: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(
        ("hdac_inhibitor", "proteasome_inhibitor", "translation_elongation_inhibitor"), 1.6
    )
    | dict.fromkeys(("xpo1_inhibitor", "cdk9_inhibitor", "cardiac_glycoside", "arsenical"), 1.4)
    | dict.fromkeys(("topoisomerase1_inhibitor", "topoisomerase2_inhibitor"), 1.2)
    | dict.fromkeys(("cationic_amphiphilic", "iron_chelator", "statin", "metal_ionophore"), 0.7)
    | dict.fromkeys(("jak_inhibitor", "rock_inhibitor", "mitochondrial_inhibitor"), 0.6)
    | dict.fromkeys(("azole_antifungal", "hiv_protease_inhibitor", "endoperoxide"), 0.5)
    | dict.fromkeys(("beta_adrenergic_agonist", "adenosine_agonist", "pxr_agonist"), 0.4)
    | dict.fromkeys(("dna_minor_groove_binder", "ppar_alpha_agonist", "ampk_activator"), 0.4)
)
"""How strongly a mechanism moves its programmes in cultured cancer cells; 1 if not listed."""


def line_factor(tag: str, signature: str, features: frozenset[str]) -> float:
    """How much of a signature's effect a mechanism has in a line with these drivers and organ.

    The product of ``STRENGTH`` and of every rule that names the tag or the signature.
    """
    factor = STRENGTH.get(tag, 1.0)
    for rule in RULES:
        if rule.names & {tag, signature}:
            factor *= rule.there if rule.drivers & features else rule.elsewhere
    return factor


def hill(dose_um: float, ec50_um: float, slope: float) -> float:
    """Share of the full effect at a dose: d^n / (d^n + ec50^n)."""
    return dose_um**slope / (dose_um**slope + ec50_um**slope)
