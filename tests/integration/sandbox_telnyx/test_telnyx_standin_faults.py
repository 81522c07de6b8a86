"""Trouble on the wire, the rate limit, and the log of calls."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from bot.sandbox.telnyx import RateLimit, TelnyxStandIn

JOB = "/phone_numbers/jobs/update_phone_numbers"


@pytest.fixture
def body(telnyx: TelnyxStandIn) -> dict[str, Any]:
    """Give the body of a job over one number."""
    return {"phone_numbers": [telnyx.add_number("+13035550100").id], "tags": ["x"]}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("effect", [False, True], ids=["before", "after"])
async def test_an_error_answer_comes_before_or_after_the_effect(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
    status: int,
    effect: bool,  # noqa: FBT001 - a parametrised argument
) -> None:
    """An ordered status comes in the documented envelope once, and a 5xx may hide a job that was created."""
    telnyx.faults.add(kind="status", status=status, path="/phone_numbers/jobs/*", effect_first=effect)

    first = await client.post(JOB, json=body)
    jobs = len(telnyx.jobs)
    second = await client.post(JOB, json=body)

    assert (status, 202) == (first.status_code, second.status_code)
    assert {"code", "title", "detail", "meta"} <= set(first.json()["errors"][0])
    assert effect == (jobs == 1)


async def test_an_undocumented_status_cannot_be_ordered(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """A status that the stand-in has no answer for is a mistake in the test, and looks like one."""
    with pytest.raises(ValueError, match="418"):
        telnyx.faults.add(kind="status", status=418)

    assert (await client.get("/phone_numbers")).status_code == 200


@pytest.mark.parametrize(("kind", "jobs"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_breaks_before_or_after_the_effect(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
    kind: Any,
    jobs: int,
) -> None:
    """A broken connection leaves the caller unsure; the log shows a call without an answer."""
    telnyx.faults.add(kind=kind)

    with pytest.raises(httpx.TransportError):
        await client.post(JOB, json=body)

    assert jobs == len(telnyx.jobs)
    assert [(call.path, call.status) for call in telnyx.calls] == [(JOB, None)]


async def test_an_answer_can_be_too_late(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
) -> None:
    """A delayed answer may come after the caller gave up, with the job created all the same."""
    telnyx.faults.add(kind="delay", seconds=5)

    with pytest.raises(httpx.ReadTimeout):
        await client.post(JOB, json=body, timeout=0.2)

    assert len(telnyx.jobs) == 1


async def test_a_request_can_be_too_late_for_its_effect(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
) -> None:
    """A request that waits before its effect has none when the caller has gone, and one when it is there."""
    telnyx.faults.add(kind="delay", seconds=0.4, effect_first=False, times=2)

    with pytest.raises(httpx.ReadTimeout):
        await client.post(JOB, json=body, timeout=0.1)
    patient = await client.post(JOB, json=body)

    assert (patient.status_code, len(telnyx.jobs)) == (202, 1)


@pytest.mark.parametrize("kind", ["malformed", "empty"])
async def test_an_answer_can_be_nonsense(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
    kind: Any,
) -> None:
    """A good status over a body that is not JSON still means that the job was created."""
    telnyx.faults.add(kind=kind)

    response = await client.post(JOB, json=body)

    assert (response.status_code, len(telnyx.jobs)) == (202, 1)
    with pytest.raises(json.JSONDecodeError):
        response.json()


async def test_a_fault_hits_only_what_it_is_meant_for(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Method, path, the number of calls to spare and the number to hit are all honoured."""
    telnyx.faults.add(kind="status", status=503, method="GET", path="/phone_numbers/*", after=1, times=2)

    paths = (
        "/connections",
        "/phone_numbers/slim",
        "/phone_numbers/slim",
        "/phone_numbers/voice",
        "/phone_numbers/slim",
    )
    statuses = [(await client.get(path)).status_code for path in paths]

    assert statuses == [200, 200, 503, 503, 200]
    assert telnyx.faults.pending == []


async def test_faults_can_be_lasting_and_taken_back(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """Without a number of times a fault lasts until it is cleared."""
    telnyx.faults.add(kind="status", times=None)
    during = [(await client.get("/connections")).status_code for _ in range(3)]
    telnyx.faults.clear()

    assert during == [500, 500, 500]
    assert (await client.get("/connections")).status_code == 200


async def test_a_rate_limited_answer_tells_when_to_come_back(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
) -> None:
    """A 429 carries the headers that the test asked for."""
    telnyx.faults.add(kind="rate_limited", retry_after=2, reset=1.5)

    response = await client.get("/connections")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (429, "10011")
    assert (
        response.headers["retry-after"],
        response.headers["x-ratelimit-remaining"],
        response.headers["x-ratelimit-reset"],
    ) == ("2", "0", "1.5")


async def test_a_rate_limit_counts_calls_in_windows(telnyx: TelnyxStandIn, client: httpx.AsyncClient) -> None:
    """The call over the limit is refused until the window ends; the headers count down."""
    telnyx.rate_limit = RateLimit(limit=2, window=30, retry_after=True)

    answers = [await client.get("/connections") for _ in range(3)]
    telnyx.advance(30)
    later = await client.get("/connections")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert (answers[2].headers["x-ratelimit-reset"], answers[2].headers["retry-after"]) == ("30", "30")
    assert (later.status_code, later.headers["x-ratelimit-remaining"]) == (200, "1")


async def test_rate_limit_headers_are_always_there(client: httpx.AsyncClient) -> None:
    """Even without a limit every answer names one, far from used up."""
    for path in ("/connections", "/nowhere"):
        headers = (await client.get(path)).headers
        assert 0 < int(headers["x-ratelimit-remaining"]) < int(headers["x-ratelimit-limit"])


async def test_every_call_is_written_down(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
    body: dict[str, Any],
) -> None:
    """The log has method, path, query, body and status of every call, refused ones included."""
    await client.get("/phone_numbers/jobs", params=[("filter[status][]", "pending"), ("filter[status][]", "failed")])
    await client.post(JOB, json=body)
    await client.post(JOB, content=b"{", headers={"Content-Type": "application/json"})

    assert [
        ("GET", "/phone_numbers/jobs", {"filter[status][]": ["pending", "failed"]}, None, 200),
        ("POST", JOB, {}, body, 202),
        ("POST", JOB, {}, "{", 400),
    ] == [(call.method, call.path, call.query, call.body, call.status) for call in telnyx.calls]


async def test_waiting_ends_with_the_condition_or_the_deadline(
    telnyx: TelnyxStandIn,
    client: httpx.AsyncClient,
) -> None:
    """``wait_for`` gives what the condition gave, and times out when it never does."""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(telnyx.wait_for(lambda: telnyx.calls, timeout=5))
        tasks.create_task(client.get("/connections"))

    assert waiting.result()[0].path == "/connections"
    with pytest.raises(TimeoutError):
        await telnyx.wait_for(lambda: telnyx.jobs, timeout=0.05)


async def test_the_service_can_go_down_and_come_back() -> None:
    """Between two entries nobody answers; afterwards the address and the account are the same."""
    telnyx = TelnyxStandIn(api_key="K")
    headers = {"Authorization": "Bearer K"}
    async with telnyx:
        url = telnyx.url
        telnyx.add_number("+13035550100")
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/phone_numbers")
    async with telnyx, httpx.AsyncClient(base_url=url, headers=headers) as client:
        assert len((await client.get("/phone_numbers")).json()["data"]) == 1
