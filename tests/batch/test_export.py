"""The zip of a batch: every query is in it, with its numbers, or with the reason why not."""

import csv
import io
import json
from pathlib import Path
from zipfile import ZipFile

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from lgr_core.answer.export import CONTROL
from lgr_core.atlas.store import open_atlas
from lgr_core.batch.engine import by_neighbors, by_weights
from lgr_core.batch.export import PAIR, write_zip
from lgr_core.batch.query_list import listed, read_query_rows
from lgr_core.batch.results import BatchRun
from lgr_core.domain import Change
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.attribution import make_method
from lgr_core.retrieval.neighbor_files import read_neighbors
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.lab_atlas import IMAGE, UNMEASURED, build_lab
from tests.support.plated_atlas import ByName, plated_atlas

TEXT = f"Trametinib, A549\nTrametinib, A549, 0.5\n{IMAGE}, LoVo\n{UNMEASURED}, A549\nAfatinib, A549"
NONSENSE = "Nonsense, A549"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The lab's atlas."""
    folder = tmp_path_factory.mktemp("home") / "atlases"
    build_lab(folder / "lab", tmp_path_factory.mktemp("scratch"))
    return open_atlas("lab", folder)


@pytest.fixture(scope="module")
def reading(store):
    """Five queries and a refused line."""
    return read_query_rows(store, listed(f"{TEXT}\n{NONSENSE}"))


@pytest.fixture(scope="module")
def many(store, reading):
    """They are predicted, but Afatinib."""
    found, selector = BatchRun(store, reading.pools, 3), make_selector("mechanism", store)

    def choose(pool):
        if pool.query.drug == "Afatinib":
            raise NotFoundError("Afatinib", "nobody has answered", "Ask.")
        return selector

    found.predict(asks(store, choose))
    return found


def asks(store, choose):
    """Asks for three neighbours of whoever is chosen; nothing is calibrated."""
    return by_neighbors(EvidenceReader(store), choose, 3, Path("nowhere"))


def unzipped(data):
    """Names and contents."""
    with ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_the_wide_table_holds_every_prediction_and_measurement(store, many):
    """One row a query, one more where it was measured."""
    table = pd.read_csv(io.BytesIO(unzipped(write_zip(many))["predictions.csv"]))
    assert table["change"].tolist() == ["predicted", "measured"] * 3 + ["predicted"]
    assert table["dose_um"].tolist() == [5, 5, 0.5, 0.5, 5, 5, 5]
    assert table["drug"].iloc[4] == IMAGE
    values = table[store.gene_names[: store.n_panel]].to_numpy()
    np.testing.assert_allclose(values[[0, 2, 4, 6]], many.deltas[:4], rtol=1e-5)
    row = store.row(many.pools[0].query)
    np.testing.assert_allclose(values[1], store.deltas(np.array([row]))[0], rtol=1e-5)


def test_the_tidy_table_says_the_same(store, many):
    """One row a query and gene; an unknown measurement is empty."""
    table = pd.read_csv(io.BytesIO(unzipped(write_zip(many, layout="tidy"))["predictions.csv"]))
    assert len(table) == 4 * store.n_panel
    wide = table["predicted"].to_numpy().reshape(4, -1)
    np.testing.assert_allclose(wide, many.deltas[:4], rtol=1e-5)
    assert table.loc[table["drug"] == UNMEASURED, "measured"].isna().all()
    assert table["gene"].tolist()[: store.n_panel] == store.gene_names[: store.n_panel].tolist()


