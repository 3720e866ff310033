"""The reference of the command line as Markdown, from the parsers themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from lgr_core.cli import EXIT_CODES, parser

_HIDDEN = {"help"}


def write_reference(path: Path) -> None:
    """Write the page, if it is not as it should be."""
    text = "\n".join(reference_lines()) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def reference_lines() -> Iterator[str]:
    """The page, line by line: every command with what it takes."""
    yield "# Command line"
    yield ""
    yield (
        "Only the result goes to standard output; with `--json` it is one JSON value. " + EXIT_CODES
    )
    yield ""
    yield from _commands(parser(), 2)


def _commands(top: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """The commands of a parser; those that have actions of their own have these below them."""
    for group in _groups(top):
        for name, command in group.choices.items():
            summary = next(each.help for each in group._choices_actions if each.dest == name)  # noqa: SLF001
            yield f"{'#' * level} `{top.prog} {name}`"
            yield ""
            yield f"{_sentence(summary or '')}"
            yield ""
            if list(_groups(command)):
                yield from _commands(command, level + 1)
            else:
                yield from _usage(command)


def _groups(top: argparse.ArgumentParser) -> Iterator[argparse._SubParsersAction]:
    """Where the commands of a parser are kept; argparse has no public name for it."""
    for action in top._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield action


def _usage(command: argparse.ArgumentParser) -> Iterator[str]:
    """A table of what a command takes: its arguments, their values and defaults."""
    actions = [each for each in command._actions if each.dest not in _HIDDEN]  # noqa: SLF001
    if not actions:
        return
    yield "| argument | what it does |"
    yield "|---|---|"
    for action in actions:
        name = ", ".join(f"`{_flag(flag, action)}`" for flag in action.option_strings)
        yield f"| {name or f'`{action.metavar or action.dest}`'} | {_about(action)} |"
    yield ""


def _flag(flag: str, action: argparse.Action) -> str:
    if action.nargs == 0:
        return flag
    if action.choices is not None:
        return f"{flag} {{{','.join(map(str, action.choices))}}}".replace("|", r"\|")
    return f"{flag} {action.metavar or action.dest.upper()}"


def _about(action: argparse.Action) -> str:
    """What an argument does, whether it is needed, and its default where it has one to speak of."""
    parts = [] if action.help is None else [_sentence(action.help % vars(action))]
    if action.required and action.option_strings:
        parts.append("Required.")
    plain = isinstance(action.default, str | int | float) and not isinstance(action.default, bool)
    if plain and action.dest != "workers" and "default" not in (action.help or ""):
        parts.append(f"Default: `{action.default}`.")
    return " ".join(parts).replace("|", r"\|")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
