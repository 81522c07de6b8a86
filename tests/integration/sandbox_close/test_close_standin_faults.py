"""Credentials, trouble on the wire, rate limits, and the log of calls."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.sandbox.close import CloseStandIn, Number, RateLimit

PUT = "PUT /phone_number/{id}/"


@pytest.fixture
def path(desk: Number) -> str:
    """Give the address of one number."""
    return f"/phone_number/{desk.id}/"


BODY = {"label": "x"}


@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param(None, 401, id="none"),
        pytest.param("Basic " + "YXBpX3JpZ2h0Og==", 200, id="key"),
        pytest.param("Basic " + "YXBpX3JpZ2h0OnNlY3JldA==", 401, id="key with a password"),
        pytest.param("Basic " + "YXBpX3JpZ2h0", 401, id="key without a colon"),
        pytest.param("Basic " + "OmFwaV9yaWdodA==", 401, id="key as the password"),
        pytest.param("Basic " + "YXBpX3dyb25nOg==", 401, id="another key"),
        pytest.param("Basic api_right", 401, id="bare key"),
        pytest.param("Bearer api_right", 401, id="key as a token"),
        pytest.param("Bearer oauth_right", 200, id="token"),
        pytest.param("Bearer oauth_wrong", 401, id="another token"),
        pytest.param("Basic " + "b2F1dGhfcmlnaHQ6", 401, id="token as a key"),
    ],
)
async def test_a_caller_needs_the_key_or_a_token(close: CloseStandIn, header: str | None, status: int) -> None:
    """The API key is the user of Basic with an empty password, an OAuth token is a bearer, all else is 401."""
    headers = {} if header is None else {"Authorization": header}
    async with httpx.AsyncClient(base_url=close.url, headers=headers) as client:
        response = await client.get("/phone_number/")

    assert response.status_code == status
    if status == 401:
        assert response.json() == {"error": "Unauthorized"}


async def test_a_stranger_changes_nothing(close: CloseStandIn, path: str, desk: Number) -> None:
    """Without the key an update has no effect."""
    async with httpx.AsyncClient(base_url=close.url) as stranger:
        assert (await stranger.put(path, json=BODY)).status_code == 401

    assert desk.label == "Front desk"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 415, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
async def test_an_error_answer_comes_before_or_after_the_effect(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
    status: int,
    effect: bool,  # noqa: FBT001 - a parametrised argument
) -> None:
    """An ordered status comes once, a refusal as JSON and a 5xx without, and a 5xx may hide an update that was made."""
    close.faults.add(kind="status", status=status, path="/phone_number/*", effect_first=effect)

    first = await client.put(path, json=BODY)
    updates = len(close.updates)
    second = await client.put(path, json=BODY)

    assert (status, 200) == (first.status_code, second.status_code)
    assert ("application/json" if status < 500 else "text/html") in first.headers["content-type"]
    assert status >= 500 or {"error"} == first.json().keys() or {"errors", "field-errors"} == first.json().keys()
    assert effect == (updates == 1)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "Unauthorized"),
        (402, "You have reached a limit of your current plan."),
        (403, 'You need the "Manage Group Phone Numbers" permission.'),
    ],
)
async def test_everybody_can_be_turned_away(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
    status: int,
    text: str,
) -> None:
    """A key can be taken back, a plan run out and a permission be withdrawn for every call, in any words."""
    close.faults.add(kind="status", status=status, text=text, times=None)

    answers = [await client.get("/me/"), await client.get(path), await client.put(path, json=BODY)]

    assert [(status, {"error": text})] * 3 == [(answer.status_code, answer.json()) for answer in answers]
    assert close.updates == []


async def test_an_undocumented_status_cannot_be_ordered(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """A status that the stand-in has no answer for is a mistake in the test, and looks like one."""
    with pytest.raises(ValueError, match="418"):
        close.faults.add(kind="status", status=418)

    assert (await client.get("/me/")).status_code == 200


@pytest.mark.parametrize(("kind", "updates"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_breaks_before_or_after_the_effect(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
    kind: Any,
    updates: int,
) -> None:
    """A broken connection leaves the caller unsure; the log shows a call without an answer."""
    close.faults.add(kind=kind)

    with pytest.raises(httpx.TransportError):
        await client.put(path, json=BODY)

    assert updates == len(close.updates)
    assert [(call.path, call.status) for call in close.calls] == [(path, None)]


async def test_an_answer_can_be_too_late(close: CloseStandIn, client: httpx.AsyncClient, path: str) -> None:
    """A delayed answer may come after the caller gave up, with the update made all the same."""
    close.faults.add(kind="delay", seconds=5)

    with pytest.raises(httpx.ReadTimeout):
        await client.put(path, json=BODY, timeout=0.2)

    assert len(close.updates) == 1


async def test_a_request_can_be_too_late_for_its_effect(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
) -> None:
    """A request that waits before its effect has none when the caller has gone, and one when it is there."""
    close.faults.add(kind="delay", seconds=0.4, effect_first=False, times=2)

    with pytest.raises(httpx.ReadTimeout):
        await client.put(path, json={"label": "impatient"}, timeout=0.1)
    patient = await client.put(path, json=BODY)

    assert (patient.status_code, [dict(update.settings) for update in close.updates]) == (200, [BODY])


@pytest.mark.parametrize("kind", ["malformed", "empty"])
async def test_an_answer_can_be_nonsense(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
    kind: Any,
) -> None:
    """A good status over a body that is not JSON still means that the update was made."""
    close.faults.add(kind=kind)

    response = await client.put(path, json=BODY)

    assert (response.status_code, len(close.updates)) == (200, 1)
    with pytest.raises(json.JSONDecodeError):
        response.json()


@pytest.mark.parametrize("text", ["[]", "null", '{"data": {}}'])
async def test_an_answer_can_have_another_shape(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    text: str,
) -> None:
    """A good status may stand over JSON that nobody documented."""
    close.faults.add(kind="malformed", text=text)

    response = await client.get("/phone_number/")

    assert (200, json.loads(text)) == (response.status_code, response.json())


async def test_a_fault_hits_only_what_it_is_meant_for(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
) -> None:
    """Method, path, the number of calls to spare and the number to hit are all honoured."""
    close.faults.add(kind="status", status=503, method="PUT", path="/phone_number/*", after=2, times=2)

    statuses = [(await client.get(path)).status_code]
    statuses += [(await client.put(path, json=BODY)).status_code for _ in range(5)]

    assert statuses == [200, 200, 200, 503, 503, 200]
    assert close.faults.pending == []


async def test_faults_can_be_lasting_and_taken_back(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """Without a number of times a fault lasts until it is cleared."""
    close.faults.add(kind="status", times=None)
    during = [(await client.get("/me/")).status_code for _ in range(3)]
    close.faults.clear()

    assert during == [500, 500, 500]
    assert (await client.get("/me/")).status_code == 200


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"retry_after": 2}, {"retry-after": "2"}),
        ({"reset": 1.5}, {"ratelimit": "limit=100, remaining=0, reset=1.5"}),
        ({"headers": {"RateLimit-Reset": "3"}}, {"ratelimit-reset": "3"}),
        ({"reset": 1, "headers": {"RateLimit": "soon"}}, {"ratelimit": "soon"}),
        ({}, {}),
    ],
    ids=["Retry-After", "RateLimit", "RateLimit-Reset", "malformed", "none"],
)
async def test_an_ordered_429_tells_what_it_is_told_to(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    given: dict[str, Any],
    expected: dict[str, str],
) -> None:
    """A 429 can carry any of the forms that the official client understands, a broken one, or none."""
    close.faults.add(kind="rate_limited", **given)

    response = await client.get("/me/")

    told = {name: value for name, value in response.headers.items() if name.startswith(("ratelimit", "retry"))}
    assert (429, expected) == (response.status_code, told)


async def test_a_rate_limit_counts_calls_in_windows(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """The call over the limit is refused until the window ends; the header counts down, and Retry-After rounds up."""
    close.rate_limit = RateLimit(limit=2, window=2.5)

    answers = [await client.get("/me/")]
    close.advance(1.25)
    answers += [await client.get("/me/") for _ in range(2)]
    close.advance(1.25)
    later = await client.get("/me/")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit"] for answer in answers] == [
        "limit=2, remaining=1, reset=2.5",
        "limit=2, remaining=0, reset=1.25",
        "limit=2, remaining=0, reset=1.25",
    ]
    assert (answers[2].headers["retry-after"], "retry-after" in answers[1].headers) == ("2", False)
    assert (answers[2].json()["error"]["rate_reset"], "GET /me/" in answers[2].text) == (1.25, True)
    assert (later.status_code, later.headers["ratelimit"]) == (200, "limit=2, remaining=1, reset=2.5")


async def test_a_refused_call_has_no_effect(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
    desk: Number,
) -> None:
    """An update that met the limit was not made."""
    close.rate_limit = RateLimit(limit=1, window=30)

    statuses = [(await client.put(path, json={"label": label})).status_code for label in ("first", "second")]

    assert (statuses, desk.label) == ([200, 429], "first")


async def test_endpoint_groups_have_limits_of_their_own(
    close: CloseStandIn,
    client: httpx.AsyncClient,
    path: str,
) -> None:
    """Each method and path is counted by itself, whatever the id, and may have a limit of its own."""
    close.rate_limit = RateLimit(limit=3, window=30)
    close.group_limits[PUT] = RateLimit(limit=1, window=30)
    other = close.add_number("+13035550101")

    calls = [("PUT", path), ("PUT", f"/phone_number/{other.id}/"), *[("GET", path)] * 4, ("GET", "/phone_number/")]
    statuses = [(await client.request(method, at, json=BODY)).status_code for method, at in calls]

    assert statuses == [200, 429, 200, 200, 200, 429, 200]


async def test_each_credential_has_its_share_and_the_organization_three(
    close: CloseStandIn,
    client: httpx.AsyncClient,
) -> None:
    """A key that is used up does not stop another one; three shares used up stop everybody."""
    close.rate_limit = RateLimit(limit=2, window=30)
    async with httpx.AsyncClient(base_url=close.url, headers={"Authorization": "Bearer oauth_right"}) as other:
        own = [(await client.get("/me/")).status_code for _ in range(3)]
        first = await other.get("/me/")
        close.others_call("GET /me/", 3)
        second = await other.get("/me/")

    assert own == [200, 200, 429]
    assert first.status_code == 200
    assert (second.status_code, second.headers["ratelimit"]) == (429, "limit=6, remaining=0, reset=30")
    assert "organization" in second.json()["error"]["message"]


async def test_an_unannounced_limit_shows_only_when_it_is_hit(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """Some endpoints say nothing until they refuse, and then no more than when to come back."""
    close.group_limits["GET /me/"] = RateLimit(limit=1, window=4, announced=False)

    good, bad = [await client.get("/me/") for _ in range(2)]

    assert "ratelimit" not in good.headers
    assert (bad.status_code, bad.headers["ratelimit"], bad.headers["retry-after"]) == (429, "reset=4", "4")


async def test_others_cannot_use_up_what_is_not_limited(close: CloseStandIn) -> None:
    """To spend from a limit that is not set is a mistake in the test."""
    with pytest.raises(ValueError, match="no limit on GET /me/"):
        close.others_call("GET /me/", 1)


async def test_most_answers_tell_the_rate(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """Without a limit an answer names one that is far away; an address that is nobody's has none."""
    known, unknown = await client.get("/me/"), await client.get("/nowhere/")

    assert close.rate_limit is None
    assert known.headers["ratelimit"] == "limit=3000, remaining=2999, reset=1"
    assert "ratelimit" not in unknown.headers


