"""An ingest that is killed goes on, and makes the same atlas to the bit."""

import json
import multiprocessing
import os
import resource
import time
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas import checkpoint as resume
from lgr_core.atlas import partial_sums as partials
from lgr_core.atlas.download_manifest import write_manifest
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind
from lgr_core.errors import InputError, NotCountsError
from tests.support import killable_ingest
from tests.support.published_files import expression_shard, tahoe_tables

NEW_EACH_TIME = {"built_at", "build_id"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A source in many shards, and where its atlas goes."""
    killable_ingest.many_shards(monkeypatch.setattr)
    (tmp_path / "atlases").mkdir()
    return killable_ingest.write_source(tmp_path / "x.h5ad"), tmp_path / "atlases" / "mine"


def content(folder):
    """All that an atlas holds, but for when it was built: files to the bit, tables row by row."""
    found = {path.name: path.read_bytes() for path in folder.glob("*.npy")}
    with duckdb.connect(str(folder / "index.duckdb"), read_only=True) as index:
        for (name,) in index.execute("SHOW TABLES").fetchall():
            rows = index.execute(f"FROM {name}").fetchall()
            found[name] = sorted(str(row) for row in rows if row[0] not in NEW_EACH_TIME)
    assert len(found) >= 11
    return found


def left(folder):
    """Hidden folders beside an atlas."""
    return sorted(path.name for path in folder.parent.glob(".*") if path.is_dir())


def partial_files(folder):
    """Partial sums beside an atlas."""
    return sorted(folder.parent.glob(f"{resume.PARTIAL}-*/*.sums"))


def stop_after(monkeypatch, n, fault=KeyboardInterrupt):
    """The n-th shard and all after it fail."""
    summed, seen = partials.sum_shard, []

    def sum_shard(*arguments, **options):
        seen.append(1)
        if len(seen) > n:
            raise fault
        return summed(*arguments, **options)

    monkeypatch.setattr(partials, "sum_shard", sum_shard)


@pytest.mark.slow
def test_ten_kills_at_random_moments(place):
    """Each time the next run ends with the atlas that an undisturbed run makes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.killable_ingest"])
    source, folder = place

    def start():
        process = context.Process(target=killable_ingest.run, args=(source, folder))
        process.start()
        return process

    for _ in range(2):  # the first starts the server
        began = time.monotonic()
        start().join()
        took = time.monotonic() - began
    expected, rng, ended, kept = content(folder), np.random.default_rng(7), 0, 0
    for round_ in range(10):
        process = start()
        if round_ % 2:  # a busy machine changes its pace: wait for what it does, not for a time
            n_summed = rng.integers(1, 20)
            while process.is_alive() and len(partial_files(folder)) < n_summed:
                time.sleep(0.001)
        else:
            time.sleep(rng.uniform(0.1, 1.0) * took)
        process.kill()
        process.join()
        ended += process.exitcode == 0
        kept += bool(partial_files(folder))
        assert content(folder) == expected  # the old one, or a new one like it
        process = start()
        process.join()
        assert process.exitcode == 0
        assert content(folder) == expected
        assert left(folder) == []
    assert ended < 10
    assert kept


def test_the_same_command_goes_on(place, monkeypatch, caplog):
    """Only what is missing is summed; it says so, and leaves nothing behind."""
    source, folder = place
    with monkeypatch.context() as patch:
        stop_after(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            ingest(source, folder)
    n_done = len(partial_files(folder))
    assert 9 <= n_done <= 10
    summed = []
    carry_on = partials.sum_shard
    monkeypatch.setattr(
        partials,
        "sum_shard",
        lambda shard, *a, **o: summed.append(shard) or carry_on(shard, *a, **o),
    )
    ingest(source, folder)
    assert f"going on: {n_done} of " in caplog.text
    n_shards = int(caplog.text.split(" shards were")[0].split()[-1])
    assert len(summed) == n_shards - n_done
    assert left(folder) == []
    ingest(source, folder.with_name("other"))
    assert content(folder) == content(folder.with_name("other"))


@pytest.mark.parametrize("change", ["source", "options"])
def test_another_source_or_other_options_start_anew(place, monkeypatch, caplog, change):
    """What was begun is not gone on with, and removed."""
    source, folder = place
    with monkeypatch.context() as patch:
        stop_after(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            ingest(source, folder)
    assert len(left(folder)) == 1
    options = IngestOptions()
    if change == "source":
        killable_ingest.write_source(source, seed=1)
    else:
        options = IngestOptions(target_sum=5_000)
    ingest(source, folder, options=options)
    assert "going on" not in caplog.text
    assert left(folder) == []
    ingest(source, folder.with_name("other"), options=options)
    assert content(folder) == content(folder.with_name("other"))


def test_a_file_that_changes_meanwhile_is_refused(place, monkeypatch):
    """The old atlas stays as it was."""
    source, folder = place
    ingest(source, folder)
    before = content(folder)
    summed = partials.sum_shard

    def touch_and_sum(*arguments, **options):
        source.touch()
        return summed(*arguments, **options)

    monkeypatch.setattr(partials, "sum_shard", touch_and_sum)
    with pytest.raises(InputError, match="changed while it was read"):
        ingest(source, folder, overwrite=True)
    assert content(folder) == before


def test_two_at_the_same_time_are_one(place, tmp_path):
    """The second is told; it does not wait, and does no harm."""
    folder = place[1]
    with resume.checkpoint_folder(folder, "d" * 64) as first:
        (first / "000000.sums").write_text("mine")
        with (
            pytest.raises(InputError, match="another process is ingesting the same"),
            resume.checkpoint_folder(folder, "d" * 64),
        ):
            pass
        with resume.checkpoint_folder(folder, "e" * 64):
            assert (first / "000000.sums").is_file()
    assert left(folder) == []


def test_what_a_killed_worker_left_half_written_is_removed(place):
    """What is whole stays."""
    digest = "d" * 64
    half = place[1].parent / f".partial-mine-{digest[:16]}"
    half.mkdir()
    for name in ("000000.sums", ".000001.sums.1234abcd.part"):
        (half / name).write_text("mine")
    with resume.checkpoint_folder(place[1], digest) as again:
        assert again == half
        assert [path.name for path in again.iterdir() if path.name != ".alive"] == ["000000.sums"]


def test_values_that_are_no_counts_leave_nothing(place, monkeypatch):
    """There is nothing to go on with."""
    source, folder = place
    stop_after(monkeypatch, 3, NotCountsError("raw counts", "0.5", "Say --layer."))
    with pytest.raises(NotCountsError):
        ingest(source, folder)
    assert left(folder) == []


def test_what_nobody_goes_on_with_is_removed(place, monkeypatch):
    """After two weeks, whatever atlas it was for; names that begin alike are told apart."""
    source, folder = place
    old, new = (folder.parent / f".partial-{name}-{'0' * 16}" for name in ("old", "mine-new"))
    old.mkdir()
    monkeypatch.setattr(resume, "_ABANDONED_S", -1)
    ingest(source, folder)
    assert left(folder) == []
    new.mkdir()
    monkeypatch.setattr(resume, "_ABANDONED_S", 60)
    ingest(source, folder, overwrite=True)
    assert left(folder) == [new.name]


def test_an_ingest_of_changes_removes_them_too(tmp_path, monkeypatch):
    """It has no partial sums of its own; what is younger than two weeks stays."""
    source, atlases = tmp_path / "c.csv", tmp_path / "atlases"
    source.write_text("cell_line,drug,G\nA,T,1.5\nA,U,-0.5\n")
    old, young = (atlases / f".partial-{name}-{'0' * 16}" for name in ("old", "young"))
    for path, days in ((old, 15), (young, 13)):
        path.mkdir(parents=True)
        os.utime(path, (time.time() - days * 86_400,) * 2)
    ingest(source, atlases / "mine", options=IngestOptions(value_kind=ValueKind.LOG2FC))
    assert not old.exists()
    assert young.exists()


def test_the_same_options_are_recorded_however_it_came_about(place):
    """Nothing of workers or resuming is in the provenance: the atlas does not hang on them."""
    source, folder = place
    ingest(source, folder)
    provenance = json.dumps(dict(open_atlas("mine", folder.parent).provenance))
    assert not any(word in provenance for word in ("workers", "shards", "partial"))


@contextmanager
def files_no_larger_than(n_bytes):
    """The system refuses to write beyond, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_error_and_is_gone_on_with(place):
    """In the middle of the sums: the old atlas stays, room is made, the same command goes on."""
    source, folder = place
    ingest(source, folder)
    before = content(folder)
    with (
        files_no_larger_than(2_000),
        pytest.raises(InputError, match=r"partial sums cannot be written .*Make room in .*again"),
    ):
        ingest(source, folder, overwrite=True)
    assert content(folder) == before
    ingest(source, folder, overwrite=True)
    assert content(folder) == before
    assert left(folder) == []


def cut_off(shard):
    """As where a download ended early."""
    shard.write_bytes(shard.read_bytes()[:-200])
    return r"train-00001.*cannot be read as parquet.*cut off or damaged: fetch it again"


def another(shard):
    """Not what was fetched."""
    facts = {"bytes": 1, "sha256": "0" * 64, "repository": "r", "revision": "v"}
    write_manifest(shard.parents[1], {f"data/{shard.name}": facts})
    return r"train-00001.*not what was fetched"


def renamed(shard):
    """Of another release."""
    pd.read_parquet(shard).rename(columns={"expressions": "values"}).to_parquet(shard)
    return r"train-00001.*it has no column expressions"


def retyped(shard):
    """Text where numbers were."""
    frame = pd.read_parquet(shard)
    frame["genes"] = [[str(token) for token in tokens] for tokens in frame["genes"]]
    frame.to_parquet(shard)
    return r"train-00001.*column genes holds no lists of numbers"


@pytest.mark.parametrize("damage", [cut_off, another, renamed, retyped])
def test_a_source_that_was_damaged_is_one_error(tmp_path, damage):
    """The file is named; the old atlas stays as it was."""
    shards = [tmp_path / "hf" / "data" / f"train-{i:05d}.parquet" for i in range(2)]
    cells = [("smp_1", "Infigratinib", "CVCL_0023", "plate1", {0: 3, 5: 1})]
    cells += [("smp_2", "DMSO_TF", "CVCL_0023", "plate1", {0: 1, 4: 1})]
    for shard in shards:
        expression_shard(shard, cells)
    tahoe_tables(tmp_path / "hf" / "metadata")
    folder = tmp_path / "atlases" / "cells"
    ingest(tmp_path / "hf", folder)
    before = content(folder)
    with pytest.raises(InputError, match=damage(shards[1])):
        ingest(tmp_path / "hf", folder, overwrite=True)
    assert content(folder) == before
