"""When a place in Slack is lost, what was to be said there is seen somewhere else, and the work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack import Message
from bot.slack import web_api
from bot.workflow import delivery
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Clock, Stage, key_of
from tests.integration.scenarios.steps import card_says


async def running(stage: Stage, *, failing: bool = True) -> int:
    """Take a change of three numbers to where its job runs, and return its number."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    if failing:
        stage.telnyx.fail(numbers[0])
    stage.telnyx.job_seconds = 60
    change = await stage.ask(numbers)
    await stage.approve(change)
    await card_says(stage, change, "1 running")
    await stage.slack.wait_for(lambda: len(stage.thread(change)) >= 3, what="plan, approval and submission")
    return change


def cards(stage: Stage, change: int) -> list[Message]:
    """Return every card of the change that can be seen, wherever it is."""
    return [each for each in stage.everything() if key_of(each) == f"CHG-{change}:card" and not each.deleted]


def lose(stage: Stage, how: str, place: str) -> None:
    """Take a channel away from the bot."""
    if how == "archived":
        stage.slack.workspace.channels[place].archived = True
    else:
        stage.slack.workspace.channels[place].bot_is_member = False


LOST = pytest.mark.parametrize("how", ["archived", "sent away"])


@LOST
async def test_a_change_whose_channel_is_lost_goes_on_in_the_approval_channel(stage: Stage, how: str) -> None:
    """A new card with its thread and the results stands there, and the failure channel says why."""
    change = await running(stage)
    lose(stage, how, OPS)

    stage.telnyx.advance(60)
    await stage.ended(change)

    card = cards(stage, change)[-1]
    assert card.channel == APPROVALS
    lines = [stage.read(each) for each in stage.slack.thread(card.channel, card.ts)[1:]]
    assert "Partly failed" in stage.read(card)
    assert any("Done: 2 verified, 1 failed" in line for line in lines)
    assert any("results.csv" in line for line in lines)
    assert any("can no longer be shown in" in text and "@Ana" in text for text in stage.failures())
    assert any("1 of 3 numbers failed" in text for text in stage.failures())
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}


async def test_when_no_channel_is_left_the_requester_hears_in_private(stage: Stage) -> None:
    """With every channel lost, the card, its thread and the notice of the failure come as direct messages."""
    change = await running(stage)
    for place in (OPS, APPROVALS, FAILURES):
        lose(stage, "archived", place)

    stage.telnyx.advance(60)
    await stage.ended(change)

    card = cards(stage, change)[-1]
    private = [stage.read(each) for each in stage.slack.messages(card.channel)]
    assert card.channel.startswith("D")
    assert "Partly failed" in stage.read(card)
    assert any("1 of 3 numbers failed" in text for text in private)
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}


async def test_a_deleted_card_is_posted_anew_with_what_follows_below_it(stage: Stage) -> None:
    """Somebody deletes the card while the job runs: the end of the story is told below a new one."""
    change = await running(stage)
    cards(stage, change)[0].deleted = True

    stage.telnyx.advance(60)
    await stage.ended(change)

    (card,) = cards(stage, change)
    lines = [stage.read(each) for each in stage.slack.thread(card.channel, card.ts)[1:]]
    assert card.channel == OPS
    assert any("Done" in line for line in lines)
    assert "Partly failed" in stage.read(card)


async def test_a_card_that_is_deleted_again_and_again_is_not_posted_for_ever(stage: Stage) -> None:
    """It is posted anew three times; then it waits for somebody to see to it, which readiness says."""
    change = await running(stage)
    for word in ("freeze", "unfreeze", "freeze"):
        cards(stage, change)[0].deleted = True
        await stage.command(f"{word} carrier maintenance" if word == "freeze" else word, by=stage.otto)
        await stage.slack.wait_for(lambda: cards(stage, change), what="another card")

    cards(stage, change)[0].deleted = True
    await stage.command("unfreeze", by=stage.otto)
    await stage.ready_says(f"CHG-{change}:card waits to be delivered")

    assert cards(stage, change) == []


@LOST
async def test_a_lost_failure_channel_is_replaced_by_the_approval_channel(stage: Stage, how: str) -> None:
    """The notice of a failure goes to the approval channel when its own takes nothing."""
    change = await running(stage)
    lose(stage, how, FAILURES)

    stage.telnyx.advance(60)
    await stage.ended(change)

    told = [stage.read(each) for each in stage.slack.messages(APPROVALS)]
    assert sum("1 of 3 numbers failed" in text for text in told) == 1


