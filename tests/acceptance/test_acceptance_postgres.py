"""A PostgreSQL that does not let Linesman in is one and the same sentence, whatever is to be done with it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import nullcontext

import asyncpg
import pytest

from tests.acceptance.process import linesman
from tests.acceptance.stage import Stage
from tests.integration.unruly_postgres import UnrulyPostgres, unruly, unruly_server

__all__ = ["unruly", "unruly_server"]


async def test_every_command_says_the_same(stage: Stage, unruly: UnrulyPostgres) -> None:
    """A wrong password ends `migrate`, `export`, `check` and `serve` with status 1 and what to do."""
    env = stage.process.env | {"DATABASE_URL": unruly.url_of(password="correct-horse")}
    told = 'The database does not accept the user\'s password (password authentication failed for user "linesman")'
    for command in ("migrate", "export", "check", "serve"):
        ended = await linesman(command, env=env)

        assert ended.status == 1, command
        assert (ended.out + ended.err).count(told) == 1, command
        assert "Traceback" not in ended.err, command
        assert "correct-horse" not in ended.out + ended.err, command


async def test_a_right_that_is_missing_ends_the_start_and_is_found_by_check(
    stage: Stage, unruly: UnrulyPostgres
) -> None:
    """Not in the middle of a change: everything that work needs is tried before there is any."""
    owner = stage.process.env | {"DATABASE_URL": unruly.url}
    migrated = await linesman("migrate", env=owner)
    unruly.psql("REVOKE DELETE ON locks FROM linesman", database="numbers")
    lacking = [await linesman(command, env=owner) for command in ("check", "serve")]
    unruly.psql("GRANT DELETE ON locks TO linesman", database="numbers")
    well = await linesman("check", env=owner)

    assert migrated.status == 0
    for ended in lacking:
        assert ended.status == 1
        assert "lacks a right (permission denied for table locks): grant it" in ended.out + ended.err
        assert "Traceback" not in ended.err
    assert "opens and has the current revision" in well.out


@pytest.mark.parametrize("falls_silent", [False, True], ids=["it waits", "it falls silent"])
async def test_sigterm_ends_a_start_that_waits_for_another_replica(
    stage: Stage, unruly: UnrulyPostgres, *, falls_silent: bool
) -> None:
    """While the database is brought up to date by somebody else, also when it does not answer any more meanwhile."""
    stage.process.env["DATABASE_URL"] = unruly.url
    holding = await asyncpg.connect(unruly.url.replace("+asyncpg", ""))
    await holding.execute("SELECT pg_advisory_lock(4711042)")
    await stage.process.launch()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(60):
        while not await holding.fetchval(waits):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.05)
    with unruly.hanging() if falls_silent else nullcontext():
        stage.process.strike(signal.SIGTERM)
        status = await stage.process.gone()
    await holding.close()

    assert status == 0
    assert stage.process.said("stopping") == 1