async def test_every_call_is_written_down(close: CloseStandIn, client: httpx.AsyncClient, path: str) -> None:
    """The log has method, path, query, body and status of every call, refused ones included."""
    await client.get("/phone_number/", params=[("user_id", "user_a"), ("user_id", "user_b")])
    await client.put(path, json=BODY)
    await client.put(path, content=b"{", headers={"Content-Type": "application/json"})

    assert [
        ("GET", "/phone_number/", {"user_id": ["user_a", "user_b"]}, None, 400),
        ("PUT", path, {}, BODY, 200),
        ("PUT", path, {}, "{", 400),
    ] == [(call.method, call.path, call.query, call.body, call.status) for call in close.calls]
    assert {datetime(2026, 11, 20, 9, 0, tzinfo=UTC)} == {call.at for call in close.calls}


async def test_waiting_ends_with_the_condition_or_the_deadline(close: CloseStandIn, client: httpx.AsyncClient) -> None:
    """``wait_for`` gives what the condition gave, and times out when it never does."""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(close.wait_for(lambda: close.calls, timeout=5))
        tasks.create_task(client.get("/me/"))

    assert waiting.result()[0].path == "/me/"
    with pytest.raises(TimeoutError):
        await close.wait_for(lambda: close.updates, timeout=0.05)


async def test_the_service_can_go_down_and_come_back() -> None:
    """Between two entries nobody answers; afterwards the address and the organization are the same."""
    close = CloseStandIn(api_key="k")
    async with close:
        url = close.url
        close.add_number("+13035550100")
    async with httpx.AsyncClient(base_url=url, auth=("k", "")) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/phone_number/")
    async with close, httpx.AsyncClient(base_url=url, auth=("k", "")) as client:
        assert len((await client.get("/phone_number/")).json()["data"]) == 1
