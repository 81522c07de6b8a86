"""What somebody may do is asked of Slack at the click: a right that was taken away a moment ago is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_canary import numbers_of, paused, press, started
from tests.integration.scenarios.test_scenario_revisions import revise, send_back

GROUP: Final = "S0MANAGERS"
NUMBER: Final = "+13035550000"
MORE: Final = "+13035550001"


def leaves_the_group(stage: Stage, user: str) -> None:
    """Take somebody out of the user group."""
    stage.slack.workspace.usergroups[GROUP].members.remove(user)


def is_switched_off(stage: Stage, user: str) -> None:
    """Deactivate somebody's account."""
    stage.slack.workspace.people[user].deleted = True


def becomes_a_guest(stage: Stage, user: str) -> None:
    """Make somebody a guest."""
    stage.slack.workspace.people[user].guest = True


#: What happens to somebody, and what they are told, and what is told of them, afterwards.
FALLS: Final = [
    pytest.param(leaves_the_group, "you are not one of the", "is no longer an approver", id="group"),
    pytest.param(
        is_switched_off, "A deactivated Slack account", "no longer has an active Slack account", id="deactivated"
    ),
    pytest.param(becomes_a_guest, "Guests of this workspace may not", "is now a guest of the workspace", id="guest"),
]
Fall = Callable[[Stage, str], None]


@pytest.fixture
async def house(idle: Stage) -> Stage:
    """Set the stage with Max and Otto in the group of managers, who approve and operate, and two numbers."""
    idle.slack.add_usergroup(GROUP, handle="managers", members=["U0MAX", "U0OTTO"])
    idle.telnyx.add_numbers(2, start=NUMBER)
    await idle.start(LINESMAN_APPROVERS=f"{GROUP},U0MIA", LINESMAN_OPERATORS=f"{GROUP},U0MIA")
    return idle


@pytest.mark.parametrize(("fall", "answer", "told"), FALLS)
async def test_who_has_just_lost_the_right_approves_and_rejects_nothing(
    house: Stage, fall: Fall, answer: str, told: str
) -> None:
    """Max has approved a second ago; then he is an approver no more, and neither of his clicks counts."""
    assert told
    first, second = await house.ask(NUMBER), await house.ask(MORE)
    assert "That was the last approval needed" in await house.approve(first)
    await house.ended(first)

    fall(house, "U0MAX")

    assert answer in await house.approve(second)
    await house.max.click("reject", message=house.request_card(second))
    await house.max.wait_for_view(lambda view: view.callback_id == "notice")
    assert answer in house.modal(house.max)
    assert len(house.created()) == 1
    assert "Awaiting approval" in house.read(house.request_card(second))


@pytest.mark.parametrize(("fall", "answer", "told"), FALLS)
async def test_who_lost_the_right_while_writing_asks_for_no_changes(
    house: Stage, fall: Fall, answer: str, told: str
) -> None:
    """The form was opened by an approver and is sent by none: the plan can still be decided on."""
    assert told
    change = await house.ask(NUMBER)
    await house.max.click("ask_for_changes", message=house.request_card(change))
    await house.max.wait_for_view(lambda view: view.callback_id == "changes")
    await house.max.type("what", "Later")

    fall(house, "U0MAX")
    sent = await house.max.submit()

    assert answer in str(sent.errors)
    assert "Awaiting approval" in house.read(house.request_card(change))
    assert "approve" in house.buttons(house.request_card(change))


async def test_who_lost_the_right_to_request_gets_no_new_decision(idle: Stage) -> None:
    """Ana was taken off the list after changes were asked for: her edited plan asks nobody for approval."""
    idle.slack.add_usergroup("S0OPS", handle="ops", members=["U0ANA"])
    idle.telnyx.add_number(NUMBER)
    await idle.start(LINESMAN_REQUESTERS="S0OPS")
    change = await idle.ask(NUMBER)
    await send_back(idle, change)
    await revise(idle, change)
    await idle.send()
    await idle.planned()
    idle.slack.workspace.usergroups["S0OPS"].members.clear()

    await idle.ana.submit()

    assert "you are not one of the requesters" in idle.modal()
    assert "Changes requested" in idle.read(idle.card(change))
    assert "approve" not in idle.buttons(idle.request_card(change))


async def test_who_lost_the_right_while_writing_why_rejects_nothing(house: Stage) -> None:
    """The form was opened by an approver and is sent by none."""
    change = await house.ask(NUMBER)
    await house.max.click("reject", message=house.request_card(change))
    await house.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await house.max.type("why", "No")

    leaves_the_group(house, "U0MAX")
    sent = await house.max.submit()

    assert "you are not one of the approvers" in str(sent.errors)
    assert "Awaiting approval" in house.read(house.request_card(change))


