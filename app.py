"""The app: page config, navigation, run."""

from pathlib import Path

import streamlit as st

LOGO = (Path(__file__).parent / "pages" / "shared" / "logo.svg").read_text(encoding="utf-8")

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
st.navigation(
    [
        st.Page(
            "pages/views/predict.py", title="Predict", icon=":material/insights:", default=True
        ),
        st.Page("pages/views/neighbors.py", title="Neighbours", icon=":material/group:"),
        st.Page("pages/views/compare.py", title="Compare", icon=":material/balance:"),
        st.Page("pages/views/benchmark.py", title="Benchmark", icon=":material/leaderboard:"),
        st.Page("pages/views/find.py", title="Find drugs", icon=":material/search:"),
        st.Page("pages/views/drugs.py", title="Drugs", icon=":material/medication:"),
        st.Page("pages/views/cell_lines.py", title="Cell lines", icon=":material/biotech:"),
        st.Page("pages/views/data.py", title="About this data", icon=":material/dataset:"),
    ],
    position="top",
).run()
