"""The canary: a few numbers alone, verified alone, and what follows."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.slack import SlackUser
from tests.integration.scenarios.stage import FAILURES, Stage
from tests.integration.scenarios.steps import card_says, edit
from tests.integration.scenarios.test_scenario_policy import under

REFERENCE = "customer_reference"


def numbers_of(stage: Stage, count: int) -> list[str]:
    """Give the account ``count`` numbers."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


async def proposed(stage: Stage, numbers: list[str], first: str, command: str = "update") -> str:
    """Have Ana plan a change with a canary and return what she is shown."""
    await stage.open(command)
    await stage.fill(numbers, {REFERENCE: "Denver"}, "Moving to the new PBX")
    await stage.ana.type("canary", first)
    await stage.send()
    await stage.planned()
    return stage.modal()


async def started(stage: Stage, numbers: list[str], first: str = "2") -> int:
    """Have a change with a canary approved and return its number."""
    await proposed(stage, numbers, first)
    change = await stage.request()
    await stage.approve(change)
    return change


async def paused(stage: Stage, numbers: list[str]) -> int:
    """Have a change pause because the second number of its canary fails, and return its number."""
    stage.telnyx.fail(numbers[1])
    change = await started(stage, numbers)
    await card_says(stage, change, "Paused after the canary")
    await stage.slack.wait_for(
        lambda: any("Paused after the canary" in line for line in stage.thread(change)), what="the line"
    )
    return change


def sent(stage: Stage) -> list[set[str]]:
    """Return the numbers of each job, in the order in which the jobs were made."""
    return [
        {stage.telnyx.number(operation.id).phone_number for operation in job.operations} for job in stage.telnyx.jobs
    ]


async def press(stage: Stage, action: str, change: int, by: SlackUser) -> str:
    """Press a button of the card and return what only that person is told."""
    return await stage.answered(by, by.click(action, message=stage.card(change)))


async def test_a_canary_that_goes_well_lets_the_rest_follow_by_itself(stage: Stage) -> None:
    """Two numbers go alone and are read back before the others are sent; nobody is asked."""
    numbers = numbers_of(stage, 7)
    shown = await proposed(stage, numbers, "2")
    assert f"Canary: 2 numbers first ({numbers[0]}, {numbers[1]}), in 1 job" in shown
    assert "If all are verified, the remaining 5 numbers follow, in 1 job" in shown
    change = await stage.request()
    assert "Canary: 2 numbers first" in stage.read(stage.request_card(change))
    await stage.approve(change)
    await stage.ended(change)

    assert sent(stage) == [set(numbers[:2]), set(numbers[2:])]
    first, second = (call.at for call in stage.created())
    between = [call for call in stage.telnyx.calls if first < call.at < second and call.method == "GET"]
    assert any("/jobs" not in call.path for call in between)
    assert stage.outcomes(change) == {"verified": 7}
    assert "Succeeded" in stage.read(stage.card(change))
    assert stage.failures() == []
    assert len(stage.thread(change)) <= 8
    stage.assert_nothing_doubled()


async def test_the_plan_says_which_numbers_go_first(stage: Stage) -> None:
    """In the sheet below the card, a number of the canary is told from the others."""
    numbers = numbers_of(stage, 4)
    await proposed(stage, numbers, "3")
    await stage.request()
    await stage.quiet()
    [sheet] = [file.content for file in stage.slack.files if file.name == "CHG-1-plan.csv"]
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))

    assert [row["action"] for row in rows] == ["change first"] * 3 + ["change"]


