"""Ingests in the background: one name is had once, failures leave nothing, nobody is forgotten."""

import io
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas import jobs as ingest_jobs
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.jobs import IngestJobs
from lgr_core.atlas.store import atlas_names, open_atlas
from lgr_core.atlas.uploads import receive
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, UsageError
from tests.support.count_files import write_h5ad

CHANGES = IngestOptions(value_kind=ValueKind.LOG2FC)


@pytest.fixture
def jobs(tmp_path):
    """The queue of an empty installation."""
    return IngestJobs(tmp_path / "atlases")


@pytest.fixture
def send(tmp_path):
    """An upload of a small table of changes."""

    def upload(value=1.5, name="changes.csv"):
        frame = pd.DataFrame({"cell_line": "A", "drug": ["T", "U"], "G": [value, -0.5]})
        held = frame.to_csv(index=False).encode()
        return receive(io.BytesIO(held), name, len(held), tmp_path / "in")

    return upload


def ended(jobs, key):
    """The job, when it has ended."""
    job = jobs.find(key)
    for _ in range(2_000):
        if job.ended:
            return job
        threading.Event().wait(0.01)
    pytest.fail("the job does not end")


def test_an_upload_becomes_an_atlas_and_is_removed(jobs, send):
    """The provenance has the visitor's name of the file."""
    upload = send()
    job = ended(jobs, jobs.start(upload, "mine", CHANGES, simulated=True))
    assert job.error is None
    store = open_atlas("mine", jobs.folder)
    assert store.simulated
    assert store.provenance["source"] == "changes.csv"
    assert store.provenance["uploaded"] is True
    assert not upload.path.exists()


def test_a_name_is_had_once(jobs, send, monkeypatch):
    """While it is built, when it is there, and where it is nobody's to take."""
    leave = threading.Event()
    real = ingest_jobs.ingest

    def slow(*args, **options):
        leave.wait(20)
        return real(*args, **options)

    monkeypatch.setattr(ingest_jobs, "ingest", slow)
    first = jobs.start(send(), "mine", CHANGES)
    with pytest.raises(InputError, match="one of that name is being built"):
        jobs.start(send(9.0), "mine", CHANGES)
    second = jobs.start(send(), "other", CHANGES)
    assert [jobs.waiting(jobs.find(key)) for key in (first, second)] == [0, 1]
    leave.set()
    assert ended(jobs, first).error is None
    assert ended(jobs, second).error is None
    with pytest.raises(InputError, match="it exists already, and stays as it is"):
        jobs.start(send(9.0), "mine", CHANGES)
    assert open_atlas("mine", jobs.folder).gene("G").tolist() == [1.5, -0.5]
    with pytest.raises(InputError, match="the name of the simulated atlas"):
        jobs.start(send(), "demo", CHANGES)
    with pytest.raises(UsageError, match="Choose a plain name"):
        jobs.start(send(), "../mine", CHANGES)


def test_a_file_is_on_its_way_once(jobs, send, monkeypatch):
    """A second ingest would find it gone when the first is done."""
    leave, upload = threading.Event(), send()
    real = ingest_jobs.ingest

    def slow(*args, **options):
        leave.wait(20)
        return real(*args, **options)

    monkeypatch.setattr(ingest_jobs, "ingest", slow)
    first = jobs.start(upload, "mine", CHANGES)
    with pytest.raises(InputError, match="it is being made into an atlas"):
        jobs.start(upload, "other", CHANGES)
    leave.set()
    assert ended(jobs, first).error is None


def test_an_atlas_that_came_meanwhile_from_elsewhere_is_not_replaced(jobs, send, monkeypatch):
    """Another process of the same home won: its atlas stays."""
    real, other = ingest_jobs.ingest, send(7.0)

    def late(path, folder, **options):
        real(other.path, folder, options=CHANGES)
        return real(path, folder, **options)

    monkeypatch.setattr(ingest_jobs, "ingest", late)
    job = ended(jobs, jobs.start(send(), "mine", CHANGES))
    assert "it exists already" in str(job.error)
    assert open_atlas("mine", jobs.folder).gene("G").tolist() == [7.0, -0.5]


def test_a_failure_is_one_error_and_the_upload_stays_with_its_owner(jobs, send):
    """Refused data, in the visitor's words; nothing is built, and nothing holds the file."""
    upload = send(name="my.csv")
    upload.path.write_text("cell_line,drug,G\nA,T,1\nA,T\n")
    job = ended(jobs, jobs.start(upload, "mine", CHANGES))
    assert "file my.csv: rows differ in length" in str(job.error)
    assert atlas_names(jobs.folder) == []
    path = upload.path
    assert path.exists()
    assert not upload.busy
    del upload
    assert not path.exists()


def test_partial_sums_of_a_failure_are_removed(jobs, tmp_path, monkeypatch):
    """A visitor's file is not gone on with: nobody would find it again."""

    def full(*_args, **_options):
        raise OSError(28, "No space left")

    obs = {"cell_line": ["A"] * 4, "drug": ["DMSO", "T", "T", "U"]}
    held = write_h5ad(tmp_path / "c.h5ad", np.full((4, 3), 2.0), obs).read_bytes()
    upload = receive(io.BytesIO(held), "c.h5ad", len(held), tmp_path / "in")
    begun = []
    monkeypatch.setattr(
        "lgr_core.atlas.ingest.build_atlas",
        lambda *_a, **_o: begun.extend(jobs.folder.glob(".partial-*")) or full(),
    )
    assert ended(jobs, jobs.start(upload, "mine", IngestOptions())).error is not None
    assert len(begun) == 1
    assert list(jobs.folder.glob(".partial-*")) == []


def test_what_nobody_expected_is_said_without_its_inside(jobs, send, monkeypatch):
    """The class of the fault for a report, none of its words."""

    def broken(*_args, **_options):
        raise MemoryError("/srv/secret")

    monkeypatch.setattr(ingest_jobs, "ingest", broken)
    error = ended(jobs, jobs.start(send(), "mine", CHANGES)).error
    assert isinstance(error, InputError)
    assert "MemoryError" in str(error)
    assert "secret" not in str(error)


def test_old_jobs_make_room_and_strangers_find_none(jobs, send, monkeypatch):
    """Only so many are remembered; a key that was never given is nobody's."""
    monkeypatch.setattr(ingest_jobs, "_MAX_FINISHED", 1)
    keys = []
    for name in ("a", "b", "c"):
        keys.append(jobs.start(send(), name, CHANGES))
        ended(jobs, keys[-1])
    assert jobs.find(keys[0]) is None
    assert jobs.find(keys[2]).name == "c"
    assert jobs.find("0" * 32) is None


def test_progress_is_told_by_stage():
    """Counts that are all read are followed by the writing."""
    job = ingest_jobs.IngestJob(name="a", source="a.csv", folder=Path("atlases"))
    job.report("counts", 3, 4)
    assert (job.stage, job.share()) == ("counts", 0.75)
    job.report("counts", 4, 4)
    assert (job.stage, job.share()) == ("writing the atlas", 1.0)
