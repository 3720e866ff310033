"""The command line: ``lgr`` and ``python -m lgr_core``.

Standard output carries the result alone (JSON with ``--json``), standard error all else.
What the exit codes mean stands in ``EXIT_CODES`` and below ``lgr --help``.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from lgr_core.cli import (
    answers,
    app,
    batch,
    benchmark,
    cache,
    fetch,
    fill,
    plan,
    profiles,
    rationales,
    search,
    twins,
)
from lgr_core.cli import atlas as atlases
from lgr_core.cli import predict as queries
from lgr_core.config import Settings
from lgr_core.errors import InputError, LgrError, StoppedError

EXIT_CODES = (
    "Exit codes: 0 done, 1 a fault of the program, 2 wrong use, 3 input refused, 4 not found, "
    "5 an outside service failed or something was left unanswered, 6 the budget is spent, "
    "130 stopped by the user."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    logging.basicConfig(level=logging.WARNING, format="lgr: %(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        options.run(options, Settings.from_environment())
    except LgrError as err:
        print(f"lgr: {err}", file=sys.stderr)
        return err.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as err:
        do = "Check the path (LGR_HOME), its rights and the space left."
        refused = InputError("files", str(err), do)
        print(f"lgr: {refused}", file=sys.stderr)
        return refused.exit_code
    except KeyboardInterrupt:
        print("lgr: stopped; nothing half-done was left behind", file=sys.stderr)
        return StoppedError.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lgr", description="The LGR Explorer's command line.", epilog=EXIT_CODES
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    questions = (queries, answers, search, plan, batch)
    for group in (
        atlases,
        profiles,
        fetch,
        *questions,
        cache,
        fill,
        benchmark,
        twins,
        rationales,
        app,
    ):
        group.add(commands)
    return parser
