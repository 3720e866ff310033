"""Predictions and neighbours for one question, in one call.

Pages, command line and notebooks all ask through :func:`predict` and show the :class:`Answer`.
"""

from __future__ import annotations

from lgr_core.answer.answer import Answer, retrieval_dict
from lgr_core.answer.predict import BASELINES, LGR_METHOD, METHODS, predict, retrieve
from lgr_core.answer.trust import with_trust
from lgr_core.answer.tuned import with_tuned_params

__all__ = [
    "BASELINES",
    "LGR_METHOD",
    "METHODS",
    "Answer",
    "predict",
    "retrieval_dict",
    "retrieve",
    "with_trust",
    "with_tuned_params",
]
