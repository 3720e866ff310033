"""Shared parts of the commands: parser, output, progress bars."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tqdm import tqdm

from lgr_core.cli.commands import SUMMARIES
from lgr_core.config import Settings
from lgr_core.errors import LgrError, ServiceError, UsageError

Run = Callable[[argparse.Namespace, Settings], None]
Commands = Any
"""What ``ArgumentParser.add_subparsers`` returns; argparse has no public name for it."""

DEMO = "demo"
"""The atlas that is asked where none is named."""


def command(
    commands: Commands, name: str, run: Run, summary: str | None = None, *, json_flag: bool = True
) -> argparse.ArgumentParser:
    """Add a command that calls ``run``; it takes ``--json`` if it has a result.

    The summary of a command of ``lgr`` itself is in ``SUMMARIES``; an action of one brings its own.
    """
    summary = SUMMARIES[name] if summary is None else summary
    parser = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(run=run)
    if json_flag:
        parser.add_argument("--json", action="store_true", help="JSON alone on standard output")
    return parser


def actions_of(commands: Commands, name: str) -> Commands:
    """Add a command that has actions of its own, such as ``lgr cache ls``."""
    group = commands.add_parser(name, help=SUMMARIES[name])
    return group.add_subparsers(required=True, metavar="ACTION")


def positive_int(text: str) -> int:
    """The type of a flag that counts something: 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give 1 or more")
    return number


def add_column_flag(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--column``, whose values :func:`column_roles` reads."""
    parser.add_argument(
        "--column", action="extend", nargs="+", default=[], metavar="ROLE=NAME", help=what
    )


def column_roles(pairs: Sequence[str]) -> dict[str, str]:
    """Role -> column of some ``role=name``.

    Raises
    ------
    UsageError
        If one of them is not of that form.
    """
    roles = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if not (role and equals):
            found = "it is not role=name"
            raise UsageError(f"--column {pair}", found, "E.g. --column drug=compound.")
        roles[role.strip()] = name.strip()
    return roles


def unanswered(asked: str, found: str, do: str, stop: LgrError | None = None) -> LgrError:
    """The error of a command that left something without an answer; ``found`` has the count.

    What stopped it gives the exit code: 6 for a spent budget, else that of an outside service.
    """
    if stop is None:
        return ServiceError(asked, found, do)
    return type(stop)(asked, f"{found}: {stop.found}", f"{stop.do} {do}")


def print_json(data: object) -> None:
    """Print one JSON value to standard output."""
    print(json.dumps(data, ensure_ascii=False, allow_nan=False, default=str))


def echo(text: str) -> None:
    """Print a line to standard error."""
    print(text, file=sys.stderr)


class ProgressBars:
    """Progress bars on a terminal, one a stage; silent elsewhere."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self._show

    def __exit__(self, *_: object) -> None:
        self._close()

    def _show(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._close()
            self._stage = stage
            self._bar = tqdm(total=total, desc=stage, file=sys.stderr, disable=None)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
