"""Rollouts in waves: each is read back and judged before the next goes, by itself, after a time, or by a word."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.changes.model.change import Change
from bot.errors import ClaimLost
from bot.sandbox.close import CloseStandIn, Fixtures
from bot.sandbox.slack import View
from bot.store.queue.tasks import Claim, Task, Tasks
from bot.workflow.execution.rollout import RolloutControl
from bot.workflow.execution.staleness import StalenessCheck
from bot.workflow.execution.wave_start import WaveStart
from tests.integration.scenarios.stage import FAILURES, OPS, Stage
from tests.integration.scenarios.steps import card_says, edit
from tests.integration.scenarios.test_scenario_canary import numbers_of, press, sent
from tests.integration.scenarios.test_scenario_policy import under
from tests.integration.scenarios.test_scenario_templates import save

REFERENCE = "customer_reference"


async def proposed(
    stage: Stage, numbers: list[str], waves: str, pause: str = "", threshold: str = "", **besides: str
) -> str:
    """Have Ana plan a change in waves and return what she is shown."""
    await stage.open("update")
    await stage.fill(numbers, {REFERENCE: "Denver"}, "Moving to the new PBX")
    for block, typed in {"canary": waves, "pause": pause, "threshold": threshold, **besides}.items():
        if typed:
            await stage.ana.type(block, typed)
    await stage.send()
    await stage.planned()
    return stage.modal()


async def started(stage: Stage, numbers: list[str], waves: str, pause: str = "", threshold: str = "") -> int:
    """Have a change in waves approved and return its number."""
    await proposed(stage, numbers, waves, pause, threshold)
    change = await stage.request()
    await stage.approve(change)
    return change


async def waves_of(stage: Stage, numbers: list[str], *sizes: int) -> None:
    """Check that each wave was a job of its own, over the next numbers in their order."""
    ends = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
    assert sent(stage) == [set(numbers[begin:end]) for begin, end in pairwise(ends)]


def rollout_in(view: View) -> list[object]:
    """Return what the form says of the waves, of what is between them, and of how much may go wrong."""
    return [view.form.slot(block).value for block in ("canary", "pause", "threshold")]


async def told(stage: Stage, change: int, what: str) -> None:
    """Wait until the thread says something."""
    await stage.slack.wait_for(lambda: any(what in line for line in stage.thread(change)), what=what)


async def test_a_rollout_in_three_waves_asks_after_each(stage: Stage) -> None:
    """Preview, request and card say which wave has how many numbers, and nothing goes on without somebody's word."""
    numbers = numbers_of(stage, 12)
    shown = await proposed(stage, numbers, "2, 25 %, rest", "ask")
    wanted = (
        f"3 waves: wave 1: 2 numbers ({numbers[0]}, {numbers[1]}), wave 2: 3, rest: 7. After each one, its requester or"
    )
    assert wanted in shown
    assert "If any number of a wave failed, differs or is not verified, the change pauses" in shown
    change = await stage.request()
    assert wanted in stage.read(stage.request_card(change))
    await stage.approve(change)

    await card_says(stage, change, "Wave 1 of 3 is done")
    assert "must decide whether to continue with wave 2: 3 numbers." in stage.read(stage.card(change))
    assert sent(stage) == [set(numbers[:2])]
    assert "CHG-1 continues with wave 2: 3 numbers." in await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Wave 2 of 3 is done")
    assert "must decide whether to continue with the remaining 7 numbers." in stage.read(stage.card(change))
    status = await stage.command(f"status CHG-{change}")
    assert "Wave 2 started: 1 job to create" in status
    assert "Paused after wave 2, as planned" in status
    assert "CHG-1 continues with the remaining 7 numbers." in await press(stage, "go_on", change, stage.otto)
    await stage.ended(change)

    await waves_of(stage, numbers, 2, 3, 7)
    assert stage.outcomes(change) == {"verified": 12}
    assert stage.failures() == []
    thread = stage.thread(change)
    assert (
        sum("Wave 1 of 3 is done: 2 verified, 0 failed. @Ana or an operator can press" in line for line in thread) == 1
    )
    assert sum("@Ana continued the rollout with wave 2 of 3: 3 numbers in it." in line for line in thread) == 1
    assert sum("Wave 2 of 3 is done: 3 verified, 0 failed." in line for line in thread) == 1
    assert sum("@Otto continued the rollout: 7 numbers to go." in line for line in thread) == 1
    assert sum("1 job is at Telnyx" in line for line in thread) == 1  # those of the waves before have ended
    stage.assert_nothing_doubled()


