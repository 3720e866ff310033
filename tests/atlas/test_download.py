"""What is fetched is what was asked for: whole, checked, resumed; the disk is looked at first."""

import fcntl
import hashlib
import json
import logging
import shutil

import pytest
from loopback_hub import LoopbackHub

from lgr_core.atlas.download import RemoteFile, fetch_files
from lgr_core.atlas.download_manifest import check_manifest
from lgr_core.atlas.tahoe_plates import choose_plates, tahoe_files
from lgr_core.errors import InputError, NotFoundError, ServiceError, UsageError

REVISION = "c" * 40
LARGE, SMALL = bytes(range(256)) * 400, b"small text"
FILES = [
    RemoteFile("lab/set", REVISION, "a/large.parquet"),
    RemoteFile("lab/set", REVISION, "small.json"),
]


@pytest.fixture
def hub():
    """A hub of two files, one of them large."""
    files = {("lab/set", "a/large.parquet"): LARGE, ("lab/set", "small.json"): SMALL}
    with LoopbackHub(files, {"lab/set": REVISION}) as hub:
        yield hub


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """The client waits a second before it resumes; its warning of it is not ours to check."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def fetch(hub, folder, files=FILES, **options):
    """Fetch from the loopback hub."""
    return fetch_files(files, folder, endpoint=hub.url, **options)


def test_files_come_whole_and_are_listed(hub, tmp_path):
    """Under their own paths, with checksum, repository and revision; progress ends at the end."""
    told = []
    paths = fetch(hub, tmp_path / "out", progress=lambda *now: told.append(now))
    assert [path.read_bytes() for path in paths] == [LARGE, SMALL]
    listed = json.loads((tmp_path / "out" / "fetched.json").read_text())["files"]
    assert listed["a/large.parquet"] == {
        "bytes": len(LARGE),
        "sha256": hashlib.sha256(LARGE).hexdigest(),
        "repository": "lab/set",
        "revision": REVISION,
    }
    assert told[-1][1:] == (0, 1)
    assert not list((tmp_path / "out").rglob("*.part"))


def test_what_is_there_is_not_fetched_again(hub, tmp_path):
    """But a file that was changed since is."""
    fetch(hub, tmp_path)
    fetch(hub, tmp_path)
    assert len(hub.sent("a/large.parquet")) == 1
    (tmp_path / "a" / "large.parquet").write_bytes(LARGE[::-1])
    fetch(hub, tmp_path)
    assert (tmp_path / "a" / "large.parquet").read_bytes() == LARGE


def test_a_cut_transfer_goes_on_where_it_ended(hub, tmp_path, monkeypatch):
    """Within one run: the second request asks for the rest alone."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1_000)
    hub.cuts = [1_000]
    fetch(hub, tmp_path)
    assert (tmp_path / "a" / "large.parquet").read_bytes() == LARGE
    assert hub.sent("a/large.parquet") == [None, "bytes=1000-"]


def test_a_killed_run_goes_on_where_it_ended(hub, tmp_path):
    """Another run asks for the rest of what the killed one left."""

    def kill(_stage, _done, _total):
        if (tmp_path / "a").is_dir():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(hub, tmp_path, progress=kill)
    (part,) = (tmp_path / "a").glob(".*.part")
    part.write_bytes(LARGE[:5_000])
    fetch(hub, tmp_path)
    assert (tmp_path / "a" / "large.parquet").read_bytes() == LARGE
    assert hub.sent("a/large.parquet")[-1] == "bytes=5000-"


def test_a_wrong_checksum_is_one_error_and_leaves_nothing(hub, tmp_path):
    """Neither under its name nor to be resumed; of small files too."""
    for file, lie in zip(FILES, (LARGE[::-1], SMALL[::-1]), strict=True):
        hub.lies = {file.path: lie}
        with pytest.raises(ServiceError, match=r"checksum is not the one announced.*thrown away"):
            fetch(hub, tmp_path, [file])
        assert not (tmp_path / file.path).exists()
        assert not list(tmp_path.rglob("*.part"))


