"""Whether a message arrived is looked up before it is sent again: from the attempt on, in Slack's time, to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.slack import FaultKind
from bot.sandbox.slack.webapi.files import new_file
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Clock, Stage

#: More than Slack lists in ten pages of 200.
MUCH = 2100

MESSAGES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "card": lambda call: call.get("channel") == OPS and not call.get("thread_ts"),
    "request": lambda call: call.get("channel") == APPROVALS,
    "line": lambda call: bool(call.get("thread_ts")),
    "notice": lambda call: call.get("channel") == FAILURES,
}
#: Every call by which messages are delivered and looked for.
CALLS = [
    *(("chat.postMessage", message) for message in MESSAGES),
    ("chat.update", None),
    ("files.getUploadURLExternal", None),
    ("upload", None),
    ("files.completeUploadExternal", None),
    ("chat.getPermalink", None),
]


#: Whether a call fails after it has had its effect, or before.
EITHER = pytest.mark.parametrize("effect", ["after", "before"])


def numbers(stage: Stage) -> list[str]:
    """Return three numbers, one of which will fail."""
    found = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.fail(found[0])
    return found


def assert_told_once(stage: Stage, change: int) -> None:
    """Check that the story of a change with a failed number is told whole: each message, and each file, once."""
    assert stage.outcomes(change) == {"verified": 2, "failed": 1}
    lines = [line for line in stage.thread(change) if "something else" not in line]
    told = [
        sum(word in line for line in lines) for word in ("Approved", "1 job is at", "Done", "plan.csv", "results.csv")
    ]
    assert told == [1] * 5
    assert "Partly failed" in stage.read(stage.card(change))
    assert stage.buttons(stage.request_card(change)) == []
    ours = [message for message in stage.slack.messages(FAILURES) if message.from_bot]
    assert len(ours) == 1
    stage.assert_nothing_doubled()


@EITHER
@pytest.mark.parametrize(("method", "message"), CALLS, ids=[":".join(filter(None, each)) for each in CALLS])
async def test_a_single_5xx_doubles_nothing_and_loses_nothing(
    stage: Stage, method: str, message: str | None, effect: str
) -> None:
    """Whether the call had its effect or not, the story is told once."""
    where = MESSAGES[message] if message else None
    fault = stage.slack.faults.add(
        method=method, kind="status", status=503, effect_first=effect == "after", where=where
    )

    change = await stage.run(numbers(stage))

    assert fault.fired == 1
    assert_told_once(stage, change)


@pytest.mark.parametrize("ahead", [150.0, 4000.0, -4000.0])
@pytest.mark.parametrize("message", MESSAGES)
async def test_our_clock_finds_every_message_whatever_it_shows(idle: Stage, message: str, ahead: float) -> None:
    """A clock that is ahead of Slack's, or behind it, does not hide from us what arrived."""
    idle.clock.advance(ahead)
    await idle.start()
    fault = idle.slack.faults.add(
        method="chat.postMessage", kind="status", status=503, effect_first=True, where=MESSAGES[message]
    )

    change = await idle.run(numbers(idle))

    assert fault.fired == 1
    assert_told_once(idle, change)


async def test_without_a_date_everything_is_read(idle: Stage) -> None:
    """When Slack's answers do not say when they were given, a look goes back to the beginning."""
    idle.slack.workspace.dated = False
    await idle.start()
    idle.slack.chatter(FAILURES, 450)
    idle.slack.faults.add(method="chat.postMessage", kind="drop_after", where=MESSAGES["notice"])

    change = await idle.run(numbers(idle))

    assert_told_once(idle, change)


