"""An approver lends the right to approve to somebody else: who may, to whom, until when, and how it ends."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

import pytest

from bot.sandbox.slack import SlackUser
from bot.store.queue.tasks import Claim, Handler, Task
from tests.integration.scenarios.stage import OPS, Stage
from tests.integration.scenarios.test_scenario_home import opened
from tests.integration.scenarios.test_scenario_retention import DAY, until
from tests.integration.scenarios.test_scenario_slack_lookups import looks

ONE: Final = "+13035550000"
#: Seconds after which two hours are over, and the minute that is begun by then.
TWO_HOURS: Final = 7260


async def lend(stage: Stage, to: str = "@Sam", until: str = "for 2 hours", *, by: SlackUser | None = None) -> str:
    """Have Max, or another approver, lend the right."""
    return await stage.command(f"delegate {to} {until}", by=by or stage.max)


def told(stage: Stage, person: SlackUser) -> list[str]:
    """Return what the bot wrote to a person."""
    place = stage.slack.workspace.direct_message(person.id).id
    return [stage.read(each) for each in stage.slack.messages(place) if each.from_bot]


async def events(stage: Stage, *names: str) -> list[dict[str, Any]]:
    """Return the events of these names, as the exported audit log has them."""
    await stage.command("export 2020-01-01 jsonl", by=stage.otto)
    lines = [json.loads(line) for line in stage.slack.files[-1].content.splitlines()]
    return [line for line in lines if line.get("what") in names]


async def press_end(stage: Stage, person: SlackUser) -> str:
    """Press *End* in the list of ``person`` and return what takes its place."""
    await stage.command("delegate", by=person)
    shown = stage.slack.ephemerals(person.id)[-1]
    await person.click("end_delegation", message=shown)
    await stage.slack.wait_for(
        lambda: "can no longer approve" in stage.read(stage.slack.ephemerals(person.id)[-1]), what="the new list"
    )
    return stage.read(stage.slack.ephemerals(person.id)[-1])


async def test_it_is_listed_for_both_and_for_operators(stage: Stage) -> None:
    """Who lends, who borrows and operators see it with its end; other people see that there is nothing of theirs."""
    said = await lend(stage)

    assert "@Sam can approve changes for you until" in said
    assert "@Sam can approve for you until" in await stage.command("delegate", by=stage.max)
    assert "You can approve for @Max until" in await stage.command("delegate", by=stage.sam)
    assert "@Sam can approve for @Max until" in await stage.command("delegate", by=stage.otto)
    others = await stage.command("delegate", by=stage.mia)
    assert "You have no delegations, given or received." in others
    assert "/numbers delegate @max until Mon 08:00" in others
    [event] = await events(stage, "delegated")
    assert (event["actor"], event["details"]["delegate"]) == ("U0MAX", "U0SAM")


async def test_the_delegate_is_told_of_it_and_of_every_change_to_it(stage: Stage) -> None:
    """Who lends what until when, how many requests wait for them, that the end was moved, that it was taken back."""
    stage.telnyx.add_number(ONE)
    await stage.ask(ONE)
    await lend(stage)
    await stage.slack.wait_for(lambda: told(stage, stage.sam), what="a word to Sam")
    await lend(stage, until="for 3 hours")
    await stage.slack.wait_for(lambda: len(told(stage, stage.sam)) == 2, what="a second word to Sam")
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.slack.wait_for(lambda: len(told(stage, stage.sam)) == 3, what="a third word to Sam")
    await stage.quiet()

    lent, moved, ended = told(stage, stage.sam)
    assert "Max lends you the right to approve changes until" in lent
    assert "except changes that either of you requested. 1 request waits for you: see your Home tab." in lent
    assert "You can approve changes for Max until" in moved
    assert "Max changed the end time." in moved
    assert "Max ended the delegation: you can no longer approve changes for Max." in ended
    assert told(stage, stage.max) == []
    found = await events(stage, "delegated", "delegation_changed", "delegation_ended")
    assert [each["what"] for each in found] == ["delegated", "delegation_changed", "delegation_ended"]
    assert len({each["details"]["delegation"] for each in found}) == 1


async def test_two_replicas_do_not_tell_of_the_same_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has claimed the word of a beginning, and begins while another tells of the end, says nothing."""
    assert stage.bot is not None
    worker = stage.bot.worker
    handlers: dict[Task, Handler] = worker._tasks._handlers  # type: ignore[assignment]  # it is one
    follow, claimed, begins, says = handlers[Task.DELEGATION], asyncio.Event(), asyncio.Event(), asyncio.Event()
    messages = follow.__self__._direct_messages  # type: ignore[attr-defined]  # it is a method
    write, writing = messages.write, asyncio.Semaphore(0)

    async def later(claim: Claim) -> None:
        claimed.set()
        await begins.wait()
        await follow(claim)

    async def slowly(*what: str) -> None:
        writing.release()
        await says.wait()
        await write(*what)

    monkeypatch.setitem(handlers, Task.DELEGATION, later)
    monkeypatch.setattr(messages, "write", slowly)
    await lend(stage)
    await claimed.wait()
    await stage.command("delegate end @Sam", by=stage.max)
    async with worker._context.database.transaction() as tx:
        [other] = await tx.tasks.claim(owner="another", now=stage.clock(), lease=timedelta(hours=1), limit=1)
    async with asyncio.TaskGroup() as group:
        group.create_task(follow(other))
        await writing.acquire()
        begins.set()
        while worker._tasks.ids and writing.locked():  # noqa: ASYNC110 - until it has begun to write, or given up
            await asyncio.sleep(0.01)
        says.set()
    await stage.quiet()

    [word] = told(stage, stage.sam)
    assert "Max ended the delegation" in word


