"""The change window holds for everything that is sent, not only for the beginning of a change."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bot.sandbox.close import CloseStandIn, Fixtures
from bot.workflow.execution.staleness import Staleness, StalenessCheck
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_says
from tests.integration.scenarios.test_scenario_canary import numbers_of, paused, press
from tests.integration.scenarios.test_scenario_freeze import ALL, DONE, UNDER_WAY, looked, updates
from tests.integration.scenarios.test_scenario_freeze import held as being_updated
from tests.integration.scenarios.test_scenario_policy import under

DAY: Final = 86_400
#: What card and thread say of what has to wait.
OUTSIDE: Final = "Outside its change window"


def today(stage: Stage) -> str:
    """Return a rule under which changes are sent on this day of the week, and on no other."""
    day = f"{stage.clock():%a}".lower()
    window = f'{{ days = "{day}", from = "00:00", to = "24:00", zone = "UTC" }}'
    return f'[[rule]]\nname = "tonight"\nwindows = [{window}]\n'


def made(stage: Stage) -> int:
    """Return how many jobs Telnyx made for us."""
    return len(stage.telnyx.jobs)


async def one_job_of_three(stage: Stage) -> int:
    """Take a change of three jobs so far that one of them is made: Telnyx has no slot for the others."""
    change = await ask_for_three_jobs(stage)
    await stage.approve(change)
    await card_says(stage, change, "2 waiting for a free slot")
    assert made(stage) == 1
    return change


def free_slots(stage: Stage) -> None:
    """Have everything end that is at Telnyx, and what comes after that take no time."""
    stage.telnyx.end_other_jobs()
    stage.telnyx.advance(60)
    stage.telnyx.job_seconds = 0.02


def told(stage: Stage, change: int) -> list[str]:
    """Return what the thread says of the closed window."""
    return [line for line in stage.thread(change) if OUTSIDE in line]


async def held(stage: Stage, change: int) -> None:
    """Wait until the thread says that the rest waits and each job has asked, and see that none was made."""
    await stage.slack.wait_for(lambda: told(stage, change), what="the line about the window")
    await stage.quiet(but="submit")
    assert made(stage) == 1


async def goes_on_at_any_time(stage: Stage, change: int, tmp_path: Path) -> None:
    """Start with a policy without a window, and see that a change of three jobs ends well, none made twice."""
    await under(stage, tmp_path, '[[rule]]\nname = "any time"\n')
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_jobs_left_over_by_a_freeze_wait_for_the_next_window(idle: Stage, tmp_path: Path) -> None:
    """A freeze lasts beyond the window: when it is lifted the rest waits for the next one, says so, and goes on."""
    stage = await under(idle, tmp_path, today(idle))
    change = await one_job_of_three(stage)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.clock.advance(DAY)
    free_slots(stage)

    await stage.command("unfreeze", by=stage.otto)
    await card_says(
        stage, change, f"{OUTSIDE}: 2 numbers wait. Sending continues at", "2 waiting for its change window"
    )
    await held(stage, change)
    assert "Outside the change window: 2 numbers waiting until" in await stage.command(f"status CHG-{change}")

    stage.clock.advance(6 * DAY)
    await stage.ended(change)
    assert made(stage) == 3
    assert stage.outcomes(change) == {"verified": 3}
    assert len(told(stage, change)) == 1
    stage.assert_nothing_doubled()


async def test_jobs_left_over_by_a_stop_wait_for_the_next_window(idle: Stage, tmp_path: Path) -> None:
    """No process runs when the window closes: the next one sends nothing before it opens again."""
    stage = await under(idle, tmp_path, today(idle))
    change = await one_job_of_three(stage)
    await stage.stop()
    stage.clock.elapse(DAY)
    free_slots(stage)

    await stage.start()
    await held(stage, change)
    await card_says(stage, change, f"{OUTSIDE}: 2 numbers wait")

    stage.clock.elapse(6 * DAY)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_jobs_that_wait_for_a_window_go_on_once_the_policy_has_none(idle: Stage, tmp_path: Path) -> None:
    """Started with a policy that lets them be sent at any time, Linesman does not wait for the old window."""
    stage = await under(idle, tmp_path, today(idle))
    change = await one_job_of_three(stage)
    stage.clock.advance(DAY)
    free_slots(stage)
    await held(stage, change)
    await stage.stop()

    await goes_on_at_any_time(stage, change, tmp_path)


async def test_an_approved_change_starts_once_the_policy_has_no_window(idle: Stage, tmp_path: Path) -> None:
    """The same holds for a change of which nothing was sent yet."""
    rule = today(idle)
    idle.clock.advance(DAY)
    stage = await under(idle, tmp_path, rule)
    change = await stage.ask(numbers_of(stage, 2))
    await stage.approve(change)
    await card_says(stage, change, "Approved", "Outside its change window: once approved it starts at")
    await stage.stop()

    await under(stage, tmp_path, '[[rule]]\nname = "any time"\n')
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2}


async def test_jobs_that_wait_for_a_slot_when_the_window_closes_wait_for_the_next_one(
    idle: Stage, tmp_path: Path
) -> None:
    """Nothing but time goes by: a slot that is free a day later is not used."""
    stage = await under(idle, tmp_path, today(idle))
    change = await one_job_of_three(stage)
    stage.clock.advance(DAY)
    free_slots(stage)

    await held(stage, change)
    await card_says(stage, change, f"{OUTSIDE}: 2 numbers wait")

    stage.clock.advance(6 * DAY)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}


def closes_while_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the window close while numbers are read before they are sent, once."""
    read = Staleness.read

    async def slowly(*asked: Any, **besides: Any) -> StalenessCheck:
        seen = await read(*asked, **besides)
        monkeypatch.undo()
        stage.clock.advance(DAY)
        return seen

    monkeypatch.setattr(Staleness, "read", slowly)