async def test_waves_follow_one_another_by_themselves(stage: Stage) -> None:
    """Without a pause each goes as soon as the one before is read back; the card shows which one it is."""
    numbers = numbers_of(stage, 6)
    shown = await proposed(stage, numbers, "1, 50 %")
    assert "wave 2: 3, rest: 2. The next one starts when the previous one has been read back." in shown
    stage.telnyx.job_seconds = 60
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 3: 1 number; 5 numbers wait in later waves.")
    stage.telnyx.job_seconds = 0.02
    stage.telnyx.advance(60)
    await stage.ended(change)

    await waves_of(stage, numbers, 1, 3, 2)
    assert stage.outcomes(change) == {"verified": 6}
    assert len(stage.thread(change)) <= 8


async def test_the_plan_says_which_wave_a_number_is_in(stage: Stage) -> None:
    """In the sheet below the card, as the approver sees it."""
    await proposed(stage, numbers_of(stage, 4), "1, 1, rest")
    await stage.request()
    await stage.quiet()
    [sheet] = [file.content for file in stage.slack.files if file.name == "CHG-1-plan.csv"]
    rows = list(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"), newline="")))

    assert [row["action"] for row in rows] == ["change first", "change in wave 2", *["change in wave 3"] * 2]


async def test_a_timed_pause_ends_by_itself(stage: Stage) -> None:
    """Nothing is sent before its end; the card and the thread say when that is, and nobody has to do anything."""
    numbers = numbers_of(stage, 5)
    assert "The next one starts 30 minutes after the previous one has been" in await proposed(
        stage, numbers, "1, 1", "30 min"
    )
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 3 is done", "It continues at")
    stage.clock.advance(20 * 60)
    await stage.quiet(but="start")
    assert sent(stage) == [set(numbers[:1])]
    assert any("The next one starts at" in line for line in stage.thread(change))

    stage.clock.advance(11 * 60)
    await card_says(stage, change, "Wave 2 of 3 is done")
    stage.clock.advance(31 * 60)
    await stage.ended(change)
    await waves_of(stage, numbers, 1, 1, 3)
    assert stage.outcomes(change) == {"verified": 5}
    assert not any("Still paused" in line for line in stage.thread(change))
    assert stage.failures() == []


async def test_a_timed_pause_can_be_cut_short_or_ended_for_good(stage: Stage) -> None:
    """Continued before its time, the wave goes once; stopped, nothing follows when the time comes."""
    numbers = numbers_of(stage, 5)
    change = await started(stage, numbers, "1, 1", "2 hours")
    await card_says(stage, change, "Wave 1 of 3 is done")
    assert "continues with wave 2: 1 number." in await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Wave 2 of 3 is done")
    assert "3 numbers will not be sent" in await press(stage, "stop_rest", change, stage.ana)
    await stage.ended(change)
    stage.clock.advance(3 * 3600)
    await stage.quiet()

    await waves_of(stage, numbers, 1, 1)
    assert stage.outcomes(change) == {"verified": 2, "not_attempted": 3}
    assert "CHG-1" not in await stage.command("locks")


async def test_a_button_and_the_end_of_the_pause_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana continues while the task of the pause is at work, which then finds nothing to do: the wave goes all the same.

    What is due again by her click is looked for before the task is over, and must not be taken for the task's own.
    """
    numbers = numbers_of(stage, 2)
    change = await started(stage, numbers, "1, 1", "30 min")
    await card_says(stage, change, "Wave 1 of 2 is done")
    time_is_up, claim, looks = RolloutControl.time_is_up, Tasks.claim, asyncio.Semaphore(0)

    async def counted(tasks: Tasks, **how: Any) -> list[Claim]:
        looks.release()
        return await claim(tasks, **how)

    async def after_the_click(rollout: RolloutControl, at_work: Claim) -> None:
        monkeypatch.setattr(RolloutControl, "time_is_up", time_is_up)
        await press(stage, "go_on", change, stage.ana)
        await card_says(stage, change, "Running")
        monkeypatch.setattr(Tasks, "claim", counted)
        for _ in range(3):
            stage.bot.worker._context.ring()
            await looks.acquire()
        await time_is_up(rollout, at_work)

    monkeypatch.setattr(RolloutControl, "time_is_up", after_the_click)
    stage.clock.advance(31 * 60)
    await stage.ended(change)

    await waves_of(stage, numbers, 1, 1)


async def test_what_a_threshold_allows_does_not_pause(stage: Stage) -> None:
    """One of four is 25 %, which is not more than that; the results name the number all the same."""
    numbers = numbers_of(stage, 8)
    stage.telnyx.fail(numbers[1])
    shown = await proposed(stage, numbers, "4", threshold="25 %")
    assert "If more than 25 % of a wave failed, differs or is not verified, the change pauses" in shown
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    await waves_of(stage, numbers, 4, 4)
    assert stage.outcomes(change) == {"verified": 7, "failed": 1}


@pytest.mark.parametrize("trouble", ["failed", "differs"])
async def test_more_than_a_threshold_pauses_and_says_so(stage: Stage, trouble: str) -> None:
    """Each wave is judged by itself; card, thread and failure channel tell of it, whatever pause was planned."""
    numbers = numbers_of(stage, 12)
    if trouble == "failed":
        for number in numbers[4:6]:
            stage.telnyx.fail(number)
    else:
        stage.telnyx.misbehave(None, "silently_dropped", field=REFERENCE, numbers=numbers[4:6])
    stage.telnyx.fail(numbers[0])
    change = await started(stage, numbers, "4, 4", "30 min", "1")
    await card_says(stage, change, "Wave 1 of 3 is done")
    stage.clock.advance(31 * 60)
    await card_says(stage, change, "Paused after wave 2 of 3 (4 numbers): more than 1 are not as approved")
    stage.clock.advance(31 * 60)
    await told(stage, change, "Still paused after wave 2")

    await waves_of(stage, numbers, 4, 4)
    assert stage.buttons(stage.card(change)) == ["go_on", "stop_rest"]
    [line] = [line for line in stage.thread(change) if "Paused after wave 2, of which more than 1 are not" in line]
    assert "as approved: 2 verified, 2 " in line
    assert "@Ana or an operator can press" in line
    [notice] = stage.slack.messages(FAILURES)
    assert "is paused after wave 2 of 3: 2 " in stage.read(notice)
    assert notice.mentions.users == {"U0ANA"}
    assert "continues with the remaining 4 numbers" in await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change)["verified"] == 9


async def test_what_is_left_after_a_stop_is_retried_and_undone_as_a_whole(stage: Stage) -> None:
    """Retry takes what failed and what was not sent, undo what was changed in any wave."""
    numbers = [
        each.phone_number for each in stage.telnyx.add_numbers(9, start="+13035550000", customer_reference="Dallas")
    ]
    stage.telnyx.fail(numbers[3], times=1)
    change = await started(stage, numbers, "2, 3", "ask")
    await card_says(stage, change, "Wave 1 of 3 is done")
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Paused after wave 2 of 3 (3 numbers): not all are as approved")
    await press(stage, "stop_rest", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 4, "failed": 1, "not_attempted": 4}

    await stage.ana.click("retry_failed", message=stage.card(change))
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.fill(canary="", pause="")
    await stage.send()
    assert "Numbers: 5" in stage.read(await stage.planned())
    retry = await stage.request()
    await stage.approve(retry)
    await stage.ended(retry)
    assert stage.outcomes(retry) == {"verified": 5}
    await stage.ana.click("undo", message=stage.card(change))
    assert "Numbers: 4" in stage.read(await stage.planned())
    undo = await stage.request()
    await stage.approve(undo)
    await stage.ended(undo)
    assert stage.outcomes(undo) == {"verified": 4}


async def test_an_old_button_lets_no_later_wave_go(stage: Stage) -> None:
    """A card from the first pause says nothing of the second wave, so its button does not continue after that."""
    numbers = numbers_of(stage, 6)
    change = await started(stage, numbers, "1, 2", "ask")
    await card_says(stage, change, "Wave 1 of 3 is done")
    old = stage.card(change).snapshot()
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Wave 2 of 3 is done")

    said = await stage.answered(stage.ana, stage.ana.click("go_on", message=old))
    assert "That button was for wave 1, and CHG-1 is now paused after wave 2" in said
    await stage.quiet()
    await waves_of(stage, numbers, 1, 2)
    assert "3 numbers will not be sent" in await stage.answered(stage.ana, stage.ana.click("stop_rest", message=old))
    await stage.ended(change)


async def test_one_word_lets_one_wave_go(stage: Stage) -> None:
    """Pressed twice, or by two people at once, it continues once."""
    numbers = numbers_of(stage, 6)
    change = await started(stage, numbers, "1, 2", "ask")
    await card_says(stage, change, "Wave 1 of 3 is done")
    before = len(stage.slack.ephemerals("U0ANA"))
    await stage.ana.double_click("go_on", message=stage.card(change))
    await stage.slack.wait_for(lambda: len(stage.slack.ephemerals("U0ANA")) == before + 2, what="two answers")
    answers = [stage.read(each) for each in stage.slack.ephemerals("U0ANA")[-2:]]
    await card_says(stage, change, "Wave 2 of 3 is done")
    await stage.quiet()

    assert sum("continues with wave 2" in answer for answer in answers) == 1
    await waves_of(stage, numbers, 1, 2)


async def test_whoever_is_awaited_is_reminded_after_each_wave(stage: Stage) -> None:
    """Once for each: that somebody was late for the first wave keeps nobody from being reminded of the second."""
    change = await started(stage, numbers_of(stage, 4), "1, 1", "ask")
    for wave in (1, 2):
        await card_says(stage, change, f"Wave {wave} of 3 is done")
        stage.clock.advance(16 * 60)
        await told(stage, change, f"Still paused after wave {wave}; all its numbers stay locked.")
        await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert sum("Still paused" in line for line in stage.thread(change)) == 2


async def test_only_the_requester_and_operators_decide_between_waves(stage: Stage) -> None:
    """The rights are those of a paused canary, decided at the click."""
    change = await started(stage, numbers_of(stage, 4), "1, 1", "1 hour")
    await card_says(stage, change, "Wave 1 of 3 is done")
    for person in (stage.max, stage.sam):
        assert "Only the requester or an operator can continue CHG-1" in await press(stage, "go_on", change, person)
        assert "Only the requester or an operator can cancel CHG-1" in await press(stage, "stop_rest", change, person)
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1


@pytest.mark.parametrize("end", ["stop", "crash"])
@pytest.mark.parametrize("away", [5, 60], ids=["back before its end", "back after it"])
async def test_a_timed_pause_survives_a_restart(stage: Stage, end: str, away: int) -> None:
    """Its end is in the database: it is neither forgotten nor begun anew, and nothing is sent twice."""
    numbers = numbers_of(stage, 4)
    change = await started(stage, numbers, "1, 1", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    await (stage.crash() if end == "crash" else stage.stop())
    stage.clock.advance(away * 60)
    await stage.start()
    if away < 30:
        await stage.quiet(but="start")
        assert len(stage.telnyx.jobs) == 1
        stage.clock.advance(26 * 60)

    await card_says(stage, change, "Wave 2 of 3 is done")
    await (stage.crash() if end == "crash" else stage.stop())
    await stage.start()
    stage.clock.advance(31 * 60)
    await stage.ended(change)
    await waves_of(stage, numbers, 1, 1, 2)
    assert stage.outcomes(change) == {"verified": 4}
    stage.assert_nothing_doubled()


async def test_a_timed_pause_that_lost_its_task_goes_on(stage: Stage) -> None:
    """The sweep finds a pause that nothing would end."""
    change = await started(stage, numbers_of(stage, 4), "2", "30 min")
    await card_says(stage, change, "Wave 1 of 2 is done")
    await stage.stop()
    await stage.tamper("DELETE FROM tasks WHERE task = 'start'")
    await stage.start()
    stage.clock.advance(31 * 60)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 4}


async def test_a_freeze_neither_shortens_nor_overrides_a_timed_pause(stage: Stage) -> None:
    """When it is lifted early the pause lasts as long as it did; when it lasts longer, the wave waits for its end."""
    numbers = numbers_of(stage, 5)
    change = await started(stage, numbers, "1, 1", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await stage.command("unfreeze", by=stage.otto)
    stage.clock.advance(10 * 60)
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1

    await stage.command("freeze carrier maintenance", by=stage.otto)
    stage.clock.advance(25 * 60)
    await card_says(stage, change, "Running")
    assert len(stage.telnyx.jobs) == 1
    await stage.command("unfreeze", by=stage.otto)
    await card_says(stage, change, "Wave 2 of 3 is done")
    await waves_of(stage, numbers, 1, 1)


async def test_a_wave_waits_for_the_change_window_even_when_the_sweep_comes(idle: Stage, tmp_path: Path) -> None:
    """What was let go outside the window is not stuck: nothing sends it before the window opens."""
    days = ", ".join((idle.clock() + timedelta(days=ahead)).strftime("%a").lower() for ahead in (0, 1))
    window = f'windows = [{{ days = "{days}", from = "00:00", to = "24:00", zone = "UTC" }}]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "weekly"\n{window}\n')
    numbers = numbers_of(stage, 5)
    change = await started(stage, numbers, "1, 1", "3 days")
    await card_says(stage, change, "Wave 1 of 3 is done")
    stage.clock.advance(3 * 86_400 + 60)
    await card_says(stage, change, "Outside its change window: wave 2 of 3 follows at")
    await stage.stop()
    await stage.start()  # which sweeps
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1

    stage.clock.advance(4 * 86_400)
    await card_says(stage, change, "Wave 2 of 3 is done")
    await waves_of(stage, numbers, 1, 1)
    with closing(sqlite3.connect(stage.database)) as connection:
        told = [what for (what,) in connection.execute("SELECT what FROM events ORDER BY id")]
    assert "healed" not in told
    assert "wave_started" in told


async def test_a_wave_whose_start_was_lost_waits_for_the_window_all_the_same(idle: Stage, tmp_path: Path) -> None:
    """The sweep has the wave started, which looks at window, approvals and numbers; it does not have it sent."""
    days = ", ".join((idle.clock() + timedelta(days=ahead)).strftime("%a").lower() for ahead in (0, 1))
    window = f'windows = [{{ days = "{days}", from = "00:00", to = "24:00", zone = "UTC" }}]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "weekly"\n{window}\n')
    numbers = numbers_of(stage, 5)
    change = await started(stage, numbers, "1, 1", "3 days")
    await card_says(stage, change, "Wave 1 of 3 is done")
    stage.clock.advance(3 * 86_400 + 60)
    await card_says(stage, change, "Outside its change window: wave 2 of 3 follows at")
    await stage.stop()
    await stage.tamper("DELETE FROM tasks WHERE task = 'start'")
    await stage.start()
    await stage.quiet(but="start")
    assert len(stage.telnyx.jobs) == 1

    stage.clock.advance(4 * 86_400)
    await card_says(stage, change, "Wave 2 of 3 is done")
    await waves_of(stage, numbers, 1, 1)


async def test_whoever_comes_late_starts_no_later_wave(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked at for one wave lets no other one go: somebody else has sent it, and its approvals fell since."""
    numbers = numbers_of(stage, 4)
    change = await started(stage, numbers, "1, 1", "ask")
    looks: list[tuple[WaveStart, Change]] = []
    late, goes_on = asyncio.Event(), asyncio.Event()
    check = WaveStart._check

    async def slowly(self: WaveStart, change: Change) -> tuple[str, StalenessCheck | None]:
        seen = await check(self, change)
        looks.append((self, change))
        if len(looks) == 2:
            late.set()
            await goes_on.wait()
        return seen

    monkeypatch.setattr(WaveStart, "_check", slowly)
    await card_says(stage, change, "Wave 1 of 3 is done")
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Wave 2 of 3 is done")
    start, as_it_was = looks[0]
    lost = Claim(id=0, task=Task.START, subject=change, attempts=1, owner="late")
    coming = asyncio.create_task(start.resume(lost, as_it_was))
    await late.wait()
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await press(stage, "go_on", change, stage.ana)
    stage.slack.workspace.people["U0MAX"].deleted = True
    goes_on.set()
    with pytest.raises(ClaimLost):
        await coming
    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)

    await waves_of(stage, numbers, 1, 1)
    assert stage.outcomes(change) == {"verified": 2, "not_attempted": 2}


