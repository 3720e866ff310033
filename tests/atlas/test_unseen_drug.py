"""A drug from beyond the atlas: who it is, who its twins are, and that nothing of them leaks."""

import numpy as np
import pytest
from toy import DRUGS

from lgr_core.answer import predict
from lgr_core.atlas.unseen_drug import UNNAMED, UnseenDrug, with_unseen_drug
from lgr_core.domain import Condition, Evidence
from lgr_core.errors import InputError, LeakageError, UsageError
from lgr_core.retrieval.candidate_pool import QueryView, candidate_pool

SELUMETINIB = "CN1C=NC2=C1C=C(C(=C2F)NC3=C(C=C(C=C3)Br)Cl)C(=O)NOCCO"


def ask(store, novel, **options):
    """Predict a novel drug in A549 at 5 uM."""
    wider = with_unseen_drug(store, novel)
    return predict(wider, cell_line="A549", drug=novel.drug, dose_um=5.0, **options)


def test_its_pool_is_the_whole_line(toy):
    """Nothing is left out where nothing is the same compound; the atlas itself is untouched."""
    answer = ask(toy, UnseenDrug("LGR-1", SELUMETINIB), selector="chemistry", k=2)
    assert set(answer.pool.drugs) == set(DRUGS)
    assert answer.measured is None
    assert answer.metrics is None
    assert "LGR-1" not in toy.drug_catalog
    assert len(toy.drugs) == len(toy.fingerprints) == len(DRUGS)


def test_a_structure_that_is_measured_is_left_out(toy):
    """Trametinib under another name, as a salt: out of the pool and of every view."""
    novel = UnseenDrug("LGR-2", f"{DRUGS['Trametinib']}.Cl")
    answer = ask(toy, novel, selector="chemistry", k=6)
    assert answer.pool.twins == ("Trametinib",)
    assert "Trametinib" not in answer.retrieval.drugs
    assert "Left out as forms of the same compound: Trametinib." in answer.notes
    wider = with_unseen_drug(toy, novel)
    view = QueryView(wider, Condition("A549", "LGR-2", 5.0), {Evidence.TARGET_POOL, Evidence.TRAIN})
    for dose in (5.0, 0.5):
        with pytest.raises(LeakageError, match="Trametinib in A549"):
            view.deltas(view.rows("A549", ["Trametinib"], dose))


def test_all_forms_of_a_measured_compound_are_left_out(toy):
    """Both tofacitinibs, found by structure, stereo or not."""
    novel = UnseenDrug(smiles="C[C@@H]1CCN(C[C@@H]1N(C)C2=NC=NC3=C2C=CN3)C(=O)CC#N")
    pool = candidate_pool(with_unseen_drug(toy, novel), Condition("LoVo", UNNAMED, 5.0))
    assert pool.twins == ("Tofacitinib", "Tofacitinib (citrate)")


def test_a_name_that_reads_as_a_measured_drug_is_its_twin(toy):
    """Without a structure, too: a salt by name."""
    pool = candidate_pool(
        with_unseen_drug(toy, UnseenDrug("Vorinostat hydrochloride")),
        Condition("A549", "Vorinostat hydrochloride", 5.0),
    )
    assert pool.twins == ("Vorinostat",)


def test_chemistry_ranks_by_the_structure_given(toy):
    """The MEK inhibitor's nearest is one; the score is the fingerprints' cosine."""
    answer = ask(toy, UnseenDrug("LGR-3", SELUMETINIB), selector="chemistry", k=1)
    assert answer.retrieval.drugs == ("Cobimetinib",)


def test_mechanism_reads_the_name_or_what_is_said_of_it(toy):
    """A shipped name needs no words; another one takes them."""
    by_name = ask(toy, UnseenDrug("Binimetinib"), selector="mechanism", k=2)
    assert set(by_name.retrieval.drugs) == {"Trametinib", "Cobimetinib"}
    told = ask(toy, UnseenDrug("LGR-4", moa="MEK inhibitor"), selector="mechanism", k=2)
    assert set(told.retrieval.drugs) == {"Trametinib", "Cobimetinib"}
    target = ask(toy, UnseenDrug("LGR-5", moa="MAP2K1"), selector="mechanism", k=2)
    assert set(target.retrieval.drugs) == {"Trametinib", "Cobimetinib"}
    silent = ask(toy, UnseenDrug("LGR-6"), selector="mechanism", k=2)
    assert silent.prediction.fallback == "pool_mean"


def test_a_name_of_the_atlas_is_refused(toy):
    """It has truth of its own there, which a stranger's structure must not borrow."""
    with pytest.raises(InputError, match="holds it"):
        with_unseen_drug(toy, UnseenDrug("Trametinib", SELUMETINIB))


@pytest.mark.parametrize("smiles", ["not a structure", "C1CC", "C(C)(C)(C)(C)C"])
def test_a_structure_that_cannot_be_read_is_refused(toy, smiles):
    """The message says what is wrong with it."""
    with pytest.raises(InputError, match="SMILES"):
        with_unseen_drug(toy, UnseenDrug("LGR-7", smiles))


def test_nothing_at_all_is_refused():
    """A name or a structure is needed; a novel is no name."""
    with pytest.raises(UsageError, match="neither a name nor a structure"):
        UnseenDrug(" ")
    with pytest.raises(InputError, match="characters"):
        UnseenDrug("x" * 201)


def test_deltas_are_shared_not_copied(toy):
    """The wider atlas reads the same matrix."""
    wider = with_unseen_drug(toy, UnseenDrug("LGR-8"))
    assert np.shares_memory(wider.deltas(slice(0, 2)), toy.deltas(slice(0, 2)))
