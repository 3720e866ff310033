"""Methods that weigh everything, as the newest benchmark run of an atlas has tuned them."""

from __future__ import annotations

from lgr_core.config import Settings
from lgr_core.evaluation.calibration_store import newest_params
from lgr_core.prediction.attribution import Selectors, make_method
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.retrieval.query_block import EvidenceReader


def with_tuned_params(
    name: str, reader: EvidenceReader, *, selectors: Selectors | None = None
) -> LinearMethod:
    """The method of that name with what such a run taught it; without one, its usual settings.

    See :func:`~lgr_core.prediction.attribution.make_method` for the rest.
    """
    method = make_method(name, reader, selectors=selectors)
    learned = newest_params(Settings.from_environment().runs, reader.store, method.name)
    return method if learned is None else method.with_params(learned)
