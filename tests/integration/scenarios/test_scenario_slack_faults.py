"""Bad days at Slack: answers lost, refused, postponed. Nothing is told twice, and no number waits for a message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack import FaultKind
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage
from tests.integration.scenarios.steps import card_says

MESSAGES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "card": lambda call: call.get("channel") == OPS and not call.get("thread_ts"),
    "request": lambda call: call.get("channel") == APPROVALS,
    "line": lambda call: bool(call.get("thread_ts")),
    "notice": lambda call: call.get("channel") == FAILURES,
}


async def failing_change(stage: Stage) -> int:
    """Take a change of three numbers, one of which fails, to its end."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(numbers[0])
    return await stage.run(numbers)


def assert_told_whole(stage: Stage, change: int) -> None:
    """Check that the whole story of a change with a failed number is told, each part once."""
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    lines = stage.thread(change)
    assert [any(word in line for line in lines) for word in ("Approved", "1 job is at", "Done", ".csv")] == [True] * 4
    assert "Partly failed" in stage.read(stage.card(change))
    assert stage.buttons(stage.request_card(change)) == []
    assert len(stage.slack.messages(OPS)) == 1
    assert len(stage.slack.messages(APPROVALS)) == 1
    assert len(stage.slack.messages(FAILURES)) == 1
    stage.assert_nothing_doubled()


@pytest.mark.parametrize(
    ("message", "kind"), [*((message, "drop_after") for message in MESSAGES), ("card", "drop_before")]
)
async def test_a_message_whose_posting_was_not_answered_is_there_once(
    stage: Stage, message: str, kind: FaultKind
) -> None:
    """Whether it arrived is looked up before it is posted again."""
    fault = stage.slack.faults.add(method="chat.postMessage", kind=kind, where=MESSAGES[message])

    change = await failing_change(stage)

    assert fault.fired == 1
    assert_told_whole(stage, change)


@pytest.mark.parametrize("message", ["card", "request", "notice"])
async def test_asked_to_slow_down_while_it_is_looked_for_a_message_is_there_once(stage: Stage, message: str) -> None:
    """A 429 for the search says nothing about the message: it is looked for again before it is posted again."""
    stage.slack.faults.add(method="chat.postMessage", kind="drop_after", where=MESSAGES[message])
    search = stage.slack.faults.add(method="conversations.history", kind="rate_limited", times=2)

    change = await failing_change(stage)

    assert search.fired == 2
    assert_told_whole(stage, change)


async def test_a_request_that_was_decided_before_it_was_found_loses_its_buttons(stage: Stage) -> None:
    """Found late, a request for approval is brought up to date: what happened meanwhile is shown on it."""
    stage.slack.faults.add(method="chat.postMessage", kind="drop_after", where=MESSAGES["request"])
    stage.slack.faults.add(method="conversations.history", kind="status", times=3)
    stage.telnyx.add_number("+13035550000")

    change = await stage.run("+13035550000")

    assert stage.buttons(stage.request_card(change)) == []
    assert "@Max approved" in stage.read(stage.request_card(change))
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "files.getUploadURLExternal"])
async def test_when_slack_asks_to_slow_down_everything_is_told_later(stage: Stage, method: str) -> None:
    """A 429 postpones a message and loses none."""
    fault = stage.slack.faults.add(method=method, kind="rate_limited", times=2, retry_after=1)

    change = await failing_change(stage)

    assert fault.fired == 2
    assert_told_whole(stage, change)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("files.getUploadURLExternal", "status"),
        ("upload", "drop_after"),
        ("files.completeUploadExternal", "drop_before"),
        ("files.completeUploadExternal", "drop_after"),
    ],
)
async def test_an_interrupted_upload_ends_with_one_sheet(stage: Stage, method: str, kind: FaultKind) -> None:
    """The results sheet is in the thread once, wherever the upload was interrupted."""
    fault = stage.slack.faults.add(method=method, kind=kind)

    change = await failing_change(stage)

    assert fault.fired == 1
    assert_told_whole(stage, change)


async def test_a_card_cannot_go_where_the_bot_is_not(stage: Stage) -> None:
    """Started in a channel without the bot, a change has its card in the approval channel, and is told there."""
    stage.slack.workspace.channels[OPS].bot_is_member = False
    stage.telnyx.add_number("+13035550000")

    change = await stage.run("+13035550000")

    assert stage.card(change).channel == APPROVALS
    assert stage.slack.messages(OPS) == []
    assert any("Done" in line for line in stage.thread(change))
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("kind", ["rate_limited", "status", "malformed"])
async def test_a_card_stays_where_the_change_was_asked_for_when_slack_does_not_answer(
    stage: Stage, kind: FaultKind
) -> None:
    """Slack not saying just now whether the bot is in the channel does not move the card to the approval channel."""
    stage.telnyx.add_number("+13035550000")
    fault = stage.slack.faults.add(method="conversations.info", kind=kind)

    change = await stage.run("+13035550000")

    assert fault.fired == 1
    assert stage.card(change).channel == OPS