async def test_a_change_whose_window_closes_while_its_numbers_are_read_does_not_begin(
    idle: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays approved, its card says when it starts, and then it does."""
    stage = await under(idle, tmp_path, today(idle))
    change = await stage.ask(numbers_of(stage, 2))
    closes_while_read(stage, monkeypatch)

    await stage.approve(change)
    await card_says(stage, change, "Approved", "Outside its change window: once approved it starts at")
    await stage.quiet(but="start")
    assert stage.telnyx.jobs == []

    stage.clock.advance(6 * DAY)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2}


async def test_a_wave_whose_window_closes_while_its_numbers_are_read_is_not_sent(
    idle: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows on a canary waits for the next window, and is read again before it goes."""
    stage = await under(idle, tmp_path, today(idle))
    change = await paused(stage, numbers_of(stage, 4))
    closes_while_read(stage, monkeypatch)

    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Outside its change window: the remaining 2 numbers follow at")
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1

    stage.clock.advance(6 * DAY)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3, "failed": 1}


@pytest.mark.parametrize("frozen", [False, True], ids=["time-passes", "a-freeze-lasts"])
async def test_numbers_of_close_wait_for_the_next_window(
    both: Stage, close: CloseStandIn, team: Fixtures, tmp_path: Path, *, frozen: bool
) -> None:
    """A change of Close stops between two numbers when its window closes, and goes on by itself in the next one."""
    await both.stop()
    stage = await under(both, tmp_path, today(both))
    begun = stage.clock()
    change, holding = await being_updated(stage, close, team)
    if frozen:
        await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.clock.advance(DAY)
    holding.let_go()
    if frozen:
        await card_says(stage, change, "7 numbers wait until an operator lifts it.")
        await stage.command("unfreeze", by=stage.otto)

    await card_says(
        stage, change, f"{OUTSIDE}: 7 numbers wait. Sending continues at", "1 held until its change window opens"
    )
    await stage.slack.wait_for(lambda: told(stage, change), what="the line about the window")
    for _ in range(3):
        stage.clock.advance(900)
        await looked(stage, "runs")
    assert updates(close) == DONE + UNDER_WAY
    assert stage.failures() == []

    opens = begun.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(weeks=1)
    stage.clock.advance((opens - stage.clock()).total_seconds() - 300)
    await looked(stage, "runs")  # a run that was last looked at days ago would count as stalled
    assert updates(close) == DONE + UNDER_WAY
    stage.clock.advance(300)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": ALL}
    assert Counter(update.number for update in close.updates) == Counter(n.number for n in team.shared)
    assert len(told(stage, change)) == 1
    assert stage.failures() == []