@pytest.mark.parametrize("trouble", ["failed", "differs"])
async def test_anything_wrong_pauses_the_change_and_asks(stage: Stage, trouble: str) -> None:
    """Card, thread and failure channel tell the requester; nothing more is sent until somebody says so."""
    numbers = numbers_of(stage, 5)
    if trouble == "failed":
        stage.telnyx.fail(numbers[1])
    else:
        stage.telnyx.misbehave(None, "silently_dropped", field=REFERENCE, numbers=numbers[1:2])
    change = await started(stage, numbers)
    await card_says(stage, change, "Paused after the canary")
    await stage.quiet()

    assert stage.buttons(stage.card(change)) == ["go_on", "stop_rest"]
    assert sent(stage) == [set(numbers[:2])]
    [line] = [line for line in stage.thread(change) if "Paused after the canary" in line]
    assert "@Ana" in line
    [notice] = stage.slack.messages(FAILURES)
    assert "is paused after its canary: 1 " in stage.read(notice)
    assert notice.mentions.users == {"U0ANA"}

    assert "CHG-1 continues with the remaining 3 numbers" in await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert not {"go_on", "stop_rest"} & set(stage.buttons(stage.card(change)))
    assert stage.outcomes(change) == {"verified": 4, trouble: 1}
    assert sent(stage) == [set(numbers[:2]), set(numbers[2:])]
    assert len(stage.thread(change)) <= 8
    stage.assert_nothing_doubled()


async def test_stop_ends_the_change_with_its_canary(stage: Stage) -> None:
    """What was not sent is not sent, every number is accounted for, and its numbers are free again."""
    numbers = numbers_of(stage, 5)
    change = await paused(stage, numbers)
    assert "3 numbers will not be sent" in await press(stage, "stop_rest", change, stage.ana)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 3}
    assert sent(stage) == [set(numbers[:2])]
    assert "Partly failed" in stage.read(stage.card(change))
    assert "CHG-1" not in await stage.command("locks")


async def test_only_the_requester_and_operators_decide_at_the_click(stage: Stage) -> None:
    """Approvers and strangers are refused, and that is written down; an operator may."""
    change = await paused(stage, numbers_of(stage, 4))

    for person in (stage.max, stage.sam):
        assert "Only the requester or an operator can continue CHG-1" in await press(stage, "go_on", change, person)
        assert "Only the requester or an operator can cancel CHG-1" in await press(stage, "stop_rest", change, person)
    assert (await stage.command(f"status CHG-{change}")).count("Click refused") == 4
    assert "CHG-1 continues" in await press(stage, "go_on", change, stage.otto)
    await stage.ended(change)
    assert any("@Otto continued the rollout: 2 numbers to go" in line for line in stage.thread(change))


async def test_one_word_has_one_effect(stage: Stage) -> None:
    """Pressed twice, or after the decision on a card that was shown before, the rest is sent once."""
    change = await paused(stage, numbers_of(stage, 4))
    old = stage.card(change).snapshot()
    before = len(stage.slack.ephemerals("U0ANA"))
    await stage.ana.double_click("go_on", message=stage.card(change))
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals("U0ANA")) == before + 2, what="two answers")
    answers = [stage.read(each) for each in stage.slack.ephemerals("U0ANA")[-2:]]
    assert sum("continues with" in answer for answer in answers) == 1
    assert sum("nothing left to decide" in answer for answer in answers) == 1
    await stage.ended(change)

    assert "nothing left to decide" in await stage.answered(stage.otto, stage.otto.click("go_on", message=old))
    assert "already finished" in await stage.answered(stage.ana, stage.ana.click("stop_rest", message=old))
    assert len(stage.telnyx.jobs) == 2
    stage.assert_nothing_doubled()


async def test_a_paused_change_keeps_its_numbers_and_reminds_once(stage: Stage) -> None:
    """Its numbers stay locked, and after a while the requester hears that it still waits."""
    numbers = numbers_of(stage, 4)
    change = await paused(stage, numbers)
    await stage.open("update")
    await stage.fill(numbers[3:], {REFERENCE: "Boston"}, "Something else")
    await stage.send()
    await stage.planned()
    assert "1 of the numbers is locked by CHG-1" in stage.modal()

    stage.clock.advance(16 * 60)
    await stage.slack.wait_for(lambda: any("Still paused" in line for line in stage.thread(change)), what="a reminder")
    stage.clock.advance(5 * 3600)
    await stage.quiet()
    assert sum("Still paused" in line for line in stage.thread(change)) == 1
    assert "is stopped: 2 numbers will not be sent" in await stage.command(f"cancel CHG-{change}")
    await stage.ended(change)


