"""Readers' judgements: their file, their agreement, and that of the audit."""

import math

import numpy as np
import pandas as pd
import pytest

from lgr_core.audit.claims import StatedReason
from lgr_core.audit.rationale_audit import AuditedReason, RationaleAudit
from lgr_core.audit.reviews import (
    REVIEW_COLUMNS,
    Judgement,
    Review,
    agreement,
    cohens_kappa,
    read_reviews,
    review_table,
)
from lgr_core.errors import InputError

RIGHT, WRONG, UNCLEAR = (str(one) for one in Judgement)


def reason(text, neighbor="Cobimetinib"):
    """A reason about a drug of the toy atlas."""
    return AuditedReason(StatedReason("Trametinib", neighbor, text), "A549", 5.0, 1)


@pytest.fixture(scope="module")
def audit(toy):
    """The audit of the toy atlas, where every specific change is known: DUSP6 falls."""
    genes = toy.gene_names[: toy.n_panel].tolist()
    change = np.where(np.array(genes) == "EGR1", -9.0, 0.1)
    return RationaleAudit.of(toy, lambda *_: change)


def test_kappa_of_a_table_worked_by_hand():
    """20 + 15 alike of 50; by chance 0.5: kappa is (0.7 - 0.5) / (1 - 0.5)."""
    a = [RIGHT] * 25 + [WRONG] * 25
    b = [RIGHT] * 20 + [WRONG] * 5 + [RIGHT] * 10 + [WRONG] * 15
    assert cohens_kappa(a, b) == pytest.approx(0.4)
    assert math.isnan(cohens_kappa([RIGHT], [RIGHT]))
    assert math.isnan(cohens_kappa([], []))


def test_a_review_is_exported_with_claim_verdict_and_value(audit, tmp_path):
    """One row a claim, and one for a reason without any; read back, the file names the reader."""
    reviews = [
        Review(reason("MEK inhibitor lowering EGR1."), Judgement.RIGHT, note="textbook"),
        Review(reason("Also quiet.", "Vorinostat"), Judgement.UNCLEAR),
    ]
    table = review_table(audit, reviews)
    assert tuple(table) == REVIEW_COLUMNS
    shown = table[["kind", "what", "verdict", "note"]].to_numpy().tolist()
    assert shown == [
        ["mechanism", "mek_inhibitor", "supported", "textbook"],
        ["direction", "EGR1", "supported", "textbook"],
        ["", "", "", ""],
    ]
    assert table["value"].tolist()[1] == -9.0
    path = tmp_path / "anna.csv"
    table.to_csv(path, index=False)
    assert read_reviews([path])["reader"].unique().tolist() == ["anna"]


def test_readers_agree_with_each_other_and_with_the_audit():
    """The audit says right, wrong, unclear of three reasons; Anna alike, Ben of one."""
    rows = []
    for name, judged in (("anna", (RIGHT, WRONG, UNCLEAR)), ("ben", (RIGHT, RIGHT, RIGHT))):
        for i, (verdict, said) in enumerate(
            zip(("supported", "contradicted", "related"), judged, strict=True)
        ):
            rows.append((name, said, "A549", "Q", "N", f"reason {i}", verdict))
    names = ["reader", "judgement", "cell_line", "query", "neighbor", "reason", "verdict"]
    found = agreement(pd.DataFrame(rows, columns=names))
    assert found[["a", "b", "n"]].to_numpy().tolist() == [
        ["anna", "ben", 3],
        ["anna", "audit", 3],
        ["ben", "audit", 3],
    ]
    assert found["percent"].tolist() == pytest.approx([100 / 3, 100, 100 / 3])
    assert found["kappa"].tolist() == pytest.approx([0, 1, 0])


@pytest.mark.parametrize(
    "text",
    ["a,b\n1,2\n", "cell_line,query,neighbor,reason,reader,judgement,verdict\n,,,,,maybe,\n"],
)
def test_a_file_that_is_no_review_is_refused(tmp_path, text):
    """A missing column, or another judgement."""
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError):
        read_reviews([path])
