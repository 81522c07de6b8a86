"""What replicas share goes by the clock of their database, whatever each of their own clocks shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.machine import utc_now
from bot.store.adapters.bulk_run_records import LEASE, BulkRunRecords
from bot.store.database import Database
from bot.store.migrations import migrate
from bot.store.queue.tasks import Task


@pytest.fixture
async def trio(postgres: str) -> AsyncIterator[tuple[Database, Database, Database]]:
    """Return what three replicas have open: one is right, one an hour ahead, one an hour behind."""
    async with AsyncExitStack() as stack:
        opened = []
        for off in (0, 1, -1):
            wall = lambda off=off: utc_now() + timedelta(hours=off)  # noqa: E731 - a clock
            opened.append(await stack.enter_async_context(Database(postgres, wall=wall)))
        async with opened[0].engine.begin() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        await migrate(opened[0])
        for each in opened:
            await each.ping()
        yield opened[0], opened[1], opened[2]


async def test_all_replicas_have_the_time_of_the_server(trio: tuple[Database, ...]) -> None:
    """It is never ahead of the server's, so nobody takes for over what is not."""
    for each in trio:
        before = each.clock()
        async with each.engine.connect() as connection:
            there = await connection.scalar(text("SELECT clock_timestamp()"))
        assert timedelta(0) <= there - before < timedelta(seconds=30)


async def test_whose_clock_is_ahead_takes_nothing_away(trio: tuple[Database, ...]) -> None:
    """A claim of this moment is held, for the one whose clock says that it ran out an hour ago as well."""
    right, ahead, behind = trio
    async with behind.transaction() as tx:
        await tx.tasks.add(Task.SUBMIT, 1, behind.clock())
        await tx.tasks.add(Task.POLL, 1, behind.clock() + timedelta(minutes=30))
        taken = await tx.tasks.claim(owner="behind", now=behind.clock(), lease=LEASE, limit=9)
    for each in (right, ahead):
        async with each.transaction() as tx:
            assert await tx.tasks.claim(owner="other", now=each.clock(), lease=LEASE, limit=9) == []

    assert [claim.task for claim in taken] == [Task.SUBMIT]


async def test_whose_clock_is_off_says_so_and_takes_no_work(trio: tuple[Database, ...]) -> None:
    """Whoever is right does; the others begin no run, and their workers ask here before they claim anything."""
    right, ahead, behind = trio

    def records(database: Database) -> BulkRunRecords:
        return BulkRunRecords(database, "close", database.clock)

    await records(right).open("1/1", "close.settings", [])
    for each, way in ((ahead, "ahead of"), (behind, "behind")):
        assert f"clock is 60 min {way} the database's clock, so this replica takes no work" in each.skew
        assert await records(each).claim("off", 9) == ()

    assert right.skew == ""
    assert len(await records(right).claim("right", 9)) == 1
