"""Reading numbers: what is found, and by how many calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from bot.changes.model.encryption import Encryption
from bot.changes.model.kinds import Kind
from bot.changes.model.snapshots import Snapshot, Target
from bot.changes.model.values import Secret
from bot.errors import Unauthorised, Unavailable
from bot.providers.http import Bounds
from bot.providers.telnyx.provider import Telnyx
from bot.sandbox.telnyx import Number, RateLimit, TelnyxStandIn

Find = Callable[..., Coroutine[None, None, dict[str, Snapshot]]]
Counted = Callable[[], dict[str, int]]

OWNERSHIP = "/phone_numbers/actions/verify_ownership"
DETAIL = "/phone_numbers"
DETAIL_ONE = "/phone_numbers/{id}"
VOICE = "/phone_numbers/voice"
VOICE_ONE = "/phone_numbers/{id}/voice"
FORWARDS_TO = "voice.call_forwarding.forwards_to"


async def test_a_whole_account_is_read_by_pages(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """2,500 of 2,500 numbers take 3 ownership checks and 10 pages, and none is missing."""
    numbers = account.add_numbers(2500, start="+13035551000", customer_reference="acme")

    found = await find([number.phone_number for number in numbers], "customer_reference")

    assert counted() == {OWNERSHIP: 3, DETAIL: 10}
    assert {one.id for one in found.values()} == {number.id for number in numbers}
    assert {one.values["customer_reference"] for one in found.values()} == {"acme"}
    assert {one.status for one in found.values()} == {"active"}


async def test_pages_are_asked_for_while_those_before_are_worked_through(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, counted: Counted
) -> None:
    """Whoever takes his time over the first snapshot finds the next pages there; stopped then, nothing goes on."""
    numbers = account.add_numbers(2500, start="+13035551000")
    target = Target(identifiers=tuple(number.phone_number for number in numbers))

    async with aclosing(telnyx.find(target, ["tags"], settings_kind)) as found:
        await anext(found)
        await account.wait_for(lambda: counted().get(DETAIL) == 7)

    assert not [task for task in asyncio.all_tasks() if "together" in repr(task.get_coro())]


async def test_a_few_of_many_are_read_one_by_one(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """3 of 20,000 numbers take one ownership check and 3 single reads."""
    numbers = account.add_numbers(20_000, start="+13035550000")

    found = await find([number.phone_number for number in numbers[7000:7003]], "tags")

    assert counted() == {OWNERSHIP: 1, DETAIL_ONE: 3}
    assert len(found) == 3


async def test_thirty_of_many_cost_one_call_to_learn_so(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """30 of 20,000 numbers: a page tells the size, then the numbers are read one by one."""
    numbers = account.add_numbers(20_000, start="+13035550000")

    found = await find([number.phone_number for number in numbers[7000:7030]], "tags")

    assert counted() == {OWNERSHIP: 1, DETAIL: 1, DETAIL_ONE: 30}
    assert len(found) == 30


async def test_the_size_of_the_account_is_remembered(
    account: TelnyxStandIn, telnyx: Telnyx, find: Find, counted: Counted
) -> None:
    """Once known, the size is not asked for again: 30 of 20,000 go singly, 3 of 250 by one page."""
    numbers = account.add_numbers(20_000, start="+13035550000")
    assert "20,000 numbers" in await telnyx.check()

    await find([number.phone_number for number in numbers[7000:7030]], "tags")

    assert counted() == {DETAIL: 1, OWNERSHIP: 1, DETAIL_ONE: 30}


async def test_a_part_that_was_read_before_is_read_where_it_is(
    account: TelnyxStandIn, find: Find, counted: Counted
) -> None:
    """A job's 1,000 numbers out of 20,000 that a plan has read take the 5 pages on which they lie."""
    numbers = account.add_numbers(20_000, start="+13035550000")
    await find([number.id for number in numbers], "tags")
    before = counted()

    found = await find([number.id for number in numbers[14_100:15_100]], "tags")

    assert set(found) == {number.phone_number for number in numbers[14_100:15_100]}
    assert counted()[DETAIL] - before[DETAIL] == 5


