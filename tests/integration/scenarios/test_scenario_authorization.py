"""Who may ask and who may approve: checked at the click, answered to whoever clicks, failing closed."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage


@pytest.mark.parametrize(
    ("who", "requesters", "says"),
    [
        ("sam", "U0ANA", "you are not one of the requesters"),
        ("gus", "*", "Guests of this workspace may not request changes"),
        ("fay", "*", "People from another workspace may not request changes"),
        ("ana", "", "the list of requesters is empty"),
        ("gus", "U0GUS", "Guests of this workspace may not request changes"),
        ("fay", "U0FAY", "People from another workspace may not request changes"),
    ],
)
async def test_who_may_not_ask_is_told_in_the_modal(idle: Stage, who: str, requesters: str, says: str) -> None:
    """Strangers, guests and people from elsewhere get a sentence in place of the form, even when a list names them."""
    await idle.start(LINESMAN_REQUESTERS=requesters)
    person = getattr(idle, who)

    await person.command("/numbers", "update", channel="C0OPS")
    await person.wait_for_view(lambda view: view.callback_id == "notice")

    assert says in idle.modal(person)


async def test_a_deactivated_person_may_not_ask(stage: Stage) -> None:
    """An account that was switched off starts nothing, whatever the lists say."""
    stage.ana.profile.deleted = True

    await stage.ana.command("/numbers", "update", channel="C0OPS")
    await stage.ana.wait_for_view(lambda view: view.callback_id == "notice")

    assert "A deactivated Slack account may not request changes" in stage.modal()


async def test_without_approvers_nothing_can_be_asked_for(idle: Stage) -> None:
    """An empty list of approvers approves nothing, and the requester hears it before anybody waits."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS="")
    await idle.propose("+13035550000")

    await idle.send()

    assert "Nobody could approve this" in idle.modal()
    assert "LINESMAN_APPROVERS" in idle.modal()
    assert idle.slack.messages(APPROVALS) == []


async def test_a_request_that_only_its_requester_could_approve_is_not_made(idle: Stage) -> None:
    """A list of approvers that names only the requester is as good as empty for their changes."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS="U0ANA")
    await idle.propose("+13035550000")

    await idle.send()

    assert "Nobody could approve this" in idle.modal()


@pytest.mark.parametrize(
    ("approvers", "required", "says"),
    [
        pytest.param("U0MAX", "2", "it needs 2 approvals, and only 1 person besides you may give one", id="one of two"),
        pytest.param("U0MAX,U0ANA", "2", "and only 1 person besides you may give one", id="one of two besides herself"),
        pytest.param("U0MAX,U0MIA", "3", "and only 2 people besides you may give one", id="two of three"),
    ],
)
async def test_a_request_that_too_few_people_could_approve_is_not_made(
    idle: Stage, approvers: str, required: str, says: str
) -> None:
    """It would hold its numbers until it expires, and nobody could do anything about it."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS=approvers, LINESMAN_APPROVALS_REQUIRED=required)
    await idle.propose("+13035550000")

    await idle.send()

    assert f"This could never be approved: it needs {required} approvals" in idle.modal()
    assert says in idle.modal()
    assert "LINESMAN_APPROVERS" in idle.modal()
    assert idle.slack.messages(APPROVALS) == []
    assert await idle.command("locks") == "No numbers are locked."


async def test_nobody_is_said_to_be_missing_from_a_group(idle: Stage) -> None:
    """Who is in a user group may be another person by the time somebody clicks, so the request is made."""
    idle.slack.add_usergroup("S0MANAGERS", handle="managers", members=["U0MAX"])
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS="S0MANAGERS", LINESMAN_APPROVALS_REQUIRED="2")

    change = await idle.ask("+13035550000")

    assert "0 of 2" in idle.read(idle.request_card(change))


async def test_members_of_a_group_may_approve_and_others_may_not(idle: Stage) -> None:
    """A user group stands for its members at the moment of the click; the request mentions the group."""
    idle.slack.add_usergroup("S0MANAGERS", handle="managers", members=["U0MAX"])
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS="S0MANAGERS")
    change = await idle.ask("+13035550000")
    assert idle.request_card(change).mentions.groups == {"S0MANAGERS"}

    assert "you are not one of the approvers" in await idle.approve(change, by=idle.mia)
    assert "That was the last approval needed" in await idle.approve(change, by=idle.max)

    await idle.ended(change)
    assert idle.outcomes(change) == {"verified": 1}


