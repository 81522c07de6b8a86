"""What Slack refuses, and what that says: only a channel that is really lost moves a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack import FaultKind, Message
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Stage, key_of
from tests.integration.scenarios.steps import card_says

#: Refusals that have nothing to do with the channel, and some that say so and are not true.
REFUSALS = [
    "access_denied",
    "ekm_access_denied",
    "no_permission",
    "not_allowed_token_type",
    "team_access_not_granted",
    "file_uploads_disabled",
    "channel_not_found",
    "not_in_channel",
    "thread_not_found",
]
MESSAGES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "card": lambda call: call.get("channel") == OPS and not call.get("thread_ts"),
    "request": lambda call: call.get("channel") == APPROVALS,
    "line": lambda call: bool(call.get("thread_ts")),
    "notice": lambda call: call.get("channel") == FAILURES,
}


def numbers(stage: Stage) -> list[str]:
    """Return three numbers, one of which will fail."""
    found = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(found[0])
    return found


def of(stage: Stage, change: int, name: str) -> list[Message]:
    """Return the messages of this name that can be seen, wherever they are."""
    return [each for each in stage.everything() if key_of(each) == f"CHG-{change}:{name}" and not each.deleted]


def assert_one_of_each(stage: Stage, change: int) -> None:
    """Check that there is one card, one request and one of each line, where they were from the beginning."""
    assert [each.channel for each in of(stage, change, "card")] == [OPS]
    assert [each.channel for each in of(stage, change, "approval_card")] == [APPROVALS]
    assert "Partly failed" in stage.read(stage.card(change))
    assert stage.buttons(stage.request_card(change)) == []
    assert sum("Done" in line for line in stage.thread(change)) == 1
    assert len(stage.slack.messages(OPS)) == len(stage.slack.messages(APPROVALS)) == 1
    stage.assert_nothing_doubled()


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_refused_files_move_no_card(stage: Stage, method: str, error: str) -> None:
    """With every upload refused there is one card, and the missing sheets are told about once each."""
    stage.slack.faults.add(method=method, kind="error", error=error, times=9999)
    change = await stage.ask(numbers(stage))
    await stage.approve(change)
    await stage.slack.wait_for(lambda: len(stage.failures()) >= 3, what="the failure and two missing sheets")
    await stage.quiet()

    assert_one_of_each(stage, change)
    assert sum("could not be posted in its thread" in text for text in stage.failures()) == 2
    assert len(stage.failures()) == 3


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_refused_bytes_move_no_card(stage: Stage, status: int) -> None:
    """The address for the upload refuses what is sent to it."""
    stage.slack.faults.add(method="upload", kind="status", status=status, times=9999)
    change = await stage.ask(numbers(stage))
    await stage.approve(change)
    await stage.slack.wait_for(lambda: len(stage.failures()) >= 3, what="the failure and two missing sheets")
    await stage.quiet()

    assert_one_of_each(stage, change)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_file_that_is_refused_for_a_moment_is_there(stage: Stage, method: str) -> None:
    """A refusal of two moments costs no sheet."""
    fault = stage.slack.faults.add(method=method, kind="error", error="access_denied", times=2)

    change = await stage.run(numbers(stage))

    assert fault.fired == 2
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert_one_of_each(stage, change)


async def test_bytes_that_never_arrived_are_sent_again(stage: Stage) -> None:
    """A proxy answers 200 in Slack's place: the sheet is no refused one, and follows once the bytes arrive."""
    fault = stage.slack.faults.add(method="upload", kind="malformed", times=8)

    change = await stage.run(numbers(stage))
    await stage.quiet()

    assert fault.fired == 8
    assert sorted(each.name for each in stage.slack.files if each.channel) == [
        f"CHG-{change}-plan.csv",
        f"CHG-{change}-results.csv",
    ]
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("error", ["missing_scope", "access_denied", "channel_not_found", "not_in_channel"])
@pytest.mark.parametrize("message", MESSAGES)
async def test_a_refused_look_postpones_and_never_repeats(stage: Stage, message: str, error: str) -> None:
    """While Slack refuses to let us look whether a message arrived, it is not sent again."""
    posted = stage.slack.faults.add(method="chat.postMessage", kind="drop_after", where=MESSAGES[message])
    method = "conversations.replies" if message == "line" else "conversations.history"
    looks = stage.slack.faults.add(method=method, kind="error", error=error, times=3)

    change = await stage.run(numbers(stage))

    assert (posted.fired, looks.fired) == (1, 3)
    assert len(stage.slack.messages(FAILURES)) == 1
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("message", ["card", "line", "notice"])
async def test_a_look_that_has_to_wait_never_repeats(stage: Stage, message: str) -> None:
    """When Slack asks to wait with the look, the message is looked for after that, and not sent again."""
    posted = stage.slack.faults.add(method="chat.postMessage", kind="drop_after", where=MESSAGES[message])
    method = "conversations.replies" if message == "line" else "conversations.history"
    looks = stage.slack.faults.add(method=method, kind="rate_limited", retry_after=2)

    change = await stage.run(numbers(stage))

    assert (posted.fired, looks.fired) == (1, 1)
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("error", ["missing_scope", "channel_not_found", "thread_not_found"])
async def test_a_refused_look_for_a_file_never_repeats_it(stage: Stage, error: str) -> None:
    """The results are in the thread once although Slack does not show the thread for a while."""
    shared = stage.slack.faults.add(method="files.completeUploadExternal", kind="drop_after", times=2)
    looks = stage.slack.faults.add(method="conversations.replies", kind="error", error=error, times=3)

    change = await stage.run(numbers(stage))

    assert (shared.fired, looks.fired) == (2, 3)
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("error", ["channel_not_found", "not_in_channel", "is_archived", "is_inactive"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_channel_that_is_called_lost_for_a_moment_keeps_its_card(stage: Stage, method: str, error: str) -> None:
    """Slack, asked for the channel, says that it is there: nothing moves, and the message comes a little later."""
    fault = stage.slack.faults.add(
        method=method, kind="error", error=error, where=lambda call: call.get("channel") == OPS
    )

    change = await stage.run(numbers(stage))

    assert fault.fired == 1
    assert_one_of_each(stage, change)


async def test_what_waits_for_slack_to_be_mended_is_told(stage: Stage) -> None:
    """A message that Slack refuses for a reason of its own waits, is seen below "ready", and comes in the end."""
    refused = stage.slack.faults.add(
        method="chat.postMessage", kind="error", error="ekm_access_denied", times=9999, where=MESSAGES["notice"]
    )
    change = await stage.ask(numbers(stage))
    await stage.approve(change)
    await stage.slack.wait_for(lambda: refused.fired, what="a refused notice")
    await card_says(stage, change, "Partly failed")
    await stage.slack.wait_for(lambda: stage.file(change), what="the results")

    await stage.ready_says("ekm_access_denied")
    assert 'linesman_trouble{where="slack"} 1.0' in (await stage.get("/metrics"))[1]

    refused.times = 0
    stage.clock.advance(31)
    await stage.quiet()

    assert any("1 of 3 numbers failed" in text for text in stage.failures())
    assert "ekm_access_denied" not in (await stage.get("/readyz"))[1]
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth"])
@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("conversations.info", None),
        ("chat.postMessage", None),
        ("chat.update", None),
        ("files.getUploadURLExternal", None),
        ("files.completeUploadExternal", None),
        ("conversations.history", "chat.postMessage"),
        ("conversations.replies", "files.completeUploadExternal"),
    ],
)
async def test_a_token_that_is_revoked_for_a_moment_moves_nothing(
    stage: Stage, method: str, kind: str | None, error: str
) -> None:
    """Whatever call it hits, also a look for something whose answer was lost."""
    lost: FaultKind = "drop_after"
    if kind:
        stage.slack.faults.add(method=kind, kind=lost)
    fault = stage.slack.faults.add(method=method, kind="error", error=error, times=2)
    change = await stage.ask(numbers(stage))
    await stage.approve(change)
    stage.clock.advance(31)
    await stage.slack.wait_for(lambda: len(stage.thread(change)) >= 2, what="the beginning of the thread")
    stage.clock.advance(31)
    await stage.ended(change)

    assert fault.fired >= 1
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    assert_one_of_each(stage, change)


