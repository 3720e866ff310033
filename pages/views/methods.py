"""An address of old: what is computed and how, now a part of the page Data & methods."""

import streamlit as st

from pages.data.data_view import METHODS_FIRST

given = st.query_params.to_dict()
wanted = {**given, "part": given.get("part") or METHODS_FIRST}
st.switch_page("pages/views/data.py", query_params=wanted)
