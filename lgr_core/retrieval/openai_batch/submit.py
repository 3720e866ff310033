"""Submitted batches: uploaded, watched, and their answers fetched, shard by shard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from lgr_core.errors import InputError, ServiceError
from lgr_core.files import atomic_write_text
from lgr_core.llm.locks import claimed
from lgr_core.retrieval.openai_batch.export import Manifest

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""States after which a batch does not change; all but the first may hold part of the answers."""


class BatchClient(Protocol):
    """What is needed of a service that answers Batch files."""

    def start_batch(self, path: Path, endpoint: str) -> str:
        """Upload a file and start it; the batch's id."""
        ...

    def batch(self, batch_id: str) -> dict[str, Any]:
        """The state of a batch."""
        ...

    def file_text(self, file_id: str) -> str:
        """The text of a file."""
        ...


def submit(folder: Path, manifest: Manifest, client: BatchClient) -> list[dict[str, Any]]:
    """Upload the shards that are not submitted yet and start a batch for each; says which.

    Each id is written down as soon as it is known, so that a broken run goes on where it stopped;
    of two runs at once the second waits for the first.
    """
    with claimed(folder / "submitting.lock"):
        known = _submitted(folder)
        for shard in manifest.shards:
            if shard not in known:
                known[shard] = client.start_batch(folder / shard, manifest.endpoint)
                _write_down(folder, known)
    return [{"shard": shard, "batch": batch} for shard, batch in known.items()]


def status_of(folder: Path, client: BatchClient) -> list[dict[str, Any]]:
    """The state and counts of every submitted batch."""
    return [{"shard": shard, **_state(client, batch)} for shard, batch in _known(folder).items()]


def fetch_answers(folder: Path, client: BatchClient) -> list[Path]:
    """Download the output and error files of the ended batches; returns their paths.

    Raises
    ------
    InputError
        If nothing was submitted.
    ServiceError
        If no batch has ended yet.
    """
    files: list[Path] = []
    states = {shard: _state(client, batch) for shard, batch in _known(folder).items()}
    for shard, state in states.items():
        for kind in ("output", "error"):
            name = state[f"{kind}_file"]
            if state["status"] in ENDED and name is not None:
                path = folder / f"{kind}-{shard}"
                path.write_text(client.file_text(name), encoding="utf-8")
                files.append(path)
    if not files:
        found = ", ".join(f"{shard}: {state['status']}" for shard, state in states.items())
        raise ServiceError(f"answers of {folder}", found, "Try again later.")
    return files


def _state(client: BatchClient, batch: str) -> dict[str, Any]:
    data = client.batch(batch)
    counts = data.get("request_counts") or {}
    return {
        "batch": batch,
        "status": data["status"],
        "counts": counts,
        "output_file": data.get("output_file_id"),
        "error_file": data.get("error_file_id"),
    }


def _submitted(folder: Path) -> dict[str, str]:
    """Batch ids by shard; a file that cannot be read is no licence to submit again."""
    path = folder / "submitted.json"
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except (ValueError, TypeError) as err:
        do = "Write the batches' ids into it by hand; submitting again would be paid again."
        raise InputError(f"batch ids in {path}", f"they cannot be read ({err})", do) from err


def _write_down(folder: Path, known: dict[str, str]) -> None:
    atomic_write_text(folder / "submitted.json", json.dumps(known, indent=1))


def _known(folder: Path) -> dict[str, str]:
    known = _submitted(folder)
    if not known:
        raise InputError(f"batch folder {folder}", "nothing was submitted", "lgr batch submit it.")
    return known
