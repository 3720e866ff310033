"""Structures, worked by hand where a hand can, and known answers on real drugs."""

import csv
import logging
import math
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.chemistry import (
    MAX_SMILES,
    N_BITS,
    drawing,
    fingerprint,
    fingerprints,
    parent_key,
    standardise,
)
from lgr_core.drugs.similarity import nearest, similarity
from lgr_core.errors import InputError, UsageError

ASPIRIN = "CC(=O)OC1=CC=CC=C1C(=O)O"
BAD = ["", "  ", "hello", "C1CC", "CN(C)(C)(C)C", "c1cccc1", "C>>C", "C" * (MAX_SMILES + 1)]


def _bits(*rows):
    return np.array(rows, dtype=np.uint8)


@pytest.mark.parametrize(
    ("smiles", "parent"),
    [
        ("OC(=O)C", "CC(=O)O"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("CN.O.O", "CN"),
        ("OCC |c:5|", "CCO"),
        (" OCC ethanol\n", "CCO"),
        ("C[C@H](N)C(=O)O.Cl", "C[C@H](N)C(=O)O"),
    ],
)
def test_the_parent_is_the_largest_fragment_neutralised(smiles, parent):
    """Counter-ions, water, charges and what follows the SMILES go; stereo stays."""
    assert standardise(smiles) == parent


def test_the_parent_key_is_the_first_block_of_the_inchikey():
    """Known InChIKeys: aspirin BSYNRYMUTXBXSQ, salicylic acid and its sodium YGSDEFSMJLZEOE."""
    assert parent_key(ASPIRIN) == "BSYNRYMUTXBXSQ"
    assert parent_key("OC(=O)c1ccccc1O") == "YGSDEFSMJLZEOE"
    assert parent_key("[Na+].[O-]C(=O)c1ccccc1O") == "YGSDEFSMJLZEOE"
    assert parent_key("C[C@H](N)C(=O)O") == parent_key("C[C@@H](N)C(=O)O")


@pytest.mark.parametrize("smiles", [*BAD, None, float("nan"), "*CC"])
def test_atlas_data_without_a_structure_have_no_key(smiles):
    """Missing, unreadable and unnameable structures are data, not errors."""
    assert parent_key(smiles) is None


@pytest.mark.parametrize("read", [standardise, fingerprint, drawing])
@pytest.mark.parametrize("smiles", BAD)
def test_a_bad_smiles_of_a_user_is_refused(read, smiles):
    """Every way in says that the SMILES is at fault."""
    with pytest.raises(InputError, match="SMILES"):
        read(smiles)


@pytest.mark.parametrize(
    ("smiles", "match"),
    [
        ("", "it is empty"),
        ("C1CC", "not written as SMILES"),
        ("CN(C)(C)(C)C", "Explicit valence for atom # 1 N"),
        ("c1cccc1", "Can't kekulize"),
        ("C" * (MAX_SMILES + 1), r"5,001 characters, more than 5,000"),
    ],
)
def test_the_error_says_what_is_wrong(smiles, match):
    """What rdkit would have logged stands in the message; a long text is cut short there."""
    with pytest.raises(InputError, match=match) as refused:
        standardise(smiles)
    assert len(str(refused.value)) < 300


def test_rdkit_stays_quiet(capfd):
    """Nothing reaches stderr, neither from good structures nor from bad ones."""
    fingerprints(["hello", "c1cccc1", "CC(=O)[O-].[Na+]"])
    parent_key("*CC")
    assert capfd.readouterr() == ("", "")


def test_fingerprints_are_those_of_the_parent(caplog):
    """A salt has its drug's bits; drugs without a structure are zeros, flagged and counted."""
    with caplog.at_level(logging.INFO, logger="lgr_core.drugs.chemistry"):
        bits, valid = fingerprints(["CN.Cl", None, "CN", "", "hello"])
    assert bits.shape == (5, N_BITS)
    assert bits.dtype == np.uint8
    assert valid.tolist() == [True, False, True, False, False]
    assert (bits[0] == bits[2]).all()
    # C-N has three environments: either atom alone, and both together.
    assert bits.sum(axis=1).tolist() == [3, 0, 3, 0, 0]
    assert "3 of 5 drugs have no readable structure" in caplog.text
    assert (fingerprint("CN.Cl") == bits[0]).all()


def test_no_drugs_make_an_empty_matrix():
    """An empty list keeps the shape."""
    bits, valid = fingerprints([])
    assert (bits.shape, valid.shape) == ((0, N_BITS), (0,))


def test_similarity_by_hand():
    """One shared bit of two and one: cosine 1/sqrt(2)."""
    query = _bits(1, 1, 0, 0)
    pool = _bits([1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1])
    assert similarity(query, pool).tolist() == [1, math.sqrt(0.5), 0, math.sqrt(0.5)]
    assert similarity(query, pool).dtype == np.float64


def test_nothing_is_like_a_drug_without_bits():
    """No bits on either side give NaN, never zero."""
    nothing, something = _bits(0, 0), _bits([1, 0], [0, 0])
    assert np.isnan(similarity(nothing, something)).all()
    assert np.isnan(similarity(something[0], something)).tolist() == [False, True]


def test_equal_similarities_are_equal_to_the_last_bit():
    """2/sqrt(4 n) and 3/sqrt(9 n) are both 1/sqrt(n), for any query of n bits."""
    for n in range(3, 200):
        query = np.zeros(400, dtype=np.uint8)
        query[:n] = 1
        four, nine = np.zeros((2, 400), dtype=np.uint8)
        four[[0, 1, 398, 399]] = 1
        nine[[0, 1, 2, *range(394, 400)]] = 1
        left, right = similarity(query, np.stack([four, nine]))
        assert left == right == math.sqrt(4 / (4 * n))


@given(st.integers(0, 2**32 - 1))
def test_similarity_is_symmetric_bounded_and_one_with_itself(seed):
    """The properties of a cosine of non-negative vectors."""
    bits = np.random.default_rng(seed).integers(0, 2, (5, 16), dtype=np.uint8)
    bits[:, 0] = 1
    table = np.stack([similarity(row, bits) for row in bits])
    assert (table == table.T).all()
    assert (np.diag(table) == 1).all()
    assert ((table >= 0) & (table <= 1)).all()


def test_shapes_that_do_not_fit_are_refused():
    """The message shows both shapes."""
    with pytest.raises(UsageError, match=r"query \(3,\), pool \(1, 2\)"):
        similarity(_bits(1, 0, 1), _bits([1, 0]))
    with pytest.raises(UsageError, match="pool"):
        similarity(_bits([1, 0]), _bits(1, 0))
    with pytest.raises(UsageError, match="2 names for 1 fingerprints"):
        nearest(_bits(1, 0), ["a", "b"], _bits([1, 0]), 1)
    with pytest.raises(UsageError, match="k = 0"):
        nearest(_bits(1, 0), ["a"], _bits([1, 0]), 0)


def test_the_nearest_are_ranked_and_ties_go_by_name():
    """The order given does not matter; a drug that shares no bit, or has none, is left out."""
    bits = _bits([0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0])
    found = nearest(_bits(1, 0, 0), ["e", "d", "c", "b", "a"], bits, 9)
    assert found == (("b", 1.0), ("d", 1.0), ("c", math.sqrt(0.5)))
    assert nearest(_bits(1, 0, 0), ["e", "d", "c", "b", "a"], bits, 1) == (("b", 1.0),)


def test_a_drawing_is_an_svg_on_a_transparent_ground():
    """It parses, has the size asked for, no background, and dark bonds."""
    svg = drawing(f"{ASPIRIN} |c:5|", 240, 160)
    root = ET.fromstring(svg)  # noqa: S314
    assert (root.get("width"), root.get("height")) == ("240px", "160px")
    assert not root.findall("{http://www.w3.org/2000/svg}rect")
    assert "#000000" in svg


def _table(real_data, name, column):
    with (real_data / name).open(encoding="utf-8", newline="") as lines:
        return {row["drug"]: row[column] for row in csv.DictReader(lines)}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "column", "drugs", "drawn", "parents"),
    [
        ("tahoe_meta/drug_metadata.csv", "canonical_smiles", 379, 377, 353),
        ("tahoe_rank/drugs.csv", "smiles", 110, 110, 104),
        ("sciplex_rank/drugs.csv", "smiles", 75, 66, 74),
        ("macpie_ovarian_raw/drugs.csv", "smiles", 23, 21, 23),
    ],
)
def test_parents_of_real_drugs_are_counted(real_data, name, column, drugs, drawn, parents):
    """Known answers: how many drugs, structures and parents each atlas has."""
    smiles = _table(real_data, name, column)
    keys = {drug: parent_key(text) for drug, text in smiles.items()}
    catalog = DrugCatalog(keys, keys)
    _, valid = fingerprints(list(smiles.values()))
    assert (len(catalog), int(valid.sum())) == (drugs, drawn)
    assert len({catalog.parent(drug) for drug in keys}) == parents


@pytest.mark.real
def test_twins_of_real_drugs_are_found(real_data):
    """Salts, solvates, hydrates, stereoisomers and what no name rule sees."""
    smiles = _table(real_data, "tahoe_meta/drug_metadata.csv", "canonical_smiles")
    keys = {drug: parent_key(text) for drug, text in smiles.items()}
    catalog = DrugCatalog(keys, keys)
    assert catalog.twins("Salicylic acid") == ("Sodium Salicylate",)
    assert catalog.twins("Trametinib") == ("Trametinib (DMSO_TF solvate)",)
    assert catalog.twins("crizotinib") == ("(S)-Crizotinib", "Crizotinib (hydrochloride)")
    assert catalog.twins("Glycyrrhizic acid") == ("Diammonium Glycyrrhizinate",)
    assert catalog.twins("Ixazomib") == ()
    assert catalog.parent("Sacubitril/Valsartan") == "sacubitril/valsartan"
