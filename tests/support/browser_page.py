"""What a visitor does on a page in a real browser, and whether it fits the window."""

PAGES = (
    "",
    "neighbors",
    "compare",
    "benchmark",
    "find",
    "browse",
    "batch",
    "data",
    "methods",
)
"""Every page by its address; the first is Predict."""

READY = ".js-plotly-plot .ytick text"

_CUT = """() => {
    const out = [];
    for (const svg of document.querySelectorAll('.js-plotly-plot .main-svg')) {
        const frame = svg.getBoundingClientRect();
        for (const text of svg.querySelectorAll('text')) {
            const box = text.getBoundingClientRect();
            if (box.width && (box.left < frame.left - 1 || box.right > frame.right + 1))
                out.push(text.textContent);
        }
    }
    for (const card of document.querySelectorAll('.lgr-pick, .lgr-table'))
        if (card.scrollWidth > card.clientWidth + 1) out.push(card.innerText);
    return out;
}"""


WORDS_IN_SIGHT = """() => {
    const words = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode, of = node.parentElement;
        if (of.closest('svg, .lgr-picks, script, style, noscript, [data-testid=stIconMaterial]'))
            continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect();
        if (box.width < 2 || box.height < 2 || box.top >= innerHeight || box.bottom <= 0) continue;
        if (getComputedStyle(of).visibility == 'hidden' || !of.checkVisibility()) continue;
        if (of.closest('details:not([open])') && !of.closest('summary')) continue;
        words.push(...node.textContent.split(/\\s+/).filter(word => /\\w/.test(word)));
    }
    return words;
}"""
"""The words that can be seen without scrolling, but for figures and the table of reasons."""


def pick(page, key, words):
    """Choose an entry of a list by typing part of it.

    Where words of one's own are taken, too, these are offered first: the entry is below.
    """
    still(page)
    box = unfolded(page, key)
    box.click()
    box.fill(words)
    page.locator("[role=option]").first.wait_for()
    page.locator("[role=option]").filter(has_not_text="Add: ").first.click()


def unfolded(page, key):
    """The box of a list, in sight: how it is predicted is folded."""
    box = page.locator(f".st-key-{key} input").first
    if not box.is_visible():
        page.locator(".st-key-how summary").click()
        box.wait_for()
        page.wait_for_timeout(600)  # the box unfolds, and a list that opens on the way is closed
    return box


def title(page, words):
    """Wait until the page's title says so."""
    page.wait_for_function(
        "words => document.querySelector('.lgr-title')?.innerText.includes(words)", arg=words
    )


def settle(page):
    """Wait until the page is drawn and no script runs."""
    page.locator(READY).first.wait_for()
    still(page)


def still(page):
    """Wait until no script runs, on a page with figures or without."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def assert_fits(page):
    """Nothing is wider than the window, and no label, card or table is cut."""
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    cut = page.evaluate(_CUT)
    assert cut == [], cut


def shoot(page, path):
    """Picture the whole page, not the part in sight."""
    still(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height + 20})
    page.wait_for_timeout(800)
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000
