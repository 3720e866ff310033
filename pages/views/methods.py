"""What is computed, how to read it, and what it cannot do."""

from lgr_core.errors import LgrError
from pages.methods import methods_sections
from pages.methods.methods_text import PARTS
from pages.shared import links, pieces, state
from pages.shared.fault_words import sentence
from pages.shared.pickers import refused, switch, usual_atlas
from pages.shared.question import DEMO, one_of
from pages.shared.widgets import html, start


def show(atlas: str, names: list[str]) -> None:
    """The part that the link names."""
    wishes, linked = links.wishes(("part",))
    part, error = one_of("part", wishes.get("part") or None, PARTS, "start")
    wrong = [] if error is None else [sentence(error)]
    html(pieces.title("Methods"))
    if linked and refused(wrong, PARTS[part]):
        return
    links.remember({"part": part})
    switch("Part", "part", PARTS, part, label_visibility="collapsed")
    name = atlas if atlas in names else usual_atlas(names)
    try:
        methods_sections.SHOW[part](state.store(name))
    except LgrError as err:
        html(pieces.error_box(err))


names = start()
if names:
    show(links.kept(("atlas",)).get("atlas", DEMO), names)
