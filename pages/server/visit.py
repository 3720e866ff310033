"""A run of a page for a visitor: logged in where that is asked for, and a line of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lgr_core.config import Settings
from pages.server import page_log
from pages.shared import pieces
from pages.shared.widgets import html

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

WORDS = "This server is for those who have an account: log in to go on."


def run(page: StreamlitPage) -> None:
    """Run the page, unless the visitor must log in first (LGR_LOGIN)."""
    if Settings.from_environment().login and not st.user.get("is_logged_in"):
        html(pieces.title("Log in") + pieces.lead([WORDS]))
        st.button("Log in", key="login", type="primary", on_click=st.login)
        return
    with page_log.logged(page.title):
        page.run()
