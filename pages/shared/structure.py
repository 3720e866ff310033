"""A structure as a picture that follows the page's theme: one SVG that carries both palettes."""

from __future__ import annotations

import re
from urllib.parse import quote

from lgr_core.drugs.chemistry import drawing
from lgr_core.errors import InputError

WIDTH, HEIGHT = 260, 140

DARK = {
    "#000000": "#E5E5E5",
    "#191919": "#E5E5E5",
    "#0000FF": "#5468EA",
    "#FF0000": "#FF3333",
    "#7F4C19": "#B56611",
    "#A01EEF": "#E201FF",
}
"""What rdkit's colours become on a dark page, as rdkit has it; the others read on both."""

_PATH = re.compile(r"<path [^>]*?d='([^']*)' (?:style='([^']*)'|fill='([^']*)')")
_COLOUR = re.compile("|".join(DARK))
_SPACED = re.compile(" ?([A-Z]) ?")


def picture(smiles: str) -> str | None:
    """The structure as the address of an image (``data:``), None if there is nothing to draw.

    Shown in an ``<img>`` it can run nothing. It turns with the colour scheme of the element it
    stands in, without asking the server.
    """
    try:
        drawn = drawing(smiles, WIDTH, HEIGHT)
    except InputError:
        return None
    return "data:image/svg+xml," + quote(themed(drawn), safe=" ()*,-./:;=@'!{}")


def themed(drawn: str) -> str:
    """The drawing in both palettes; lines that look alike are one path."""
    lines: dict[str, str] = {}
    for line, style, fill in _PATH.findall(drawn):
        look = style or f"fill:{fill}"
        lines[look] = lines.get(look, "") + _SPACED.sub(r"\1", line)
    paths = "".join(f"<path style='{look}' d='{line}'/>" for look, line in lines.items())
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' "
        f"width='{WIDTH}' height='{HEIGHT}'><style>{_palettes()}</style>"
        f"{_COLOUR.sub(lambda light: _variable(light.group()), paths)}</svg>"
    )


def _palettes() -> str:
    light, dark = (
        "".join(f"--c{i}:{colour};" for i, colour in enumerate(colours))
        for colours in (DARK, DARK.values())
    )
    return f"svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}"


def _variable(light: str) -> str:
    return f"var(--c{list(DARK).index(light)})"
