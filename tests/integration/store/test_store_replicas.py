"""A replica that dies is noticed by the others, and what it held is freed: at once, or when its request is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.errors import DatabaseUnavailable
from bot.store.adapters.bulk_run_records import BulkRunRecords
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.queue.tasks import Claim, Task

LEASE = timedelta(seconds=60)


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


async def taken(database: Database, owner: str) -> list[Claim]:
    """Claim what is due."""
    async with database.transaction() as tx:
        return await tx.tasks.claim(owner=owner, now=database.clock(), lease=LEASE, limit=9)


async def buried(database: Database, *, by: str) -> list[str]:
    """Free what dead replicas hold, and return which they were."""
    async with database.transaction() as tx:
        dead = await tx.replicas.dead(besides=by)
        for name in dead:
            await tx.replicas.release(name, database.clock())
    return dead


async def test_only_whose_connection_is_gone_counts_as_dead(pair: tuple[Database, Database]) -> None:
    """While it is there nothing is taken away; afterwards all of it is, in every table."""
    one, other = pair
    records = BulkRunRecords(one, "close", one.clock, replica="one")
    await records.open("1/1", "close.settings", [])
    async with one.transaction() as tx:
        await tx.tasks.add(Task.POLL, 1, one.clock())
    async with one.alive("one") as proof, other.alive("other"):
        assert len(await taken(one, "one")) == len(await records.claim("driver", 9)) == 1
        await proof()
        assert await buried(other, by="other") == []
        assert await taken(other, "other") == []

    async with other.alive("other"):
        assert await buried(other, by="other") == ["one"]
        assert [claim.subject for claim in await taken(other, "other")] == [1]
        assert len(await BulkRunRecords(other, "close", other.clock, replica="other").claim("driver", 9)) == 1


async def test_a_request_under_way_is_waited_for_whatever_the_lease(pair: tuple[Database, Database]) -> None:
    """Neither a death nor a lease that has run out gives its work away before its own time limit has passed."""
    one, other = pair
    async with one.transaction() as tx:
        await tx.tasks.add(Task.SUBMIT, 1, one.clock())
    [claim] = await taken(one, "one")
    async with one.transaction() as tx:
        await tx.tasks.busy(claim, one.clock() + LEASE * 3)
    assert await buried(other, by="other") == ["one"]

    async def asked(after: timedelta) -> list[Claim]:
        async with other.transaction() as tx:
            return await tx.tasks.claim(owner="other", now=other.clock() + after, lease=LEASE, limit=9)

    assert await asked(timedelta(0)) == await asked(LEASE * 2) == []
    assert [claim.subject for claim in await asked(LEASE * 4)] == [1]


async def test_waits_are_no_failed_tries(pair: tuple[Database, Database]) -> None:
    """After any number of waits a failure is the first one, and each claim still differs from those before it."""
    one, _ = pair
    async with one.transaction() as tx:
        await tx.tasks.add(Task.SUBMIT, 1, one.clock())
    seen = []
    for _turn in range(5):
        [claim] = await taken(one, "one")
        seen.append(claim)
        async with one.transaction() as tx:
            await tx.tasks.again(claim, one.clock(), waited=True)
    [claim] = await taken(one, "one")
    async with one.transaction() as tx:
        await tx.tasks.again(claim, one.clock())
    [failed] = await taken(one, "one")

    assert [each.tries for each in (*seen, claim, failed)] == [1, 1, 1, 1, 1, 1, 2]
    assert len({each.attempts for each in (*seen, claim, failed)}) == 7


async def test_a_replica_that_is_cut_off_hears_of_it(pair: tuple[Database, Database]) -> None:
    """Its connection is ended by the server; the next proof fails, so it begins anew and takes no work meanwhile."""
    one, other = pair
    ended = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2")

    async def live() -> None:
        async with one.alive("one") as proof:
            async with other.engine.connect() as connection:
                await connection.execute(ended)
            async with asyncio.timeout(10):
                while True:
                    await proof()

    with pytest.raises(DatabaseUnavailable):
        await live()
