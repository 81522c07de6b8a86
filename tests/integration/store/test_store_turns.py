"""Transactions that write take turns, over all replicas; those that read do not wait for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreError
from bot.store.database import Database
from bot.store.engine import postgres as connections
from bot.store.migrations import migrate
from bot.store.queue.tasks import Task

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


@pytest.fixture
async def pair(postgres: str) -> AsyncIterator[tuple[Database, Database]]:
    """Return what two replicas have open: one PostgreSQL."""
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(Database(postgres)) for _ in range(2)]
        async with one.engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        await migrate(one)
        yield one, other


async def somebody_waits(database: Database) -> None:
    """Wait until a transaction of anybody waits for its turn."""
    async with asyncio.timeout(10), database.engine.connect() as connection:
        while not await connection.scalar(WAITING):
            await connection.rollback()


async def test_a_replica_decides_after_the_other_has_and_on_what_it_left(pair: tuple[Database, Database]) -> None:
    """Whoever comes second waits before it reads anything, and then sees all that the first one did."""
    one, other = pair
    seen: list[int] = []

    async def second() -> None:
        async with other.transaction() as tx:
            seen.append(await tx.tasks.count(Task.POLL))

    async with one.transaction() as tx:
        waiting = asyncio.create_task(second())
        await somebody_waits(one)
        await tx.tasks.add(Task.POLL, 1, NOW)
        async with other.reading() as look:
            assert await look.tasks.count(Task.POLL) == 0, "whoever reads waits for nobody"
    await waiting

    assert seen == [1]


async def test_whoever_reads_sees_one_moment_and_cannot_write(pair: tuple[Database, Database]) -> None:
    """Nothing that is decided can get past the turn in a transaction that only reads."""
    one, other = pair
    async with one.reading() as look:
        assert await look.tasks.count(Task.POLL) == 0
        async with other.transaction() as tx:
            await tx.tasks.add(Task.POLL, 1, NOW)
        assert await look.tasks.count(Task.POLL) == 0
    with pytest.raises((StoreError, DBAPIError)):
        async with one.reading() as look:
            await look.tasks.add(Task.POLL, 2, NOW)


async def test_a_replica_that_falls_silent_loses_its_turn(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped or cut off in the middle of a transaction, it keeps the others waiting for a while and not for ever."""
    one, other = pair
    monkeypatch.setattr(
        connections,
        "_BOUNDS",
        text("SELECT set_config('idle_in_transaction_session_timeout', '200', true), clock_timestamp()"),
    )
    silent = one.transaction()
    tx = await silent.__aenter__()
    await tx.tasks.add(Task.POLL, 1, NOW)

    async with other.transaction() as next_one:
        assert await next_one.tasks.count(Task.POLL) == 0
    with pytest.raises((StoreError, DBAPIError)):
        await silent.__aexit__(None, None, None)
