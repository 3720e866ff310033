"""The exact cache: answers of a language model by the key of all that could change them.

``answers.jsonl`` holds one line an answer, in the paper's form with our fields; several processes
may append to it. Lines that are no record are counted, said once and passed over.
"""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lgr_core.domain import LLMReply, LLMUsage
from lgr_core.errors import NotFoundError
from lgr_core.llm.cache_check import VERSION, CacheReport, fault, record_of, verify
from lgr_core.llm.locked_jsonl import append_line

log = logging.getLogger(__name__)

INDEX_COLUMNS = ("key", "cell_line", "drug", "dose_um", "model", "k_used", "at")


class Place(NamedTuple):
    """Where a line stands in the file, in bytes."""

    start: int
    length: int


class AnswerCache:
    """Answers by key; the last line of a key counts. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "answers.jsonl"
        self.log_path = folder / "bad_replies.jsonl"
        self._lock = threading.Lock()
        self._places: dict[str, Place] = {}
        self._read_to = 0
        self._stamp: tuple[int, int] | None = None
        self._unwritten: dict[str, str] = {}
        self._skipped = 0

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
        if key in self._unwritten:
            return json.loads(self._unwritten[key])
        place = self._places.get(key)
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place.start)
            line = file.read(place.length)
        return record_of(line) if fault(line) is None else {}

    def reply(self, key: str) -> LLMReply | None:
        """The cached answer of a key as a reply; no token is used by it."""
        record = self.get(key)
        if record is None:
            return None
        return LLMReply(record["raw"], LLMUsage(), {**record["reply"], "answered": record["at"]})

    def put(self, key: str, record: dict[str, Any]) -> None:
        """Add an answer; ``record`` needs ``raw`` and ``reply``, the rest says what was asked.

        Where the disk refuses it, it is held in memory until ``write_held``.
        """
        line = json.dumps(
            {"key": key, "at": _now(), "version": VERSION, **record},
            ensure_ascii=False,
            allow_nan=False,
            default=str,
        )
        with self._lock:
            try:
                self._catch_up()
                append_line(self.path, line)
                self._catch_up()
            except OSError as err:
                self._unwritten[key] = line
                log.warning("%s cannot be written (%s): an answer is held", self.path, err)

    def write_held(self) -> Path | None:
        """Write what could not be written before; where the disk still refuses, elsewhere.

        Returns the file in the folder for temporary files, if it had to be one.

        Raises
        ------
        OSError
            If there is no room anywhere.
        """
        with self._lock:
            held = list(self._unwritten.items())
            path = self.path
            for place, (key, line) in enumerate(held):
                try:
                    append_line(path, line)
                except OSError:
                    with tempfile.NamedTemporaryFile(
                        "w", prefix="lgr-answers-", suffix=".jsonl", delete=False, encoding="utf-8"
                    ) as file:
                        file.writelines(f"{line}\n" for _, line in held[place:])
                    return Path(file.name)
                del self._unwritten[key]
            return None

    @property
    def held(self) -> int:
        """How many answers could not be written yet."""
        return len(self._unwritten)

    @property
    def skipped(self) -> int:
        """How many lines of the file are no records."""
        with self._lock:
            self._catch_up()
            return self._skipped

    def log_bad(self, key: str, raw: str | None, why: str) -> None:
        """Keep a reply that could not be read where it does no harm: it is no answer."""
        record = {"key": key, "at": _now(), "why": why, "raw": raw}
        try:
            append_line(self.log_path, json.dumps(record, ensure_ascii=False))
        except OSError as err:
            log.warning("%s cannot be written (%s)", self.log_path, err)

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
            return len(self._places.keys() | self._unwritten.keys())

    def table(self) -> pd.DataFrame:
        """What is cached, one row an answer."""
        rows = [_index_row(record) for record in self.records()]
        return pd.DataFrame(rows, columns=list(INDEX_COLUMNS))

    def verify(self) -> CacheReport:
        """What is wrong with the file."""
        return verify(self.path)

    def _catch_up(self) -> None:
        """Read the lines that were appended since; all of them if the file was replaced."""
        if not self.path.exists():
            self._places, self._read_to, self._stamp, self._skipped = {}, 0, None, 0
            return
        stat = self.path.stat()
        stamp = (stat.st_size, stat.st_mtime_ns)
        if stamp == self._stamp:
            return
        if stat.st_size <= self._read_to:
            self._places, self._read_to, self._skipped = {}, 0, 0
        before = self._skipped
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._take(line)
                self._read_to += len(line)
        self._stamp = stamp
        if self._skipped > before:
            what = "%s: %d lines are no answers and are passed over; see lgr cache verify"
            log.warning(what, self.path, self._skipped)

    def _take(self, line: bytes) -> None:
        try:
            key = record_of(line)["key"]
        except ValueError:
            self._skipped += bool(line.strip())
        else:
            self._places[key] = Place(self._read_to, len(line))


def _index_row(record: dict[str, Any]) -> tuple[Any, ...]:
    return (
        record["key"],
        record.get("target_cell_type"),
        record.get("target_molecule"),
        record.get("dose_um"),
        (record.get("request") or {}).get("model"),
        record.get("k_used"),
        record["at"],
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
