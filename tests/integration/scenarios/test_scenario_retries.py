"""A retry gives each number what it was approved to get, or what its form was corrected to."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import carried_out
from tests.integration.scenarios.test_scenario_follow_ups import numbers, references
from tests.integration.scenarios.test_scenario_sheets import attach, plan, text
from tests.integration.scenarios.test_scenario_waves import rollout_in


async def retry(stage: Stage, change: int) -> None:
    """Open the form of a retry."""
    await stage.ana.command("/numbers", f"retry CHG-{change}")
    await stage.ana.wait_for_view(lambda view: view.callback_id == "change_form")


async def sent(stage: Stage) -> str:
    """Send the form of the retry and return the preview."""
    await stage.send()
    return stage.read(await stage.planned())


async def test_a_value_that_a_number_had_already_stays_its_own(stage: Stage) -> None:
    """A row of the sheet kept the number's reference; the form's is for the others, in the retry as well."""
    first, second = numbers(stage, 2)
    stage.telnyx.number(first).customer_reference = "own"
    stage.telnyx.fail(first, detail="Busy", times=1)
    await plan(
        stage,
        text(("number", "customer_reference", "tags"), (first, "own", "x"), (second, "", "x")),
        settings={"customer_reference": "general"},
    )
    change = await carried_out(stage)

    await retry(stage, change)
    assert "general" not in await sent(stage)
    await carried_out(stage)

    assert references(stage) == ["own", "general"]
    assert stage.telnyx.number(first).tags == ["x"]


async def test_help_is_sent_to_the_address_that_was_approved_for_the_number(stage: Stage) -> None:
    """It has that address while its emergency service is off, and the form has another one for the rest."""
    hq, branch = stage.telnyx.add_address("1 HQ St"), stage.telnyx.add_address("2 Branch St")
    first, second = numbers(stage, 2)
    there = stage.telnyx.number(first)
    there.emergency_enabled, there.emergency_address_id, there.emergency_status = False, branch.id, "disabled"
    stage.telnyx.fail(first, detail="Busy", times=1)
    await stage.open("emergency")
    await attach(stage, text(("number", "emergency_address_id"), (first, branch.id), (second, "")))
    await stage.fill(None, {"emergency_enabled": "true", "emergency_address_id": hq.id}, "As the sheet says")
    await stage.send()
    await stage.planned()
    change = await carried_out(stage)

    await retry(stage, change)
    await sent(stage)
    await carried_out(stage)

    assert [number.emergency_address_id for number in stage.telnyx.numbers.values()] == [branch.id, hq.id]


async def test_numbers_whose_address_alone_was_to_change_are_retried(stage: Stage) -> None:
    """The sheet said that the service is on, as it was; the provider takes an address with that only."""
    hq, branch = stage.telnyx.add_address("1 HQ St"), stage.telnyx.add_address("2 Branch St")
    first, second = numbers(stage, 2)
    for number in stage.telnyx.numbers.values():
        number.emergency_enabled, number.emergency_address_id, number.emergency_status = True, hq.id, "active"
    stage.telnyx.fail(first, detail="Busy", times=1)
    await stage.open("emergency")
    rows = [(number, "on", branch.id) for number in (first, second)]
    await attach(stage, text(("number", "emergency_enabled", "emergency_address_id"), *rows))
    await stage.fill(None, None, "As the sheet says")
    await stage.send()
    await stage.planned()
    change = await carried_out(stage)

    await retry(stage, change)
    assert "2 Branch St" in await sent(stage)
    await carried_out(stage)

    assert [number.emergency_address_id for number in stage.telnyx.numbers.values()] == [branch.id] * 2


async def test_a_correction_counts_for_the_numbers_that_had_the_value_of_the_form(stage: Stage) -> None:
    """That one number had a value of its own in the sheet keeps nobody from correcting the others."""
    first, second, third = numbers(stage, 3)
    for number in (second, third):
        stage.telnyx.fail(number, detail="Not allowed", times=1)
    sheet = text(("number", "customer_reference", "tags"), (first, "own", "x"), (second, "", "x"), (third, "", "x"))
    await plan(stage, sheet, settings={"customer_reference": "wrong"})
    change = await carried_out(stage)

    await retry(stage, change)
    await stage.ana.type("value:customer_reference", "corrected")
    shown = await sent(stage)
    assert "Customer reference → corrected" in shown
    assert "for the rest" not in shown
    await carried_out(stage)

    assert references(stage) == ["own", "corrected", "corrected"]


async def test_what_all_numbers_have_of_their_own_leaves_no_rest(stage: Stage) -> None:
    """The form's value is nobody's then, and is not announced."""
    first, second = numbers(stage, 2)
    stage.telnyx.fail(first, detail="Not allowed", times=1)
    sheet = text(("number", "customer_reference"), (first, "own"), (second, ""))
    assert "the value in the sheet; general for the rest" in stage.read(
        await plan(stage, sheet, settings={"customer_reference": "general"})
    )
    change = await carried_out(stage)

    await retry(stage, change)
    shown = await sent(stage)

    assert f"Customer reference → the value of CHG-{change}" in shown
    assert "for the rest" not in shown


async def test_a_sheet_in_a_retry_corrects_only_what_it_has(stage: Stage) -> None:
    """The other values of the number stay those of the change before, and nobody gave the number twice."""
    first, second = numbers(stage, 2)
    for number in (first, second):
        stage.telnyx.fail(number, detail="Not allowed", times=1)
    await plan(stage, text(("number", "customer_reference", "tags"), (first, "A", "x"), (second, "B", "y")))
    change = await carried_out(stage)

    await retry(stage, change)
    await attach(stage, text(("number", "tags"), (first, "fixed")))
    shown = await sent(stage)
    assert "repeated" not in shown
    await carried_out(stage)

    assert references(stage) == ["A", "B"]
    assert [number.tags for number in stage.telnyx.numbers.values()] == [["fixed"], ["y"]]


async def test_a_retry_that_changes_nothing_is_refused(stage: Stage) -> None:
    """Nobody is told that the numbers have the values already."""
    (number,) = numbers(stage, 1)
    stage.telnyx.fail(number, detail="Not allowed", times=1)
    change = await stage.run([number], {"customer_reference": "Denver"})

    await retry(stage, change)
    await stage.choose([])
    await stage.ana.wait_for_view(lambda view: ("value:customer_reference", "value") not in view.form.slots)
    shown = await sent(stage)

    assert "Choose at least one setting to change." in shown


async def test_a_retry_comes_in_the_waves_of_the_change(stage: Stage) -> None:
    """What a bad first wave has stopped is not sent to all numbers at once by the retry."""
    wanted = numbers(stage, 12)
    stage.telnyx.fail(wanted[0], detail="Busy", times=1)
    change = await stage.ask(wanted, canary="1, 5, rest", pause="ask", threshold="20 %")
    await stage.approve(change)
    await stage.slack.wait_for(lambda: "Paused" in stage.read(stage.card(change)), what="the pause")
    await stage.quiet()
    await stage.ana.click("stop_rest", message=stage.card(change))
    await stage.ended(change)

    await retry(stage, change)
    assert stage.ana.view is not None
    assert rollout_in(stage.ana.view) == ["1, 5, rest", "ask", "20 %"]
    shown = await sent(stage)

    assert f"3 waves: wave 1: 1 number ({wanted[0]}), wave 2: 5, rest: 6." in shown


async def test_what_was_changed_since_is_not_retried(stage: Stage) -> None:
    """A later change is named and stays, a value that somebody set by hand as well; the others are retried."""
    wanted = numbers(stage, 4)
    for number in wanted[:3]:
        stage.telnyx.fail(number, detail="Busy", times=1)
    change = await stage.run(wanted, {"customer_reference": "old"})
    later = await stage.run(wanted[:1], {"customer_reference": "new"})
    stage.telnyx.number(wanted[1]).customer_reference = "by hand"

    await retry(stage, change)
    shown = await sent(stage)
    assert "2 numbers have changed since and are left as they are" in shown
    assert f"{wanted[0]} (by CHG-{later}), {wanted[1]}" in shown
    await carried_out(stage)
    assert references(stage) == ["new", "by hand", "old", "old"]

    last = await stage.run([wanted[2]], {"customer_reference": "newer"})
    await retry(stage, change)
    shown = await sent(stage)
    assert f"{wanted[0]} (by CHG-{later}), {wanted[1]}, {wanted[2]} (by CHG-{last}). So nothing is retried." in shown


async def test_entries_that_a_retry_adds_overwrite_nothing(stage: Stage) -> None:
    """A tag that came since stays beside them, so its number is not left out."""
    (number,) = numbers(stage, 1)
    stage.telnyx.fail(number, detail="Busy", times=1)
    await stage.open()
    await stage.fill([number], {"tags": "first"}, "Tagging", **{"way:tags": "add"})
    await stage.send()
    await stage.planned()
    change = await carried_out(stage)
    stage.telnyx.number(number).tags = ["since"]

    await retry(stage, change)
    await sent(stage)
    await carried_out(stage)

    assert stage.telnyx.number(number).tags == ["since", "first"]


async def test_a_setting_that_is_taken_out_of_the_form_is_not_sent_again(stage: Stage) -> None:
    """What the sheet gave the number itself is all the same."""
    first, second = numbers(stage, 2)
    stage.telnyx.fail(second, detail="Not allowed", times=1)
    sheet = text(("number", "customer_reference", "tags"), (first, "own", "x"), (second, "", "y"))
    await plan(stage, sheet, settings={"customer_reference": "wrong"})
    change = await carried_out(stage)

    await retry(stage, change)
    await stage.choose([])
    await stage.ana.wait_for_view(lambda view: ("value:customer_reference", "value") not in view.form.slots)
    shown = await sent(stage)

    assert f"Tags → the value of CHG-{change}" in shown
    assert "Customer reference" not in shown
