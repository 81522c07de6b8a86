"""Stopping and starting again: wherever it was, it goes on there, and nothing is done or told twice."""

from __future__ import annotations

import asyncio
from functools import wraps

import pytest

from bot.errors import DatabaseInUse
from bot.store.queue.tasks import Claim
from bot.workflow.execution.completion import Completion
from tests.integration.scenarios.stage import APPROVALS, FAILURES, OPS, Clock, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_revisions import lines_with, replan, send_back

JOBS = "/phone_numbers/jobs/*"
#: A stop lets running work end; a crash cuts it off.
ENDS = pytest.mark.parametrize("end", ["stop", "crash"])


async def leave(stage: Stage, end: str) -> None:
    """End the bot, politely or not."""
    if end == "crash":
        await stage.crash()
    else:
        await stage.stop()


async def assert_whole(stage: Stage, change: int, numbers: int) -> None:
    """Check that the change ended well, once, and that its whole story is told."""
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": numbers}
    lines = stage.thread(change)
    assert [sum(word in line for line in lines) for word in ("Approved", "at Telnyx", "Done", "results.csv")] == [
        1,
        1,
        1,
        1,
    ]
    assert "Succeeded" in stage.read(stage.card(change))
    assert stage.buttons(stage.request_card(change)) == []
    stage.assert_nothing_doubled()


async def test_a_plan_in_the_making_is_made_after_a_crash(stage: Stage) -> None:
    """The modal that was waiting gets its plan from the next process."""
    stage.telnyx.add_number("+13035550000")
    hanging = stage.telnyx.faults.add(path="/phone_numbers/actions/*", kind="delay", seconds=60, effect_first=False)
    await stage.open("update")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")
    await stage.send()
    await stage.slack.wait_for(lambda: hanging.times == 0, what="the planning to begin")

    await stage.crash()
    await stage.start()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)

    await assert_whole(stage, change, 1)


@ENDS
async def test_a_request_waits_through_a_restart(stage: Stage, end: str) -> None:
    """Buttons of before work afterwards, the deadline stays, and the cards are not posted again."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    deadline = stage.read(stage.request_card(change))

    await leave(stage, end)
    await stage.start()

    assert stage.read(stage.request_card(change)) == deadline
    await stage.approve(change)
    await assert_whole(stage, change, 1)
    assert (len(stage.slack.messages(OPS)), len(stage.slack.messages(APPROVALS))) == (1, 1)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
async def test_a_plan_that_was_sent_back_outlives_a_crash(stage: Stage, fault: str) -> None:
    """Killed before anybody was told, and again before the next request was: each is told once, and Edit works."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.quiet()
    for told in ("chat.postMessage", "files.completeUploadExternal"):
        trouble = stage.slack.faults.add(method=told, kind=fault, times=1)
        await (send_back(stage, change) if told == "chat.postMessage" else replan(stage, change, quietly=False))
        await stage.slack.wait_for(lambda trouble=trouble: trouble.times == 0, what="the message that got lost")
        await stage.crash()
        stage.clock.advance(60)
        await stage.start()
        await stage.quiet()

    assert len(lines_with(stage, change, "asks for changes")) == 1
    assert len(lines_with(stage, change, "🔁")) == 1
    await stage.approve(change)
    await assert_whole(stage, change, 1)


