"""Emergency service: asked for is not active, and what is not active is never called verified."""

from __future__ import annotations

import asyncio

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_says


def ready(stage: Stage, count: int) -> tuple[list[str], dict[str, str]]:
    """Give the account an address and ``count`` numbers; return them and the settings that switch the service on."""
    address = stage.telnyx.add_address("311 W Superior St")
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]
    return numbers, {"emergency_enabled": "true", "emergency_address_id": address.id}


async def test_a_service_that_is_being_switched_on_is_waited_for(stage: Stage) -> None:
    """The card says what is waited for; it is read again beyond the usual times and verified once it is active."""
    numbers, settings = ready(stage, 3)
    stage.telnyx.emergency.seconds = 3600
    change = await stage.ask(numbers, settings, command="emergency")
    await stage.approve(change)
    await stage.slack.wait_for(
        lambda: "Emergency status of 3 numbers is still “provisioning” at Telnyx" in stage.read(stage.card(change)),
        what="the card to say what it waits for",
    )
    looks = len(stage.telnyx.calls)
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.calls) > looks + 3 * 6)
    assert stage.file(change) is None
    assert "CHG-1" in await stage.command("locks")

    stage.telnyx.advance(3600)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    assert all(row["Emergency status (found)"] == "active" for row in stage.results(change))
    assert stage.failures() == []


async def test_a_service_that_is_not_active_in_time_ends_as_not_verified(stage: Stage) -> None:
    """The waiting has an end, and that it is still being worked on is the reason."""
    numbers, settings = ready(stage, 2)
    stage.telnyx.emergency.seconds = None
    change = await stage.ask(numbers, settings, command="emergency")
    await stage.approve(change)
    await card_says(stage, change, "provisioning")

    stage.clock.advance(2 * 3600)
    await stage.ended(change)

    assert stage.outcomes(change) == {"unverified": 2}
    for row in stage.results(change):
        assert row["reason_code"] == "linesman.still_activating"
        assert "Emergency status is still provisioning" in row["reason"]
    assert "2 numbers could not be verified" in stage.failures()[0]
    assert "No numbers are locked" in await stage.command("locks")


async def test_a_service_that_was_turned_down_is_told_at_once(stage: Stage) -> None:
    """The failure channel hears of it while the other numbers are still being worked on."""
    numbers, settings = ready(stage, 3)
    stage.telnyx.emergency.turned_down = {numbers[1]}
    stage.telnyx.emergency.seconds = 60
    change = await stage.ask(numbers, settings, command="emergency")
    await stage.approve(change)
    await card_says(stage, change, "provisioning")
    [only] = [n for n in stage.telnyx.numbers.values() if n.phone_number == numbers[1]]
    only.emergency_status = "provisioning-failed"
    await stage.slack.wait_for(stage.failures, what="the alarm")

    assert stage.file(change) is None
    alarm = stage.failures()[0]
    assert f"emergency calls may not work from this number: {numbers[1]}." in alarm
    assert "Emergency status is provisioning-failed" in alarm
    assert "@Ana" in alarm
    stage.telnyx.advance(60)
    await stage.ended(change)
    assert [row["outcome"] for row in stage.results(change)] == ["verified", "differs", "verified"]
    row = stage.results(change)[1]
    assert row["reason_code"] == "linesman.not_in_effect"
    assert "emergency calls may not work from this number" in row["reason"]
    assert "emergency calls may not work" in stage.read(stage.card(change))
    stage.assert_nothing_doubled()


async def test_a_service_that_is_on_and_not_active_is_asked_for_again(stage: Stage) -> None:
    """A number that has the wanted values without the service working is not left alone as if all were well."""
    numbers, settings = ready(stage, 2)
    for number in stage.telnyx.numbers.values():
        number.emergency_enabled, number.emergency_address_id = True, settings["emergency_address_id"]
        number.emergency_status = "provisioning-failed" if number.phone_number == numbers[0] else "active"

    change = await stage.run(numbers, settings, command="emergency")

    assert [row["outcome"] for row in stage.results(change)] == ["verified", "unchanged"]
    assert stage.telnyx.number(numbers[0]).emergency_status == "active"


async def test_a_service_that_an_earlier_request_still_switches_on_is_sent_again_and_watched(stage: Stage) -> None:
    """It has the values, and nobody knows whether they take effect: people read so before, and hear how it ends."""
    numbers, settings = ready(stage, 3)
    for number in stage.telnyx.numbers.values():
        number.emergency_enabled, number.emergency_address_id = True, settings["emergency_address_id"]
        number.emergency_status = "active" if number.phone_number == numbers[2] else "provisioning"
    stage.telnyx.emergency.turned_down = {numbers[1]}
    shown = stage.read(await stage.propose(numbers, settings, command="emergency"))
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert "2 numbers: Emergency status is “provisioning” although the values are set" in shown
    assert "sent once more and watched" in stage.read(stage.request_card(change))
    assert [row["outcome"] for row in stage.results(change)] == ["verified", "differs", "unchanged"]
    assert f"emergency calls may not work from this number: {numbers[1]}" in stage.failures()[0]


async def failed_before(stage: Stage) -> int:
    """Ask for numbers on which an earlier request has failed, and wait for the first look after the job."""
    numbers, settings = ready(stage, 2)
    for number in stage.telnyx.numbers.values():
        number.emergency_status = "provisioning-failed"
    stage.telnyx.emergency.lag = 3600
    await stage.start(LINESMAN_POLL_MIN="15", LINESMAN_POLL_MAX="20")
    change = await stage.ask(numbers, settings, command="emergency")
    await stage.approve(change)
    assert stage.bot is not None
    async with asyncio.timeout(60):
        while True:
            async with stage.bot.worker._context.database.reading() as tx:
                if (await tx.changes.get(change)).read_backs:
                    return change
            await asyncio.sleep(0.02)


async def test_a_failure_of_an_earlier_request_is_not_told_as_this_ones(idle: Stage) -> None:
    """The numbers go on showing it for a while after the job; then they are active, and nobody was alarmed."""
    change = await failed_before(idle)

    idle.telnyx.advance(3600)
    await idle.ended(change)

    assert idle.outcomes(change) == {"verified": 2}
    assert idle.failures() == []


async def test_a_failure_that_stays_is_told_although_it_was_there_before(idle: Stage) -> None:
    """Nobody can tell whose it is, and after a few looks that does not matter: the service is not working."""
    change = await failed_before(idle)

    await idle.ended(change)

    assert idle.outcomes(change) == {"differs": 2}
    assert "emergency calls may not work" in idle.failures()[0]


async def test_switching_it_on_is_undone_by_switching_it_off(stage: Stage) -> None:
    """The address goes with the switch; that it is there still is no change that somebody else has made."""
    numbers, settings = ready(stage, 2)
    change = await stage.run(numbers, settings, command="emergency")
    await stage.ana.command("/numbers", f"undo CHG-{change}")
    await stage.planned()
    undo = await stage.request()
    await stage.approve(undo)
    await stage.ended(undo)

    assert [stage.telnyx.number(each).emergency_enabled for each in numbers] == [False, False]
