"""How a provider's rate limits are learned and kept, with a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from bot.errors import RateLimited

MakeWorld = Callable[..., Any]

#: The time of day when a test begins, less the clock's 1000 seconds; seconds since 1970.
EPOCH = 1_795_000_000.0
#: The time of day at the provider, which is not ours.
THERE = formatdate(EPOCH, usegmt=True)


def ok(body: object = None, **headers: str) -> httpx.Response:
    """Return a good answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, json={"data": 1} if body is None else body, headers=named)


def status(code: int, **headers: str) -> httpx.Response:
    """Return an answer with a bad status and an empty error envelope."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, json={"errors": []}, headers=named)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        pytest.param({}, 1.0, id="nothing-said"),
        pytest.param({"retry-after": "7"}, 7.0, id="seconds"),
        pytest.param({"retry-after": "0", "x-ratelimit-reset": "0"}, 1.0, id="at-once"),
        pytest.param({"ratelimit": "limit=100, remaining=0, reset=0"}, 1.0, id="close-at-once"),
        pytest.param({"ratelimit-reset": "0"}, 1.0, id="close-bare-at-once"),
        pytest.param({"retry-after": formatdate(EPOCH + 30, usegmt=True), "date": THERE}, 30.0, id="date"),
        pytest.param({"retry-after": formatdate(EPOCH - 10, usegmt=True), "date": THERE}, 1.0, id="date-gone-by"),
        pytest.param({"retry-after": "soon"}, 1.0, id="nonsense"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "5"}, 5.0, id="telnyx"),
        pytest.param({"x-ratelimit-reset": "1795000000"}, 1.0, id="a-time-of-day"),
        pytest.param({"ratelimit": "limit=100, remaining=0, reset=9"}, 9.0, id="close"),
        pytest.param({"x-ratelimit-reset": "2", "retry-after": "4"}, 4.0, id="the-longer-of-telnyx"),
        pytest.param({"ratelimit": "limit=9, remaining=0, reset=2", "retry-after": "4"}, 2.0, id="close-reset-first"),
        pytest.param({"ratelimit": "nonsense", "retry-after": "4"}, 4.0, id="close-malformed"),
        pytest.param({"ratelimit-reset": "6", "retry-after": "4"}, 4.0, id="close-retry-after-second"),
        pytest.param({"ratelimit-reset": "6"}, 6.0, id="close-bare-reset-third"),
    ],
)
async def test_the_wait_of_a_429_is_read_from_its_headers(
    world: MakeWorld, headers: dict[str, str], wait: float
) -> None:
    """RateLimited carries the seconds asked for; a header that cannot be a wait is as good as none."""
    here = world(httpx.Response(429, json={}, headers=headers))
    here.clock.epoch = EPOCH

    with pytest.raises(RateLimited) as caught:
        await here.client.write("POST", "/jobs", json={})

    assert wait == pytest.approx(caught.value.wait, abs=0.6)


async def test_after_a_429_the_endpoint_group_rests(world: MakeWorld) -> None:
    """The next request to the same endpoint waits as long as the 429 asked; another endpoint does not."""
    here = world(status(429, retry_after="20"), ok())
    with pytest.raises(RateLimited):
        await here.client.write("POST", "/jobs", json={})

    await here.client.read("GET", "/elsewhere")
    await here.client.write("POST", "/jobs", json={})

    assert here.times == [0.0, 0.0, 20.0]


async def test_a_write_that_would_wait_too_long_is_not_sent(world: MakeWorld) -> None:
    """A write does not sleep through more than a request's timeout: it says how long to wait instead."""
    here = world(status(429, retry_after="300"), ok())
    with pytest.raises(RateLimited):
        await here.client.write("POST", "/jobs", json={})

    with pytest.raises(RateLimited) as caught:
        await here.client.write("POST", "/jobs", json={})

    assert pytest.approx(caught.value.wait) == 300
    assert len(here.requests) == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "6"}, id="telnyx"),
        pytest.param({"ratelimit": "limit=2, remaining=0, reset=6"}, id="close"),
    ],
)
async def test_a_used_up_allowance_is_waited_out(world: MakeWorld, headers: dict[str, str]) -> None:
    """When an answer says that nothing remains, the next request goes when the window is over."""
    here = world(httpx.Response(200, json={}, headers=headers))

    await here.client.read("GET", "/things")
    await here.client.read("GET", "/things")

    assert here.times == [0.0, 6.0]


async def test_requests_at_the_same_time_share_an_allowance(world: MakeWorld) -> None:
    """Twelve requests at once under a limit of four in ten seconds meet no 429 once the limit is known."""
    here = world()
    window = {"opened": 1000.0, "used": 0}

    def limited(_request: httpx.Request) -> httpx.Response:
        if here.clock.time >= window["opened"] + 10:
            window.update(opened=here.clock.time, used=0)
        window["used"] += 1
        left = window["opened"] + 10 - here.clock.time
        told = {
            "x-ratelimit-limit": "4",
            "x-ratelimit-remaining": str(max(0, 4 - int(window["used"]))),
            "x-ratelimit-reset": f"{left:g}",
        }
        return httpx.Response(200 if window["used"] <= 4 else 429, json={}, headers=told)

    here.handler = limited
    await here.client.read("GET", "/things")

    await asyncio.gather(*(here.client.read("GET", "/things") for _ in range(12)))

    assert here.client.calls.counts() == {("GET", "/things", "200"): 13}
    assert here.clock.time - 1000 < 60


async def test_a_window_that_never_stands_still_is_no_reason_to_stop(world: MakeWorld) -> None:
    """A service that always says "2 of 3 left, 1 s" is called for ever without a pause longer than its window."""
    here = world(ok(x_ratelimit_limit="3", x_ratelimit_remaining="2", x_ratelimit_reset="1"))

    for _ in range(30):
        await here.client.read("GET", "/things")

    assert len(here.requests) == 30
    assert all(pause <= 1.0 for pause in here.clock.sleeps)


async def test_no_more_requests_are_under_way_than_allowed(world: MakeWorld) -> None:
    """Twenty reads at once are three at a time."""
    here = world(concurrency=3)
    under_way, most = 0, 0

    async def slow(_request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return ok()

    here.handler = slow

    await asyncio.gather(*(here.client.read("GET", f"/{number}") for number in range(20)))

    assert most == 3
