"""A word with an approval: shown wherever the approval is, kept with it, and nothing but a word."""

from __future__ import annotations

import asyncio
import json

from bot.sandbox.slack import SlackUser, View
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import TO_DECIDE

ONE = "+13035550000"
WORD = "Agreed with *support*, <!channel>"


async def open_form(stage: Stage, change: int, by: SlackUser) -> View:
    """Press "Approve with comment…" and return the modal."""
    await by.click("approve_with_comment", message=stage.request_card(change))
    return await by.wait_for_view(lambda view: view.callback_id == "approval")


async def approve(stage: Stage, change: int, comment: str, *, by: SlackUser) -> None:
    """Approve with a comment."""
    await open_form(stage, change, by)
    await by.type("comment", comment)
    await stage.send(by=by)


async def test_a_comment_is_shown_and_kept(stage: Stage) -> None:
    """Card, request, thread and history show it as it was typed, and the exported audit log has it whole."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    view = await open_form(stage, change, stage.max)
    assert "1 number will be changed exactly as shown, starting now." in stage.read(view)
    await stage.max.type("comment", f"{WORD}\nand sales")
    await stage.send(by=stage.max)
    await stage.ended(change)

    assert "That was the last approval needed: CHG-1 starts now." in stage.modal(stage.max)
    said = "💬 @Max: Agreed with *support*, <!channel> and sales"
    assert said in stage.read(stage.card(change))
    assert said in stage.read(stage.request_card(change))
    [line] = [line for line in stage.thread(change) if "🟢 Approved (1 of 1: @Max approved). Starting now." in line]
    assert said in line
    assert "Approved: Agreed with *support*, <!channel> and sales · @Max" in await stage.command("status CHG-1")
    assert all(message.mentions.broadcasts == frozenset() for message in stage.everything())

    await stage.command("export 2020-01-01 jsonl", by=stage.otto)
    exported = [json.loads(line) for line in stage.slack.files[-1].content.splitlines()]
    [approved] = [event for event in exported if event["what"] == "approved"]
    assert approved["details"]["comment"] == f"{WORD} and sales"


async def test_words_that_may_have_been_cut_off_decide_nothing(stage: Stage) -> None:
    """A comment that fills its box is refused at the box, and the request waits on."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await open_form(stage, change, stage.max)
    await stage.max.type("comment", "x" * 501)

    assert "Keep it under 501 characters" in (await stage.refused(by=stage.max))["comment"]
    await stage.quiet()

    assert stage.buttons(stage.request_card(change)) == TO_DECIDE
    assert stage.created() == []


async def test_every_approver_may_say_something(idle: Stage) -> None:
    """The first one's words are read before the second one decides; who says nothing has no line."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(ONE)

    await approve(idle, change, "Only after six", by=idle.max)
    assert "CHG-1 needs 1 more approval, from somebody else." in idle.modal(idle.max)
    await idle.slack.wait_for(lambda: "💬 @Max: Only after six" in idle.read(idle.request_card(change)))
    await idle.approve(change, by=idle.mia)
    await idle.ended(change)

    shown = idle.read(idle.card(change))
    assert "2 of 2: @Max approved, @Mia approved" in shown
    assert shown.count("💬") == 1


async def test_a_comment_is_not_taken_for_why_somebody_else_rejects(idle: Stage) -> None:
    """Both are shown as what they are, and the thread says why it was rejected."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(ONE)
    await approve(idle, change, "Fine with me", by=idle.max)

    await idle.mia.click("reject", message=idle.request_card(change))
    await idle.mia.wait_for_view(lambda view: view.callback_id == "rejection")
    await idle.mia.type("why", "Not with me")
    await idle.send(by=idle.mia)
    await idle.quiet()

    request = idle.read(idle.request_card(change))
    assert "💬 @Max: Fine with me" in request
    assert "Rejected by @Mia: Not with me" in request
    assert "⛔ Rejected by @Mia: Not with me Nothing was changed." in idle.thread(change)[-1]


async def test_a_comment_of_blanks_is_none(stage: Stage) -> None:
    """The approval counts, and nothing is shown of it."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await approve(stage, change, " \n ", by=stage.max)
    await stage.ended(change)

    assert "💬" not in stage.read(stage.card(change))
    assert stage.outcomes(change) == {"verified": 1}


async def test_whoever_may_not_approve_gets_no_form(stage: Stage) -> None:
    """They read why in its place, as at the button that asks for nothing."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)

    await stage.sam.click("approve_with_comment", message=stage.request_card(change))

    await stage.sam.wait_for_view(lambda view: "you are not one of the approvers" in stage.read(view))
    assert stage.created() == []


async def test_a_comment_that_comes_too_late_is_given_back(stage: Stage) -> None:
    """Who was still typing when somebody else rejected reads so, and what they typed approves nothing."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE)
    await open_form(stage, change, stage.max)
    await stage.max.type("comment", "Fine with me")
    await stage.mia.click("reject", message=stage.request_card(change))
    await stage.mia.wait_for_view(lambda view: view.callback_id == "rejection")
    await stage.mia.type("why", "Not today")
    await stage.send(by=stage.mia)

    await stage.send(by=stage.max)
    await stage.quiet()

    assert "is already rejected, so there is nothing left to decide" in stage.modal(stage.max)
    assert "Fine with me" in stage.modal(stage.max)
    assert stage.created() == []


async def test_a_comment_that_is_sent_twice_counts_once(idle: Stage) -> None:
    """The answer to the first takes the input away, so the answer to the second must not look for it."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await idle.ask(ONE)
    await open_form(idle, change, idle.max)
    await idle.max.type("comment", "Only after six")

    idle.slack.workspace.ack_lag = 1.0
    first = asyncio.create_task(idle.max.submit())
    said = "💬 @Max: Only after six"
    await idle.slack.wait_for(lambda: said in idle.read(idle.request_card(change)), what="the first to count")
    await asyncio.gather(first, idle.max.submit())
    await idle.quiet()

    assert "You have already approved this change; somebody else must give the next" in idle.modal(idle.max)
    assert idle.read(idle.request_card(change)).count(said) == 1
    assert idle.slack.complaints == []


async def test_a_form_that_was_opened_before_the_start_approves_nothing_after_it(stage: Stage) -> None:
    """It said that the change starts later, so it cannot have it start at once; opened anew, it says so and may."""
    stage.telnyx.add_number(ONE)
    change = await stage.ask(ONE, start="in 1 hour")
    await open_form(stage, change, stage.max)
    await stage.max.type("comment", "Fine with me")
    stage.clock.advance(3600 + 600)

    await stage.send(by=stage.max)
    assert "passed after this was shown, so the change would start at once" in stage.modal(stage.max)
    assert stage.created() == []
    await stage.max.close(everything=True)
    await stage.quiet()

    view = await open_form(stage, change, stage.max)
    assert "starting at once, because the requested start" in stage.read(view)
    await stage.max.type("comment", "Fine with me")
    await stage.send(by=stage.max)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}
