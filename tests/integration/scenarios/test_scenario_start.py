"""Start times: typed in the form, approved with the plan, waited for, and told to everybody whom they concern."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.integration.scenarios.stage import APPROVALS, FAILURES, Stage
from tests.integration.scenarios.steps import card_says, edit
from tests.integration.scenarios.test_scenario_policy import under

NUMBER = "+13035550000"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def house(stage: Stage) -> Stage:
    """Set the stage with Ana in Berlin and one number in the account."""
    stage.ana.profile.tz = "Europe/Berlin"
    stage.telnyx.add_number(NUMBER)
    return stage


def shown(moment: datetime) -> str:
    """Return a moment as the cards write it in the requester's zone."""
    wall = moment.astimezone(BERLIN)
    return f"{wall:%a %b} {wall.day}, {wall:%Y, %H:%M} (Europe/Berlin)"


def written(moment: datetime) -> str:
    """Return a moment as Ana types it."""
    return f"{moment.astimezone(BERLIN):%Y-%m-%d %H:%M}"


def replies(stage: Stage, change: int) -> list[str]:
    """Return what was said under the request for approval."""
    return [stage.read(each) for each in stage.slack.thread(APPROVALS, stage.request_card(change).ts)[1:]]


def question(stage: Stage, change: int) -> str:
    """Return what Approve asks before it acts."""
    rows = [block for block in stage.request_card(change).blocks if block["type"] == "actions"]
    return str(rows[0]["elements"][0]["confirm"]["text"]["text"])


async def test_during_a_freeze_nobody_is_told_that_anything_starts(stage: Stage) -> None:
    """The question, the answer to the approval and the thread say that nothing starts before the freeze is lifted."""
    stage.telnyx.add_number(NUMBER)
    change = await stage.ask(NUMBER)
    assert question(stage, change) == "1 number will be changed exactly as shown, starting now."

    await stage.command("freeze carrier maintenance", by=stage.otto)
    await stage.slack.wait_for(
        lambda: (
            question(stage, change) == "1 number will be changed exactly as shown, starting once the freeze is lifted."
        ),
        what="the question during a freeze",
    )
    said = await stage.approve(change)
    assert "That was the last approval needed: CHG-1 starts once the freeze is lifted." in said
    await card_says(stage, change, "an operator lifts it")
    await stage.slack.wait_for(lambda: any("Approved" in each for each in stage.thread(change)), what="the line")
    assert any("Starts once the freeze is lifted." in each for each in stage.thread(change))
    assert not any("Starting now" in each for each in stage.thread(change))
    assert stage.telnyx.jobs == []

    await stage.command("unfreeze", by=stage.otto)
    await stage.ended(change)


async def test_a_change_that_is_approved_early_starts_at_its_time(house: Stage) -> None:
    """The time stands in the preview, on both cards, in the question and in the thread; then it starts by itself."""
    at = house.clock() + timedelta(days=2)
    when = shown(at)

    await house.propose(NUMBER, start=written(at))
    assert f"Starts {when}" in house.modal()
    assert "no other change can use its numbers" in house.modal()
    change = await house.request()
    assert f"Starts {when}" in house.read(house.card(change))
    assert f"Starts {when}" in house.read(house.request_card(change))
    assert question(house, change) == f"1 number will be changed exactly as shown, starting {when}."

    assert "starts now" not in await house.approve(change)
    await card_says(house, change, "Approved")
    await house.slack.wait_for(lambda: any("Starts" in line for line in house.thread(change)), what="the line")
    assert not any("Starting now" in line for line in house.thread(change))
    assert f"Starts {when}" in house.read(house.card(change))
    house.clock.advance(86_400)
    assert house.created() == []

    house.clock.advance(86_400)
    await house.ended(change)
    assert house.outcomes(change) == {"verified": 1}
    assert "Starts" not in house.read(house.card(change))
    house.assert_nothing_doubled()