async def test_a_bot_that_is_sent_away_before_the_card_takes_it_to_the_approval_channel(stage: Stage) -> None:
    """When Slack refuses the card's channel after all, the card moves to the approval channel."""
    stage.telnyx.add_number("+13035550000")

    def archived(call: dict[str, Any]) -> bool:
        if MESSAGES["card"](call):
            stage.slack.workspace.channels[OPS].archived = True
        return False

    stage.slack.faults.add(method="chat.postMessage", kind="error", where=archived)

    change = await stage.run("+13035550000")

    assert stage.card(change).channel == APPROVALS
    assert any("Done" in line for line in stage.thread(change))


@pytest.mark.parametrize("error", ["is_archived", "internal_error"])
async def test_a_failure_channel_that_is_shut_stops_nothing(stage: Stage, error: str) -> None:
    """When the failure channel takes nothing, the work and the rest of the story go on."""
    stage.slack.faults.add(method="chat.postMessage", kind="error", error=error, times=99, where=MESSAGES["notice"])
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(numbers[0])
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: stage.file(change), what="the results")
    await card_says(stage, change, "Partly failed")

    assert stage.outcomes(change) == {"verified": 2, "failed": 1}


async def test_no_work_waits_for_slack(stage: Stage) -> None:
    """With Slack refusing every message after the approval, the job is made and watched to its end all the same."""
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask(number.phone_number)
    for method in ("chat.postMessage", "chat.update"):
        stage.slack.faults.add(method=method, kind="error", error="fatal_error", times=9999)

    await stage.approve(change)

    await stage.telnyx.wait_for(lambda: number.customer_reference == "Denver" and stage.telnyx.jobs)
    await stage.telnyx.wait_for(
        lambda: any(call.method == "GET" and "/jobs/" in call.path for call in stage.telnyx.calls)
    )


async def test_a_modal_that_was_closed_while_planning_is_no_trouble(stage: Stage) -> None:
    """Closing the modal before the plan is there ends the reading, which asks no more; the next change works."""
    stage.telnyx.add_number("+13035550000")
    await stage.open("update")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")
    asked = len(stage.telnyx.calls)
    held = stage.telnyx.faults.add(path="/phone_numbers*", kind="hold", times=None)
    await stage.send()
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.calls) > asked)

    await stage.ana.close()
    await stage.quiet()

    assert len(stage.telnyx.calls) == asked + 1
    held.let_go()
    assert "There are no changes yet" in await stage.command("list")
    assert "Request approval" in stage.read(await stage.propose("+13035550000"))


async def test_a_plan_whose_modal_is_gone_without_a_word_is_forgotten(stage: Stage) -> None:
    """When Slack refuses to show the plan, because the modal is gone, the plan expires like any other."""
    stage.telnyx.add_number("+13035550000")
    await stage.open("update")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")
    stage.slack.faults.add(method="views.update", kind="error", error="not_found")
    await stage.send()
    await stage.quiet()
    assert "Planned" in await stage.command("status CHG-1")

    stage.clock.advance(3601)

    async def status() -> str:
        return await stage.command("status CHG-1")

    async with asyncio.timeout(60):
        while "Discarded" not in await status():  # noqa: ASYNC110 - only another look can tell
            await asyncio.sleep(0.05)
    assert stage.slack.messages(APPROVALS) == []


async def test_a_form_that_cannot_be_opened_is_answered(stage: Stage) -> None:
    """When Slack refuses the modal, the person is told below the command."""
    stage.slack.faults.add(method="views.open", kind="error", error="expired_trigger_id")

    assert "Nothing happened; try again." in await stage.command("update")


@pytest.mark.parametrize("kind", ["drop_before", "rate_limited"])
async def test_a_form_that_could_not_be_redrawn_at_once_keeps_what_was_typed(stage: Stage, kind: FaultKind) -> None:
    """A hiccup while the form takes another shape loses nothing that was typed."""
    await stage.open("update")
    await stage.ana.type("numbers:0", "+13035550000")
    await stage.ana.type("reason", "Because")
    stage.slack.faults.add(method="views.update", kind=kind, retry_after=1)

    view = await stage.choose(["customer_reference"])

    assert view.form.slot("numbers:0").value == "+13035550000"
    assert view.form.slot("reason").value == "Because"


async def test_an_approval_stands_even_if_the_manager_cannot_be_answered(stage: Stage) -> None:
    """The decision is in the database before the answer is tried."""
    number = stage.telnyx.add_number("+13035550000")
    change = await stage.ask(number.phone_number)
    stage.slack.faults.add(method="response_url", kind="status", status=500, times=9)

    await stage.max.click("approve", message=stage.request_card(change))
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1}


async def test_deleted_messages_do_not_stop_the_story(stage: Stage) -> None:
    """When somebody deletes both cards, the numbers are still changed and failures still told."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    stage.telnyx.fail(numbers[0])
    change = await stage.ask(numbers)
    old = stage.request_card(change).snapshot()
    await stage.answered(stage.max, stage.max.click("approve", message=old))
    stage.card(change).deleted = True
    stage.request_card(change).deleted = True

    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice of the failure")
    await stage.quiet()

    assert "1 of 2 numbers failed" in stage.failures()[0]
