"""Two changes never touch the same number at once, and nothing is applied to numbers that have moved."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import ask_for_three_jobs, card_after, card_says, reject
from tests.integration.scenarios.test_scenario_canary import paused
from tests.integration.scenarios.test_scenario_job_slots import WANTED, own_jobs

TAGS = {"tags": "moved"}


def numbers(stage: Stage, count: int) -> list[str]:
    """Add numbers to the account and return them."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


async def test_a_locked_number_still_previews_and_names_the_holder(stage: Stage) -> None:
    """A second plan over held numbers is shown, says who holds how many since when, and cannot be asked for."""
    held = numbers(stage, 5)
    first = await stage.ask(held[:3], TAGS)

    await stage.propose(held, TAGS, by=stage.mia)

    shown = stage.modal(stage.mia)
    assert f"3 of the numbers are locked by CHG-{first}, requested by @Ana" in shown
    assert "+13035550000" in shown
    assert "Request approval" not in shown


async def test_the_rest_can_be_planned_with_one_click(stage: Stage) -> None:
    """Leaving out the held numbers makes a plan over the others, which runs while the first still waits."""
    held = numbers(stage, 5)
    first = await stage.ask(held[:3], TAGS)
    await stage.propose(held, TAGS, by=stage.mia)

    await stage.mia.click("leave_out")
    await stage.mia.wait_for_view(lambda view: " excluded" in stage.read(view))
    second = await stage.request(by=stage.mia)
    await stage.approve(second)
    await stage.ended(second)

    assert stage.outcomes(second) == {"verified": 2}
    assert [n.phone_number for n in stage.telnyx.numbers.values() if n.tags == ["moved"]] == held[3:]
    assert "Awaiting approval" in stage.read(stage.card(first))


async def test_the_second_request_for_a_number_is_refused(stage: Stage) -> None:
    """Of two plans that were both free when they were shown, the second request is refused and offers a fresh plan."""
    wanted = numbers(stage, 2)
    await stage.propose(wanted, TAGS)
    await stage.propose(wanted, TAGS, by=stage.mia)
    await stage.request()

    await stage.mia.submit()
    await stage.mia.wait_for_view(lambda view: "locked by another change" in stage.read(view))
    await stage.mia.click("plan_again")

    await stage.mia.wait_for_view(lambda view: "2 of the numbers are locked by CHG-1" in stage.read(view))


@pytest.mark.parametrize("ending", ["rejected", "expired", "cancelled", "finished"])
async def test_locks_go_with_the_change_in_every_ending(stage: Stage, ending: str) -> None:
    """However a change ends, nobody holds its numbers afterwards."""
    change = await stage.ask(numbers(stage, 2), TAGS)
    assert f"CHG-{change} · 🔵 Awaiting approval: 2 numbers at Telnyx" in await stage.command("locks")

    match ending:
        case "rejected":
            await reject(stage, change)
        case "expired":
            stage.clock.advance(90_000)
        case "cancelled":
            await stage.command(f"cancel CHG-{change}")
        case "finished":
            await stage.approve(change)
    await card_after(stage, change, {"finished": "Succeeded"}.get(ending, ending.title()))

    assert await stage.command("locks") == "No numbers are locked."


async def test_only_an_operator_releases_locks_and_is_asked_first(stage: Stage) -> None:
    """A requester is refused; an operator gets the question, and the release is in the audit log."""
    change = await stage.ask(numbers(stage, 2), TAGS)

    assert "You may not act as an operator" in await stage.command(f"unlock CHG-{change}")
    assert "holds 2 numbers" in await stage.command(f"unlock CHG-{change}", by=stage.otto)
    question = stage.slack.ephemerals("U0OTTO")[-1]
    said = await stage.answered(stage.otto, stage.otto.click("unlock", message=question))

    assert said.startswith(f"2 numbers of CHG-{change} are released.")
    assert await stage.command("locks") == "No numbers are locked."
    assert "unlocked" in await stage.command(f"status CHG-{change}")


async def release(stage: Stage, change: int) -> str:
    """Have Otto release what ``change`` holds, and return what he is told."""
    await stage.command(f"unlock CHG-{change}", by=stage.otto)
    question = stage.slack.ephemerals("U0OTTO")[-1]
    return await stage.answered(stage.otto, stage.otto.click("unlock", message=question))


async def lose_locks(stage: Stage, change: int) -> None:
    """Take the locks of ``change`` out of the database, as an earlier version did without ending it."""
    assert stage.bot
    async with stage.bot.worker._context.database.transaction() as tx:
        await tx.locks.release(change)


