"""The form: what it shows, what it keeps, and what it says about mistakes."""

from __future__ import annotations

import pytest

from tests.integration.scenarios.stage import APPROVALS, Stage
from tests.integration.scenarios.steps import edit

FORWARDING = "voice.call_forwarding.call_forwarding_enabled"
FORWARDS_TO = "voice.call_forwarding.forwards_to"
CNAM_NAME = "voice.cnam_listing.cnam_listing_details"


def inputs(stage: Stage) -> list[str]:
    """Return the block ids of the inputs in Ana's modal."""
    view = stage.ana.view
    assert view is not None
    return [block["block_id"] for block in view.blocks if block["type"] == "input"]


def typed(stage: Stage) -> dict[str, object]:
    """Return what stands in Ana's form, by block id."""
    view = stage.ana.view
    assert view is not None
    return {block: slot.value for (block, _), slot in view.form.slots.items()}


def chosen(option: object) -> str:
    """Return the value of a chosen option."""
    assert isinstance(option, dict)
    return str(option["value"])


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("update", "telnyx.settings"),
        ("emergency", "telnyx.emergency"),
        ("new", "telnyx.settings"),
        ("UPDATE", "telnyx.settings"),
    ],
)
async def test_the_command_chooses_the_kind(stage: Stage, command: str, kind: str) -> None:
    """The word after the command preselects what to change, in whatever casing."""
    await stage.open(command)

    assert chosen(typed(stage)["kind"]) == kind


async def test_numbers_after_the_command_are_filled_in(stage: Stage) -> None:
    """What follows the word stands in the first number box."""
    await stage.open("update +13035550000, (303) 555-0001")

    assert typed(stage)["numbers:0"] == "+13035550000, (303) 555-0001"


async def test_switching_the_kind_keeps_numbers_and_reason(stage: Stage) -> None:
    """Another kind asks for other values; what the kinds have in common stays as typed."""
    await stage.open("update")
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")

    await stage.ana.choose("kind", "telnyx.emergency")
    await stage.ana.wait_for_view(lambda _: "value:emergency_enabled" in inputs(stage))

    assert inputs(stage) == [
        "kind",
        "numbers:0",
        "sheet:0",
        "filters",
        "excluded",
        "value:emergency_enabled",
        "value:emergency_address_id",
        "reason",
        "start",
        "until",
        "canary",
        "pause",
        "threshold",
    ]
    assert (typed(stage)["numbers:0"], typed(stage)["reason"]) == ("+13035550000", "Because")


async def test_only_chosen_settings_are_asked_for_and_typed_values_stay(stage: Stage) -> None:
    """Choosing one more setting adds its input and loses nothing; taking one away removes its input."""
    await stage.open("update")
    assert not [block for block in inputs(stage) if block.startswith("value:")]
    await stage.fill("+13035550000", {"customer_reference": "Denver"}, "Because")

    await stage.choose(["customer_reference", "hd_voice_enabled", "tags"])

    assert [block for block in inputs(stage) if block.startswith("value:")] == [
        "value:tags",
        "value:customer_reference",
        "value:hd_voice_enabled",
    ]
    kept = typed(stage)
    assert (kept["value:customer_reference"], kept["numbers:0"], kept["reason"]) == (
        "Denver",
        "+13035550000",
        "Because",
    )

    await stage.ana.choose("settings", ["tags"])
    await stage.ana.wait_for_view(lambda _: "value:customer_reference" not in inputs(stage))

    assert [block for block in inputs(stage) if block.startswith("value:")] == ["value:tags"]


async def test_boxes_can_be_added_until_all_are_there(stage: Stage) -> None:
    """Each press adds an empty box and keeps the others; with all twenty there the form says what to do instead."""
    await stage.open("update +13035550000")
    others = len(inputs(stage)) - 1

    for boxes in range(2, 21):
        await stage.ana.click("more_numbers")
        await stage.ana.wait_for_view(lambda _: len(inputs(stage)) == others + boxes)  # noqa: B023 - awaited at once

    assert typed(stage)["numbers:0"] == "+13035550000"
    assert "Add a box" not in stage.modal()
    assert "Put the rest in a second change" in stage.modal()


