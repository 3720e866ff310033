"""Tables of words, readable on a phone, each with its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import pandas as pd

from pages.shared.browsing import download
from pages.shared.widgets import html


def word_table(file: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of words and its file."""
    rows = list(rows)
    top = "".join(f"<th>{escape(words)}</th>" for words in head)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name)}">{escape(words)}</td>'
            for name, words in zip(head, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    html(
        f'<table class="lgr-table lgr-text"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    download(pd.DataFrame(rows, columns=list(head)), f"lgr_{file}")
