"""What tuning chooses, in worlds whose rule is known."""

import json

import numpy as np
import pytest
from weighing import Silent, best_of
from worlds import build_world

from lgr_core.evaluation.folds import make_folds
from lgr_core.prediction.drug_kernels import CHEMISTRY, MECHANISM, DrugKernels
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.linear_methods import best_of as chosen_of
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.query_block import EvidenceReader


@pytest.mark.parametrize(("noise", "low", "high"), [(0.05, 0.0, 0.0), (4.0, 0.25, 1.0)])
def test_the_pool_counts_where_drugs_hardly_repeat_in_other_lines(tmp_path, noise, low, high):
    """Not where effects are exact, though many are missing; in noise it does."""
    store = build_world(
        tmp_path / "world", lines=5, drugs=12, noise=noise, missing=0.4, shared=noise
    )
    fold = make_folds(store, "unseen_cell_line", 5)[0]
    method = best_of(EvidenceReader(store, fold))
    method.fit(TrainingView(store, fold, validation=True, evidence=method.evidence))
    assert low <= method.settings.pooled <= high


def test_who_is_worse_than_the_first_in_shape_or_size_is_not_chosen(toy):
    """Candidates that scale the truth by -1 and by 3 leave the careful first; 0.9 is taken."""
    fold = make_folds(toy, "unseen_drug", 3)[0]
    view = TrainingView(toy, fold, validation=True)

    def asking(block):
        truth = toy.deltas(block.rows)[:, : block.labels.n_genes]
        noise = np.random.default_rng(0).standard_normal(truth.shape)
        return lambda scale: scale * truth + (noise if scale == 0.5 else 0)

    assert chosen_of(view, [0.5, -1.0, 3.0], asking) == 0.5
    assert chosen_of(view, [0.5, -1.0, 3.0, 0.9], asking) == 0.9
    assert chosen_of(view, [0.5], lambda block: None) is None


def test_settings_are_chosen_inside_the_training_rows(tmp_path):
    """In a world of products, drawing drugs to their mean is not chosen."""
    store = build_world(tmp_path / "world")
    fold = make_folds(store, "unseen_cell_line", 4)[0]
    method = best_of(EvidenceReader(store, fold))
    method.fit(TrainingView(store, fold, validation=True, evidence=method.evidence))
    assert method.settings.penalties.drugs < 10
    assert method.chosen.startswith("lines ")


def test_the_kernel_is_chosen_among_those_that_say_something(toy):
    """Without lists of a language model, none of its mixtures is tried."""
    fold = make_folds(toy, "unseen_drug", 3)[0]
    method = Kriging(DrugKernels(EvidenceReader(toy, fold).labels, lambda name: Silent()))
    method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
    assert set(method.kernel.shares) <= {MECHANISM, CHEMISTRY}
    assert "noise" in method.chosen


def test_training_rows_without_an_answer_are_passed_over(toy):
    """At a dose that one line alone measured, the strict regime answers nothing."""
    for fold in make_folds(toy, "unseen_cell_line_strict", 3):
        method = best_of(EvidenceReader(toy, fold))
        method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
        assert method.settings.sharpness in {0.0, 0.5, 1.0, 2.0}


def test_what_one_has_learned_another_can_be_taught(tmp_path):
    """Through JSON, and it answers alike; kriging too."""
    store = build_world(tmp_path / "world", lines=5, drugs=8, noise=1.0)
    fold = make_folds(store, "open_world", 5)[0]
    learned = best_of(EvidenceReader(store, fold))
    learned.fit(TrainingView(store, fold, validation=True, evidence=learned.evidence))
    assert learned.params != best_of(EvidenceReader(store)).params
    with_params = best_of(EvidenceReader(store)).with_params(json.loads(json.dumps(learned.params)))
    assert (with_params.chosen, with_params.params) == (learned.chosen, learned.params)
    block = next(iter(EvidenceReader(store).blocks(np.arange(8))))
    np.testing.assert_array_equal(with_params.predict(block).delta, learned.predict(block).delta)