def test_a_short_file_is_one_error(hub, tmp_path):
    """Even where the hub's answer is whole by its own count."""
    hub.lies = {"a/large.parquet": LARGE[:-10]}
    with pytest.raises(ServiceError, match="should be of size.*Run the same command again"):
        fetch(hub, tmp_path)
    assert not (tmp_path / "a" / "large.parquet").exists()


def test_the_room_is_looked_at_first(hub, tmp_path, monkeypatch):
    """Before a byte is asked for; what is there already needs none."""
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"0 MB are still to come, 0 MB are free\. Make room"):
        fetch(hub, tmp_path)
    assert hub.sent("a/large.parquet") == []


def test_a_disk_that_fills_up_is_one_error(hub, tmp_path, monkeypatch):
    """And what has come is kept."""

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lgr_core.atlas.download.http_get", full)
    with pytest.raises(InputError, match=r"the disk is full\. Make room there\. .*kept"):
        fetch(hub, tmp_path)


def test_two_runs_never_write_to_one_file(hub, tmp_path):
    """The second is told of the first; once that is gone it goes on."""
    tag = hashlib.sha256(LARGE).hexdigest()[:16]
    (tmp_path / "a").mkdir()
    with (tmp_path / "a" / f".large.parquet.{tag}.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run is fetching it"):
            fetch(hub, tmp_path)
    assert fetch(hub, tmp_path)[0].read_bytes() == LARGE


def test_a_file_that_is_not_there(hub, tmp_path):
    """Is not found; another commit than the pinned one is no answer."""
    with pytest.raises(NotFoundError, match="no such file in that revision"):
        fetch(hub, tmp_path, [RemoteFile("lab/set", REVISION, "b/none.parquet")])
    with pytest.raises(NotFoundError):
        fetch(hub, tmp_path, [RemoteFile("lab/set", "d" * 40, "small.json")])


def test_a_hub_of_another_commit_is_refused(hub, tmp_path, monkeypatch):
    """The revision is pinned, whatever a mirror says."""
    real = hub._tell

    def tell(request, code, content, headers):
        real(request, code, content, headers | {"X-Repo-Commit": "e" * 40})

    monkeypatch.setattr(hub, "_tell", tell)
    with pytest.raises(ServiceError, match=r"answers with commit e+.*--mirror"):
        fetch(hub, tmp_path)


def test_no_way_to_the_hub_is_one_error(tmp_path):
    """In words, with what to do."""
    with pytest.raises(ServiceError, match="Run the same command again"):
        fetch_files(FILES, tmp_path, endpoint="http://127.0.0.1:9")


def test_a_file_changed_since_is_refused(hub, tmp_path):
    """Cut or edited: it is not what was fetched."""
    large, small = fetch(hub, tmp_path)
    said = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (large, small)}
    assert check_manifest(said) == {"repositories": [f"lab/set@{REVISION}"]}
    large.write_bytes(LARGE[:-1])
    with pytest.raises(InputError, match="102,399 bytes, 102,400 then"):
        check_manifest({large: hashlib.sha256(LARGE[:-1]).hexdigest()})
    assert check_manifest({tmp_path / "own.csv": "0"}) == {}


def test_plates_are_chosen_by_number_or_dose():
    """Plate 13 holds all three doses; a plate without the dose asked for is a mistake."""
    assert choose_plates([], []) == list(range(1, 15))
    assert choose_plates([], [5.0]) == [3, 6, 9, 12, 13, 14]
    assert choose_plates([1, 3], [5.0]) == [3]
    for plates, doses in ([15], []), ([1.5], []), ([], [10.0]), ([1], [5.0]):
        with pytest.raises(UsageError):
            choose_plates(plates, doses)
    names = [file.path for file in tahoe_files([2])]
    assert "metadata/drug_metadata.parquet" in names
    assert names[-1] == "cell_eval/plate_plate2.parquet"
