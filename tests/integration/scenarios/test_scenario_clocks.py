"""Our clock and the provider's differ: nothing is done twice because of it, and it is told."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.integration.scenarios.stage import Stage

JOBS = "/phone_numbers/jobs/*"


@pytest.mark.parametrize("ahead", [360.0, -3600.0])
async def test_clocks_that_differ_are_told_and_work_goes_on(idle: Stage, ahead: float) -> None:
    """The bot stays ready, as nothing is unsafe, and says whose clock is how far from its own."""
    idle.clock.advance(ahead)
    idle.telnyx.add_number("+13035550000")
    await idle.start()
    await idle.run(["+13035550000"])

    status, text = await idle.get("/readyz")
    ready, *warnings = text.splitlines()
    assert (status, ready) == (200, "ready")
    assert any("Telnyx" in warning and ("ahead of" if ahead > 0 else "behind") in warning for warning in warnings)
    told = [line for line in (await idle.get("/metrics"))[1].splitlines() if 'skew_seconds{service="telnyx"}' in line]
    assert float(told[0].split()[-1]) == pytest.approx(ahead, abs=120)  # the stage's clock runs fast


@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("ahead", [360.0, 3600.0, -3600.0])
async def test_a_lost_answer_makes_one_job_whatever_our_clock_shows(
    idle: Stage,
    ahead: float,
    fault: Literal["drop_after", "drop_before"],
    dated: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """The job is looked for in the provider's time, or among all where it tells none; only a missing one is made."""
    idle.clock.advance(ahead)
    idle.telnyx.dated = dated
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(3, start="+13035550000")]
    await idle.start()
    idle.telnyx.faults.add(method="POST", path=JOBS, kind=fault)

    change = await idle.run(numbers)

    assert idle.outcomes(change) == {"verified": 3}
    assert len(idle.telnyx.jobs) == 1
    idle.assert_nothing_doubled()


@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
async def test_a_step_of_our_clock_does_not_shorten_the_settling_time(
    idle: Stage,
    dated: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A job that the list shows late is waited for as long as was said, although our clock jumps ahead an hour."""
    idle.telnyx.dated = dated
    idle.telnyx.list_lag = 1.5
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(3, start="+13035550000")]
    await idle.start(LINESMAN_RECONCILE_SECONDS="2.5")
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.slack.wait_for(lambda: idle.telnyx.jobs, what="the job")

    idle.clock.advance(3600)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 3}
    assert len(idle.created()) == 1


async def test_a_restart_before_any_answer_does_not_lose_the_time_of_the_attempt(idle: Stage) -> None:
    """The provider's time at the attempt is written down with it: the next process searches from there."""
    idle.clock.advance(3600)
    numbers = [number.phone_number for number in idle.telnyx.add_numbers(3, start="+13035550000")]
    await idle.start()
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="delay", seconds=60, effect_first=True)
    change = await idle.ask(numbers)
    await idle.approve(change)
    await idle.slack.wait_for(lambda: idle.telnyx.jobs, what="the job")

    await idle.crash()
    idle.clock.advance(7200)
    await idle.start()
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 3}
    assert len(idle.created()) == 1