async def test_a_day_alone_is_its_first_minute(stage: Stage) -> None:
    """Of the two readings of "until Monday" the one counts that lends less, and the answer has the exact time."""
    stage.slack.workspace.people["U0MAX"].tz = "Europe/Berlin"
    day = "Monday" if stage.clock().weekday() not in {6, 0} else "Wednesday"

    said = await lend(stage, until=f"until {day}")

    assert f"until {day[:3]} " in said
    assert ", 00:00 (Europe/Berlin)" in said


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("@Gus for 2 hours", "Guests of this workspace may not approve for somebody else."),
        ("@Fay for 2 hours", "People from another workspace may not approve for somebody else."),
        ("@Max for 2 hours", "You cannot delegate to yourself"),
        ("@nobody for 2 hours", "“@nobody” is not a person: choose the name from the list that Slack shows"),
        ("U0NOBODY1 for 2 hours", "Slack does not list this person as a member of this workspace."),
        ("@Sam @Mia for 2 hours", "Name one person at a time."),
        ("until tomorrow", "Name the person"),
        ("@Sam", "Say when it ends: until Mon 08:00"),
        ("@Sam until 2020-01-01", "2020-01-01 has passed"),
        ("@Sam for 31 days", "a delegation can last 30 days"),
        ("@Sam until whenever", "“whenever” is not understood"),
        ("@Sam now", "is not an end time"),
        ("end @Sam", "You have not delegated to this person"),
        ("end", "Name the person"),
    ],
)
async def test_what_cannot_be_lent_is_refused_in_words(stage: Stage, typed: str, answer: str) -> None:
    """Nothing is lent, nobody is told, and the command comes back to be corrected."""
    said = await stage.command(f"delegate {typed}", by=stage.max)
    await stage.quiet()

    assert answer.replace("`", "") in said.replace("`", "")
    assert f"/numbers delegate {typed.replace('<', '')}".casefold() in said.casefold()
    assert told(stage, stage.sam) == []
    assert "There are no active delegations." in await stage.command("delegate", by=stage.otto)


async def test_everything_that_is_wrong_is_said_at_once(stage: Stage) -> None:
    """Whom it names and its end are both looked at."""
    said = await stage.command("delegate @Gus until yesterday", by=stage.max)

    assert "Guests of this workspace may not approve for somebody else." in said
    assert "“yesterday” is not understood" in said


async def test_somebody_who_is_switched_off_gets_nothing(stage: Stage) -> None:
    """Neither somebody whose account is off nor somebody who was invited and has not come."""
    stage.slack.workspace.people["U0SAM"].deleted = True

    assert "A deactivated Slack account may not approve for somebody else." in await lend(stage)


async def test_only_who_may_approve_can_lend_it_and_nobody_what_is_lent_to_them(stage: Stage) -> None:
    """A stranger cannot, and neither can a delegate lend on what they borrow; both are in the audit log."""
    assert "you are not one of the approvers" in await lend(stage, by=stage.otto)
    await lend(stage)

    assert "you are not one of the approvers" in await lend(stage, "@Otto", by=stage.sam)
    refused = await events(stage, "click_refused")
    assert [(each["actor"], each["details"]["verb"]) for each in refused] == [
        ("U0OTTO", "delegate"),
        ("U0SAM", "delegate"),
    ]


