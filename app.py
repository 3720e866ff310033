"""The app: page config, navigation, run.

``streamlit run app.py`` finds the ``App`` below and imports this file before anyone visits. That
the navigation is declared by then matters: until it is, Streamlit takes the folder ``pages`` for
its old multipage apps, and greets whoever opens a deep link first with "Page not found".
"""

from pathlib import Path

import streamlit as st

from pages.server import page_log, visit
from pages.server.server_layers import LAYERS

LOGO = (Path(__file__).parent / "pages" / "shared" / "logo.svg").read_text(encoding="utf-8")

# Files in pages/views, which also name the addresses. Without icons all fit the bar at 1280.
PAGES = {
    "predict": "Predict",
    "find": "Find drugs",
    "browse": "Browse",
    "benchmark": "Benchmark",
    "batch": "Batch",
    "data": "Data & methods",
}

OLD = ("neighbors", "compare", "drugs", "cell_lines", "methods")
"""Addresses that became a part of another page."""


def navigation() -> st.Page:
    """The page that the address names, in the bar with all others."""
    pages = [
        st.Page(f"pages/views/{file}.py", title=title, default=file == "predict")
        for file, title in PAGES.items()
    ]
    pages += [st.Page(f"pages/views/{file}.py", visibility="hidden") for file in OLD]
    return st.navigation(pages, position="top")


if __name__ == "__main__":  # a visit
    st.set_page_config(
        page_title="LGR Explorer",
        page_icon=LOGO,
        layout="wide",
        initial_sidebar_state=330,
        menu_items={
            "About": "**LGR Explorer** predicts what a drug does to a cell line by averaging the "
            "measured changes of named neighbour drugs."
        },
    )
    st.logo(LOGO, size="large")
    page = navigation()
    st.html(f"<style>.stApp {{ --lgr-here: '{page.title}'; }}</style>")  # shown where the bar folds
    visit.run(page)
else:  # the start of the server
    app = st.App(__file__, middleware=LAYERS)
    with page_log.begun():  # Streamlit warns of a navigation without a visitor
        navigation()
