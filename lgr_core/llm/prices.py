"""What language models cost, read from a file that says where its numbers come from."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgr_core.config import SHIPPED
from lgr_core.domain import LLMUsage
from lgr_core.errors import InputError
from lgr_core.llm.endpoint import OPENAI

PRICES = SHIPPED / "llm_prices.toml"

MILLION = 1_000_000

DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens: fresh input, cached input, output."""

    input: float
    cached: float
    output: float

    def __post_init__(self) -> None:
        for amount in (self.input, self.cached, self.output):
            if not (math.isfinite(amount) and amount >= 0):
                found = f"{amount} is no amount of US dollars"
                raise InputError("price of a model", found, "Give 0 or more.")


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one service by model, with where and when they were read."""

    models: Mapping[str, Price]
    source: str = ""
    date: str = ""

    @classmethod
    def load(cls, path: Path | None = None, *, service: str = OPENAI) -> Prices:
        """Read what a price file (None: the shipped one) says of a service, by its ``name``.

        The price of a model is that of the service that runs it: what OpenAI asks says nothing of
        a server of another address, even if its model has the same name.

        Raises
        ------
        InputError
            If it is missing or is not of the form of ``data/llm_prices.toml``.
        """
        path = PRICES if path is None else path
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            services = {OPENAI: data["models"], **data.get("services", {})}
            known = {
                url.rstrip("/"): {name: _price(row) for name, row in models.items()}
                for url, models in services.items()
            }
            return cls(known.get(service, {}), str(data["source"]), str(data["date"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
            found = f"{type(err).__name__}: {err}"
            raise InputError(f"prices {path}", found, "Mend it or restore it.") from err

    def cost(self, usage: LLMUsage, model: str) -> float | None:
        """US dollars for a usage; None where the model's price is not known.

        A dated snapshot costs what its model costs; no other kinship of names is trusted.
        """
        price = self.models.get(model, self.models.get(DATE.sub("", model)))
        if price is None:
            return None
        fresh = (usage.input - usage.cached) * price.input
        return (fresh + usage.cached * price.cached + usage.output * price.output) / MILLION


def price_words(usd: float | None, at_most: float | None = None) -> str:
    """An estimated price in words; ``at_most`` is that of answers of full length."""
    if usd is None:
        return "price unknown"
    return f"about ${usd:,.2f}" + ("" if at_most is None else f" (at most ${at_most:,.2f})")


def _price(row: Mapping[str, Any]) -> Price:
    return Price(float(row["input"]), float(row["cached"]), float(row["output"]))