async def test_what_is_typed_is_read_in_the_requesters_zone_and_refused_at_its_field(house: Stage) -> None:
    """A time that has passed, that is too far ahead or that is not understood is refused where it was typed."""
    await house.open("update")
    await house.fill(NUMBER, {"customer_reference": "Denver"}, "Because")

    for text, why in (
        ("whenever", "“whenever” is not understood. Write it like: tonight 22:00"),
        ("2020-01-01 10:00", "has passed"),
        (written(house.clock() - timedelta(minutes=10)), "has passed"),
        ("in 6 weeks", "a change can wait 30 days"),
    ):
        await house.ana.type("start", text)
        problems = await house.refused()
        assert list(problems) == ["start"]
        assert why in problems["start"]

    await house.ana.type("start", "in 2 hours")
    await house.send()
    await house.planned()
    assert "(Europe/Berlin)" in house.modal()


async def test_editing_brings_the_start_back_as_it_was_typed(house: Stage) -> None:
    """Nothing typed is lost, and without the text the change starts once it is approved."""
    await house.propose(NUMBER, start="in 2 hours")
    assert "Starts" in house.modal()

    view = await edit(house)
    assert view.form.slot("start").value == "in 2 hours"
    await house.ana.type("start", "")
    await house.send()
    await house.planned()
    assert "Starts" not in house.modal()
    change = await house.request()
    assert question(house, change) == "1 number will be changed exactly as shown, starting now."


async def test_an_approval_after_the_time_starts_at_once_and_says_so_before(house: Stage) -> None:
    """When the time comes undecided, the request says that an approval starts it at once, and reminds once."""
    at = house.clock() + timedelta(hours=3)
    change = await house.ask(NUMBER, start=written(at))
    old = house.request_card(change).snapshot()

    house.clock.advance(3 * 3600 + 600)
    await house.slack.wait_for(lambda: "starting at once" in question(house, change), what="the new question")
    expected = (
        "1 number will be changed exactly as shown, starting at once, because the requested start, "
        f"{shown(at)}, has passed."
    )
    assert question(house, change) == expected
    assert "approved now, it starts at once" in house.read(house.request_card(change))
    said = "has passed: if approved now, it starts at once"
    await house.slack.wait_for(lambda: any(said in line for line in replies(house, change)), what="the reminder")

    late = await house.answered(house.max, house.max.click("approve", message=old))
    assert "passed after this was shown, so the change would start at once" in late
    assert house.created() == []
    assert "starts now" in await house.approve(change)
    await house.ended(change)
    assert house.outcomes(change) == {"verified": 1}


async def test_a_start_outside_the_window_waits_for_the_window(idle: Stage, tmp_path: Path) -> None:
    """The later of both counts, and everybody sees which it is."""
    noon = (idle.clock() + timedelta(days=3)).replace(hour=12, minute=0)
    day = noon.strftime("%a").lower()
    window = f'windows = [{{ days = "{day}", from = "00:00", to = "24:00", zone = "UTC" }}]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "rare"\ndeadline = "9d"\n{window}\n')
    stage.telnyx.add_number(NUMBER)
    change = await stage.ask(NUMBER, start="in 24 hours")

    assert "is outside its change window: it starts" in stage.read(stage.card(change))
    await stage.approve(change)
    stage.clock.advance(30 * 3600)
    assert "has passed and its change window is closed" in await stage.command(f"status CHG-{change}")
    assert stage.created() == []

    stage.clock.advance((noon - stage.clock()).total_seconds())
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 1}


async def test_a_start_inside_a_later_window_is_kept(idle: Stage, tmp_path: Path) -> None:
    """A window that opens earlier does not begin a change before its start."""
    window = 'windows = [{ days = "mon-sun", from = "00:00", to = "24:00", zone = "UTC" }]'
    stage = await under(idle, tmp_path, f'[[rule]]\nname = "open"\n{window}\n')
    stage.telnyx.add_number(NUMBER)
    change = await stage.ask(NUMBER, start="in 5 hours")
    await stage.approve(change)
    await card_says(stage, change, "Approved")

    stage.clock.advance(4 * 3600)
    await stage.command("status CHG-1")
    assert stage.created() == []
    stage.clock.advance(3600)
    await stage.ended(change)