async def test_to_release_its_numbers_ends_a_request(stage: Stage) -> None:
    """It cannot be approved any more, another change can have the numbers, and it can be planned again."""
    wanted = numbers(stage, 2)
    first = await stage.ask(wanted, TAGS)
    old = stage.request_card(first).snapshot()

    said = await release(stage, first)
    second = await stage.ask(wanted, {"customer_reference": "Denver"}, by=stage.mia)
    await stage.approve(second)
    refused = await stage.answered(stage.max, stage.max.click("approve", message=old))
    await stage.ended(second)

    assert said == f"2 numbers of CHG-{first} are released. CHG-{first} is cancelled. Nothing was sent to the provider."
    assert f"CHG-{first} is already cancelled" in refused
    card = await card_after(stage, first, "Cancelled")
    assert "An operator released its numbers, so other changes may touch them." in stage.read(card)
    assert "plan_again" in stage.buttons(card)
    assert stage.buttons(stage.request_card(first)) == []
    assert len(stage.telnyx.jobs) == 1
    assert [n.tags for n in stage.telnyx.numbers.values()] == [[], []]
    stage.assert_nothing_doubled()


async def test_to_release_its_numbers_ends_an_approved_change_that_waits(stage: Stage) -> None:
    """Frozen or waiting for its time, it never begins."""
    change = await stage.ask(numbers(stage, 2), TAGS)
    await stage.command("freeze carrier maintenance", by=stage.otto)
    await stage.approve(change)
    await card_says(stage, change, "Approved")

    await release(stage, change)
    await stage.command("unfreeze", by=stage.otto)
    await card_after(stage, change, "Cancelled")
    stage.clock.advance(600)
    await stage.quiet()

    assert stage.created() == []


async def test_a_running_change_without_its_locks_sends_nothing_more(stage: Stage) -> None:
    """What is at the carrier is watched to its end; what waits is not sent, and says why."""
    wanted = own_jobs(stage, 25)
    stage.telnyx.job_seconds = 600
    change = await stage.ask(wanted, WANTED)
    await stage.approve(change)
    await card_says(stage, change, "20 running, 5 waiting")

    said = await release(stage, change)
    stage.telnyx.advance(600)
    stage.clock.advance(60)
    await stage.ended(change)

    assert said.startswith(f"25 numbers of CHG-{change} are released. CHG-{change} is stopped: 5 numbers will not be")
    assert stage.outcomes(change) == {"verified": 20, "not_attempted": 5}
    assert len(stage.telnyx.jobs) == 20
    assert "An operator released its numbers" in stage.read(stage.card(change))


async def test_a_paused_change_without_its_locks_does_not_go_on(stage: Stage) -> None:
    """The rest after a first try is not sent."""
    wanted = numbers(stage, 4)
    change = await paused(stage, wanted)

    said = await release(stage, change)
    await stage.ended(change)

    assert "2 numbers will not be sent" in said
    assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 2}
    assert len(stage.telnyx.jobs) == 1


@pytest.mark.parametrize("when", ["before the approval", "before the start", "before the rest"])
async def test_locks_that_are_gone_keep_a_change_from_going_on(stage: Stage, when: str) -> None:
    """Whatever took them away, the approval, the start and what follows a first try each ask for the locks."""
    wanted = numbers(stage, 4)
    if when == "before the rest":
        change = await paused(stage, wanted)
        await lose_locks(stage, change)
        await stage.answered(stage.ana, stage.ana.click("go_on", message=stage.card(change)))
        await stage.ended(change)

        assert stage.outcomes(change) == {"verified": 1, "failed": 1, "not_attempted": 2}
        assert len(stage.telnyx.jobs) == 1
        assert stage.bot
        async with stage.bot.worker._context.database.reading() as tx:
            assert "rest_started" not in [event.what for event in await tx.events.of(change)]
        return
    change = await stage.ask(wanted, TAGS)
    if when == "before the approval":
        await lose_locks(stage, change)

        assert "no longer holds its numbers" in await stage.approve(change)
    else:
        await stage.command("freeze carrier maintenance", by=stage.otto)
        await stage.approve(change)
        await lose_locks(stage, change)
        await stage.command("unfreeze", by=stage.otto)
        stage.clock.advance(60)

        assert "An operator released its numbers" in stage.read(await card_after(stage, change, "Cancelled"))
        history = await stage.command(f"status CHG-{change}")
        assert ("no longer locked" in history, "Started" in history) == (True, False)  # it did not even begin
    assert stage.created() == []


async def test_a_job_whose_change_lost_its_locks_is_not_created(stage: Stage) -> None:
    """Each job asks for the locks in the very transaction that lets it go."""
    change = await ask_for_three_jobs(stage)
    await stage.approve(change)
    await card_says(stage, change, "1 running, 2 waiting")
    before = len(stage.telnyx.jobs)
    await lose_locks(stage, change)

    stage.telnyx.advance(60)
    stage.clock.advance(60)
    await stage.ended(change)

    assert stage.outcomes(change) == {"verified": 1, "not_attempted": 2}
    assert len(stage.telnyx.jobs) == before


async def test_a_number_that_moved_stops_the_change_as_stale(stage: Stage) -> None:
    """Nothing is sent, the card shows what moved from what to what, and the failure channel hears of it."""
    wanted = numbers(stage, 3)
    change = await stage.ask(wanted, TAGS)
    stage.telnyx.number(wanted[1]).tags.append("somebody-else")

    await stage.approve(change)
    card = await card_after(stage, change, "Stale")

    assert stage.telnyx.jobs == []
    expected = (
        f"1 number has changed since the plan was made, so nothing was sent: Tags of {wanted[1]} was (empty) and is "
        "somebody-else."
    )
    assert expected in stage.read(card).replace("\n", " ")
    assert any("Stale." in line for line in stage.thread(change))
    assert any(f"CHG-{change} was stopped" in notice for notice in stage.failures())
    assert await stage.command("locks") == "No numbers are locked."


