"""Bring your own data without a browser: sent, looked at, corrected, checked, ingested, refused."""

import io
import threading

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.store import atlas_names, open_atlas
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Fix, Option, Remedy
from pages.data import data_columns, data_state
from pages.shared.fault_words import plainly, remedy_words
from tests.support.count_files import write_h5ad
from tests.support.rendered_page import link, text, turn


def changes(**columns):
    """A table of changes as CSV."""
    frame = {"cell_line": ["A549", "LoVo"], "drug": ["Trametinib"] * 2, **columns}
    frame |= {"G1": [1.5, -0.5], "G2": [-2.0, 0.25]}
    return pd.DataFrame(frame).to_csv(index=False).encode()


def send(app, name, held):
    """Upload a file."""
    app.file_uploader[0].upload(name, held)
    return app.run()


def finished(app):
    """The page once its ingest has ended."""
    job = data_state.jobs().find(link(app)["ingest"])
    for _ in range(2_000):
        if job.ended:
            return app.run()
        threading.Event().wait(0.01)
    pytest.fail("the ingest does not end")


def test_limits_are_said_before_the_upload(data_page):
    """Size, formats, where it is kept, who sees it."""
    app = data_page(part="own")
    page = text(app)
    assert "At most 200 MB" in page
    assert "everybody who can open this page sees it" in page
    app.segmented_control(key="own_seen").set_value("visit").run()
    page = text(app)
    assert "seen by you alone" in page
    assert "everybody" not in page


def test_an_atlas_kept_to_the_visit_is_seen_by_nobody_else(data_page, own_home):
    """Its pages open for the visitor; for another neither its name nor its ingest is there."""
    app = data_page(part="own")
    app.segmented_control(key="own_seen").set_value("visit").run()
    app = send(app, "secret.csv", changes())
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    app.button(key="ingest_now").click().run()
    app = finished(app)
    assert "by you alone, until this visit ends" in text(app)
    assert atlas_names(own_home / "atlases") == ["lab", "toy"]
    ingest = link(app)["ingest"]
    page = turn(app, "data", atlas="secret")
    assert "<th>seen by</th><td>you alone, for this visit</td>" in text(page)
    every = turn(app, "data", part="all").dataframe[0].value.set_index("atlas")["seen by"]
    assert every.to_dict() == {"lab": "everybody", "secret": "you, this visit", "toy": "everybody"}
    assert "Trametinib" in text(turn(app, "predict", atlas="secret", selector="chemistry"))
    assert "secret" not in data_page(part="all").dataframe[0].value["atlas"].tolist()
    assert "this server knows of no such ingest" in text(data_page(part="own", ingest=ingest))
    folder = app.session_state["visit_folder"]
    assert atlas_names(folder.path) == ["secret"]
    folder.close()
    assert not folder.path.exists()


@pytest.mark.parametrize("kind", ["long", "turned"])
def test_what_was_recognised_is_said_before_it_is_built(data_page, kind):
    """The layout of the table, and the unit of its doses."""
    wide = pd.read_csv(io.BytesIO(changes(dose_nM=[500, 500])))
    known = ["cell_line", "drug", "dose_nM"]
    long = wide.melt(known, var_name="gene", value_name="log2FC")
    table = {"long": long, "turned": wide.T.reset_index()}[kind]
    app = send(data_page(part="own"), "x.csv", table.to_csv(index=False).encode())
    page = text(app)
    words = {"long": "A long table", "turned": "A transposed table"}[kind]
    assert words in page
    assert "dose_nM" in page
    assert "in nM" in page
    assert "2 rows and 2 genes" in page


