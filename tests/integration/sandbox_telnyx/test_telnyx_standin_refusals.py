"""Every refusal that the reference documents comes with its status, code, title, detail and pointer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn

MINE = "+13035550100"
NUMBERS = {"phone_numbers": [MINE]}
JOBS = ("update_phone_numbers", "update_emergency_settings", "delete_phone_numbers")
#: What each kind of job needs besides the numbers.
REST: dict[str, dict[str, Any]] = {
    "update_phone_numbers": {"tags": ["x"]},
    "update_emergency_settings": {"emergency_enabled": False},
    "delete_phone_numbers": {},
}


@pytest.fixture(autouse=True)
def numbers(telnyx: TelnyxStandIn) -> None:
    """Give the account two numbers."""
    telnyx.add_number(MINE, id="777")
    telnyx.add_number("+13035550101", id="778")


def entry(code: str, title: str, detail: str, **source: str) -> dict[str, Any]:
    """Return the whole expected error body."""
    url = f"https://developers.telnyx.com/docs/overview/errors/{code}"
    error: dict[str, Any] = {"code": code, "title": title, "detail": detail, "meta": {"url": url}}
    return {"errors": [error | ({"source": source} if source else {})]}


def bad(detail: str, pointer: str, title: str = "Bad Request") -> dict[str, Any]:
    """Return the expected body of a 10015 refusal."""
    return entry("10015", title, detail, pointer=pointer)


@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, bad("must be present", "/phone_numbers"), id="absent"),
        pytest.param({"phone_numbers": None}, bad("must be present", "/phone_numbers"), id="null"),
        pytest.param(
            {"phone_numbers": []},
            bad("You must provide at least 1 phone number.", "/phone_numbers"),
            id="none",
        ),
        pytest.param(
            {"phone_numbers": [MINE] * 1001},
            bad("1000 numbers is the maximum allowed.", "/phone_numbers"),
            id="1001",
        ),
        pytest.param(
            {"phone_numbers": [MINE, "778"]},
            bad(
                "You must specify either all phone numbers in the e164 format or all as phone number ids",
                "/phone_numbers",
            ),
            id="mixed",
        ),
        pytest.param(
            {"phone_numbers": [MINE, "+13035559999"]},
            bad("You must own every number in the bulk request", "/phone_numbers"),
            id="foreign number",
        ),
        pytest.param(
            {"phone_numbers": ["777", "999"]},
            bad("You must own every number in the bulk request", "/phone_numbers"),
            id="foreign id",
        ),
        pytest.param(
            {"phone_numbers": ["303-555-0100"]},
            bad("You must own every number in the bulk request", "/phone_numbers"),
            id="neither id nor number",
        ),
        pytest.param({"phone_numbers": [777]}, bad("The field is invalid.", "/phone_numbers"), id="integers"),
    ],
)
async def test_every_job_refuses_a_wrong_list(
    client: httpx.AsyncClient,
    kind: str,
    given: dict[str, Any],
    expected: dict[str, Any],
) -> None:
    """A list of numbers that breaks a rule is refused, whatever the job."""
    response = await client.post(f"/phone_numbers/jobs/{kind}", json=REST[kind] | given)

    assert (422, expected) == (response.status_code, response.json())


@pytest.mark.parametrize(("kind", "limit"), list(zip(JOBS, (20, 500, 20), strict=True)))
async def test_only_so_many_jobs_of_a_type_may_be_under_way(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    kind: Any,
    limit: int,
) -> None:
    """One job more than the limit of its type is refused; when one ends there is room again."""
    telnyx.other_jobs(limit, kind)
    body = NUMBERS | REST[kind]

    refused = await client.post(f"/phone_numbers/jobs/{kind}", json=body)
    telnyx.end_other_jobs(1)
    accepted = await client.post(f"/phone_numbers/jobs/{kind}", json=body)

    detail = f"You can have at most {limit} pending or in progress jobs"
    assert (422, bad(detail, "/base")) == (refused.status_code, refused.json())
    assert accepted.status_code == 202


async def test_jobs_of_one_type_leave_room_for_another(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
) -> None:
    """The limits are counted per type."""
    telnyx.other_jobs(20, "update_phone_numbers")

    response = await client.post("/phone_numbers/jobs/delete_phone_numbers", json=NUMBERS)

    assert response.status_code == 202


INVALID_UPDATES = [
    ({"tags": "vip"}, "/tags"),
    ({"tags": [" "]}, "/tags"),
    ({"connection_id": "999"}, "/connection_id"),
    ({"connection_id": None}, "/connection_id"),
    ({"external_pin": 1234}, "/external_pin"),
    ({"hd_voice_enabled": "true"}, "/hd_voice_enabled"),
    ({"deletion_lock_enabled": None}, "/deletion_lock_enabled"),
    ({"voice": []}, "/voice"),
    ({"voice": {"usage_payment_method": "barter"}}, "/voice/usage_payment_method"),
    ({"voice": {"tech_prefix_enabled": 1}}, "/voice/tech_prefix_enabled"),
    ({"voice": {"call_forwarding": True}}, "/voice/call_forwarding"),
    ({"voice": {"call_forwarding": {"forwarding_type": None}}}, "/voice/call_forwarding/forwarding_type"),
    ({"voice": {"call_forwarding": {"forwards_to": "303 555"}}}, "/voice/call_forwarding/forwards_to"),
    ({"voice": {"cnam_listing": {"cnam_listing_enabled": True}}}, "/voice/cnam_listing/cnam_listing_details"),
    (
        {"voice": {"cnam_listing": {"cnam_listing_details": "Acme"}}},
        "/voice/cnam_listing/cnam_listing_enabled",
    ),
    (
        {"voice": {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "A" * 16}}},
        "/voice/cnam_listing/cnam_listing_details",
    ),
    (
        {"voice": {"call_recording": {"inbound_call_recording_format": "ogg"}}},
        "/voice/call_recording/inbound_call_recording_format",
    ),
]


@pytest.mark.parametrize(("setting", "pointer"), INVALID_UPDATES, ids=[str(case[0]) for case in INVALID_UPDATES])
async def test_an_update_refuses_a_wrong_value(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    setting: dict[str, Any],
    pointer: str,
) -> None:
    """A value that the schema forbids, or a connection that does not exist, is refused with its pointer."""
    response = await client.post("/phone_numbers/jobs/update_phone_numbers", json=NUMBERS | setting)

    assert (422, bad("The field is invalid.", pointer)) == (response.status_code, response.json())
    assert telnyx.jobs == []


@pytest.mark.parametrize(
    ("kind", "given", "pointer"),
    [
        ("update_phone_numbers", {"tags": ["x"], "add_tags": ["y"]}, "/add_tags"),
        ("update_phone_numbers", {"voice": {"forwards_to": "+13035550000"}}, "/voice/forwards_to"),
        ("update_phone_numbers", {"voice": {"media_features": {"codec": "g722"}}}, "/voice/media_features/codec"),
        ("update_emergency_settings", {"emergency_enabled": False, "note": "x"}, "/note"),
        ("delete_phone_numbers", {"reason": "x"}, "/reason"),
    ],
)
async def test_an_unknown_field_is_refused(
    client: httpx.AsyncClient,
    kind: str,
    given: dict[str, Any],
    pointer: str,
) -> None:
    """A body field that no documentation names is refused instead of ignored."""
    response = await client.post(f"/phone_numbers/jobs/{kind}", json=NUMBERS | given)

    assert (422, bad("is not a known field", pointer)) == (response.status_code, response.json())


@pytest.mark.parametrize("setting", [{}, {"voice": {}}], ids=["no setting", "empty voice"])
async def test_an_update_needs_a_setting(client: httpx.AsyncClient, setting: dict[str, Any]) -> None:
    """An update job without any updateable field is refused."""
    response = await client.post("/phone_numbers/jobs/update_phone_numbers", json=NUMBERS | setting)

    expected = bad("You must provide at least 1 updateable field.", "/updateable_fields")
    assert (422, expected) == (response.status_code, response.json())


async def test_a_foreign_billing_group_is_forbidden(client: httpx.AsyncClient) -> None:
    """A billing group that the account does not have is a 403, not a 422."""
    body = NUMBERS | {"billing_group_id": "f5586561-8ff0-4291-a0ac-84fe544797bd"}

    response = await client.post("/phone_numbers/jobs/update_phone_numbers", json=body)

    detail = "The specified billing group either does not exist or is not part of your account"
    expected = entry("10010", "Authorization Failed", detail, pointer="/billing_group_id")
    assert (403, expected) == (response.status_code, response.json())


@pytest.mark.parametrize(
    ("given", "detail", "pointer"),
    [
        ({}, "must be present", "/emergency_enabled"),
        ({"emergency_enabled": "yes"}, "The field is invalid.", "/emergency_enabled"),
        ({"emergency_enabled": True}, "must be present", "/emergency_address_id"),
        (
            {"emergency_enabled": True, "emergency_address_id": "999"},
            "The field is invalid.",
            "/emergency_address_id",
        ),
        (
            {"emergency_enabled": False, "emergency_address_id": "1"},
            "must be blank",
            "/emergency_address_id",
        ),
    ],
)
async def test_the_emergency_rule_is_enforced(
    client: httpx.AsyncClient,
    given: dict[str, Any],
    detail: str,
    pointer: str,
) -> None:
    """Enabling needs an address that exists; disabling forbids one."""
    response = await client.post("/phone_numbers/jobs/update_emergency_settings", json=NUMBERS | given)

    assert (422, bad(detail, pointer)) == (response.status_code, response.json())


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer KEY-wrong"}, {"Authorization": "KEY-right"}])
async def test_a_caller_without_the_key_is_unauthenticated(
    telnyx: TelnyxStandIn,
    headers: dict[str, str],
) -> None:
    """A missing, wrong or oddly sent key gets the documented 401, without a source."""
    async with httpx.AsyncClient(base_url=telnyx.url) as stranger:
        response = await stranger.get("/phone_numbers", headers=headers)

    expected = entry("10009", "Authentication failed", "Could not understand the provided credentials.")
    assert (401, expected) == (response.status_code, response.json())


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/phone_numbers/jobs/42587e44-3a3e-46de-9255-0c9a7a1d1ec7", "/base"),
        ("/phone_numbers/999", "/base"),
        (f"/phone_numbers/{MINE}", "/base"),
        ("/phone_numbers/999/voice", "/base"),
        ("/connections/999", "/"),
        ("/billing_groups/f5586561-8ff0-4291-a0ac-84fe544797bd", "/base"),
        ("/addresses/999", "/base"),
        ("/no_such_thing", "/base"),
    ],
)
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, path: str, pointer: str) -> None:
    """An unknown resource or URL gets the documented 404; an E.164 text is not an id."""
    response = await client.get(path)

    detail = "The requested resource or URL could not be found."
    expected = entry("10005", "Resource not found", detail, pointer=pointer)
    assert (404, expected) == (response.status_code, response.json())


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b'{"phone_numbers": []}', "text/plain", "10029"),
        (b"{", "application/json", "10023"),
        (b"\xff\xfe\xfd", "application/json", "10023"),
        (b"[]", "application/json", "10015"),
    ],
)
async def test_a_body_that_is_no_json_object_is_a_bad_request(
    client: httpx.AsyncClient,
    content: bytes,
    content_type: str,
    code: str,
) -> None:
    """The body must be a JSON object and say so."""
    response = await client.post(
        "/phone_numbers/jobs/delete_phone_numbers",
        content=content,
        headers={"Content-Type": content_type},
    )

    assert (400, code) == (response.status_code, response.json()["errors"][0]["code"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "10015"),
        ({"phone_numbers": []}, "10015"),
        ({"phone_numbers": [MINE] * 1001}, "10015"),
        ({"phone_numbers": ["777"]}, "10016"),
        ({"phone_numbers": [MINE], "dry_run": True}, "10015"),
    ],
)
async def test_an_ownership_check_refuses_a_wrong_list(
    client: httpx.AsyncClient,
    given: dict[str, Any],
    code: str,
) -> None:
    """One to a thousand E.164 numbers and nothing else may be checked."""
    response = await client.post("/phone_numbers/actions/verify_ownership", json=given)

    assert (422, code) == (response.status_code, response.json()["errors"][0]["code"])
