"""The methods that the page Predict offers: their words, and how a link names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lgr_core.answer import LGR_METHOD
from lgr_core.prediction.best_evidence import BestEvidence
from pages.shared.question import Mended, one_of
from pages.shared.words import selector_words


@dataclass(frozen=True, slots=True)
class MethodWords:
    """How a method is shown: its label and one line of explanation."""

    label: str
    line: str


METHOD_WORDS: Mapping[str, MethodWords] = {
    LGR_METHOD: MethodWords(
        "Neighbours (LGR, the paper’s)",  # noqa: RUF001
        "The mean of the measured changes of the neighbours chosen below.",
    ),
    BestEvidence.name: MethodWords(
        "Best evidence",
        "A weighted sum of every measured change that tells something: the drug in other lines, "
        "other drugs here and elsewhere.",
    ),
}
"""Words by method, in the order in which they are offered."""


def settle_method(asked: str | None) -> tuple[str, list[Mended]]:
    """The method that is asked for, else the nearest by name or the paper's, which is said."""
    method, error = one_of("method", asked or None, METHOD_WORDS, LGR_METHOD)
    return method, [] if error is None else [Mended(error, METHOD_WORDS[method].label)]


def how_words(method: str, selector: str, k: int) -> str:
    """How something is predicted: the method, and of neighbours how many and who chooses them."""
    chosen = f": {k}, chosen by {selector_words(selector).title}"
    return METHOD_WORDS[method].label + chosen * (method == LGR_METHOD)