async def test_a_stale_change_is_planned_again_with_a_click_and_approval_starts_over(stage: Stage) -> None:
    """The fresh plan shows today's values; the old card says what replaced it; old buttons decide nothing."""
    wanted = numbers(stage, 2)
    change = await stage.ask(wanted, TAGS)
    stage.telnyx.number(wanted[0]).tags.append("somebody-else")
    old_request = stage.request_card(change).snapshot()
    await stage.approve(change)
    card = await card_after(stage, change, "Stale")

    await stage.ana.click("plan_again", message=card)
    await stage.ana.wait_for_view(lambda view: "somebody-else → moved" in stage.read(view))
    fresh = await stage.request()

    said = await stage.answered(stage.max, stage.max.click("approve", message=old_request))
    assert said == f"The plan of CHG-{change} was replaced by CHG-{fresh}; decide on that one. Show CHG-{fresh}"
    assert stage.telnyx.jobs == []
    await stage.approve(fresh)
    await stage.ended(fresh)
    assert stage.outcomes(fresh) == {"verified": 2}


async def test_only_the_requester_plans_again(stage: Stage) -> None:
    """Somebody else who presses the button on the card is told so in the modal, and nothing is planned."""
    wanted = numbers(stage, 1)
    change = await stage.ask(wanted, TAGS)
    stage.telnyx.number(wanted[0]).tags.append("x")
    await stage.approve(change)
    card = await card_after(stage, change, "Stale")

    await stage.sam.click("plan_again", message=card)

    await stage.sam.wait_for_view(lambda view: "somebody else's plan" in stage.read(view))


async def test_a_number_that_left_the_account_stops_the_change(stage: Stage) -> None:
    """A number that was deleted between plan and approval is named."""
    wanted = numbers(stage, 2)
    change = await stage.ask(wanted, TAGS)
    stage.telnyx.remove_number(wanted[0])

    await stage.approve(change)

    assert f"{wanted[0]} is no longer in the account" in stage.read(await card_after(stage, change, "Stale"))


async def test_numbers_that_are_not_ours_are_left_out_with_one_click(stage: Stage) -> None:
    """The plan names them; one click plans the rest, and says how many were left out."""
    ours = numbers(stage, 2)
    await stage.propose([*ours, "+13035559999"], TAGS)
    await stage.ana.wait_for_view(lambda view: "1 of 3 numbers is not in the Telnyx account" in stage.read(view))

    await stage.ana.click("leave_out")
    view = await stage.ana.wait_for_view(lambda view: " excluded" in stage.read(view))

    assert "Numbers: 2" in stage.read(view)
    assert "1 number is excluded (" in stage.read(view)


async def test_a_freeze_stops_submissions_and_shows_on_every_card(stage: Stage) -> None:
    """While frozen nothing is sent, both cards say who and why; after it is lifted the approved change runs."""
    change = await stage.ask(numbers(stage, 2), TAGS)
    assert "You may not act as an operator" in await stage.command("freeze maintenance")
    assert "Give a reason" in await stage.command("freeze", by=stage.otto)

    assert "frozen" in await stage.command("freeze carrier <!here> maintenance", by=stage.otto)
    await stage.approve(change)
    await card_says(stage, change, "Approved")

    assert stage.telnyx.jobs == []
    for message in (stage.card(change), stage.request_card(change)):
        assert "Submissions are frozen by @Otto" in stage.read(message)
        assert not message.mentions.broadcasts
    assert "already frozen" in await stage.command("freeze again", by=stage.otto)

    assert await stage.command("unfreeze", by=stage.otto) == "The freeze is lifted; submissions continue."
    await stage.ended(change)
    assert stage.outcomes(change) == {"verified": 2}
    assert "frozen" not in stage.read(stage.card(change))
    assert "not frozen" in await stage.command("unfreeze", by=stage.otto)


async def test_the_whole_plan_is_in_the_thread(stage: Stage) -> None:
    """``plan.csv`` has a row for every number, what happens to it, before and after."""
    wanted = numbers(stage, 3)
    stage.telnyx.number(wanted[2]).tags.append("moved")
    change = await stage.ask(wanted, TAGS)
    await stage.slack.wait_for(lambda: stage.slack.files, what="the plan")

    (sheet,) = stage.slack.files

    assert sheet.name == f"CHG-{change}-plan.csv"
    rows = sheet.content.decode("utf-8-sig").splitlines()
    assert rows[0] == "number,id,action,job,Tags (before),Tags (after)"
    assert len(rows) == 4
    assert rows[1].endswith("change,1,(empty),moved")
    assert rows[3].endswith("unchanged,,moved,")