async def test_as_many_boxes_as_are_needed_come_at_once(stage: Stage) -> None:
    """Before anything is pasted the form says what takes a long list, and one choice makes room for 2,500 numbers."""
    await stage.open("update +13035550000")
    others = len(inputs(stage)) - 1
    before, _, _ = stage.modal().partition("+13035550000")
    assert "about 230 numbers" in before
    assert "upload a sheet" in before
    assert "Change these numbers" in before

    await stage.ana.choose("more_numbers:1", "11 boxes: about 2,530 numbers", action_id="several_boxes")
    await stage.ana.wait_for_view(lambda _: len(inputs(stage)) == others + 11)

    assert typed(stage)["numbers:0"] == "+13035550000"
    await stage.ana.click("more_numbers")
    await stage.ana.wait_for_view(lambda _: len(inputs(stage)) == others + 12)


async def test_several_problems_of_a_plan_are_a_list(stage: Stage) -> None:
    """Each problem has a line of its own, and none is in code font."""
    await stage.open("update")
    await stage.ana.attach("sheet:0", ("moves.csv", b"number,Customer refrence,*Ort*\n+13035550000,a,b\n"))
    await stage.fill(None, {}, "Because")
    await stage.send()

    view = await stage.ana.wait_for_view(lambda view: "No plan yet" in stage.read(view))
    lists = [each for block in view.blocks for each in block.get("elements", ()) if each["type"] == "rich_text_list"]

    assert len(lists) == 1
    said = [item["elements"][0]["text"] for item in lists[0]["elements"]]
    assert ["“Customer refrence”" in said[0], "“*Ort*”" in said[1], len(said)] == [True, True, 2]


async def test_a_full_box_is_refused_where_it_stands(stage: Stage) -> None:
    """A box filled to its last character may have been cut off by Slack, so it is never trusted."""
    await stage.open("update")
    await stage.fill(["+13035550000"], {"customer_reference": "Denver"}, "Because")
    await stage.ana.click("more_numbers")
    await stage.ana.wait_for_view(lambda _: "numbers:1" in inputs(stage))
    full = ("+13035550001\n" * 231)[:3000]
    await stage.ana.type("numbers:1", full)

    errors = await stage.refused()

    assert "This box is full" in errors["numbers:1"]
    assert typed(stage)["numbers:1"] == full


@pytest.mark.parametrize("block", ["excluded", "value:tags", "filter:customer_reference"])
async def test_whatever_box_is_full_it_is_refused_where_it_stands(stage: Stage, block: str) -> None:
    """Exceptions that were cut off would be changed, and a filter that was cut off would find more numbers."""
    stage.telnyx.add_number("+13035550000")
    await stage.open("update +13035550000")
    if block.startswith("filter:"):
        await stage.ana.choose("filters", [block.removeprefix("filter:")])
        await stage.ana.wait_for_view(lambda _: block in inputs(stage))
    await stage.fill(None, {"tags": "denver"}, "All but a long list")
    view = stage.ana.view
    assert view is not None
    most = view.form.slot(block).element["max_length"]
    full = ("+13035550001\n" * 231 if block == "excluded" else "tag," * 750)[:most]
    await stage.ana.type(block, full)

    errors = await stage.refused()

    assert list(errors) == [block]
    assert f"may have been cut off. Keep it under {most:,} characters." in errors[block]
    assert typed(stage)[block] == full


async def test_a_text_that_just_fits_is_taken(stage: Stage) -> None:
    """A box has room for one character more than is allowed, so the longest text is not one that was cut off."""
    stage.telnyx.add_number("+13035550000")
    await stage.open()
    settings = {CNAM_NAME: "Fifteen letters", "voice.cnam_listing.cnam_listing_enabled": "true"}
    await stage.fill("+13035550000", settings, "x" * 500)
    await stage.send()
    assert "Fifteen letters" in stage.read(await stage.planned())

    await edit(stage)
    await stage.ana.type(f"value:{CNAM_NAME}", "Sixteen letters!")

    assert "Keep it under 16 characters" in (await stage.refused())[f"value:{CNAM_NAME}"]


