"""The emergency brake: what is still in our hands stops, at both providers, and what people read about it is true."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest
from sqlalchemy import text

from bot.sandbox.close import CloseStandIn, Fixtures
from bot.sandbox.provider.faults import Fault
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_says

#: Numbers of the change at Close: those done before the others are held, and those under way then.
ALL, DONE, UNDER_WAY = 24, 5, 12


async def held(stage: Stage, close: CloseStandIn, team: Fixtures) -> tuple[int, Fault]:
    """Take a change at Close to where some numbers are done, some were sent and have no answer, and the rest waits."""
    holding = close.faults.add(method="PUT", kind="hold", times=None, after=DONE)
    change = await stage.ask([number.number for number in team.shared], {"label": "Night desk"}, command="close")
    await stage.approve(change)
    await close.wait_for(lambda: updates(close) == DONE + UNDER_WAY)
    return change, holding


def updates(close: CloseStandIn) -> int:
    """Count the updates that were asked for, answered or not."""
    return sum(call.method == "PUT" for call in close.calls)


async def looked(stage: Stage, table: str) -> None:
    """Wait until whoever may send has looked twice more whether it may."""
    was = await attempts(stage, table)
    async with asyncio.timeout(60):
        while await attempts(stage, table) < was + 2:
            await asyncio.sleep(0.05)
            stage.clock.advance(1)


async def in_run(stage: Stage, state: str, count: int) -> None:
    """Wait until so many numbers of the run are in ``state``."""
    assert stage.bot is not None
    async with asyncio.timeout(60):
        while True:
            async with stage.bot.worker._context.database.engine.connect() as connection:
                query = text("SELECT count(*) FROM run_numbers WHERE state = :state")
                if await connection.scalar(query, {"state": state}) == count:
                    return
            await asyncio.sleep(0.02)


async def let_go(stage: Stage, holding: Fault) -> None:
    """Answer one of the held updates, so that another could follow while the others are held, and then them."""
    holding.let_go(1)
    await in_run(stage, "succeeded", DONE + 1)
    holding.let_go()


async def attempts(stage: Stage, table: str) -> int:
    """Return how often open runs, or batches to be sent, were taken up."""
    which = "runs WHERE open" if table == "runs" else "tasks WHERE task = 'submit'"
    assert stage.bot is not None
    async with stage.bot.worker._context.database.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT min(attempts) FROM {which}")) or 0)  # noqa: S608 - see above


@pytest.mark.parametrize("dies", [False, True], ids=["lives-on", "dies-and-comes-back"])
async def test_a_freeze_stops_a_run_between_two_numbers_and_it_goes_on_afterwards(
    both: Stage, close: CloseStandIn, team: Fixtures, *, dies: bool
) -> None:
    """Not one update more goes out, also of a process that was cut off; each number is updated once in the end."""
    stage = both
    change, holding = await held(stage, close, team)

    said = await stage.command("freeze carrier maintenance", by=stage.otto)
    assert "1 change is running: 7 numbers wait, 12 are being sent right now." in said
    if dies:
        await stage.crash()
    holding.let_go()
    if dies:
        await stage.start()
    await card_says(stage, change, "17 succeeded · 0 failed · 7 pending", "7 numbers wait until an operator lifts it.")
    await looked(stage, "runs")
    assert updates(close) == DONE + UNDER_WAY
    assert "1 held by the freeze" in stage.read(stage.card(change))

    assert await stage.command("unfreeze", by=stage.otto) == "The freeze is lifted; submissions continue."
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": ALL}
    assert Counter(update.number for update in close.updates) == Counter(n.number for n in team.shared)
    assert "frozen" not in stage.read(stage.card(change))
    stage.assert_nothing_doubled()


async def test_a_frozen_run_does_not_count_as_standing_still(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """However long the freeze lasts, no operator is asked what to do about a run that waits for its end."""
    stage = both
    change, holding = await held(stage, close, team)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    holding.let_go()
    await card_says(stage, change, "7 numbers wait until an operator lifts it.")

    for _ in range(3):
        stage.clock.advance(900)
        await looked(stage, "runs")

    assert stage.failures() == []


async def test_cancelling_stops_a_run_between_two_numbers(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """What was sent ends by itself, the rest is not attempted, and the answer counted both."""
    stage = both
    change, holding = await held(stage, close, team)

    said = await stage.command("cancel CHG-1")
    assert "CHG-1 is stopped: 7 numbers will not be sent." in said
    assert "12 numbers are being sent to Close right now" in said
    assert "CHG-1 is already stopped" in await stage.command("cancel CHG-1")
    await let_go(stage, holding)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 17, "not_attempted": 7}
    assert updates(close) == 17
    spared = {(row["reason_code"], row["reason"]) for row in stage.results(change) if row["outcome"] == "not_attempted"}
    assert spared == {("linesman.stopped", "The change was cancelled before this number was sent.")}
    assert any("Cancelled by its requester. 7 numbers will not be sent" in line for line in stage.thread(change))


async def test_a_run_that_waits_for_close_is_cancelled_whole(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """What Close told to wait was not carried out: nothing of it is sent once the wait is over."""
    stage = both
    close.faults.add(method="PUT", kind="rate_limited", reset=3600, times=None)
    change = await stage.ask([number.number for number in team.shared], {"label": "Night desk"}, command="close")
    await stage.approve(change)
    await close.wait_for(lambda: updates(close) >= 1)
    await in_run(stage, "sent", 0)

    assert "CHG-1 is cancelled. Nothing was sent to the provider." in await stage.command("cancel CHG-1")

    await card_says(stage, change, "Cancelled")
    assert "No numbers are locked" in await stage.command("locks")
    assert close.updates == []


async def test_cancelling_works_while_submissions_are_frozen(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """The change ends without waiting for the freeze to be lifted, and nothing is sent when it is."""
    stage = both
    change, holding = await held(stage, close, team)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    holding.let_go()
    await card_says(stage, change, "17 succeeded · 0 failed · 7 pending")

    assert "CHG-1 is stopped: 7 numbers will not be sent." in await stage.command("cancel CHG-1")
    await stage.ended(change)
    await stage.command("unfreeze", by=stage.otto)
    await stage.quiet()

    assert stage.outcomes(change) == {"verified": 17, "not_attempted": 7}
    assert updates(close) == 17


async def test_a_run_stops_when_its_numbers_are_released(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """Another change may have them a moment later, so none of them is sent any more."""
    stage = both
    change, holding = await held(stage, close, team)

    await stage.otto.command("/numbers", "unlock CHG-1", channel="C0OPS")
    await stage.slack.wait_for(lambda: stage.slack.ephemerals("U0OTTO"), what="the question")
    question = stage.slack.ephemerals("U0OTTO")[-1]
    said = await stage.answered(stage.otto, stage.otto.click("unlock", message=question))
    assert "24 numbers of CHG-1 are released. CHG-1 is stopped: 7 numbers will not be sent." in said
    await let_go(stage, holding)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 17, "not_attempted": 7}
    assert updates(close) == 17
    assert {row["reason_code"] for row in stage.results(change)} == {"", "linesman.unlocked"}


async def test_a_run_stops_when_it_is_given_up(idle: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """What was done counts, what was being sent is undecided, and the rest is not attempted, whatever Close says."""
    stage = idle
    stage.close = close
    await stage.start(LINESMAN_STUCK_AFTER="20", LINESMAN_PROVIDER_TIMEOUT="60")
    change, holding = await held(stage, close, team)
    await card_says(stage, change, "5 succeeded")
    await stage.slack.wait_for(stage.failures, what="the reminder")

    question = stage.slack.messages(FAILURES)[-1]
    said = await stage.answered(stage.otto, stage.otto.click("give_up", message=question))
    assert "Batch 1 of CHG-1 is given up. 7 of its 24 numbers will not be sent." in said
    await let_go(stage, holding)
    await stage.ended(change)

    # What was being sent is read back; how much of it had arrived by then nobody can say beforehand.
    outcomes = stage.outcomes(change)
    assert outcomes["not_attempted"] == 7
    assert outcomes["verified"] + outcomes["differs"] == 17
    assert outcomes["verified"] >= 5
    assert updates(close) == 17
    for row in stage.results(change):
        assert row["reason_code"] == ("" if row["outcome"] == "verified" else "linesman.given_up")


async def queued(stage: Stage) -> int:
    """Take a change at Telnyx to where one job runs and two wait for a free slot."""
    change = await ask_for_three_jobs(stage)
    await stage.approve(change)
    await card_says(stage, change, "1 running, 2 waiting")
    return change


@pytest.mark.parametrize("dies", [False, True], ids=["lives-on", "dies-and-comes-back"])
async def test_a_freeze_keeps_back_jobs_that_wait_and_they_go_on_afterwards(stage: Stage, *, dies: bool) -> None:
    """The job at Telnyx is watched to its end; slots that get free are not taken before the freeze is lifted."""
    change = await queued(stage)

    said = await stage.command("freeze carrier maintenance", by=stage.otto)
    # Whichever jobs ask for a slot in this very moment count as being sent until they have been refused.
    told = re.search(
        r"running: (\d) numbers? waits?, 1 is in jobs at the provider, which continue(?:, (\d) may)?", said
    )
    assert told is not None, said
    assert int(told[1]) + int(told[2] or 0) == 2
    if dies:
        await stage.crash()
        await stage.start()
    await card_says(stage, change, "1 number is already in jobs at Telnyx, which nothing can stop")
    stage.telnyx.advance(60)
    await card_says(stage, change, "1 of 3 done, 2 waiting for the end of the freeze", "2 numbers wait until")
    await looked(stage, "work")
    assert len(stage.telnyx.jobs) == 1

    await stage.command("unfreeze", by=stage.otto)
    for jobs in (2, 3):
        await stage.telnyx.wait_for(lambda jobs=jobs: len(stage.telnyx.jobs) == jobs)
        stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 3}
    stage.assert_nothing_doubled()


async def test_jobs_that_wait_stop_when_their_numbers_are_released(stage: Stage) -> None:
    """The job at Telnyx goes on, which is said; those that wait are not sent."""
    change = await queued(stage)

    await stage.otto.command("/numbers", "unlock CHG-1", channel="C0OPS")
    await stage.slack.wait_for(lambda: stage.slack.ephemerals("U0OTTO"), what="the question")
    question = stage.slack.ephemerals("U0OTTO")[-1]
    said = await stage.answered(stage.otto, stage.otto.click("unlock", message=question))
    # Whichever job asks for a slot in this very moment counts as being sent until it has been refused.
    assert re.search(
        r"CHG-1 is stopped: (2 numbers|1 number) will not be sent. 1 number is already in jobs at Telnyx", said
    )
    stage.telnyx.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 2}
    assert len(stage.telnyx.jobs) == 1


async def test_the_rest_of_a_canary_waits_for_the_end_of_a_freeze(stage: Stage) -> None:
    """Numbers are read back all the same; what follows the first try is not sent before the freeze is lifted."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(5, start="+13035550000")]
    stage.telnyx.job_seconds = 60
    await stage.open("update")
    await stage.fill(numbers, {"customer_reference": "Denver"}, "Moving")
    await stage.ana.type("canary", "2")
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "1 running")

    await stage.command("freeze carrier maintenance", by=stage.otto)
    await card_says(stage, change, "3 numbers wait until an operator lifts it. 2 numbers are already in jobs at Telnyx")
    stage.telnyx.advance(60)
    await card_says(stage, change, "2 verified", "3 numbers wait until an operator lifts it.")
    assert len(stage.telnyx.jobs) == 1

    await stage.command("unfreeze", by=stage.otto)
    await stage.telnyx.wait_for(lambda: len(stage.telnyx.jobs) == 2)
    stage.telnyx.advance(60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 5}


async def test_the_brake_takes_a_reason_of_any_length(stage: Stage) -> None:
    """Nobody is asked to be brief while calls go wrong; what was left out is seen to be."""
    reason = "carrier trouble & more <words> " * 40

    assert "Submissions are frozen" in await stage.command(f"freeze {reason}", by=stage.otto)
    answer = await stage.command("freeze again", by=stage.otto)

    assert reason[:490] in answer
    assert "…" in answer
