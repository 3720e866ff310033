"""An LLM selector from the settings: cache, neighbour files, client and budget put together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import LLMClient
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.errors import UsageError
from lgr_core.llm.budget import Budget, BudgetedClient
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.endpoint import Service
from lgr_core.llm.prices import Prices
from lgr_core.retrieval.llm_question import (
    SCOPE_LINE,
    LLMOptions,
    Policy,
    Scope,
    known_facts,
)
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.neighbor_files import neighbor_files
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.tags import TagInference

if TYPE_CHECKING:
    from lgr_core.llm.client import OpenAIClient


def llm_selector(
    store: AtlasStore,
    settings: Settings,
    options: LLMOptions,
    *,
    neighbors: Sequence[Path] = (),
    client: LLMClient | None = None,
) -> LLMSelector:
    """The selector that the settings describe.

    ``neighbors`` are files that go before those of the installation. A client is made where the
    policy may ask the model and none is given.

    Raises
    ------
    UsageError
        If files are given that the policy would not read.
    InputError
        If one of them cannot be read.
    NoKeyError
        If OpenAI itself is to be asked and there is no key.
    """
    if neighbors and options.policy is Policy.REFRESH:
        found = "the model is asked whatever the files hold"
        raise UsageError("--neighbors with --cache refresh", found, "Leave one of them out.")
    if client is None and options.policy is not Policy.REPLAY:
        client = live_client(settings)
    known = _known_answers(store, settings, options, neighbors)
    return LLMSelector(store, _limited(options, settings), client=client, **known)


def recorded_selector(
    store: AtlasStore,
    settings: Settings,
    options: LLMOptions | None = None,
    *,
    scope: Scope | None = None,
    neighbors: Sequence[Path] = (),
) -> RecordedSelector:
    """The recorded answers that count in this installation; the model is never asked.

    The one policy of shell, Python, pages and benchmarks: the query's own line first, else another
    line, or only those of a ``scope`` that the user names; among files,
    :func:`~lgr_core.retrieval.recorded.find_recorded` chooses. The other line is that of
    ``options.scope_line`` alone where it was chosen by name, else any. ``options`` (by default, the
    settings' model) say which answers fit best; their policy and scope are not read. ``neighbors``
    are files that go before those of the installation.

    Raises
    ------
    InputError
        If one of the files cannot be read.
    """
    asked = LLMOptions(model=settings.llm_model) if options is None else options
    asked = _limited(asked, settings)
    known = _known_answers(store, settings, asked, neighbors)
    known["any_line"] = scope is None and SCOPE_LINE not in asked.chosen
    return RecordedSelector(
        *(
            LLMSelector(store, replace(asked, policy=Policy.REPLAY, scope=each), **known)
            for each in ((Scope.LINE, Scope.DRUG) if scope is None else (scope,))
        )
    )


def _limited(options: LLMOptions, settings: Settings) -> LLMOptions:
    """The options with the settings' limit of output tokens where they name none."""
    if options.max_output_tokens is not None:
        return options
    return replace(options, max_output_tokens=settings.llm_max_tokens)


def _known_answers(
    store: AtlasStore, settings: Settings, options: LLMOptions, neighbors: Sequence[Path]
) -> dict[str, Any]:
    """What an ``LLMSelector`` looks answers up in, and what names the question."""
    files = neighbor_files(*settings.neighbor_folders)
    known: dict[str, Any] = {
        "cache": AnswerCache(settings.answers),
        "book": NeighborBook(files, store.drug_catalog, named=neighbors),
        "provider": Service.at(settings.llm_base_url).name,
    }
    if options.prompt.facts:
        known |= {"facts": drug_facts(store), "line_facts": cell_line_facts(store)}
    return known


def live_client(
    settings: Settings,
    *,
    api_key: str | None = None,
    budget: Budget | None = None,
    cancel: threading.Event | None = None,
) -> BudgetedClient:
    """A client that keeps within a budget (the settings' if none is given).

    Raises
    ------
    NoKeyError
        If OpenAI itself is to be asked and there is no key.
    """
    limit = Budget(max_usd=settings.llm_budget_usd) if budget is None else budget
    client = open_client(settings, api_key, cancel)
    return BudgetedClient(client, limit, Prices.load(service=client.provider))


def open_client(
    settings: Settings,
    api_key: str | None = None,
    cancel: threading.Event | None = None,
    *,
    seconds: float | None = None,
    max_retries: int = 4,
) -> OpenAIClient:
    """The client that the settings describe; a key or ``seconds`` given here go before theirs.

    Raises
    ------
    NoKeyError
        If OpenAI itself is to be asked and there is no key.
    """
    # Importing the SDK takes a second; only live calls pay it.
    from lgr_core.llm.client import OpenAIClient  # noqa: PLC0415
    from lgr_core.llm.transport import Bounds  # noqa: PLC0415

    key = settings.api_key if api_key is None else api_key
    deadline = settings.llm_deadline if seconds is None else seconds
    bounds = Bounds(deadline, settings.llm_redirect_hosts)
    return OpenAIClient(
        key, settings.llm_base_url, bounds=bounds, max_retries=max_retries, cancel=cancel
    )


def tag_inference(
    settings: Settings, *, model: str | None = None, client: LLMClient | None = None
) -> TagInference:
    """Inference of mechanism tags as the settings describe; it asks only through ``client``."""
    provider = Service.at(settings.llm_base_url).name if client is None else client.provider
    return TagInference(
        MechanismAnnotations.load(),
        AnswerCache(settings.answers),
        settings.llm_model if model is None else model,
        provider,
        client,
    )


def drug_facts(store: AtlasStore) -> dict[str, str]:
    """Mechanisms and targets of an atlas's drugs, as the prompt may tell them."""
    book = MechanismAnnotations.load()
    notes = {
        drug: book.annotate(drug, moa=row["moa"], targets=row["targets"])
        for drug, row in store.annotations.items()
    }
    tags = {drug: [book.mechanism(tag).label for tag in note.tags] for drug, note in notes.items()}
    return known_facts(tags, {drug: note.targets for drug, note in notes.items()})


def cell_line_facts(store: AtlasStore) -> dict[str, str]:
    """Organ and driver genes of an atlas's lines."""
    facts = {}
    for row in store.cell_lines.to_dict("records"):
        drivers = ", ".join(str(row["driver_genes"]).split(";")) if row["driver_genes"] else ""
        parts = [row["organ"], f"drivers {drivers}" if drivers else ""]
        facts[row["cell_line"]] = "; ".join(part for part in parts if part)
    return facts
