"""What is said of a prediction in sentences, and remarks on how it was reached."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lgr_core import metrics
from lgr_core.answer import Answer
from lgr_core.answer.baselines import NullComparison
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.domain import Change
from lgr_core.retrieval.llm_selector import LLMSelector
from pages.shared import pieces, state
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import agree_words, count, listed, selector_words, share


def in_words(asked: Asked, answer: Answer, verdict: NullComparison | None) -> None:
    """The answer in a few sentences, and remarks on how it was reached."""
    sentences = [answer_sentence(answer), _truth_sentence(answer)]
    sentences += [] if verdict is None else [verdict_sentence(answer, verdict)]
    html(pieces.lead(filter(None, sentences)) + remarks(asked, answer))


def answer_sentence(answer: Answer) -> str:
    """Which genes are predicted to change most, of those outside the noise, as HTML."""
    up, down = (answer.genes[rows].tolist() for rows in strongest_genes(answer, 3, sure=True))
    if not up and not down:
        return f"{_who(answer)} predicts no gene to stand out of the noise."
    return (
        f"{_who(answer)} predicts {pieces.genes(up, 'up')} to go up most, "
        f"{pieces.genes(down[::-1], 'down')} to go down most."
    )


def remarks(asked: Asked, answer: Answer) -> str:
    """How the question was read and answered, as far as it must be said."""
    novel = _novel_notes(asked, answer)
    control = () if answer.is_linear else _control_note(asked.question.selector)
    weak = () if answer.is_linear else _little_effect(asked, answer)
    return pieces.notes((*asked.notes, *novel, *control, *answer.notes, *weak))


def pool_mean_scores(answer: Answer) -> Mapping[str, float]:
    """The metrics of the line's pool mean; none without a truth.

    The mean of specific changes is zero by construction, so there is nothing to compare with.
    """
    if answer.measured is None or answer.change is Change.SPECIFIC:
        return {}
    panel = slice(None, answer.n_panel)
    mean = answer.pool_mean[None, panel]
    found = metrics.score(mean, answer.measured[None, panel], line_mean=mean)
    return {name: float(values[0]) for name, values in found.items()}


# -- what is said ----------------------------------------------------------------------------------


def _who(answer: Answer) -> str:
    retrieval, n_used = answer.retrieval, len(answer.separable_neighbors)
    if answer.is_linear:
        n = sum(len(term.conditions) for term in answer.terms)
        return f"The weighted sum of {count(n, 'measured change')}"
    return (
        f"The mean of the {count(n_used, 'neighbour')}’ measured changes"  # noqa: RUF001
        if n_used > 1
        else "The measured change of the one neighbour"
        if n_used
        else f"With no neighbour, the mean of all {count(retrieval.pool_size, 'drug')} in the pool"
    )


def _truth_sentence(answer: Answer) -> str:
    """How the prediction agrees with the measured change, and with which of the two changes."""
    if answer.correlation is None:
        return "It was not measured here, so nothing tells how good the prediction is."
    kind = " specific" if answer.change is Change.SPECIFIC else ""
    return (
        f"Against the measured{kind} change: Pearson r <b>{_r(answer.correlation)}</b> "
        f"(n = {answer.n_panel:,} genes)."
    )


def verdict_sentence(answer: Answer, verdict: NullComparison) -> str:
    """In one sentence: who was used, how well they agree, and how blind picks would have done."""
    retrieval = answer.retrieval
    if not retrieval.k_used:
        return ""
    n_used = len(answer.separable_neighbors)
    parts = [f"<b>{n_used} of {count(retrieval.k, 'neighbour')}</b> used"]
    if n_used < retrieval.k_used:
        rest = retrieval.k_used - n_used
        parts.append(f"{count(rest, 'neighbour')} left out, on too small a plate")
    if math.isfinite(verdict.agreement):
        parts.append(
            f"they agree {agree_words(verdict.agreement)} (mean Pearson r of their pairs "
            f"{verdict.agreement:.2f}; {_beside_blind(verdict.agreement_beats)})"
        )
    blind = f"{verdict.n_draws:,} random picks from the same pool"
    if verdict.beats is None:
        parts.append("whether the prediction is right is not known")
    elif math.isfinite(verdict.beats):
        beaten = "<b>all</b>" if verdict.beats == 1 else f"<b>{share(verdict.beats)}</b> of"
        parts.append(f"better than {beaten} {blind}, by Pearson r")
    return f"{'; '.join(parts)}."


def _beside_blind(less: float) -> str:
    """How random picks agree, of whom that share agrees less."""
    if less < 0.5:  # noqa: PLR2004 - the smaller part is harder to read
        return f"{share(1 - less)} of random picks agree better"
    return f"{share(less)} of random picks agree less"


def _novel_notes(asked: Asked, answer: Answer) -> tuple[str, ...]:
    novel = asked.question.novel
    if novel is None:
        return ()
    given = {"structure": novel.smiles, "mechanism": novel.moa}
    said = listed(f"{what} {_cut(words)}" for what, words in given.items() if words)
    known = bool(asked.store.annotations[asked.question.drug]["smiles"])
    words = "Its structure was standardised" if known else "No structure is known of it"
    twins = "" if answer.pool.twins else "; no drug of the atlas is the same compound"
    return (
        f"{asked.question.drug} is not in this atlas. {words}{twins}.",
        f"You gave its {said}." if said else "You gave its name alone.",
    )


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


_LONGEST = 60
"""Letters of a structure that are shown; the whole of it is in the link."""


def _r(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "undefined"


def _little_effect(asked: Asked, answer: Answer) -> tuple[str, ...]:
    """That a language model expects little of the drug, where one chose its neighbours."""
    stated = state.expected(asked.store).of(asked.question.drug)
    if answer.retrieval.selector != LLMSelector.name or stated is None or stated.label is None:
        return ()
    return (f"{stated.label[0].upper()}{stated.label[1:]} ({stated.source}). It proves nothing.",)


def _control_note(selector: str) -> tuple[str, ...]:
    words = selector_words(selector)
    return (f"{words.label} is a control, not a method. {words.line}",) if words.control else ()
