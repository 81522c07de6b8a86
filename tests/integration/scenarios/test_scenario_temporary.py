"""Temporary changes: approved together with their end, in effect until then, and restored number by number."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.changes.model.batches import Operation
from bot.changes.model.kinds import Kind
from bot.changes.outcome.follow_ups import CarriedOver, to_undo
from bot.sandbox.close import CloseStandIn, Fixtures
from bot.sandbox.slack import SlackUser
from bot.store.queue.tasks import Claim, Handler, Task
from tests.integration.scenarios.stage import FAILURES, OPS, Stage
from tests.integration.scenarios.steps import card_says, reject
from tests.integration.scenarios.test_scenario_policy import under

REFERENCE = "customer_reference"


@pytest.fixture
async def numbers(stage: Stage) -> list[str]:
    """Give the account three numbers of the Dallas office, and Ana the zone of Berlin."""
    stage.ana.profile.tz = "Europe/Berlin"
    added = stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Dallas")
    return [number.phone_number for number in added]


async def proposed(stage: Stage, numbers: list[str], until: str = "in 4 hours", value: str = "Holiday") -> str:
    """Have Ana plan a temporary change and return what she is shown."""
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: value}, "Closed for the holiday")
    await stage.ana.type("until", until)
    await stage.send()
    await stage.planned()
    return stage.modal()


async def in_effect(stage: Stage, numbers: list[str], until: str = "in 4 hours") -> int:
    """Have a temporary change approved and carried out, and return its number."""
    await proposed(stage, numbers, until)
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    await stage.quiet()
    return change


async def paused(stage: Stage, numbers: list[str], until: str = "in 4 hours") -> int:
    """Have a temporary change pause because the second number of its canary fails, and return its number."""
    stage.telnyx.fail(numbers[1])
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: "Holiday"}, "Closed for the holiday")
    await stage.ana.type("until", until)
    await stage.ana.type("canary", "2")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Paused after the canary")
    return change


def references(stage: Stage) -> list[str]:
    """Return what Telnyx has for each number."""
    return [str(number.customer_reference or "") for number in stage.telnyx.numbers.values()]


def reference_of(stage: Stage, number: str, value: str) -> None:
    """Have somebody change a number beside Linesman."""
    found = next(each for each in stage.telnyx.numbers.values() if each.phone_number == number)
    found.customer_reference = value


def restores(stage: Stage, change: int) -> Counter[str]:
    """Count the results by what became of each number at the end."""
    return Counter(row["restored"] for row in stage.results(change))


async def end_now(stage: Stage, change: int, by: SlackUser) -> str:
    """Press *End now* on the card and return what only that person is told."""
    return await stage.answered(by, by.click("end_now", message=stage.card(change)))


async def test_the_whole_story_of_a_temporary_change(stage: Stage, numbers: list[str]) -> None:
    """One approval, one card, one thread and one result: there, in effect, locked, reminded of, and back."""
    shown = await proposed(stage, numbers)
    assert "Temporary, until" in shown
    assert "then each number returns to its current values" in shown
    change = await stage.request()
    assert "One approval covers both" in stage.read(stage.request_card(change))
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    await stage.quiet()

    assert references(stage) == ["Holiday"] * 3
    assert stage.file(change) is None
    assert "temporary, until" in await stage.command("locks")
    assert "temporary, until" in await stage.command(f"find {numbers[0]}")
    assert "In effect, temporary, until" in await stage.command("list temporary")
    assert "In effect" in await stage.command(f"status CHG-{change}")

    stage.clock.advance(3.8 * 3600)
    await stage.slack.wait_for(
        lambda: any("@Ana: this ends soon" in line for line in stage.thread(change)), what="the reminder"
    )
    assert references(stage) == ["Holiday"] * 3

    stage.clock.advance(0.2 * 3600)
    await stage.ended(change)
    assert references(stage) == ["Dallas"] * 3
    assert stage.outcomes(change) == {"verified": 3}
    assert restores(stage, change) == {"verified": 3}
    assert "3 numbers restored" in stage.read(stage.card(change))
    assert "Succeeded" in stage.read(stage.card(change))
    [last] = [line for line in stage.thread(change) if "🏁" in line]
    assert "Over: 3 numbers restored. @Ana" in last
    assert not any("after the end." in line for line in stage.thread(change))
    assert len(stage.thread(change)) <= 10
    assert stage.slack.messages(FAILURES) == []
    assert len(stage.telnyx.jobs) == 2
    assert [each for each in stage.everything() if "CHG-2:" in str(each.metadata)] == []
    assert "No numbers are locked." in await stage.command("locks")


async def test_what_somebody_changed_meanwhile_is_left_and_named(stage: Stage, numbers: list[str]) -> None:
    """The number that was edited in the carrier's portal keeps what it was given there, and card and sheet say so."""
    change = await in_effect(stage, numbers)
    reference_of(stage, numbers[1], "Portal")
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas", "Portal", "Dallas"]
    assert restores(stage, change) == {"verified": 2, "left": 1}
    assert "1 left because somebody changed it" in stage.read(stage.card(change))
    assert f"Numbers left as they are, because somebody changed them\n{numbers[1]}" in "\n".join(stage.thread(change))
    assert stage.slack.messages(FAILURES) == []


