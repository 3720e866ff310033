"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

from lgr_core.atlas.store import open_atlas
from tests.support.toy_atlas import build_toy

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data (LGR_REAL_DATA); skips with a reason where it is absent."""
    folder = Path(os.environ.get("LGR_REAL_DATA", ROOT.parent / "shared" / "data"))
    if folder.is_dir():
        return folder
    if os.environ.get("LGR_REAL_DATA_REQUIRED"):
        pytest.fail(f"real data are required, but {folder} does not exist (LGR_REAL_DATA)")
    pytest.skip(f"no real data at {folder} (set LGR_REAL_DATA)")


@pytest.fixture(scope="session")
def toy_home(tmp_path_factory):
    """An LGR_HOME with one atlas, toy."""
    home = tmp_path_factory.mktemp("home")
    build_toy(home / "atlases" / "toy")
    return home


@pytest.fixture(scope="session")
def toy(toy_home):
    """The toy atlas, opened."""
    return open_atlas("toy", toy_home / "atlases")
