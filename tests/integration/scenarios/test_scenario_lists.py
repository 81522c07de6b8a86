"""Tags can be set, added and taken away; each number gets its own result."""

from __future__ import annotations

from tests.integration.scenarios.stage import Stage


def tagged(stage: Stage, *lists: list[str]) -> list[str]:
    """Add a number to the account for each of ``lists``, with these tags, and return the numbers."""
    numbers = stage.telnyx.add_numbers(len(lists), start="+13035550000")
    for number, tags in zip(numbers, lists, strict=True):
        number.tags = list(tags)
    return [number.phone_number for number in numbers]


async def test_tags_are_added_to_what_each_number_has(stage: Stage) -> None:
    """Every number keeps its tags and gets the new one; numbers with equal results share a job."""
    numbers = tagged(stage, ["east"], ["west"], ["east"], ["east", "VIP"])
    await stage.open()
    await stage.fill(numbers, reason="Marking the important ones")
    await stage.choose(["tags"])
    await stage.ana.choose("way:tags", "add")
    await stage.set("tags", "vip")
    await stage.send()
    shown = stage.read(await stage.planned())
    assert "Tags → add vip" in shown
    assert "loses" not in shown
    assert "1 number already has these values and is left alone." in shown

    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert [n.tags for n in stage.telnyx.numbers.values()] == [
        ["east", "vip"],
        ["west", "vip"],
        ["east", "vip"],
        ["east", "VIP"],
    ]
    assert len(stage.created()) == 2


async def test_taking_the_only_tag_away_is_refused_and_the_rest_can_be_planned(stage: Stage) -> None:
    """Telnyx documents no empty list of tags, so those numbers are named and can be left out with one click."""
    tagged(stage, ["east"], ["east", "west"])
    numbers = [number.phone_number for number in stage.telnyx.numbers.values()]
    await stage.open()
    await stage.fill(numbers, reason="The east is closed")
    await stage.choose(["tags"])
    await stage.ana.choose("way:tags", "remove")
    await stage.set("tags", "East")
    await stage.send()
    shown = stage.read(await stage.planned())
    assert "1 number would be left without any tags, which Telnyx does not document as possible: +13035550000." in shown

    await stage.ana.click("leave_out")
    await stage.ana.wait_for_view(lambda view: "remove East" in stage.read(view))
    change = await stage.request()
    await stage.approve(change)
    await stage.ended(change)

    assert [n.tags for n in stage.telnyx.numbers.values()] == [["east"], ["west"]]
