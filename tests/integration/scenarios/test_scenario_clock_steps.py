"""The clock may be set while work is under way."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import Stage

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
