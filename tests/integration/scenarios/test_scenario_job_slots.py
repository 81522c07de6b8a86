"""The carrier's limit of jobs at once: waiting is no failure, and it is not asked for over and over."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says


def own_jobs(stage: Stage, count: int) -> list[str]:
    """Give the account ``count`` numbers each of which needs a job of its own, and return them."""
    for index in range(count):
        forwarding: dict[str, object] = {
            "call_forwarding": {"forwards_to": f"+1720555{index:04}", "forwarding_type": "always"}
        }
        stage.telnyx.add_number(f"+1303555{index:04}", voice=forwarding)
    return [number.phone_number for number in stage.telnyx.numbers.values()]


WANTED = {"voice.call_forwarding.forwarding_type": "on-failure"}


async def test_the_card_says_whose_jobs_take_up_the_slots(stage: Stage) -> None:
    """With 17 slots in other hands, three jobs run and the card says what the others wait for; then they follow."""
    numbers = own_jobs(stage, 5)
    stage.telnyx.other_jobs(17, "update_phone_numbers")
    stage.telnyx.job_seconds = 60
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)

    said = "3 running, 2 waiting for a free slot: 20 of 20 in use, 3 by Linesman"
    await card_says(stage, change, said)
    stage.telnyx.end_other_jobs()
    stage.clock.advance(10)
    await card_says(stage, change, "5 running")
    stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 5}
    assert stage.failures() == []
    stage.assert_nothing_doubled()


async def test_many_waiting_jobs_ask_one_at_a_time(stage: Stage) -> None:
    """While every slot is in other hands, one job in ten seconds asks for one, however many wait."""
    numbers = own_jobs(stage, 30)
    stage.telnyx.other_jobs(20, "update_phone_numbers")
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)
    said = "30 waiting for a free slot: 20 of 20 in use, 0 by Linesman"
    await card_says(stage, change, said)
    before, began = len(stage.created()), stage.clock()

    await stage.telnyx.wait_for(lambda: len(stage.created()) >= before + 3, timeout=60)
    asked, passed = len(stage.created()) - before, (stage.clock() - began).total_seconds()
    await stage.command(f"cancel CHG-{change}")
    await stage.ended(change)

    assert before <= 16, "only those that were under way when the first was refused"
    assert asked <= passed / 10 + 1
    assert stage.outcomes(change) == {"not_attempted": 30}


async def test_waiting_jobs_follow_and_are_hardly_refused_again(stage: Stage) -> None:
    """Once slots are free every job gets one, and no more than two requests are made in vain."""
    numbers = own_jobs(stage, 6)
    stage.telnyx.other_jobs(20, "update_phone_numbers")
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)
    await stage.slack.wait_for(
        lambda: "6 waiting for a free slot" in stage.read(stage.card(change)), what="all to wait"
    )
    stage.telnyx.end_other_jobs()
    before = len(stage.created())

    stage.clock.advance(10)
    await stage.ended(change)

    assert len(stage.created()) <= before + 6 + 2
    assert stage.outcomes(change) == {"verified": 6}
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("seconds", [60, 3600])
async def test_the_card_says_how_long_the_provider_asks_to_wait(stage: Stage, seconds: int) -> None:
    """A pause of a minute or more that Telnyx asks for is on the card, so that nobody takes it for a standstill."""
    stage.telnyx.add_number("+13035550000")
    jobs = "/phone_numbers/jobs/*"
    stage.telnyx.faults.add(method="POST", path=jobs, kind="rate_limited", retry_after=seconds, times=None)
    change = await stage.ask("+13035550000")

    await stage.approve(change)

    await stage.slack.wait_for(
        lambda: "Telnyx asks to wait until" in stage.read(stage.card(change)), what="the pause on the card"
    )
    assert stage.telnyx.jobs == []
