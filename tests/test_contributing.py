"""The worked examples of CONTRIBUTING.md run as they stand."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources import detect
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Condition, Evidence, ValueKind
from lgr_core.prediction.method import Method
from lgr_core.retrieval.query_block import EvidenceReader

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def example(name):
    """The code of an example, its blocks one after the other."""
    blocks = re.findall(rf"^```python {name}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert blocks, name
    return "\n".join(blocks)


def run(name):
    """The names that an example defines."""
    names = {}
    exec(compile(example(name), f"CONTRIBUTING.md, {name}", "exec"), names)  # noqa: S102
    return names


def test_the_metric():
    """The largest of |1-0|, |2-4| and |3-3| is 2, and its row computes it."""
    row = run("metric")["row"]
    np.testing.assert_array_equal(row.compute([[1.0, 2.0, 3.0]], [[0.0, 4.0, 3.0]]), [2.0])
    assert row.best == 0


def test_the_method(toy):
    """Half the mean of the drugs of the line but the query; the row of the registry makes it."""
    row = run("method")["row"]
    (method,) = row.make(None)
    assert isinstance(method, Method)
    assert method.evidence == {Evidence.TARGET_POOL}
    block = EvidenceReader(toy).block("LoVo", 5.0, ["Trametinib"])
    others = [drug for drug in toy.measured_drugs("LoVo", 5.0) if drug != "Trametinib"]
    expected = toy.deltas(toy.rows("LoVo", others, 5.0)).mean(axis=0) / 2
    np.testing.assert_allclose(method.predict(block).delta[0], expected, rtol=1e-6)


def test_the_source(tmp_path, monkeypatch):
    """A file of my lab becomes an atlas by its own columns, without any option."""
    detect_mine = run("source")["detect_my_lab"]
    monkeypatch.setattr(detect, "_FORMS", (detect_mine, *detect._FORMS))
    genes = {f"GENE{i}": np.arange(4.0) + i for i in range(5)}
    keys = {"line_name": ["A549", "LoVo"] * 2, "compound": ["Talc", "Talc", "Zinc", "Zinc"]}
    path = tmp_path / "mine.parquet"
    pd.DataFrame({**keys, "conc_um": 0.5, **genes}).to_parquet(path)
    ingest(path, tmp_path / "mine", options=IngestOptions())
    store = open_atlas("mine", tmp_path)
    assert store.value_kind is ValueKind.LOG2FC
    found = {store.condition(row) for row in range(len(store.conditions))}
    assert found == {
        Condition(line, drug, 0.5) for line in ("A549", "LoVo") for drug in ("Talc", "Zinc")
    }


def test_the_page(toy_home, toy, monkeypatch):
    """It shows the genes of the panel."""
    monkeypatch.setenv("LGR_HOME", str(toy_home))
    app = AppTest.from_string(example("page"), default_timeout=60).run()
    assert not app.exception
    assert list(app.dataframe[0].value["gene"]) == list(toy.gene_names[: toy.n_panel])


@pytest.mark.parametrize("place", re.findall(r"`((?:lgr_core|pages|tests|docs)/[\w./]+)`", TEXT))
def test_the_places_exist(place):
    """But for the page that the example adds."""
    assert (ROOT / place).exists() or place == "pages/views/panel.py"


@pytest.mark.parametrize("target", re.findall(r"^make (\S+)", TEXT, flags=re.MULTILINE))
def test_the_commands_exist(target):
    """Each is a target of the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
