"""The strongest genes in every neighbour, alike ones side by side."""

from dataclasses import replace

import numpy as np
import pytest

from lgr_core.answer import predict
from lgr_core.answer.neighbor_genes import cluster_order, neighbor_genes
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.atlas.store import open_atlas
from tests.support.toy_atlas import build_toy


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """An answer from three neighbours."""
    home = tmp_path_factory.mktemp("toy")
    build_toy(home / "toy")
    store = open_atlas("toy", home)
    return predict(store, cell_line="A549", drug="Trametinib", selector="random", k=3)


def test_alike_rows_become_neighbours():
    """1, 9, 2 and 8 on a line: the two pairs stand together, nearest ends in the middle."""
    values = np.array([[1.0], [9.0], [2.0], [8.0]])
    ordered = values[cluster_order(values), 0].tolist()
    assert ordered in ([1, 2, 8, 9], [9, 8, 2, 1])


def test_two_rows_stay_as_they_are():
    """There is nothing to cluster; nor in rows without columns."""
    assert cluster_order(np.array([[5.0], [1.0]])).tolist() == [0, 1]
    assert cluster_order(np.empty((4, 0))).tolist() == [0, 1, 2, 3]


def test_every_number_stays_with_its_drug_and_gene(answer):
    """Whatever the order is: each cell is what was measured of that drug."""
    found = neighbor_genes(answer, 4)
    table = answer.table().set_index("gene").loc[list(found.genes)]
    strongest = np.concatenate(strongest_genes(answer, 4))
    assert sorted(found.genes) == sorted(answer.genes[strongest])
    assert found.predicted.tolist() == table["predicted"].tolist()
    assert found.measured.tolist() == table["measured"].tolist()
    for drug, row in zip(found.drugs, found.changes, strict=True):
        assert row.tolist() == table[drug].tolist()


def test_a_neighbour_without_a_change_is_left_out(answer):
    """It has no colour to show."""
    deltas = answer.neighbor_deltas.copy()
    deltas[1] = np.nan
    found = neighbor_genes(replace(answer, neighbor_deltas=deltas), 4)
    assert answer.retrieval.drugs[1] not in found.drugs
    assert len(found.drugs) == 2
