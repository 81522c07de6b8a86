"""A stand-in under a clock that only moves when told, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from bot.sandbox.telnyx import TelnyxStandIn
from bot.sandbox.telnyx.middleware import Middleware
from tests.integration.telnyx_schema import Recording

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

Create = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(autouse=True)
def known_answers(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test is about, the answers have the shape that Telnyx's own description of its API gives them.

    A test that has the stand-in lie says so with ``@pytest.mark.lies``.
    """
    recording = Recording()
    monkeypatch.setattr(Middleware, "serve", recording.around(Middleware.serve))
    yield
    if request.node.get_closest_marker("lies") is None:
        assert [fault for exchange in recording for fault in exchange.wrong_in_the_answer()] == []


@pytest.fixture
async def telnyx() -> AsyncIterator[TelnyxStandIn]:
    """Serve a stand-in whose jobs take ten seconds of a clock that stands still."""
    async with TelnyxStandIn(api_key="KEY-right", job_seconds=10, clock=lambda: START) as standin:
        yield standin


@pytest.fixture
async def client(telnyx: TelnyxStandIn) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client with the right key."""
    headers = {"Authorization": "Bearer KEY-right"}
    async with httpx.AsyncClient(base_url=telnyx.url, headers=headers, timeout=10) as session:
        yield session


@pytest.fixture
def create(client: httpx.AsyncClient) -> Create:
    """Give a function that posts a job of a kind, with a body and parameters."""

    async def post(kind: str, body: object, **params: str) -> httpx.Response:
        return await client.post(f"/phone_numbers/jobs/{kind}", json=body, params=params)

    return post