@pytest.mark.parametrize("deed", ["unfreeze", "unlock CHG-1", "export", "cancel CHG-1", "settle CHG-1"])
@pytest.mark.parametrize(("fall", "answer", "told"), FALLS)
async def test_who_has_just_lost_the_right_operates_no_more(
    house: Stage, fall: Fall, answer: str, told: str, deed: str
) -> None:
    """Otto has frozen submissions a second ago; then he is an operator no more, and nothing that he types counts."""
    assert told
    change = await house.ask(NUMBER)
    await house.command("freeze a test", by=house.otto)

    fall(house, "U0OTTO")
    said = await house.command(deed, by=house.otto)

    assert (answer in said) or (f"Only the requester or an operator can cancel CHG-{change}" in said)
    assert "Awaiting approval" in house.read(house.card(change))
    assert "Submissions are already frozen" in await house.command("freeze again", by=house.mia)
    await house.quiet()
    assert [file.name for file in house.slack.files] == [f"CHG-{change}-plan.csv"]


async def test_who_may_not_ask_any_more_lets_nothing_go_on(idle: Stage) -> None:
    """The requester of a paused change was taken off the list: the rest is not hers to send, but hers to stop."""
    idle.slack.add_usergroup("S0OPS", handle="ops", members=["U0ANA"])
    await idle.start(LINESMAN_REQUESTERS="S0OPS")
    change = await paused(idle, numbers_of(idle, 4))

    idle.slack.workspace.usergroups["S0OPS"].members.clear()

    assert "you are not one of the requesters" in await press(idle, "go_on", change, idle.ana)
    assert len(idle.telnyx.jobs) == 1
    assert "2 numbers will not be sent" in await press(idle, "stop_rest", change, idle.ana)
    await idle.ended(change)


async def test_a_guest_cancels_not_even_their_own(house: Stage) -> None:
    """Whoever became a guest after asking has no say any more; while Slack says nothing, the brake works."""
    change = await house.ask(NUMBER)
    house.ana.profile.guest = True
    assert "Guests of this workspace may not cancel changes" in await house.command(f"cancel CHG-{change}")

    house.slack.faults.add(method="users.info", kind="status", status=503, times=5)

    assert "is cancelled" in await house.command(f"cancel CHG-{change}")


