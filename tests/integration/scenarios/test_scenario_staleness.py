"""The numbers of every batch are read again just before it is sent, whatever made it wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from bot.sandbox.telnyx import Call
from bot.workflow.execution import staleness
from tests.integration.scenarios.stage import Clock, Stage
from tests.integration.scenarios.steps import card_says
from tests.integration.scenarios.test_scenario_job_slots import WANTED, own_jobs
from tests.integration.scenarios.test_scenario_policy import under

FORWARDS_TO = "voice.call_forwarding.forwards_to"
FORWARDING_TYPE = "voice.call_forwarding.forwarding_type"
SOMEBODY = "+17205559999"
READS = ("/phone_numbers*", "/phone_numbers/actions/*")
JOBS = "/phone_numbers/jobs/*"
CONTINUE = '[[rule]]\nname = "patient"\non_stale = "continue"\n'


def sent(stage: Stage) -> set[str]:
    """Return the numbers of all jobs, in E.164."""
    numbers = {number.id: number.phone_number for number in stage.telnyx.numbers.values()}
    return {numbers[operation.id] for job in stage.telnyx.jobs for operation in job.operations}


def reads(stage: Stage) -> list[Call]:
    """Return the calls that read numbers."""
    return [
        call
        for call in stage.telnyx.calls
        if "/jobs" not in call.path and (call.method == "GET" or call.path.endswith("/verify_ownership"))
        if call.path.startswith("/phone_numbers")
    ]


async def five_waiting(stage: Stage) -> tuple[int, list[str]]:
    """Have 20 of 25 jobs run, and return the change and the numbers of the five that wait for a slot."""
    numbers = own_jobs(stage, 25)
    stage.telnyx.job_seconds = 600
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)
    said = "20 running, 5 waiting for a free slot"
    await stage.slack.wait_for(lambda: said in stage.read(stage.card(change)), timeout=30, what="five jobs to wait")
    taken = sent(stage)
    return change, [number for number in numbers if number not in taken]


async def slots_free(stage: Stage, change: int) -> None:
    """End the jobs that run, and wait for the end of the change."""
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(600)
    stage.clock.advance(30)
    await stage.ended(change, timeout=30)


async def looked(stage: Stage, change: int) -> datetime | None:
    """Return when the numbers of a change's one batch were looked at last."""
    assert stage.bot is not None
    async with stage.bot.worker._context.database.reading() as tx:
        [batch] = await tx.batches.of(change)
    return batch.checked_at


def reasons(stage: Stage, change: int) -> dict[str, tuple[str, str]]:
    """Return number -> (code, reason) of what was not attempted."""
    return {
        row["number"]: (row["reason_code"], row["reason"])
        for row in stage.results(change)
        if row["outcome"] == "not_attempted"
    }


async def test_a_sibling_that_changed_while_its_job_waited_for_a_slot_is_not_overwritten(stage: Stage) -> None:
    """20 jobs run and five wait; a field beside the wanted one changes: nothing more is sent, and it says why."""
    change, waiting = await five_waiting(stage)
    stage.telnyx.number(waiting[3]).put(FORWARDS_TO, SOMEBODY)

    await slots_free(stage, change)

    assert stage.telnyx.number(waiting[3]).value(FORWARDS_TO) == SOMEBODY
    told = reasons(stage, change)  # slots become free one by one: what went before the look at it is sent
    assert stage.outcomes(change) == {"verified": 25 - len(told), "not_attempted": len(told)}
    assert told.keys() <= set(waiting)
    code, reason = told[waiting[3]]
    assert code == "linesman.stale"
    assert reason.startswith(f"It has changed since the plan was made, so it was not sent: Forward to of {waiting[3]}")
    assert SOMEBODY in reason
    assert {code for number, (code, _) in told.items() if number != waiting[3]} <= {"linesman.stopped"}
    moved = "1 number has changed since the plan was made, so the rest was not sent"
    for shown in (stage.read(stage.card(change)), "\n".join(stage.thread(change)), "\n".join(stage.failures())):
        assert moved in shown
        assert waiting[3] in shown
    assert "retry_failed" in stage.buttons(stage.card(change))
    stage.assert_nothing_doubled()