def test_changes_are_checked_ingested_and_opened(data_page, own_home):
    """Kind, name, check, ingest; the file is removed and the atlas is there."""
    held = changes(remark=["to be", "read"])
    app = send(data_page(part="own"), "../my changes.csv", held)
    assert "2 rows and 2 genes" in text(app)
    assert app.text_input(key="own_name").value == "my_changes"
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    page = text(app)
    assert "<th>cell lines</th><td>2: A549, LoVo</td>" in page
    assert "Cell line: cell_line (guessed)" in page
    assert "../my changes.csv: columns that hold no numbers, and so no genes: remark" in page
    assert str(own_home) not in page
    assert atlas_names(own_home / "atlases") == ["lab", "toy"]
    app.button(key="ingest_now").click().run()
    app = finished(app)
    assert "<b>my_changes</b> is built" in text(app)
    store = open_atlas("my_changes", own_home / "atlases")
    assert store.provenance["source"] == "../my changes.csv"
    assert list((own_home / "uploads").glob("upload-*")) == []
    app.button(key="another").click().run()
    assert "ingest" not in link(app)
    assert len(app.file_uploader) == 1


def test_an_upload_is_not_what_the_next_visitor_opens_on(data_page, own_home):
    """Though its name is the first of all; who names it gets it."""
    app = send(data_page(part="own"), "aaa.csv", changes())
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    app.button(key="ingest_now").click().run()
    finished(app)
    assert atlas_names(own_home / "atlases") == ["aaa", "lab", "toy"]
    page = turn(data_page(), "browse")
    assert page.selectbox(key="atlas").value == "lab"
    assert page.selectbox(key="atlas").options == ["aaa", "lab", "toy"]
    assert turn(data_page(), "browse", atlas="aaa").selectbox(key="atlas").value == "aaa"


def test_a_column_is_corrected_and_the_error_speaks_the_words_of_the_page(data_page):
    """No flag of the command line is shown."""
    held = changes().replace(b"cell_line", b"from_where")
    app = send(data_page(part="own"), "x.csv", held)
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    page = text(app)
    assert "Choose the column «Cell line» above." in page
    assert "--" not in page.split('role="alert"')[1]
    app.selectbox(key="own_cell_line").set_value("from_where").run()
    assert "check again" in text(app)
    app.button(key="check").click().run()
    assert "2: A549, LoVo" in text(app)
    app.selectbox(key="own_drug").set_value(None).run()
    app.button(key="check").click().run()
    assert "Choose the column «Drug» above." in text(app)


def test_counts_come_with_vehicle_time_and_layer(data_page, tmp_path):
    """What only some files ask for is asked where it is there."""
    obs = {"cell_line": ["A"] * 4, "drug": ["Water", "T"] * 2, "time": [6, 6, 24, 24]}
    X = np.array([[3.0, 4], [9, 1], [2, 4], [1, 7]])
    path = write_h5ad(tmp_path / "c.h5ad", X / 7, obs, layers={"counts": X})
    app = send(data_page(part="own"), "c.h5ad", path.read_bytes())
    assert app.selectbox(key="own_kind").value == "counts"
    app.button(key="check").click().run()
    assert "Choose one of them above" in text(app)
    app.selectbox(key="own_one_time").set_value("24").run()
    app.button(key="check").click().run()
    assert "Choose the vehicle above." in text(app)
    app.multiselect(key="own_controls").set_value(["Water"]).run()
    app.button(key="check").click().run()
    page = text(app)
    assert "<th>vehicle</th><td>Water (1)</td>" in page
    assert "<th>time</th><td>24</td>" in page
    assert "2 (of another time)" in page


def test_a_name_that_is_taken_is_refused_at_the_check(data_page):
    """The atlas there stays."""
    app = send(data_page(part="own"), "lab.csv", changes())
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    assert "it exists already, and stays as it is" in text(app)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("photo.csv", b"\x89PNG\r\n" + bytes(range(256)) * 4),
        ("cut.h5ad", b"\x89HDF\r\n\x1a\n" + bytes(200)),
        ("cut.parquet", b"PAR1" + bytes(50)),
        ("empty.csv", b""),
        ("words.csv", b"a,b\nc,d\n"),
    ],
)
def test_a_wrong_file_is_one_error_and_leaves_nothing(data_page, own_home, name, held):
    """In the visitor's own name of it; removed, nothing is left on the disk."""
    app = send(data_page(part="own"), name, held)
    page = text(app)
    assert page.count('role="alert"') == 1
    assert name in page
    assert str(own_home) not in page
    for button in [button for button in app.button if button.key == "remove"]:
        button.click().run()
    assert list((own_home / "uploads").glob("upload-*")) == []
    assert atlas_names(own_home / "atlases") == ["lab", "toy"]


