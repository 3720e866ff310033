"""The command that puts all known answers to one question side by side."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lgr_core.answer import retrieval_dict
from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import DEMO, Commands, command, positive_int, print_json
from lgr_core.config import Settings
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.answer_comparison import (
    RBO_P,
    RRF_CONSTANT,
    AnswerComparison,
    compare_answers,
)
from lgr_core.retrieval.answer_source import source_words
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.known_answers import KnownAnswer, known_answers
from lgr_core.retrieval.parse_query import read_query

_WIDTH = 32
"""Characters of a drug's name in a column."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(commands, "answers", _answers)
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--cell-line", required=True, metavar="C")
    flag("--drug", required=True, metavar="D")
    flag("--dose", type=float, metavar="UM", help="the highest measured if not given")
    flag("--k", type=positive_int, default=10, help="neighbours of each answer")
    flag(
        "--file",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="F",
        help="further answers: neighbour files (.jsonl), or a chatbot's answer as text",
    )


def _answers(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    query, _ = read_query(store, options.cell_line, options.drug, options.dose)
    pool = candidate_pool(store, query)
    answers = known_answers(store, settings, pool, options.k, files=options.file)
    if not answers:
        do = "Give --file F, or ask the model: lgr retrieve --selector llm --cache fill."
        raise NotFoundError(f"answers for {query}", "no file and no cache holds one", do)
    found = compare_answers({answer.label: answer.retrieval.drugs for answer in answers})
    if options.json:
        print_json(_comparison_dict(answers, found))
        return
    print(f"{query}: {len(answers)} answers, the first {options.k} neighbours of each")
    print("\n".join([*_lists(answers), *_overlaps(found.overlap.tolist()), *_consensus(found)]))


def _comparison_dict(answers: Sequence[KnownAnswer], found: AnswerComparison) -> dict[str, Any]:
    """The comparison as JSON has it; an overlap with an empty answer is None."""
    return {
        "answers": [
            {
                "label": answer.label,
                **retrieval_dict(answer.retrieval),
                "provenance": dict(answer.retrieval.provenance),
            }
            for answer in answers
        ],
        "overlap": {
            "measure": "rank-biased overlap, extrapolated (Webber et al. 2010)",
            "p": RBO_P,
            "values": [
                [None if math.isnan(value) else value for value in row]
                for row in found.overlap.tolist()
            ],
        },
        "consensus": {
            "measure": "reciprocal rank fusion (Cormack et al. 2009)",
            "constant": RRF_CONSTANT,
            "drugs": [
                {"drug": one.drug, "score": one.score, "n_answers": one.n_answers}
                for one in found.consensus
            ],
        },
    }


def _lists(answers: Sequence[KnownAnswer]) -> list[str]:
    """The answers by number, then their neighbours in columns."""
    lines = []
    for number, answer in enumerate(answers, start=1):
        source = source_words(answer.retrieval.provenance)
        lines.append(f"  [{number}] {answer.label} ({source})")
    heads = [f"[{number}]".ljust(_WIDTH) for number in range(1, len(answers) + 1)]
    lines.append(f"rank  {'  '.join(heads)}".rstrip())
    for place in range(max(answer.retrieval.k_used for answer in answers)):
        names = [_name(answer.retrieval.drugs, place) for answer in answers]
        lines.append(f"{place + 1:4d}  {'  '.join(names)}".rstrip())
    return lines


def _name(drugs: Sequence[str], place: int) -> str:
    name = drugs[place] if place < len(drugs) else ""
    return (name if len(name) <= _WIDTH else f"{name[: _WIDTH - 1]}…").ljust(_WIDTH)


def _overlaps(overlap: Sequence[Sequence[float]]) -> list[str]:
    """The matrix of overlaps."""
    heads = "".join(f"{f'[{number}]':>7}" for number in range(1, len(overlap) + 1))
    lines = [f"rank-biased overlap (extrapolated, p = {RBO_P:g}):", f"{'':6}{heads}"]
    for number, row in enumerate(overlap, start=1):
        values = "".join(f"{'-' if math.isnan(value) else f'{value:.2f}':>7}" for value in row)
        lines.append(f"{f'[{number}]':>6}{values}")
    return lines


def _consensus(found: AnswerComparison) -> list[str]:
    """The consensus, as many drugs as the longest answer has."""
    n = max(map(len, found.rankings))
    lines = [f"consensus (reciprocal rank fusion, constant {RRF_CONSTANT:g}):"]
    for rank, one in enumerate(found.consensus[:n], start=1):
        named = f"named by {one.n_answers} of {len(found.labels)}"
        lines.append(f"  {rank:2d}. {one.drug}: {one.score:.4f}, {named}")
    return lines
