"""What accompanies a drug in its salts and solvates, by structure; ``forms.py`` has the words.

A fragment of this list is set aside before the largest fragment is taken as the parent: pamoic
acid is heavier than pyrantel, meglumine has more atoms than diatrizoic acid.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, reduce

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

COUNTER_IONS = {
    "acetate": "CC(=O)O",
    "acetone": "CC(C)=O",
    "adipate": "OC(=O)CCCCC(=O)O",
    "ammonium": "N",
    "arginine": "NC(=N)NCCCC(N)C(=O)O",
    "ascorbate": "OCC(O)C1OC(=O)C(O)=C1O",
    "benethamine": "C(Cc1ccccc1)NCc1ccccc1",
    "benzathine": "C(CNCc1ccccc1)NCc1ccccc1",
    "benzoate": "OC(=O)c1ccccc1",
    "besylate": "OS(=O)(=O)c1ccccc1",
    "bromide": "Br",
    "camsylate": "CC1(C)C2CCC1(CS(O)(=O)=O)C(=O)C2",
    "carbonate": "OC(O)=O",
    "chloride": "Cl",
    "choline": "C[N+](C)(C)CCO",
    "citrate": "OC(=O)CC(O)(CC(O)=O)C(O)=O",
    "cyclamate": "OS(=O)(=O)NC1CCCCC1",
    "deanol": "CN(C)CCO",
    "dicyclohexylamine": "C1CCC(CC1)NC1CCCCC1",
    "diethylamine": "CCNCC",
    "dmf": "CN(C)C=O",
    "dmso": "CS(C)=O",
    "edisylate": "OS(=O)(=O)CCS(O)(=O)=O",
    "epolamine": "OCCN1CCCC1",
    "erbumine": "CC(C)(C)N",
    "estolate": "CCCCCCCCCCCCOS(O)(=O)=O",
    "esylate": "CCS(O)(=O)=O",
    "ethanol": "CCO",
    "ethylenediamine": "NCCN",
    "formate": "OC=O",
    "fumarate": "OC(=O)C=CC(O)=O",
    "gentisate": "OC(=O)c1cc(O)ccc1O",
    "gluceptate": "OCC(O)C(O)C(O)C(O)C(O)C(O)=O",
    "gluconate": "OCC(O)C(O)C(O)C(O)C(O)=O",
    "glucuronate": "OC1OC(C(O)C(O)C1O)C(O)=O",
    "glutamate": "NC(CCC(O)=O)C(O)=O",
    "glycolate": "OCC(O)=O",
    "hexafluorophosphate": "F[P-](F)(F)(F)(F)F",
    "hippurate": "OC(=O)CNC(=O)c1ccccc1",
    "iodide": "I",
    "isethionate": "OCCS(O)(=O)=O",
    "isopropanol": "CC(C)O",
    "lactate": "CC(O)C(O)=O",
    "lactobionate": "OCC1OC(OC(C(O)CO)C(O)C(O)C(O)=O)C(O)C(O)C1O",
    "laurate": "CCCCCCCCCCCC(O)=O",
    "lysine": "NCCCCC(N)C(O)=O",
    "malate": "OC(CC(O)=O)C(O)=O",
    "malonate": "OC(=O)CC(O)=O",
    "mandelate": "OC(C(O)=O)c1ccccc1",
    "meglumine": "CNCC(O)C(O)C(O)C(O)CO",
    "mesylate": "CS(O)(=O)=O",
    "methane": "C",
    "methanol": "CO",
    "methylsulfate": "COS(O)(=O)=O",
    "morpholine": "C1COCCN1",
    "naphthalene-1,5-disulfonate": "OS(=O)(=O)c1cccc2c1cccc2S(O)(=O)=O",
    "napsylate": "OS(=O)(=O)c1ccc2ccccc2c1",
    "nitrate": "O[N+](=O)[O-]",
    "olamine": "NCCO",
    "diolamine": "OCCNCCO",
    "trolamine": "OCCN(CCO)CCO",
    "orotate": "OC(=O)C1=CC(=O)NC(=O)N1",
    "oxalate": "OC(=O)C(O)=O",
    "oxoglutarate": "OC(=O)CCC(=O)C(O)=O",
    "pamoate": "OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O",
    "perchlorate": "OCl(=O)(=O)=O",
    "phosphate": "OP(O)(O)=O",
    "piperazine": "C1CNCCN1",
    "propanediol": "CC(O)CO",
    "saccharate": "OC(C(O)C(O)C(O)=O)C(O)C(O)=O",
    "saccharin": "O=C1NS(=O)(=O)c2ccccc12",
    "sebacate": "OC(=O)CCCCCCCCC(O)=O",
    "stearate": "CCCCCCCCCCCCCCCCCC(O)=O",
    "succinate": "OC(=O)CCC(O)=O",
    "sulfate": "OS(O)(=O)=O",
    "tartrate": "OC(C(O)C(O)=O)C(O)=O",
    "teoclate": "Cn1c(=O)n(C)c(=O)c2[nH]c(Cl)nc12",
    "tetrafluoroborate": "F[B-](F)(F)F",
    "thiocyanate": "SC#N",
    "tosylate": "Cc1ccc(cc1)S(O)(=O)=O",
    "trifluoroacetate": "OC(=O)C(F)(F)F",
    "tromethamine": "NC(CO)(CO)CO",
    "water": "O",
    "xinafoate": "OC(=O)c1ccc2ccccc2c1O",
}
"""The word of a form -> its acid, base or solvent, neutral.

