"""What the browser fetches at once, beside the page itself.

The code that draws figures is the largest file of Streamlit's, and Streamlit asks for it only when
the first figure comes. Icons come in a font of their own, and plotly draws every figure once more
when a font arrives.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILES = Path(st.__file__).parent / "static"

_EARLY = {
    "static/js/PlotlyChart.*.js": "rel=modulepreload",
    "static/media/MaterialSymbols-Rounded.*.woff2": "rel=preload; as=font; crossorigin",
}

LINK = ", ".join(
    f"<./{file.relative_to(FILES).as_posix()}>; {how}"
    for name, how in _EARLY.items()
    for file in FILES.glob(name)
)
"""The header that names them."""


class Preload:
    """A layer around the app that adds ``LINK`` to every page of HTML."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""

        async def announce(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if LINK and headers.get("content-type", "").startswith("text/html"):
                    headers.append("link", LINK)
            await send(message)

        await self._app(scope, receive, announce)


PRELOAD = Middleware(Preload)
"""The layer, for ``st.App``."""
