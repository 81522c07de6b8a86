"""Jobs that stall: operators hear of it, the watching goes on, and an operator may give up."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.integration.scenarios.stage import FAILURES, Stage

JOBS = "/phone_numbers/jobs/*"


async def watched(stage: Stage) -> None:
    """Wait until the job has been asked about."""
    await stage.telnyx.wait_for(
        lambda: any(call.method == "GET" and "/jobs/" in call.path for call in stage.telnyx.calls)
    )


def due(stage: Stage, task: str) -> bool:
    """Tell whether the task is due on anything, now or later."""
    with closing(sqlite3.connect(f"file:{stage.database}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT 1 FROM tasks WHERE task = ?", (task,)).fetchone() is not None


async def stuck(stage: Stage, *, numbers: int = 3) -> int:
    """Take a change to where its job has been pending for long, and return its number."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(numbers, start="+13035550000")]
    stage.telnyx.misbehave(None, "stuck_pending")
    change = await stage.ask(given)
    await stage.approve(change)
    await watched(stage)
    stage.clock.advance(900)
    await stage.slack.wait_for(stage.failures, what="the reminder")
    return change


async def test_a_job_that_stays_pending_is_told_once_and_watched_on(stage: Stage) -> None:
    """After the configured time the failure channel hears of the job, once, and polling goes on."""
    change = await stuck(stage)
    polls = len(stage.telnyx.calls)
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.calls) > polls + 2)

    (said,) = stage.failures()
    assert "CHG-1, requested by @Ana, needs an operator (@Otto): 1 batch of 1." in said
    assert "it says “pending”" in said
    assert stage.telnyx.jobs[0].id in said
    assert "1 job stalled" in stage.read(stage.card(change))
    assert stage.buttons(stage.slack.messages(FAILURES)[0]) == ["give_up"]


async def test_a_job_that_is_to_take_an_hour_has_not_stalled_after_half_of_one(stage: Stage) -> None:
    """It is asked about a few times only, nobody is disturbed before its estimate is over, and its end is seen."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 3_600
    change = await stage.ask(given)
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: stage.telnyx.jobs)
    for _ in range(6):
        stage.clock.advance(590)
        stage.telnyx.advance(590)
        await stage.slack.wait_for(lambda: stage.telnyx.calls, what="some time")
    polls = [call for call in stage.telnyx.calls if call.method == "GET" and "/jobs/" in call.path]

    assert stage.failures() == []
    assert len(polls) <= 4
    stage.clock.advance(100)
    stage.telnyx.advance(100)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}


async def test_operators_are_reminded_at_pauses_that_double_until_they_answer(stage: Stage) -> None:
    """The second reminder comes after 15 minutes, the third half an hour later, and none once the job is given up."""
    change = await stuck(stage)
    stage.clock.advance(900)
    await stage.slack.wait_for(lambda: len(stage.failures()) >= 2, what="the second reminder")
    stage.clock.advance(1000)
    await stage.slack.wait_for(lambda: stage.telnyx.calls, what="some time")
    stage.clock.advance(800)
    await stage.slack.wait_for(lambda: len(stage.failures()) >= 3, what="the third reminder")

    question = stage.slack.messages(FAILURES)[-1]
    said = await stage.answered(stage.otto, stage.otto.click("give_up", message=question))
    await stage.ended(change)
    stage.clock.advance(10_000)
    await stage.quiet()

    assert "Batch 1 of CHG-1 is given up" in said
    assert sum("needs an operator" in text for text in stage.failures()) <= 3
    assert stage.outcomes(change) == {"differs": 3}
    for row in stage.results(change):
        assert row["reason_code"] == "linesman.given_up"
        assert row["reason"].startswith("Customer reference is (empty) instead of Denver. An operator gave up on job")
        assert "which was last “pending”" in row["reason"]
        assert row["job"] == stage.telnyx.jobs[0].id
    assert "No numbers are locked" in await stage.command("locks")


async def test_numbers_that_the_job_did_report_keep_their_outcome(idle: Stage) -> None:
    """Giving up touches only the numbers that have none; those that succeeded stay succeeded."""
    stage = idle
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(10, start="+13035550000")]
    stage.telnyx.job_seconds = 1000
    await stage.start()
    change = await stage.ask(numbers)
    await stage.approve(change)
    await watched(stage)
    stage.telnyx.advance(500)
    await stage.slack.wait_for(lambda: "0 succeeded" not in stage.read(stage.card(change)), what="some progress")
    stage.clock.advance(2_000)  # its estimate is over, too
    await stage.slack.wait_for(stage.failures, what="the reminder")
    question = stage.slack.messages(FAILURES)[-1]
    await stage.answered(stage.otto, stage.otto.click("give_up", message=question))
    await stage.ended(change)

    outcomes = stage.outcomes(change)
    assert outcomes["verified"] >= 4
    assert outcomes["verified"] + outcomes["differs"] == 10
    assert {row["reason_code"] for row in stage.results(change)} == {"", "linesman.given_up"}


async def test_a_job_that_moves_again_needs_nobody(stage: Stage) -> None:
    """When the job goes on by itself the card drops the word, an old button moves nothing, and it ends well."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 1_000
    change = await stage.ask(given)
    await stage.approve(change)
    await watched(stage)
    stage.clock.advance(2_000)
    await stage.slack.wait_for(stage.failures, what="the reminder")
    question = stage.slack.messages(FAILURES)[-1]

    stage.telnyx.advance(500)
    stage.clock.advance(1_100)  # by the clock there its estimate is yet to come, so it is not looked at before
    await stage.slack.wait_for(lambda: "stalled" not in stage.read(stage.card(change)), what="the card")
    late = await stage.answered(stage.otto, stage.otto.click("give_up", message=question))
    stage.telnyx.advance(1_000)
    stage.clock.advance(1_100)
    await stage.ended(change)

    assert "no longer needs a decision" in late
    assert stage.outcomes(change) == {"verified": 3}


async def test_a_job_that_cannot_be_read_for_long_is_told_as_well(stage: Stage) -> None:
    """When every poll fails, operators hear why; the job is read once that is over."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    lost = stage.telnyx.faults.add(method="GET", path=JOBS, kind="status", status=403, times=None)
    change = await stage.ask(given)
    await stage.approve(change)
    await watched(stage)
    stage.clock.advance(900)
    await stage.slack.wait_for(stage.failures, what="the reminder")

    assert "it cannot be read: Telnyx does not allow this for the API key" in stage.failures()[0]
    lost.times = 0
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}


async def test_nobody_is_asked_about_a_change_on_which_nothing_is_open(stage: Stage) -> None:
    """A reminder that comes due after all of it was answered says nothing, and no other one follows."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    change = await stage.ask(given)
    await stage.approve(change)
    await watched(stage)

    await stage.tamper("INSERT INTO tasks (task, subject, due_at) VALUES ('escalate', 1, '2020-01-01 00:00:00.000000')")
    await stage.telnyx.wait_for(lambda: not due(stage, "escalate"))

    assert stage.failures() == []


async def test_a_job_that_has_ended_is_not_asked_about_again(stage: Stage) -> None:
    """The poll that sees its end is the last one."""
    given = [number.phone_number for number in stage.telnyx.add_numbers(3, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    change = await stage.ask(given)
    await stage.approve(change)
    await watched(stage)
    before = len(stage.telnyx.calls)

    stage.telnyx.advance(60)
    await stage.ended(change)

    polls = [call for call in stage.telnyx.calls[before:] if call.method == "GET" and "/jobs/" in call.path]
    assert len(polls) in {1, 2}, "one may have been on its way when the job ended"