Methane is none; PubChem draws it beside calcium lactate.
"""

_BESIDE = frozenset(["Li", "Na", "K", "Rb", "Cs", "Be", "Mg", "Ca", "Sr", "Ba"])
"""Metals of groups 1 and 2: ions beside a drug. Any other metal is part of its compound."""

_BOUND = frozenset(
    [*range(21, 31), *range(39, 49), *range(57, 81), *range(89, 104), 13, 31, 49, 50, 81, 82, 83]
)
"""Atomic numbers of the other metals."""

_LIGANDS = frozenset(["N", "S", "F", "Cl", "Br", "I"])
"""Single atoms that SMILES writes without brackets, filled up with hydrogen."""


def has_bound_metal(molecule: Chem.Mol) -> bool:
    """Whether it holds a metal of another group than 1 and 2, bonded or drawn as an ion."""
    return any(atom.GetAtomicNum() in _BOUND for atom in molecule.GetAtoms())


def without_counter_ions(molecule: Chem.Mol) -> Chem.Mol:
    """The molecule without the fragments of the list; whole where all of them are on it."""
    fragments = Chem.GetMolFrags(molecule, asMols=True)
    rest = [part for part in fragments if not _is_counter_ion(part)]
    return _joined(rest) if 0 < len(rest) < len(fragments) else molecule


def whole_complex(molecule: Chem.Mol) -> str:
    """The SMILES of a metal and all its ligands, however the bonds between them were drawn.

    Those bonds are cut, each ligand is neutral and the metal bears no charge, so that
    ``N.N.Cl[Pt]Cl`` and ``[NH3+][Pt-2](Cl)(Cl)[NH3+]`` are one. Water, ammonium and metals of
    groups 1 and 2 are left out.
    """
    fragments = Chem.GetMolFrags(molecule, asMols=True)
    rest = [part for part in fragments if not _is_beside_a_complex(part)]
    clean = rdMolStandardize.Cleanup(_joined(rest))
    parts = (_bare(part) for part in Chem.GetMolFrags(clean, asMols=True))
    return Chem.CanonSmiles(".".join(parts))


def _is_counter_ion(fragment: Chem.Mol) -> bool:
    metal = fragment.GetNumAtoms() == 1 and fragment.GetAtomWithIdx(0).GetSymbol() in _BESIDE
    return metal or _neutral(fragment) in _listed()


def _is_beside_a_complex(fragment: Chem.Mol) -> bool:
    if fragment.GetNumAtoms() > 1:
        return False
    atom = fragment.GetAtomWithIdx(0)
    ammonium = atom.GetSymbol() == "N" and atom.GetFormalCharge() > 0
    return ammonium or atom.GetSymbol() in _BESIDE | {"O"}


def _bare(fragment: Chem.Mol) -> str:
    """The SMILES of a ligand, neutral, or of a metal without its charge."""
    symbol = fragment.GetAtomWithIdx(0).GetSymbol()
    if fragment.GetNumAtoms() == 1:
        return symbol if symbol in _LIGANDS else f"[{symbol}]"
    return Chem.MolToSmiles(rdMolStandardize.Uncharger().uncharge(fragment))


def _joined(fragments: Sequence[Chem.Mol]) -> Chem.Mol:
    return reduce(Chem.CombineMols, fragments)


def _neutral(fragment: Chem.Mol) -> str:
    """The SMILES of a fragment without charge and stereo."""
    neutral = rdMolStandardize.Uncharger().uncharge(fragment)
    return Chem.MolToSmiles(neutral, isomericSmiles=False)


@cache
def _listed() -> frozenset[str]:
    return frozenset(_neutral(Chem.MolFromSmiles(smiles)) for smiles in COUNTER_IONS.values())