async def test_when_all_were_changed_meanwhile_nothing_is_sent(stage: Stage, numbers: list[str]) -> None:
    """A change all of whose numbers have other values by then is over at once, and fails nobody."""
    change = await in_effect(stage, numbers)
    for number in numbers:
        reference_of(stage, number, "Portal")
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Portal"] * 3
    assert restores(stage, change) == {"left": 3}
    assert len(stage.telnyx.jobs) == 1
    assert stage.slack.messages(FAILURES) == []


async def test_a_number_that_is_gone_keeps_no_other_from_going_back(stage: Stage, numbers: list[str]) -> None:
    """It is left out by itself, named in the results, and told in the failure channel."""
    change = await in_effect(stage, numbers)
    gone = next(each for each in stage.telnyx.numbers.values() if each.phone_number == numbers[0])
    del stage.telnyx.numbers[gone.id]
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 2
    assert restores(stage, change) == {"verified": 2, "not_restored": 1}
    assert "not all its numbers were restored" in stage.failures()[0]
    assert "Partly failed" in stage.read(stage.card(change))


async def test_it_can_be_ended_early_by_its_requester_and_operators_only(stage: Stage, numbers: list[str]) -> None:
    """Others are refused at the click; after it the numbers are restored at once."""
    change = await in_effect(stage, numbers)
    for person in (stage.max, stage.sam):
        assert "Only the requester or an operator can end CHG-1" in await end_now(stage, change, person)
    assert references(stage) == ["Holiday"] * 3

    assert "CHG-1 ends now: 3 numbers will be restored" in await end_now(stage, change, stage.ana)
    await stage.ended(change)
    assert references(stage) == ["Dallas"] * 3
    assert "is finished: only a temporary change that is in effect can end" in await stage.command("end CHG-1")


async def test_an_end_that_two_people_click_at_once_is_one(stage: Stage, numbers: list[str]) -> None:
    """The first click ends it, and the other one is told so."""
    change = await in_effect(stage, numbers)
    said = await asyncio.gather(end_now(stage, change, stage.ana), end_now(stage, change, stage.otto))
    await stage.ended(change)

    assert sorted("is already ending" in each for each in said) == [False, True]
    assert sum("ended this early" in line for line in stage.thread(change)) == 1
    assert len(stage.telnyx.jobs) == 2


async def test_jobs_that_last_beyond_the_end_are_no_trouble(stage: Stage, numbers: list[str]) -> None:
    """What is under way when the end comes is awaited and read back, and then it is restored."""
    stage.telnyx.job_seconds = 7200
    await proposed(stage, numbers, "in 1 hour")
    change = await stage.request()
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: stage.telnyx.jobs)
    stage.clock.advance(3700)
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(7200)
    stage.clock.advance(7200)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert restores(stage, change) == {"verified": 3}


async def test_emergency_service_for_a_while_is_switched_off_again(stage: Stage) -> None:
    """Its address goes with the switch, is not sent for that, and was not changed by anybody."""
    address = stage.telnyx.add_address("311 W Superior St")
    added = stage.telnyx.add_numbers(2, start="+13035550000")
    settings = {"emergency_enabled": "true", "emergency_address_id": address.id}
    await stage.open("emergency")
    await stage.fill([number.phone_number for number in added], settings, "While the exchange is moved")
    await stage.ana.type("until", "in 4 hours")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    assert [number.emergency_enabled for number in added] == [True, True]
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert [number.emergency_enabled for number in added] == [False, False]
    assert restores(stage, change) == {"verified": 2}


