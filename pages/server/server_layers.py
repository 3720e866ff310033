"""The layers around the app, the outermost first."""

from __future__ import annotations

from starlette.middleware import Middleware

from pages.server.preload import PRELOAD
from pages.server.security_headers import SECURITY_HEADERS
from pages.shared.uploading import UPLOAD_GUARD

LAYERS: list[Middleware] = [SECURITY_HEADERS, UPLOAD_GUARD, PRELOAD]
"""For ``st.App``."""
