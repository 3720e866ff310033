"""Where questions to a language model go: addresses that speak the OpenAI API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from lgr_core.errors import UsageError

OPENAI = "openai"
"""The name of OpenAI's own service, whatever its address."""

OPENAI_URL = "https://api.openai.com/v1"

NEW_TOKENS, OLD_TOKENS = "max_completion_tokens", "max_tokens"


class Api(StrEnum):
    """The two ways of asking for an answer."""

    RESPONSES = "responses"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Service:
    """An address that speaks the OpenAI API, and which of its two forms is tried first.

    Raises
    ------
    UsageError
        If the address is not plain http(s), or holds a user name, password or query.
    """

    url: str
    api: Api

    def __post_init__(self) -> None:
        parts = _split(self.url)
        do = "Give a plain address such as http://localhost:8000/v1 (LGR_LLM_BASE_URL)."
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError("language model service", "its address is no http(s) URL", do)
        if parts.username is not None or parts.password is not None:
            found = f"the address of {parts.hostname} holds a user name or password"
            raise UsageError("language model service", found, f"{do} The key goes apart.")
        if parts.query or parts.fragment:
            found = f"the address of {parts.hostname} goes on after the path"
            raise UsageError("language model service", found, do)

    @classmethod
    def at(cls, base_url: str | None, api: str | None = None) -> Service:
        """The service at an address, None for OpenAI; Responses for OpenAI itself, else Chat."""
        url = OPENAI_URL if base_url is None else base_url.strip().rstrip("/")
        first = Api.RESPONSES if _is_openai(url) else Api.CHAT
        return cls(url, first if api is None else Api(api))

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI itself answers there."""
        return _is_openai(self.url)

    @property
    def name(self) -> str:
        """What stands in cache keys and records: openai, or the address."""
        return OPENAI if self.is_openai else self.url

    def token_names(self, api: Api) -> tuple[str, ...]:
        """The names of the output limit, in the order tried.

        Local servers come with the old name first: all know it, and some ignore the new one in
        silence, which would lift the limit.
        """
        if api is Api.RESPONSES:
            return ("max_output_tokens",)
        azure = (urlsplit(self.url).hostname or "").endswith(".azure.com")
        names = (NEW_TOKENS, OLD_TOKENS)
        return names if self.is_openai or azure else names[::-1]


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None where it cannot be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_openai(url: str) -> bool:
    parts = _split(url)
    host = "" if parts is None else parts.hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")
