"""Fixtures for the searches."""

import pytest

from lgr_core.atlas.store import open_atlas
from tests.support.lab_atlas import build_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The atlas lab: 3 lines, 18 drugs, 5 uM, in A549 0.5 uM too, 120 genes, log2 fold changes."""
    folder = tmp_path_factory.mktemp("lab")
    build_lab(folder / "lab", tmp_path_factory.mktemp("scratch"))
    return open_atlas("lab", folder)
