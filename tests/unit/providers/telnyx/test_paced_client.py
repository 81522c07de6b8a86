"""The rules of calling a provider over HTTP, with a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.errors import (
    BadRequest,
    Forbidden,
    OutcomeUnknown,
    ProviderError,
    ProviderNotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from bot.providers.answers import clean

MakeWorld = Callable[..., Any]

PIN = "8642-pin"


def ok(body: object = None, **headers: str) -> httpx.Response:
    """Return a good answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(200, json={"data": 1} if body is None else body, headers=named)


def status(code: int, **headers: str) -> httpx.Response:
    """Return an answer with a bad status and an error document of Telnyx's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, json={"errors": [{"code": "10007", "title": "Unexpected error"}]}, headers=named)


def page(code: int) -> httpx.Response:
    """Return what a gateway says in the place of the service behind it."""
    return httpx.Response(code, text=f"<html><body><h1>{code}</h1>nginx</body></html>")


TROUBLES = [
    pytest.param(httpx.ConnectError("refused"), id="refused"),
    pytest.param(httpx.ConnectTimeout("slow"), id="connect-timeout"),
    pytest.param(httpx.ReadTimeout("slow"), id="read-timeout"),
    pytest.param(httpx.ReadError("reset"), id="reset"),
    pytest.param(httpx.RemoteProtocolError("hung up"), id="hung-up"),
    pytest.param(status(408), id="408"),
    pytest.param(status(409), id="409"),
    pytest.param(status(429), id="429"),
    pytest.param(status(500), id="500"),
    pytest.param(status(503), id="503"),
    pytest.param(page(400), id="a-page-with-400"),
    pytest.param(page(403), id="a-page-with-403"),
    pytest.param(page(404), id="a-page-with-404"),
    pytest.param(httpx.Response(404, json={"message": "no Route matched with those values"}), id="a-gateways-json"),
    pytest.param(httpx.Response(404, json={"errors": []}), id="a-refusal-that-says-nothing"),
]


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_read_is_repeated_after_passing_trouble(world: MakeWorld, trouble: httpx.Response | Exception) -> None:
    """A read meets trouble twice, pauses longer each time, and returns the third answer."""
    here = world(trouble, trouble, ok({"data": "here"}))

    answer = await here.client.read("GET", "/things")

    assert answer == {"data": "here"}
    assert len(here.requests) == 3
    assert here.clock.sleeps in ([0.5, 1.0], [1.0, 1.0])  # a 429 asks for a second


async def test_pauses_double_up_to_a_bound(world: MakeWorld) -> None:
    """With the least favourable jitter, pauses go 0.5, 1, 2, 4, 8, 8, ... seconds inside the deadline."""
    here = world(status(500), deadline=40.0)

    with pytest.raises(Unavailable):
        await here.client.read("GET", "/things")

    assert here.clock.sleeps == [0.5, 1, 2, 4, 8, 8, 8, 8]
    assert here.clock.time - 1000 <= 40.0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        pytest.param(httpx.ConnectError("refused"), Unavailable, id="refused"),
        pytest.param(httpx.ReadTimeout("slow"), Unavailable, id="timeout"),
        pytest.param(status(502), Unavailable, id="5xx"),
        pytest.param(status(429, retry_after="3"), RateLimited, id="429"),
    ],
)
async def test_a_read_gives_up_at_its_deadline(
    world: MakeWorld, trouble: httpx.Response | Exception, kind: type[ProviderError]
) -> None:
    """Trouble without end becomes one error that says that nothing was changed, within the deadline."""
    here = world(trouble, deadline=30.0)

    with pytest.raises(kind):
        await here.client.read("GET", "/things")

    assert len(here.requests) > 3
    assert here.clock.time - 1000 <= 30.0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param(400, BadRequest, id="400"),
        pytest.param(401, Unauthorised, id="401"),
        pytest.param(402, Forbidden, id="402"),
        pytest.param(403, Forbidden, id="403"),
        pytest.param(404, ProviderNotFound, id="404"),
        pytest.param(422, BadRequest, id="422"),
    ],
)
@pytest.mark.parametrize("how", ["read", "write"])
async def test_a_refusal_is_final(world: MakeWorld, code: int, kind: type[ProviderError], how: str) -> None:
    """What the provider refuses is raised at once, by its status, and never asked twice."""
    here = world(status(code))

    with pytest.raises(kind) as caught:
        await getattr(here.client, how)("POST", "/things")

    assert code == caught.value.status
    assert len(here.requests) == 1


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        pytest.param(httpx.ConnectError("refused"), Unavailable, id="refused"),
        pytest.param(httpx.ConnectTimeout("slow"), Unavailable, id="connect-timeout"),
        pytest.param(httpx.PoolTimeout("busy"), Unavailable, id="pool-timeout"),
        pytest.param(httpx.ReadTimeout("slow"), OutcomeUnknown, id="read-timeout"),
        pytest.param(httpx.WriteTimeout("slow"), OutcomeUnknown, id="write-timeout"),
        pytest.param(httpx.ReadError("reset"), OutcomeUnknown, id="read-error"),
        pytest.param(httpx.WriteError("reset"), OutcomeUnknown, id="write-error"),
        pytest.param(httpx.RemoteProtocolError("hung up"), OutcomeUnknown, id="hung-up"),
        pytest.param(status(500), OutcomeUnknown, id="500"),
        pytest.param(status(502), OutcomeUnknown, id="502"),
        pytest.param(status(503, retry_after="1"), OutcomeUnknown, id="503"),
        pytest.param(status(408), OutcomeUnknown, id="408"),
        pytest.param(status(409), OutcomeUnknown, id="409"),
        pytest.param(status(302), OutcomeUnknown, id="redirect"),
        pytest.param(page(400), OutcomeUnknown, id="a-page-with-400"),
        pytest.param(page(403), OutcomeUnknown, id="a-page-with-403"),
        pytest.param(page(404), OutcomeUnknown, id="a-page-with-404"),
        pytest.param(page(413), OutcomeUnknown, id="a-page-with-413"),
        pytest.param(httpx.Response(202, text="<html>"), OutcomeUnknown, id="not-json"),
        pytest.param(httpx.Response(202), OutcomeUnknown, id="empty"),
        pytest.param(httpx.Response(200, json=[1]), OutcomeUnknown, id="not-an-object"),
        pytest.param(status(429, retry_after="7"), RateLimited, id="429"),
    ],
)
async def test_a_write_is_sent_once_and_says_what_is_known(
    world: MakeWorld, ending: httpx.Response | Exception, kind: type[ProviderError]
) -> None:
    """However a write ends, it was sent once, and its error tells "nothing happened" from "nobody knows"."""
    here = world(ending)

    with pytest.raises(ProviderError) as caught:
        await here.client.write("POST", "/jobs", json={"a": 1})

    assert kind is type(caught.value)
    assert len(here.requests) == 1


async def test_a_write_returns_the_object(world: MakeWorld) -> None:
    """A good answer to a write is its JSON object."""
    here = world(httpx.Response(202, json={"data": {"id": "1"}}))

    assert await here.client.write("POST", "/jobs", json={}) == {"data": {"id": "1"}}


async def test_an_answer_that_never_ends_is_cut_off(world: MakeWorld) -> None:
    """A write whose answer does not come in time ends as unknown, in real time."""
    here = world(timeout=0.05)

    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    here.handler = never

    async with asyncio.timeout(5):
        with pytest.raises(OutcomeUnknown):
            await here.client.write("POST", "/jobs", json={})


@pytest.mark.parametrize(("how", "kind"), [("read", Unavailable), ("write", OutcomeUnknown)])
async def test_an_answer_too_large_is_not_kept(world: MakeWorld, how: str, kind: type[ProviderError]) -> None:
    """An answer beyond the bound is dropped while it comes in, and not asked for again."""
    here = world(httpx.Response(200, content=b"[" + b"0," * 5000 + b"0]"), max_bytes=5000)

    with pytest.raises(kind):
        await getattr(here.client, how)("POST", "/things")

    assert len(here.requests) == 1


async def test_cancelling_a_read_frees_its_place(world: MakeWorld) -> None:
    """A read that is cancelled while its request is under way leaves room for the next one."""
    here = world(concurrency=1)
    begun = asyncio.Event()

    async def hang(_request: httpx.Request) -> httpx.Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    here.handler = hang
    task = asyncio.create_task(here.client.read("GET", "/things"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    here.handler = lambda _request: ok({"data": 2})
    async with asyncio.timeout(5):
        assert await here.client.read("GET", "/things") == {"data": 2}


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(httpx.ReadTimeout("slow"), id="timeout"),
        pytest.param(status(500), id="500"),
        pytest.param(status(429), id="429"),
        pytest.param(httpx.Response(202, text=PIN), id="not-json"),
    ],
)
async def test_errors_hold_neither_key_nor_body(world: MakeWorld, ending: httpx.Response | Exception) -> None:
    """Neither an error nor anything behind it holds the API key or what was sent, as text or as an object."""
    here = world()

    def spoil(request: httpx.Request) -> httpx.Response:
        if isinstance(ending, httpx.RequestError):
            ending.request = request
            raise ending
        assert isinstance(ending, httpx.Response)
        return ending

    here.handler = spoil
    with pytest.raises(ProviderError) as caught:
        await here.client.write("POST", "/jobs", json={"external_pin": PIN})

    error: BaseException | None = caught.value
    while error is not None:
        assert here.key not in f"{error!s} {error!r}"
        assert PIN not in f"{error!s} {error!r}"
        if isinstance(error, httpx.RequestError):
            assert "authorization" not in error.request.headers
            assert error.request.content == b""
        error = error.__cause__ or error.__context__


async def test_calls_are_counted_by_endpoint_and_ending(world: MakeWorld) -> None:
    """The counter names endpoints, not single things, and how each call ended."""
    here = world(ok(), status(500), httpx.ConnectError("refused"), ok())

    await here.client.read("GET", "/things/{id}", parts={"id": "a/b"})
    await here.client.read("GET", "/things/{id}", parts={"id": "2"})

    assert here.client.calls.counts() == {
        ("GET", "/things/{id}", "200"): 2,
        ("GET", "/things/{id}", "500"): 1,
        ("GET", "/things/{id}", "ConnectError"): 1,
    }
    assert here.requests[0][1].url.raw_path.decode() == "/v2/things/a%2Fb"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param("  two\n lines\t", "two lines", id="one-line"),
        pytest.param("bell\x07 and \u202eturned", "bell and turned", id="control-characters"),
        pytest.param("x" * 300, "x" * 199 + "…", id="too-long"),
        pytest.param(10015, "10015", id="a-number"),
    ],
)
def test_provider_texts_are_cleaned(given: object, shown: str) -> None:
    """A provider's text becomes one short line without control characters."""
    assert shown == clean(given)