async def test_numbers_that_move_during_the_pause_stop_the_rest(stage: Stage) -> None:
    """Before the rest is sent its numbers are read again; what moved is named and nothing more is sent."""
    numbers = numbers_of(stage, 5)
    change = await paused(stage, numbers)
    stage.telnyx.number(numbers[4]).customer_reference = "Boston"
    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 3}
    card = stage.read(stage.card(change))
    assert (
        f"1 number has changed since the plan was made, so the rest was not sent: Customer reference of {numbers[4]}"
        in card
    )
    assert {row["reason_code"] for row in stage.results(change) if row["outcome"] == "not_attempted"} == {
        "linesman.stale"
    }
    assert sent(stage) == [set(numbers[:2])]


async def test_a_freeze_holds_the_rest_back(stage: Stage) -> None:
    """Let go while submissions are frozen, the rest follows when they are not."""
    change = await paused(stage, numbers_of(stage, 4))
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Running")
    assert len(stage.telnyx.jobs) == 1

    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)
    assert len(stage.telnyx.jobs) == 2


async def test_the_rest_waits_for_the_change_window(idle: Stage, tmp_path: Path) -> None:
    """Let go while the window is shut, the rest is sent when it opens again, and the card says when that is."""
    days = ", ".join((idle.clock() + timedelta(days=ahead)).strftime("%a").lower() for ahead in (0, 1))
    window = f'windows = [{{ days = "{days}", from = "00:00", to = "24:00", zone = "UTC" }}]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "weekly"\n{window}\n')
    change = await paused(stage, numbers_of(stage, 4))
    stage.clock.advance(3 * 86_400)

    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Outside its change window: the remaining 2 numbers follow at")
    assert len(stage.telnyx.jobs) == 1
    stage.clock.advance(4 * 86_400 + 3600)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3, "failed": 1}


async def test_a_change_can_be_cancelled_during_its_canary(stage: Stage) -> None:
    """The job that runs is watched and read back to its end; the rest is not sent."""
    numbers = numbers_of(stage, 5)
    stage.telnyx.job_seconds = 60
    change = await started(stage, numbers)
    await card_says(stage, change, "the remaining 3 numbers wait until all are verified")
    await stage.slack.wait_for(lambda: stage.telnyx.jobs, what="the first job")

    assert "3 numbers will not be sent" in await stage.command(f"cancel CHG-{change}")
    stage.telnyx.advance(60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2, "not_attempted": 3}
    assert sent(stage) == [set(numbers[:2])]


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_pause_survives_a_restart(stage: Stage, end: str) -> None:
    """It is still paused, the buttons still work, and nothing is sent twice."""
    numbers = numbers_of(stage, 4)
    change = await paused(stage, numbers)
    await (stage.crash() if end == "crash" else stage.stop())
    await stage.start()

    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3, "failed": 1}
    stage.assert_nothing_doubled()


async def test_the_rest_is_sent_once_when_its_task_is_taken_over(stage: Stage) -> None:
    """A worker that reads so slowly that another one takes its task over does not send the rest a second time."""
    change = await paused(stage, numbers_of(stage, 4))
    slow = stage.telnyx.faults.add(path="/phone_numbers*", kind="delay", seconds=1.5, effect_first=False, times=100)
    await press(stage, "go_on", change, stage.ana)
    async with asyncio.timeout(60):
        while slow.times == 100:  # noqa: ASYNC110 - the carrier signals nobody
            await asyncio.sleep(0.02)
        stage.clock.advance(61)  # longer than a lease
        await asyncio.sleep(1.0)
    slow.times = 0
    await stage.ended(change)

    assert len(stage.telnyx.jobs) == 2
    assert (await stage.command(f"status CHG-{change}")).count("Remaining 1 job started") == 1
    stage.assert_nothing_doubled()


async def test_a_canary_on_all_numbers_is_none(stage: Stage) -> None:
    """With no more numbers than the canary was to have, all go together, and the plan says so."""
    numbers = numbers_of(stage, 3)
    assert (
        "No canary: the change has no more numbers than the canary, so all numbers are sent at once."
        in await proposed(stage, numbers, "3")
    )
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert len(stage.telnyx.jobs) == 1
    assert stage.outcomes(change) == {"verified": 3}


async def test_editing_brings_the_canary_back(stage: Stage) -> None:
    """Nothing typed is lost."""
    await proposed(stage, numbers_of(stage, 4), "2")
    view = await edit(stage)

    assert view.form.slot("canary").value == "2"
