"""A delegation ends before its time: what of the approvals under it hangs on that, and who hears of it."""

from __future__ import annotations

import pytest

from bot.store.queue.tasks import Claim
from bot.workflow.execution.ending import ChangeEnd
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_says
from tests.integration.scenarios.test_scenario_canary import numbers_of
from tests.integration.scenarios.test_scenario_delegations import ONE, events, lend
from tests.integration.scenarios.test_scenario_temporary import asked_to_extend, references
from tests.integration.scenarios.test_scenario_temporary import proposed as temporary
from tests.integration.scenarios.test_scenario_waves import proposed


async def test_what_runs_is_still_approved(stage: Stage) -> None:
    """Nothing hangs on the approval any more: it goes on, and neither card nor audit log say that it does not count."""
    await lend(stage)
    change = await ask_for_three_jobs(stage)
    await stage.approve(change, by=stage.sam)
    await card_says(stage, change, "1 running, 2 waiting")
    await stage.command("delegate end @Sam", by=stage.max)

    for jobs in (1, 2, 3):
        await stage.telnyx.wait_for(lambda jobs=jobs: len(stage.telnyx.jobs) == jobs)
        stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert "1 of 1: @Sam for @Max approved" in stage.read(stage.card(change))
    assert "no longer counts" not in stage.read(stage.card(change))
    assert await events(stage, "approval_lapsed") == []
    [ended] = await events(stage, "delegation_ended")
    assert ended["details"]["approvals"] == 0


async def test_a_scheduled_change_that_cannot_start_ends_at_once(stage: Stage) -> None:
    """Nobody could approve it again: its numbers are free, its requester hears why, and plans again with one click."""
    stage.telnyx.add_number(ONE)
    await lend(stage)
    change = await stage.ask(ONE, start="in 1 hour")
    await stage.approve(change, by=stage.sam)
    assert f"CHG-{change} · 🟢 Approved, starts " in await stage.command("locks")
    await stage.command("delegate end @Sam", by=stage.max)
    await card_says(stage, change, "Cancelled", "[Plan again]")
    await stage.quiet()

    why = (
        "The approval of Sam no longer counts: Sam acted under a delegation that was ended. 1 approval is needed and "
        "0 count, so nothing was sent. Request the change again."
    )
    assert stage.thread(change)[-1] == f"⚪ Cancelled. {why}"
    assert [why in told for told in stage.failures()] == [True]
    assert await stage.command("locks") == "No numbers are locked."
    assert "Cancelled: too few approvals still count" in await stage.command(f"status CHG-{change}")
    stage.clock.advance(2 * 3600)
    await stage.quiet()
    assert stage.created() == []


async def test_an_extension_that_lost_an_approval_moves_no_end(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the right is taken back after the last approval, and another approval is left."""
    [number] = idle.telnyx.add_numbers(1, start=ONE, customer_reference="Dallas")
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2", LINESMAN_APPROVERS="U0MAX,U0MIA")
    await temporary(idle, [number.phone_number])
    change = await idle.request()
    await idle.approve(change, by=idle.mia)
    await idle.approve(change)
    await card_says(idle, change, "In effect")
    await idle.quiet()
    extend = ChangeEnd.extend

    async def after_the_end(ending: ChangeEnd, claim: Claim) -> None:
        await idle.command("delegate end @Sam", by=idle.max)
        await extend(ending, claim)

    monkeypatch.setattr(ChangeEnd, "extend", after_the_end)
    await lend(idle)
    extension = await asked_to_extend(idle, change)
    await idle.approve(extension, by=idle.mia)
    await idle.approve(extension, by=idle.sam)
    await idle.slack.wait_for(
        lambda: any("2 approvals are needed and 1 counts" in line for line in idle.thread(change)), what="the reason"
    )

    idle.clock.advance(5 * 3600)
    await idle.ended(change)
    assert references(idle) == ["Dallas"]


async def test_waves_that_wait_are_stopped(stage: Stage) -> None:
    """The one that is done stays as it is; the thread hears why, and no number stays locked until somebody clicks."""
    numbers = numbers_of(stage, 4)
    await lend(stage)
    await proposed(stage, numbers, "1, rest", "ask")
    change = await stage.request()
    await stage.approve(change, by=stage.sam)
    await card_says(stage, change, "Wave 1 of 2 is done")
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.ended(change)

    assert any("0 count, so the rest will not be sent." in line for line in stage.thread(change))
    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 3}
    assert len(stage.created()) == 1
    assert await stage.command("locks") == "No numbers are locked."
