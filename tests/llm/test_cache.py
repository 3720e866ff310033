"""The exact cache: the last answer of a key, through kills, other writers and stale indexes."""

import json
import resource
import threading
from contextlib import contextmanager

import pytest

from lgr_core.errors import NotFoundError
from lgr_core.llm.cache import AnswerCache

RECORD = {"raw": "1. A: b", "reply": {"api": "chat"}, "target_cell_type": "A549", "k_used": 1}


@pytest.fixture
def cache(tmp_path):
    """An empty cache."""
    return AnswerCache(tmp_path / "cache")


def test_what_is_put_is_got_and_another_reader_sees_it(cache):
    """Text and provenance come back; a reader that was open before catches up."""
    other = AnswerCache(cache.path.parent)
    assert other.get("k1") is None
    cache.put("k1", RECORD)
    reply = other.reply("k1")
    assert (reply.text, reply.provenance["api"], reply.usage.requests) == ("1. A: b", "chat", 0)
    assert reply.provenance["answered"] == other.get("k1")["at"]
    assert len(other) == 1


def test_the_last_answer_of_a_key_counts(cache):
    """A refresh adds a line and takes its place."""
    cache.put("k1", RECORD)
    cache.put("k2", RECORD)
    cache.put("k1", {**RECORD, "raw": "new"})
    assert cache.reply("k1").text == "new"
    assert [record["key"] for record in cache.records()] == ["k2", "k1"]
    assert len(AnswerCache(cache.path.parent)) == 2


def test_a_cut_last_line_costs_itself_only(cache):
    """It is passed over, and gone after the next write."""
    cache.put("k1", RECORD)
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole + b'{"key": "k2", "raw"')
    again = AnswerCache(cache.path.parent)
    assert (len(again), again.get("k2")) == (1, None)
    again.put("k3", RECORD)
    assert [json.loads(line)["key"] for line in cache.path.open()] == ["k1", "k3"]
    assert again.get("k3") is not None


def test_an_unreadable_line_is_passed_over_and_told_by_verify(cache):
    """Answers around it stay."""
    cache.put("k1", RECORD)
    with cache.path.open("a") as file:
        file.write('no json\n{"key": "k2"}\n')
    cache.put("k3", RECORD)
    again = AnswerCache(cache.path.parent)
    assert (len(again), again.skipped) == (2, 2)
    assert again.verify().wrong[0].startswith("line 2: not readable")
    assert again.verify().wrong[1] == "line 3: without at, raw, reply"


def test_a_replaced_file_is_read_anew(cache):
    """A shorter file is another file, and so is one of the same length."""
    cache.put("k1", RECORD)
    cache.put("k2", RECORD)
    lines = cache.path.read_bytes().splitlines(keepends=True)
    cache.path.write_bytes(lines[1])
    assert (cache.get("k1"), cache.get("k2")["key"], len(cache)) == (None, "k2", 1)
    cache.path.write_bytes(lines[0])
    assert (cache.get("k2"), cache.get("k1")["key"], len(cache)) == (None, "k1", 1)
    cache.path.write_bytes(lines[1] + lines[0] + lines[1])
    assert (cache.get("k1")["key"], cache.get("k2")["key"]) == ("k1", "k2")


def test_the_table_follows_the_file(cache):
    """One row an answer, of what other writers added too."""
    assert len(cache.table()) == 0
    cache.put("k1", RECORD)
    table = cache.table()
    assert table[["key", "cell_line", "k_used"]].to_numpy().tolist() == [["k1", "A549", 1]]
    cache.put("k2", RECORD)
    assert len(AnswerCache(cache.path.parent).table()) == 2


