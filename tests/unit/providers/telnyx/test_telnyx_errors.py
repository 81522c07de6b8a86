"""Every documented refusal, as Telnyx writes it, and what it means to us.

Their texts are those of the examples in the OpenAPI document (providers/telnyx/API.md, "Sources").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.values import MASK
from bot.errors import (
    BadRequest,
    Forbidden,
    OutcomeUnknown,
    ProviderError,
    ProviderNotFound,
    RateLimited,
    TooManyJobs,
    Unauthorised,
)
from bot.providers.base import BatchRequest
from bot.providers.telnyx.errors import refusal
from bot.providers.telnyx.provider import Telnyx

Serve = Callable[[httpx.Request], httpx.Response]


def envelope(code: str, title: str, detail: str, pointer: str | None = None) -> dict[str, Any]:
    """Return an error body in the documented form."""
    entry: dict[str, Any] = {"code": code, "title": title, "detail": detail}
    if pointer is not None:
        entry["source"] = {"pointer": pointer}
    entry["meta"] = {"url": f"https://developers.telnyx.com/docs/overview/errors/{code}"}
    return {"errors": [entry]}


MIXED = "You must specify either all phone numbers in the e164 format or all as phone number ids"
FOREIGN_GROUP = "The specified billing group either does not exist or is not part of your account"
BAD_PAGE = (
    "The provided 'page' parameter is invalid. It must be an object with 'size' and/or 'number' with numeric values."
)

DOCUMENTED = [
    (422, envelope("10015", "Bad Request", "must be present", "/phone_numbers"), BadRequest),
    (422, envelope("10015", "Bad Request", "You must provide at least 1 phone number.", "/phone_numbers"), BadRequest),
    (422, envelope("10015", "Bad Request", "1000 numbers is the maximum allowed.", "/phone_numbers"), BadRequest),
    (422, envelope("10015", "Bad Request", MIXED, "/phone_numbers"), BadRequest),
    (
        422,
        envelope("10015", "Bad Request", "You must own every number in the bulk request", "/phone_numbers"),
        BadRequest,
    ),
    (
        422,
        envelope("10015", "Bad Request", "You must provide at least 1 updateable field.", "/updateable_fields"),
        BadRequest,
    ),
    (422, envelope("10015", "Bad Request", "The field is invalid.", "/emergency_address_id"), BadRequest),
    (
        422,
        envelope("10015", "Bad Request", "You can have at most 20 pending or in progress jobs", "/base"),
        TooManyJobs,
    ),
    (
        422,
        envelope("10015", "Bad Request", "You can have at most 500 pending or in progress jobs", "/base"),
        TooManyJobs,
    ),
    (401, envelope("10009", "Authentication failed", "Could not understand the provided credentials."), Unauthorised),
    (
        403,
        envelope("10006", "Not authorized", "You are not authorized to access the requested resource."),
        Forbidden,
    ),
    (403, envelope("10010", "Authorization Failed", FOREIGN_GROUP, "/billing_group_id"), Forbidden),
    (
        404,
        envelope("10005", "Resource not found", "The requested resource or URL could not be found.", "/base"),
        ProviderNotFound,
    ),
    (422, envelope("10015", "Invalid pagination", BAD_PAGE, "page/size"), BadRequest),
    (
        422,
        envelope(
            "10015",
            "Invalid sorting value",
            "The value provided for sorting is not valid. Check the value used and try again.",
            "/sort",
        ),
        BadRequest,
    ),
    (
        429,
        envelope("10011", "Too many requests", "You have exceeded the maximum number of allowed requests."),
        RateLimited,
    ),
    (500, envelope("10007", "Unexpected error", "An unexpected error occured.", "/base"), OutcomeUnknown),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [pytest.param(*case, id=f"{case[0]}-{case[1]['errors'][0]['detail'][:30]}") for case in DOCUMENTED],
)
async def test_creating_a_job_meets_every_documented_error(
    batch: Callable[..., BatchRequest],
    telnyx: Callable[[Serve], Telnyx],
    status: int,
    body: dict[str, Any],
    kind: type[ProviderError],
) -> None:
    """Each documented answer to the creation of a job becomes the one error that says what to do."""
    sent: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(status, json=body)

    with pytest.raises(ProviderError) as caught:
        await telnyx(serve).submit(batch({"tags": ("vip",)}))

    said = body["errors"][0]
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert len(sent) == 1
    if kind in {BadRequest, Unauthorised, Forbidden, ProviderNotFound}:
        assert said["detail"] in getattr(caught.value, "remedy", caught.value.message)
        assert caught.value.code == said["code"]
        assert caught.value.pointer == said.get("source", {}).get("pointer", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param({"errors": [{"code": 10015, "detail": None, "title": "Bad"}]}, "Bad", id="title-only"),
        pytest.param({"errors": [{"detail": "A", "source": "/x"}]}, "“A” (at /x)", id="source-as-text"),
        pytest.param({"errors": [{"detail": "A", "source": {"parameter": "sort"}}]}, "(at sort)", id="parameter"),
        pytest.param({"errors": [{"detail": "A"}, {"detail": "B"}]}, "“A”; “B”", id="two"),
        pytest.param({"errors": [{"detail": "line\nbreak\x1b[31m"}]}, "“line break [31m”", id="control-characters"),
    ],
)
def test_an_envelope_of_any_form_becomes_a_sentence(body: Any, said: str) -> None:
    """However poor an error body is, there is a sentence for people, and never a crash."""
    error = refusal(422, body)

    assert error is not None
    assert type(error) is BadRequest
    assert error.message.startswith("Telnyx refused the request.")
    assert error.message.endswith(".")
    assert said in error.message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="no-json"),
        pytest.param([], id="a-list"),
        pytest.param({}, id="no-errors"),
        pytest.param({"message": "no Route matched with those values"}, id="a-gateways-json"),
        pytest.param({"errors": None}, id="null"),
        pytest.param({"errors": []}, id="none"),
        pytest.param({"errors": "broken"}, id="text"),
        pytest.param({"errors": [{}]}, id="empty-entry"),
        pytest.param({"errors": [{"meta": {"url": "x"}}]}, id="entry-that-says-nothing"),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_body_that_is_not_telnyxs_refuses_nothing(status: int, body: Any) -> None:
    """Whatever its status, an answer in another form is nobody's word about jobs and numbers."""
    assert refusal(status, body) is None