async def test_what_was_not_sent_is_planned_again_with_one_click(stage: Stage) -> None:
    """The new plan has the values of now, and goes through approval like any other."""
    change, waiting = await five_waiting(stage)
    stage.telnyx.number(waiting[0]).put(FORWARDS_TO, SOMEBODY)
    await slots_free(stage, change)

    await stage.ana.click("retry_failed", message=stage.card(change))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.send()
    kept = len(reasons(stage, change))
    assert f"Numbers: {kept}" in stage.read(await stage.planned())
    second = await stage.request()
    await stage.approve(second)
    await stage.ended(second)

    assert stage.outcomes(second) == {"verified": kept}
    assert stage.telnyx.number(waiting[0]).value(FORWARDS_TO) == SOMEBODY


async def test_a_rule_lets_the_others_go_on(idle: Stage, tmp_path: Path) -> None:
    """With ``on_stale = "continue"`` only the job with the changed number is left out, and it is named."""
    stage = await under(idle, tmp_path, CONTINUE)
    change, waiting = await five_waiting(stage)
    stage.telnyx.number(waiting[1]).put(FORWARDS_TO, SOMEBODY)

    await slots_free(stage, change)

    assert stage.outcomes(change) == {"verified": 24, "not_attempted": 1}
    assert reasons(stage, change)[waiting[1]][0] == "linesman.stale"
    assert stage.telnyx.number(waiting[1]).value(FORWARDS_TO) == SOMEBODY
    assert (
        "Left out: 1 number has changed since the plan was made, so the job was not created (1 number): Forward to of "
        in (stage.read(stage.card(change)))
    )
    assert any("The rest continues" in line and waiting[1] in line for line in stage.thread(change))
    assert any("continues without numbers that have changed" in notice for notice in stage.failures())


async def test_a_number_that_somebody_gave_just_what_is_wanted_has_changed_too(stage: Stage) -> None:
    """It is theirs: the approver saw another value before, and an undo would take it from them."""
    change, waiting = await five_waiting(stage)
    stage.telnyx.number(waiting[4]).put(FORWARDING_TYPE, "on-failure")

    await slots_free(stage, change)

    assert reasons(stage, change)[waiting[4]][0] == "linesman.stale"
    assert waiting[4] not in sent(stage)


async def test_what_waited_for_the_end_of_a_freeze_is_looked_at_again(stage: Stage) -> None:
    """A freeze comes while five jobs wait; when it is lifted, one of them has changed and none of them is sent."""
    change, waiting = await five_waiting(stage)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(600)
    stage.clock.advance(30)
    await card_says(stage, change, "20 of 25 done, 5 waiting")
    stage.telnyx.number(waiting[2]).put(FORWARDS_TO, SOMEBODY)

    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 20, "not_attempted": 5}
    assert sent(stage).isdisjoint(waiting)


async def test_a_freeze_during_the_look_is_heeded(stage: Stage) -> None:
    """What is frozen between the look and the request is not sent, and looked at once more when that is lifted."""
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.other_jobs(20, "update_phone_numbers")
    change = await stage.ask([number.phone_number])
    await stage.approve(change)
    await card_says(stage, change, "1 waiting for a free slot")
    stage.telnyx.end_other_jobs()
    attempts, before, last = len(stage.created()), len(reads(stage)), await looked(stage, change)
    stage.telnyx.faults.add(method="GET", path="/phone_numbers/*", kind="delay", seconds=3)
    stage.clock.advance(30)
    await stage.telnyx.wait_for(lambda: len(reads(stage)) > before)

    await stage.command("freeze carrier maintenance", by=stage.otto)
    async with asyncio.timeout(30):
        while await looked(stage, change) == last:  # noqa: ASYNC110 - a database signals nobody
            await asyncio.sleep(0.03)
    await card_says(stage, change, "Submissions are frozen")
    assert len(stage.created()) == attempts
    number.customer_reference = "Boston"
    stage.clock.advance(30)
    await stage.command("unfreeze", by=stage.otto)

    await card_says(stage, change, "Stale")
    assert len(stage.created()) == attempts


