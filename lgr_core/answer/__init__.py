"""One question, one call: what this drug would do to this cell line.

Pages, command line and notebooks all ask through :func:`predict` and show the :class:`Answer`.
"""

from __future__ import annotations

from lgr_core.answer.answer import Answer, retrieval_dict
from lgr_core.answer.predict import LGR_METHOD, METHODS, predict, retrieve
from lgr_core.answer.trust import with_trust
from lgr_core.answer.tuned import with_tuned_params

__all__ = [
    "LGR_METHOD",
    "METHODS",
    "Answer",
    "predict",
    "retrieval_dict",
    "retrieve",
    "with_trust",
    "with_tuned_params",
]