def test_a_page_that_is_left_keeps_the_file_and_what_was_said(data_page):
    """Back from another page, nothing has to be done again."""
    app = send(data_page(part="own"), "x.csv", changes())
    app.selectbox(key="own_kind").set_value("zscore").run()
    app.text_input(key="own_name").set_value("kept").run()
    app.switch_page("pages/views/browse.py").run()
    app.query_params.clear()
    app.switch_page("pages/views/data.py").run()
    assert app.selectbox(key="own_kind").value == "zscore"
    assert app.text_input(key="own_name").value == "kept"


def test_a_failed_ingest_is_told_and_the_file_is_still_there(data_page, own_home, monkeypatch):
    """One error; back to the file with one click."""

    def full(*_args, **_options):
        raise OSError(28, "No space left")

    app = send(data_page(part="own"), "x.csv", changes())
    app.selectbox(key="own_kind").set_value("log2fc").run()
    app.button(key="check").click().run()
    monkeypatch.setattr("lgr_core.atlas.uploads.READERS.call", full)
    app.button(key="ingest_now").click().run()
    app = finished(app)
    assert "it cannot be made into an atlas (OSError)" in text(app)
    assert atlas_names(own_home / "atlases") == ["lab", "toy"]
    app.button(key="again").click().run()
    assert app.selectbox(key="own_kind").value == "log2fc"


def test_an_ingest_that_nobody_knows_is_explained(data_page):
    """A link from before the server was started anew."""
    app = data_page(part="own", ingest="0" * 32)
    assert "this server knows of no such ingest" in text(app)
    app.button(key="again").click().run()
    assert len(app.file_uploader) == 1


def test_uploads_are_switched_off_by_the_operator(data_page, monkeypatch):
    """No box for a file; the same in a shell."""
    monkeypatch.setenv("LGR_UPLOADS", "0")
    app = data_page(part="own")
    assert "switched uploads off" in text(app)
    assert len(app.file_uploader) == 0
    assert "lgr ingest" in app.code[0].value


@pytest.mark.parametrize("fix", Fix)
def test_every_remedy_is_a_field_of_the_form(fix):
    """No flag of the command line, and no place left open."""
    words = remedy_words(Remedy(fix, "drug", ("a", "b")))
    assert "--" not in words
    assert "{" not in words


@pytest.mark.parametrize(
    ("error", "asked", "do"),
    [
        (
            InputError("the dose unit", "none", Remedy(Fix.DOSE_UNIT, "dose_unit")),
            "the dose unit",
            "Choose the unit of the dose above.",
        ),
        (
            InputError(Option("column", "x", "drug"), "none", "Name one of these."),
            "column «Drug»: x",
            "Name one of these.",
        ),
        (
            InputError(Option("time", "24"), "none", Remedy(Fix.COLUMN, "time")),
            "time 24",
            "Choose the column «Time» above.",
        ),
        (
            UsageError(Option("value-kind", "zscore"), "none", "Leave it out."),
            "kind of numbers: zscore",
            "Leave it out.",
        ),
        (InputError("file --column", "none", "Say --layer."), "file --column", "Say --layer."),
    ],
)
def test_errors_are_said_by_their_fields(error, asked, do):
    """On the page things are chosen, not typed; a text is never looked into."""
    said = plainly(error)
    assert (said.asked, said.found, said.do) == (asked, "none", do)
    assert type(said) is type(error)
    assert said.remedy == error.remedy


def test_a_proposed_name_can_name_an_atlas():
    """After the file's, without what a name may not hold."""
    assert data_columns._plain_name("../My data (2).csv") == "My_data_2"
    assert data_columns._plain_name("….csv") == "my_data"