@pytest.mark.parametrize("who", ["max", "sam", "otto"])
async def test_both_and_operators_can_end_it(stage: Stage, who: str) -> None:
    """The list that comes back has it no more."""
    await lend(stage)
    person = getattr(stage, who)

    said = await press_end(stage, person)

    assert "[End]" not in said
    if who != "max":  # whose right it was is told by whom it was ended
        name = "Otto" if who == "otto" else "Sam"
        await stage.slack.wait_for(lambda: told(stage, stage.max), what="a word to Max")
        assert f"{name} ended the delegation: Sam can no longer approve changes for you." in told(stage, stage.max)[-1]
    assert [each["actor"] for each in await events(stage, "delegation_ended")] == [person.id]
    assert "There are no active delegations." in await stage.command("delegate", by=stage.otto)


async def test_nobody_else_can_end_it(stage: Stage) -> None:
    """A button that reached somebody else, an approver at that, ends nothing."""
    await lend(stage)
    await stage.command("delegate", by=stage.max)
    shown = stage.slack.ephemerals("U0MAX")[-1]
    shown.ephemeral_to = "U0MIA"

    said = await stage.answered(stage.mia, stage.mia.click("end_delegation", message=shown))

    assert "Only the person who lends the right, the person who borrows it and operators can end a delegation." in said
    assert "You can approve for @Max until" in await stage.command("delegate", by=stage.sam)


async def test_a_delegate_may_look_while_it_lasts(stage: Stage) -> None:
    """They have to see what they approve: lists, details and the Home tab, and nothing of it afterwards."""
    stage.telnyx.add_number(ONE)
    await stage.ask(ONE, reason="hush-hush")
    assert "may not view changes and numbers" in await stage.command("list", by=stage.sam)

    await lend(stage)
    assert "hush-hush" in await stage.command("list", by=stage.sam)
    assert "hush-hush" in await stage.command("status CHG-1", by=stage.sam)
    assert "hush-hush" in stage.read(await opened(stage, stage.sam))

    stage.clock.advance(TWO_HOURS)
    assert "may not view changes and numbers" in await stage.command("list", by=stage.sam)


async def test_a_delegate_of_who_is_no_approver_any_more_looks_at_nothing(idle: Stage) -> None:
    """The right to look is borrowed like the other one."""
    idle.telnyx.add_number(ONE)
    await idle.start()
    await lend(idle)
    await idle.stop()
    await idle.start(LINESMAN_APPROVERS="U0MIA")

    assert "may not view changes and numbers" in await idle.command("list", by=idle.sam)


async def test_it_ends_by_itself_also_while_nobody_is_there(idle: Stage) -> None:
    """After a restart the end that has come meanwhile is written down, once, and the delegate is told nothing more."""
    await idle.start()
    await lend(idle)
    await idle.slack.wait_for(lambda: told(idle, idle.sam), what="a word to Sam")
    await idle.crash()
    idle.clock.advance(TWO_HOURS)
    await idle.start()
    async with asyncio.timeout(30):
        while 'linesman_work{task="delegation"} 0' not in (await idle.get("/metrics"))[1]:  # noqa: ASYNC110 - figures signal nobody
            await asyncio.sleep(0.06)
    found = await events(idle, "delegation_over")
    assert [(each["actor"], each["details"]["delegate"]) for each in found] == [("linesman", "U0SAM")]
    assert len(told(idle, idle.sam)) == 1
    assert "You have no delegations, given or received." in await idle.command("delegate", by=idle.max)


async def test_lent_again_after_its_end_it_is_another_one(stage: Stage) -> None:
    """The delegate is told anew, and the button of the former one ends nothing."""
    await lend(stage)
    await stage.command("delegate", by=stage.max)
    former = stage.slack.ephemerals("U0MAX")[-1]
    stage.clock.advance(TWO_HOURS)
    await lend(stage)

    assert "has already ended" in await stage.answered(stage.max, stage.max.click("end_delegation", message=former))
    assert "You can approve for @Max until" in await stage.command("delegate", by=stage.sam)


async def test_the_delegate_is_told_once_however_often_the_bot_dies(idle: Stage) -> None:
    """Killed before and after it was said, it is said, and not twice."""
    await idle.start()
    await lend(idle)
    for _ in range(2):
        await idle.crash()
        await idle.start()
        await idle.slack.wait_for(lambda: told(idle, idle.sam), what="a word to Sam")
    await idle.quiet()

    assert len(told(idle, idle.sam)) == 1


