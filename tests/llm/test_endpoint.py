"""Addresses of language model services: what is taken, what is refused, what stays unseen."""

import pytest

from lgr_core.errors import UsageError
from lgr_core.llm.endpoint import OPENAI_URL, Api, Service


def test_no_address_is_openai_itself():
    """None means OpenAI, whatever the SDK might read elsewhere; it is asked by Responses."""
    assert Service.at(None) == Service(OPENAI_URL, Api.RESPONSES)
    assert Service.at(None).name == "openai"


@pytest.mark.parametrize(
    ("url", "api", "name"),
    [
        ("https://api.openai.com/v1/", Api.RESPONSES, "openai"),
        ("https://eu.api.openai.com/v1", Api.RESPONSES, "openai"),
        ("http://localhost:11434/v1", Api.CHAT, "http://localhost:11434/v1"),
        ("https://api.openai.com.evil.org/v1", Api.CHAT, "https://api.openai.com.evil.org/v1"),
        ("https://r.openai.azure.com/openai/v1/", Api.CHAT, "https://r.openai.azure.com/openai/v1"),
    ],
)
def test_the_host_decides_which_api_comes_first(url, api, name):
    """Only OpenAI's own hosts count as OpenAI; others are named by their address."""
    assert (Service.at(url).api, Service.at(url).name) == (api, name)


def test_an_api_may_be_forced():
    """A caller who knows better is heard."""
    assert Service.at("http://localhost:11434/v1", "responses").api is Api.RESPONSES
    assert Service.at(None, "chat").api is Api.CHAT


@pytest.mark.parametrize(
    "url", ["ftp://host/v1", "file:///etc/passwd", "localhost:8000", "http://", "http://h:x/v1", ""]
)
def test_what_is_no_web_address_is_refused(url):
    """Only http and https with a host can be asked."""
    with pytest.raises(UsageError, match="no http"):
        Service.at(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@host/v1",
        "https://s3cret@host/v1",
        "https://host/v1?key=s3cret",
        "https://host/v1#s3cret",
    ],
)
def test_an_address_with_a_secret_is_refused_unseen(url):
    """Addresses stand in records and cache keys: a secret in one is refused, not shown."""
    with pytest.raises(UsageError, match="host") as caught:
        Service.at(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "first"),
    [
        (None, "max_completion_tokens"),
        ("https://r.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://localhost:11434/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_heeds(url, first):
    """Ollama ignores the new name in silence; new OpenAI models refuse the old one."""
    assert Service.at(url).token_names(Api.CHAT)[0] == first
    assert Service.at(url).token_names(Api.RESPONSES) == ("max_output_tokens",)
