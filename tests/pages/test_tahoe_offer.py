"""Tahoe-100M offered where the demo is alone: its download, its progress, and going on."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from lgr_core.atlas import download
from lgr_core.errors import ServiceError
from pages.shared import tahoe_fetch, tahoe_offer
from tests.pages.conftest import ROOT
from tests.support.rendered_page import text


@pytest.fixture
def demo_alone(tmp_path, lab_home, monkeypatch):
    """A visit to a home whose only atlas is called demo."""
    (tmp_path / "atlases").mkdir()
    (tmp_path / "atlases" / "demo").symlink_to(lab_home / "atlases" / "toy")
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    return lambda: AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


@pytest.fixture
def hub(monkeypatch):
    """A hub that is cut off at first, and then waits for leave; what was asked of it."""
    leave, asked = threading.Event(), []

    def fetch_files(files, folder, *, progress):
        asked.append([file.path for file in files])
        progress("fetch, MB", 120, 420)
        if len(asked) == 1:
            raise ServiceError("plate 3", "the connection was cut", "Go on.")
        leave.wait(10)

    monkeypatch.setattr(download, "fetch_files", fetch_files)
    monkeypatch.setattr(tahoe_fetch, "ingest", lambda _path, folder, **_: folder)
    return leave, asked


def keys(app):
    """The buttons of a page."""
    return [button.key for button in app.button]


def test_it_is_offered_where_the_demo_is_alone(demo_alone, monkeypatch):
    """With its licence and the line for a shell; the button where files may be sent."""
    monkeypatch.setenv("LGR_UPLOADS", "1")
    app = demo_alone()
    assert "licence CC0 1.0" in text(app)
    assert "tahoe_get" in keys(app)
    monkeypatch.setenv("LGR_UPLOADS", "0")
    app = demo_alone()
    assert tahoe_offer.COMMAND in [code.value for code in app.code]
    assert "tahoe_get" not in keys(app)


def test_it_is_not_offered_beside_other_atlases(visit):
    """There are lab and toy."""
    app = visit()
    assert "licence CC0 1.0" not in text(app)


def test_a_download_that_was_cut_off_goes_on(hub, tmp_path):
    """The same files are asked for again, at the dose's plates; meanwhile the progress is seen."""
    leave, asked = hub
    job = tahoe_fetch.TahoeFetch(tmp_path)
    assert isinstance(job.start().exception(10), ServiceError)
    run = job.start()
    assert job.start() is run
    while len(asked) < 2:
        threading.Event().wait(0.01)
    assert tahoe_offer.progress_words(job) == "Fetching: 120 of 420 MB"
    leave.set()
    assert run.result(10) == tmp_path / "atlases" / "tahoe"
    plates = [path for path in asked[1] if "plate_plate" in path]
    assert [path.split("plate_plate")[1] for path in plates] == [
        f"{n}.parquet" for n in (3, 6, 9, 12, 13, 14)
    ]
    assert asked[0] == asked[1]
