"""A structure as a picture that follows the page's theme: one SVG that carries both palettes."""

from __future__ import annotations

import re
from urllib.parse import quote

from lgr_core.drugs.chemistry import drawing
from lgr_core.errors import InputError

WIDTH, HEIGHT = 260, 140

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_FILLED = re.compile(r"fill='(#[0-9A-Fa-f]{6})'")
_IDLE = re.compile(
    r"fill-rule:evenodd;?|stroke-linecap:butt;?|stroke-linejoin:miter;?"
    r"|(stroke|fill)-opacity:1;?|<!--.*?-->| class='[^']*'|xmlns:(rdkit|xlink)='[^']*'"
)


def picture(smiles: str) -> str | None:
    """The structure as the address of an image (``data:``), None if there is nothing to draw.

    Shown in an ``<img>`` it can run nothing. It turns with the colour scheme of the element it
    stands in, without asking the server.
    """
    try:
        light = drawing(smiles, WIDTH, HEIGHT)
        dark = drawing(smiles, WIDTH, HEIGHT, dark=True)
    except InputError:
        return None
    return "data:image/svg+xml," + quote(themed(light, dark), safe=" ()*,-./:;=@'!{}")


def themed(light: str, dark: str) -> str:
    """One drawing of two that differ in colours alone, without what says nothing."""
    palette = dict(zip(_COLOUR.findall(light), _COLOUR.findall(dark), strict=False))
    names = {colour: f"var(--c{i})" for i, colour in enumerate(palette)}
    slim = " ".join(_IDLE.sub("", _FILLED.sub(r"style='fill:\1'", light)).split())
    slim = _COLOUR.sub(lambda match: names[match.group()], slim)
    ours, theirs = (
        "".join(f"--c{i}:{colour};" for i, colour in enumerate(colours))
        for colours in (palette, palette.values())
    )
    style = f"<style>svg{{{ours}}}@media (prefers-color-scheme:dark){{svg{{{theirs}}}}}</style>"
    return slim.replace(">", f">{style}", 1)
