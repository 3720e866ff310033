"""Shipped rates: how many claims of the recorded reasons hold on real Tahoe-100M responses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lgr_core.audit.claims import ClaimKind
from lgr_core.config import SHIPPED

RATES_FILE = "rationale_rates_tahoe_rank.csv"


def shipped_rates(path: Path = SHIPPED / RATES_FILE) -> pd.DataFrame:
    """The table of rates that ships, one row a kind of claim."""
    return pd.read_csv(path)


def direction_sentence(rates: pd.DataFrame) -> str:
    """What the data say of claims such as "lowers DUSP6", with denominator, interval and chance."""
    row = rates.set_index("kind").loc[str(ClaimKind.DIRECTION)]
    return (
        f"{row['share_with_claim']:.0%} of {row['n_reasons']:,.0f} recorded reasons say that a "
        f"gene rises or falls. Of the {row['decided']:.0f} such claims that the measured specific "
        f"changes of {row['n_drugs']:.0f} drugs decide, {row['rate']:.0%} hold (95 % interval over "
        f"drugs {row['low']:.0%} to {row['high']:.0%}); with other drugs' data "
        f"{row['permuted_rate']:.0%}."
    )
