"""Texts that explain a benchmark: the regimes, who may read what, what the numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lgr_core.domain import Change
from lgr_core.evaluation.regimes import Regime


@dataclass(frozen=True, slots=True)
class RegimeLabels:
    """A regime for readers: its name, the question it asks, and whether the paper has it."""

    label: str
    asks: str
    figure: str


_LINE, _STRICT = Regime.UNSEEN_CELL_LINE, Regime.UNSEEN_CELL_LINE_STRICT
REGIME_LABELS: Mapping[Regime, RegimeLabels] = MappingProxyType(
    {
        _LINE: RegimeLabels(
            "Unseen line",
            "What does a drug do in a cell line that no model was trained on, if other drugs were "
            "measured there?",
            "the paper's figure 2",
        ),
        _STRICT: RegimeLabels(
            "Unseen line, strict",
            "What does a drug do in a cell line of which nothing at all may be read?",
            "ours, not in the paper",
        ),
        Regime.UNSEEN_DRUG: RegimeLabels(
            "Unseen drug",
            "What does a drug do that was never measured anywhere, in a line where others were?",
            "the paper's figure 3",
        ),
        Regime.OPEN_WORLD: RegimeLabels(
            "Open world",
            "What does a drug do in a cell line, if everything else that was measured may be read?",
            "the paper's figure 4",
        ),
    }
)
"""The regimes in the order in which they are shown."""

PAPER_ORDER = ("cosine", "mae_delta", "mse_delta", "sign_accuracy", "pearson_delta", "r2_fit")
"""The paper's six metrics, panels a to f of its figures."""

_SPECIFIC_ORDER = (
    *("cosine_specific", "mse_specific", "sign_specific_top50"),
    *("pearson_specific", "overlap_specific_at_50", "magnitude_ratio_specific"),
)


def panel_metrics(change: Change) -> tuple[str, ...]:
    """The six metrics that are drawn side by side: the paper's, or those of the specific change."""
    return PAPER_ORDER if change is Change.TOTAL else _SPECIFIC_ORDER


UNEQUAL = (
    "Unequal evidence: here retrieval averages measured changes of the held-out line, which the "
    "paper's baselines may not read. Its fair rivals read the same: the pool mean, random drugs, "
    "and the other selectors. They stand first in each panel. The cell mean has no line "
    "to average here and answers with the global mean: a gain over it is a gain over that. The "
    "drug mean, which reads nothing of the line either, is the baseline to beat. The strict regime "
    "takes the line away from everyone."
)
"""What must be said wherever the regime of unseen lines is shown."""

READING: Mapping[str, str] = MappingProxyType(
    {
        "A dot and its bar": (
            "The dot is the mean over all conditions for which the method has a defined score, the "
            "bar a 95 % interval. The interval comes from resampling whole cell lines, and whole "
            "compounds where drugs are unseen, since conditions that share one err together. With "
            "fewer than five of them there is no interval, and with fewer than about twenty it is "
            "somewhat too narrow."
        ),
        "Two intervals that overlap": (
            "They decide nothing. Whether one method beats another is read from the paired gap: "
            "both are scored on the same conditions, and the gap has an interval of its own. The "
            "win rate is the share of conditions in which the method is nearer to the best value."
        ),
        "The grey band and the dashed line": (
            "The band is the range of random retrieval over its seeds: so many drugs drawn blindly "
            "from the same pool, averaged in the same way. A selector that does not leave the band "
            "has chosen no better than luck. The dashed line is the oracle, which picks the drugs "
            "whose measured change is nearest to the truth: a reference for averages with equal "
            "weights, not a ceiling for every method, and no prediction, since it reads the answer."
        ),
        "Sign accuracy misleads where changes are exactly zero": (
            "The paper's formula counts two zeros as agreement. A gene that is silent in a line "
            "has a change of exactly zero there, and the mean of ten profiles stays exactly zero "
            "far more often than the mean of hundreds. So an average over few gains sign accuracy "
            "without knowing anything: simulated with no drug effect at all, ten random drugs "
            "reach 0.59 to 0.65 where the mean of all drugs reaches 0.38 to 0.50. A lead in sign "
            "accuracy over a mean of many proves nothing unless it is also a lead over random "
            "drugs; sign accuracy over changed genes is the fairer number."
        ),
        "High correlations can be shared background": (
            "Profiles of one plate share its vehicle cells, and drugs of one line share how the "
            "line answers to anything. Any two then correlate. Pearson r beyond the line mean "
            "takes that away; it is undefined for the pool mean itself."
        ),
        "Undefined is not zero": (
            "A formula that divides by zero has no value; such conditions are counted and left out "
            "of that method's mean, and coverage says how many remain. A method that does not "
            "apply to a regime is shown without a number."
        ),
        "Fallbacks": (
            "Where retrieval finds nobody, another method answers for it and the score is marked. "
            "The fallback share says how often: a method with a large share is partly another one. "
            "A baseline without anything to average is wholly another: the cell mean in an unseen "
            "line and the drug mean for an unseen drug are the global mean."
        ),
    }
)
"""What the numbers mean, by heading."""

_LINES, _DRUGS, _ROW, _COLUMN = 5, 8, 2, 5
_OTHER_LINE, _OTHER_DRUG = 4, 1

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "query": "the condition that is predicted",
        "train": "training: any method may read it",
        "pool": "the pool: only methods that declare it may read it",
        "both": "training and pool",
        "closed": "closed to everyone",
    }
)
"""What a field of :func:`who_reads` says."""


def who_reads(regime: Regime) -> tuple[tuple[str, ...], ...]:
    """A small atlas, cell lines by drugs, with what may be read of it: rows of :data:`KINDS`."""
    return tuple(
        tuple(_field(regime, line, drug) for drug in range(_DRUGS)) for line in range(_LINES)
    )


def _field(regime: Regime, line: int, drug: int) -> str:
    here, asked = line == _ROW, drug == _COLUMN
    if here and asked:
        return "query"
    if regime in (_LINE, _STRICT):
        pool = here and regime is _LINE
        return "pool" if pool else "closed" if here or line == _OTHER_LINE else "train"
    if regime is Regime.UNSEEN_DRUG and (asked or drug == _OTHER_DRUG):
        return "closed"
    return "both" if here else "train"