async def test_before_anything_is_sent_the_change_ends_as_stale(stage: Stage) -> None:
    """All its jobs wait for slots that others have: nothing was sent, and the request can be planned again."""
    numbers = own_jobs(stage, 3)
    stage.telnyx.other_jobs(20, "update_phone_numbers")
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)
    await card_says(stage, change, "3 waiting for a free slot")
    stage.telnyx.number(numbers[2]).put(FORWARDS_TO, SOMEBODY)
    stage.telnyx.end_other_jobs()
    for _ in range(3):  # one at a time finds out whether there is a slot
        stage.clock.advance(30)

    await card_says(stage, change, "Stale")
    await stage.quiet()

    card = stage.card(change)
    assert "1 number has changed since the plan was made, so nothing was sent" in stage.read(card)
    assert stage.telnyx.jobs == []
    assert {"plan_again"} <= set(stage.buttons(card))
    assert await stage.command("locks") == "No numbers are locked."


async def test_what_was_asked_to_slow_down_is_looked_at_again(idle: Stage) -> None:
    """A 429 makes the job wait; what changes meanwhile is not sent."""
    stage = idle
    stage.clock = Clock(rate=1)
    await stage.start()
    number = stage.telnyx.add_number("+13035550000")
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="rate_limited", retry_after=2.5)
    change = await stage.ask([number.phone_number])
    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: [call for call in stage.created() if call.status == 429])
    number.customer_reference = "Boston"
    stage.clock.advance(10)

    await card_says(stage, change, "Stale")

    assert number.customer_reference == "Boston"
    assert len(stage.created()) == 1


async def unanswered(stage: Stage, edit: str) -> int:
    """Have the first of two jobs lost, its number edited while it is looked for, and return the ended change."""
    numbers = own_jobs(stage, 2)
    stage.telnyx.job_seconds = 600
    stage.telnyx.faults.add(method="POST", path=JOBS, kind="drop_before")
    search = stage.telnyx.faults.add(method="GET", path="/phone_numbers/jobs", kind="malformed", times=None)
    change = await stage.ask(numbers, WANTED)
    await stage.approve(change)
    await card_says(stage, change, "1 running, 1 with no response yet; checking with Telnyx")
    (lost,) = set(numbers) - sent(stage)
    path, _, value = edit.partition("=")
    stage.telnyx.number(lost).put(path, value)
    search.times = 0
    await slots_free(stage, change)
    assert lost not in sent(stage)
    assert len(stage.created()) == 2
    assert stage.telnyx.number(lost).value(path) == value
    return change


async def test_a_lost_job_is_not_sent_again_over_what_changed(stage: Stage) -> None:
    """No job is found, so it would be sent again; its number has changed, so it is not."""
    change = await unanswered(stage, f"{FORWARDS_TO}={SOMEBODY}")

    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 1}
    assert {code for code, _ in reasons(stage, change).values()} == {"linesman.stale"}


async def test_a_lost_job_whose_numbers_have_the_new_value_may_have_been_carried_out(stage: Stage) -> None:
    """Nobody can say that it was not attempted, and it is not sent again: it is read back, and has what was wanted."""
    change = await unanswered(stage, f"{FORWARDING_TYPE}=on-failure")

    assert stage.outcomes(change) == {"verified": 2}


async def test_the_rest_after_a_canary_follows_the_rule_too(idle: Stage, tmp_path: Path) -> None:
    """What changed during the first try is left out, and the others follow."""
    stage = await under(idle, tmp_path, CONTINUE)
    numbers = own_jobs(stage, 4)
    stage.telnyx.job_seconds = 600
    await stage.open("update")
    await stage.fill(numbers, WANTED, "Moving to the new PBX")
    await stage.ana.type("canary", "1")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "1 running, 3 waiting")
    stage.telnyx.number(numbers[2]).put(FORWARDS_TO, SOMEBODY)

    await slots_free(stage, change)

    assert stage.outcomes(change) == {"verified": 3, "not_attempted": 1}
    assert list(reasons(stage, change)) == [numbers[2]]
    assert stage.telnyx.number(numbers[2]).value(FORWARDS_TO) == SOMEBODY