WHOLE = {"key": "k9", "at": "2026-11-30", **RECORD}
ODD = {
    "a list": ["key", "at", "raw", "reply"],
    "a number": 7,
    "a text": "key at raw reply",
    "nothing": None,
    "no key": {**WHOLE, "key": 7},
    "no text": {**WHOLE, "raw": None},
    "reply as text": {**WHOLE, "reply": "chat"},
    "request as list": {**WHOLE, "request": ["m"]},
    "neighbors as text": {**WHOLE, "neighbors": "A"},
    "neighbors without names": {**WHOLE, "neighbors": [{"drug": "A"}]},
    "k as text": {**WHOLE, "k_used": "three"},
    "dose as text": {**WHOLE, "dose_um": "5 uM"},
    "a later version": {**WHOLE, "version": 2},
}


@pytest.mark.parametrize("name", ODD)
def test_a_line_of_odd_shape_is_counted_and_passed_over(cache, name, caplog):
    """No command stumbles over it; it is said once, and verify names it."""
    cache.put("k1", RECORD)
    with cache.path.open("a") as file:
        file.write(json.dumps(ODD[name]) + "\n")
    cache.put("k2", RECORD)
    again = AnswerCache(cache.path.parent)
    assert [record["key"] for record in again.records()] == ["k1", "k2"]
    assert (len(again.table()), again.skipped, again.get("k9")) == (2, 1, None)
    assert caplog.text.count("passed over") == 2, "once by each reader"
    assert [line.partition(":")[0] for line in again.verify().wrong] == ["line 2"]


def test_hostile_lines_are_passed_over(cache):
    """Deep nesting and broken text."""
    cache.put("k1", RECORD)
    with cache.path.open("ab") as file:
        file.write(b"[" * 100_000 + b"\n\xff\xfe\n\n")
    assert (len(AnswerCache(cache.path.parent)), len(cache.verify().wrong)) == (1, 3)


def test_verify_finds_conflicts_repeats_and_other_versions(cache):
    """A refreshed answer is no conflict; another question under the same key is."""
    asked = {"request": {"model": "m", "template": "paper-A/1+facts"}}
    cache.put("k1", {**RECORD, **asked})
    cache.put("k1", {**RECORD, **asked, "raw": "anew"})
    assert (cache.verify().conflicts, cache.verify().repeated) == ([], 1)
    cache.put("k1", {**RECORD, "request": {"model": "m", "template": "paper-A/0"}})
    found = cache.verify()
    assert (len(found.conflicts), found.versions) == (1, {"paper-A/0": 1})


@contextmanager
def files_of_at_most(size):
    """No file of this process may grow beyond that size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_no_answer(cache):
    """What cannot be written is held and can be read; it is written elsewhere, or later."""
    cache.put("k1", {**RECORD, "raw": "long " * 10_000})
    size = cache.path.stat().st_size
    with files_of_at_most(size + 20):
        cache.put("k2", RECORD)
        assert (cache.held, cache.reply("k2").text, len(cache)) == (1, "1. A: b", 2)
        assert cache.path.stat().st_size == size, "no part of a line is left"
        elsewhere = cache.write_held()
    assert [json.loads(line)["key"] for line in elsewhere.open()] == ["k2"]
    elsewhere.unlink()
    assert (cache.write_held(), cache.held) == (None, 0)
    assert [json.loads(line)["key"] for line in cache.path.open()] == ["k1", "k2"]
    assert AnswerCache(cache.path.parent).verify().wrong == []


def test_a_key_is_found_by_its_first_signs(cache):
    """One match, or a clear no."""
    cache.put("abc", RECORD)
    cache.put("abd", RECORD)
    assert cache.find("abc")["key"] == "abc"
    with pytest.raises(NotFoundError, match="2 of 2"):
        cache.find("ab")


def test_bad_replies_go_to_the_log_not_to_the_answers(cache):
    """They are kept with the reason."""
    cache.log_bad("k1", "sorry", "no name in it")
    assert len(cache) == 0
    assert json.loads(cache.log_path.read_text())["raw"] == "sorry"


def test_many_threads_and_two_caches_write_one_file(cache):
    """Every answer is there, whole."""
    caches = [cache, AnswerCache(cache.path.parent)]

    def write(number):
        for i in range(25):
            caches[number % 2].put(f"{number}-{i}", RECORD)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.verify().wrong == []
    assert {len(c) for c in caches} == {100}