def test_what_was_not_predicted_is_listed_with_its_reason(many, reading):
    """Refused lines and failed queries."""
    text = unzipped(write_zip(many, reading.refused))["refused.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["line"] for row in rows] == [NONSENSE, "Afatinib in A549 at 5 uM"]
    assert "no such drug" in rows[0]["found"]
    assert rows[1]["what to do"] == "Ask."


def test_neighbors_are_a_neighbor_file(many, tmp_path):
    """With reasons; what is read back is what was averaged."""
    path = tmp_path / "neighbors.jsonl"
    path.write_bytes(unzipped(write_zip(many))["neighbors.jsonl"])
    records = list(read_neighbors(path))
    assert [record.drug for record in records] == ["Trametinib", "Trametinib", IMAGE, UNMEASURED]
    first = json.loads(path.read_text().splitlines()[0])
    assert first["neighbors"][0]["justification"]
    names = [proposal.text for proposal in records[0].proposals]
    assert names == list(many.outcomes[0].retrieval.drugs)


def test_weights_stand_where_neighbors_did(store):
    """Of best evidence: each term's share, how many conditions, the heaviest; README says so."""
    reader = EvidenceReader(store)
    method = make_method(
        "best_evidence", reader, selectors=lambda _: make_selector("mechanism", store)
    )
    found = BatchRun(store, read_query_rows(store, listed(TEXT)).pools, 2, "best_evidence")
    found.predict(by_weights(reader, method, 2, Path("nowhere")))
    files = unzipped(write_zip(found))
    assert "neighbors.jsonl" not in files
    lines = [json.loads(line) for line in files["weights.jsonl"].decode().splitlines()]
    assert [line["drug"] for line in lines] == [outcome.query.drug for outcome in found.outcomes]
    first, terms = lines[0], found.outcomes[0].terms
    assert (first["method"], first["route"]) == ("best_evidence", "two_way")
    assert [term["n"] for term in first["terms"]] == [term.n for term in terms]
    condition, weight = terms[0].conditions[0]
    told = first["terms"][0]["conditions"]
    assert len(told) == 2
    assert told[0] == {
        "cell_line": condition.cell_line,
        "drug": "Trametinib",
        "dose_um": 5.0,
        "weight": weight,
    }
    summary = pd.read_csv(io.BytesIO(files["summary.csv"]))
    assert set(summary["method"]) == {"best_evidence"}
    assert (summary["n_conditions"] > 2).all()
    readme = files["README.txt"].decode()
    for words in ("best_evidence", "a weighted sum of the measured changes", "weights.jsonl"):
        assert words in readme
    assert "neighbors.jsonl" not in readme


def test_the_pair_is_what_cell_eval_compares(many, tmp_path):
    """Same targets and genes, a control in each line, nothing below 0; changes are recovered."""
    files = unzipped(write_zip(many))
    sides = []
    for name in PAIR:
        (tmp_path / "side.h5ad").write_bytes(files[name])
        sides.append(ad.read_h5ad(tmp_path / "side.h5ad"))
    predicted, measured = sides
    assert predicted.obs["target"].tolist() == measured.obs["target"].tolist()
    assert predicted.var_names.equals(measured.var_names)
    assert set(predicted.obs["target"]) == {
        "Trametinib at 5 uM",
        "Trametinib at 0.5 uM",
        f"{IMAGE} at 5 uM",
        CONTROL,
    }
    for line in set(predicted.obs["cell_line"]):
        part = predicted.obs[predicted.obs["cell_line"] == line]["target"].tolist()
        assert part.count(CONTROL) == 1
        assert len(set(part)) == len(part)
    assert min(side.X.min() for side in sides) >= 0
    changes = []
    for side in sides:
        control = side.X[(side.obs["target"] == CONTROL).to_numpy()][0]
        changes.append(side.X[(side.obs["target"] != CONTROL).to_numpy()] - control)
    expected = [outcome.metrics["pearson_delta"] for outcome in many.outcomes[:3]]
    np.testing.assert_allclose(pearson_delta(*changes), expected, atol=1e-5)


def test_without_a_measurement_there_is_no_pair(store):
    """Nothing to compare with."""
    pools = read_query_rows(store, listed(f"{UNMEASURED}, A549")).pools
    found, selector = BatchRun(store, pools, 3), make_selector("mechanism", store)
    found.predict(asks(store, lambda _: selector))
    assert not any(name.startswith("cell_eval") for name in unzipped(write_zip(found)))


def test_the_readme_says_where_it_comes_from(store, many, reading):
    """Atlas, build, counts, what the caller adds."""
    data = write_zip(many, reading.refused, about={"selector": "mechanism"})
    text = unzipped(data)["README.txt"].decode()
    for words in (
        store.build_id,
        "lab (measured data)",
        "mechanism",
        "lines refused:",
        "cell-eval",
    ):
        assert words in text
    assert "4, of which measured too: 3" in text
    assert "1 failed, 0 not reached" in text


def test_no_cell_of_a_table_is_a_formula(store):
    """A name that begins like one gets an apostrophe, in every layout."""
    pools = read_query_rows(store, listed("Trametinib, A549")).pools
    found, selector = BatchRun(store, pools, 3), make_selector("mechanism", store)
    found.predict(asks(store, lambda _: selector))
    names, store.genes = store.genes, store.genes.assign(gene="=1+1")
    store.__dict__.pop("gene_names", None)
    try:
        for layout in ("wide", "tidy"):
            text = unzipped(write_zip(found, layout=layout))["predictions.csv"].decode()
            assert ",=1+1" not in text
            assert "'=1+1" in text
    finally:
        store.genes = names
        store.__dict__.pop("gene_names", None)


def test_a_batch_of_specific_changes_compares_them_with_specific_changes(tmp_path):
    """Scores, measured side and labels are of the specific change, and answers must be."""
    store = plated_atlas(tmp_path / "plated", lines=2, drugs=24)
    pools = read_query_rows(store, listed("D03, L1\nD04, L1")).pools
    found = BatchRun(store, pools, 3, change=Change.SPECIFIC)
    reader = EvidenceReader(store, change=Change.SPECIFIC)
    found.predict(by_neighbors(reader, lambda _: ByName("llm"), 3, tmp_path))
    files = unzipped(write_zip(found))
    table = pd.read_csv(io.BytesIO(files["predictions.csv"])).set_index(["drug", "change"])
    rows = np.array([store.row(pool.query) for pool in pools])
    expected = specific_changes(store).of(rows)
    genes = table.columns[2:]
    for place, drug in enumerate(("D03", "D04")):
        np.testing.assert_allclose(table.loc[(drug, "measured"), genes], expected[place], rtol=1e-5)
    summary = pd.read_csv(io.BytesIO(files["summary.csv"]))
    scores = pearson_delta(found.deltas, expected)
    np.testing.assert_allclose(summary["pearson_specific"], scores, atol=1e-5)
    assert summary["pearson_delta"].isna().all()
    assert "change:" in files["README.txt"].decode()
    total = BatchRun(store, pools, 3)
    with pytest.raises(UsageError, match="total"):
        total.predict(by_neighbors(reader, lambda _: ByName("llm"), 3, tmp_path))