@pytest.mark.parametrize("how", ["archived", "sent away"])
async def test_a_card_that_was_left_behind_says_where_the_present_one_is(stage: Stage, how: str) -> None:
    """Once the card has moved, the old one shows no state any more but the way, where Slack allows the edit."""
    stage.telnyx.job_seconds = 60
    change = await stage.ask(numbers(stage))
    await stage.approve(change)
    await stage.slack.wait_for(lambda: len(stage.thread(change)) >= 3, what="the thread")
    old = stage.card(change)
    if how == "archived":
        stage.slack.workspace.channels[OPS].archived = True
    else:
        stage.slack.workspace.channels[OPS].bot_is_member = False

    stage.telnyx.advance(60)
    await stage.ended(change)

    present = of(stage, change, "card")[-1]
    assert present.channel == APPROVALS
    if how == "sent away":
        assert f"The card of CHG-{change} is now in #approvals" in stage.read(old)
        assert present.ts.replace(".", "") in stage.read(old) or "Show it" in stage.read(old)
        assert len(of(stage, change, "card")) == 1


@pytest.mark.parametrize("editable", ["editable", "not editable"])
async def test_nothing_is_decided_on_a_request_that_was_left_behind(idle: Stage, editable: str) -> None:
    """Whether or not the old request could be edited, a click on it is refused with the way to the present one."""
    stage = idle
    await stage.start(LINESMAN_APPROVALS_REQUIRED="2")
    change = await stage.ask(numbers(stage))
    old = stage.request_card(change).snapshot()
    stage.slack.faults.add(
        method="chat.update",
        kind="error",
        error="cant_update_message",
        times=1 if editable == "editable" else 9999,
        where=lambda call: call.get("ts") == old.ts,
    )

    await stage.answered(stage.max, stage.max.click("approve", message=old))
    await stage.slack.wait_for(
        lambda: [each for each in of(stage, change, "approval_card") if each.ts != old.ts], what="another request"
    )
    await stage.quiet()
    present = next(each for each in of(stage, change, "approval_card") if each.ts != old.ts)
    link = f"/archives/{APPROVALS}/p{present.ts.replace('.', '')}"

    said = await stage.answered(stage.mia, stage.mia.click("approve", message=old))
    assert "old copy of the approval request" in said
    assert link in stage.slack.ephemerals("U0MIA")[-1].text
    await stage.mia.click("reject", message=old)
    await stage.mia.wait_for_view(lambda view: "old copy of the approval request" in stage.read(view))
    if editable == "editable":
        shown = stage.slack.workspace.message(old.channel, old.ts)
        assert shown is not None
        assert stage.buttons(shown) == []
        assert link in shown.text
    assert stage.telnyx.jobs == []

    await stage.answered(stage.mia, stage.mia.click("approve", message=present))
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}


async def test_a_second_copy_of_the_request_decides_nothing(stage: Stage) -> None:
    """Whatever put a copy of the request into the channel, only the one that we keep up to date counts."""
    change = await stage.ask(numbers(stage))
    await stage.quiet()
    copy = stage.request_card(change).snapshot()
    copy.ts = stage.slack.workspace.next_ts()
    stage.slack.workspace.add_message(copy)

    said = await stage.answered(stage.max, stage.max.click("approve", message=copy))

    assert "old copy of the approval request" in said
    assert "Awaiting approval" in stage.read(stage.card(change))
    assert stage.telnyx.jobs == []
