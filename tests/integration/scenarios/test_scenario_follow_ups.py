"""After a change: its failed numbers once more, and its changed numbers back as they were."""

from __future__ import annotations

import pytest

from bot.sandbox.slack import View
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import carried_out


def numbers(stage: Stage, count: int) -> list[str]:
    """Add numbers to the account and return them."""
    return [number.phone_number for number in stage.telnyx.add_numbers(count, start="+13035550000")]


def references(stage: Stage) -> list[str | None]:
    """Return the references that the numbers have at the carrier."""
    return [number.customer_reference for number in stage.telnyx.numbers.values()]


async def test_what_failed_is_retried_with_corrected_values(stage: Stage) -> None:
    """The form comes with just those numbers and the same settings; both cards name each other."""
    wanted = numbers(stage, 4)
    for number in wanted[:2]:
        stage.telnyx.fail(number, detail="Busy", times=1)
    first = await stage.run(wanted, {"customer_reference": "Denver"})
    assert stage.outcomes(first) == {"verified": 2, "failed": 2}
    assert {"retry_failed", "undo"} <= set(stage.buttons(stage.card(first)))

    await stage.ana.click("retry_failed", message=stage.card(first))
    view = await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
    shown = stage.read(view)
    assert f"Retry of CHG-{first}: its numbers that failed" in shown
    assert "Denver" in shown
    assert f"Retry of CHG-{first}: Moving to the new PBX" in shown
    await stage.ana.type("value:customer_reference", "Dallas")
    await stage.send()
    assert "Numbers: 2" in stage.read(await stage.planned())
    second = await carried_out(stage)

    assert stage.outcomes(second) == {"verified": 2}
    assert references(stage) == ["Dallas", "Dallas", "Denver", "Denver"]
    assert f"Retry of CHG-{first}" in stage.read(stage.card(second))
    assert f"CHG-{second}" in await stage.command(f"status CHG-{first}")


async def test_an_undo_gives_back_what_was_there(stage: Stage) -> None:
    """Every number gets its own old value, in the fewest jobs; an undo of the undo brings the change back."""
    wanted = numbers(stage, 5)
    for at, number in enumerate(stage.telnyx.numbers.values()):
        number.customer_reference = "east" if at % 2 else "west"
    first = await stage.run(wanted, {"customer_reference": "Denver"})

    await stage.ana.click("undo", message=stage.card(first))
    shown = stage.read(await stage.planned())
    assert "Customer reference → 2 different values, number by number" in shown
    assert f"Undo of CHG-{first}" in shown
    before = len(stage.created())
    second = await carried_out(stage)
    assert references(stage) == ["west", "east", "west", "east", "west"]
    assert len(stage.created()) - before == 2
    assert f"Undone by CHG-{second}" in await stage.command(f"status CHG-{first}")

    await stage.ana.command("/numbers", f"undo CHG-{second}")
    await stage.planned()
    await carried_out(stage)
    assert references(stage) == ["Denver"] * 5


async def test_what_cannot_be_set_back_and_what_moved_since_is_said_before_approval(stage: Stage) -> None:
    """A number without a reference keeps the new one, one that was changed since is left out and named."""
    wanted = numbers(stage, 4)
    fleet = list(stage.telnyx.numbers.values())
    for number in fleet[:3]:
        number.customer_reference = "east"
    first = await stage.run(wanted, {"customer_reference": "Denver"})
    fleet[0].customer_reference = "somebody else"

    await stage.ana.command("/numbers", f"undo CHG-{first}")
    shown = stage.read(await stage.planned())
    assert "1 number keeps Customer reference as it is: Telnyx documents no way to restore the earlier value." in shown
    assert "1 number has changed since and is left as it is: +13035550000." in shown
    assert "Numbers: 2" in shown
    assert "repeated" not in shown
    await carried_out(stage)
    assert references(stage) == ["somebody else", "east", "east", "Denver"]


@pytest.mark.parametrize("way", ["undo", "retry"])
async def test_a_number_that_is_gone_is_named_as_people_know_it(stage: Stage, way: str) -> None:
    """Nobody typed its id, so a follow-up that cannot have it says the number."""
    wanted = numbers(stage, 2)
    gone = stage.telnyx.number(wanted[0])
    for number in stage.telnyx.numbers.values():
        number.customer_reference = "west"
    if way == "retry":
        stage.telnyx.fail(wanted[0])
    first = await stage.run(wanted, {"customer_reference": "Denver"})
    del stage.telnyx.numbers[gone.id]

    await stage.ana.command("/numbers", f"{way} CHG-{first}")
    if way == "retry":
        await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")
        await stage.send()
    shown = stage.read(await stage.planned())

    assert f"not in the Telnyx account, or cannot be changed there now: {wanted[0]}." in shown