@EITHER
@pytest.mark.parametrize(("message", "channel"), [("notice", FAILURES), ("card", OPS)])
async def test_a_message_is_found_in_a_channel_where_much_is_said(
    stage: Stage, message: str, channel: str, effect: str
) -> None:
    """With thousands of messages since, a single 5xx neither loses the message nor doubles it."""

    def busy(call: dict[str, Any]) -> bool:
        hit = MESSAGES[message](call)
        if hit and effect == "before":
            stage.slack.chatter(channel, MUCH)
        return hit

    fault = stage.slack.faults.add(
        method="chat.postMessage", kind="status", status=503, effect_first=effect == "after", where=busy
    )
    first = stage.slack.faults.add(method="conversations.history", kind="status", times=1)
    said: list[int] = []

    def more(call: dict[str, Any]) -> bool:
        if effect == "after" and not said and call.get("channel") == channel:
            said.append(1)
            stage.slack.chatter(channel, MUCH)
        return False

    stage.slack.faults.add(method="conversations.history", kind="status", where=more)

    change = await stage.run(numbers(stage))

    assert (fault.fired, first.fired) == (1, 1)
    assert_told_once(stage, change)
    assert (await stage.get("/readyz"))[0] == 200


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
async def test_a_look_begins_at_the_attempt(stage: Stage, kind: FaultKind) -> None:
    """What was said in the channel since the change was created, but long before the attempt, is not read.

    Also when the message is not there, so that nothing found ends the look.
    """
    change = await stage.ask(numbers(stage))
    stage.slack.chatter(FAILURES, MUCH)
    for message in stage.slack.workspace.in_channel(FAILURES):
        message.ts = f"{float(message.ts) - 600:.6f}"
    stage.slack.faults.add(method="chat.postMessage", kind=kind, where=MESSAGES["notice"])

    await stage.approve(change)
    await stage.ended(change)

    pages = [call for call in stage.slack.calls if call.method == "conversations.history"]
    assert len(pages) == 1
    assert_told_once(stage, change)


@EITHER
@pytest.mark.parametrize("what", ["line", "file"])
async def test_a_thread_of_many_replies_has_each_line_and_file_once(stage: Stage, what: str, effect: str) -> None:
    """Whatever people say below the card, what we said there is found."""
    change = await stage.ask(numbers(stage))
    card = stage.card(change)
    stage.slack.chatter(OPS, 300, thread_ts=card.ts)
    method = "chat.postMessage" if what == "line" else "files.completeUploadExternal"

    def late(call: dict[str, Any]) -> bool:
        return "Done" in str(call.get("text")) if what == "line" else "results" in str(call)

    fault = stage.slack.faults.add(method=method, kind="status", status=503, effect_first=effect == "after", where=late)

    def more(_: dict[str, Any]) -> bool:
        stage.slack.chatter(OPS, 60, thread_ts=card.ts)
        return False

    stage.slack.faults.add(method="conversations.replies", kind="status", where=more)
    await stage.approve(change)
    await stage.ended(change)

    assert fault.fired == 1
    assert_told_once(stage, change)


async def test_a_file_of_a_person_with_the_same_name_is_not_taken_for_ours(stage: Stage) -> None:
    """Somebody puts a file called like the results into the thread just when ours does not arrive."""
    change = await stage.ask(numbers(stage))
    card = stage.card(change)

    def theirs(call: dict[str, Any]) -> bool:
        hit = "results" in str(call)
        if hit:
            stage.slack.chatter(OPS, 1, thread_ts=card.ts)
            said = stage.slack.thread(OPS, card.ts)[-1]
            said.files = [
                new_file(stage.slack.workspace, name=f"CHG-{change}-results.csv", user="U0SAM", content=b"mine")
            ]
        return hit

    stage.slack.faults.add(method="files.completeUploadExternal", kind="status", status=503, where=theirs)
    await stage.approve(change)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 2, "failed": 1}


