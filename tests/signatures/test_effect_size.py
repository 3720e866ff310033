"""Effect size where there is one; distinctness everywhere."""

import numpy as np

from lgr_core.domain import Condition, ValueKind
from lgr_core.signatures.effect_size import strengths


def test_the_effect_is_the_norm_over_the_panel(lab):
    """Of every condition."""
    expected = np.linalg.norm(lab.deltas(np.arange(len(lab.conditions))), axis=1)
    np.testing.assert_allclose(strengths(lab)["effect"], expected, rtol=1e-5)


def test_distinct_is_one_less_r_with_the_others(lab):
    """The mean of the other drugs of line and dose, without the drug itself."""
    found = strengths(lab)["distinct"]
    for drug in ("Trametinib", "Compound 3"):
        others = [name for name in lab.measured_drugs("A549", 5.0) if name != drug]
        mean = lab.deltas(lab.rows("A549", others, 5.0)).mean(axis=0)
        row = lab.row(Condition("A549", drug, 5.0))
        r = np.corrcoef(lab.deltas(np.array([row]))[0], mean)[0, 1]
        np.testing.assert_allclose(found[row], 1 - r, atol=1e-5)


def test_rank_scores_have_no_effect_size(lab, monkeypatch):
    """Their distinctness is defined all the same."""
    monkeypatch.setattr(lab, "value_kind", ValueKind.RANK_SCORE)
    found = strengths(lab)
    assert found["effect"].isna().all()
    assert found["distinct"].notna().all()


def test_alone_or_constant_has_no_distinctness(lab, monkeypatch):
    """Nothing to compare with is NaN, never 0."""
    alone = lab.conditions.assign(dose_um=np.arange(len(lab.conditions), dtype=float))
    with monkeypatch.context() as patch:
        patch.setattr(lab, "conditions", alone)
        assert strengths(lab)["distinct"].isna().all()
    changes = lab.deltas(np.arange(len(lab.conditions))).copy()
    changes[0] = 0
    monkeypatch.setattr(lab, "deltas", lambda rows: changes[rows])
    found = strengths(lab)
    assert np.isnan(found["distinct"][0])
    assert found["effect"][0] == 0
    assert found["distinct"][1:].notna().all()