async def test_a_group_that_cannot_be_read_approves_nothing(idle: Stage) -> None:
    """When Slack does not say who is in the group, nobody is, and the person is told to try again."""
    idle.slack.add_usergroup("S0MANAGERS", handle="managers", members=["U0MAX"])
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS="S0MANAGERS")
    change = await idle.ask("+13035550000")
    idle.slack.faults.add(method="usergroups.users.list", kind="status", status=503)

    answer = await idle.approve(change)

    assert "Slack did not say who is in the user groups of the approvers" in answer
    assert "Awaiting approval" in idle.read(idle.request_card(change))
    assert "That was the last approval needed" in await idle.approve(change)


async def test_a_person_whom_slack_does_not_describe_decides_nothing(stage: Stage) -> None:
    """When Slack does not say who clicked, the click counts for nothing and is answered."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    stage.slack.faults.add(method="users.info", kind="status", status=503)

    answer = await stage.approve(change)

    assert "Slack did not confirm who you are, so nothing was done" in answer
    assert stage.created() == []


@pytest.mark.parametrize(
    ("who", "approvers", "says"),
    [
        ("ana", "U0ANA,U0MAX", "You requested this change, so somebody else must approve it"),
        ("sam", "U0MAX", "you are not one of the approvers"),
        ("gus", "U0GUS,U0MAX", "Guests of this workspace may not approve"),
        ("fay", "U0FAY,U0MAX", "People from another workspace may not approve"),
    ],
)
async def test_who_may_not_decide_is_told_and_nothing_happens(idle: Stage, who: str, approvers: str, says: str) -> None:
    """The requester, strangers, guests and people from elsewhere get an answer; the request stays open."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVERS=approvers)
    change = await idle.ask("+13035550000")
    person = getattr(idle, who)

    assert says in await idle.approve(change, by=person)
    await person.click("reject", message=idle.request_card(change))
    await person.wait_for_view(lambda view: says in idle.read(view))  # the requester has another notice open before

    assert idle.buttons(idle.request_card(change)) == [
        "approve",
        "approve_with_comment",
        "reject",
        "ask_for_changes",
        "details",
    ]
    assert (await idle.command(f"status CHG-{change}")).count("Click refused") == 2
    assert idle.created() == []


async def test_two_approvals_have_to_come_from_two_people(idle: Stage) -> None:
    """The same person's second click does not count, a second person's does; the card counts along."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask("+13035550000")
    assert "0 of 2" in idle.read(idle.request_card(change))

    assert "needs 1 more approval, from somebody else" in await idle.approve(change, by=idle.max)
    assert "You have already approved this change" in await idle.approve(change, by=idle.max)
    await idle.slack.wait_for(lambda: "1 of 2: @Max approved" in idle.read(idle.request_card(change)))
    assert idle.created() == []
    assert "That was the last approval needed" in await idle.approve(change, by=idle.mia)
    await idle.ended(change)

    assert "2 of 2: @Max approved, @Mia approved" in idle.read(idle.card(change))
    assert len(idle.telnyx.jobs) == 1


async def test_who_approved_may_think_again_until_the_last_approval(idle: Stage) -> None:
    """With one of two approvals given, the same person's rejection ends the request."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask("+13035550000")
    await idle.approve(change, by=idle.max)

    await idle.max.click("reject", message=idle.request_card(change))
    await idle.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await idle.max.type("why", "On second thought, no")
    await idle.send(by=idle.max)
    await idle.quiet()

    assert "Rejected" in idle.read(idle.card(change))
    assert idle.created() == []


async def test_somebody_elses_plan_cannot_be_requested(stage: Stage) -> None:
    """A forged submission of another person's preview is answered with a sentence and asks for nothing."""
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000", by=stage.ana)
    view = stage.ana.view
    assert view is not None
    await stage.propose("+13035550000", by=stage.mia)
    forged = stage.mia.view
    assert forged is not None
    forged.content["private_metadata"] = view.private_metadata

    await stage.send(by=stage.mia)

    assert "CHG-1 is somebody else's plan" in stage.modal(stage.mia)
    assert stage.slack.messages(APPROVALS) == []
    assert stage.read(view).count("Request approval") == 1
