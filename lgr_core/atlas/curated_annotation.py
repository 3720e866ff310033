"""Curated annotation of an atlas: mechanisms and targets beside its own, each with its source.

It lies in the atlas's folder as ``curated_annotation.csv``, one row a drug, field and file. What
the atlas says of its drugs stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import pandas as pd

from lgr_core.atlas.curated_files import CuratedDrug
from lgr_core.atlas.store import AtlasStore
from lgr_core.drugs.catalog import parents_of
from lgr_core.drugs.chemistry import parent_key
from lgr_core.drugs.mechanism_tables import split_terms
from lgr_core.files import atomic_write_text

CURATED = "curated_annotation.csv"
COLUMNS = ("drug", "field", "values", "source", "file", "matched_as")
FIELDS = ("mechanism", "targets")


@dataclass(frozen=True)
class CuratedAnnotation:
    """The curated annotation of an atlas's drugs; ``table`` has the columns ``COLUMNS``."""

    table: pd.DataFrame

    @classmethod
    def of(cls, store: AtlasStore) -> CuratedAnnotation:
        """That of an atlas; empty if it has none."""
        path = store.folder / CURATED
        if not path.exists():
            return cls(pd.DataFrame(columns=list(COLUMNS)))
        return cls(pd.read_csv(path, dtype=str, keep_default_na=False))

    @classmethod
    def matched(
        cls,
        keys: Mapping[str, str | None],
        curated: Sequence[CuratedDrug],
        *,
        source: str,
        file: str,
    ) -> CuratedAnnotation:
        """What a file says of drugs without an atlas; ``keys`` are their structures' keys.

        Drugs are matched by parent: by structure, and by any reading of the name. Several rows on
        one parent are joined; every form of it receives them.
        """
        rows = _matched(keys, curated, source, file)
        return cls(pd.DataFrame(rows, columns=list(COLUMNS)))

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def stated(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Field -> drug -> all that any file says of it, each once."""
        found: dict[str, dict[str, tuple[str, ...]]] = {field: {} for field in FIELDS}
        for drug, field, text in self.table[["drug", "field", "values"]].itertuples(index=False):
            before = found[field].get(drug, ())
            found[field][drug] = tuple(dict.fromkeys([*before, *split_terms(text, "|")]))
        return found

    @cached_property
    def comparable(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """The same in small letters: how two drugs are compared."""
        return {
            field: {drug: frozenset(map(str.casefold, each)) for drug, each in drugs.items()}
            for field, drugs in self.stated.items()
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """The kinds of files it comes from, sorted."""
        return tuple(sorted(set(self.table["source"])))


@dataclass(frozen=True, slots=True)
class AnnotationReport:
    """What an annotation brought: drugs matched, of how many; rows added, and kept as they were."""

    matched: int
    drugs: int
    added: int
    kept: int

    def to_dict(self) -> dict[str, int]:
        """The report as JSON has it."""
        return asdict(self)


def annotate_atlas(
    store: AtlasStore, curated: Sequence[CuratedDrug], *, source: str, file: str
) -> AnnotationReport:
    """Add what a file says to an atlas's curated annotation; nothing that is there changes.

    Drugs are matched as by :meth:`CuratedAnnotation.matched`.
    """
    before = CuratedAnnotation.of(store).table
    own = {row["drug"]: parent_key(row["smiles"] or None) for row in store.annotations.values()}
    rows = CuratedAnnotation.matched(own, curated, source=source, file=file).table
    keys = ["drug", "field", "source", "file"]
    there = set(before[keys].itertuples(index=False, name=None))
    is_new = [key not in there for key in rows[keys].itertuples(index=False, name=None)]
    added = rows[is_new]
    table = pd.concat([before, added], ignore_index=True)
    atomic_write_text(store.folder / CURATED, table.to_csv(index=False))
    return AnnotationReport(
        matched=rows["drug"].nunique(),
        drugs=len(store.drugs),
        added=len(added),
        kept=len(rows) - len(added),
    )


def _matched(
    own: Mapping[str, str | None], curated: Sequence[CuratedDrug], source: str, file: str
) -> list[tuple[str, ...]]:
    """The rows that the drugs (name -> structure's key) receive, drug by drug."""
    labels = [one.name or f"InChIKey {one.key}" for one in curated]
    keys = {label: one.key for label, one in zip(labels, curated, strict=True)} | dict(own)
    parents = parents_of([*own, *labels], keys)
    said: dict[str, list[CuratedDrug]] = {}
    for label, one in zip(labels, curated, strict=True):
        said.setdefault(parents[label.strip()], []).append(one)
    rows: list[tuple[str, ...]] = []
    for drug in own:
        found = said.get(parents[drug], [])
        names = "|".join(dict.fromkeys(one.name or str(one.key) for one in found))
        for field, values in (
            ("mechanism", [v for one in found for v in one.mechanisms]),
            ("targets", [v for one in found for v in one.targets]),
        ):
            if values:
                text = "|".join(dict.fromkeys(values))
                rows.append((drug, field, text, source, file, names))
    return rows