async def test_an_operator_ends_it_with_a_command(stage: Stage, numbers: list[str]) -> None:
    """``/numbers end`` does the same; cancel and undo say what to do instead."""
    change = await in_effect(stage, numbers)
    assert "/numbers end CHG-1 ends it now" in await stage.command("cancel CHG-1")
    await stage.ana.command("/numbers", "undo CHG-1")
    await stage.ana.wait_for_view(lambda view: "/numbers end CHG-1 ends it now" in stage.read(view))
    assert "CHG-1 ends now" in await stage.command("end CHG-1", by=stage.otto)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert any("@Otto ended this early" in line for line in stage.thread(change))


async def test_an_undo_after_the_end_sends_nobody_to_undo_the_end(stage: Stage, numbers: list[str]) -> None:
    """That would set for good what was meant for a while; the numbers have what they had before already."""
    change = await in_effect(stage, numbers)
    await end_now(stage, change, stage.ana)
    await stage.ended(change)

    await stage.ana.command("/numbers", f"undo CHG-{change}")
    shown = stage.read(await stage.planned())

    assert f"CHG-{change} was temporary, and its numbers got back what they had when it ended." in shown
    assert "undo CHG" not in shown


async def test_a_retry_while_it_is_in_effect_says_when_it_can_be(stage: Stage, numbers: list[str]) -> None:
    """Its numbers are locked until its end, and then what failed can be retried."""
    stage.telnyx.fail(numbers[0], detail="Busy", times=1)
    change = await in_effect(stage, numbers)

    await stage.ana.command("/numbers", f"retry CHG-{change}")
    await stage.ana.wait_for_view(lambda view: "Once it is over, what failed can be retried." in stage.read(view))


async def test_a_freeze_keeps_the_numbers_from_going_back_until_it_is_lifted(stage: Stage, numbers: list[str]) -> None:
    """At the end nothing is sent while submissions are frozen; then it goes on by itself."""
    change = await in_effect(stage, numbers)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.clock.advance(5 * 3600)
    await card_says(
        stage, change, "Being restored", "No number is restored until an operator lifts it", "Submissions are frozen."
    )
    assert references(stage) == ["Holiday"] * 3

    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)
    assert references(stage) == ["Dallas"] * 3
    [late] = [line for line in stage.thread(change) if "after the end." in line]
    assert "⏪ CHG-2 began " in late
    assert late.endswith("Reason for the delay: Submissions are frozen.")


async def test_a_restore_that_begins_late_says_so_while_it_runs(stage: Stage, numbers: list[str]) -> None:
    """Linesman was stopped when the end came: card and thread say how late it is, and no reason that nobody knows."""
    change = await in_effect(stage, numbers)
    await stage.stop()
    stage.clock.advance(4 * 3600 + 40 * 60)
    stage.telnyx.job_seconds = 600
    await stage.start()

    await card_says(stage, change, "Being restored by CHG-2, which began ", " min late: ")
    await stage.slack.wait_for(lambda: any("after the end." in each for each in stage.thread(change)), what="the line")
    assert not any("Reason for the delay" in line for line in stage.thread(change))
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.jobs) == 2)
    stage.telnyx.advance(600)
    await stage.ended(change)


async def test_without_its_locks_nothing_is_restored_and_that_is_said(stage: Stage, numbers: list[str]) -> None:
    """An operator who releases the numbers ends the change; the failure channel and the card say what that means."""
    change = await in_effect(stage, numbers)
    await stage.command(f"unlock CHG-{change}", by=stage.otto)
    await stage.otto.click("unlock", message=stage.slack.ephemerals(stage.otto.id)[-1])
    await stage.ended(change)

    assert references(stage) == ["Holiday"] * 3
    assert restores(stage, change) == {"not_restored": 3}
    assert "An operator released its numbers" in stage.failures()[0]
    assert "3 not restored" in stage.failures()[0]

    await stage.ana.command("/numbers", f"undo CHG-{change}")
    await stage.planned()
    undo = await stage.request()
    await stage.approve(undo)
    await stage.ended(undo)
    assert references(stage) == ["Dallas"] * 3