async def test_an_undo_says_what_it_brings_back_and_what_came_after_names_itself(stage: Stage) -> None:
    """No sheet is spoken of where there is none; an undo asked for twice names the change that was first."""
    wanted = numbers(stage, 3)
    for number in stage.telnyx.numbers.values():
        number.customer_reference = "west"
    first = await stage.run(wanted, {"customer_reference": "Denver"})

    await stage.ana.command("/numbers", f"undo CHG-{first}")
    shown = stage.read(await stage.planned())
    assert f"Customer reference → the value from before CHG-{first}" in shown
    assert "sheet" not in shown
    second = await carried_out(stage)
    assert references(stage) == ["west"] * 3
    assert f"Customer reference → the value from before CHG-{first}" in stage.read(stage.card(second))

    await stage.ana.command("/numbers", f"undo CHG-{first}")
    again = stage.read(await stage.planned())
    assert f"CHG-{second} has changed every number since (+13035550000" in again
    assert f"To revert that, undo CHG-{second}." in again


async def test_what_came_after_an_undone_change_is_named_number_by_number(stage: Stage) -> None:
    """A number of a later change is left with that change's name, one that somebody changed by hand without."""
    wanted = numbers(stage, 4)
    fleet = list(stage.telnyx.numbers.values())
    for number in fleet:
        number.customer_reference = "west"
    first = await stage.run(wanted, {"customer_reference": "Denver"})
    second = await stage.run(wanted[:2], {"customer_reference": "Dallas"})
    for number in fleet[1:]:
        number.customer_reference = "by hand"

    await stage.ana.command("/numbers", f"undo CHG-{first}")
    shown = stage.read(await stage.planned())

    assert f"Every number has been changed since: {wanted[0]} (by CHG-{second}), {wanted[1]}, {wanted[2]}" in shown


async def refused(stage: Stage, text: str) -> str:
    """Type ``/numbers`` with ``text`` and return what the modal answers."""

    def answered(view: View) -> bool:
        return view.callback_id == "notice" and "🚫" in stage.read(view)

    await stage.ana.command("/numbers", text)
    return stage.read(await stage.ana.wait_for_view(answered))


async def test_what_cannot_be_followed_is_answered(stage: Stage) -> None:
    """A change that runs, one without failures, one that never changed anything, and one that does not exist."""
    wanted = numbers(stage, 2)
    open_ = await stage.ask(wanted[:1], {"customer_reference": "Denver"})
    done = await stage.run(wanted[1:], {"customer_reference": "Denver"})

    assert f"CHG-{open_} is awaiting approval; wait until it is over, or cancel it." in await refused(
        stage, f"retry CHG-{open_}"
    )
    assert f"No number of CHG-{done} failed, differs or was not attempted" in await refused(stage, f"retry CHG-{done}")
    assert "Nothing of CHG-2 can be undone" in await refused(stage, f"undo CHG-{done}")
    assert "There is no CHG-99." in await refused(stage, "undo CHG-99")
    assert "Name the change: /numbers undo CHG-42." in await stage.command("undo")


async def test_somebody_else_may_retry_under_their_own_name(stage: Stage) -> None:
    """A retry is a change of whoever asks for it, with its own approval."""
    wanted = numbers(stage, 1)
    stage.telnyx.fail(wanted[0], detail="Busy", times=1)
    first = await stage.run(wanted, {"customer_reference": "Denver"})

    await stage.mia.click("retry_failed", message=stage.card(first))
    await stage.mia.wait_for_view(lambda view: view.callback_id == "change_form")
    await stage.send(by=stage.mia)
    await stage.planned(by=stage.mia)
    second = await stage.request(by=stage.mia)
    assert "You requested this change" in await stage.approve(second, by=stage.mia)
    await stage.approve(second)
    await stage.ended(second)
    assert references(stage) == ["Denver"]


async def test_a_stranger_gets_a_no(stage: Stage) -> None:
    """Who may not ask for changes may not retry or undo them either."""
    first = await stage.run(numbers(stage, 1), {"customer_reference": "Denver"})
    await stage.sam.click("undo", message=stage.card(first))
    view = await stage.sam.wait_for_view(lambda view: view.callback_id == "notice")
    assert "You may not request changes" in stage.read(view)