@EITHER
async def test_a_sheet_in_a_busy_direct_message_comes_once(stage: Stage, effect: str) -> None:
    """Today's values are sent once although the person has written a lot to the bot since they asked."""
    stage.telnyx.add_number("+13035550000")
    private = stage.slack.direct_message("U0ANA")

    def busy(_: dict[str, Any]) -> bool:
        stage.slack.chatter(private, MUCH)
        return True

    stage.slack.faults.add(
        method="files.completeUploadExternal", kind="status", status=503, effect_first=effect == "after", where=busy
    )
    await stage.ana.command("/numbers", "values update", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await stage.ana.type("numbers:0", "+13035550000")
    await stage.send()
    async with asyncio.timeout(60):
        while 'linesman_work{task="export_values"} 1' in (await stage.get("/metrics"))[1]:  # noqa: ASYNC110 - figures signal nobody
            await asyncio.sleep(0.05)

    said = stage.slack.workspace.in_channel(private)
    assert len([file for message in said for file in message.files]) == 1


async def test_a_sheet_of_values_that_slack_takes_after_a_kill_comes_once(stage: Stage) -> None:
    """The bot dies over sending it, and starts again before Slack has it: it is not sent a second time."""
    private = stage.slack.direct_message("U0ANA")
    stage.telnyx.add_number("+13035550000")
    late = stage.slack.faults.add(method="files.completeUploadExternal", kind="delay", seconds=3)
    await stage.ana.command("/numbers", "values update", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await stage.ana.type("numbers:0", "+13035550000")
    await stage.send()
    await stage.slack.wait_for(lambda: late.fired == 1, what="a sheet that takes its time")
    await stage.crash()

    await stage.start()
    async with asyncio.timeout(60):
        while 'linesman_work{task="export_values"} 1' in (await stage.get("/metrics"))[1]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    await stage.slack.wait_for(lambda: late.passed == 1, what="the sheet after all")
    said = stage.slack.workspace.in_channel(private)
    assert len([file for message in said for file in message.files]) == 1


async def test_words_in_a_busy_direct_message_come_once(stage: Stage) -> None:
    """Why there is no sheet of values is said once, although the answer to saying it was lost."""
    private = stage.slack.direct_message("U0ANA")
    fault = stage.slack.faults.add(
        method="chat.postMessage", kind="drop_after", where=lambda call: call.get("channel") == private
    )
    await stage.ana.command("/numbers", "values update", channel=OPS)
    await stage.ana.wait_for_view(lambda view: view.callback_id == "values_form")
    await stage.ana.type("numbers:0", "+13035550000")
    await stage.send()
    async with asyncio.timeout(60):
        while 'linesman_work{task="export_values"} 1' in (await stage.get("/metrics"))[1]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)

    assert fault.fired == 1
    assert len(stage.slack.messages(private)) == 1


async def test_what_slack_carries_out_late_is_not_doubled(idle: Stage) -> None:
    """The connection breaks and the cards are posted five seconds later: they are not looked for before."""
    idle.clock = Clock(rate=0)
    await idle.start()
    fault = idle.slack.faults.add(method="chat.postMessage", kind="drop_late", times=2)
    await idle.open()
    await idle.fill(numbers(idle), {"customer_reference": "Denver"}, "Moving to the new PBX")
    await idle.send()
    async with asyncio.timeout(30):
        while "Request approval" not in idle.modal():  # after word of the planning the plan comes with a pause
            idle.clock.advance(1)
            await asyncio.sleep(0.05)
    await idle.ana.submit()
    await idle.slack.wait_for(lambda: len(fault.owed) == 2, what="two lost posts")
    await idle.command("list")

    idle.clock.elapse(5)
    for _ in range(5):  # a look that came too early would have been made by now
        await idle.command("locks")
    assert [call for call in idle.slack.calls if call.method == "conversations.history"] == []
    fault.carry_out()
    idle.clock.elapse(11)
    await idle.slack.wait_for(lambda: any("plan.csv" in line for line in idle.thread(1)), what="what follows the card")

    assert len(idle.slack.messages(OPS)) == len(idle.slack.messages(APPROVALS)) == 1
    posts = [call for call in idle.slack.calls if call.method == "chat.postMessage"]
    assert sum(not call.params.get("thread_ts") for call in posts) == 2


async def test_what_slack_carries_out_after_a_kill_is_not_doubled(stage: Stage) -> None:
    """The bot dies over an upload and looks at once after its start, before Slack has it: it does not upload again."""
    late = stage.slack.faults.add(method="files.completeUploadExternal", kind="delay", seconds=3)
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000")
    await stage.slack.wait_for(lambda: late.fired == 1, what="an upload that takes its time")
    await stage.crash()
    still = stage.stop_clock()

    await stage.start()
    await looks(stage, 1)
    await stage.slack.wait_for(lambda: "plan.csv" in str(stage.thread(1)), what="the sheet after all")
    still.elapse(31)
    await looks(stage, 2)
    for _ in range(3):  # what was to be sent again would have been by now
        await stage.command("locks")

    assert sum(call.method == "files.completeUploadExternal" for call in stage.slack.calls) == 1
    stage.assert_nothing_doubled()


async def test_a_clock_set_ahead_does_not_hasten_what_slack_may_be_posting(stage: Stage) -> None:
    """The wait for an upload that the bot died over is begun anew: by the clock it would be over, and is not."""
    late = stage.slack.faults.add(method="files.completeUploadExternal", kind="delay", seconds=6)
    stage.telnyx.add_number("+13035550000")
    await stage.ask("+13035550000")
    await stage.slack.wait_for(lambda: late.fired == 1, what="an upload that takes its time")
    await stage.crash()
    still = stage.stop_clock()

    await stage.start()
    await looks(stage, 1)
    await stage.command("locks")  # by now it has written down that it waits
    still.advance(250)
    await looks(stage, 2)
    for _ in range(3):  # what was to be sent at once would have been by now
        await stage.command("locks")
    await stage.slack.wait_for(lambda: "plan.csv" in str(stage.thread(1)), what="the sheet after all")
    still.elapse(31)
    await looks(stage, 3)

    assert sum(call.method == "files.completeUploadExternal" for call in stage.slack.calls) == 1
    stage.assert_nothing_doubled()


async def test_a_click_does_not_hasten_what_slack_may_be_posting(stage: Stage) -> None:
    """The bot dies over the card, and the change is cancelled before Slack has posted that: it is there once."""
    late = stage.slack.faults.add(method="chat.postMessage", kind="delay", seconds=3, where=MESSAGES["card"])
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000")
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: late.fired == 1, what="a card that takes its time")
    await stage.slack.wait_for(lambda: stage.slack.messages(APPROVALS), what="the request")
    await stage.crash()
    still = stage.stop_clock()

    await stage.start()
    await looks(stage, 1, "conversations.history")
    await stage.command("cancel CHG-1")
    for _ in range(3):  # what was to be sent at once would have been by now
        await stage.command("locks")
    await stage.slack.wait_for(lambda: late.passed == 1, what="the card after all")
    still.elapse(31)
    await stage.slack.wait_for(lambda: "Cancelled" in stage.read(stage.card(1)), what="the card as it is now")

    stage.assert_nothing_doubled()


@EITHER
async def test_a_killed_bot_says_what_it_was_about_to_say(stage: Stage, effect: str) -> None:
    """What had arrived is found at once after the start; what had not is said after Slack has had its time for it."""
    lost = stage.slack.faults.add(
        method="chat.postMessage",
        kind="delay",
        seconds=3600,
        effect_first=effect == "after",
        where=lambda call: call.get("channel") == APPROVALS,
    )
    stage.telnyx.add_number("+13035550000")
    await stage.propose("+13035550000")
    await stage.ana.submit()
    await stage.slack.wait_for(lambda: lost.fired == 1, what="a request that gets no answer")
    await stage.crash()

    await stage.start()
    await stage.slack.wait_for(lambda: stage.slack.messages(APPROVALS), what="the request")
    await stage.approve(1)
    await stage.ended(1)

    assert stage.outcomes(1) == {"verified": 1}
    stage.assert_nothing_doubled()


async def looks(stage: Stage, times: int, method: str = "conversations.replies") -> None:
    """Wait until the bot has looked so often for what it may have said, as a rule below its card."""
    await stage.slack.wait_for(
        lambda: sum(call.method == method and call.status is not None for call in stage.slack.calls) >= times,
        what="a look",
    )
