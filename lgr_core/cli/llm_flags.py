"""Flags for how a language model is asked."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lgr_core.atlas.store import AtlasStore
from lgr_core.cli.common import positive_int
from lgr_core.config import Settings
from lgr_core.llm.prompt import TEMPLATE_VERSION, PromptOptions
from lgr_core.retrieval.llm_question import DEFAULT_SCOPE_LINE, LLMOptions, Policy, Scope
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.setup import recorded_selector

_NAMEABLE = ("model", "mode", "temperature", "effort", "samples", "ask_for", "scope_line")
"""Flags whose defaults are settings too: given, they are named, whatever they say."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def add_llm_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags; they apply to ``--selector llm`` only."""
    group = parser.add_argument_group("language model")
    flag = group.add_argument
    policies = [str(policy) for policy in Policy]
    flag("--cache", choices=policies, default="replay", help="who is asked; replay asks no model")
    flag(
        "--neighbors",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="recorded answers that go before all others",
    )
    what = "whose ranking: the line's own, or that of one line for all; default: the line's own, "
    what += "else a recorded one of --scope-line or of any line"
    flag("--scope", choices=[str(scope) for scope in Scope], help=what)
    what = f"the one line for all; default: {DEFAULT_SCOPE_LINE}, of recorded answers any"
    flag("--scope-line", metavar="C", help=what)
    flag("--model", help="default: LGR_LLM_MODEL, else the paper's")
    flag("--mode", choices=list(TEMPLATE_VERSION), help="of prompt and answer; default: text")
    flag("--facts", action="store_true", help="tell mechanisms, targets, organ and drivers")
    flag("--masked", action="store_true", help="hide the names (blind mode)")
    flag("--cache-friendly", action="store_true", help="one candidate list for all of a line")
    flag("--samples", type=int, metavar="N", help="ask N times, merge the rankings")
    flag("--ask-for", type=int, metavar="N", help="names asked for, if not k")
    what = "output tokens of an answer; default: LGR_LLM_MAX_TOKENS, else 4000"
    flag("--max-output-tokens", type=positive_int, metavar="N", help=what)
    what = "show the model N of a larger pool, by mechanism and structure (small contexts)"
    flag("--max-candidates", type=positive_int, metavar="N", help=what)
    flag("--repair", action="store_true", help="one more request where too few names stand")
    flag("--effort", choices=EFFORTS, help="reasoning effort; default: none")
    flag("--temperature", type=float, metavar="T", help="default: 0")


def llm_options(
    options: argparse.Namespace, settings: Settings, policy: Policy | None = None
) -> LLMOptions:
    """Options from the flags; ``policy`` overrides theirs."""
    flags = {name: getattr(options, name) for name in _NAMEABLE}
    given = {name: value for name, value in flags.items() if value is not None}
    chosen = tuple(given)
    prompt = PromptOptions(
        mode=given.pop("mode", PromptOptions().mode),
        facts=options.facts,
        masked=options.masked,
        cache_friendly=options.cache_friendly,
    )
    return LLMOptions(
        policy=Policy(options.cache) if policy is None else policy,
        scope=Scope.LINE if options.scope is None else Scope(options.scope),
        prompt=prompt,
        repair=options.repair,
        max_output_tokens=options.max_output_tokens,
        max_candidates=options.max_candidates,
        chosen=chosen,
        **{"model": settings.llm_model, **given},
    )


def recorded_answers(
    options: argparse.Namespace, settings: Settings
) -> Callable[[AtlasStore], RecordedSelector]:
    """Makes the selector of the recorded answers that the flags name; it can be pickled."""
    return partial(
        recorded_selector,
        settings=settings,
        options=llm_options(options, settings, Policy.REPLAY),
        scope=None if options.scope is None else Scope(options.scope),
        neighbors=tuple(options.neighbors),
    )
