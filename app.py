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
        st.Page("pages/predict.py", title="Predict", icon=":material/insights:", default=True),
        st.Page("pages/data.py", title="About this data", icon=":material/dataset:"),
    ],
    position="top",
).run()
