"""A backup is restored whose changes were ended since: nothing of them is sent until an operator says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from bot.store.maintenance.sqlite_backup import back_up, restore
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_waves import numbers_of, started


async def backed_up(stage: Stage, folder: Path) -> Path:
    """Copy the database of the running bot and return the copy."""
    copy = folder / "copy.db"
    await asyncio.to_thread(back_up, stage.database, copy)
    return copy


async def restored(stage: Stage, copy: Path) -> bool:
    """Stop the bot, put the copy in the place of its database, and tell whether submissions are frozen."""
    await stage.stop()
    now = datetime.now(UTC)
    return (await asyncio.to_thread(lambda: restore(copy, stage.database, by="shell:ops", now=now)))[1]


async def test_the_next_wave_of_a_rollout_that_was_stopped_since_is_not_sent(stage: Stage, tmp_path: Path) -> None:
    """At the backup it was between two waves, and would go on when its pause is over."""
    change = await started(stage, numbers_of(stage, 5), "1, 1", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    await stage.quiet(but="start")
    copy = await backed_up(stage, tmp_path)
    await stage.ana.click("stop_rest", message=stage.card(change))
    await stage.ended(change)

    assert await restored(stage, copy)
    stage.clock.advance(31 * 60)
    await stage.start()
    await card_says(stage, change, "frozen")
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1


async def test_a_request_that_was_cancelled_since_does_not_go_on_under_an_eased_policy(
    idle: Stage, tmp_path: Path
) -> None:
    """At the backup it had one approval of two; the bot is started with a policy that asks for one."""
    stage = idle
    await stage.start(LINESMAN_APPROVALS_REQUIRED="2")
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask(number.phone_number, {"customer_reference": "Denver"})
    await stage.approve(change)
    await stage.quiet()
    copy = await backed_up(stage, tmp_path)
    await stage.command(f"cancel CHG-{change}")
    await card_says(stage, change, "Cancelled")

    assert await restored(stage, copy)
    await stage.start(LINESMAN_APPROVALS_REQUIRED="1")
    await card_says(stage, change, "frozen")
    await stage.quiet(but="start")
    assert stage.telnyx.jobs == []
