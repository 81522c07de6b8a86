"""Emergency addresses: what people read before they approve is what is sent, and what was taken away comes back."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import run_form
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