@pytest.mark.parametrize(("fall", "answer", "told"), FALLS)
async def test_an_approval_of_somebody_who_is_no_approver_any_more_does_not_count_for_the_next(
    idle: Stage, fall: Fall, answer: str, told: str
) -> None:
    """Two approvals are needed. The first one lapses; the second says so, and a third one is needed."""
    assert answer
    idle.slack.add_usergroup(GROUP, handle="managers", members=["U0MAX", "U0OTTO"])
    idle.telnyx.add_number(NUMBER)
    await idle.start(LINESMAN_APPROVERS=f"{GROUP},U0MIA", LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(NUMBER)
    await idle.approve(change, by=idle.max)

    fall(idle, "U0MAX")
    said = await idle.approve(change, by=idle.mia)

    assert "Approved. The approval of Max no longer counts: Max " in said
    assert told in said
    assert "needs 1 more approval" in said
    await idle.slack.wait_for(lambda: "1 of 2: @Max approved (no longer counts: @Max" in idle.read(idle.card(change)))
    assert idle.created() == []
    assert "That was the last approval needed" in await idle.approve(change, by=idle.otto)
    await idle.ended(change)
    assert idle.outcomes(change) == {"verified": 1}


async def test_an_approver_who_comes_back_approves_again(idle: Stage) -> None:
    """An approval that has lapsed is in nobody's way: the same person can give it anew."""
    idle.slack.add_usergroup(GROUP, handle="managers", members=["U0MAX"])
    idle.telnyx.add_number(NUMBER)
    await idle.start(LINESMAN_APPROVERS=f"{GROUP},U0MIA", LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(NUMBER)
    await idle.approve(change, by=idle.max)
    leaves_the_group(idle, "U0MAX")
    await idle.approve(change, by=idle.mia)

    idle.slack.workspace.usergroups[GROUP].members.append("U0MAX")

    assert "That was the last approval needed" in await idle.approve(change, by=idle.max)
    await idle.ended(change)
    assert "2 of 2" in idle.read(idle.card(change))


@pytest.mark.parametrize(("fall", "answer", "told"), FALLS)
async def test_a_change_does_not_start_on_an_approval_that_has_lapsed(
    house: Stage, fall: Fall, answer: str, told: str
) -> None:
    """Approved for tomorrow by somebody who is no approver tomorrow: nothing is sent, and all who care are told."""
    assert answer
    change = await house.ask(NUMBER, start="in 20 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")

    fall(house, "U0MAX")
    house.clock.advance(21 * 3600)
    await card_says(house, change, "Cancelled")
    await house.quiet()

    assert house.created() == []
    lapsed = f"The approval of Max no longer counts: Max {told}"
    assert lapsed in house.read(house.card(change))
    assert "1 approval is needed and 0 count, so nothing was sent." in house.thread(change)[-1]
    assert [lapsed in said for said in house.failures()] == [True]
    assert "plan_again" in house.buttons(house.card(change))
    assert "An approval no longer counts" in await house.command(f"status CHG-{change}")
    assert "CHG-1" not in await house.command("locks")


async def test_what_follows_the_canary_is_not_sent_on_an_approval_that_has_lapsed(house: Stage) -> None:
    """The first two numbers are changed when the approver leaves; the rest is not attempted, and that is told."""
    house.telnyx.add_numbers(2, start="+13035550002")
    numbers = [f"+1303555000{index}" for index in range(4)]
    house.telnyx.job_seconds = 60
    change = await started(house, numbers)
    await house.slack.wait_for(lambda: house.telnyx.jobs, what="the first job")

    leaves_the_group(house, "U0MAX")
    house.telnyx.advance(60)
    await house.ended(change)

    assert house.outcomes(change) == {"verified": 2, "not_attempted": 2}
    assert len(house.telnyx.jobs) == 1
    assert any("Max is no longer an approver" in said for said in house.failures())


async def test_what_follows_the_canary_waits_while_slack_does_not_say_who_approved(house: Stage) -> None:
    """Slack's silence is nobody's fault here: the thread says it once, and the rest follows when Slack speaks again."""
    house.telnyx.add_numbers(2, start="+13035550002")
    house.telnyx.job_seconds = 60
    change = await started(house, [f"+1303555000{index}" for index in range(4)])
    await house.slack.wait_for(lambda: house.telnyx.jobs, what="the first job")
    silent = house.slack.faults.add(method="users.info", kind="status", status=503, times=1000)

    house.telnyx.advance(60)
    await house.slack.wait_for(lambda: any("Slack cannot confirm right now" in line for line in house.thread(change)))
    left = silent.times
    house.clock.advance(60)
    await house.slack.wait_for(lambda: silent.times < left, what="another look")
    assert "in a row" not in (await house.get("/readyz"))[1]
    assert len(house.telnyx.jobs) == 1

    silent.times = 0
    house.clock.advance(60)
    await house.slack.wait_for(lambda: len(house.telnyx.jobs) == 2, what="the rest")
    house.telnyx.advance(60)
    await house.ended(change)

    assert house.outcomes(change) == {"verified": 4}
    assert sum("Slack cannot confirm right now" in line for line in house.thread(change)) == 1


async def test_a_change_waits_while_slack_does_not_say_who_approved(house: Stage) -> None:
    """Nobody knows then whether the approval counts: nothing is sent, the thread says so, and it starts later."""
    change = await house.ask(NUMBER, start="in 20 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")
    silent = house.slack.faults.add(method="users.info", kind="status", status=503, times=1000)

    house.clock.advance(21 * 3600)
    await house.slack.wait_for(lambda: any("Slack cannot confirm right now" in line for line in house.thread(change)))
    assert house.created() == []
    silent.times = 0
    house.clock.advance(60)
    await house.ended(change)

    assert house.outcomes(change) == {"verified": 1}
    assert sum("Slack cannot confirm right now" in line for line in house.thread(change)) == 1


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("users.info", "Slack did not confirm who you are, so nothing was done. Try again in 60 minutes."),
        ("usergroups.users.list", "so you may not approve or reject changes right now. Try again in 60 minutes."),
    ],
)
async def test_a_decision_for_which_slack_has_no_time_is_none(house: Stage, method: str, says: str) -> None:
    """Slack asks to wait for an hour: nobody decides on what was known before, and whoever clicks hears how long."""
    first, change = await house.ask(NUMBER), await house.ask(MORE)
    await house.approve(first)
    limit = house.slack.faults.add(method=method, kind="rate_limited", retry_after=3600, times=1000)

    assert says in await house.approve(change)
    assert "Awaiting approval" in house.read(house.request_card(change))
    limit.times = 0
    house.clock.advance(3600)
    assert "That was the last approval needed" in await house.approve(change, by=house.mia)


async def test_a_decision_waits_while_slack_asks_for_a_moment(house: Stage) -> None:
    """Slack asks to wait for a second: the click is worked on after it, and counts."""
    change = await house.ask(NUMBER)
    house.slack.faults.add(method="usergroups.users.list", kind="rate_limited", retry_after=1)

    assert "That was the last approval needed" in await house.approve(change)


async def test_many_clicks_share_their_looks(house: Stage) -> None:
    """Thirty people who are no approvers click at once: all are answered, and Slack's limit for groups is kept."""
    crowd = [house.slack.add_person(f"U0CROWD{index}", name=f"Crowd {index}") for index in range(30)]
    for channel in house.slack.workspace.channels.values():
        channel.members += [person.id for person in crowd]
    change = await house.ask(NUMBER)
    house.slack.enforce_rate_limits = True

    await asyncio.gather(*(person.click("approve", message=house.request_card(change)) for person in crowd))
    await house.slack.wait_for(lambda: all(house.slack.ephemerals(person.id) for person in crowd), what="all answers")

    said = {house.read(house.slack.ephemerals(person.id)[-1]) for person in crowd}
    looks = [call for call in house.slack.calls if call.method == "usergroups.users.list"]
    assert all("you are not one of the approvers" in each for each in said)
    assert len(looks) < 20
    assert {call.error for call in looks} == {None}
    assert house.slack.messages(FAILURES) == []
