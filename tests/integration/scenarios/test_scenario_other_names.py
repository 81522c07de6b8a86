"""A number is given by one of its names and excluded by the other."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import carried_out
from tests.integration.scenarios.test_scenario_follow_ups import references
from tests.integration.scenarios.test_scenario_retries import retry, sent
from tests.integration.scenarios.test_scenario_sheets import attach, text


async def test_an_id_is_excluded_by_its_number(stage: Stage) -> None:
    """It counts as excluded, not as unknown to the provider; the others are changed."""
    fleet = list(stage.telnyx.add_numbers(3, start="+13035550000"))
    await stage.open()
    wanted = {"customer_reference": "x"}
    await stage.fill([each.id for each in fleet], wanted, "Moving", excluded=fleet[0].phone_number)
    shown = await sent(stage)
    assert "Numbers: 2" in shown
    assert "1 number is excluded (" in shown
    assert "repeated" not in shown
    await carried_out(stage)

    assert references(stage) == [None, "x", "x"]


async def test_a_row_of_a_sheet_is_excluded_by_the_id_of_its_number(stage: Stage) -> None:
    """The sheet has numbers, the form an id."""
    fleet = list(stage.telnyx.add_numbers(2, start="+13035550000"))
    await stage.open()
    await attach(stage, text(("number", "customer_reference"), *((each.phone_number, "x") for each in fleet)))
    await stage.fill(None, None, "As the sheet says", excluded=fleet[1].id)
    shown = await sent(stage)

    assert "Numbers: 1" in shown
    assert "1 number is excluded (" in shown


async def test_a_number_of_a_retry_is_excluded_as_people_know_it(stage: Stage) -> None:
    """Nobody has typed its id, by which it came over."""
    fleet = [each.phone_number for each in stage.telnyx.add_numbers(3, start="+13035550000")]
    for each in fleet:
        stage.telnyx.fail(each, detail="Busy", times=1)
    change = await stage.run(fleet, {"customer_reference": "x"})

    await retry(stage, change)
    await stage.fill(excluded=fleet[0])
    assert "Numbers: 2" in await sent(stage)


async def test_where_all_are_excluded_nothing_else_is_said(stage: Stage) -> None:
    """Nobody is sent to a filter that there is not."""
    (number,) = stage.telnyx.add_numbers(1, start="+13035550000")
    await stage.open()
    await stage.fill([number.id], {"customer_reference": "x"}, "Moving", excluded=number.phone_number)

    assert "All numbers are excluded, so there is nothing to do." in await sent(stage)


async def test_current_values_leave_out_what_is_excluded_by_its_other_name(stage: Stage) -> None:
    """The message with the sheet does not call it unknown."""
    fleet = list(stage.telnyx.add_numbers(3, start="+13035550000"))
    await stage.ana.command("/numbers", "values update " + " ".join(each.id for each in fleet))
    await stage.ana.wait_for_view(lambda view: ("excluded", "excluded") in view.form.slots)
    await stage.ana.type("excluded", fleet[0].phone_number)
    await stage.ana.submit()
    place = stage.slack.direct_message(stage.ana.id)
    await stage.slack.wait_for(lambda: stage.slack.messages(place), what="the values")

    (told,) = [stage.read(message) for message in stage.slack.messages(place)]
    assert "Current values of 2 numbers" in told
    assert "not in the Telnyx account" not in told
