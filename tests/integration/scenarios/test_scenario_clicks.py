"""One click, one effect: across double clicks, repeated deliveries, several people at once and old cards."""

from __future__ import annotations

import asyncio
import copy

import pytest

from bot.sandbox.slack import Delivery, Message
from tests.integration.scenarios.stage import APPROVALS, Stage


@pytest.fixture
async def asked(stage: Stage) -> int:
    """Ask for a change of three numbers."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    return await stage.ask(numbers)


async def answers(stage: Stage, user: str, count: int) -> list[str]:
    """Return what a person was told, once there are ``count`` answers."""
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals(user)) >= count, what=f"{count} answers")
    return [stage.read(each) for each in stage.slack.ephemerals(user)]


def with_ticket(message: Message, ticket: str) -> Message:
    """Return a forged copy of a request for approval whose buttons carry another ticket."""
    forged = copy.deepcopy(message)
    for block in forged.blocks:
        for element in block.get("elements", []):
            if element.get("type") == "button":
                element["value"] = ticket
    return forged


async def assert_approved_once(stage: Stage, change: int) -> None:
    """Check that the change ran once and the one approval is told once."""
    await stage.ended(change)

    assert len(stage.telnyx.jobs) == 1
    assert sum("Approved" in line for line in stage.thread(change)) == 1
    assert "1 of 1: @" in stage.read(stage.card(change))
    stage.assert_nothing_doubled()


async def test_a_double_click_approves_once(stage: Stage, asked: int) -> None:
    """Two presses before the first answer make one decision and one job; both presses are answered."""
    await stage.max.double_click("approve", message=stage.request_card(asked))
    said = await answers(stage, "U0MAX", 2)

    assert sum("That was the last approval needed" in text for text in said) == 1
    await assert_approved_once(stage, asked)


async def test_two_managers_in_the_same_instant_approve_once(stage: Stage, asked: int) -> None:
    """Of two approvals at once one counts; the other manager is told that nothing is left to decide."""
    card = stage.request_card(asked)

    await asyncio.gather(stage.max.click("approve", message=card), stage.mia.click("approve", message=card))
    said = [*await answers(stage, "U0MAX", 1), *await answers(stage, "U0MIA", 1)]

    assert sum("That was the last approval needed" in text for text in said) == 1
    assert sum("already" in text for text in said) == 1
    await assert_approved_once(stage, asked)


async def test_an_approval_and_a_rejection_at_once_have_one_effect(stage: Stage, asked: int) -> None:
    """Whichever comes first decides; the change is carried out or not, and what both are told agrees with it."""
    card = stage.request_card(asked)
    await stage.mia.click("reject", message=card)
    await stage.mia.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.mia.type("why", "No")

    approved, _ = await asyncio.gather(stage.max.click("approve", message=card), stage.mia.submit())
    await stage.mia.wait_for_view(lambda view: view.callback_id == "notice")
    (told,) = await answers(stage, "U0MAX", 1)
    await stage.quiet()

    assert approved.error is None
    carried_out = len(stage.created()) == 1
    assert ("nothing left to decide" in stage.modal(stage.mia)) == carried_out
    assert ("That was the last approval needed" in told) == carried_out
    assert ("Rejected" in stage.read(stage.card(asked))) != carried_out


async def test_a_repeated_approval_has_one_effect(stage: Stage, asked: int) -> None:
    """When Slack delivers the same press again, nothing happens a second time."""
    press = await stage.max.click("approve", message=stage.request_card(asked))

    await stage.slack.redeliver(press)
    await stage.slack.redeliver(press)

    await assert_approved_once(stage, asked)


async def test_a_repeated_submission_of_the_form_makes_one_change(stage: Stage) -> None:
    """When Slack delivers the same form again, also at the same instant, there is one change."""
    stage.telnyx.add_number("+13035550000")
    await stage.open("update")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")
    sent = await stage.send()

    repeats = await asyncio.gather(*(stage.slack.redeliver(sent.delivery) for _ in range(3)))
    await stage.planned()
    change = await stage.request()
    again = await stage.propose("+13035550000")

    assert [repeat.error for repeat in repeats] == [None] * 3
    assert change == 1
    assert "CHG-2" in stage.read(again)


async def test_a_repeated_request_for_approval_asks_once(stage: Stage) -> None:
    """When Slack delivers "Request approval" again, there is one request and one card."""
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000")
    sent = await stage.send()

    repeats = await asyncio.gather(*(stage.slack.redeliver(sent.delivery) for _ in range(2)))
    await stage.quiet()

    assert [repeat.error for repeat in repeats] == [None] * 2
    assert len(stage.slack.messages(APPROVALS)) == 1
    stage.assert_nothing_doubled()


async def test_a_repeated_rejection_is_told_once(stage: Stage, asked: int) -> None:
    """When Slack delivers the rejection again, the thread has one line about it."""
    await stage.max.click("reject", message=stage.request_card(asked))
    await stage.max.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.max.type("why", "No")
    sent = await stage.send(by=stage.max)

    repeat: Delivery = await stage.slack.redeliver(sent.delivery)
    await stage.quiet()

    assert repeat.error is None
    assert sum("Rejected" in line for line in stage.thread(asked)) == 1


async def test_an_old_card_is_answered_by_what_is_true_now(stage: Stage, asked: int) -> None:
    """Who presses a card that they still see from before hears where the change is; nothing happens."""
    old = stage.request_card(asked).snapshot()
    await stage.approve(asked)
    await stage.ended(asked)

    await stage.mia.click("approve", message=old)
    said = await answers(stage, "U0MIA", 1)
    await stage.mia.click("reject", message=old)
    await stage.mia.wait_for_view(lambda view: view.callback_id == "notice")

    assert "CHG-1 is already finished, so there is nothing left to decide" in said[0]
    assert "CHG-1 is already finished" in stage.modal(stage.mia)
    await assert_approved_once(stage, asked)


async def test_a_button_for_another_plan_is_refused(stage: Stage, asked: int) -> None:
    """The digest on the button has to be that of the plan; an approval of anything else counts for nothing."""
    card = stage.request_card(asked)
    forged = with_ticket(card, f"{asked}:{'0' * 64}")

    answer = await stage.answered(stage.max, stage.max.click("approve", message=forged))

    assert "was replaced; decide on the newest request instead" in answer
    assert stage.buttons(stage.request_card(asked)) == [
        "approve",
        "approve_with_comment",
        "reject",
        "ask_for_changes",
        "details",
    ]
    assert stage.created() == []


async def test_a_button_with_a_broken_value_is_answered(stage: Stage, asked: int) -> None:
    """Whatever a button carries, the person gets an answer and nothing is decided."""
    card = stage.request_card(asked)

    for ticket in ("999:abc", "nonsense", "", ":", "1", "1e3:x"):
        forged = with_ticket(card, ticket)
        assert await stage.answered(stage.max, stage.max.click("approve", message=forged)), ticket

    assert stage.buttons(stage.request_card(asked)) == [
        "approve",
        "approve_with_comment",
        "reject",
        "ask_for_changes",
        "details",
    ]
    assert stage.created() == []


async def test_details_show_the_plan_and_its_history(stage: Stage, asked: int) -> None:
    """Anybody may look closer: the wanted values, before and after, and who did what."""
    await stage.otto.click("details", message=stage.request_card(asked))
    await stage.otto.wait_for_view(lambda view: view.callback_id == "details")

    shown = stage.modal(stage.otto)

    assert "Customer reference → Denver" in shown
    assert "+13035550000  Customer reference: (empty) → Denver" in shown
    assert "Approval requested · @Ana" in shown


async def test_an_unknown_button_is_answered(stage: Stage, asked: int) -> None:
    """A button of another version of Linesman is answered too."""
    forged = stage.request_card(asked).snapshot()
    for block in forged.blocks:
        for element in block.get("elements", []):
            if element.get("action_id") == "approve":
                element["action_id"] = "approve_everything"

    answer = await stage.answered(stage.max, stage.max.click("approve_everything", message=forged))

    assert "belongs to another version of Linesman" in answer
