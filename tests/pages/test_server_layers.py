"""The layers around the app: headers on every answer, uploads refused, a line of log a page."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.responses import PlainTextResponse

from lgr_core.config import Settings
from pages.server import page_log, security_headers, visit
from pages.server.security_headers import HEADERS, POLICY, SecurityHeaders
from pages.shared.uploading import UploadGuard, allowed


def answer(layer, method="GET", path="/"):
    """Status and headers of what a layer around a plain answer sends."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "headers": [(b"host", b"a.example")],
        "query_string": b"",
        "scheme": "http",
        "server": ("a.example", 80),
    }
    asyncio.run(layer(PlainTextResponse("there"))(scope, None, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers


def test_every_answer_has_the_headers():
    """Beside those that it had."""
    status, headers = answer(SecurityHeaders)
    assert status == 200
    assert headers.items() >= HEADERS.items()
    assert headers["content-length"] == "5"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_a_page_runs_no_script_but_those_of_this_server():
    """Those in Streamlit's own page go by their hash; there is one, and none is evaluated."""
    scripts = POLICY["script-src"].split()
    assert scripts[0] == "'self'"
    assert [part[:8] for part in scripts[1:]] == ["'sha256-"]
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(scripts)
    assert POLICY["object-src"] == "'none'"
    assert POLICY["frame-ancestors"] == "'self'"
    assert security_headers.INDEX.is_file()


@pytest.mark.parametrize("path", ["/_stcore/upload_file/a/b", "/lab/_stcore/upload_file/a/b"])
def test_no_file_is_taken_where_uploads_are_off(monkeypatch, path):
    """Below a base path, too; everything else passes."""
    monkeypatch.setenv("LGR_UPLOADS", "0")
    assert answer(UploadGuard, "PUT", path)[0] == 403
    assert answer(UploadGuard, "DELETE", path)[0] == 200
    assert answer(UploadGuard, "GET", "/")[0] == 200
    monkeypatch.setenv("LGR_UPLOADS", "1")
    assert answer(UploadGuard, "PUT", path)[0] == 200


@pytest.mark.parametrize(
    ("said", "address", "taken"),
    [
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        ("", "::1", True),
        ("", "0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("", "lab.example", False),
        ("", None, False),
        ("1", "lab.example", True),
        ("1", None, True),
        ("0", "localhost", False),
    ],
)
def test_who_others_reach_takes_files_only_when_asked_to(said, address, taken):
    """The address that it listens on decides where nothing is said."""
    assert Settings.from_environment({"LGR_UPLOADS": said}).takes_uploads(address) is taken


def test_the_switch_reads_the_address_of_the_server(monkeypatch):
    """As Streamlit has it."""
    monkeypatch.delenv("LGR_UPLOADS", raising=False)
    monkeypatch.setattr(st, "get_option", {"server.address": "10.0.0.1"}.get)
    assert not allowed()
    monkeypatch.setattr(st, "get_option", {"server.address": "localhost"}.get)
    assert allowed()


def test_a_page_is_a_line_of_the_log(caplog, monkeypatch):
    """With its time and name, also where it is cut short; not with what was asked."""
    with caplog.at_level(logging.INFO, page_log.log.name):
        with page_log.logged("Predict"):
            pass
        with pytest.raises(SystemExit), page_log.logged("Batch"):
            raise SystemExit
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(" answered")[0] for line in said] == ["page Predict", "page Batch"]


def test_the_level_of_the_log_is_a_setting(monkeypatch):
    """Of what this project logs."""
    loggers = [logging.getLogger(name) for name in ("lgr_core", "pages")]
    before = [(logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    try:
        monkeypatch.setenv("LGR_LOG_LEVEL", "error")
        page_log.begin()
        assert [logger.level for logger in loggers] == [logging.ERROR] * 2
        page_log.begin()
        assert [len(logger.handlers) for logger in loggers] == [1, 1]
    finally:
        for logger, (level, handlers, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.handlers[:], logger.propagate = handlers, propagate


@pytest.mark.parametrize(
    ("asked", "logged_in", "shown"),
    [
        ("", {}, True),
        ("0", {"is_logged_in": False}, True),
        ("1", {"is_logged_in": True}, True),
        ("1", {"is_logged_in": False}, False),
        ("1", {}, False),
    ],
)
def test_a_page_waits_for_a_login_where_one_is_asked_for(monkeypatch, asked, logged_in, shown):
    """Nothing of it is run before."""
    ran, drawn = [], []
    monkeypatch.setenv("LGR_LOGIN", asked)
    monkeypatch.setattr(st, "user", logged_in)
    monkeypatch.setattr(st, "button", lambda *_, **options: drawn.append(options["on_click"]))
    visit.run(SimpleNamespace(title="Predict", run=lambda: ran.append("Predict")))
    assert (ran == ["Predict"]) is shown
    assert drawn == ([] if shown else [st.login])
