"""Emergency addresses: what people read before they approve is what is sent, and what was taken away comes back."""

from __future__ import annotations

from bot.changes.planning.plan import PlannedBatch, digest
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import card_after, card_says, carried_out, run_form
from tests.integration.scenarios.test_scenario_sheets import attach, plan, text

HQ, BRANCH = "1 HQ St", "2 Branch St"


def fleet(stage: Stage, count: int, *, on: bool) -> tuple[list[str], str, str]:
    """Give the account two addresses, and ``count`` numbers that have the first one; return all three."""
    hq, branch = stage.telnyx.add_address(HQ).id, stage.telnyx.add_address(BRANCH).id
    for number in stage.telnyx.add_numbers(count, start="+13035550000"):
        number.emergency_enabled, number.emergency_address_id = on, hq
        number.emergency_status = "active" if on else "disabled"
    return [number.phone_number for number in stage.telnyx.numbers.values()], hq, branch


async def as_the_sheet_says(stage: Stage, *rows: tuple[str, ...], form: dict[str, str] | None = None) -> None:
    """Fill in the form for emergency service with a sheet, beside values of the ``form``."""
    await stage.open("emergency")
    await attach(stage, text(*rows))
    await stage.fill(None, form, "As the sheet says")


async def test_an_address_that_a_number_has_already_is_read_before_it_takes_effect(stage: Stage) -> None:
    """A row goes before the form also where it changes nothing but the switch; the request shows its address."""
    numbers, hq, branch = fleet(stage, 8, on=False)
    stage.telnyx.number(numbers[6]).emergency_address_id = branch
    rows = [(number, branch if number == numbers[6] else "") for number in numbers]
    form = {"emergency_enabled": "true", "emergency_address_id": hq}
    await as_the_sheet_says(stage, ("number", "emergency_address_id"), *rows, form=form)
    await stage.send()
    shown = stage.read(await stage.planned())
    change = await stage.request()
    await stage.quiet()

    for read in (shown, stage.read(stage.request_card(change))):
        assert "the value in the sheet; 1 HQ St" in read
        [line] = [line for line in read.splitlines() if numbers[6] in line]
        assert BRANCH in line
    await stage.approve(change)
    await stage.ended(change)
    assert stage.telnyx.number(numbers[6]).emergency_address_id == branch


async def test_a_sheet_of_addresses_that_all_numbers_have_shows_them(stage: Stage) -> None:
    """Only the switch differs, and calls for help are answered by the address: it is in the request."""
    numbers, hq, _ = fleet(stage, 2, on=False)
    await as_the_sheet_says(
        stage, ("number", "emergency_enabled", "emergency_address_id"), *((each, "on", hq) for each in numbers)
    )
    change = await run_form(stage)

    read = stage.read(stage.request_card(change))
    assert "Emergency address → the value in the sheet" in read
    assert read.count(HQ) == 2
    assert [row["Emergency address (after)"].split(",")[0] for row in stage.results(change)] == [HQ, HQ]


async def test_an_address_that_is_gone_is_not_sent_because_the_number_has_it(stage: Stage) -> None:
    """The service cannot be switched on with it, so the plan says so, and names the numbers."""
    numbers, _, _ = fleet(stage, 2, on=False)
    gone = "1293384261075731499"
    for number in stage.telnyx.numbers.values():
        number.emergency_address_id = gone
    await as_the_sheet_says(
        stage, ("number", "emergency_enabled", "emergency_address_id"), *((each, "on", gone) for each in numbers)
    )
    await stage.send()

    shown = stage.read(await stage.planned())
    assert f"Telnyx has no emergency address with the id {gone}" in shown
    assert numbers[0] in shown


async def test_a_plan_of_an_earlier_version_that_did_not_show_its_address_is_not_sent(stage: Stage) -> None:
    """It was approved for an address that nobody could read; the card says to request it again."""
    numbers, hq, _ = fleet(stage, 2, on=False)
    await as_the_sheet_says(
        stage, ("number", "emergency_enabled", "emergency_address_id"), *((each, "on", hq) for each in numbers)
    )
    await stage.send()
    await stage.planned()
    change = await stage.request()
    await stage.command("freeze maintenance", by=stage.otto)
    await stage.approve(change)
    await stage.quiet(but="start")
    await stage.tamper("""UPDATE operations SET after = '{"emergency_enabled": true}'""")
    assert stage.bot is not None
    context = stage.bot.worker._context
    async with context.database.reading() as tx:
        planned = await tx.operations.planned(change)
        batches = [
            PlannedBatch(position=each.position, values=each.values, size=each.size)
            for each in await tx.batches.of(change)
        ]
    sealed = digest("telnyx.emergency", planned.values(), batches)
    await stage.tamper(*(f"UPDATE {table} SET digest = '{sealed}'" for table in ("changes", "decisions")))  # noqa: S608
    await stage.command("unfreeze", by=stage.otto)

    await card_says(stage, change, "approvers were not shown all that it sends")
    assert stage.created() == []


async def test_a_row_that_keeps_a_value_is_not_read_as_the_one_of_the_form(stage: Stage) -> None:
    """Calls would be forwarded to where nobody has read that they go."""
    forwarding = {"call_forwarding": {"call_forwarding_enabled": False, "forwards_to": "+17205550001"}}
    number = stage.telnyx.add_number("+13035550000", voice=forwarding).phone_number
    other = stage.telnyx.add_number("+13035550001").phone_number
    sheet = text(("number", "Forward to"), (number, "+17205550001"), (other, ""))
    form = {
        "voice.call_forwarding.call_forwarding_enabled": "true",
        "voice.call_forwarding.forwards_to": "+17205550002",
        "voice.call_forwarding.forwarding_type": "always",
    }

    shown = stage.read(await plan(stage, sheet, settings=form))

    assert "Forward to → the value in the sheet; +17205550002" in shown


