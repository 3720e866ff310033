"""The address of a page and one visitor's memory: read, kept between pages, written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

_MEMORY = "question"


def wishes(fields: Sequence[str]) -> tuple[Mapping[str, str], bool]:
    """What is asked, and whether a link asks: a picker just used, a new link, or the last view.

    ``fields`` are those of the page's address, which are also the keys of its pickers. The pickers
    go first: a click may be under way while the address still shows the last view.
    """
    given = {
        key: value.strip()
        for key, value in st.query_params.to_dict().items()
        if key in fields and value.strip()
    }
    memory = st.session_state.get(_MEMORY, {})
    if st.session_state.pop("picked", False):
        used = {key: str(st.session_state[key]) for key in fields if key in st.session_state}
        return {**memory, **used}, False
    if given and given != st.session_state.get("link"):
        return given, True
    return memory, False


def picked() -> None:
    """What a picker calls when it was used."""
    st.session_state["picked"] = True


def kept(fields: Sequence[str]) -> Mapping[str, str]:
    """What was asked last, of these fields."""
    memory = st.session_state.get(_MEMORY, {})
    return {key: memory[key] for key in fields if key in memory}


def keep(part: Mapping[str, str]) -> None:
    """Keep a part of what is asked for the next page, the rest as it was."""
    st.session_state[_MEMORY] = {**st.session_state.get(_MEMORY, {}), **part}


def write(link: Mapping[str, str]) -> None:
    """Write the address, unless it says so already; an empty field is taken out of it.

    Fields that are not ours stay.
    """
    given = st.query_params.to_dict()
    if any(given.get(key, "") != value for key, value in link.items()):
        st.query_params.update({key: value for key, value in link.items() if value})
        for key in link:
            if key in given and not link[key]:
                del st.query_params[key]
    st.session_state["link"] = {key: value for key, value in link.items() if value}


def remember(link: Mapping[str, str]) -> None:
    """Keep what is shown, and write it into the address."""
    keep(link)
    write(link)
