"""Names for ids: what menus offer, and what a plan shows beside an id."""

from __future__ import annotations

import asyncio

import pytest

from bot.changes.model.filter_fields import Condition, read_filter
from bot.changes.model.kinds import Kind
from bot.errors import Forbidden
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import TelnyxStandIn


async def test_connections_are_found_by_name(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Whatever part of the name is typed, in whatever casing, the connection is offered under its name."""
    denver = account.add_connection("Denver PBX")
    account.add_connection("Austin trunk")

    for typed in ("", "d", "DENVER", "  pbx "):
        offered = await telnyx.choices(settings_kind, "connection_id", typed)

        assert (denver.id, "Denver PBX") in [(choice.value, choice.label) for choice in offered]
    assert len(await telnyx.choices(settings_kind, "connection_id", "pbx")) == 1


async def test_a_connection_beyond_the_first_page_is_searched_for(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """With more connections than a page holds, three letters search all of them; never more than 100 are offered."""
    hidden = account.add_connection("Zanzibar")
    for number in range(300):
        account.add_connection(f"Trunk {number}")

    searched = await telnyx.choices(settings_kind, "connection_id", "zanz")
    everything = await telnyx.choices(settings_kind, "connection_id", "")

    assert [choice.value for choice in searched] == [hidden.id]
    assert len(everything) == 100


async def test_menus_are_answered_from_memory(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Somebody typing letter by letter, and several at once, cost one call."""
    account.add_connection("Denver PBX")

    await asyncio.gather(*(telnyx.choices(settings_kind, "connection_id", "Denver"[:length]) for length in range(7)))

    assert [call.path for call in account.calls] == ["/connections"]


async def test_memory_ends(account: TelnyxStandIn, settings_kind: Kind) -> None:
    """After a minute what is new at Telnyx is offered."""
    time = 1000.0
    async with Telnyx(api_key=account.api_key, api_url=account.url, now=lambda: time) as telnyx:
        before = await telnyx.choices(settings_kind, "connection_id", "")
        account.add_connection("Denver PBX")
        time += 59
        still = await telnyx.choices(settings_kind, "connection_id", "")
        time += 2
        after = await telnyx.choices(settings_kind, "connection_id", "")

    assert (before, still) == ((), ())
    assert [choice.label for choice in after] == ["Denver PBX"]


async def test_billing_groups_are_found_on_every_page(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """The list has no search at Telnyx, so all its pages are read, and searched here."""
    east = account.add_billing_group("East")
    for number in range(260):
        account.add_billing_group(f"Group {number}")

    offered = await telnyx.choices(settings_kind, "billing_group_id", "eas")

    assert [(choice.value, choice.label) for choice in offered] == [(east.id, "East")]
    assert len(account.calls) == 2


async def test_addresses_read_like_an_envelope(account: TelnyxStandIn, telnyx: Telnyx, emergency_kind: Kind) -> None:
    """An address is offered with name, street and place, and can be found by any of them."""
    address = account.add_address("100 Main St", business_name="Acme")

    for typed in ("", "acme", "main", "denver", "80202"):
        offered = await telnyx.choices(emergency_kind, "emergency_address_id", typed)

        assert [(choice.value, choice.label) for choice in offered] == [
            (address.id, "Acme, 100 Main St, Denver CO 80202, US")
        ]
    assert len(account.calls) == 1


async def test_a_person_without_business_and_a_long_label(
    account: TelnyxStandIn, telnyx: Telnyx, emergency_kind: Kind
) -> None:
    """Without a business the person's name stands there; a label never outgrows a menu."""
    person = account.add_address("1 Oak Ave")
    person.first_name, person.last_name = "Ada", "Byron"
    account.add_address("200 A Very Long Boulevard Name " * 4, business_name="Acme")

    labels = [choice.label for choice in await telnyx.choices(emergency_kind, "emergency_address_id", "")]

    assert "Ada Byron, 1 Oak Ave, Denver CO 80202, US" in labels
    assert all(len(label) <= 75 for label in labels)


@pytest.mark.parametrize("setting", ["connection_id", "billing_group_id"])
async def test_equal_names_are_told_apart(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, setting: str
) -> None:
    """Names that look alike, or are cut, have their ids behind them; all others stand alone."""
    add = account.add_connection if setting == "connection_id" else account.add_billing_group
    long = "A trunk whose name goes on and on until nobody can see the end of it, which is "
    names = ["Denver", "denver ", "Austin", f"{long}north", f"{long}south"]
    ids = [add(name).id for name in names]

    offered = {each.value: each.label for each in await telnyx.choices(settings_kind, setting, "")}

    assert [offered[id_] for id_ in ids[:3]] == [f"Denver ({ids[0]})", f"denver ({ids[1]})", "Austin"]
    assert all(offered[id_].endswith(f"… ({id_})") and len(offered[id_]) == 75 for id_ in ids[3:])


async def test_addresses_that_differ_beyond_the_end_are_told_apart(
    account: TelnyxStandIn, telnyx: Telnyx, emergency_kind: Kind
) -> None:
    """Two floors of one long address are two choices that nobody confuses."""
    street = "1600 Amphitheatre Parkway North East Building Forty Two"
    floors = [account.add_address(f"{street}, floor {floor}", business_name="Acme Holding") for floor in (1, 2)]

    offered = await telnyx.choices(emergency_kind, "emergency_address_id", "amphi")

    assert {each.value for each in offered} == {floor.id for floor in floors}
    assert all(each.label.endswith(f"… ({each.value})") for each in offered)


async def test_names_of_a_list_that_is_not_known_whole_have_their_ids(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """The name may stand on a later page once more, and the menu shows one of them only."""
    both = [account.add_connection("Denver PBX").id]
    for number in range(260):
        account.add_connection(f"Trunk {number}")
    both.append(account.add_connection("Denver PBX").id)

    (few,) = [each for each in await telnyx.choices(settings_kind, "connection_id", "d") if "Denver" in each.label]

    assert few.value in both
    assert few.label == f"Denver PBX ({few.value})"


async def test_tags_that_differ_in_blanks_look_different(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind
) -> None:
    """A tag has no id; the blanks that tell it from another one are shown."""
    account.add_number("+13035550100", tags=["old vip", "old  vip"])

    offered = await telnyx.choices(settings_kind, "tags", "")

    assert {each.value: each.label for each in offered} == {"old vip": "old vip", "old  vip": "old ␣vip"}


@pytest.mark.parametrize("tag", [" vip", "vip ", "old  vip", "vip\u00a0gold", "Größe", "null", "a, b", "\u200d"])
async def test_a_tag_that_is_picked_is_the_one_that_is_meant(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, tag: str
) -> None:
    """Whatever a menu offers comes through the form as it is: with one blank less it would be another tag."""
    account.add_number("+13035550100", tags=[tag])
    account.add_number("+13035550101", tags=["vip"])

    (choice,) = [each for each in await telnyx.choices(settings_kind, "tags", "") if each.value == tag]

    assert read_filter(settings_kind, {"tag": choice.value}) == (Condition("tag", "", tag),)


async def test_ids_get_their_names(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Known ids have names, unknown and malformed ones are left out, and none is asked for twice."""
    first, second = account.add_connection("Denver PBX"), account.add_connection("Austin trunk")
    ids = [first.id, second.id, "9999999999999999999", "not an id/.."]

    names = await telnyx.labels(settings_kind, "connection_id", ids)
    again = await telnyx.labels(settings_kind, "connection_id", [first.id])

    assert names == {first.id: "Denver PBX", second.id: "Austin trunk"}
    assert again == {first.id: "Denver PBX"}
    assert sum(call.path == "/connections" for call in account.calls) == 1


async def test_one_id_is_asked_for_directly(account: TelnyxStandIn, telnyx: Telnyx, emergency_kind: Kind) -> None:
    """The name of a single address costs one small call; no id costs none."""
    address = account.add_address("100 Main St", business_name="Acme")

    assert await telnyx.labels(emergency_kind, "emergency_address_id", []) == {}
    assert await telnyx.labels(emergency_kind, "emergency_address_id", [address.id]) == {
        address.id: "Acme, 100 Main St, Denver CO 80202, US"
    }
    assert [call.path for call in account.calls] == [f"/addresses/{address.id}"]


async def test_a_list_that_may_not_be_read_says_so(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """A key without the right to connections gets Forbidden, not an empty menu."""
    account.faults.add(kind="status", path="/connections", status=403)

    with pytest.raises(Forbidden):
        await telnyx.choices(settings_kind, "connection_id", "")
