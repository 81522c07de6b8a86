"""What is stuck although nothing keeps it goes on after the next start, and people can see that it was."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from bot.workflow.control import sweep
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.test_scenario_delegations import TWO_HOURS, lend


async def begun(stage: Stage) -> int:
    """Take a change to where its job goes on and on, and return its number."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    stage.telnyx.misbehave(None, "stuck_pending")
    change = await stage.ask(given)
    await stage.approve(change)
    async with asyncio.timeout(30):
        while "batch_submitted" not in str(events(stage)):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)
    return change


def events(stage: Stage) -> list[tuple[str, str]]:
    """Return what is in the audit log."""
    with closing(sqlite3.connect(stage.database)) as connection:
        return connection.execute("SELECT what, details FROM events ORDER BY id").fetchall()


@pytest.mark.parametrize(
    ("harm", "task"),
    [
        pytest.param(["DELETE FROM tasks WHERE task = 'poll'"], "poll", id="nobody watches its job"),
        pytest.param(
            ["DELETE FROM tasks WHERE task = 'poll'", "UPDATE batches SET state = 'settled'"],
            "verify",
            id="all settled",
        ),
        pytest.param(
            ["DELETE FROM tasks WHERE task = 'poll'", "UPDATE batches SET state = 'submitting'"],
            "submit",
            id="nobody knows whether it was sent",
        ),
    ],
)
async def test_what_is_stuck_goes_on(stage: Stage, harm: list[str], task: str) -> None:
    """The task is back, once, the history says so, and so do the figures."""
    await begun(stage)
    await stage.stop()
    await stage.tamper(*harm)
    await stage.start()
    async with asyncio.timeout(30):
        while "healed" not in str(events(stage)):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)

    assert [details for what, details in events(stage) if what == "healed"] == [f'{{"task": "{task}"}}']
    assert f'linesman_healed_total{{task="{task}"}} 1.0' in (await stage.get("/metrics"))[1]


async def test_a_delegation_that_was_forgotten_ends_all_the_same(stage: Stage) -> None:
    """Its end is written down, although nothing was left that would have looked at it."""
    await lend(stage)
    await stage.stop()
    await stage.tamper("DELETE FROM tasks WHERE task = 'delegation'")
    stage.clock.advance(TWO_HOURS)
    await stage.start()
    async with asyncio.timeout(30):
        while "delegation_over" not in str(events(stage)):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)

    assert [details for what, details in events(stage) if what == "healed"] == ['{"task": "delegation"}']


async def test_nothing_is_found_where_all_is_well(stage: Stage) -> None:
    """Neither while a change runs and a right is lent nor when all has ended."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    assert stage.bot is not None
    sweeper = sweep.Sweep(stage.bot.worker._context)
    await lend(stage)
    change = await stage.ask(given)
    found = await sweeper.heal()
    await stage.approve(change)
    while stage.file(change) is None:
        found += await sweeper.heal()
    await stage.ended(change)
    found += await sweeper.heal()

    assert found == 0
