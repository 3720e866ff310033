"""The language model as a selector: recorded answers, a live question, a pasted answer.

What a visitor pastes, a key above all, lives in the visitor's own session and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Condition, Selection, Selector
from lgr_core.errors import LgrError
from lgr_core.llm.budget import Budget, estimate_usage
from lgr_core.llm.endpoint import Service
from lgr_core.retrieval.answer_source import source_words
from lgr_core.retrieval.by_hand import PastedSelector
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.fill_cache import ANSWER_TOKENS_A_NAME
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Question
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.recorded import choice_words, covers_all, other_line, said_of
from lgr_core.retrieval.setup import live_client, llm_selector
from pages.shared import pieces, state
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import LLM, count, listed

STAND_IN = "mechanism"
"""Who chooses, labelled, where no language model has answered."""

BY_STRUCTURE = "chemistry"
"""Who does where the drug's mechanism is not known, but its structure is."""

RULES = (STAND_IN, BY_STRUCTURE)
"""The rules that stand in."""

LONGEST_REPLY = 50_000


class Chosen(NamedTuple):
    """The selector of a view, and what must be said about it."""

    selector: Selector
    notes: tuple[str, ...] = ()


def choose(asked: Asked) -> Chosen:
    """The selector that the question names; for a language model, whoever has an answer."""
    if asked.question.selector != LLM:
        return Chosen(state.selector(asked.question.selector, asked.store))
    pool = _pool(asked)
    pasted = _pasted().get(_key(asked))
    if pasted is not None:
        note = "Ranked by the answer that you pasted. It is kept for this visit only."
        return Chosen(PastedSelector(asking(asked.store), pasted), (note,))
    recorded = state.recorded(asked.store)
    found = recorded.usable(pool, asked.question.k)
    if found is not None:
        return Chosen(recorded, _who(found, pool.query.cell_line))
    stand_in = _stand_in(asked)
    note = (
        f"No language model has answered for {asked.question} yet: neighbours are chosen by "
        f"{stand_in} instead. Ask one below."
    )
    return Chosen(state.selector(stand_in, asked.store), (note,))


def asking(store: AtlasStore) -> LLMSelector:
    """What makes the question for a query's own line, and looks its answer up."""
    return state.recorded(store).selectors[0]


@st.fragment
def panel(asked: Asked, answer: Answer) -> None:
    """Ask a model now, paste a chatbot's answer, read prompt and raw answer.

    Drawn when it is opened first, and from then on: what was typed stays when it is closed.
    """
    if asked.question.selector != LLM:
        return
    words = "Language model: ask now, paste an answer, read prompt and raw answer"
    box = st.expander(words, key="guide", on_change="rerun")
    if not (box.open or "reply" in st.session_state):
        return
    pool = _pool(asked)
    question = asking(asked.store).questions(pool, asked.question.k)[0]
    with box:
        ask, paste, raw = st.tabs(["Ask now", "Paste an answer", "Prompt and raw answer"])
        with ask:
            _ask(asked, pool, question)
        with paste:
            _paste(asked, question)
        with raw:
            _raw(answer, question)


# -- whose answer ----------------------------------------------------------------------------------


def _who(found: Selection, line: str) -> tuple[str, ...]:
    """Who ranked, for which line if not for this one, and the settings that a file leaves out."""
    said = found.provenance
    by = said.get("model", said.get("source"))
    words = f"Ranked by {by}" if by else "Ranked by a language model"
    asked = other_line(said, line)
    reused = f", asked for {asked}: its ranking is reused in {line}"
    ranked = f"{words}{'' if asked is None else reused}."
    partial = None if covers_all(said) else f"The answer was {choice_words(said, line)}."
    return (ranked, *filter(None, (partial, said_of(said))))


def _stand_in(asked: Asked) -> str:
    store, drug = asked.store, asked.question.drug
    blind = not state.mechanisms(store)[drug] and bool(store.annotations[drug].get("smiles"))
    return BY_STRUCTURE if blind else STAND_IN


def _pool(asked: Asked) -> CandidatePool:
    question = asked.question
    condition = Condition(question.cell_line, question.drug, question.dose_um)
    return candidate_pool(asked.store, condition)


