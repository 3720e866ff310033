"""The command that serves the app in the browser: app."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from dataclasses import replace

from lgr_core.cli.common import Commands, command
from lgr_core.config import LAYOUT, Settings, home_folder
from lgr_core.errors import InputError

_LAST_PORT = 65_535


def add(commands: Commands) -> None:
    """Add the command of this group."""
    parser = command(commands, "app", _serve, json_flag=False)
    free = "none: 8501, or the next that is free"
    parser.add_argument("--port", type=_port, metavar="N", help=free)
    reach = "the network it is reached from; default localhost: this machine alone"
    parser.add_argument("--address", default="localhost", help=reach)
    parser.add_argument("--home", metavar="DIR", help="instead of LGR_HOME")


def _serve(options: argparse.Namespace, settings: Settings) -> None:
    """Become Streamlit, so that signals reach it and its exit code is that of ``lgr``.

    ``-P`` keeps the current folder off the search path: a ``pages`` there is not the app's.
    """
    if options.home is not None:
        settings = replace(settings, home=home_folder(options.home, asked="--home"))
    _check_address(options.address, options.port)
    serve = [sys.executable, "-P", "-m", "streamlit", "run", str(LAYOUT.app)]
    serve.append(f"--server.address={options.address}")
    if options.port is not None:
        serve.append(f"--server.port={options.port}")
    sys.stdout.flush()
    os.execve(sys.executable, serve, settings.environment())  # noqa: S606 - no shell is wanted


def _check_address(address: str, port: int | None) -> None:
    """Raise InputError if nothing can be served there: Streamlit would exit without advice."""
    try:
        family, *_, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(place, family=family).close()
    except OSError as err:
        asked = f"--address {address}" if port is None else f"--address {address} --port {port}"
        do = "Give another --port, or none: the next that is free is taken."
        raise InputError(asked, str(err.strerror), do) from err


def _port(text: str) -> int:
    """The type of a flag that names a port."""
    number = int(text)
    if not 1 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is no port: give 1 to {_LAST_PORT}")
    return number
