"""The README's pictures, made anew: the app on the demo atlas in Debian's Chromium.

Run: ``make screenshots`` (needs ``lgr demo`` and ``apt install chromium``).
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from lgr_core.config import Settings

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from tests.support.app_server import served  # noqa: E402 - the tests' own way to start the app
from tests.support.browser_page import still  # noqa: E402

OUT = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
QUESTION = "atlas=demo&cell_line=A549&drug=Trametinib"
PICTURES = {
    "predict": (f"?{QUESTION}", None),
    "reasons": (f"?{QUESTION}&look=reasons", "Reasons and what the data say"),
    "benchmark": ("benchmark", None),
}
"""Links, and the heading that is scrolled to."""

INTO_VIEW = "found => { found.style.scrollMarginTop = '80px'; found.scrollIntoView(); }"


def picture(page: Page, link: str, heading: str | None) -> Image.Image:
    """A screen of a page, once it is drawn."""
    page.goto(link)
    page.wait_for_selector(".lgr-title")
    still(page)
    if heading is not None:
        page.get_by_text(heading, exact=True).evaluate(INTO_VIEW)
    page.wait_for_timeout(1_500)
    return Image.open(io.BytesIO(page.screenshot()))


def linked(home: Path) -> Path:
    """A home with what this installation has built, so that the app's log stays out of it."""
    for name in ("atlases", "runs"):
        (home / name).symlink_to((Settings.from_environment().home / name).resolve())
    return home


def main() -> None:
    """Take each picture and keep it small: 256 colours."""
    OUT.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with (
        tempfile.TemporaryDirectory() as home,
        served(linked(Path(home))) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport=SIZE)
        for name, (link, heading) in PICTURES.items():
            file = OUT / f"{name}.png"
            shot = picture(page, f"{address}/{link}", heading).convert("RGB")
            found = shot.quantize(256, Image.Quantize.MAXCOVERAGE)
            found.save(file, optimize=True)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
