"""Whether a prediction finds its own condition: by hand, as cell-eval has it, and undefined."""

import numpy as np
import pytest
from scored import context_of, random_pairs
from sklearn import metrics as sk

from lgr_core import metrics
from lgr_core.errors import InputError
from lgr_core.metrics import ReferenceSet

NAN = float("nan")


def _at(*degrees):
    angle = np.radians(degrees)
    return np.column_stack([np.cos(angle), np.sin(angle)])


def test_discrimination_by_hand():
    """From 40 degrees the order of four conditions is 30, 60, 0, 90: ranks 0 to 3 of 4."""
    references = ReferenceSet(deltas=_at(30, 60, 0, 90), truth=np.arange(4))
    scores = metrics.discrimination_score_cosine(_at(40, 40, 40, 40), references)
    assert scores == pytest.approx([1, 0.75, 0.5, 0.25])


def test_discrimination_without_the_retrieved():
    """With 30 degrees taken out, 60 is first of three and 90 last of three."""
    references = ReferenceSet(deltas=_at(30, 60, 0, 90), truth=np.array([1, 3]))
    exclude = np.array([[True, False, False, False]] * 2)
    scores = metrics.discrimination_score_cosine(_at(40, 40), references, exclude=exclude)
    assert scores == pytest.approx([1, 1 / 3])


def test_discrimination_ignores_length():
    """Cosine distance sees direction only, of the prediction and of the conditions."""
    references = ReferenceSet(
        deltas=_at(30, 60, 0, 90) * [[1], [9], [50], [0.1]], truth=np.array([1])
    )
    assert metrics.discrimination_score_cosine(_at(40) * 1e-13, references) == pytest.approx([0.75])


def test_discrimination_counts_a_tie_half():
    """A condition in the true one's direction cannot be told from it: rank 1/2 of 3."""
    references = ReferenceSet(deltas=np.array([[1.0, 0], [2, 0], [0, 1]]), truth=np.array([0]))
    scores = metrics.discrimination_score_cosine([3.0, 0.1], references)
    assert scores == pytest.approx([1 - 0.5 / 3])


def test_discrimination_puts_a_silent_condition_at_a_right_angle():
    """A zero delta has cosine 0, as scikit-learn has it: nearer than an opposite truth."""
    references = ReferenceSet(deltas=np.array([[-1.0, 0], [0, 0]]), truth=np.array([0]))
    assert metrics.discrimination_score_cosine([1.0, 0], references) == pytest.approx([0.5])


def test_discrimination_is_cell_evals_where_nothing_ties():
    """The published formula: 1 - (place of the true condition in argsort of distances) / n."""
    x, y = random_pairs()
    x = x[::-1]  # another query's prediction: the places spread
    context = context_of(x, y)
    deltas, truth = context["references"].deltas, context["references"].truth
    distances = sk.pairwise_distances(x.astype(np.float64), deltas, metric="cosine")
    places = [np.flatnonzero(np.argsort(d) == t)[0] for d, t in zip(distances, truth, strict=True)]
    scores = metrics.discrimination_score_cosine(x, context["references"])
    assert scores == pytest.approx(1 - np.array(places) / len(deltas))
    assert len(set(places)) > 10


@pytest.mark.parametrize(
    ("x", "deltas", "exclude"),
    [
        ([0.0, 0], [[1.0, 0], [0, 1]], None),
        ([1.0, 0], [[0.0, 0], [0, 1]], None),
        ([1.0, 0], [[1.0, 0]], None),
        ([1.0, 0], [[1.0, 0], [0, 1]], [[False, True]]),
    ],
    ids=["zero prediction", "zero truth", "alone", "all others excluded"],
)
def test_discrimination_is_undefined_where_order_means_nothing(x, deltas, exclude):
    """No direction, or nobody to be told from, is NaN."""
    references = ReferenceSet(deltas=np.array(deltas), truth=np.array([0]))
    mask = None if exclude is None else np.array(exclude)
    assert np.isnan(metrics.discrimination_score_cosine(x, references, exclude=mask)).all()


@pytest.mark.parametrize(
    ("exclude", "match"),
    [
        ([[True, False]], "true condition is excluded"),
        ([[False, False, False]], "asks for bool"),
        ([[0, 1]], "asks for bool"),
    ],
)
def test_a_wrong_mask_is_refused(exclude, match):
    """The mask is boolean, one flag a condition, and never hides the truth."""
    references = ReferenceSet(deltas=np.eye(2), truth=np.array([0]))
    with pytest.raises(InputError, match=match):
        metrics.discrimination_score_cosine([1.0, 0], references, exclude=np.array(exclude))


@pytest.mark.parametrize(
    ("deltas", "truth", "match"),
    [
        (np.eye(2), np.array([2]), "outside its 2 conditions"),
        (np.eye(2), np.array([-1]), "outside its 2 conditions"),
        (np.eye(2), np.array([0.0]), "row numbers"),
        (np.eye(2), np.array([[0]]), "row numbers"),
        (np.ones(2), np.array([0]), "row numbers"),
        (np.array([[1, NAN]]), np.array([0]), "not finite"),
        (np.array([[b"a"]]), np.array([0]), "real numbers"),
    ],
)
def test_a_lineup_is_validated_at_birth(deltas, truth, match):
    """Row numbers that point nowhere and deltas that are none never become a lineup."""
    with pytest.raises(InputError, match=match):
        ReferenceSet(deltas=deltas, truth=truth)


def test_a_prediction_must_fit_its_lineup():
    """As many genes as the conditions, and a true row for each query."""
    references = ReferenceSet(deltas=np.eye(2), truth=np.array([0]))
    with pytest.raises(InputError, match="same genes"):
        metrics.discrimination_score_cosine([1.0, 0, 0], references)
    with pytest.raises(InputError, match="2 predictions, 1 true rows"):
        metrics.discrimination_score_cosine(np.eye(2), references)
