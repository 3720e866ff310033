"""The exact cache: answers of a language model by the key of all that could change them.

``answers.jsonl`` is the truth, one line an answer, in the paper's form with our fields; it may be
appended to by several processes. ``answers.duckdb`` is an index of it (key, place, query), rebuilt
when it is stale and never needed to read the truth.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from lgr_core.domain import LLMReply, LLMUsage
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.jsonl import append_line

INDEX_COLUMNS = ("key", "start", "length", "cell_line", "drug", "dose_um", "model", "k_used", "at")


class Place(NamedTuple):
    """Where a line stands in the file, in bytes."""

    start: int
    length: int


class AnswerCache:
    """Answers by key; the last line of a key counts. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "answers.jsonl"
        self.index_path = folder / "answers.duckdb"
        self.log_path = folder / "bad_replies.jsonl"
        self._lock = threading.Lock()
        self._places: dict[str, Place] = {}
        self._read_to = 0
        self._stamp: tuple[int, int] | None = None

    def get(self, key: str) -> dict[str, Any] | None:
        """The record of a key, None if nothing was answered to it."""
        with self._lock:
            self._catch_up()
            record = self._read(key)
            if record is not None and record.get("key") != key:
                self._places, self._read_to, self._stamp = {}, 0, None
                self._catch_up()
                record = self._read(key)
            return record

    def _read(self, key: str) -> dict[str, Any] | None:
        """What stands in a key's place; another key's record if the file was replaced."""
        place = self._places.get(key)
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place.start)
            line = file.read(place.length)
        return json.loads(line) if _fault(line) is None else {}

    def reply(self, key: str) -> LLMReply | None:
        """The cached answer of a key as a reply; no token is used by it."""
        record = self.get(key)
        if record is None:
            return None
        return LLMReply(record["raw"], LLMUsage(), {**record["reply"], "answered": record["at"]})

    def put(self, key: str, record: dict[str, Any]) -> None:
        """Add an answer; ``record`` needs ``raw`` and ``reply``, the rest says what was asked."""
        line = json.dumps(
            {"key": key, "at": _now(), **record}, ensure_ascii=False, allow_nan=False, default=str
        )
        with self._lock:
            self._catch_up()
            append_line(self.path, line)
            self._catch_up()

    def log_bad(self, key: str, raw: str | None, why: str) -> None:
        """Keep a reply that could not be read where it does no harm: it is no answer."""
        record = {"key": key, "at": _now(), "why": why, "raw": raw}
        append_line(self.log_path, json.dumps(record, ensure_ascii=False))

    def records(self) -> Iterator[dict[str, Any]]:
        """The record that counts for each key, in the order of the file."""
        with self._lock:
            self._catch_up()
            keys = sorted(self._places, key=lambda key: self._places[key].start)
        return (record for record in map(self.get, keys) if record is not None)

    def find(self, prefix: str) -> dict[str, Any]:
        """The record whose key starts so.

        Raises
        ------
        NotFoundError
            If there is none, or more than one.
        """
        with self._lock:
            self._catch_up()
            keys = [key for key in self._places if key.startswith(prefix)]
        if len(keys) != 1:
            found = f"{len(keys)} of {len(self._places):,} answers have such a key"
            raise NotFoundError(f"answer {prefix!r}", found, "See them with: lgr cache ls.")
        return self.get(keys[0]) or {}

    def __len__(self) -> int:
        with self._lock:
            self._catch_up()
            return len(self._places)

    def table(self) -> pd.DataFrame:
        """What is cached, one row an answer, from the index; built anew if it is stale."""
        with self._lock:
            self._catch_up()
            stamp = self._stamp
        if stamp is None:
            return pd.DataFrame(columns=list(INDEX_COLUMNS))
        if self._index_stamp() != stamp:
            self._build_index(stamp)
        with duckdb.connect(str(self.index_path), read_only=True) as connection:
            return connection.sql("FROM answers ORDER BY start").df()

    def verify(self) -> list[str]:
        """What is wrong with the file, in words; empty where all is well."""
        if not self.path.exists():
            return []
        wrong = []
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                fault = _fault(line)
                if fault is not None:
                    wrong.append(f"line {number}: {fault}")
        return wrong

    # -- the index -----------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Read the lines that were appended since; all of them if the file was replaced."""
        if not self.path.exists():
            self._places, self._read_to, self._stamp = {}, 0, None
            return
        stat = self.path.stat()
        stamp = (stat.st_size, stat.st_mtime_ns)
        if stamp == self._stamp:
            return
        if stat.st_size <= self._read_to:
            self._places, self._read_to = {}, 0
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if _fault(line) is None:
                    place = Place(self._read_to, len(line))
                    self._places[json.loads(line)["key"]] = place
                self._read_to += len(line)
        self._stamp = stamp

    def _index_stamp(self) -> tuple[int, int] | None:
        try:
            with duckdb.connect(str(self.index_path), read_only=True) as connection:
                found = connection.execute("FROM stamp").fetchone()
        except duckdb.Error:
            return None
        return None if found is None else (int(found[0]), int(found[1]))

    def _build_index(self, stamp: tuple[int, int]) -> None:
        rows = [_index_row(record, self._places[record["key"]]) for record in self.records()]
        frame = pd.DataFrame(rows, columns=list(INDEX_COLUMNS))
        self.index_path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.index_path.with_name(f".{self.index_path.name}-{uuid.uuid4().hex[:8]}")
        with duckdb.connect(str(aside)) as connection:
            connection.register("incoming", frame)
            connection.execute("CREATE TABLE answers AS FROM incoming")
            connection.execute("CREATE TABLE stamp (size BIGINT, mtime_ns BIGINT)")
            connection.execute("INSERT INTO stamp VALUES (?, ?)", stamp)
        aside.replace(self.index_path)


def _index_row(record: dict[str, Any], place: Place) -> tuple[Any, ...]:
    return (
        record["key"],
        place.start,
        place.length,
        record.get("target_cell_type"),
        record.get("target_molecule"),
        record.get("dose_um"),
        record.get("request", {}).get("model"),
        record.get("k_used"),
        record["at"],
    )


def _fault(line: bytes) -> str | None:
    try:
        record = json.loads(line)
        missing = {"key", "at", "raw", "reply"} - set(record)
    except (ValueError, TypeError) as err:
        return f"not readable ({err})"
    return f"without {', '.join(sorted(missing))}" if missing else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
