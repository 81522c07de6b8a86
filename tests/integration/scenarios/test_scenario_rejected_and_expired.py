"""Requests that end without being carried out: rejected, expired, decided too late."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.scenarios.stage import APPROVALS, FAILURES, Stage

DAY = 86_400


async def reject(stage: Stage, change: int, why: str) -> None:
    """Let Max reject the change."""
    await stage.max.click("reject", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", why)
    await stage.send(by=stage.max)
    await stage.quiet()


async def test_a_rejection_says_why_and_nothing_is_sent(stage: Stage) -> None:
    """The reason reaches the requester in the thread, both cards say who, the buttons are gone, nothing was sent."""
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask(number.phone_number)

    await reject(stage, change, "Wait until\nMonday")

    assert "You rejected CHG-1." in stage.modal(stage.max)
    [_plan, line] = stage.thread(change)
    assert "Rejected by @Max" in line
    assert "Wait until Monday" in line
    assert "Nothing was changed" in line
    request = stage.request_card(change)
    assert stage.buttons(request) == []
    assert "Rejected by @Max" in stage.read(request)
    assert "@Max rejected" in stage.read(stage.card(change))
    assert stage.created() == []
    assert number.customer_reference is None


async def test_the_rejected_requester_is_notified(stage: Stage) -> None:
    """The line about the rejection mentions the requester, who would not see it otherwise."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")

    await reject(stage, change, "No")

    card = stage.card(change)
    [_plan, line] = stage.slack.thread(card.channel, card.ts)[1:]
    assert "U0ANA" in line.mentions.users


async def test_a_request_that_nobody_decides_expires(stage: Stage) -> None:
    """After its time the buttons are gone, both cards say Expired, and thread and failure channel are told once."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")

    stage.clock.advance(DAY - 60)
    await stage.quiet()
    assert "Awaiting approval" in stage.read(stage.card(change))
    stage.clock.advance(61)
    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice of the expiry")
    await stage.quiet()

    request = stage.request_card(change)
    assert "Expired" in stage.read(request)
    assert stage.buttons(request) == []
    assert "Expired" in stage.read(stage.card(change))
    [_plan, line] = stage.thread(change)
    assert "Expired: nobody decided in time" in line
    [notice] = stage.slack.messages(FAILURES)
    assert "CHG-1 expired" in stage.read(notice)
    assert notice.mentions.users == {"U0ANA"}
    assert stage.created() == []


async def test_a_click_after_the_time_expires_the_request(stage: Stage) -> None:
    """The click itself is checked against the time, whether or not the expiry has been carried out already."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    stage.clock.advance(DAY + 1)

    answer = await stage.approve(change)
    await stage.quiet()

    assert "expired" in answer
    assert "Expired" in stage.read(stage.card(change))
    assert len(stage.slack.messages(FAILURES)) == 1
    assert stage.created() == []


@pytest.mark.parametrize("end", ["rejected", "expired", "finished"])
async def test_a_late_approval_is_answered(stage: Stage, end: str) -> None:
    """Approving from an old card after a rejection, an expiry or the end is answered with what happened."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    old = stage.request_card(change).snapshot()
    match end:
        case "rejected":
            await reject(stage, change, "No")
        case "expired":
            stage.clock.advance(DAY + 1)
            await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES))
        case _:
            await stage.approve(change, by=stage.mia)
            await stage.ended(change)
    jobs = len(stage.created())

    answer = await stage.answered(stage.max, stage.max.click("approve", message=old))

    assert f"CHG-1 is already {end}, so there is nothing left to decide" in answer
    assert len(stage.created()) == jobs


async def test_a_rejection_that_comes_too_late_is_answered_in_its_modal(stage: Stage) -> None:
    """Who was still typing why when somebody else approved reads so in the modal, and keeps what was typed."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.max.click("reject", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "Too risky")
    await stage.approve(change, by=stage.mia)

    await stage.send(by=stage.max)
    await stage.ended(change)

    assert "so there is nothing left to decide" in stage.modal(stage.max)
    assert "Too risky" in stage.modal(stage.max)
    assert stage.outcomes(change) == {"verified": 1}


async def test_a_rejection_that_is_sent_off_twice_counts_once(stage: Stage) -> None:
    """The second answer finds another modal than the one that was sent off, and says what became of the change."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.max.click("reject", message=stage.request_card(change))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "Too risky")

    await asyncio.gather(stage.max.submit(), stage.max.submit())
    await stage.quiet()

    assert "You rejected CHG-1." in stage.modal(stage.max) or "already rejected" in stage.modal(stage.max)
    assert sum("Rejected by @Max" in line for line in stage.thread(change)) == 1
    assert stage.slack.complaints == []


async def test_a_plan_that_nobody_requests_is_forgotten(stage: Stage) -> None:
    """A preview left open for hours says that it is over, and its button asks for nothing."""
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000")

    stage.clock.advance(3601)
    await stage.ana.wait_for_view(lambda view: "Nobody requested approval" in stage.read(view))

    assert "Edit" in stage.modal()
    assert stage.slack.messages(APPROVALS) == []