@LOST
async def test_a_request_that_cannot_be_shown_goes_to_the_failure_channel(stage: Stage, how: str) -> None:
    """With the approval channel lost, the request is in the failure channel, with its buttons."""
    lose(stage, how, APPROVALS)
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")

    assert stage.request_card(change).channel == FAILURES
    await stage.approve(change)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_when_nobody_can_be_asked_the_requester_hears_it(idle: Stage) -> None:
    """With approvals and failures in one lost channel, the requester is told in private that nobody was asked."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_FAILURE_CHANNEL="")
    lose(idle, "archived", APPROVALS)
    await idle.propose("+13035550000")
    await idle.ana.submit()
    await idle.slack.wait_for(
        lambda: any("The approval request for" in idle.read(each) for each in idle.everything()),
        what="a word to the requester",
    )
    (said,) = [each for each in idle.everything() if "The approval request for" in idle.read(each)]

    assert said.channel.startswith("D")


async def test_a_requester_who_left_stops_nothing(stage: Stage) -> None:
    """The account of the requester is deactivated while the job runs: the story ends as any other."""
    change = await running(stage)
    stage.slack.workspace.people["U0ANA"].deleted = True

    stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert any("1 of 3 numbers failed" in text for text in stage.failures())
    assert any("Done" in line for line in stage.thread(change))


@pytest.mark.parametrize("error", ["msg_too_long", "msg_blocks_too_long"])
async def test_what_slack_finds_too_long_is_said_in_short(stage: Stage, error: str) -> None:
    """Card, request and notice are there in a short form, with their buttons; nothing is given up."""

    def long(call: dict[str, Any]) -> bool:
        return "Customer reference" in str(call.get("blocks", ""))

    for method in ("chat.postMessage", "chat.update"):
        stage.slack.faults.add(method=method, kind="error", error=error, times=9999, where=long)
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(numbers[0])
    change = await stage.ask(numbers)

    assert "Shortened" in stage.read(stage.request_card(change))
    assert stage.buttons(stage.request_card(change)) == [
        "approve",
        "approve_with_comment",
        "reject",
        "ask_for_changes",
        "details",
    ]
    await stage.approve(change)
    await stage.ended(change)

    assert "Partly failed" in stage.read(stage.card(change))
    assert "1 of 3 numbers failed" in stage.failures()[0]
    assert stage.buttons(stage.request_card(change)) == []


async def test_a_sheet_that_slack_does_not_take_is_told_about(stage: Stage) -> None:
    """Without the scope to upload, the failure channel says that the sheet is missing, and the rest is told."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.slack.faults.add(method="files.getUploadURLExternal", kind="error", error="missing_scope", times=99)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(lambda: len(stage.failures()) >= 2, what="word about both sheets")
    await stage.quiet()

    assert all("could not be posted in its thread" in text and "missing_scope" in text for text in stage.failures())
    assert any("Done: 3 verified" in line for line in stage.thread(change))


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_a_revoked_token_stops_no_work_and_loses_no_message(stage: Stage, error: str) -> None:
    """The job is watched to its end, readiness and metrics say what is wrong, and later everything is told once."""
    change = await running(stage)
    revoked = stage.slack.faults.add(method="*", kind="error", error=error, times=9999)
    stage.telnyx.advance(60)
    await stage.telnyx.wait_for(lambda: stage.telnyx.jobs[0].finished)

    async def troubled() -> bool:
        status, text = await stage.get("/readyz")
        return status == 503 and error in text and "install" in text

    while not await troubled():
        await stage.slack.wait_for(lambda: revoked.fired, what="a call that is refused")
    metrics = (await stage.get("/metrics"))[1]
    assert 'linesman_trouble{where="slack"} 1.0' in metrics
    assert "linesman_outbox_refused 0.0" in metrics

    revoked.times = 0
    stage.clock.advance(31)
    await stage.ended(change)

    assert (await stage.get("/readyz"))[0] == 200
    assert "Partly failed" in stage.read(stage.card(change))
    assert any("1 of 3 numbers failed" in text for text in stage.failures())
    stage.assert_nothing_doubled()


