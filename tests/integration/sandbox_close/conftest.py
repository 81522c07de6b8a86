"""A stand-in under a clock that only moves when told, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.sandbox.close import CloseStandIn, Group, Number, User

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

Put = Callable[[str, Any], Awaitable[httpx.Response]]


@pytest.fixture
async def close() -> AsyncIterator[CloseStandIn]:
    """Serve a stand-in whose clock stands still."""
    async with CloseStandIn(api_key="api_right", access_token="oauth_right", clock=lambda: START) as standin:
        yield standin


@pytest.fixture
async def client(close: CloseStandIn) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client with the right key."""
    async with httpx.AsyncClient(base_url=close.url, auth=("api_right", ""), timeout=10) as session:
        yield session


@pytest.fixture
def put(close: CloseStandIn, client: httpx.AsyncClient) -> Put:
    """Give a function that updates a number, named by its E.164, with a body."""

    async def update(e164: str, body: Any) -> httpx.Response:
        return await client.put(f"/phone_number/{close.number(e164).id}/", json=body)

    return update


@pytest.fixture
def ana(close: CloseStandIn) -> User:
    """Give the organization Ana."""
    return close.add_user("Ana", "Reyes", id="user_ana")


@pytest.fixture
def ben(close: CloseStandIn) -> User:
    """Give the organization Ben."""
    return close.add_user("Ben", "Okafor", id="user_ben")


@pytest.fixture
def sales(close: CloseStandIn, ben: User) -> Group:
    """Give the organization a group with Ben in it."""
    return close.add_group("Sales", id="group_sales", members=[ben.id])


@pytest.fixture
def desk(close: CloseStandIn, ana: User) -> Number:
    """Give the organization a group number that rings Ana."""
    return close.add_number("+13035550100", label="Front desk", participants=[ana.id])