def _pasted() -> dict[tuple[str, ...], str]:
    return st.session_state.setdefault("pasted", {})


def _key(asked: Asked) -> tuple[str, ...]:
    """What an answer was pasted for: the question, however its neighbours are edited or counted."""
    question = replace(asked.question, drop=(), add=(), once=False)
    return tuple(question.link().values())


# -- asking now ------------------------------------------------------------------------------------


def _ask(asked: Asked, pool: CandidatePool, question: Question) -> None:
    settings = Settings.from_environment()
    service = Service.at(settings.llm_base_url)
    html(pieces.caption(_offer(settings, question)))
    needs_key = service.is_openai and settings.api_key is None
    key = None
    if needs_key:
        key = st.text_input(
            f"Your key for {service.name}",
            type="password",
            key="llm_key",
            autocomplete="off",
            help="Sent to that service only, and forgotten when this page is closed.",
        )
    if st.button(f"Ask {settings.llm_model}", key="ask", disabled=needs_key and not key):
        try:
            with st.spinner(f"Asking {settings.llm_model}; this can take a minute"):
                _live(asked, settings, key).select(pool, asked.question.k)
        except LgrError as err:
            html(pieces.error_box(err))
        else:
            _pasted().pop(_key(asked), None)
            st.rerun()


def _offer(settings: Settings, question: Question) -> str:
    usage = estimate_usage(question.request)
    output = ANSWER_TOKENS_A_NAME * question.k
    price = state.prices().cost(type(usage)(usage.input, 0, output, 1), settings.llm_model)
    cost = "price unknown" if price is None else f"about ${price:.3f}"
    return (
        f"One question to {settings.llm_model}: some {usage.input:,} tokens in, {output:,} out "
        f"({cost}, estimated). The names in the candidate list are sent to that service."
    )


def _live(asked: Asked, settings: Settings, key: str | None) -> LLMSelector:
    """A selector that asks now; the operator's key is bound to the operator's budget."""
    budget = Budget() if key else state.budget()
    client = live_client(settings, api_key=key or None, budget=budget)
    options = LLMOptions(policy=Policy.REFRESH, model=settings.llm_model)
    return llm_selector(asked.store, settings, options, client=client)


# -- by hand ---------------------------------------------------------------------------------------


def _paste(asked: Asked, question: Question) -> None:
    html(pieces.caption("Put this prompt to any chatbot, and bring its whole answer back."))
    st.code(question.request.prompt, language=None, height=220)
    text = st.text_area("The chatbot's answer", key="reply", max_chars=LONGEST_REPLY, height=160)
    use, drop = st.columns([1, 3])
    if use.button("Use this answer", key="use_reply", disabled=not text.strip()):
        pasted = PastedSelector(asking(asked.store), text)
        try:
            pasted.select(question.pool, question.k)
        except LgrError as err:
            html(pieces.error_box(err))
        else:
            _pasted()[_key(asked)] = text
            st.rerun()
    if _key(asked) in _pasted() and drop.button("Forget it", key="drop_reply"):
        del _pasted()[_key(asked)]
        st.rerun()


def _raw(answer: Answer, question: Question) -> None:
    found = answer.retrieval
    if found.selector == LLM:
        said = found.provenance
        shown = (
            "not_honoured",
            "asked_in_line",
            "model",
            "template",
            "input_tokens",
        )
        shown += ("cached_tokens", "output_tokens", "cost_usd", "form", "reading", "reply")
        rest = [(key.replace("_", " "), pieces.plain(said[key])) for key in shown if key in said]
        why = choice_words(said, found.query.cell_line)
        chosen = [] if why is None else [("why this answer", why)]
        html(pieces.facts([("answer", source_words(said) or "not recorded"), *chosen, *rest]))
    html(pieces.caption("The prompt for this line, drug and dose:"))
    st.code(question.request.prompt, language=None, height=220)
    if found.raw:
        html(pieces.caption(f"The raw answer ({count(len(found.raw), 'sign')}):"))
        st.code(found.raw, language=None, height=220)
    else:
        names = listed(n.drug for n in found.neighbors[:3])
        html(pieces.caption(f"This ranking came as a list ({names} …); no raw text was kept."))