async def test_numbers_that_moved_during_a_pause_stop_the_rollout(stage: Stage) -> None:
    """Each wave's numbers are read again just before it is sent, and no earlier."""
    numbers = numbers_of(stage, 6)
    change = await started(stage, numbers, "1, 2", "ask")
    await card_says(stage, change, "Wave 1 of 3 is done")
    stage.telnyx.number(numbers[5]).customer_reference = "Boston"
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Wave 2 of 3 is done")
    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)

    await waves_of(stage, numbers, 1, 2)
    assert stage.outcomes(change) == {"verified": 3, "not_attempted": 3}
    assert f"so the rest was not sent: Customer reference of {numbers[5]}" in stage.read(stage.card(change))


async def test_a_wave_of_which_nothing_was_sent_pauses(idle: Stage, tmp_path: Path) -> None:
    """The policy lets the others follow, but a wave that was left out whole says nothing in favour of the next one."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "lenient"\non_stale = "continue"\n')
    numbers = numbers_of(stage, 6)
    change = await started(stage, numbers, "1, 2", "30 min")
    await card_says(stage, change, "Wave 1 of 3 is done")
    stage.telnyx.number(numbers[1]).customer_reference = "Boston"
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Paused after wave 2 of 3 (2 numbers): not all are as approved")
    stage.clock.advance(31 * 60)
    await stage.quiet()
    await waves_of(stage, numbers, 1)
    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 4, "not_attempted": 2}


async def test_a_wave_that_failed_as_a_whole_pauses_whatever_is_allowed(stage: Stage) -> None:
    """Five may fail, and of two both do: that is not more than five, and yet nobody would want the rest to follow."""
    numbers = numbers_of(stage, 6)
    for number in numbers[:2]:
        stage.telnyx.fail(number)
    change = await started(stage, numbers, "2, 2", threshold="5")
    await card_says(stage, change, "Paused after wave 1 of 3 (2 numbers): none is as approved.")
    await told(stage, change, "Paused after wave 1, of which none is as approved: 0 verified, 2 failed")
    await press(stage, "stop_rest", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == {"failed": 2, "not_attempted": 4}


@pytest.mark.parametrize("outcome", ["failed", "verified"])
async def test_what_was_left_out_neither_pauses_nor_makes_a_failure_small(
    idle: Stage, tmp_path: Path, outcome: str
) -> None:
    """A wave is judged by those that were tried: where three of four were left out, the fourth is all there was."""
    stage = await under(idle, tmp_path, '[[rule]]\nname = "lenient"\non_stale = "continue"\n')
    numbers = numbers_of(stage, 7)
    for number in numbers:
        stage.telnyx.number(number).tags = [f"site {number[-1]}"]  # so that each gets a job of its own
    if outcome == "failed":
        stage.telnyx.fail(numbers[1])
    await stage.open("update")
    await stage.fill(numbers, {}, "One more tag")
    await stage.choose(["tags"])
    await stage.ana.choose("way:tags", "add")
    await stage.ana.type("value:tags", "moved")
    for block, typed in {"canary": "1, 4", "pause": "ask", "threshold": "25 %"}.items():
        await stage.ana.type(block, typed)
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 3 is done")
    for number in numbers[2:5]:
        stage.telnyx.number(number).tags = ["elsewhere"]
    await press(stage, "go_on", change, stage.ana)
    paused = "Paused after wave 2 of 3 (4 numbers): more than 25 % are not as approved"
    await card_says(stage, change, paused if outcome == "failed" else "Wave 2 of 3 is done")
    await press(stage, "stop_rest", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == Counter({"not_attempted": 5, "verified": 1}) + Counter({outcome: 1})


async def test_the_end_of_a_temporary_change_ends_its_rollout(stage: Stage) -> None:
    """What the waves so far have changed goes back, and nothing more is sent, although somebody is still awaited."""
    numbers = [
        each.phone_number for each in stage.telnyx.add_numbers(5, start="+13035550000", customer_reference="Dallas")
    ]
    await proposed(stage, numbers, "1, 1", "ask", until="in 5 hours")
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 3 is done")
    await stage.ana.click("go_on", message=stage.card(change))
    await card_says(stage, change, "Wave 2 of 3 is done")
    stage.clock.advance(5 * 3600)
    await stage.ended(change)
    await stage.quiet()

    assert [str(number.customer_reference) for number in stage.telnyx.numbers.values()] == ["Dallas"] * 5
    assert stage.outcomes(change) == {"verified": 2, "not_attempted": 3}
    assert [len(job.operations) for job in stage.telnyx.jobs] == [1, 1, 2]


async def test_a_rollout_in_waves_at_close(both: Stage, close: CloseStandIn, team: Fixtures) -> None:
    """A wave is a run of ours; one that Close does not let finish pauses the rollout."""
    stage = both
    numbers = [number.number for number in team.shared][:6]
    await stage.open("close")
    await stage.fill(numbers, reason="The night desk grows")
    await stage.choose(["label"])
    await stage.set("label", "Night desk")
    await stage.ana.type("canary", "1, 2")
    await stage.ana.type("pause", "ask")
    await stage.send()
    assert "wave 1: 1 number" in stage.read(await stage.planned())
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 3 is done")
    assert [update.number for update in close.updates] == numbers[:1]
    close.faults.add(method="PUT", path="/phone_number/*", kind="status", status=402, times=1)
    await press(stage, "go_on", change, stage.ana)
    await card_says(stage, change, "Paused after wave 2 of 3 (2 numbers): not all are as approved")
    await stage.slack.wait_for(
        lambda: any("not attempted" in line or "failed" in line for line in stage.failures()), what="the notice"
    )
    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)

    assert [update.number for update in close.updates][:1] == numbers[:1]
    assert {update.number for update in close.updates} >= set(numbers[3:])
    stage.assert_nothing_doubled()


async def test_garbage_is_refused_at_its_input(stage: Stage) -> None:
    """Each input says what is wrong with it, and the form stays as it was typed."""
    await stage.open("update")
    await stage.fill(numbers_of(stage, 3), {REFERENCE: "Denver"}, "Because")
    for block, typed in {"canary": "10, lots", "pause": "a while", "threshold": "some"}.items():
        await stage.ana.type(block, typed)
    errors = await stage.refused()

    assert set(errors) == {"canary", "pause", "threshold"}
    assert "“lots” is not the size of a wave" in errors["canary"]
    assert "“a while” is not a pause" in errors["pause"]
    assert "“some” is not a threshold" in errors["threshold"]


async def test_editing_and_templates_bring_the_rollout_back(stage: Stage) -> None:
    """Nothing typed is lost, and a template has it: what was tried on a few first is not sent at once the next time."""
    wanted = ["1, 50 %", "30 min", "5 %"]
    await proposed(stage, numbers_of(stage, 4), *wanted)
    typed = rollout_in(await edit(stage))
    await stage.send()
    await stage.planned()
    await save(stage, await stage.request(), "Denver")
    await stage.ana.command("/numbers", "run denver", channel=OPS)
    again = rollout_in(await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form"))

    assert typed == wanted
    assert again == wanted


async def test_a_first_wave_that_has_all_numbers_is_none(stage: Stage) -> None:
    """Nothing comes after it, so nobody is asked; the plan says so before it is approved."""
    numbers = numbers_of(stage, 3)
    shown = await proposed(stage, numbers, "10, 10 %, rest", "ask")
    assert "No waves: the first one would hold every number, so all numbers are sent at once." in shown
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}


@pytest.mark.parametrize("typed", ["rest", "100 percent"])
async def test_one_wave_of_everything_is_not_called_a_canary(stage: Stage, typed: str) -> None:
    """Whoever wrote of waves reads of waves."""
    assert "No waves: the first one would hold every number" in await proposed(stage, numbers_of(stage, 2), typed)


async def test_waves_that_are_larger_than_the_change_are_not_there(stage: Stage) -> None:
    """The plan says what becomes of the waves: for the second one little is left, and for the third one nothing."""
    numbers = numbers_of(stage, 3)
    assert "2 waves: wave 1: 2 numbers" in await proposed(stage, numbers, "2, 50 %, 10", "ask")
    assert "rest: 1." in stage.modal()
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "Wave 1 of 2 is done")
    await press(stage, "go_on", change, stage.ana)
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 3}
