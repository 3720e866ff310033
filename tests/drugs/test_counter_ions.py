"""Salts and metal complexes: which part of a structure is the drug."""

import csv

import numpy as np
import pytest
from rdkit import Chem

from lgr_core.config import SHIPPED
from lgr_core.drugs.chemistry import fingerprint, parent_key, standardise
from lgr_core.drugs.counter_ions import COUNTER_IONS, has_bound_metal
from lgr_core.drugs.similarity import nearest, similarity

PAMOIC = "OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O"
CISPLATIN = "Cl.Cl.N.N.[Pt]"
CARBOPLATIN = "C1CC(C1)(C(=O)O)C(=O)O.[NH2-].[NH2-].[Pt+2]"


@pytest.mark.parametrize(
    ("smiles", "parent"),
    [
        (f"CN1CCCN=C1C=Cc1cccs1.{PAMOIC}", "CN1CCCN=C1C=Cc1cccs1"),
        (f"CN(C)CCCN1c2ccccc2CCc2ccccc12.{PAMOIC}", "CN(C)CCCN1c2ccccc2CCc2ccccc21"),
        ("CNC[C@H](O)[C@@H](O)[C@H](O)[C@H](O)CO.CCCC(=O)O", "CCCC(=O)O"),
        ("C(CNCc1ccccc1)NCc1ccccc1.CCCC(=O)[O-]", "CCCC(=O)O"),
        ("CC1(C)C2CCC1(CS(O)(=O)=O)C(=O)C2.CCN", "CCN"),
        ("CN.OC(=O)[C@H](O)[C@@H](O)C(=O)O", "CN"),
    ],
)
def test_a_counter_ion_goes_however_heavy_it_is(smiles, parent):
    """Pamoic acid outweighs pyrantel, meglumine butyric acid, tartaric acid methylamine."""
    assert standardise(smiles) == parent


@pytest.mark.parametrize(
    ("smiles", "parent"),
    [
        (PAMOIC, standardise(PAMOIC)),
        ("OC(=O)c1ccccc1.[Na+]", "O=C(O)c1ccccc1"),
        ("C.CC(C(=O)[O-])O.[Ca+2]", "CC(O)C(=O)O"),
        ("NC(CCC(O)=O)C(O)=O.NCCO", "NC(CCC(=O)O)C(=O)O"),
    ],
)
def test_where_all_is_on_the_list_the_largest_fragment_stays(smiles, parent):
    """Pamoic acid itself, benzoate, lactate and glutamate are drugs where nothing else is there."""
    assert standardise(smiles) == parent


@pytest.mark.parametrize(
    "smiles",
    [
        "N.N.Cl[Pt]Cl",
        "[NH3][Pt](Cl)(Cl)[NH3]",
        "N[Pt](N)(Cl)Cl",
        "[NH3+][Pt-2](Cl)(Cl)[NH3+]",
        "[NH3]->[Pt](Cl)(Cl)<-[NH3]",
        "N.N.[Cl-].[Cl-].[Pt+2]",
        "[NH2-].[NH2-].Cl[Pt+2]Cl.O",
    ],
)
def test_cisplatin_is_one_compound_in_every_spelling(smiles):
    """Platinum, two chlorides and two ammonias; no ammonia alone."""
    assert standardise(smiles) == CISPLATIN


def test_a_metal_keeps_its_ligands():
    """Carboplatin, oxaliplatin, auranofin, zinc acetate, thiomolybdate: none is its ligand."""
    assert standardise(CARBOPLATIN) == "N.N.O=C(O)C1(C(=O)O)CCC1.[Pt]"
    ionic = "C1CCC(C(C1)[NH-])[NH-].C(=O)(C(=O)O)O.[Pt+2]"
    bonded = "O=C1O[Pt]2(NC3CCCCC3N2)OC1=O"
    assert standardise(ionic) == standardise(bonded) == "NC1CCCCC1N.O=C(O)C(=O)O.[Pt]"
    assert "[Au]" in standardise("CCP(CC)CC.[Au+].[S-]C1OCCCC1")
    assert standardise("CC(=O)[O-].CC(=O)[O-].[Zn+2]") == "CC(=O)O.CC(=O)O.[Zn]"
    assert standardise("[NH4+].[NH4+].[S-][Mo](=S)(=S)[S-]") == "S.S.S.S.[Mo]"


def test_compounds_of_one_metal_and_others_are_told_apart():
    """No two of them share a parent, nor any with ammonia."""
    each = ["N.N.Cl[Pt]Cl", CARBOPLATIN, "[NH4+].[NH4+].[S-][Mo](=S)(=S)[S-]", "N", "CC(O)=O"]
    assert len({parent_key(smiles) for smiles in [*each, "CC(=O)[O-].CC(=O)[O-].[Zn+2]"]}) == 6


def test_sodium_and_water_of_a_complex_go():
    """Gold thiomalate is the same with and without its sodium; arsenic is bonded as carbon is."""
    salt = "[Na+].[Na+].[O-]C(=O)CC(S[Au])C([O-])=O.O"
    assert standardise(salt) == standardise("OC(=O)CC(S[Au])C(O)=O")
    assert not has_bound_metal(Chem.MolFromSmiles("C[As](C)SCC(N)C(=O)O.[Na]"))


def test_platinum_drugs_resemble_each_other_and_not_what_shares_nothing():
    """A similarity of 0 makes no neighbour: only carboplatin is one of cisplatin here."""
    bits = np.stack([fingerprint(CARBOPLATIN), fingerprint("CCO")])
    query = fingerprint("N.N.Cl[Pt]Cl")
    assert similarity(query, bits)[1] == 0
    assert [name for name, _ in nearest(query, ["carboplatin", "ethanol"], bits, 5)] == [
        "carboplatin"
    ]


def test_the_list_holds_single_neutral_fragments():
    """Each can be read, is one fragment and stands there once."""
    found = [Chem.CanonSmiles(smiles) for smiles in COUNTER_IONS.values()]
    assert not any("." in smiles for smiles in found)
    assert len(set(found)) == len(found)


def test_of_the_shipped_drugs_only_two_hold_a_metal():
    """Auranofin keeps its gold and oxaliplatin its platinum; all others are as without the list."""
    with (SHIPPED / "drugs.csv").open(encoding="utf-8", newline="") as lines:
        drawn = {row["drug"]: row["smiles"] for row in csv.DictReader(lines) if row["smiles"]}
    bound = {d for d, s in drawn.items() if has_bound_metal(Chem.MolFromSmiles(s))}
    assert bound == {"Auranofin", "Oxaliplatin"}
    assert standardise(drawn["Auranofin"]).endswith("CCP(CC)CC.[Au]")
    assert standardise(drawn["Lactate (calcium)"]) == "CC(O)C(=O)O"
