"""Files from strangers: names are never paths, other files are not read, nothing stays behind."""

import gc
import io
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5ads import write_h5ad

from lgr_core.atlas.atomic_folder import LockedFolder
from lgr_core.atlas.uploads import receive
from lgr_core.errors import InputError, ServiceError, UsageError


def sent(folder, name, held=b"cell_line,drug\n"):
    """An upload of those bytes under that name."""
    return receive(io.BytesIO(held), name, len(held), folder)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.csv", "/etc/cron.d/x.csv", "a\x00b.csv", "x" * 5_000 + ".csv", "..\\u.csv"],
)
def test_a_name_is_never_a_path(tmp_path, name):
    """What is stored lies in the folder, under a name of our own."""
    upload = sent(tmp_path / "in", name)
    assert upload.path.name == "upload.csv"
    assert upload.path.parent.parent == tmp_path / "in"
    assert upload.path.read_bytes() == b"cell_line,drug\n"
    assert upload.size == 15
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_published_name_that_is_read_is_kept(tmp_path):
    """Tahoe's plates are known by their names; nothing else of that look is."""
    assert sent(tmp_path, "plate_plate12.parquet").path.name == "plate_plate12.parquet"
    assert sent(tmp_path, "plate_plate/../x.parquet").path.name == "upload.parquet"


def test_a_closed_upload_is_gone_unless_it_is_busy(tmp_path):
    """An ingest that reads it cannot be robbed of it."""
    upload = sent(tmp_path, "x.csv")
    upload.busy = True
    upload.close()
    assert upload.path.exists()
    upload.busy = False
    upload.close()
    assert not upload.path.parent.exists()
    upload.close()


def test_a_forgotten_upload_is_gone(tmp_path):
    """A visit that ends takes its file along."""
    folder = sent(tmp_path, "x.csv").path.parent
    gc.collect()
    assert not folder.exists()


def test_what_dead_servers_left_is_cleared_and_the_living_stay(tmp_path):
    """A folder whose lock nobody holds is removed by the next upload."""
    left = tmp_path / "upload-dead"
    left.mkdir()
    (left / ".alive").touch()
    living, foreign = LockedFolder(tmp_path, "upload"), tmp_path / "notes"
    foreign.mkdir()
    sent(tmp_path, "x.csv")
    assert not left.exists()
    assert living.path.exists()
    assert foreign.exists()


@pytest.mark.parametrize(
    ("name", "held", "words"),
    [
        ("x.xlsx", b"PK", "it is called like none that can be read"),
        ("x.csv.gz", b"\x1f\x8b", "it is called like none that can be read"),
        ("x.csv", b"", "it is empty"),
        ("x.h5ad", b"\x89HDF\r\n\x1a\n" + b"0" * 50, "it cannot be read as h5ad"),
        ("x.h5ad", b"GIF89a", "it cannot be read as h5ad"),
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_nothing(tmp_path, name, held, words):
    """One error in the visitor's own words."""
    with pytest.raises(InputError, match=words) as caught:
        sent(tmp_path, name, held)
    assert str(tmp_path) not in str(caught.value)
    assert name in str(caught.value)
    assert list(tmp_path.glob("upload-*")) == []


def h5ad(path, spoil):
    """An h5ad, spoiled by ``spoil(file)``; its bytes."""
    write_h5ad(path, np.ones((2, 2)), {"drug": ["a", "b"]})
    with h5py.File(path, "r+") as file:
        spoil(file)
    return path.read_bytes()


def test_a_file_that_would_read_others_is_refused(tmp_path):
    """Links to other files, values stored in them, and virtual sets made of them."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"12345678")

    def linked(file):
        file["obs/stolen"] = h5py.ExternalLink(str(secret), "/x")

    def stored(file):
        file.create_dataset("obs/s", (8,), dtype="u1", external=[(str(secret), 0, 8)])

    def virtual(file):
        layout = h5py.VirtualLayout((2,), dtype="f4")
        layout[:] = h5py.VirtualSource(str(secret), "x", (2,))
        file.create_virtual_dataset("layers/v", layout)

    for spoil in (linked, stored, virtual):
        held = h5ad(tmp_path / "x.h5ad", spoil)
        with pytest.raises(InputError, match="lies in another file"):
            sent(tmp_path / "in", "x.h5ad", held)
    assert list((tmp_path / "in").glob("upload-*")) == []


def test_groups_that_hold_each_other_end(tmp_path):
    """A circle of hard links is looked through once."""

    def circle(file):
        file["obs/again"] = file["/"]

    assert sent(tmp_path / "in", "x.h5ad", h5ad(tmp_path / "x.h5ad", circle)).size


def test_a_disk_without_room_is_said_before_a_byte_is_kept(tmp_path, monkeypatch):
    """What is free and what is needed."""
    monkeypatch.setattr(
        "lgr_core.atlas.uploads.shutil.disk_usage", lambda _: type("Disk", (), {"free": 40})
    )
    with pytest.raises(ServiceError, match="this server has 0 MB left"):
        sent(tmp_path, "x.csv")
    assert list(tmp_path.glob("upload-*")) == []


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path):
    """The operator's fault, told to the visitor."""
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="it cannot be kept"):
        sent(tmp_path / "file" / "in", "x.csv")


def test_tables_come_along_and_errors_name_them_in_plain_words(tmp_path):
    """A table replaces the one before it; no path of the server is shown."""
    upload = sent(tmp_path, "mine.csv")
    upload.add("drugs", io.BytesIO(b"drug\n"))
    upload.add("drugs", io.BytesIO(b"drug,moa\n"))
    assert upload.companions["drugs"].read_bytes() == b"drug,moa\n"
    said = upload.plainly(
        InputError(f"file {upload.path}", f"not like {upload.companions['drugs']}", "Look.")
    )
    assert str(said) == "file mine.csv: not like drugs.csv. Look."
    upload.drop("drugs")
    upload.drop("drugs")
    assert upload.companions == {}
    with pytest.raises(UsageError, match="is unknown"):
        upload.add("../x", io.BytesIO(b""))
    assert not Path(tmp_path / "x.csv").exists()
