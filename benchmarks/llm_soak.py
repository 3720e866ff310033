"""2,000 queries put to a server of every fault, killed six times, resumed until all are answered.

Run: ``python benchmarks/llm_soak.py``. One request in ten meets a fault: rate limits, cut, late,
swollen, empty and broken answers, answers behind markers, in reasoning and in tool calls, other
finish reasons, cut prompts, and the key said aloud. It prints what became of every request and
fails where an answer is missing, a count differs, or the key stands in a file.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.many_queries import build_many
from tests.support.soak import AT_A_TIME, soak


def main() -> None:
    """Run it and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=6)
    options = parser.parse_args()
    home, began = Path(tempfile.mkdtemp(prefix="lgr-soak-")), time.monotonic()
    try:
        build_many(home, options.queries)
        found = soak(home, options.queries, options.kills)
    finally:
        shutil.rmtree(home)
    rows = {
        "queries": options.queries,
        "answered, each once in the cache": found.answered,
        "runs": found.runs,
        "kills": found.kills,
        "requests": found.requests,
        "of them with a fault": found.faults,
        "failures that a later run asked again": found.failed,
        "good answers lost to KILL and asked again": found.asked_again,
        "runs whose requests the server counted otherwise": len(found.differences),
        "places of the key": len(found.places_of_the_key),
        "seconds": round(time.monotonic() - began),
    }
    print("\n".join(f"| {name} | {value:,} |" for name, value in rows.items()))
    bad = found.differences or found.places_of_the_key or found.answered != options.queries
    if bad or found.asked_again > AT_A_TIME * options.kills:
        sys.exit("the soak failed")


if __name__ == "__main__":
    main()
