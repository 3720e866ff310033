"""Whether visitors may send files: one switch for data, gene sets and lists of queries."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lgr_core.config import Settings

ROUTE = "/_stcore/upload_file/"
"""Where Streamlit takes files, below whatever base path the server has."""

OFF = "Sending files is switched off on this server."


def allowed() -> bool:
    """Whether this server takes files: see :meth:`Settings.takes_uploads`."""
    return Settings.from_environment().takes_uploads(st.get_option("server.address"))


class UploadGuard:
    """A layer around the app that refuses files where they are switched off.

    Without it a file that no page asks for would be kept in memory all the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but refused files."""
        if scope["type"] == "http" and _sends_file(Request(scope)) and not allowed():
            await PlainTextResponse(OFF, status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _sends_file(request: Request) -> bool:
    return request.method in {"PUT", "POST"} and ROUTE in request.url.path


UPLOAD_GUARD = Middleware(UploadGuard)
"""The layer, for ``st.App``."""
