"""Pieces of a page hold text as text, and say numbers as they are."""

import math
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from lgr_core.domain import Reason, Rejected
from lgr_core.errors import InputError
from lgr_core.metrics import METRICS
from pages.predict.piece_cards import Row, row_list
from pages.shared import pieces
from pages.shared.score_tables import metric_table
from pages.shared.structure import DARK, picture
from pages.shared.words import METRIC_WORDS, REASON_WORDS, count, listed

SVG = "{http://www.w3.org/2000/svg}"

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


class Reader(HTMLParser):
    """What a browser would see: tags and text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Keep the tag."""
        self.tags.append(tag)

    def handle_data(self, data):
        """Keep the text."""
        self.text.append(data)


def row_of(**fields):
    """A neighbour's row of which one field matters."""
    known = {"rank": 1, "drug": "d", "picture": None, "reason": "r", "facts": ()}
    return row_list([Row(**{**known, "annotated": [("Mechanism", "m")], **fields})])


@given(names)
def test_any_name_is_text(name):
    """No name, reason, mechanism or twin adds a tag, and each can be read as it is."""
    plain = Reader(row_of(twin_of="t")).tags
    seen = Reader(row_of(drug=name, reason=name, annotated=[(name, name)], twin_of=name))
    assert seen.tags == plain
    assert name in seen.text
    error = InputError(name, name, name)
    assert Reader(pieces.error_box(error)).tags == ["div", "p", "ul", "li", "p"]
    assert Reader(pieces.rejected([Rejected(name, Reason.SELF)])).text[0] == name


def test_what_is_not_known_of_a_neighbour_is_not_made_up():
    """No count, no words about it."""
    text = "".join(Reader(row_of()).text)
    assert "cell" not in text
    assert "plate" not in text
    assert "no structure known" in text
    text = "".join(Reader(row_of(facts=["1 cell", "2 plates"])).text)
    assert "1 cell" in text
    assert "2 plates" in text


def test_the_better_of_two_scores_is_bold():
    """Higher, lower or nearer to the best value, as the metric has it; undefined beats nobody."""

    def bold(name, ours, mean):
        table = metric_table({name: ours}, {name: mean}, [name], "log2 fold change")
        return [part.split("</b>")[0] for part in table.split("<b>")[1:]]

    assert bold("pearson_delta", 0.5, 0.4) == ["0.500"]
    assert bold("mae_delta", 0.5, 0.4) == ["0.400"]
    assert bold("slope", 1.1, 0.5) == ["1.100"]
    assert bold("pearson_delta", 0.4, 0.4) == []
    assert bold("pearson_delta", 0.4, math.nan) == []


def test_the_unit_stands_beside_what_depends_on_it():
    """An error has a unit, a correlation has none."""
    for name, metric in METRICS.items():
        table = metric_table({name: 1.0}, {}, [name], "log2 fold change")
        assert ("log2 fold change" in table) == metric.scale_dependent


def test_every_metric_and_reason_has_its_words():
    """No metric and no reason is shown by its identifier alone."""
    assert set(METRICS) == set(METRIC_WORDS)
    assert set(REASON_WORDS) == set(Reason)


def test_an_endless_message_is_cut():
    """A link may hold thousands of letters."""
    assert len(pieces.error_box(InputError("x" * 9_000, "y" * 9_000, "z" * 9_000))) < 3_000


def test_stored_values_are_readable():
    """Lists by comma, records as JSON, nothing as a word."""
    assert pieces.plain(["a", "b"]) == "a, b"
    assert pieces.plain([]) == "none"
    assert pieces.plain({"a": 1}) == '{"a": 1}'
    assert pieces.plain(None) == "none"
    assert pieces.plain(0) == "0"


def test_numbers_and_lists_are_said_as_one_says_them():
    """One drug, two drugs, a thousand."""
    assert [count(n, "drug") for n in (0, 1, 1_000)] == ["0 drugs", "1 drug", "1,000 drugs"]
    assert [listed(x) for x in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]


def test_a_structure_is_one_picture_with_both_palettes():
    """Bonds are dark on light and light on dark, in one image that can run nothing."""
    image = picture("CC(=O)O")
    assert image.startswith("data:image/svg+xml,")
    assert "prefers-color-scheme:dark" in image
    assert "<" not in image
    assert '"' not in image
    drawn = ET.fromstring(unquote(image.split(",", 1)[1]))  # noqa: S314
    looks = [path.get("style") for path in drawn.iter(f"{SVG}path")]
    assert len(looks) == len(set(looks)) < len(re.findall("M", unquote(image)))
    assert not re.search("#000000|#FF0000", "".join(looks))


@pytest.mark.parametrize("atom", ["*", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I"])
def test_a_structure_has_the_dark_colours_of_what_draws_it(atom):
    """Each colour of rdkit's stands for the one that rdkit takes on a dark page."""

    def colours(*, dark):
        canvas = rdMolDraw2D.MolDraw2DSVG(260, 140)
        canvas.drawOptions().clearBackground = False
        if dark:
            rdMolDraw2D.SetDarkMode(canvas.drawOptions())
        rdMolDraw2D.PrepareAndDrawMolecule(canvas, Chem.MolFromSmiles(atom))
        canvas.FinishDrawing()
        return set(re.findall("#[0-9A-F]{6}", canvas.GetDrawingText()))

    (light,) = colours(dark=False)
    assert colours(dark=True) == {DARK.get(light, light)}


def test_what_is_no_structure_has_no_picture():
    """A broken SMILES is a drug without a drawing."""
    assert picture("no smiles") is None


def test_a_suggestion_is_a_question_beside_the_reason():
    """A near miss is shown with the name that was perhaps meant, both escaped."""
    shown = pieces.rejected([Rejected("Trametinb<", Reason.OUT_OF_POOL, "Trametinib")])
    assert "Trametinb&lt;" in shown
    assert "not among the drugs measured in this line at this dose; perhaps Trametinib?" in shown
    assert "perhaps" not in pieces.rejected([Rejected("Aspirin", Reason.OUT_OF_POOL)])