@pytest.mark.parametrize(
    ("settings", "field", "says"),
    [
        ({FORWARDS_TO: "the team"}, FORWARDS_TO, "must be one number in international form"),
        ({FORWARDING: "true", FORWARDS_TO: ""}, FORWARDS_TO, "give the number to forward to"),
        ({CNAM_NAME: "Café & Co"}, CNAM_NAME, "may hold only letters, digits and spaces"),
        (
            {CNAM_NAME: "Denver", "voice.cnam_listing.cnam_listing_enabled": "false"},
            CNAM_NAME,
            "needs the CNAM listing on",
        ),
        ({"voice.translated_number": "12 34"}, "voice.translated_number", "only letters and digits"),
        ({"tags": "x" * 251}, "tags", "longer than 250 characters"),
        ({"customer_reference": "   "}, "customer_reference", "needs a value"),
    ],
    ids=["phone", "forwarding-rule", "cnam-name", "cnam-rule", "translated", "long-tag", "blank"],
)
async def test_a_bad_value_is_refused_where_it_stands(
    stage: Stage, settings: dict[str, str], field: str, says: str
) -> None:
    """What cannot be used is said on the field that has it, in words to act on, and no change begins."""
    await stage.open("update")
    await stage.fill("+13035550000", settings, "Because")

    errors = await stage.refused()

    assert list(errors) == [f"value:{field}"]
    assert says in errors[f"value:{field}"]
    assert stage.telnyx.calls == []


async def test_all_mistakes_are_told_at_once_and_nothing_typed_is_lost(stage: Stage) -> None:
    """Every field with a mistake says so in one go; the good fields keep what was typed, and the bad ones too."""
    written = {
        "numbers:0": "+13035550000 and 12",
        f"value:{FORWARDS_TO}": "the team",
        f"value:{CNAM_NAME}": "Café",
        "value:customer_reference": "Denver",
        "reason": "  ",
    }
    await stage.open("update")
    settings = [block.removeprefix("value:") for block in written if block.startswith("value:")]
    await stage.choose(settings)
    for block, text in written.items():
        await stage.ana.type(block, text)

    errors = await stage.refused()

    assert set(errors) == {"numbers:0", f"value:{FORWARDS_TO}", f"value:{CNAM_NAME}", "reason"}
    assert {block: typed(stage)[block] for block in written} == written


async def test_bad_numbers_are_named(stage: Stage) -> None:
    """Each entry that is no number is quoted with what is wrong with it."""
    await stage.open("update")
    await stage.fill(
        "+13035550000\nhello\n+1303555\n303-555-0001 x12\n1.30356E+10", {"customer_reference": "D"}, "Because"
    )

    error = (await stage.refused())["numbers:0"]

    assert error.startswith("4 entries cannot be read")
    for entry in ("hello", "+1303555", "303-555-0001 x12", "1.30356E+10"):
        assert f"“{entry}”" in error


async def test_however_numbers_are_written_they_are_read_and_repeats_are_counted(stage: Stage) -> None:
    """Wrappers, punctuation and separators of all sorts are read; a number given again is dropped, and that is said."""
    for index in range(6):
        stage.telnyx.add_number(f"+1303555000{index}")
    pasted = (
        "<tel:+13035550000|(303) 555-0000>, 303-555-0001; 1 (303) 555 0002\n"
        "+1.303.555.0003\t• (303) 555-0004\n"
        "<tel:3035550005|303 555 0005> +13035550000 1-303-555-0001"
    )

    shown = stage.read(await stage.propose(pasted))

    assert "Numbers: 6 " in shown
    assert "2 repeated entries were dropped" in shown


async def test_numbers_that_are_not_ours_are_named_and_edit_brings_everything_back(stage: Stage) -> None:
    """The plan stops at foreign numbers and names them; Edit shows the form exactly as it was sent."""
    pbx = stage.telnyx.add_connection("Denver PBX")
    stage.telnyx.add_number("+13035550000")
    stage.telnyx.add_number("+13035550001", status="ported-out")
    pasted = ["+13035550000", "+13035550001", "+14155550123", "1293384261075999999"]

    shown = stage.read(await stage.propose(pasted, {"connection_id": pbx.id, "tags": "a, b"}, reason="Because"))

    assert "3 of 4 numbers are not in the Telnyx account, or cannot be changed there now" in shown
    assert all(number in shown for number in pasted[1:])
    assert pasted[0] not in shown
    assert "Request approval" not in shown

    await edit(stage)
    back = typed(stage)

    assert (back["numbers:0"], back["value:tags"], back["reason"]) == ("\n".join(pasted), "a, b", "Because")
    assert chosen(back["value:connection_id"]) == pbx.id
    assert "Denver PBX" in stage.modal()

    await stage.ana.type("numbers:0", pasted[0])
    await stage.send()
    assert "Numbers: 1 " in stage.read(await stage.planned())