async def test_while_the_numbers_cannot_be_read_nothing_is_sent(stage: Stage) -> None:
    """The jobs wait, the card says what for, and they follow once the carrier can be asked again."""
    change, waiting = await five_waiting(stage)
    faults = [
        stage.telnyx.faults.add(method="GET", path="/phone_numbers/[0-9]*", kind="status", status=403, times=None),
        stage.telnyx.faults.add(method="GET", path="/phone_numbers", kind="status", status=403, times=None),
        stage.telnyx.faults.add(method="GET", path="/phone_numbers/voice", kind="status", status=403, times=None),
    ]
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(600)
    stage.clock.advance(30)

    await card_says(stage, change, "5 numbers wait to be read again")
    assert sent(stage).isdisjoint(waiting)
    for fault in faults:
        fault.times = 0
    stage.clock.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 25}
    assert "to be read again" not in stage.read(stage.card(change))


async def test_a_restart_makes_no_look_younger(stage: Stage) -> None:
    """When the process ends while jobs wait, the next one looks at their numbers before it sends them."""
    change, waiting = await five_waiting(stage)
    await stage.stop()
    stage.telnyx.number(waiting[0]).put(FORWARDS_TO, SOMEBODY)
    stage.clock.advance(3600)
    await stage.start()

    await slots_free(stage, change)

    assert waiting[0] not in sent(stage)
    assert reasons(stage, change)[waiting[0]][0] == "linesman.stale"


async def test_jobs_that_go_at_once_are_read_once(idle: Stage) -> None:
    """Twenty jobs, all with a slot: what the plan needed of calls the look before them needs once more, and no more."""
    stage = idle
    stage.clock = Clock(rate=0)
    await stage.start()
    numbers = own_jobs(stage, 20)
    stage.telnyx.job_seconds = 600
    change = await stage.ask(numbers, WANTED)
    planned = len(reads(stage))

    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.jobs) == 20)

    assert len(reads(stage)) == 2 * planned


async def test_what_goes_first_is_read_last(idle: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all 25 takes longer than a look may be old, and yet no number is looked at twice before 20 jobs go."""
    monkeypatch.setattr(staleness, "SOON", 25)
    stage = idle
    stage.clock = Clock(rate=0)
    await stage.start()
    numbers = own_jobs(stage, 25)
    stage.telnyx.job_seconds = 600
    change = await stage.ask(numbers, WANTED)
    planned = len(reads(stage))
    stage.telnyx.faults.add(method="GET", path="/phone_numbers*", kind="delay", seconds=1)

    await stage.approve(change)
    await stage.telnyx.wait_for(lambda: len(reads(stage)) > planned)
    stage.clock.advance(6)
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.jobs) == 20)

    checked = [call.body["phone_numbers"] for call in reads(stage)[planned:] if isinstance(call.body, dict)]
    assert sorted(checked[1]) == sorted(sent(stage))
    assert (
        Counter(number for numbers in checked for number in numbers if number in sent(stage)).most_common(1)[0][1] == 1
    )


async def test_jobs_that_waited_together_share_a_look(idle: Stage) -> None:
    """Five jobs are free to go at once: one look serves them all, with one page and one check of ownership."""
    stage = idle
    stage.clock = Clock(rate=1)
    await stage.start()
    change, waiting = await five_waiting(stage)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.telnyx.advance(600)
    stage.clock.advance(30)
    await card_says(stage, change, "20 of 25 done, 5 waiting")
    before = len(reads(stage))

    await stage.command("unfreeze", by=stage.otto)
    await stage.telnyx.wait_for(lambda: sent(stage) >= set(waiting))

    assert len(reads(stage)) - before == 2