async def test_a_click_while_nobody_is_there_is_made_again(stage: Stage) -> None:
    """Slack tells the manager that the app did not answer; the same button works once it is back."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    card = stage.request_card(change)
    await stage.stop()

    press = await stage.max.click("approve", message=card)
    assert press.error is not None
    await stage.start()
    await stage.approve(change)

    await assert_whole(stage, change, 1)


async def test_a_request_expires_while_nobody_is_there(stage: Stage) -> None:
    """The time that passes during a stop counts."""
    stage.telnyx.add_number("+13035550000")
    change = await stage.ask("+13035550000")
    await stage.stop()
    stage.clock.advance(86_401)

    await stage.start()
    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice of the expiry")
    await stage.quiet()

    assert "Expired" in stage.read(stage.card(change))
    assert stage.created() == []


async def test_queued_jobs_are_created_after_a_restart(stage: Stage) -> None:
    """What was approved and had not been sent for want of a slot is sent by the next process."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.other_jobs(20, "update_phone_numbers")
    change = await stage.ask(numbers)
    await stage.approve(change)
    await card_says(stage, change, "1 waiting")

    await stage.stop()
    stage.telnyx.end_other_jobs()
    await stage.start()

    await assert_whole(stage, change, 3)


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_a_crash_while_a_job_is_being_created_makes_no_second_one(stage: Stage, arrived: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """Cut off during the POST, the next process looks for the job before it sends anything."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="delay", seconds=60, effect_first=arrived)
    change = await stage.ask(numbers)
    await stage.approve(change)
    await stage.slack.wait_for(stage.created, what="the POST to go out")

    await stage.crash()
    await stage.start()

    await assert_whole(stage, change, 3)
    assert len(stage.telnyx.jobs) == 1
    assert len(stage.created()) == (1 if arrived else 2)


async def test_a_job_that_is_looked_for_is_looked_for_after_a_restart(idle: Stage) -> None:
    """A batch without an answer stays so through a restart, until its job is found."""
    idle.telnyx.add_number("+13035550000")
    await idle.start(LINESMAN_RECONCILE_SECONDS="3600")
    idle.telnyx.faults.add(method="POST", path=JOBS, kind="drop_after")
    lost = idle.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="status", status=403, times=None)
    change = await idle.ask("+13035550000")
    await idle.approve(change)
    await card_says(idle, change, "with no response yet")

    await idle.crash()
    lost.times = 0
    await idle.start()

    await assert_whole(idle, change, 1)
    assert len(idle.created()) == 1


@ENDS
async def test_a_running_job_is_watched_on_after_a_restart(stage: Stage, end: str) -> None:
    """The job that the carrier worked on meanwhile is read to its end, also when it ended while nobody was there."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(10, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    change = await stage.ask(numbers)
    await stage.approve(change)
    await card_says(stage, change, "1 running")
    stage.telnyx.advance(30)
    await stage.slack.wait_for(lambda: "0 succeeded" not in stage.read(stage.card(change)), what="some progress")

    await leave(stage, end)
    stage.telnyx.advance(40)
    await stage.start()

    await assert_whole(stage, change, 10)


@ENDS
async def test_messages_that_were_not_delivered_are_delivered_after_a_restart(stage: Stage, end: str) -> None:
    """What was decided to be said is said by the next process, once."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    change = await stage.ask(numbers)
    silent = stage.slack.faults.add(method="*", kind="error", error="service_unavailable", times=9999)
    silent.where = lambda call: call.get("channel") in {OPS, APPROVALS} and "response_type" not in call
    await stage.max.click("approve", message=stage.request_card(change))
    await stage.slack.wait_for(lambda: stage.telnyx.jobs and stage.telnyx.jobs[0].finished, what="the job to end")

    await leave(stage, end)
    silent.times = 0
    await stage.start()

    await assert_whole(stage, change, 2)


async def test_a_crash_between_posting_and_noting_posts_nothing_twice(stage: Stage) -> None:
    """A message that arrived just before the crash is found again, not posted again."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(2, start="+13035550000")]
    await stage.propose(numbers)
    cut = stage.slack.faults.add(method="chat.postMessage", kind="drop_after", times=9999)
    await stage.send()
    await stage.slack.wait_for(lambda: cut.fired >= 2, what="both cards to be posted without an answer")

    await stage.crash()
    cut.times = 0
    await stage.start()
    await stage.quiet()

    assert (len(stage.slack.messages(OPS)), len(stage.slack.messages(APPROVALS))) == (1, 1)
    await stage.approve(1)
    await assert_whole(stage, 1, 2)


async def test_crashes_at_any_moment_double_nothing(stage: Stage) -> None:
    """Crashed again and again in the middle of its work, the bot still does everything once."""
    for index in range(6):
        forwarding: dict[str, object] = {
            "call_forwarding": {"forwards_to": f"+1720555000{index}", "forwarding_type": "always"}
        }
        stage.telnyx.add_number(f"+1303555000{index}", voice=forwarding)
    numbers = [number.phone_number for number in stage.telnyx.numbers.values()]
    change = await stage.ask(numbers, {"voice.call_forwarding.forwarding_type": "on-failure"})
    await stage.approve(change)

    for moment in range(8):
        await asyncio.sleep(0.01 + 0.02 * moment)
        await stage.crash()
        await stage.start()
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 6}
    assert len(stage.telnyx.jobs) == 6
    stage.assert_nothing_doubled()


async def test_a_running_bot_keeps_a_second_one_from_its_database(stage: Stage) -> None:
    """Two processes on one SQLite file would do everything twice; the second one is refused."""
    second = Stage(slack=stage.slack, telnyx=stage.telnyx, database=stage.database, clock=Clock())

    with pytest.raises(DatabaseInUse):
        await second.start()
    await second.stop()

    status, text = await stage.get("/readyz")
    assert (status, text.splitlines()[0]) == (200, "ready")


async def test_whoever_lost_its_claim_concludes_nothing(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another replica takes over the end of a change while it is being concluded: one of the two tells of it, once."""
    finish, ends = Completion.finish, asyncio.Queue[int]()

    @wraps(finish)
    async def late(self: Completion, claim: Claim) -> None:
        if claim.attempts == 1:
            await idle.tamper("UPDATE tasks SET owner = 'another', attempts = attempts + 1 WHERE task = 'finish'")
        try:
            await finish(self, claim)
        finally:
            ends.put_nowait(claim.attempts)

    monkeypatch.setattr(Completion, "finish", late)
    await idle.start()
    idle.telnyx.add_number("+13035550000")
    change = await idle.ask("+13035550000")
    await idle.approve(change)

    assert await ends.get() == 1
    assert "Verifying" in await idle.command(f"status CHG-{change}")
    await idle.tamper("UPDATE tasks SET owner = NULL, claimed_until = NULL WHERE task = 'finish'")
    assert await ends.get() == 3
    await idle.ended(change)
    assert sum("Done: 1 verified" in line for line in idle.thread(change)) == 1