async def test_edit_after_a_good_plan_keeps_every_box(stage: Stage) -> None:
    """A plan of several boxes goes back to the form with all of them; the second plan is a change that replaces it."""
    numbers = [number.phone_number for number in stage.telnyx.add_numbers(300, start="+13035550000")]
    first = stage.read(await stage.propose(numbers, reason="Because"))

    await edit(stage)
    kept = [str(typed(stage)[f"numbers:{box}"]) for box in range(3)]
    assert "\n".join(kept).split() == numbers
    await stage.ana.type("value:customer_reference", "Boulder")
    await stage.send()
    second = stage.read(await stage.planned())

    assert "CHG-1" in first
    assert "CHG-2" in second
    assert "Customer reference → Boulder" in second
    assert "Numbers: 300 " in second
    assert "Replaced by CHG-2" in await stage.command("status CHG-1")


async def test_a_plan_that_changes_nothing_is_not_offered(stage: Stage) -> None:
    """When all numbers have the values already, the modal says so and offers to edit, not to request."""
    numbers = [n.phone_number for n in stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Denver")]

    shown = stage.read(await stage.propose(numbers, {"customer_reference": "Denver"}))

    assert "Nothing to do: all 3 numbers already have these values" in shown
    assert "Request approval" not in shown
    assert "Edit" in shown


async def test_numbers_that_have_the_values_already_are_left_alone(stage: Stage) -> None:
    """Only numbers that differ are sent; the others are counted beforehand and accounted for afterwards."""
    stage.telnyx.add_numbers(3, start="+13035550000", customer_reference="Denver")
    stage.telnyx.add_numbers(2, start="+13035550100")
    numbers = [number.phone_number for number in stage.telnyx.numbers.values()]

    shown = stage.read(await stage.propose(numbers))
    assert "Numbers: 5, of which 2 change" in shown
    assert "3 numbers already have these values and are left alone" in shown
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert [len(job.operations) for job in stage.telnyx.jobs] == [2]
    assert stage.outcomes(change) == {"verified": 2, "unchanged": 3}
    assert all(row["reason"] for row in stage.results(change) if row["outcome"] == "unchanged")
    assert "Succeeded" in stage.read(stage.card(change))
    assert stage.failures() == []


async def test_more_numbers_than_allowed_are_refused_in_the_form(idle: Stage) -> None:
    """The largest change is a setting, and the form says it before anything is read."""
    await idle.start(LINESMAN_MAX_NUMBERS="3")
    await idle.open("update")
    await idle.fill([f"+1303555000{index}" for index in range(4)], {"customer_reference": "D"}, "Because")

    errors = await idle.refused()

    assert "4 numbers; one change may have at most 3" in errors["numbers:0"]


async def test_a_closed_plan_is_given_up(stage: Stage) -> None:
    """Discarding the preview leaves nothing behind: no request, no card, no line in the list."""
    number = stage.telnyx.add_number("+13035550000")
    await stage.propose(number.phone_number)

    await stage.ana.close()
    await stage.quiet()

    assert "There are no changes yet" in await stage.command("list")
    assert stage.slack.messages(APPROVALS) == []


async def test_two_choices_in_quick_succession_both_show_their_inputs(stage: Stage) -> None:
    """Whoever chooses a filter before the inputs of the settings are there gets the inputs of both."""
    await stage.open("update")
    stage.slack.faults.add(method="views.update", kind="delay", seconds=0.3, effect_first=False, times=2)

    await stage.ana.choose("settings", ["customer_reference"])
    await stage.ana.choose("filters", ["tag"])
    await stage.ana.type("reason", "Typed meanwhile")
    await stage.ana.wait_for_view(lambda _: {"value:customer_reference", "filter:tag"} <= {*inputs(stage)})

    assert typed(stage)["reason"] == "Typed meanwhile"
    assert [call.error for call in stage.slack.calls if call.method == "views.update"][1:] == [None, None]
