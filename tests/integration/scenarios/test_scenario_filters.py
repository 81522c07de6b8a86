"""Numbers by a filter: resolved while planning, shown in words, and never handed to the carrier's job."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.sandbox.slack import View
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import edit

NEW = {"customer_reference": "moved"}


@pytest.fixture
async def fleet(stage: Stage) -> Stage:
    """Set up ten numbers: four tagged ``denver``, one of them at a connection, and six others."""
    stage.telnyx.add_numbers(4, start="+13035550000", tags=["denver"])
    stage.telnyx.add_numbers(6, start="+17205550000", tags=["boulder"])
    connection = stage.telnyx.add_connection("Denver PBX")
    stage.telnyx.number("+13035550003").connection_id = connection.id
    return stage


async def fill(stage: Stage, filters: Mapping[str, str], *, numbers: str = "", excluded: str = "") -> None:
    """Fill a new form with a filter; an empty value leaves the filter's input blank."""
    await stage.open()
    if numbers:
        await stage.ana.type("numbers:0", numbers)
    await stage.ana.choose("filters", list(filters))
    await stage.ana.wait_for_view(lambda view: all(f"filter:{key}" in str(view.blocks) for key in filters))
    for key, value in filters.items():
        if key in {"tag", "connection_id"}:
            await stage.ana.suggest(f"filter:{key}", "")
            await stage.ana.choose(f"filter:{key}", value)
        elif value:
            await stage.ana.type(f"filter:{key}", value)
    if excluded:
        await stage.ana.type("excluded", excluded)
    await stage.fill(None, NEW, "Moving Denver")


async def plan(stage: Stage, filters: Mapping[str, str], **more: str) -> View:
    """Plan a change of the numbers that a filter finds."""
    await fill(stage, filters, **more)
    await stage.send()
    return await stage.planned()


def moved(stage: Stage) -> list[str]:
    """Return the numbers that have the new value."""
    return sorted(n.phone_number for n in stage.telnyx.numbers.values() if n.customer_reference == "moved")


async def test_a_filter_becomes_explicit_numbers_before_anybody_approves(fleet: Stage) -> None:
    """The preview and the request say the filter in words; the job gets the ids and no filter at all."""
    shown = fleet.read(await plan(fleet, {"tag": "denver"}))
    assert "Tag is denver" in shown
    assert "Numbers: 4" in shown

    change = await fleet.request()
    assert "Tag is denver" in fleet.read(fleet.request_card(change))
    fleet.telnyx.add_number("+13035559999", tags=["denver"])
    await fleet.approve(change)
    await fleet.ended(change)

    assert moved(fleet) == [f"+1303555000{index}" for index in range(4)]
    (created,) = fleet.created()
    assert created.query == {}
    assert fleet.outcomes(change) == {"verified": 4}


async def test_all_like_this_except_these(fleet: Stage) -> None:
    """A filter, a pasted number beside it, and exclusions make exactly the numbers that are meant."""
    given = {"numbers": "+17205550000", "excluded": "(303) 555-0001, +13035550002"}
    shown = fleet.read(await plan(fleet, {"tag": "denver"}, **given))
    change = await fleet.request()
    for read in (shown, fleet.read(fleet.request_card(change))):
        assert "2 numbers are excluded (+13035550001, +13035550002)." in read
        assert "no number out" not in read
    await fleet.approve(change)
    await fleet.ended(change)

    assert moved(fleet) == ["+13035550000", "+13035550003", "+17205550000"]


async def test_an_exclusion_that_leaves_nothing_out_is_named(fleet: Stage) -> None:
    """It may be a typing error, and whoever approves sees it, too; a number's other name is none."""
    one = fleet.telnyx.number("+13035550001")
    excluded = f"{one.id}, +13035550020, +17205550005"

    shown = fleet.read(await plan(fleet, {"tag": "denver"}, excluded=excluded))
    change = await fleet.request()

    for read in (shown, fleet.read(fleet.request_card(change))):
        assert "1 number is excluded (+13035550001)." in read
        assert "2 exclusions leave no number out (+13035550020, +17205550005). Check for typing errors." in read


async def test_an_exclusion_beside_listed_numbers_that_leaves_nothing_out_is_named(fleet: Stage) -> None:
    """Without a filter as well, and one that leaves out a row of a sheet by its other name is not among them."""
    one, two = fleet.telnyx.number("+13035550001"), "+13035550002"
    await fleet.open()
    await fleet.ana.attach("sheet:0", ("moves.csv", f"id,customer_reference\n{one.id},moved\n".encode()))
    await fleet.fill([two, "+13035550003"], {"customer_reference": "moved"}, "Moving Denver")
    await fleet.ana.type("excluded", f"{one.phone_number}, {two}, +13035550009")
    await fleet.send()
    shown = fleet.read(await fleet.planned())

    assert "Numbers: 1" in shown
    assert "2 numbers are excluded" in shown
    assert "1 exclusion leaves no number out (+13035550009). Check for typing errors." in shown


