"""My own cells on the page Predict: placed for the visit, answered with named evidence, left."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import ROOT
from tests.support.factor_atlas import build_world
from tests.support.rendered_page import text


@pytest.fixture(scope="module")
def world_home(tmp_path_factory):
    """An LGR_HOME with one atlas of twelve lines that have control profiles."""
    home = tmp_path_factory.mktemp("world_home")
    build_world(home / "atlases" / "world", lines=12, drugs=8, vehicles=True)
    return home


@pytest.fixture
def app(world_home, monkeypatch):
    """A visit to that atlas."""
    monkeypatch.setenv("LGR_HOME", str(world_home))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in {"atlas": "world", "drug": "D02", "selector": "random", "k": "3"}.items():
        app.query_params[key] = value
    return app.run()


def table():
    """Two samples as TPM-like values of the atlas's genes and one that it lacks."""
    rng = np.random.default_rng(1)
    genes = [*(f"G{i}" for i in range(60)), "OTHER"]
    values = np.exp(rng.standard_normal((61, 2)) + 3)
    return pd.DataFrame({"gene": genes, "mine": values[:, 0], "second": values[:, 1]})


def test_pasted_cells_are_answered_for_the_visit(app):
    """Which lines they are like, how many genes match, reasons, trust; then back."""
    app.text_area(key="own_text").input(table().to_csv(index=False)).run()
    assert app.selectbox(key="own_column").options == ["mine", "second"]
    app.selectbox(key="own_column").select("second").run()
    app.button(key="own_go").click().run()
    page = text(app)
    assert not app.exception
    assert "D02" in page
    assert "second" in page
    assert "60 of 60 genes match (tpm)" in page
    assert "Trust" in page
    frames = [frame.value for frame in app.dataframe]
    lines = next(frame for frame in frames if "cell line" in frame)
    assert len(lines) == 5
    reasons = next(frame for frame in frames if "measured drug" in frame)
    assert "D02" not in set(reasons["measured drug"])
    app.button(key="own_leave").click().run()
    assert "genes match" not in text(app)


def test_what_cannot_be_read_says_why(app):
    """A table of no gene of the atlas; nothing can be asked of it."""
    app.text_area(key="own_text").input("gene,mine\nNOPE,1\nNADA,2\n").run()
    assert "fewer than 2 of its genes" in text(app)
    assert app.button(key="own_go").disabled


def test_a_line_of_the_atlas_is_asked_for_by_its_name(app):
    """It has measurements: the picker is the way."""
    app.text_area(key="own_text").input(table().to_csv(index=False)).run()
    app.text_input(key="own_name_mine").input("L3").run()
    app.button(key="own_go").click().run()
    assert "has measurements of it" in text(app)


def test_without_recorded_answers_mechanisms_choose(world_home, monkeypatch):
    """The first page asks for recorded answers of a language model; none is there."""
    monkeypatch.setenv("LGR_HOME", str(world_home))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.text_area(key="own_text").input(table().to_csv(index=False)).run()
    app.button(key="own_go").click().run()
    assert "60 of 60 genes match" in text(app)