async def test_a_late_stale_edit_does_not_have_the_last_word(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that Slack carries out long after it went unanswered is put right again."""
    await stage.stop()
    monkeypatch.setattr(web_api, "TIMEOUT", 0.3)
    await stage.start(LINESMAN_CARD_SECONDS="3")  # an edit is confirmed ten of them later, which is after the late one
    change = await running(stage)
    late = stage.slack.faults.add(
        method="chat.update", kind="delay", seconds=1.5, where=lambda call: call.get("channel") == OPS
    )
    stage.telnyx.advance(30)
    await stage.slack.wait_for(lambda: late.fired, what="an edit that hangs")
    stage.telnyx.advance(60)
    await stage.ended(change)

    await stage.slack.wait_for(lambda: late.passed, what="the late edit")
    await stage.slack.wait_for(
        lambda: "Partly failed" in stage.read(stage.card(change)), timeout=40, what="the card put right again"
    )


async def test_a_late_edit_does_not_cover_what_was_shown_after_its_repetition(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card goes on after an edit without an answer, and Slack then carries that one out: it is put right again."""
    monkeypatch.setattr(delivery, "CONFIRM_AFTER", 200)
    change = await running(stage)
    late = stage.slack.faults.add(method="chat.update", kind="drop_late", where=lambda call: call.get("channel") == OPS)
    stage.telnyx.advance(30)
    await stage.slack.wait_for(lambda: late.fired, what="an edit that is not answered")
    await card_says(stage, change, "1 of 3")
    stage.telnyx.advance(60)
    await card_says(stage, change, "Partly failed")

    late.carry_out()
    await card_says(stage, change, "Partly failed")
    await stage.ended(change)


async def test_a_card_comes_to_rest_also_where_each_of_its_edits_has_to_wait(
    idle: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that was not answered is confirmed once, although the budget puts the confirmation off."""
    monkeypatch.setattr(delivery, "EDIT_BURST", 1)
    monkeypatch.setattr(delivery, "URGENT_EDIT_BURST", 1)
    await idle.start(LINESMAN_CARD_SECONDS="0.1")  # an edit is confirmed after a second, and has a turn every six
    change = await running(idle)
    lost = idle.slack.faults.add(
        method="chat.update",
        kind="drop_after",
        where=lambda call: call.get("channel") == OPS and "Partly failed" in str(call),
    )
    idle.telnyx.advance(90)

    await idle.ended(change)

    assert lost.fired == 1
    assert "Partly failed" in idle.read(idle.card(change))


async def test_a_message_that_cannot_even_be_looked_for_is_not_posted_again(stage: Stage) -> None:
    """When Slack asks to slow down during the look for an interrupted message, it still counts as interrupted."""
    stage.telnyx.add_number("+13035550000")
    posted = stage.slack.faults.add(
        method="chat.postMessage", kind="drop_after", where=lambda call: call.get("channel") == OPS
    )
    slow = stage.slack.faults.add(method="conversations.history", kind="rate_limited", times=2, retry_after=1)

    await stage.run("+13035550000")

    assert (posted.fired, slow.fired) == (1, 2)
    assert len(stage.slack.messages(OPS)) == 1
    stage.assert_nothing_doubled()


async def test_cards_are_edited_within_the_workspaces_limit(idle: Stage) -> None:
    """With many changes at once and no pause between edits, Slack never has to refuse one, and each end is shown."""
    stage = idle
    stage.clock = Clock(rate=1)
    stage.slack.enforce_rate_limits = True
    edits: list[str] = []

    def count(call: dict[str, Any]) -> bool:
        edits.append(str(call.get("ts")))
        return False

    stage.slack.faults.add(method="chat.update", kind="error", where=count)
    stage.telnyx.job_seconds = 2
    await stage.start(LINESMAN_CARD_SECONDS="0")
    changes = []
    for index in range(3):
        numbers = [n.phone_number for n in stage.telnyx.add_numbers(30, start=f"+1303555{index}000")]
        changes.append(await stage.ask(numbers))
    began = stage.clock()
    for change in changes:
        await stage.approve(change)
    ends: Callable[[], bool] = lambda: all("Succeeded" in stage.read(stage.card(change)) for change in changes)  # noqa: E731 - a name for what is waited for
    await stage.slack.wait_for(ends, timeout=40, what="every card's end")
    passed = (stage.clock() - began).total_seconds()

    assert len(edits) <= 16 + passed * 34 / 60 + 1
    assert stage.slack.complaints == []
