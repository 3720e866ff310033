"""The same words everywhere: how the pages name doses, counts, selectors, metrics and reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lgr_core.domain import Evidence, Reason


@dataclass(frozen=True, slots=True)
class SelectorWords:
    """How a selector is shown: its label, one line of explanation, and whether it is a control."""

    label: str
    line: str
    control: bool = False

    @property
    def title(self) -> str:
        """The label in a list of selectors."""
        return f"{self.label} (control)" if self.control else self.label


LLM = "llm"
"""The selector that is a language model."""

SELECTOR_WORDS: Mapping[str, SelectorWords] = {
    LLM: SelectorWords(
        "Language model",
        "A language model ranked the drugs measured in this line, with a reason for each.",
    ),
    "mechanism": SelectorWords(
        "Mechanism",
        "Drugs that share mechanism tags, targets or programmes with this one. The tags were "
        "written by a language model from textbook knowledge.",
    ),
    "chemistry": SelectorWords(
        "Chemistry", "Drugs whose structure is most alike: cosine of Morgan fingerprints."
    ),
    "random": SelectorWords(
        "Random",
        "Drugs drawn blindly. What a selector gains over this is retrieval, not luck.",
        control=True,
    ),
    "oracle": SelectorWords(
        "Oracle",
        "Drugs whose measured change is closest to the truth. It reads the answer: no prediction.",
        control=True,
    ),
    "named": SelectorWords("Hand", "Neighbours edited by hand."),
}
"""Words by selector name, in the order in which they are offered."""


def selector_words(name: str) -> SelectorWords:
    """The words of a selector; one without words of its own is shown by its name."""
    fallback = SelectorWords(name.replace("_", " ").capitalize(), "")
    return SELECTOR_WORDS.get(name, fallback)


def offered(names: Iterable[str]) -> list[str]:
    """The selectors in the order in which they are offered; those without words come last."""
    known = list(SELECTOR_WORDS)
    return sorted(names, key=lambda name: known.index(name) if name in known else len(known))


METRIC_WORDS: Mapping[str, str] = {
    "pearson_delta": "Do the same genes move the same way, in proportion?",
    "cosine": "The same, counting a shift that all genes share.",
    "spearman_delta": "Are the genes ordered alike, whatever the amounts?",
    "pearson_vs_line_mean": "Is that caught which sets this drug apart from others in the line?",
    "sign_accuracy": "Share of genes with the right direction; two zeros count as right.",
    "sign_accuracy_nonzero": "Share of genes with the right direction, of those that changed.",
    "sign_accuracy_top50": "Share with the right direction, of the 50 that changed most.",
    "overlap_at_50": "How many of the 50 strongest genes are the same?",
    "overlap_at_100": "How many of the 100 strongest genes are the same?",
    "mae_delta": "How far off a gene is on average.",
    "mse_delta": "The same squared: a few large misses weigh more.",
    "r2_fit": "Share of the measured variance on a straight line with the prediction.",
    "slope": "Above 1, the prediction is too small; below 1, too large.",
    "r2_det": "Share of the measured variance explained as it stands; below 0 is worse than none.",
    "discrimination_score_cosine": "Is the right condition nearer to the prediction than "
    "the line's others are?",
    "discrimination_score_cosine_unretrieved": "The same without the neighbours, which lie close "
    "because they were averaged.",
    "magnitude_ratio": "Size of the predicted change over the measured one.",
    "wmse": "The squared miss, counted most where this drug differs from the line's others.",
    "r2_weighted": "Share of what sets this drug apart that is explained; 0 and below is no skill.",
}
"""What each metric says, in plain words."""

REASON_WORDS: Mapping[Reason, str] = {
    Reason.OUT_OF_POOL: "not among the drugs measured in this line at this dose",
    Reason.NOT_IN_SPLIT: "not in this split",
    Reason.SELF: "the drug that was asked about",
    Reason.TWIN: "another form of the same compound, or combined with it",
    Reason.DUPLICATE: "named before",
    Reason.AMBIGUOUS: "can be read as more than one drug",
    Reason.BEYOND_K: "beyond the number of neighbours asked for",
}

EVIDENCE_WORDS: Mapping[str, str] = {
    Evidence.TRAIN: "measured changes of other conditions",
    Evidence.TARGET_POOL: "measured changes of the other drugs in this cell line",
    Evidence.CONTROLS: "vehicle profiles",
    Evidence.TRUTH: "the measured change of the drug itself (a control may, a prediction must not)",
}


def dose_words(dose_um: float | None) -> str:
    """A dose with its unit; None is pooled over doses."""
    return "pooled doses" if dose_um is None else f"{dose_um:g} µM"


def at_dose(dose_um: float | None) -> str:
    """A dose as it ends a sentence."""
    return "over pooled doses" if dose_um is None else f"at {dose_words(dose_um)}"


def count(n: int, thing: str) -> str:
    """A number of things: ``1 drug``, ``3,778 conditions``."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def share(part: float) -> str:
    """A share in whole percent, never all or nothing where it is not: ``more than 99 %``."""
    if 0 < part < _EDGE:
        return "less than 1 %"
    return "more than 99 %" if 1 - _EDGE < part < 1 else f"{part:.0%}".replace("%", " %")


_EDGE = 0.005


def agree_words(agreement: float) -> str:
    """How well neighbours agree, by the mean correlation of their pairs."""
    for least, words in ((0.6, "strongly"), (0.3, "moderately"), (0.1, "weakly")):
        if agreement >= least:
            return words
    return "hardly"


def literal(words: str) -> str:
    """Words as they stand, where Streamlit would read Markdown: labels of buttons and pills."""
    return _MARKUP.sub(r"\\\g<0>", words)


_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: ``a, b and c``."""
    *most, last = list(names) or [""]
    return f"{', '.join(most)} and {last}" if most else last
