"""A model of one's own as a method of the benchmark: AnnData and tables in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from lgr_core.api.notebook_atlas import changes_as_anndata, with_drug_columns
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Evidence, FloatArray
from lgr_core.errors import UsageError
from lgr_core.prediction.method import Predictions, answered
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.query_block import QueryBlock

if TYPE_CHECKING:
    import anndata as ad


@runtime_checkable
class Model(Protocol):
    """A model with two methods, fitted once per fold and then asked for queries."""

    def fit(self, train: ad.AnnData) -> object:
        """Learn from training conditions: ``X`` (n, n_genes) measured changes, ``obs`` their names.

        ``obs`` has ``cell_line``, ``drug``, ``dose_um``, ``plates`` and the drug's annotation.
        """
        ...

    def predict(self, queries: pd.DataFrame) -> Any:  # noqa: ANN401 - whatever NumPy can read
        """Predict the change of each query, (n, n_genes) in the order of the training genes.

        ``queries`` has ``cell_line``, ``drug``, ``dose_um`` and the drug's annotation. A row that
        is NaN says that there is no prediction.
        """
        ...


ModelFunction = Callable[["ad.AnnData", pd.DataFrame], Any]
"""A model as one function of training conditions and queries: the predicted changes."""


class OwnModel:
    """A model of one's own with the protocol of the benchmark's methods.

    It reads the training conditions of each fold and nothing else: in the regimes of unseen cell
    lines, nothing of the line that is tested.

    Raises
    ------
    UsageError
        If it is neither a function nor an object with ``fit`` and ``predict``.
    """

    evidence = frozenset({Evidence.TRAIN})

    def __init__(self, name: str, model: Model | ModelFunction, store: AtlasStore) -> None:
        usable = isinstance(model, Model) or callable(model)
        if isinstance(model, type) or not usable:
            found = f"of type {type(model).__name__}, it cannot be asked"
            do = "Give a function of (train, queries), or an object with fit and predict."
            raise UsageError(f"model {name!r}", found, do)
        self.name, self._model, self._store = name, model, store
        self._train: ad.AnnData | None = None

    def fit(self, view: TrainingView) -> None:
        """Hand the training conditions of a fold to the model."""
        rows = view.training_rows
        train = changes_as_anndata(self._store, rows, view.deltas(rows))
        if isinstance(self._model, Model):
            self._model.fit(train)
        else:
            self._train = train

    def predict(self, block: QueryBlock) -> Predictions:
        """The model's predictions; not applicable where it gives NaN."""
        queries = pd.DataFrame(
            {"cell_line": block.cell_line, "drug": list(block.drugs), "dose_um": block.dose_um}
        ).astype({"dose_um": float})
        queries = with_drug_columns(self._store, queries)
        if isinstance(self._model, Model):
            found = self._model.predict(queries)
        else:
            found = self._model(self._train, queries)
        delta = self._checked(found, (len(queries), block.labels.n_genes))
        delta[np.isnan(delta).any(axis=1)] = np.nan
        return answered(delta, without="the model gives no prediction")

    def _checked(self, found: object, shape: tuple[int, int]) -> FloatArray:
        """What the model returned as float32 of its own, if it is one number a query and gene."""
        asked, do = f"model {self.name!r}", f"Return an array of shape {shape}, NaN for no answer."
        try:
            delta = np.array(found, dtype=np.float32)
        except (TypeError, ValueError) as err:
            raise UsageError(asked, f"it returned what is no array of numbers: {err}", do) from err
        if delta.shape != shape:
            raise UsageError(asked, f"it returned an array of shape {delta.shape}", do)
        if np.isinf(delta).any():
            raise UsageError(asked, "it returned infinite values", do)
        return delta
