"""An atlas on plates, opened as notebooks open it."""

import pytest

from lgr_core import open_atlas
from tests.support.plated_atlas import plated_atlas


@pytest.fixture(scope="session")
def plated(tmp_path_factory):
    """Four lines, 26 drugs on two plates, 40 genes."""
    home = tmp_path_factory.mktemp("plated")
    plated_atlas(home / "atlases" / "plated")
    return open_atlas("plated", home)


@pytest.fixture
def noted(toy_home):
    """The toy atlas as notebooks open it."""
    return open_atlas("toy", toy_home)
