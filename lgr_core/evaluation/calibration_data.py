"""Training data for calibrations: features of predictions and their errors, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lgr_core.domain import Evidence, FloatArray
from lgr_core.evaluation.calibration import ERRORS, QUERY, SCORE
from lgr_core.prediction.hybrid import Hybrid, Shrunken, Tuned
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.prediction.method import Method, Predictions
from lgr_core.prediction.trust import error_levels
from lgr_core.prediction.trust_features import FEATURES, TrustFeatures
from lgr_core.retrieval.fold_evidence import SUMMED
from lgr_core.retrieval.query_block import QueryBlock

_NAMING = (LGR, Shrunken, Tuned, Hybrid, LinearMethod)


class TrustTable:
    """Gathers, block by block, what is known of predictions and how far off they were.

    Of methods that name what they stand on, have one variant and do not read the truth.
    """

    def __init__(self, methods: Mapping[str, Sequence[Method]]) -> None:
        self._rows: dict[str, list[FloatArray]] = {
            name: []
            for name, (method, *others) in methods.items()
            if isinstance(method, _NAMING) and Evidence.TRUTH not in method.evidence and not others
        }
        self._evidence = {name: methods[name][0].evidence & SUMMED for name in self._rows}

    def add(
        self,
        block: QueryBlock,
        predictions: Mapping[str, tuple[Predictions, FloatArray]],
        measured: FloatArray,
    ) -> None:
        """By method, a block's predictions and their ``SCORE``, (n,); and the truth, (n, genes)."""
        around: dict[frozenset[Evidence], TrustFeatures] = {}
        for name, rows in self._rows.items():
            evidence = self._evidence[name]
            if evidence not in around:
                around[evidence] = TrustFeatures.of(block, evidence)
            predicted, score = predictions[name]
            here, ok = around[evidence], predicted.ok
            delta = np.where(ok[:, None], predicted.delta, 0)
            levels = error_levels(delta, measured, here.unit)
            values = np.column_stack([here.features(delta, predicted.used), levels, score])
            rows.append(np.where(ok[:, None], values, np.nan))

    def table(self, queries: pd.DataFrame, regime: str) -> pd.DataFrame:
        """One row a method and query, of which ``queries`` has the names."""
        tables = [
            queries[list(QUERY)]
            .reset_index(drop=True)
            .join(pd.DataFrame(np.concatenate(rows), columns=[*FEATURES, *ERRORS, SCORE]))
            .assign(method=name)
            for name, rows in self._rows.items()
        ]
        columns = [*QUERY, *FEATURES, *ERRORS, SCORE, "method"]
        table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
        return table.assign(regime=regime)
