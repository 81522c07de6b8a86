"""Every reason why there is no plan, word for word, and that nothing was sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.sandbox.telnyx import Number
from tests.integration.scenarios.stage import Stage
from tests.integration.scenarios.steps import edit

ONE, TWO, THREE = "+13035550000", "+13035550001", "+13035550002"
ABSENT = "+13035559999"


def _as_they_are(fleet: list[Number]) -> None:
    """Leave the numbers as they are."""


def _busy(fleet: list[Number]) -> None:
    fleet[0].status = "port-out-pending"


def _tagged(fleet: list[Number]) -> None:
    fleet[0].tags, fleet[1].tags = ["east"], ["east", "west"]


def _named(fleet: list[Number]) -> None:
    for number in fleet:
        number.customer_reference = "Denver"


def _forwarding(fleet: list[Number]) -> None:
    for number, to in zip(fleet, ("", "+17205550100", ""), strict=True):
        number.voice.apply({"call_forwarding": {"call_forwarding_enabled": False, "forwards_to": to}})


@pytest.mark.parametrize(
    ("numbers", "settings", "prepare", "says"),
    [
        pytest.param(
            f"{ONE} {ABSENT}",
            {"customer_reference": "x"},
            _as_they_are,
            (
                f"1 of 2 numbers is not in the Telnyx account, or cannot be changed there now: {ABSENT}. Remove "
                "or correct them, and plan again."
            ),
            id="not ours",
        ),
        pytest.param(
            "1293384261075731000",
            {"customer_reference": "x"},
            _busy,
            (
                f"1 of 1 number is in a state in which Telnyx cannot change them: {ONE} (port-out-pending). Remove "
                "or correct them, and plan again."
            ),
            id="in a state that nobody edits",
        ),
        pytest.param(
            f"{ONE} {TWO}",
            {"customer_reference": "Denver"},
            _named,
            ("Nothing to do: all 2 numbers already have these values. Change a value, or close this window."),
            id="nothing to do",
        ),
        pytest.param(
            f"{ONE} {TWO}",
            {"voice.call_forwarding.call_forwarding_enabled": "true"},
            _forwarding,
            (
                "Some numbers cannot be in this change. 1 number: call forwarding would be on without a number to "
                f"forward to ({ONE}). Exclude them, or fix them first."
            ),
            id="values that do not agree",
        ),
        pytest.param(
            f"{ONE} {TWO}",
            {"voice.cnam_listing.cnam_listing_enabled": "true"},
            _as_they_are,
            (
                "Some numbers cannot be in this change. 2 numbers: the CNAM listing would be on without a name to list "
                f"({ONE}, {TWO}). Exclude them, or fix them first."
            ),
            id="a listing without a name",
        ),
    ],
)
async def test_why_there_is_no_plan(
    stage: Stage, numbers: str, settings: dict[str, str], prepare: Callable[[list[Number]], None], says: str
) -> None:
    """The sentence says what is wrong, with which numbers, and what to do; nothing typed is lost."""
    fleet = stage.telnyx.add_numbers(3, start=ONE)
    prepare(fleet)
    shown = stage.read(await stage.propose(numbers, settings))
    assert says in " ".join(shown.split())
    assert stage.created() == []
    again = stage.read(await edit(stage))
    assert numbers.split(" ", maxsplit=1)[0] in again


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        pytest.param(
            "east",
            (
                f"1 number would be left without any tags, which Telnyx does not document as possible: {ONE}. Exclude "
                "them, or keep an entry."
            ),
            id="the last tag",
        ),
    ],
)
async def test_why_a_list_cannot_be_edited(stage: Stage, tags: str, says: str) -> None:
    """An edit whose result cannot be sent names the numbers."""
    _tagged(stage.telnyx.add_numbers(2, start=ONE))
    await stage.open()
    await stage.fill(f"{ONE} {TWO}", reason="Closing the east")
    await stage.choose(["tags"])
    await stage.ana.choose("way:tags", "remove")
    await stage.set("tags", tags)
    await stage.send()
    assert says in " ".join(stage.read(await stage.planned()).split())
    assert stage.created() == []


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        pytest.param(
            {"customer_reference": "nobody"},
            "No numbers match, so there is nothing to do. Change the filter, or close this.",
            id="none",
        ),
        pytest.param(
            {"phone_number": "303"},
            ("That is more than 2 numbers, the limit for one change. Narrow the filter, or split the change."),
            id="too many",
        ),
    ],
)
async def test_why_a_filter_has_no_plan(idle: Stage, filters: dict[str, str], says: str) -> None:
    """A filter that finds nothing, or more than may be, is said to."""
    stage = idle
    await stage.start(LINESMAN_MAX_NUMBERS="2")
    stage.telnyx.add_numbers(3, start=ONE)
    await stage.open()
    await stage.fill(settings={"tags": "x"}, reason="Because")
    await stage.ana.choose("filters", list(filters))
    for name, value in filters.items():
        await stage.ana.wait_for_view(lambda view, name=name: f"filter:{name}" in str(view.blocks))
        await stage.ana.type(f"filter:{name}", value)
    await stage.send()
    assert says in " ".join(stage.read(await stage.planned()).split())
    assert stage.created() == []


async def test_numbers_can_be_excepted_without_a_filter(stage: Stage) -> None:
    """What is named under “Except” is left out of a list, too, and the plan says how many."""
    stage.telnyx.add_numbers(3, start=ONE)
    await stage.open()
    await stage.fill(f"{ONE} {TWO} {THREE}", {"customer_reference": "x"}, "All but one")
    await stage.ana.type("excluded", TWO)
    await stage.send()
    shown = stage.read(await stage.planned())
    assert "Numbers: 2" in shown
    assert "1 number is excluded (" in shown
