"""Causes by the words of servers, seen of real ones; and the room that a refusal names."""

import json

import pytest

from lgr_core.errors import AccessError, BadReplyError, ServiceError
from lgr_core.llm.failures import failure_of
from lgr_core.llm.output_room import output_room

GEMINI_RATE = [
    {
        "error": {
            "code": 429,
            "message": "You exceeded your current quota, please check your plan and billing "
            "details. Please retry in 27.3s.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27s"},
            ],
        }
    }
]
GEMINI_DAY = [
    {
        "error": {
            "code": 429,
            "message": "You exceeded your current quota.",
            "details": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
        }
    }
]
GEMINI_KEY = [
    {
        "error": {
            "code": 400,
            "message": "API key not valid. Please pass a valid API key.",
            "status": "INVALID_ARGUMENT",
            "details": [{"reason": "API_KEY_INVALID"}],
        }
    }
]
NO_KEY = "No API key provided. Send Authorization: Bearer."


def error(message, **more):
    """An error in OpenAI's form."""
    return {"error": {"message": message, **more}}


KEY, CREDIT, REGION = "key is refused", "no credit left", "not offered where you are"
RATE, FILTER, MODEL = "too many requests", "content filter", "no such model"
LONG, PAGE, DAY = "do not fit the model", "a web page came", "quota of the day"

CAUSES = [
    (429, GEMINI_RATE, ServiceError, RATE),
    (429, GEMINI_DAY, AccessError, DAY),
    (400, GEMINI_KEY, AccessError, KEY),
    (429, error("Rate limit reached for requests per min. Try again in 20s."), ServiceError, RATE),
    (429, error("You exceeded your current quota", code="insufficient_quota"), AccessError, CREDIT),
    (429, error("Your credit balance is too low"), AccessError, CREDIT),
    (400, error("Your credit balance is too low to access the API."), AccessError, CREDIT),
    (402, error("Insufficient Balance"), AccessError, CREDIT),
    (400, error("No connected db.", type="no_db_connection"), AccessError, "no database of keys"),
    (400, error("Incorrect API key provided: abc"), AccessError, KEY),
    (401, error(NO_KEY), AccessError, KEY),
    (403, error("invalid x-api-key"), AccessError, KEY),
    (400, {"detail": "Invalid authentication credentials"}, AccessError, KEY),
    (403, error("Country, region, or territory not supported"), AccessError, REGION),
    (403, error("x", code="unsupported_country_region_territory"), AccessError, REGION),
    (400, error("User location is not supported for the API use."), AccessError, REGION),
    (403, error("This model is not available in your region."), AccessError, REGION),
    (
        403,
        error("x/y requires moderation. Your input was flagged for violence."),
        BadReplyError,
        FILTER,
    ),
    (
        400,
        error("rejected as a result of our safety system", code="content_policy_violation"),
        BadReplyError,
        FILTER,
    ),
    (400, error("The response was filtered", code="content_filter"), BadReplyError, FILTER),
    (404, error("The model `x` does not exist"), AccessError, MODEL),
    (400, error("The model `x` has been decommissioned", code="x"), AccessError, MODEL),
    (404, error("No endpoints found for x/y."), AccessError, MODEL),
    (404, {"error": "model 'llama9' not found, try pulling it first"}, AccessError, MODEL),
    (413, error("Prompt is too long: 9000 tokens"), ServiceError, LONG),
    (400, error("the request exceeds the available context size"), ServiceError, LONG),
    (200, "<!DOCTYPE html><title>Sign in</title>", AccessError, PAGE),
    (403, "<html><head><title>Just a moment...</title>", AccessError, PAGE),
    (502, "<html>Bad gateway</html>", ServiceError, "server fails"),
    (403, error("Not yours."), AccessError, "may not do this"),
    (404, "404 page not found", ServiceError, "nothing answers at that address"),
    (418, error("I am a teapot"), ServiceError, "refused"),
]


@pytest.mark.parametrize(("status", "body", "kind", "found"), CAUSES)
def test_each_cause_is_told_by_its_words(status, body, kind, found):
    """Whatever the status, the error says what it is, and what to do names what there is."""
    text = body if isinstance(body, str) else json.dumps(body)
    err = failure_of(status, text, {}).error("asked")
    assert type(err) is kind
    assert found in err.found
    assert err.do.strip()


def test_a_page_is_told_by_its_title():
    """The title says more than the beginning of the markup."""
    text = "<!doctype html>\n<html><head><title>\n Sign in - Corp </title></head>" + "x" * 999
    assert "'Sign in - Corp'" in failure_of(200, text, {}).error("x").found


@pytest.mark.parametrize(
    ("body", "headers", "wait"),
    [
        (GEMINI_RATE, {}, "27"),
        (GEMINI_RATE, {"retry-after": "3"}, "3"),
        (error("Please try again in 1.5s."), {}, "1.5"),
        (error("Please try again in 250ms."), {}, "0.25"),
        (error("Please try again in 1m30s."), {}, "90"),
        (error("Please try again in 6m0s."), {}, "360"),
        (error("Slow down."), {}, ""),
    ],
)
def test_the_time_to_wait_is_read(body, headers, wait):
    """From the header, from RetryInfo, or from the message."""
    assert failure_of(429, json.dumps(body), headers).wait == wait


ASKED = 4_000
ROOMS = [
    (
        (
            "'max_tokens' is too large: 4000. The maximum context length is 4096 tokens and the "
            "request has 1800 input tokens."
        ),
        2296,
    ),
    (
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's maximum "
            "context length is 4096 tokens and your request has 1800 input tokens (4000 > 2296)."
        ),
        2296,
    ),
    (
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9000 "
            "tokens (5000 in the messages, 4000 in the completion)."
        ),
        3192,
    ),
    (
        (
            "This model's maximum context length is 8,192 tokens. However, you requested about "
            "9,000 tokens."
        ),
        3192,
    ),
    (
        (
            "This model's maximum context length is 4096 tokens. However, you requested 4000 "
            "output tokens and your prompt contains at least 97 input tokens."
        ),
        3096,
    ),
    ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 1800 `inputs` tokens", 2296),
    ("Prompt contains 5000 tokens, too large for model with 8192 maximum context length", 3192),
    ("max_tokens must be less than or equal to `2048`", 2048),
    ("max_tokens: 4000 > 2048, which is the maximum allowed number of output tokens", 2048),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 2048]", 2048),
    ("This model supports at most 2048 completion tokens, whereas you provided 4000.", 2048),
    ("The maximum context length is 4096 tokens and the request has 4000 input tokens.", None),
    ("max_tokens is too large", None),
    ("max_tokens must be less than or equal to 8192", None),
]


@pytest.mark.parametrize(("message", "room"), ROOMS)
def test_the_room_that_a_refusal_names(message, room):
    """A cap, or the context less the prompt: as told, or 1,000 tokens by estimate."""
    found = failure_of(400, json.dumps(error(message)), {})
    assert output_room(found, ASKED, 1_000) == room
