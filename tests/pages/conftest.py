"""The app, run without a browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lgr_core.atlas.store import open_atlas
from tests.support.lab_atlas import build_lab
from tests.support.rendered_page import turn
from tests.support.toy_atlas import build_toy

ROOT = Path(__file__).resolve().parents[2]

QUESTION = {"atlas": "lab", "cell_line": "A549", "drug": "Trametinib", "dose": "5"}
QUESTION |= {"selector": "mechanism", "k": "5", "change": "total"}
"""Five neighbours by mechanism of a drug that was measured."""

LOOKS = {"neighbors": "reasons", "compare": "truth"}
"""The looks of the page Predict by the names of the pages that they were."""


@pytest.fixture(scope="session")
def lab_home(tmp_path_factory):
    """An LGR_HOME with two atlases: lab, with hostile names, and toy."""
    home = tmp_path_factory.mktemp("lab_home")
    build_lab(home / "atlases" / "lab", tmp_path_factory.mktemp("scratch"))
    build_toy(home / "atlases" / "toy")
    return home


@pytest.fixture(scope="session")
def lab(lab_home):
    """The atlas lab, opened."""
    return open_atlas("lab", lab_home / "atlases")


@pytest.fixture
def visit(monkeypatch, lab_home):
    """A visit to the app: ``visit(drug="Afatinib")`` opens that link."""
    monkeypatch.setenv("LGR_HOME", str(lab_home))

    def open_link(**link):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for key, value in link.items():
            app.query_params[key] = value
        return app.run()

    return open_link


@pytest.fixture
def opened(visit):
    """A visit to a page of one question: ``opened("compare", drug="Afatinib")``."""

    def open_link(page="neighbors", **link):
        look = {"look": LOOKS[page]} if page in LOOKS else {}
        return turn(visit(), "predict" if look else page, **{**QUESTION, **look, **link})

    return open_link


@pytest.fixture
def own_home(tmp_path, lab_home, monkeypatch):
    """An LGR_HOME of this test alone, with the atlases lab and toy."""
    folder = tmp_path / "own_home" / "atlases"
    folder.mkdir(parents=True)
    for name in ("lab", "toy"):
        (folder / name).symlink_to(lab_home / "atlases" / name)
    monkeypatch.setenv("LGR_HOME", str(folder.parent))
    return folder.parent


@pytest.fixture
def data_page(own_home):
    """A visit to the page with that link."""

    def open_link(**wanted):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        return turn(app, "data", **wanted)

    return open_link