OFF = {"emergency_enabled": "false"}


async def undo(stage: Stage, change: int) -> str:
    """Plan the undoing of a change, and return what is shown."""
    await stage.ana.command("/numbers", f"undo CHG-{change}")
    return stage.read(await stage.planned())


def found(stage: Stage) -> list[tuple[bool, str | None]]:
    """Return whether each number has the service, and its address."""
    return [(number.emergency_enabled, number.emergency_address_id) for number in stage.telnyx.numbers.values()]


async def test_switching_off_is_undone_with_each_number_s_address(stage: Stage) -> None:
    """It is one job all the same; preview, request, history and results say which address goes, and undo brings it."""
    numbers, _, branch = fleet(stage, 3, on=True)
    stage.telnyx.number(numbers[2]).emergency_address_id = branch
    before = found(stage)
    shown = stage.read(await stage.propose(numbers, OFF, command="emergency"))
    change = await carried_out(stage)

    assert [call.body for call in stage.created()] == [
        {"emergency_enabled": False, "phone_numbers": [number.id for number in stage.telnyx.numbers.values()]}
    ]
    for read in (shown, stage.read(stage.request_card(change))):
        assert f"Emergency address: {BRANCH}" in read
    assert f"Emergency address: {BRANCH}" in await stage.command(f"find {numbers[2]}")
    assert [row["Emergency address (before)"].split(",")[0] for row in stage.results(change)] == [HQ, HQ, BRANCH]
    assert all(number.emergency_address_id is None for number in stage.telnyx.numbers.values())

    shown = await undo(stage, change)
    assert "keeps" not in shown
    assert "keep " not in shown
    undone = await carried_out(stage)
    assert found(stage) == before
    assert stage.outcomes(undone) == {"verified": 3}

    await undo(stage, undone)
    await carried_out(stage)
    assert [enabled for enabled, _ in found(stage)] == [False, False, False]


async def test_undoing_an_undo_brings_the_addresses_back(stage: Stage) -> None:
    """Off by an undo is off like any other."""
    numbers, _, branch = fleet(stage, 2, on=False)
    on = {"emergency_enabled": "true", "emergency_address_id": branch}
    change = await stage.run(numbers, on, command="emergency")
    await undo(stage, change)
    undone = await carried_out(stage)
    await undo(stage, undone)
    await carried_out(stage)

    assert found(stage) == [(True, branch)] * 2


async def test_the_results_of_switching_off_bring_the_addresses_back(stage: Stage) -> None:
    """A sheet of results is its own undoing, by hand."""
    numbers, hq, _ = fleet(stage, 2, on=True)
    change = await stage.run(numbers, OFF, command="emergency")
    await stage.open("emergency")
    content = stage.file(change)
    assert content is not None
    await attach(stage, content)
    await stage.fill(None, None, "Back again")
    await run_form(stage)

    assert found(stage) == [(True, hq)] * 2


async def test_the_service_can_be_switched_off_for_a_while(stage: Stage) -> None:
    """At the end each number has its address back."""
    numbers, hq, _ = fleet(stage, 2, on=True)
    await stage.propose(numbers, OFF, command="emergency", until="in 4 hours")
    change = await stage.request()
    await stage.approve(change)
    await card_says(stage, change, "In effect")
    assert [enabled for enabled, _ in found(stage)] == [False, False]

    stage.clock.advance(4 * 3600 + 1)
    await stage.ended(change)

    assert found(stage) == [(True, hq)] * 2


async def test_an_address_that_changes_before_the_service_is_switched_off_makes_the_plan_stale(stage: Stage) -> None:
    """It would be lost, and the undo would bring another one back."""
    numbers, _, branch = fleet(stage, 2, on=True)
    change = await stage.ask(numbers, OFF, command="emergency")
    stage.telnyx.number(numbers[0]).emergency_address_id = branch
    await stage.approve(change)

    assert "Stale" in stage.read(await card_after(stage, change, "has changed since the plan was made"))
    assert stage.created() == []


async def test_a_switch_off_by_an_earlier_version_is_not_undone_without_its_address(stage: Stage) -> None:
    """That version did not note which it was: nobody is asked to approve what Telnyx must refuse."""
    numbers, _, _ = fleet(stage, 2, on=True)
    change = await stage.run(numbers, OFF, command="emergency")
    await stage.tamper("""UPDATE operations SET before = '{"emergency_enabled": true}'""")

    await stage.ana.command("/numbers", f"undo CHG-{change}")
    said = stage.read(await stage.ana.wait_for_view(lambda view: "Nothing of" in stage.read(view)))

    assert f"Nothing of CHG-{change} can be undone" in said
    assert "Set what you want in a new change" in said
    assert "verified" in await stage.command(f"find {numbers[0]}")


async def test_a_listed_name_comes_back_with_its_listing(stage: Stage) -> None:
    """Telnyx drops the name with the switch, so preview and results say which it was, and undo brings it back."""
    listing = {"cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "ACME"}}
    for last in range(2):
        stage.telnyx.add_number(f"+1303555000{last}", voice=listing)
    numbers = [number.phone_number for number in stage.telnyx.numbers.values()]
    off = {"voice.cnam_listing.cnam_listing_enabled": "false"}
    assert "CNAM listed name: ACME" in stage.read(await stage.propose(numbers, off))
    change = await carried_out(stage)
    assert [row["CNAM listed name (before)"] for row in stage.results(change)] == ["ACME", "ACME"]

    await undo(stage, change)
    await carried_out(stage)

    assert all(number.voice.cnam_listing == listing["cnam_listing"] for number in stage.telnyx.numbers.values())
