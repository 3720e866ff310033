"""``lgr app``: what it starts, and what it refuses to start."""

import os
import socket
import sys

import pytest

from lgr_core.cli import main
from lgr_core.config import LAYOUT


@pytest.fixture
def started(monkeypatch):
    """What the process would have become: (command, environment)."""
    calls = []

    def become(program, command, environment):
        assert program == sys.executable
        calls.append((command, environment))

    monkeypatch.setattr(os, "execve", become)
    return calls


def test_streamlit_serves_this_machine_alone(started, monkeypatch, tmp_path):
    """The app of this installation, on localhost; Streamlit looks for a free port."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    assert main(["app"]) == 0
    command, environment = started[0]
    assert command[1:6] == ["-P", "-m", "streamlit", "run", str(LAYOUT.app)]
    assert command[6:] == ["--server.address=localhost"]
    assert environment["LGR_HOME"] == str(tmp_path)


def test_flags_reach_streamlit(started, monkeypatch, tmp_path):
    """The port, the address, and a home that goes before LGR_HOME, made absolute."""
    monkeypatch.setenv("LGR_HOME", "/elsewhere")
    monkeypatch.chdir(tmp_path)
    assert main(["app", "--port", "18501", "--address", "127.0.0.1", "--home", "mine"]) == 0
    command, environment = started[0]
    assert command[6:] == ["--server.address=127.0.0.1", "--server.port=18501"]
    assert environment["LGR_HOME"] == str(tmp_path / "mine")


def test_a_port_in_use_is_refused(started, capsys):
    """Before Streamlit is started, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code = main(["app", "--address", "127.0.0.1", "--port", str(port)])
    assert (code, started) == (3, [])
    assert f"--port {port}" in capsys.readouterr().err


def test_an_address_of_another_machine_is_refused(started, capsys):
    """192.0.2.1 is reserved for documentation: no machine has it."""
    assert (main(["app", "--address", "192.0.2.1"]), started) == (3, [])
    assert "--address 192.0.2.1" in capsys.readouterr().err


def test_a_home_that_is_a_file_is_refused(started, capsys, tmp_path):
    """By the flag's own name."""
    (tmp_path / "file").write_text("")
    assert (main(["app", "--home", str(tmp_path / "file")]), started) == (3, [])
    assert "--home" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port_is_wrong_use(started, port):
    """As argparse says it."""
    with pytest.raises(SystemExit) as stopped:
        main(["app", "--port", port])
    assert (stopped.value.code, started) == (2, [])
