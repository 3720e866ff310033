"""The lines that make a view again, in Python and in a shell, and the words that describe it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from lgr_core.answer import METHODS, Answer
from lgr_core.domain import Change
from lgr_core.retrieval.answer_source import AnsweredBy
from pages.shared import state
from pages.shared.method_words import METHOD_WORDS
from pages.shared.question import Question
from pages.shared.words import LLM, at_dose, count, listed

if TYPE_CHECKING:
    from pages.shared.pickers import Asked

_CHOSEN = {
    LLM: "were ranked by a language model ({model}) from the closed list of these drugs",
    "mechanism": "were those that share most mechanism tags, targets or programmes with it",
    "chemistry": "were those of highest cosine similarity of Morgan fingerprints (radius 2, "
    "2,048 bits) of the parent compound",
    "random": "were drawn at random (a control)",
    "oracle": "were those whose measured change correlates best with the truth (a control)",
    "named": "were chosen by hand",
}


def python_lines(question: Question, answer: Answer) -> str:
    """The Python lines that make the same answer."""
    method = _method(answer)
    if method is not None:
        how = f"method=method{_change_of(answer)}"
        return _ask(question, f"method = {method!r}", how, question.k)
    made, k = f"selector = {answer.retrieval.selector!r}", question.k
    if question.edited or _pasted(answer):
        made = f"selector = lgr.NamedSelector({list(answer.retrieval.drugs)!r})"
        k = answer.retrieval.k
    how = f"selector=selector,\n    seed={state.SEED}"
    how += ",\n    one_per_parent=True" if answer.provenance["one_per_parent"] else ""
    how += _change_of(answer)
    return _ask(question, made, how, k)


def _change_of(answer: Answer) -> str:
    """The argument of a change that is not the default."""
    return ",\n    change='specific'" if answer.change is Change.SPECIFIC else ""


def _ask(question: Question, made: str, how: str, k: int) -> str:
    return f"""import lgr_core as lgr

atlas = lgr.open_atlas({question.atlas!r})
{_widened(question)}{made}
answer = lgr.predict(
    atlas,
    cell_line={question.cell_line!r},
    drug={question.drug!r},
    dose_um={question.dose_um!r},
    {how},
    k={k},
)
answer.table()"""


def shell_line(question: Question, answer: Answer) -> str:
    """The shell line that makes the same answer; empty where the command line cannot ask it."""
    method = _method(answer)
    by_hand = method is None and (question.edited or _pasted(answer))
    if question.novel is not None or by_hand:
        return ""
    words = ["lgr", "predict", f"--atlas={question.atlas}", f"--cell-line={question.cell_line}"]
    words += [f"--drug={question.drug}"]
    words += [] if question.dose_um is None else [f"--dose={_dose(question.dose_um)}"]
    if method is not None:
        words += [f"--method={method}", f"--k={question.k}"]
    else:
        words += [f"--selector={answer.retrieval.selector}", f"--k={question.k}"]
        words += [f"--seed={state.SEED}"]
        words += ["--one-per-parent"] if answer.provenance["one_per_parent"] else []
    words += ["--change=specific"] if answer.change is Change.SPECIFIC else []
    return shlex.join([*words, "--out=answer.csv"])


def methods_paragraph(asked: Asked, answer: Answer) -> str:
    """What was done, in sentences for a methods section."""
    if answer.is_linear:
        return weighted_paragraph(asked, answer)
    question, made, retrieval = asked.question, answer.provenance, answer.retrieval
    how = _CHOSEN.get(retrieval.selector, "were chosen by {selector}").format(
        model=retrieval.provenance.get("model", "as recorded"), selector=retrieval.selector
    )
    data = "simulated" if made["simulated"] else "measured"
    twins = f" Left out, since they share a compound with it: {listed(answer.pool.twins)}." * bool(
        answer.pool.twins
    )
    once = ", one form of each compound" * bool(made["one_per_parent"])
    combined = (
        f"Of {count(retrieval.k, 'neighbour')} asked for, {retrieval.k_used} were used; their "
        f"{data} changes were averaged with equal weights{once}."
        if retrieval.k_used
        else f"No neighbour was found, so the {data} changes of all candidates were averaged."
    )
    truth = (
        ""
        if answer.measured is None
        else f" The {data} change of {question.drug} itself was read after the prediction, for "
        f"scoring alone (n = {answer.n_panel:,} genes)."
    )
    return (
        f"The effect of {question} was predicted by retrieval: candidates were the "
        f"{count(retrieval.pool_size, 'other drug')} {data} in {question.cell_line} "
        f"{at_dose(question.dose_um)} in the atlas {made['atlas']} (build {made['build_id']}; "
        f"{asked.store.value_kind.label}; {count(len(answer.genes), 'gene')}).{twins} Neighbours "
        f"{how}. {combined}{_specific_words(answer)}{truth} "
        f"Made with LGR Explorer {made['lgr_version']}."
    )


def weighted_paragraph(asked: Asked, answer: Answer) -> str:
    """The same of a method that weighs every condition."""
    made, said = answer.provenance, answer.retrieval.provenance
    label = METHOD_WORDS[answer.prediction.method].label.lower()
    parts = [
        f"{count(len(term.conditions), 'measured change')} of {term.term.label} "
        f"({term.share:.0%} of all absolute weights)"
        for term in answer.terms
    ]
    trust = (
        ""
        if answer.trust is None
        else f" The Pearson correlation with the measured change was expected to be "
        f"{answer.trust.expected:.2f} (90 % interval {answer.trust.low:.2f} to "
        f"{answer.trust.high:.2f}), as calibrated on "
        f"{count(answer.calibrated.calibration.n, 'held-out condition')}."
    )
    return (
        f"The effect of {asked.question} was predicted by {label} ({said['why']}): a weighted sum "
        f"of {listed(parts)} in the atlas {made['atlas']} (build {made['build_id']}; "
        f"{asked.store.value_kind.label}; {count(len(answer.genes), 'gene')}); nothing measured of "
        f"{asked.question.drug} in {asked.question.cell_line} was read. Settings: "
        f"{said['settings']}.{_specific_words(answer)}{trust} "
        f"Made with LGR Explorer {made['lgr_version']}."
    )


def _specific_words(answer: Answer) -> str:
    """What was taken off each change, where specific ones were averaged."""
    if answer.change is Change.TOTAL:
        return ""
    return (
        " Each change was taken less the mean of the other compounds on its plate (specific "
        "change)."
    )


def _widened(question: Question) -> str:
    """The line that adds a drug from beyond the atlas."""
    novel = question.novel
    if novel is None:
        return ""
    given = {"name": novel.name, "smiles": novel.smiles, "moa": novel.moa}
    words = ", ".join(f"{key}={value!r}" for key, value in given.items() if value)
    return f"atlas = lgr.with_unseen_drug(atlas, lgr.UnseenDrug({words}))\n"


def _method(answer: Answer) -> str | None:
    """The method that is asked for by its name; None of neighbours that a selector chose."""
    name = answer.prediction.method
    return name if name in METHODS else None


def _pasted(answer: Answer) -> bool:
    """Whether a language model's answer was pasted: it is in no file."""
    return answer.retrieval.provenance.get("answered_by") == AnsweredBy.HAND


def _dose(dose_um: float) -> str:
    """A dose with every digit: rounded, it would not be among those measured."""
    return str(float(dose_um)).removesuffix(".0")
