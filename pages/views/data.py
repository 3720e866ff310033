"""What the atlases hold and allow, how to add one, and how everything is computed."""

from pages.data import data_atlas, data_coverage, data_quality, data_upload, data_view
from pages.data.data_view import Seen
from pages.methods import methods_sections
from pages.shared import pieces
from pages.shared.widgets import html

OF_AN_ATLAS = {
    "atlas": data_atlas.show,
    "coverage": data_coverage.show,
    "quality": data_quality.show,
}


def show(seen: Seen) -> None:
    """The part that is asked for; most need an atlas that can be opened."""
    if seen.part == "own":
        data_upload.show(seen)
    elif seen.part == "all":
        data_atlas.show_all()
    elif seen.error is not None:
        html(pieces.error_box(seen.error))
    elif seen.part in OF_AN_ATLAS:
        html(pieces.badge(seen.store.info(), seen.store.value_kind.label))
        OF_AN_ATLAS[seen.part](seen)
    else:
        methods_sections.SHOW[seen.part](seen.store)


seen = data_view.ask()
if seen is not None:
    data_view.side_switch(seen.part)
    with data_view.tabs(seen.part):
        show(seen)
