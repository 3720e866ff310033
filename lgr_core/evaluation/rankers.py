"""Which language model ranked the neighbours of a run, and in which line it was asked."""

from __future__ import annotations

import pandas as pd

from lgr_core.prediction.method import Status
from lgr_core.prediction.retrieved import ASKED_IN, RANKED


def rankers(scores: pd.DataFrame, method: str = "lgr_llm") -> list[str]:
    """A sentence for each model, by the scores of one regime and metric.

    It says for how many conditions the model was asked in their own line, and for how many in
    another, whose ranking they share.
    """
    of_method = scores[(scores["method"] == method) & (scores["status"] == Status.OK)]
    details = of_method["detail"].dropna().astype(str)
    counts: dict[str, dict[str, int]] = {}
    for detail, n in details[details.str.startswith(RANKED)].value_counts().items():
        who, _, line = str(detail).removeprefix(RANKED).partition(ASKED_IN)
        counts.setdefault(who, {})[line] = n
    return [_sentence(who, lines, len(of_method)) for who, lines in counts.items()]


def _sentence(who: str, lines: dict[str, int], total: int) -> str:
    own = lines.get("", 0)
    others = [f"in {line} for {n:,}" for line, n in lines.items() if line]
    asked = ", ".join([f"in the condition's own line for {own:,} of {total:,}", *others])
    return f"The language model is {who}; it was asked {asked}."
