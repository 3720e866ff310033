"""Drugs that mimic or reverse a signature, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from lgr_core.answer.answer import Answer
from lgr_core.answer.arguments import check_flags, check_type, choice_of, wrong_argument
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, Condition
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import InputError
from lgr_core.retrieval.specific_change import View, changes_of, measured_change
from lgr_core.signatures.gene_lists import Signature, gene_set, whole_change
from lgr_core.signatures.search import SignatureLibrary, find_drugs

SignatureLike: TypeAlias = Answer | Condition | pd.Series | Mapping[str, Any]
"""A predicted change, a measured one, weights by gene, or lists of genes ``up`` and ``down``."""

_SIDES = {"up", "down"}


def search(
    atlas: AtlasStore,
    signature: SignatureLike,
    *,
    cell_line: str | None = None,
    change: str = Change.TOTAL,
    reverse: bool = False,
) -> pd.DataFrame:
    """Measured drugs that mimic a signature, or reverse it, the most significant first.

    Parameters
    ----------
    atlas
        An open atlas.
    signature
        An :class:`Answer`, whose predicted change is searched for; a :class:`Condition`, whose
        measured change is; a pandas Series of weights by gene; or a mapping with lists of genes
        ``up``, ``down`` or both. Genes that a Series does not name weigh 0.
    cell_line
        Search in that line; unset, in all.
    change
        Which change is searched: a name of ``View``. An answer must be of the same change.
    reverse
        Search for drugs with the opposite change.

    Returns
    -------
    DataFrame
        One row a drug and dose, as :class:`~lgr_core.signatures.search.DrugHits` describes
        ``drugs``: ``score`` is the mean Pearson r over cell lines, ``fdr`` the larger of two FDRs.

    Raises
    ------
    LgrError
        If the signature cannot be read, or nothing is measured there.
    """
    check_type("atlas", atlas, (AtlasStore,), "Open one with lgr.open_atlas(name).")
    check_flags(reverse=reverse)
    view = choice_of("change", change, View)
    wanted = _signature(atlas, signature, view)
    line = None if cell_line is None else atlas.cell_line_catalog.resolve(cell_line)
    book = MechanismAnnotations.load()
    library = SignatureLibrary.read(atlas, book, cell_line=line, changes=changes_of(atlas, view))
    return find_drugs(atlas, wanted, library, reverse=reverse).drugs


def _signature(atlas: AtlasStore, given: object, view: View) -> Signature:
    """The signature over the atlas's panel.

    Raises
    ------
    InputError
        If it names no gene of the panel, or is an answer of another atlas or change.
    UsageError
        If it is none of what can be searched for.
    """
    if isinstance(given, Answer):
        return _of_answer(atlas, given, view)
    if isinstance(given, Condition):
        return whole_change(measured_change(atlas, given, view), drug=given.drug)
    if isinstance(given, pd.Series):
        return _of_weights(atlas, given)
    if isinstance(given, Mapping) and set(given) <= _SIDES:
        sides = [given.get(side, ()) for side in ("up", "down")]
        if not any(isinstance(side, str) for side in sides):
            return gene_set(atlas, *sides)
    do = "Give an answer, a condition, a Series of weights by gene, or {'up': [...], 'down': [...]}"
    raise wrong_argument("signature", given, f"{do}.")


def _of_answer(atlas: AtlasStore, answer: Answer, view: View) -> Signature:
    if answer.provenance["build_id"] != atlas.build_id or str(answer.change) != str(view):
        found = f"it is the {answer.change} change of atlas {answer.provenance['atlas']!r}"
        do = f"Predict the {view} change with atlas {atlas.name!r} as it is opened here."
        raise InputError("signature of an answer", found, do)
    return whole_change(answer.predicted[: atlas.n_panel], drug=answer.query.drug)


def _of_weights(atlas: AtlasStore, weights: pd.Series) -> Signature:
    panel = atlas.gene_names[: atlas.n_panel]
    known = weights[weights.index.isin(panel)]
    if known.empty or known.index.has_duplicates:
        found = "it names a gene twice" if len(known) else "it names no gene of the panel"
        do = "Give one number a gene, indexed by symbols such as " + ", ".join(panel[:3]) + "."
        raise InputError(f"signature in atlas {atlas.name!r}", found, do)
    try:
        values = known.reindex(panel, fill_value=0).to_numpy(np.float64)
    except (TypeError, ValueError) as err:
        raise wrong_argument("signature", weights, "Give numbers by gene.") from err
    return whole_change(values)
