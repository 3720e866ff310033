"""Reviews: what readers think of reasons, and how far they agree, with each other and the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.audit.rationale_audit import COLUMNS, AuditedReason, RationaleAudit
from lgr_core.audit.verdicts import Verdict
from lgr_core.errors import InputError

AUDIT = "audit"
"""What the audit is called where it stands as a reader among readers."""

_KEY = ["cell_line", "query", "neighbor", "reason"]
REVIEW_COLUMNS = ("reader", "judgement", "note", *COLUMNS)
AGREEMENT = ("a", "b", "n", "percent", "kappa")
"""Columns of the table of agreement: percent alike of ``n`` reasons that both judged."""


class Judgement(StrEnum):
    """What a reader thinks of a reason."""

    RIGHT = "right"
    WRONG = "wrong"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Review:
    """A reader's judgement of one reason, with a note."""

    reason: AuditedReason
    judgement: Judgement
    note: str = ""
    reader: str = ""


def review_table(audit: RationaleAudit, reviews: Iterable[Review]) -> pd.DataFrame:
    """One row a review and claim, with verdict and measured value; a reason without claims has one.

    The columns are ``REVIEW_COLUMNS``.
    """
    rows: list[dict[str, Any]] = []
    for review in reviews:
        found = audit.table(audit.extract([review.reason])).to_dict("records")
        claims = [{str(name): value for name, value in claim.items()} for claim in found]
        who = {"reader": review.reader, "judgement": str(review.judgement), "note": review.note}
        rows += [{**who, **claim} for claim in claims or [_without_claim(review.reason)]]
    return pd.DataFrame(rows, columns=list(REVIEW_COLUMNS))


def read_reviews(paths: Sequence[Path]) -> pd.DataFrame:
    """The exports of several readers below each other; a reader without a name is the file's.

    Raises
    ------
    InputError
        A file cannot be read, lacks a column, or holds another judgement.
    """
    return pd.concat([_read(path) for path in paths], ignore_index=True)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Percent alike and Cohen's kappa of every two readers, and of each with the audit.

    The audit takes a reason for wrong if a claim of it is contradicted, for right if one is
    supported and none contradicted, else for unclear. Of two judgements of a reader on one reason
    the later stands. Kappa is NaN where both give everything one and the same judgement.
    """
    readers = {
        str(name): own.groupby(_KEY)["judgement"].last() for name, own in table.groupby("reader")
    }
    verdicts = table.groupby(_KEY)["verdict"].agg(_audit_judgement)
    pairs = [*combinations(sorted(readers), 2), *((name, AUDIT) for name in sorted(readers))]
    rows = [_agree(a, b, {**readers, AUDIT: verdicts}) for a, b in pairs]
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def cohens_kappa(a: Sequence[str], b: Sequence[str]) -> float:
    """Agreement of two raters beyond chance: (p_o - p_e) / (1 - p_e); NaN where p_e is 1."""
    first, second = np.asarray(a, dtype=str), np.asarray(b, dtype=str)
    if not len(first):
        return float("nan")
    observed = float((first == second).mean())
    expected = sum(
        float((first == each).mean() * (second == each).mean()) for each in set(first.tolist())
    )
    return float("nan") if expected == 1 else (observed - expected) / (1 - expected)


def _agree(a: str, b: str, judgements: Mapping[str, pd.Series]) -> tuple[object, ...]:
    both = pd.concat([judgements[a], judgements[b]], axis=1, join="inner")
    first, second = both.iloc[:, 0].tolist(), both.iloc[:, 1].tolist()
    alike = [one == other for one, other in zip(first, second, strict=True)]
    percent = 100 * float(np.mean(alike)) if alike else float("nan")
    return a, b, len(both), percent, cohens_kappa(first, second)


def _audit_judgement(verdicts: pd.Series) -> str:
    if (verdicts == Verdict.CONTRADICTED).any():
        return Judgement.WRONG
    return Judgement.RIGHT if (verdicts == Verdict.SUPPORTED).any() else Judgement.UNCLEAR


def _without_claim(each: AuditedReason) -> dict[str, Any]:
    reason = each.reason
    place = (each.file, each.cell_line, each.dose_um, reason.query, reason.neighbor, each.rank)
    known = dict(zip(COLUMNS, (*place, reason.text), strict=False))
    texts = ("kind", "origin", "subject", "what", "direction", "quote", "verdict", "source")
    return {**dict.fromkeys(COLUMNS), **known, **dict.fromkeys(texts, "")}


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as err:
        raise InputError(f"reviews {path}", str(err), "Give a CSV exported by the app.") from err
    if lacking := [name for name in (*_KEY, "reader", "judgement", "verdict") if name not in table]:
        found = f"no column {lacking[0]!r}"
        raise InputError(f"reviews {path}", found, "Give a CSV exported by the app.")
    known = {str(one) for one in Judgement}
    if strange := sorted(set(table["judgement"]) - known):
        found = f"judgement {strange[0]!r}"
        raise InputError(f"reviews {path}", found, f"Write {', '.join(sorted(known))}.")
    return table.assign(reader=table["reader"].where(table["reader"] != "", path.stem))