async def test_the_numbers_go_back_although_the_requester_has_left(stage: Stage, numbers: list[str]) -> None:
    """Who may ask and approve today does not matter: the end was approved together with the beginning."""
    change = await in_effect(stage, numbers)
    await stage.stop()
    await stage.start(LINESMAN_REQUESTERS="U0MIA", LINESMAN_APPROVERS="U0MIA")
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3


async def test_a_provider_that_is_away_at_the_end_is_asked_until_it_answers(stage: Stage, numbers: list[str]) -> None:
    """The card says why it waits, and the failure channel hears of it."""
    change = await in_effect(stage, numbers)
    stage.telnyx.faults.add(path="/phone_numbers*", kind="status", status=401, times=None)
    stage.clock.advance(5 * 3600)
    await card_says(stage, change, "Its numbers cannot be read")
    stage.clock.advance(60)
    await stage.slack.wait_for(
        lambda: any("cannot be planned yet" in each for each in stage.failures()), what="the notice"
    )
    stage.telnyx.faults.clear()
    stage.clock.advance(600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert any(
        "after the end. Reason for the delay: Its numbers cannot be read: " in line for line in stage.thread(change)
    )


async def test_a_failed_restore_is_told_with_the_way_back(stage: Stage, numbers: list[str]) -> None:
    """A number that the carrier refuses at the end is named on the card, in the thread and in the failure channel."""
    change = await in_effect(stage, numbers)
    stage.telnyx.fail(numbers[2])
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas", "Dallas", "Holiday"]
    assert restores(stage, change) == {"verified": 2, "failed": 1}
    [notice] = stage.failures()
    assert "not all its numbers were restored: 2 numbers restored, 1 failed" in notice
    assert numbers[2] in notice
    assert "/numbers undo CHG-1 plans a change that restores the rest" in notice


async def test_a_restore_sends_nothing_but_the_values_from_before(
    stage: Stage, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that would give a number anything else than the approval covers is not carried out, and that is told."""
    change = await in_effect(stage, numbers)

    def other(kind: Kind, operations: Iterable[Operation]) -> CarriedOver:
        taken = to_undo(kind, operations)
        return replace(taken, rows={id_: {REFERENCE: "Elsewhere"} for id_ in taken.rows})

    monkeypatch.setattr("bot.workflow.planning.follow_ups.to_undo", other)
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Holiday"] * 3
    assert len(stage.telnyx.jobs) == 1
    assert "are not those from before CHG-1, which its approval covers" in stage.failures()[0]


async def test_a_crash_between_the_ways_loses_nothing(stage: Stage, numbers: list[str]) -> None:
    """Killed while it is in effect, and again while the numbers go back, everything goes on from the rows."""
    change = await in_effect(stage, numbers)
    await stage.crash()
    stage.clock.advance(5 * 3600)
    stage.telnyx.job_seconds = 2
    await stage.start()
    await card_says(stage, change, "Being restored")
    await stage.crash()
    await stage.start()
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert len(stage.telnyx.jobs) == 2
    assert len([line for line in stage.thread(change) if "🏁" in line]) == 1


async def test_numbers_that_never_changed_are_not_in_effect(stage: Stage, numbers: list[str]) -> None:
    """A temporary change that failed everywhere is over at once: there is nothing to restore."""
    for number in numbers:
        stage.telnyx.fail(number)
    await proposed(stage, numbers)
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert "Failed" in stage.read(stage.card(change))
    assert restores(stage, change) == {"": 3}


async def test_what_cannot_be_restored_is_refused_before_anybody_approves(stage: Stage) -> None:
    """The plan names the setting and the numbers whose present value cannot be set again, and can do without them."""
    connection = stage.telnyx.add_connection("Denver PBX")
    with_one = stage.telnyx.add_number("+13035550000", connection_id=connection.id)
    stage.telnyx.add_number("+13035550001")
    other = stage.telnyx.add_connection("Holiday greeting")
    await stage.open("update")
    await stage.fill([with_one.phone_number, "+13035550001"], {"connection_id": other.id}, "Closed for the holiday")
    await stage.ana.type("until", "in 4 hours")
    await stage.send()
    await stage.planned()

    assert "Telnyx could not be told to restore" in stage.modal()
    assert "Connection of 1 number: +13035550001" in stage.modal()
    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "Temporary, until" in stage.read(view))


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("in 3 minutes", "must last at least 10 minutes"),
        ("in 40 days", "a temporary change can last 30 days"),
        ("yesterday noon", "is not understood"),
    ],
)
async def test_an_end_that_cannot_be_is_refused_at_its_field(
    stage: Stage, numbers: list[str], until: str, why: str
) -> None:
    """Too early, too far ahead and not understood are told where the end was typed."""
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: "Holiday"}, "Because")
    await stage.ana.type("until", until)

    assert why in (await stage.refused())["until"]


@pytest.mark.parametrize(
    ("waves", "pause", "until"),
    [
        ("1, 1", "2 hours", "in 3 hours"),
        ("1", "2 hours", "in 129 minutes"),
        ("1, 1, 1, 1, 1", "2 hours", "in 4 hours"),  # of three numbers there are three waves
    ],
)
async def test_an_end_before_the_last_wave_is_refused_at_its_field(
    stage: Stage, numbers: list[str], waves: str, pause: str, until: str
) -> None:
    """A rollout that its own pauses keep from getting to its last wave is not planned, and the field says from when."""
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: "Holiday"}, "Because")
    for field, text in (("canary", waves), ("pause", pause), ("until", until)):
        await stage.ana.type(field, text)

    refused = (await stage.refused())["until"]

    hours = 2 if waves == "1" else 4
    assert refused.startswith(f"The pauses between its waves take {hours} hours, so the last wave would come too late:")
    await stage.ana.type("until", f"in {hours} hours 11 minutes")
    await stage.send()
    await stage.planned()
    assert "Temporary, until" in stage.modal()


async def test_an_approval_after_the_end_is_not_possible(stage: Stage, numbers: list[str]) -> None:
    """The request expires at the end at the latest, so nothing is set that would have to go back at once."""
    await proposed(stage, numbers, "in 1 hour")
    change = await stage.request()
    stage.clock.advance(3700)
    await card_says(stage, change, "Expired")

    assert stage.telnyx.jobs == []


async def test_a_change_that_cannot_start_before_its_end_is_not_started(stage: Stage, numbers: list[str]) -> None:
    """Approved, and then kept from starting by a freeze that lasts longer than it would have."""
    await proposed(stage, numbers, "in 1 hour")
    change = await stage.request()
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await stage.approve(change)
    stage.clock.advance(3700)
    await stage.command("unfreeze", by=stage.otto)
    await card_says(stage, change, "Cancelled", "came before it could start")

    assert stage.telnyx.jobs == []


async def test_a_closed_window_is_told_beforehand(idle: Stage, tmp_path: Path) -> None:
    """The approver reads when the numbers really go back, if the window is closed at the end."""
    now = idle.clock()
    window = f'{{ from = "{now - timedelta(hours=2):%H:00}", to = "{now + timedelta(hours=2):%H:00}", zone = "UTC" }}'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "by day"\nwindows = [{window}]\n')
    stage.telnyx.add_number("+13035550000", customer_reference="Dallas")
    shown = await proposed(stage, ["+13035550000"])

    assert "Its change window is closed at that time: the numbers are restored when it opens" in shown


def end_of(stage: Stage, change: int) -> str:
    """Return until when a change is in effect, as its card says."""
    found = re.search(r"In effect until (.+? \(.+?\));", stage.read(stage.card(change)))
    assert found is not None
    return found[1]


async def test_a_late_line_tells_the_end_of_its_moment(stage: Stage, numbers: list[str]) -> None:
    """What Slack takes only after *End now* says until when the change was to be in effect when it came into effect."""
    await proposed(stage, numbers)
    change = await stage.request()
    await stage.quiet()
    stage.slack.close_method("chat.postMessage", seconds=3600, channel=OPS)
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    until = end_of(stage, change)
    await end_now(stage, change, stage.ana)
    stage.slack.open_methods()
    stage.clock.advance(3600)
    await stage.ended(change)

    assert [line for line in stage.thread(change) if f"In effect until {until}: 3 verified" in line] != []


async def test_a_late_reminder_tells_the_end_of_its_moment(stage: Stage, numbers: list[str]) -> None:
    """What Slack takes only when the change was extended says which end was near."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    until = end_of(stage, change)
    stage.clock.advance(3.4 * 3600)
    stage.slack.close_method("chat.postMessage", seconds=3600, channel=OPS)
    stage.clock.advance(0.4 * 3600)
    async with asyncio.timeout(60):
        while "Reminder sent" not in await stage.command(f"status CHG-{change}"):  # noqa: ASYNC110 - nobody is told yet
            await asyncio.sleep(0.05)
    assert "CHG-1 is extended" in await stage.approve(extension)
    await stage.slack.wait_for(lambda: end_of(stage, change) != until, what="the later end")
    stage.slack.open_methods()
    stage.clock.advance(3600)
    await stage.quiet()

    assert [line for line in stage.thread(change) if f"this ends soon; it is in effect until {until}." in line] != []


async def asked_to_extend(stage: Stage, change: int, until: str = "in 9 hours") -> int:
    """Have Ana ask for a later end and return the number of that request."""
    said = await stage.command(f"extend CHG-{change} until {until}")
    assert f"requests approval to keep CHG-{change} in effect until" in said
    extension = change + 1
    await stage.slack.wait_for(lambda: stage._posted(extension, ":approval_card"), what="the request")
    await stage.quiet()
    return extension


async def test_a_later_end_needs_an_approval_of_its_own(stage: Stage, numbers: list[str]) -> None:
    """The request says which change it extends and until when; approved, it moves the end, in the same thread."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    request = stage.read(stage.request_card(extension))
    assert f"Extension of CHG-{change}: it stays in effect until" in request
    assert "Numbers: 3" in request
    assert f"CHG-{extension} asks for approval to extend it" in stage.read(stage.card(change))
    assert "already asks to extend CHG-1" in await stage.command("extend CHG-1 until in 10 hours")
    assert "somebody else must approve it" in await stage.approve(extension, by=stage.ana)
    assert "CHG-1 is extended" in await stage.approve(extension)
    await stage.slack.wait_for(lambda: any("Extended until" in line for line in stage.thread(change)), what="the line")

    stage.clock.advance(5 * 3600)
    await stage.quiet()
    assert references(stage) == ["Holiday"] * 3
    stage.clock.advance(5 * 3600)
    await stage.ended(change)
    assert references(stage) == ["Dallas"] * 3
    assert len([line for line in stage.thread(change) if "ends soon" in line]) == 1
    assert f"Extension of CHG-{change}" in await stage.command(f"status CHG-{extension}")


async def test_a_rejected_extension_leaves_the_end_where_it_was(stage: Stage, numbers: list[str]) -> None:
    """The thread says so, and the numbers go back at their time."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    await reject(stage, extension)
    await stage.slack.wait_for(
        lambda: any("is rejected: Not today. The end stays as it is." in line for line in stage.thread(change)),
        what="the line",
    )
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3


async def test_an_extension_that_is_approved_too_late_is_told(stage: Stage, numbers: list[str]) -> None:
    """When the change ends, the request ends with it; the thread says so, and so does the button."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    await end_now(stage, change, stage.ana)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert any("has ended, so it was not extended" in line for line in stage.thread(change))
    assert "approve" not in stage.buttons(stage.request_card(extension))


async def test_an_extension_does_not_undo_an_end(
    stage: Stage, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Approved after *End now*, before the restore is written down: the change ends, and nobody has to end it again."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    assert stage.bot is not None
    handlers: dict[Task, Handler] = stage.bot.worker._tasks._handlers  # type: ignore[assignment]  # it is one
    end, held = handlers[Task.END], asyncio.Event()

    async def later(claim: Claim) -> None:
        await held.wait()
        await end(claim)

    monkeypatch.setitem(handlers, Task.END, later)
    await end_now(stage, change, stage.ana)
    await stage.approve(extension)
    await stage.slack.wait_for(
        lambda: any("has ended, so it was not extended" in line for line in stage.thread(change)), what="word of it"
    )
    held.set()
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3


async def test_a_later_end_is_asked_for_in_a_form(stage: Stage, numbers: list[str]) -> None:
    """*Extend* on the card opens it; what is no later end is refused at its field."""
    await in_effect(stage, numbers)
    await stage.ana.click("extend", message=stage.card(1))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "extension")
    await stage.ana.type("until", "in 2 hours")
    assert "It already lasts until" in (await stage.refused())["until"]
    await stage.ana.type("until", "when it stops raining")
    assert "is not understood. Write it like: tonight 22:00" in (await stage.refused())["until"]
    await stage.ana.type("until", "in 9 hours")
    await stage.send()
    await stage.ana.wait_for_view(lambda view: "requests approval to keep" in stage.read(view))
    await stage.slack.wait_for(lambda: stage._posted(2, ":approval_card"), what="the request")

    assert "is finished: only a temporary change" not in stage.modal()
    await stage.quiet()


@pytest.mark.parametrize(
    ("first", "later"),
    [("until in 4 hours", "Until in 9 hours"), ("for 4 hours", "for 9 hours"), ("TILL in 4 hours", "till in 9 hours")],
)
async def test_every_place_that_takes_an_end_takes_it_in_the_same_words(
    stage: Stage, numbers: list[str], first: str, later: str
) -> None:
    """The form, *Extend*, and the commands that extend and that delegate."""
    change = await in_effect(stage, numbers, first)
    ends = end_of(stage, change)
    await stage.ana.click("extend", message=stage.card(change))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "extension")
    await stage.ana.type("until", later)
    await stage.send()
    await stage.ana.wait_for_view(lambda view: f"requests approval to keep CHG-{change}" in stage.read(view))
    await stage.command(f"cancel CHG-{change + 1}")
    said = await stage.command(f"extend CHG-{change} {later}")
    lent = await stage.command(f"delegate @Mia {later}", by=stage.max)

    assert ends
    assert f"requests approval to keep CHG-{change} in effect until" in said
    assert "can approve changes for you until" in lent
    await stage.quiet()


async def test_strangers_extend_nothing(stage: Stage, numbers: list[str]) -> None:
    """Who may not ask for such a change may not ask that it lasts longer."""
    change = await in_effect(stage, numbers)

    assert "may" in await stage.command(f"extend CHG-{change} until in 9 hours", by=stage.sam)
    assert stage._posted(2, ":approval_card") is None


async def test_a_temporary_change_at_close_goes_there_and_back(
    both: Stage, close: CloseStandIn, team: Fixtures
) -> None:
    """Number by number, and one that somebody changed meanwhile keeps no other from going back."""
    numbers = [number.number for number in team.shared[:4]]
    before = {number: close.number(number).label for number in numbers}
    await both.open("close")
    await both.fill(numbers, {"label": "Holiday desk"}, "Closed for the holiday")
    await both.ana.type("until", "in 4 hours")
    await both.send()
    await both.planned()
    change = await both.request()
    await both.approve(change)
    await card_says(both, change, "In effect")
    await both.quiet()
    close.number(numbers[1]).label = "Portal"
    both.clock.advance(5 * 3600)
    await both.ended(change)

    assert {number: close.number(number).label for number in numbers} == {**before, numbers[1]: "Portal"}
    assert restores(both, change) == {"verified": 3, "left": 1}
    assert both.failures() == []


async def test_the_rest_behind_a_canary_is_not_sent_after_the_end(stage: Stage, numbers: list[str]) -> None:
    """Continued too late, before the end is seen to, the rest stays as it is, and the canary's numbers go back."""
    change = await paused(stage, numbers, "in 1 hour")
    await stage.quiet()
    await stage.tamper("DELETE FROM tasks WHERE task = 'end'")
    stage.clock.advance(3700)
    await stage.answered(stage.ana, stage.ana.click("go_on", message=stage.card(change)))
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 1}
    assert restores(stage, change) == {"verified": 1, "": 2}


async def test_a_canary_that_is_paused_goes_back_at_the_end(stage: Stage, numbers: list[str]) -> None:
    """Nobody has decided on the rest by then: it is not sent, and what the canary has changed is restored."""
    change = await paused(stage, numbers)
    assert references(stage) == ["Holiday", "Dallas", "Dallas"]
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 1}
    assert restores(stage, change) == {"verified": 1, "": 2}
    assert "came before all its numbers were sent" in stage.read(stage.card(change))