def test_the_limit_of_jobs_is_told_from_a_text_that_merely_mentions_it() -> None:
    """Only an error about the request as a whole is the limit; the same words at a field are a refusal."""
    detail = "You can have at most 20 pending or in progress jobs"

    assert isinstance(refusal(422, envelope("10015", "Bad Request", detail, "/base")), TooManyJobs)
    assert isinstance(refusal(422, envelope("10015", "Bad Request", detail, "/customer_reference")), BadRequest)


def test_a_refusal_says_what_to_do() -> None:
    """The advice fits the refusal: a foreign number is not answered like a foreign billing group."""
    foreign_number = refusal(422, envelope("10015", "", "You must own every number in the bulk request"))
    foreign_group = refusal(403, envelope("10010", "", FOREIGN_GROUP, "/billing_group_id"))

    assert foreign_number is not None
    assert foreign_group is not None
    assert "start a new change" in foreign_number.message
    assert "Choose another billing group" in foreign_group.message


async def test_a_refusal_that_quotes_the_pin_is_blotted(
    batch: Callable[..., BatchRequest], telnyx: Callable[[Serve], Telnyx], encryption: Encryption
) -> None:
    """When Telnyx repeats the PIN in its complaint, our error does not."""

    def serve(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json=envelope("10015", "Bad Request", "4711 is too short", "/external_pin"))

    with pytest.raises(BadRequest) as caught:
        await telnyx(serve).submit(batch({"external_pin": encryption.seal("4711")}))

    assert f"{MASK} is too short" in caught.value.message
    assert "4711" not in str(caught.value)