async def test_a_freeze_outlasts_the_start_and_its_end_hastens_nothing(house: Stage) -> None:
    """Frozen at its time it waits on; unfrozen before its time it waits for it, decided or not."""
    house.telnyx.add_number("+13035550001")
    change = await house.ask(NUMBER, start="in 5 hours")
    other = await house.ask("+13035550001", start="in 5 hours")
    await house.approve(change)
    await house.command("freeze carrier maintenance", by=house.otto)
    await house.command("unfreeze", by=house.otto)
    await house.command("freeze carrier maintenance", by=house.otto)
    assert "starting at once" not in question(house, other)

    house.clock.advance(5 * 3600 + 60)
    await house.slack.wait_for(
        lambda: question(house, other).endswith("exactly as shown, starting once the freeze is lifted."),
        what="the other's time",
    )
    assert "approved now, it starts once the freeze is lifted" in house.read(house.request_card(other))
    assert house.created() == []
    await house.command("unfreeze", by=house.otto)
    await house.ended(change)
    assert house.outcomes(change) == {"verified": 1}


async def test_a_change_that_waits_holds_its_numbers_and_can_be_cancelled(house: Stage) -> None:
    """Its numbers are locked while it waits; cancelled, they are free and nothing ever starts."""
    change = await house.ask(NUMBER, start="in 5 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")

    await house.propose(NUMBER)
    assert "locked by CHG-1" in house.modal()
    assert "CHG-1 is cancelled. Nothing was sent" in await house.command(f"cancel CHG-{change}")
    house.clock.advance(6 * 3600)
    await house.ana.click("plan_again")
    await house.slack.wait_for(lambda: "Request approval" in house.modal(), what="a plan that is free")
    assert house.created() == []


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_waiting_change_survives_a_restart(house: Stage, end: str) -> None:
    """Its time comes while no process runs; the next one starts it, once."""
    change = await house.ask(NUMBER, start="in 5 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")
    await (house.crash() if end == "crash" else house.stop())
    house.clock.advance(6 * 3600)

    await house.start()
    await house.ended(change)
    assert house.outcomes(change) == {"verified": 1}
    house.assert_nothing_doubled()


async def test_a_start_that_is_missed_by_days_is_told(house: Stage) -> None:
    """It starts all the same; thread, failure channel and history say how late that is, and when it was to be."""
    at = house.clock() + timedelta(hours=2)
    change = await house.ask(NUMBER, start=written(at))
    await house.approve(change)
    await card_says(house, change, "Approved")
    await house.stop()
    house.clock.elapse(6 * 86_400)

    await house.start()
    await house.ended(change)
    assert house.outcomes(change) == {"verified": 1}
    [said] = [line for line in house.thread(change) if "late" in line]
    assert "Started 6 days late; it was to start" in said
    [notice] = house.failures()
    assert "CHG-1 started 6 days late; it was to start" in notice
    assert "@Ana, please check." in notice
    assert re.search(r"Began 8,5\d\d minutes late", await house.command(f"status CHG-{change}"))


async def test_a_start_that_is_late_by_minutes_is_told_in_the_thread_alone(house: Stage) -> None:
    """A freeze kept it: the thread says how late it is and what it waited for."""
    change = await house.ask(NUMBER, start="in 5 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")
    await house.command("freeze carrier maintenance", by=house.otto)
    house.clock.advance(5 * 3600 + 25 * 60)
    await house.quiet(but="start")
    await house.command("unfreeze", by=house.otto)

    await house.ended(change)
    [said] = [line for line in house.thread(change) if "late" in line]
    assert re.search(r"Started 2\d min late; .* Reason for the delay: Submissions are frozen.", said)
    assert house.failures() == []


