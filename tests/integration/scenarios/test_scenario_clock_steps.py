"""The clock may be set while work is under way."""

from __future__ import annotations

import pytest

from bot.sandbox.close import CloseStandIn, Fixtures
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_freeze import held

HOUR = 3600.0


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "ahead"])
@pytest.mark.parametrize("when", ["asked", "running", "unanswered"])
async def test_a_step_of_the_clock_delays_nothing(idle: Stage, step: float, when: str) -> None:
    """Whenever it is set by an hour, the change goes on at once and nothing is done twice."""
    stage = idle
    await stage.start(LINESMAN_POLL_MIN="1", LINESMAN_POLL_MAX="5")
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 2
    if when == "unanswered":
        stage.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/*", kind="drop_after")
    change = await stage.ask(numbers)
    if when == "asked":
        stage.clock.advance(step)
    await stage.approve(change)
    if when != "asked":
        await stage.slack.wait_for(lambda: len(stage.created()) == 1, what="a job")
        stage.clock.advance(step)
    await stage.ended(change, timeout=30)

    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_a_step_back_while_linesman_is_stopped_delays_nothing(idle: Stage) -> None:
    """Nobody saw it happen, but the moments that were written down are still to come, by the clock of now."""
    stage = idle
    await stage.start(LINESMAN_POLL_MIN="1", LINESMAN_POLL_MAX="5")
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    change = await stage.ask(numbers)
    await stage.approve(change)
    await card_says(stage, change, "1 running")

    await stage.stop()
    stage.clock.advance(-HOUR)
    stage.telnyx.advance(60)
    await stage.start()
    await stage.ended(change, timeout=30)

    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "ahead"])
async def test_a_run_at_close_goes_on_when_the_clock_is_set(
    both: Stage, close: CloseStandIn, team: Fixtures, step: float
) -> None:
    """Each number is updated once, and in time."""
    change, holding = await held(both, close, team)

    both.clock.advance(step)
    holding.let_go()
    await both.ended(change, timeout=30)

    assert both.outcomes(change) == {"verified": len(team.shared)}
    assert len(close.updates) == len(team.shared)
