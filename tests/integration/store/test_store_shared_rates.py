"""Allowances that replicas share: three processes' worth of callers on one PostgreSQL stay within one limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from bot.providers.http import Bounds
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import TelnyxStandIn
from bot.sandbox.telnyx.rates import RateLimit
from bot.slack.client import RateLimits
from bot.store.adapters.shared_rates import DatabaseRates
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.workflow.rate_limiter import SharedRateLimiter

REPLICAS = 3


@pytest.fixture
async def replicas(postgres: str) -> AsyncIterator[list[Database]]:
    """Return three replicas' connections to one new database."""
    async with AsyncExitStack() as stack:
        every = [await stack.enter_async_context(Database(postgres)) for _ in range(REPLICAS)]
        async with every[0].engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        await migrate(every[0])
        yield every


async def test_three_replicas_keep_within_one_limit_of_calls(replicas: list[Database]) -> None:
    """20 calls in 5 s, from three who begin at once and know nothing: of 100 calls at most 2 are refused."""
    async with AsyncExitStack() as stack:
        standing_in = await stack.enter_async_context(TelnyxStandIn(api_key="KEY_shared"))
        standing_in.rate_limit = RateLimit(limit=20, window=5)
        callers = [
            await stack.enter_async_context(
                Telnyx(
                    api_key="KEY_shared",
                    api_url=standing_in.url,
                    rates=DatabaseRates(database),
                    bounds=Bounds(deadline=120.0),
                )
            )
            for database in replicas
        ]

        async def call(caller: Telnyx) -> None:
            while len(standing_in.calls) < 100:
                await caller.check()
                await caller.choices(caller.kinds[0], "connection_id", "")

        async with asyncio.timeout(90), asyncio.TaskGroup() as group:
            for caller in [*callers, *callers]:
                group.create_task(call(caller))
    statuses = Counter(each.status for each in standing_in.calls)

    assert statuses[200] >= 97
    assert statuses[429] <= 0.02 * statuses.total()
    assert all(sum(caller.calls.counts().values()) >= 20 for caller in callers)


async def test_three_replicas_share_one_budget_of_turns(replicas: list[Database]) -> None:
    """Each turn is given once, and whoever had to wait is let through by whichever replica they come back to."""
    limiters = [SharedRateLimiter(database, "edits", rate=1 / 60, burst=4) for database in replicas]
    now = datetime.now(UTC)
    waits = await asyncio.gather(*(limiters[who % REPLICAS].wait(str(who), now) for who in range(16)))
    early = await limiters[0].wait(next(str(who) for who, wait in enumerate(waits) if wait), now)
    async with replicas[0].connection() as connection:
        turns = (await connection.execute(text("SELECT at FROM turns ORDER BY at"))).scalars().all()
        await connection.execute(text("UPDATE turns SET at = clock_timestamp()"))  # their time has come
    again = [await limiters[(who + 1) % REPLICAS].wait(str(who), now) for who, wait in enumerate(waits) if wait]
    async with replicas[0].connection() as connection:
        left = (await connection.execute(text("SELECT count(*) FROM turns"))).scalar_one()

    assert len([wait for wait in waits if not wait]) == 4
    assert early > timedelta(0)
    assert {later - earlier for earlier, later in pairwise(turns)} == {timedelta(minutes=1)}
    assert again == [timedelta(0)] * 12
    assert left == 0


async def test_what_one_replica_is_told_counts_for_all(replicas: list[Database]) -> None:
    """A 429, a limit, and what others than Linesman have used of it: nobody has to be told a second time."""
    one, other, third = (DatabaseRates(database) for database in replicas)
    await one.learn("telnyx", 20, 3, 5.0)
    granted = [
        (await each.take("telnyx", most)).calls for each, most in ((other, 0), (third, 20), (one, 20), (other, 20))
    ]

    assert granted == [1, 1, 1, 0]
    await one.learn("close", 100, 90, 1.0)
    await one.close("close", 100, 30.0)
    closed = await other.take("close", 0)
    assert closed.calls == 0
    assert 29 < closed.seconds <= 30


async def test_a_channel_that_slack_closed_is_closed_to_every_replica(replicas: list[Database]) -> None:
    """One 429 is enough; other channels stay open."""
    one, other, third = (RateLimits(lambda: datetime.now(UTC), DatabaseRates(database)) for database in replicas)
    await one.close_for_all("chat.postMessage", "C1", 20)
    waits = [await each.wait_for_all("chat.postMessage", "C1") for each in (one, other, third)]

    assert all(19 < wait <= 20 for wait in waits)
    assert await other.wait_for_all("chat.postMessage", "C2") == 0
    assert await other.wait_for_all("views.open", "") == 0


async def test_before_a_limit_is_told_calls_are_few_and_without_one_they_are_free(replicas: list[Database]) -> None:
    """Nobody knows what a provider allows that has not answered yet; one that tells no limit is not slowed down."""
    one, other, _ = (DatabaseRates(database) for database in replicas)
    first = [(await each.take("quiet", 0)).calls for each in (one, other) * 3]
    await one.untold("quiet")

    assert sum(first) <= 8
    assert (await other.take("quiet", 0)).calls >= 100


async def test_while_the_database_is_lost_each_keeps_to_its_own_pace(replicas: list[Database]) -> None:
    """Reading the provider goes on: the common allowance is no reason to stop."""
    async with Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing") as lost:
        granted = await DatabaseRates(lost).take("telnyx", 20)

    assert granted.calls == 1
    assert replicas
