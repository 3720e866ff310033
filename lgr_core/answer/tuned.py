"""Methods that weigh everything, as the newest benchmark run of an atlas has tuned them."""

from __future__ import annotations

from lgr_core.config import Settings
from lgr_core.evaluation.calibration_store import newest_settings
from lgr_core.prediction.attribution import Selectors, make_method
from lgr_core.prediction.linear_methods import Weighted
from lgr_core.retrieval.query_block import FoldReader


def tuned(name: str, reader: FoldReader, *, selectors: Selectors | None = None) -> Weighted:
    """The method of that name with what such a run taught it; without one, its usual settings.

    See :func:`~lgr_core.prediction.attribution.make_method` for the rest.
    """
    method = make_method(name, reader, selectors=selectors)
    learned = newest_settings(Settings.from_environment().runs, reader.store, method.name)
    return method if learned is None else method.taught(learned)
