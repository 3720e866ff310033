"""What a visitor sees of a page that ran without a browser."""

import json
import re

TIP = re.compile(r'<span class="lgr-tip"[^>]*>([^<]*)</span>')
"""A term with its tooltip."""


def turn(app, page, **link):
    """The app at another page, by that link."""
    app.query_params.clear()
    for key, value in link.items():
        app.query_params[key] = value
    return app.switch_page(f"pages/views/{page}.py").run()


def unfold(app, box="made"):
    """The page with a box opened that is drawn when it is opened, by its key."""
    app.session_state[box] = True
    return app.run()


def tab_of(app, tab, field="show"):
    """The page after a click on a tab, by its name in the link."""
    app.session_state[field] = tab
    app.session_state["picked"] = True
    return app.run()


def text(app):
    """All HTML of a page as one string, without tooltips; nothing may have crashed on the way."""
    return TIP.sub(r"\1", marked(app))


def marked(app):
    """The same with the tooltips of its terms."""
    assert not app.exception, app.exception
    return "\n".join(block.body for block in app.html if "<style>" not in block.body)


def recipes(app):
    """The blocks of code on a page, without the address that can be copied."""
    return [block.value for block in app.code if not re.match(r"https?://|/\?", block.value)]


def link(app):
    """The link that the page stands for."""
    given = dict(app.query_params)
    return {key: value if isinstance(value, str) else value[-1] for key, value in given.items()}


def figures(app):
    """The plotly figures of a page, as the browser gets them."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
