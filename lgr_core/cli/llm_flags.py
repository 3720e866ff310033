"""The flags that say how a language model is asked."""

from __future__ import annotations

import argparse
from pathlib import Path

from lgr_core.config import Settings
from lgr_core.retrieval.prompt import PromptOptions
from lgr_core.retrieval.question import DEFAULT_SCOPE_LINE, LLMOptions, Policy, Scope

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def add_llm_flags(parser: argparse.ArgumentParser) -> None:
    """Add them; they matter with ``--selector llm`` only."""
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
    flag("--scope", choices=[str(scope) for scope in Scope], default="line")
    flag("--scope-line", default=DEFAULT_SCOPE_LINE, metavar="C", help="of scope drug")
    flag("--model", help="default: LGR_LLM_MODEL, else the paper's")
    flag("--mode", choices=["text", "structured"], default="text", help="of the prompt and answer")
    flag("--facts", action="store_true", help="tell mechanisms, targets, organ and drivers")
    flag("--masked", action="store_true", help="hide the names (blind mode)")
    flag("--cache-friendly", action="store_true", help="one candidate list for all of a line")
    flag("--samples", type=int, default=1, metavar="N", help="ask N times, merge the rankings")
    flag("--ask-for", type=int, metavar="N", help="names asked for, if not k")
    flag("--repair", action="store_true", help="one more request where too few names stand")
    flag("--effort", choices=EFFORTS, default="none", help="reasoning effort")
    flag("--temperature", type=float, default=0.0)


def llm_options(
    options: argparse.Namespace, settings: Settings, policy: Policy | None = None
) -> LLMOptions:
    """The options that the flags name; ``policy`` goes before theirs."""
    prompt = PromptOptions(
        mode=options.mode,
        facts=options.facts,
        masked=options.masked,
        cache_friendly=options.cache_friendly,
    )
    return LLMOptions(
        policy=Policy(options.cache) if policy is None else policy,
        scope=Scope(options.scope),
        scope_line=options.scope_line,
        model=settings.llm_model if options.model is None else options.model,
        temperature=options.temperature,
        effort=options.effort,
        prompt=prompt,
        samples=options.samples,
        ask_for=options.ask_for,
        repair=options.repair,
        named_model=options.model is not None,
    )
