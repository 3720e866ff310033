"""Structures: SMILES to parent compound, Morgan fingerprint and drawing.

A drug's chemistry is that of its parent: the largest fragment that is no counter-ion, neutralised.
Counter-ions and water would otherwise add their own bits, and every hydrochloride would resemble
every other. A metal complex is its metal with all ligands. Where a user gives the SMILES, a bad
one is an ``InputError``; in an atlas's data it is a drug without a structure, left out and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Chem.MolStandardize import rdMolStandardize

from lgr_core.domain import BoolArray
from lgr_core.drugs.counter_ions import has_bound_metal, whole_complex, without_counter_ions
from lgr_core.drugs.similarity import BitArray
from lgr_core.errors import InputError

N_BITS = 2048
RADIUS = 2
MAX_SMILES = 5_000
"""Longer texts are refused unread: no drug needs them, and pasted ones could stall the app."""

_SHOWN = 80
_DO = "Check it, for instance against the drug's PubChem page."
_log = logging.getLogger(__name__)


def standardise(smiles: str) -> str:
    """The canonical SMILES of the parent compound: neutralised, stereo kept.

    rdkit's Cleanup, then without the counter-ions of ``counter_ions.py``, FragmentParent (the
    largest fragment), Uncharger and SanitizeMol. With a metal of other groups than 1 and 2 it is
    the metal and its ligands, which are fragments of their own there. CXSMILES extensions and
    names after the SMILES (``CCO |c:5|``) are ignored.

    Raises
    ------
    InputError
        If it is empty, too long, or no SMILES of a possible molecule.
    """
    words = smiles.split(maxsplit=1)
    return _parent_smiles(words[0] if words else "")


def parent_key(smiles: str | None) -> str | None:
    """The first block of the parent's InChIKey (14 letters), blind to stereo and isotopes.

    None where there is no structure, or none that rdkit can read or InChI can name.
    """
    parent = _known_parent(smiles)
    if parent is None:
        return None
    with rdBase.BlockLogs():
        key = Chem.MolToInchiKey(Chem.MolFromSmiles(parent))
    return key[:14] if key else None


def fingerprint(smiles: str) -> BitArray:
    """Morgan bits (2048,) of the parent, radius 2, for a SMILES that a user gave.

    Raises
    ------
    InputError
        If it is no SMILES of a possible molecule.
    """
    return _bits(standardise(smiles))


def fingerprints(smiles: Sequence[str | None]) -> tuple[BitArray, BoolArray]:
    """Morgan bits (n, 2048) of the parents, radius 2, and which rows (n,) have a structure.

    A row without a readable structure is all zeros.
    """
    parents = [_known_parent(text) for text in smiles]
    valid = np.array([parent is not None for parent in parents], dtype=np.bool_)
    bits = np.zeros((len(parents), N_BITS), dtype=np.uint8)
    for row, parent in zip(bits, parents, strict=True):
        if parent is not None:
            row[:] = _bits(parent)
    if not valid.all():
        _log.info("%d of %d drugs have no readable structure", (~valid).sum(), len(valid))
    return bits, valid


def drawing(smiles: str, width: int = 300, height: int = 200) -> str:
    """An SVG of the structure as given, salt and all, on a transparent ground.

    Raises
    ------
    InputError
        If it is no SMILES of a possible molecule.
    """
    words = smiles.split(maxsplit=1)
    molecule = _read(words[0] if words else "")
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height)
    # RDKit's stubs take its flags for options.
    canvas.drawOptions().clearBackground = False  # type: ignore[assignment]
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    text = canvas.GetDrawingText()
    return text[text.index("<svg") :]


def _known_parent(smiles: str | None) -> str | None:
    """The parent of an atlas's SMILES, or None where there is none that can be read."""
    if not isinstance(smiles, str):
        return None
    try:
        return standardise(smiles)
    except InputError as err:
        if smiles.strip():
            _log.debug("%s", err)
        return None


@lru_cache(maxsize=16384)
def _parent_smiles(smiles: str) -> str:
    with rdBase.BlockLogs():
        molecule = _read(smiles)
        try:
            text = whole_complex(molecule) if has_bound_metal(molecule) else _largest(molecule)
        except (ValueError, RuntimeError) as err:
            raise InputError(_subject(smiles), f"it cannot be standardised: {err}", _DO) from err
        _read(text)
        return text


def _largest(molecule: Chem.Mol) -> str:
    """The largest fragment that is no counter-ion, neutralised."""
    clean = without_counter_ions(rdMolStandardize.Cleanup(molecule))
    parent = rdMolStandardize.FragmentParent(clean, skipStandardize=True)
    parent = rdMolStandardize.Uncharger().uncharge(parent)
    Chem.SanitizeMol(parent)
    return Chem.MolToSmiles(parent)


def _read(smiles: str) -> Chem.Mol:
    """The molecule of a bare SMILES; what rdkit complains of stands in the error, not in a log."""
    if not smiles:
        raise InputError("SMILES", "it is empty", "Give one, such as CC(=O)O.")
    if len(smiles) > MAX_SMILES:
        found = f"{len(smiles):,} characters, more than {MAX_SMILES:,}"
        raise InputError(_subject(smiles), found, "Give the structure of one drug.")
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None or molecule.GetNumAtoms() == 0:
            raise InputError(_subject(smiles), _complaint(smiles), _DO)
    return molecule


def _subject(smiles: str) -> str:
    return f"SMILES {smiles!r}" if len(smiles) <= _SHOWN else f"SMILES {smiles[:_SHOWN]!r}…"


def _complaint(smiles: str) -> str:
    raw = Chem.MolFromSmiles(smiles, sanitize=False)
    if raw is None:
        return "it is not written as SMILES"
    problems = [problem.Message().strip() for problem in Chem.DetectChemistryProblems(raw)]
    return "; ".join(problems[:2]) if problems else "it holds no atoms"


def _bits(parent: str) -> BitArray:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=N_BITS)
    return generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(parent))