async def test_numbers_that_have_moved_to_other_pages_are_found(
    account: TelnyxStandIn, find: Find, counted: Counted
) -> None:
    """Where an account lost numbers or got new ones meanwhile, what a page does not have any more is read singly."""
    numbers = account.add_numbers(20_000, start="+13035550000")
    await find([number.id for number in numbers], "tags")
    for number in numbers[:30]:
        account.remove_number(number.phone_number)
    before = counted()

    found = await find([number.id for number in numbers[19_000:]], "tags")

    assert set(found) == {number.phone_number for number in numbers[19_000:]}
    assert (counted()[DETAIL] - before[DETAIL], counted()[DETAIL_ONE]) == (4, 30)


async def test_few_of_a_small_known_account_are_one_page(
    account: TelnyxStandIn, telnyx: Telnyx, find: Find, counted: Counted
) -> None:
    """In an account of one page, even three numbers are read by that page."""
    numbers = account.add_numbers(200, start="+13035550000")
    await telnyx.check()

    await find([number.phone_number for number in numbers[:3]], "tags")

    assert counted() == {DETAIL: 2, OWNERSHIP: 1}


async def test_half_of_an_account_is_read_by_pages(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """Every second of 2,000 numbers takes 1 ownership check and 8 pages."""
    numbers = account.add_numbers(2000, start="+13035550000")

    found = await find([number.phone_number for number in numbers[::2]], "tags")

    assert counted() == {OWNERSHIP: 1, DETAIL: 8}
    assert len(found) == 1000


@pytest.mark.parametrize(
    ("names", "calls"),
    [
        pytest.param(["tags"], {OWNERSHIP: 1, DETAIL_ONE: 2}, id="detail"),
        pytest.param([FORWARDS_TO], {OWNERSHIP: 1, VOICE_ONE: 2}, id="voice"),
        pytest.param(["voice.caller_id_name_enabled"], {OWNERSHIP: 1, DETAIL_ONE: 2}, id="caller-id"),
        pytest.param(["customer_reference", FORWARDS_TO], {OWNERSHIP: 1, VOICE_ONE: 2}, id="reference-and-voice"),
        pytest.param(["tags", FORWARDS_TO], {OWNERSHIP: 1, DETAIL_ONE: 2, VOICE_ONE: 2}, id="both"),
        pytest.param([], {OWNERSHIP: 1}, id="nothing"),
    ],
)
async def test_only_lists_that_are_needed_are_read(
    account: TelnyxStandIn, find: Find, counted: Counted, names: list[str], calls: dict[str, int]
) -> None:
    """What is asked for decides which endpoints are called."""
    numbers = account.add_numbers(2, start="+13035550000")

    found = await find([number.phone_number for number in numbers], *names)

    assert counted() == calls
    assert [set(one.values) for one in found.values()] == [set(names)] * 2


async def test_both_lists_of_a_whole_account(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """1,000 of 1,000 numbers with settings of both lists take 1 ownership check and 4 pages of each."""
    target: dict[str, object] = {"call_forwarding": {"forwards_to": "+13035559123", "forwarding_type": "always"}}
    numbers = account.add_numbers(1000, start="+13035551000", tags=["vip"], voice=target)

    found = await find([number.phone_number for number in numbers], "tags", FORWARDS_TO)

    assert counted() == {OWNERSHIP: 1, DETAIL: 4, VOICE: 4}
    assert len(found) == 1000
    assert all(dict(one.values) == {"tags": ("vip",), FORWARDS_TO: "+13035559123"} for one in found.values())


async def test_every_setting_is_read_as_it_is(
    account: TelnyxStandIn, find: Find, settings_kind: Kind, encryption: Encryption
) -> None:
    """A number with everything set comes with exactly that, its PIN sealed."""
    connection, group = account.add_connection("Denver PBX"), account.add_billing_group("East")
    number = account.add_number(
        "+13035550100",
        tags=["vip", "East"],
        external_pin="4711",
        customer_reference="MY REF 001",
        connection_id=connection.id,
        billing_group_id=group.id,
        hd_voice_enabled=True,
        deletion_lock_enabled=True,
        voice={
            "tech_prefix_enabled": True,
            "translated_number": "+13035559999",
            "caller_id_name_enabled": True,
            "usage_payment_method": "channel",
            "inbound_call_screening": "flag_calls",
            "call_forwarding": {"forwards_to": "+13035559123", "forwarding_type": "on-failure"},
            "cnam_listing": {"cnam_listing_enabled": True, "cnam_listing_details": "Acme 1"},
            "media_features": {"t38_fax_gateway_enabled": True},
            "call_recording": {"inbound_call_recording_enabled": True, "inbound_call_recording_format": "mp3"},
        },
    )

    found = await find([number.id], *(setting.name for setting in settings_kind.settings))

    one = found["+13035550100"]
    assert (one.id, one.status, one.editable) == (number.id, "active", True)
    assert dict(one.values) == {
        "tags": ("vip", "East"),
        "external_pin": encryption.seal("4711"),
        "customer_reference": "MY REF 001",
        "connection_id": connection.id,
        "billing_group_id": group.id,
        "hd_voice_enabled": True,
        "deletion_lock_enabled": True,
        "voice.tech_prefix_enabled": True,
        "voice.translated_number": "+13035559999",
        "voice.caller_id_name_enabled": True,
        "voice.usage_payment_method": "channel",
        "voice.inbound_call_screening": "flag_calls",
        "voice.call_forwarding.call_forwarding_enabled": True,
        FORWARDS_TO: "+13035559123",
        "voice.call_forwarding.forwarding_type": "on-failure",
        "voice.cnam_listing.cnam_listing_enabled": True,
        "voice.cnam_listing.cnam_listing_details": "Acme 1",
        "voice.media_features.rtp_auto_adjust_enabled": True,
        "voice.media_features.accept_any_rtp_packets_enabled": False,
        "voice.media_features.t38_fax_gateway_enabled": True,
        "voice.call_recording.inbound_call_recording_enabled": True,
        "voice.call_recording.inbound_call_recording_format": "mp3",
        "voice.call_recording.inbound_call_recording_channels": "single",
    }
    assert isinstance(one.values["external_pin"], Secret)
    assert "4711" not in repr(found)


async def test_emergency_settings_are_read(account: TelnyxStandIn, find: Find, emergency_kind: Kind) -> None:
    """A number with the service on names its address; one without has it off and no address."""
    address = account.add_address("100 Main St")
    account.add_number("+13035550100", emergency=address.id)
    account.add_number("+13035550101")
    names = ("emergency_enabled", "emergency_address_id")

    found = await find(["+13035550100", "+13035550101"], *names, kind=emergency_kind)

    assert dict(found["+13035550100"].values) == {"emergency_enabled": True, "emergency_address_id": address.id}
    assert dict(found["+13035550101"].values) == {"emergency_enabled": False, "emergency_address_id": None}


async def test_strangers_and_numbers_that_cannot_be_changed(account: TelnyxStandIn, find: Find) -> None:
    """By E.164 both are absent; by id a stranger is absent and an unchangeable number says that it is one."""
    good = account.add_number("+13035550100")
    ported = account.add_number("+13035550101", status="ported-out")
    waiting = account.add_number("+13035550102", status="purchase-pending")

    found = await find(
        ["+13035550100", "+13035550101", "+13035559999", good.id, waiting.id, "9999999999999999999"], "tags"
    )

    assert {e164: one.editable for e164, one in found.items()} == {"+13035550100": True, "+13035550102": False}
    assert found["+13035550102"].status == "purchase-pending"
    assert ported.id not in {one.id for one in found.values()}


async def test_a_number_named_twice_comes_once(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """A number given by E.164 and by id is checked, read and streamed once."""
    number = account.add_number("+13035550100")

    assert len(await find(["+13035550100", number.id], "tags")) == 1
    assert counted() == {OWNERSHIP: 1, DETAIL_ONE: 1}


async def test_ids_without_settings_are_looked_up(account: TelnyxStandIn, find: Find, counted: Counted) -> None:
    """Ids alone still become numbers in E.164, with what is known of their state."""
    numbers = account.add_numbers(2, start="+13035550000")

    found = await find([number.id for number in numbers])

    assert {one.id for one in found.values()} == {number.id for number in numbers}
    assert counted() == {DETAIL_ONE: 2, OWNERSHIP: 1}


async def test_ids_cost_no_ownership_check_when_nothing_is_to_be_changed(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, counted: Counted
) -> None:
    """Who only wants to read leaves out the question what could be changed; numbers are found in any state."""
    numbers = account.add_numbers(300, start="+13035550100")
    numbers[0].status = "port-failed"
    target = Target(identifiers=tuple(number.id for number in numbers), editable_asked=False)

    found = [snapshot async for snapshot in telnyx.find(target, ["tags"], settings_kind)]

    assert counted() == {DETAIL: 2}
    assert {snapshot.id for snapshot in found} == set(target.identifiers)
    assert all(snapshot.editable for snapshot in found)


async def test_a_number_lost_to_shifting_pages_is_read_singly(
    account: TelnyxStandIn, find: Find, counted: Counted
) -> None:
    """Numbers deleted while pages are read make others slip between two pages; those are found all the same."""
    numbers = account.add_numbers(750, start="+13035550000")
    wanted = [number.phone_number for number in numbers[5:]]
    account.faults.add(kind="delay", path=DETAIL, after=1, times=None, seconds=0.2, effect_first=False)

    reading = asyncio.create_task(find(wanted, "tags"))
    await account.wait_for(lambda: any(call.path == DETAIL and call.status == 200 for call in account.calls))
    for number in numbers[:5]:
        account.remove_number(number.id)
    found = await reading

    assert set(found) == set(wanted)
    assert counted() == {OWNERSHIP: 1, DETAIL: 3, DETAIL_ONE: 5}


async def test_many_that_are_gone_cost_no_call_each(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, counted: Counted
) -> None:
    """1,200 of 1,300 numbers are deleted: the whole account and two ownership checks say so, and the rest is found."""
    numbers = account.add_numbers(1300, start="+13035550000")
    for number in numbers[:1200]:
        account.remove_number(number.id)

    assert await _still_there(telnyx, numbers, settings_kind) == {number.id for number in numbers[1200:]}
    assert counted() == {DETAIL: 1, OWNERSHIP: 2}


async def test_a_number_that_only_one_of_two_leaves_out_is_read_singly(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, counted: Counted
) -> None:
    """Where the list has no number of the deleted ones any more, and the ownership check has one, that one is there."""
    numbers = account.add_numbers(50, start="+13035550000")
    for number in numbers[:20]:
        account.remove_number(number.id)
    lagging = numbers[20]

    def without(document: Any) -> None:
        document["data"] = [row for row in document["data"] if row["id"] != lagging.id]
        document["meta"]["total_results"] -= 1

    account.rewrites.add("GET", DETAIL, without)

    assert await _still_there(telnyx, numbers, settings_kind) == {number.id for number in numbers[20:]}
    assert counted() == {DETAIL: 1, OWNERSHIP: 1, DETAIL_ONE: 1}


async def test_a_row_without_its_number_proves_nothing(
    account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind, counted: Counted
) -> None:
    """Where a page has an id without its number, each of the missing is asked for singly."""
    numbers = account.add_numbers(50, start="+13035550000")
    for number in numbers[:20]:
        account.remove_number(number.id)
    numbers[20].status = "port-failed"

    def unnamed(document: Any) -> None:
        document["data"][0]["phone_number"] = None

    account.rewrites.add("GET", DETAIL, unnamed)

    assert await _still_there(telnyx, numbers, settings_kind) == {number.id for number in numbers[20:]}
    assert counted() == {DETAIL: 1, DETAIL_ONE: 21}


async def _still_there(telnyx: Telnyx, numbers: Sequence[Number], kind: Kind) -> set[str]:
    """Return the ids of those of ``numbers`` that are found, as after a deletion: nothing is going to be changed."""
    e164 = {number.id: number.phone_number for number in numbers}
    target = Target(identifiers=tuple(e164), editable_asked=False, e164=e164)
    return {snapshot.id async for snapshot in telnyx.find(target, ["tags"], kind)}


async def test_a_number_deleted_meanwhile_is_absent(account: TelnyxStandIn, find: Find) -> None:
    """A number that goes between the ownership check and the reading is left out, and nothing fails."""
    account.add_numbers(2, start="+13035550000")
    gone = account.number("+13035550000")
    account.faults.add(kind="status", path=f"/phone_numbers/{gone.id}", status=404)

    assert set(await find(["+13035550000", "+13035550001"], "tags")) == {"+13035550001"}


async def test_trouble_on_the_way_is_overcome(account: TelnyxStandIn, find: Find) -> None:
    """Broken connections, 5xx, 429 and nonsense while reading cost time, not numbers."""
    numbers = account.add_numbers(600, start="+13035550000")
    account.faults.add(kind="drop_before", path=OWNERSHIP)
    account.faults.add(kind="status", path=DETAIL, status=503)
    account.faults.add(kind="drop_after", path=DETAIL)
    account.faults.add(kind="rate_limited", path=DETAIL, retry_after=0.05)

    found = await find([number.phone_number for number in numbers], "tags")

    assert len(found) == 600
    assert not account.faults.pending


async def test_a_rate_limit_is_learned(account: TelnyxStandIn, find: Find, telnyx: Telnyx) -> None:
    """Under a limit of 5 calls per 0.3 s, 30 single reads all succeed, and few calls are refused."""
    numbers = account.add_numbers(10, start="+13035550000")
    account.rate_limit = RateLimit(limit=5, window=0.3)

    for _ in range(3):
        assert len(await find([number.id for number in numbers], "tags")) == 10

    refused = sum(1 for call in account.calls if call.status == 429)
    assert refused <= 12
    assert sum(telnyx.calls.counts().values()) == len(account.calls)


async def test_a_wrong_key_is_said_at_once(account: TelnyxStandIn) -> None:
    """A key that Telnyx does not know is not tried again."""
    async with Telnyx(api_key="KEY-of-yesterday", api_url=account.url) as telnyx:
        with pytest.raises(Unauthorised) as caught:
            await telnyx.check()
        assert "set TELNYX_API_KEY" in caught.value.remedy
        assert "TELNYX_API_KEY" not in caught.value.message

    assert len(account.calls) == 1


async def test_reading_gives_up_when_telnyx_stays_down(account: TelnyxStandIn) -> None:
    """One page that fails to the end of its deadline ends the whole reading with one clear error."""
    numbers = account.add_numbers(600, start="+13035550000")
    account.faults.add(kind="status", path=DETAIL, status=503, times=None, after=1)
    target = Target(identifiers=tuple(number.phone_number for number in numbers))
    bounds = Bounds(deadline=0.3, backoff=0.02, longest_backoff=0.05)

    async with Telnyx(api_key=account.api_key, api_url=account.url, bounds=bounds) as telnyx:
        with pytest.raises(Unavailable, match="503"):
            [snapshot async for snapshot in telnyx.find(target, ["tags"], telnyx.kinds[0])]


async def test_reading_can_be_stopped_midway(account: TelnyxStandIn, telnyx: Telnyx, settings_kind: Kind) -> None:
    """Whoever stops listening after the first number leaves nothing running behind."""
    numbers = account.add_numbers(800, start="+13035550000")
    stream = telnyx.find(Target(identifiers=tuple(n.phone_number for n in numbers)), ["tags"], settings_kind)

    first = await anext(stream)
    await stream.aclose()

    assert first.e164
    assert [task for task in asyncio.all_tasks() if "together" in repr(task)] == []


async def test_the_check_says_what_it_found(account: TelnyxStandIn, telnyx: Telnyx) -> None:
    """The check is one call and a sentence."""
    account.add_number("+13035550100")

    assert await telnyx.check() == "Telnyx accepts the API key; the account has 1 number."
    assert len(account.calls) == 1