async def test_a_change_that_starts_in_time_says_nothing_of_it(house: Stage) -> None:
    """Neither thread nor failure channel hears of the moments that reading its numbers takes."""
    change = await house.ask(NUMBER, start="in 5 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")
    house.clock.advance(5 * 3600 + 60)

    await house.ended(change)
    assert [line for line in house.thread(change) if "late" in line] == []
    assert house.failures() == []


async def test_numbers_that_move_while_a_change_waits_stop_it_and_a_new_plan_asks_for_the_time_again(
    house: Stage,
) -> None:
    """Freshness is checked at the start, not at the approval."""
    at = house.clock() + timedelta(hours=5)
    change = await house.ask(NUMBER, start=written(at))
    await house.approve(change)
    house.telnyx.number(NUMBER).customer_reference = "Boston"
    house.clock.advance(5 * 3600 + 60)
    await card_says(house, change, "Stale")
    assert house.created() == []

    await house.ana.click("plan_again", message=house.card(change))
    await house.planned()
    assert f"{shown(at)} has passed" in house.modal()


async def test_a_change_that_is_forbidden_by_the_time_it_would_start_is_stopped(idle: Stage, tmp_path: Path) -> None:
    """The rule of the moment counts; the failure channel hears why nothing was sent."""
    idle.telnyx.add_number(NUMBER)
    stage = await under(idle, tmp_path, '[[rule]]\nname = "lax"\n')
    change = await stage.ask(NUMBER, start="in 5 hours")
    await stage.approve(change)
    await card_says(stage, change, "Approved")
    await stage.stop()
    await under(stage, tmp_path, '[[rule]]\nname = "shut"\nallow = false\nwhy = "The year is closed."\n')
    stage.clock.advance(5 * 3600 + 60)

    await card_says(stage, change, "Cancelled", "The year is closed.")
    await stage.slack.wait_for(lambda: stage.slack.messages(FAILURES), what="the notice")
    assert "no longer allowed" in stage.failures()[0]
    assert stage.created() == []


async def test_a_request_that_expires_before_its_start_never_starts(house: Stage) -> None:
    """The deadline of approval is the rule's, whatever the start."""
    change = await house.ask(NUMBER, start="in 3 days")
    house.clock.advance(86_400 + 60)
    await card_says(house, change, "Expired")
    house.clock.advance(3 * 86_400)
    await house.quiet()

    assert house.created() == []
    reminders = replies(house, change)
    assert not [line for line in reminders if "has passed" in line]


async def test_what_waits_is_listed_with_its_time(house: Stage) -> None:
    """The next one first, decided or not; what starts at once is not among them."""
    assert "No changes are scheduled" in await house.command("list scheduled")
    for index in (1, 2, 3):
        house.telnyx.add_number(f"+1303555000{index}")
    first, second = house.clock() + timedelta(hours=5), house.clock() + timedelta(hours=9)
    await house.ask(NUMBER, start=written(second))
    await house.approve(1)
    await house.ask("+13035550001", start=written(first))
    await house.ask("+13035550002")

    listed = await house.command("list scheduled")
    assert listed.index("CHG-2") < listed.index("CHG-1")
    assert f"Starts {shown(first)}" in listed
    assert f"Starts {shown(second)}" in listed
    assert "CHG-3" not in listed
    assert "CHG-1" in await house.command("list scheduled mine")
    assert "No changes are scheduled" in await house.command("list scheduled mine", by=house.mia)
    assert "alone or with “mine”" in await house.command("list scheduled failed")


async def test_a_start_that_was_moved_in_the_database_is_not_carried_out(house: Stage) -> None:
    """The digest covers the start: what was approved for another time is refused."""
    change = await house.ask(NUMBER, start="in 5 hours")
    await house.approve(change)
    await card_says(house, change, "Approved")
    assert house.bot is not None
    database = house.bot.worker._context.database
    async with database.transaction() as tx:
        present = await tx.changes.get(change)
        assert present.start is not None
        await tx.changes.put(change, starts_at=present.start.at - timedelta(hours=4))
    house.clock.advance(5 * 3600 + 60)

    await card_says(house, change, "The stored plan is not the one that was approved")
    assert house.created() == []