async def test_where_all_that_a_filter_finds_is_excluded_it_is_said(fleet: Stage) -> None:
    """It is not the filter that finds nothing."""
    shown = fleet.read(await plan(fleet, {"tag": "denver"}, excluded="3035550000 3035550001 3035550002 3035550003"))

    assert "All numbers are excluded, so there is nothing to do." in shown


async def test_conditions_narrow_each_other_and_ids_have_names(fleet: Stage) -> None:
    """Two conditions must both hold, and a connection is shown by its name."""
    connection = fleet.telnyx.number("+13035550003").connection_id

    shown = fleet.read(await plan(fleet, {"tag": "denver", "connection_id": str(connection)}))

    assert f"Connection is Denver PBX ({connection})" in shown
    assert "Numbers: 1" in shown


async def test_a_filter_that_the_carrier_overlooks_plans_nothing(fleet: Stage) -> None:
    """When the list comes back unfiltered, the whole account would be meant; the plan is refused instead."""
    fleet.telnyx.ignored_filters.add("filter[tag]")

    shown = fleet.read(await plan(fleet, {"tag": "denver"}))

    assert "Telnyx did not apply the filter" in shown
    assert fleet.telnyx.jobs == []


async def test_a_filter_is_not_widened_by_an_ownership_answer(fleet: Stage) -> None:
    """A number that neither the filter finds nor anybody named stops the plan, wherever it comes from."""
    fleet.telnyx.intruders.append(fleet.telnyx.add_number("+13035550999").id)

    shown = fleet.read(await plan(fleet, {"tag": "denver"}))

    assert "Telnyx answered with +13035550999, which was not requested" in shown
    assert fleet.telnyx.jobs == []


async def test_a_filter_that_finds_nothing_says_so(fleet: Stage) -> None:
    """Nothing is planned, and Edit brings the filter back as it was."""
    shown = fleet.read(await plan(fleet, {"phone_number": "999"}))
    assert "No numbers match" in shown

    view = await edit(fleet)
    assert "filter:phone_number" in str(view.blocks)
    assert "'999'" in str(view.blocks)


async def test_a_bad_condition_is_answered_on_its_own_field(fleet: Stage) -> None:
    """Too short a part of a number is refused where it was typed."""
    await fill(fleet, {"phone_number": "30"})

    problems = await fleet.refused()

    assert set(problems) == {"filter:phone_number"}


async def test_more_numbers_than_one_change_may_have_are_refused(idle: Stage) -> None:
    """The figure is told, and nothing is planned from a part of them."""
    await idle.start(LINESMAN_MAX_NUMBERS="5")
    idle.telnyx.add_numbers(9, start="+13035550000", tags=["denver"])

    assert "more than 5 numbers" in idle.read(await plan(idle, {"tag": "denver"}))


async def test_found_numbers_that_cannot_be_changed_are_left_out_with_a_click(fleet: Stage) -> None:
    """A number in a state that cannot be edited is named; the rest is planned with one click."""
    fleet.telnyx.number("+13035550001").status = "port-failed"
    shown = fleet.read(await plan(fleet, {"tag": "denver"}))
    assert "+13035550001" in shown
    assert "Leave out 1 and plan the rest" in shown

    await fleet.ana.click("leave_out")

    view = await fleet.ana.wait_for_view(lambda view: "Request approval" in fleet.read(view))
    assert "Numbers: 3" in fleet.read(view)


async def test_none_can_be_chosen_whatever_is_typed(fleet: Stage) -> None:
    """Who has typed something, be it the word itself, finds "None" beside what was found."""
    fleet.telnyx.add_billing_group("Denver")
    await fleet.open()
    await fleet.ana.choose("filters", ["billing_group_id"])
    await fleet.ana.wait_for_view(lambda view: "filter:billing_group_id" in str(view.blocks))

    for typed in ("", "den", "none", "nothing of that name"):
        offered = [each["text"]["text"] for each in await fleet.ana.suggest("filter:billing_group_id", typed)]
        assert offered == (["None", "Denver"] if typed in {"", "den"} else ["None"])


async def test_without_numbers_and_without_a_filter_nothing_is_planned(fleet: Stage) -> None:
    """The form says what is missing at the first box."""
    await fleet.open()
    await fleet.fill(None, NEW, "why")

    assert "Paste at least one number" in (await fleet.refused())["numbers:0"]
