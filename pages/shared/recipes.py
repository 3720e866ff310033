"""The lines that make a view again, in Python and in a shell."""

from __future__ import annotations

import shlex

from lgr_core.answer import Answer
from pages.shared import state
from pages.shared.question import Question
from pages.shared.words import LLM


def python_lines(question: Question, answer: Answer) -> str:
    """The Python lines that make the same answer."""
    name, scope = _chosen(answer)
    made = f"selector = {name!r}"
    if name == LLM:
        made = (
            f"options = lgr.LLMOptions(scope=lgr.Scope({scope!r}))\n"
            "selector = lgr.llm_selector(atlas, lgr.Settings.from_environment(), options)"
        )
    return f"""import lgr_core as lgr

atlas = lgr.open_atlas({question.atlas!r})
{made}
answer = lgr.predict(
    atlas,
    cell_line={question.cell_line!r},
    drug={question.drug!r},
    dose_um={question.dose_um!r},
    selector=selector,
    k={question.k},
    seed={state.SEED},
)
answer.table()"""


def shell_line(question: Question, answer: Answer) -> str:
    """The shell line that makes the same answer."""
    name, scope = _chosen(answer)
    words = ["lgr", "predict", f"--atlas={question.atlas}", f"--cell-line={question.cell_line}"]
    words += [f"--drug={question.drug}"]
    words += [] if question.dose_um is None else [f"--dose={question.dose_um:g}"]
    words += [f"--selector={name}", f"--k={question.k}", f"--seed={state.SEED}"]
    words += [f"--scope={scope}"] if name == LLM else []
    return shlex.join([*words, "--out=answer.csv"])


def _chosen(answer: Answer) -> tuple[str, str]:
    """Who chose in fact, and in which scope a language model was asked."""
    retrieval = answer.retrieval
    return retrieval.selector, str(retrieval.provenance.get("scope", "line"))
