"""Expected signatures: read, checked, and as vectors."""

import json

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.signatures.expected import (
    FOLDER,
    LITTLE_EFFECT,
    ExpectedSignature,
    ExpectedSignatures,
    read_expected,
)

SIGNATURE = ExpectedSignature("Trametinib", ("A", "B", "X", "A"), ("C", "B"), 2, "why", "who")


def test_the_vector_has_a_sign_for_each_named_gene():
    """Named twice counts once, named both ways is 0, a gene that is not there is left out."""
    assert SIGNATURE.vector(["D", "C", "B", "A"]).tolist() == [0, -1, 0, 1]
    assert SIGNATURE.vector([]).shape == (0,)


def test_a_strength_is_from_0_to_3():
    """Zero has a label, and a label is all it gives."""
    weak = ExpectedSignature("Talc", ("A",), ("C",), 0)
    assert weak.label == LITTLE_EFFECT
    assert SIGNATURE.label is None
    np.testing.assert_array_equal(weak.vector(["A", "C"]), [1, -1])
    assert SIGNATURE.to_dict() == {"strength": 2, "label": None, "source": "who"}
    with pytest.raises(InputError, match="strength 4"):
        ExpectedSignature("Talc", (), (), 4)


def test_records_are_found_by_the_drugs_of_an_atlas(toy, tmp_path):
    """However they are spelled; the last of two counts; others are none of its drugs."""
    lines = [
        {"drug": "TRAMETINIB", "strength": 1, "up": ["A"], "down": []},
        {"drug": "trametinib", "strength": 3, "up": ["B"], "down": []},
        {"drug": "Unheard of", "strength": 1, "up": ["A"], "down": []},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    found = ExpectedSignatures.load(toy.drug_catalog, tmp_path)
    assert found.of("Trametinib").up == ("B",)
    assert found.of("Cobimetinib") is None


@pytest.mark.parametrize("line", ["garbage", "[]", '{"drug": "x", "strength": 1, "up": []}'])
def test_a_line_that_is_no_record_is_refused(tmp_path, line):
    """With its number."""
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match="line 1"):
        read_expected(path)


def test_the_shipped_signatures_are_whole_and_sourced():
    """110 drugs once each, 5 to 25 genes each way, none both ways, who said so and when."""
    (path,) = FOLDER.glob("*.jsonl")
    records = read_expected(path)
    assert len({record.drug for record in records}) == len(records) == 110
    for record in records:
        assert 5 <= len(set(record.up)) == len(record.up) <= 25
        assert 5 <= len(set(record.down)) == len(record.down) <= 25
        assert not set(record.up) & set(record.down)
        assert "recorded 2026-11-30, no access to expression data" in record.source