async def test_what_a_freeze_keeps_back_until_the_end_is_not_sent_after_it(stage: Stage, numbers: list[str]) -> None:
    """The canary has been sent when submissions are frozen; the rest is not sent only to be restored."""
    stage.telnyx.job_seconds = 60
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: "Holiday"}, "Closed for the holiday")
    await stage.ana.type("until", "in 4 hours")
    await stage.ana.type("canary", "2")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: stage.telnyx.jobs)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(60)
    await stage.slack.wait_for(lambda: references(stage) == ["Holiday", "Holiday", "Dallas"], what="the canary")
    stage.clock.advance(5 * 3600)
    await card_says(stage, change, "Being restored")
    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3
    assert len(stage.telnyx.jobs) == 2
    assert restores(stage, change) == {"verified": 2, "": 1}


async def test_numbers_go_back_although_their_approval_has_lapsed(stage: Stage, numbers: list[str]) -> None:
    """It does not let the rest follow its canary any more, and it lets go back what was changed while it counted."""
    change = await paused(stage, numbers)
    await stage.stop()
    await stage.start(LINESMAN_APPROVERS="U0MIA,U0ANA")
    await stage.answered(stage.otto, stage.otto.click("go_on", message=stage.card(change)))
    await card_says(stage, change, "In effect", "@Max approved (no longer counts: @Max")
    stage.clock.advance(5 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Dallas"] * 3


async def test_a_requester_cannot_make_it_last_by_cancelling_the_way_back(stage: Stage, numbers: list[str]) -> None:
    """That would be an extension that nobody approved. An operator can, and all who care are told."""
    change = await in_effect(stage, numbers)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.clock.advance(5 * 3600)
    await card_says(stage, change, "Being restored", "No number is restored until an operator lifts it")
    restore = change + 1
    assert f"Only an operator can cancel CHG-{restore}" in await stage.command(f"cancel CHG-{restore}")
    assert f"CHG-{restore} is cancelled" in await stage.command(f"cancel CHG-{restore}", by=stage.otto)
    await stage.ended(change)

    assert references(stage) == ["Holiday"] * 3
    assert "Cancelled by an operator" in stage.failures()[-1]
    assert "3 failed" in stage.failures()[-1]


async def test_values_from_before_that_are_not_the_approved_ones_are_not_sent(stage: Stage, numbers: list[str]) -> None:
    """The plan in the database is compared with its digest again, days later and after an extension."""
    change = await in_effect(stage, numbers)
    extension = await asked_to_extend(stage, change)
    await stage.approve(extension)
    await stage.tamper("UPDATE operations SET before = replace(before, 'Dallas', 'Elsewhere')")
    stage.clock.advance(10 * 3600)
    await stage.ended(change)

    assert references(stage) == ["Holiday"] * 3
    assert len(stage.telnyx.jobs) == 1
    assert "not the one that was approved" in stage.failures()[-1]


async def test_a_request_for_a_later_end_that_was_refused_is_in_nobodys_way(stage: Stage, numbers: list[str]) -> None:
    """When somebody can approve it, it is asked for once more."""
    change = await in_effect(stage, numbers)
    await stage.stop()
    await stage.start(LINESMAN_APPROVERS="U0ANA")
    assert "Nobody could approve this" in await stage.command(f"extend CHG-{change} until in 9 hours")
    await stage.stop()
    await stage.start(LINESMAN_APPROVERS="U0ANA,U0MAX")

    assert f"requests approval to keep CHG-{change}" in await stage.command(f"extend CHG-{change} until in 9 hours")
    assert "already asks to extend" in await stage.command(f"extend CHG-{change} until in 10 hours")


async def test_the_card_says_that_the_way_back_needs_an_operator(stage: Stage, numbers: list[str]) -> None:
    """Nobody knows whether the job that restores the numbers was made: that is not on another card."""
    change = await in_effect(stage, numbers)
    stage.telnyx.faults.add(method="POST", path="/phone_numbers/jobs/*", kind="drop_after")
    stage.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="status", status=403, times=None)
    stage.clock.advance(5 * 3600)
    await card_says(stage, change, "Being restored", "Needs an operator", f"/numbers resolve CHG-{change + 1}")

    stage.telnyx.faults.clear()
    assert "needs an operator" in await stage.command(f"resolve CHG-{change + 1}", by=stage.otto)


async def test_a_retry_of_a_temporary_change_is_temporary(stage: Stage, numbers: list[str]) -> None:
    """Its form comes with the end that was typed, so nobody sets for good by mistake what was meant for a while."""
    stage.telnyx.fail(numbers[2])
    change = await in_effect(stage, numbers)
    await end_now(stage, change, stage.ana)
    await stage.ended(change)
    await stage.open(f"retry CHG-{change}")
    await stage.send()
    await stage.planned()

    assert "Temporary, until" in stage.modal()