async def test_a_word_that_two_lives_died_over_is_said_once(stage: Stage) -> None:
    """One died saying it and the next one looking for it, before Slack had it: the third waits before it says it."""
    mine = {"where": lambda call: "lends you the right" in str(call.get("text"))}
    late = stage.slack.faults.add(method="chat.postMessage", kind="delay", seconds=4, **mine)
    look = stage.slack.faults.add(method="conversations.history", kind="delay", seconds=1)
    await lend(stage)
    await stage.slack.wait_for(lambda: late.fired == 1, what="a word that takes its time")
    await stage.crash()
    still = stage.stop_clock()
    await stage.start()
    await stage.slack.wait_for(lambda: look.fired == 1, what="a look for it")
    await stage.crash()

    await stage.start()
    await looks(stage, 2, "conversations.history")
    for _ in range(3):  # what was to be said at once would have been by now
        await stage.command("locks")
    await stage.slack.wait_for(lambda: late.passed == 1, what="the word after all")
    still.elapse(31)
    await looks(stage, 3, "conversations.history")
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.slack.wait_for(lambda: "ended" in told(stage, stage.sam)[-1], what="the last word to Sam")

    assert ["lends you the right" in each for each in told(stage, stage.sam)] == [True, False]


@pytest.mark.parametrize("first", [False, True], ids=["lost", "arrived"])
async def test_a_word_without_an_answer_is_said_once(stage: Stage, *, first: bool) -> None:
    """Whether Slack took it or not, it is looked for before it is said again."""
    mine = {"where": lambda call: "lends you the right" in str(call.get("text")), "effect_first": first}
    stage.slack.faults.add(method="chat.postMessage", kind="status", status=503, **mine)
    await lend(stage)
    await stage.slack.wait_for(lambda: told(stage, stage.sam), what="a word to Sam")
    stage.clock.advance(60)
    await stage.command("delegate end @Sam", by=stage.max)
    await stage.slack.wait_for(lambda: "ended" in told(stage, stage.sam)[-1], what="the last word to Sam")

    assert len(told(stage, stage.sam)) == 2


async def test_a_command_that_arrives_twice_lends_once(stage: Stage) -> None:
    """Slack may deliver it again: there is one delegation, one event, and one word to the delegate."""
    day = f"{stage.clock() + timedelta(days=2):%Y-%m-%d}"
    delivery = await stage.max.command("/numbers", f"delegate @Sam until {day} 17:00", channel=OPS)
    await stage.slack.redeliver(delivery)
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals("U0MAX")) == 2, what="two answers")
    await stage.slack.wait_for(lambda: told(stage, stage.sam), what="a word to Sam")
    await stage.quiet()

    assert len(await events(stage, "delegated", "delegation_changed")) == 1
    assert len(told(stage, stage.sam)) == 1


async def test_what_ended_before_the_retention_is_forgotten(idle: Stage) -> None:
    """The decision still says whose right it was."""
    idle.telnyx.add_number(ONE)
    await idle.start(LINESMAN_RETENTION_DAYS="30")
    await lend(idle)
    change = await idle.ask(ONE)
    await idle.approve(change, by=idle.sam)
    await idle.ended(change)
    idle.clock.advance(TWO_HOURS)
    await until(idle, "SELECT ended_at IS NOT NULL FROM delegations", [(1,)])
    idle.clock.advance(31 * DAY)

    await until(idle, "SELECT count(*) FROM delegations", [(0,)])
    assert "@Sam for @Max approved" in await idle.command(f"status CHG-{change}")


async def test_a_long_list_is_shown_page_by_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otto sees how many there are and comes to each of them, and an end leaves him on the page where he was."""
    monkeypatch.setattr("bot.slack.views.delegations.SHOWN", 1)
    for lender, to in ((stage.max, "@Sam"), (stage.mia, "@Otto"), (stage.mia, "@Sam")):
        await lend(stage, to, by=lender)

    async def turn(button: str, words: str) -> str:
        """Press a button of the list, and return what takes its place once it has ``words``."""
        await stage.otto.click(button, message=stage.slack.ephemerals("U0OTTO")[-1])
        await stage.slack.wait_for(
            lambda: words in stage.read(stage.slack.ephemerals("U0OTTO")[-1]), what=f"a list with {words}"
        )
        return stage.read(stage.slack.ephemerals("U0OTTO")[-1])

    first = await stage.command("delegate", by=stage.otto)
    assert "Delegations, 1 to 1 of 3\n@Sam can approve for @Max" in first
    assert "[Next (2 more)]" in first
    assert "You can approve for @Mia" in await turn("delegations_next", "Delegations, 2 to 2 of 3")
    ended = await turn("end_delegation", "Delegations, 2 to 2 of 2")
    assert "⏹️ You can no longer approve for @Mia." in ended
    assert "@Sam can approve for @Mia" in ended
    assert "@Sam can approve for @Max" in await turn("delegations_previous", "Delegations, 1 to 1 of 2")
